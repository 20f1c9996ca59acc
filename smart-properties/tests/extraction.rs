//! Where identifiers are found, and where they are not.

use smart_properties::{
    Body, Event, EventKind, Extracted, Harvest, IdRefused, IdType,
    event::{Activation, EventBuilder, RoleChange},
};

fn with_activation(entities: &str, payload: &str, check: impl FnOnce(Activation<'_>)) {
    let builder = EventBuilder::new(EventKind::Activation.event_type().unwrap(), "a-1")
        .with_entities(entities)
        .with_payload(payload);
    // Space around it is no part of what is looked through.
    let text = format!("\n {} ", builder.encode().unwrap());
    let event = Event::decode(text.as_bytes()).unwrap();
    let Body::Activation(activation) = event.body() else { panic!("{event:?}") };
    check(activation);
}

#[test]
fn what_stands_at_the_parent_is_never_harvested_as_the_unit() {
    let entities = r#"{"unit":{"parent":{"id":"amzn1.alexa.unit.did.PROP1"}}}"#;
    with_activation(entities, "{}", |activation| {
        assert_eq!(activation.unit, Extracted::Missing);
        assert!(matches!(activation.parent, Extracted::Inferred { .. }));
    });
    with_activation(entities, r#"{"a":["x","amzn1.alexa.unit.did.ROOM402"]}"#, |activation| {
        let Extracted::Harvested { id, pointer } = activation.unit else { panic!("not harvested") };
        assert_eq!((id.as_str(), &*pointer), ("amzn1.alexa.unit.did.ROOM402", "/payload/a/1"));
    });
}

#[test]
fn a_harvest_sees_through_escapes_and_takes_no_part_of_a_text() {
    with_activation("{}", r#"{"a/b":{"~":"\u0061mzn1.alexa.unit.did.X"}}"#, |activation| {
        let Extracted::Harvested { id, pointer } = activation.unit else { panic!("not harvested") };
        assert_eq!((id.as_str(), &*pointer), ("amzn1.alexa.unit.did.X", "/payload/a~1b/~0"));
    });
    for payload in [
        r#"{"a":"the unit amzn1.alexa.unit.did.X"}"#,
        r#"{"a":"amzn1.alexa.unit.did.X is gone"}"#,
        r#"{"a":"amzn1.alexa.unit.did."}"#,
        r#"{"amzn1.alexa.unit.did.X":1}"#,
        r#"{"a":"amzn1.ask.unit.X"}"#,
    ] {
        with_activation("{}", payload, |found| assert_eq!(found.unit, Extracted::Missing));
    }
}

#[test]
fn one_identifier_in_several_places_is_one() {
    let payload = r#"{"a":"amzn1.alexa.unit.did.X","b":["amzn1.alexa.unit.did.X"]}"#;
    with_activation("{}", payload, |activation| {
        assert!(
            matches!(activation.unit, Extracted::Harvested { pointer, .. } if pointer == "/payload/a")
        );
    });
    let entities = r#"{"unit":{"id":"amzn1.alexa.unit.did.X"}}"#;
    let payload = r#"{"unit":{"id":"amzn1.alexa.unit.did.X"}}"#;
    with_activation(entities, payload, |activation| {
        let Extracted::Inferred { pointer, .. } = activation.unit else { panic!("not inferred") };
        assert_eq!(pointer, "/header/entities/unit/id");
    });
}

#[test]
fn a_place_that_is_there_twice_disagrees_with_itself() {
    let payload =
        r#"{"unit":{"id":"amzn1.alexa.unit.did.X"},"unit":{"id":"amzn1.alexa.unit.did.Y"}}"#;
    with_activation("{}", payload, |activation| {
        let refused = activation.unit.accept(Harvest::Accept).map(|_| ());
        assert_eq!(refused, Err(IdRefused::Ambiguous { kind: IdType::Unit, found: 2 }));
    });
}

#[test]
fn no_more_places_are_listed_than_16() {
    let ids: Vec<String> =
        (0..1_000).map(|number| format!(r#""amzn1.alexa.unit.did.{number}""#)).collect();
    with_activation("{}", &format!(r#"{{"a":[{}]}}"#, ids.join(",")), |activation| {
        let Extracted::Ambiguous(found) = activation.unit else { panic!("not ambiguous") };
        assert_eq!(found.len(), 16);
        assert_eq!(found[15].0, "/payload/a/15");
    });
}

#[test]
fn a_name_that_is_no_text_hides_what_comes_after_it() {
    let payload = r#"{"a":"amzn1.alexa.unit.did.X","\ud800":1,"b":"amzn1.alexa.unit.did.Y"}"#;
    with_activation("{}", payload, |found| assert_eq!(found.unit, Extracted::Missing));
}

#[test]
fn a_gate_takes_what_is_known_or_inferred_and_the_rest_on_demand() {
    let entities = r#"{"resource":{"resourceId":"amzn1.alexa.unit.did.PROP1"}}"#;
    let text = EventBuilder::new(EventKind::Assignment.event_type().unwrap(), "r-1")
        .with_entities(entities)
        .with_payload(r#"{"x":"amzn1.alexa.role.did.R1"}"#)
        .encode()
        .unwrap();
    let event = Event::decode(text.as_bytes()).unwrap();
    let Body::RoleAssignment(RoleChange { unit, role, principal, .. }) = event.body() else {
        panic!("{event:?}")
    };
    assert!(unit.accept(Harvest::Refuse).is_ok());
    assert_eq!(role.accept(Harvest::Refuse), Err(IdRefused::Harvested { kind: IdType::Role }));
    assert_eq!(role.accept(Harvest::Accept).unwrap().as_str(), "amzn1.alexa.role.did.R1");
    let missing = Err(IdRefused::Missing { kind: IdType::Principal });
    assert_eq!(principal.accept(Harvest::Accept), missing);
    assert_eq!(role.clone().into_owned(), role);
}

#[test]
fn the_reason_of_a_skill_is_the_first_text_where_one_may_stand() {
    let reason = |payload: &str| {
        let text = EventBuilder::new(EventKind::Failure.event_type().unwrap(), "s-1")
            .with_payload(payload)
            .encode()
            .unwrap();
        let event = Event::decode(text.as_bytes()).unwrap();
        let Body::SkillFailure(failure) = event.body() else { panic!("{event:?}") };
        failure.reason.map(|reason| reason.as_str().to_owned())
    };
    let all = r#""errors":[{"type":"B"},{"type":"C"}],"result":{"errors":[{"type":"D"}]}"#;
    assert_eq!(reason(&format!(r#"{{{all},"error":{{"type":"A"}}}}"#)).as_deref(), Some("A"));
    assert_eq!(reason(&format!(r#"{{{all},"error":{{"type":1}}}}"#)).as_deref(), Some("B"));
    let nested = r#"{"errors":{"0":{"type":1}},"result":{"errors":[{"type":"D"},{"type":"E"}]}}"#;
    assert_eq!(reason(nested).as_deref(), Some("D"));
    for none in ["{}", r#"{"errors":[]}"#, r#"{"errors":[1,{"type":"C"}]}"#] {
        assert_eq!(reason(none), None, "{none}");
    }
}
