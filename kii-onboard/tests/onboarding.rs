//! Requests for onboarding: the variants of specification section 8 as they are sent, the vector E08, what the cloud
//! takes and refuses against a naive reading, and what is never printed.

use kii_onboard::{
    IdRule, Json, RequestId, VendorThingId,
    frame::{EncodeError, Method, Request},
    onboarding::{
        EndNodeOnboarding, FieldFault, InvalidField, LayoutPosition, Onboarding, OnboardingError,
        Owner, OwnerKind, ThingOnboarding, ThingRef,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::Value;

#[path = "naive/onboarding.rs"]
mod naive;

fn vendor(id: &str) -> VendorThingId {
    VendorThingId::new(id).unwrap()
}

fn by_vendor_id() -> ThingOnboarding {
    ThingOnboarding::with_vendor_thing_id(vendor("v1"), "p1").unwrap()
}

fn by_thing_id() -> ThingOnboarding {
    ThingOnboarding::with_thing_id("th.1", "p1").unwrap()
}

fn user() -> Owner {
    Owner::user("u-1").unwrap()
}

fn with_options(thing: ThingOnboarding) -> ThingOnboarding {
    // In another order than that of the body.
    let properties = Json::new(r#" {"b" : 2, "a" : 1.50} "#).unwrap();
    let thing = thing.with_data_grouping_interval("15_MINUTES").unwrap();
    let thing = thing.with_layout_position(LayoutPosition::EndNode);
    let thing = thing.with_firmware_version("1.0-2").unwrap();
    thing.with_thing_properties(properties).unwrap().with_thing_type("lamp").unwrap()
}

fn by_gateway_thing_id() -> EndNodeOnboarding {
    EndNodeOnboarding::with_gateway_thing_id("th.1", vendor("n1"), "p1", user(), "tok").unwrap()
}

fn by_gateway_vendor_id() -> EndNodeOnboarding {
    let group = Owner::group("g-1").unwrap();
    EndNodeOnboarding::with_gateway_vendor_thing_id(vendor("v1"), vendor("n1"), "p1", group, "tok")
        .unwrap()
}

fn owned(thing: ThingOnboarding) -> Onboarding {
    Onboarding::Thing(thing.owned_by(user(), "tok").unwrap())
}

#[test]
fn e08_is_exactly_v25() {
    let payload = Onboarding::Thing(by_vendor_id()).encode(None).unwrap();
    let v25 = b"POST\r\nContent-Type: application/vnd.kii.OnboardingWithVendorThingIDByThing+json\r\n\r\n\
        {\"vendorThingID\":\"v1\",\"thingPassword\":\"p1\"}";
    assert_eq!(payload, v25);
    assert_eq!(payload.len(), 126);
}

#[test]
fn every_variant_is_written_as_specified_and_read_again() {
    let node = by_gateway_thing_id()
        .with_firmware_version("2")
        .and_then(|node| node.with_thing_properties(Json::new("{}").unwrap()))
        .and_then(|node| node.with_thing_type("bulb"))
        .unwrap();
    let variants = [
        (
            Onboarding::Thing(with_options(by_vendor_id())),
            "OnboardingWithVendorThingIDByThing",
            r#"{"vendorThingID":"v1","thingPassword":"p1","thingType":"lamp","thingProperties":{"b" : 2, "a" : 1.50},"firmwareVersion":"1.0-2","layoutPosition":"ENDNODE","dataGroupingInterval":"15_MINUTES"}"#,
        ),
        (
            Onboarding::Thing(by_thing_id()),
            "OnboardingWithThingIDByThing",
            r#"{"thingID":"th.1","thingPassword":"p1"}"#,
        ),
        (
            owned(with_options(by_vendor_id())),
            "OnboardingWithVendorThingIDByOwner",
            r#"{"vendorThingID":"v1","thingPassword":"p1","owner":"user:u-1","thingType":"lamp","thingProperties":{"b" : 2, "a" : 1.50},"firmwareVersion":"1.0-2","layoutPosition":"ENDNODE","dataGroupingInterval":"15_MINUTES"}"#,
        ),
        (
            owned(by_thing_id().with_layout_position(LayoutPosition::Gateway)),
            "OnboardingWithThingIDByOwner",
            r#"{"thingID":"th.1","thingPassword":"p1","owner":"user:u-1","layoutPosition":"GATEWAY"}"#,
        ),
        (
            Onboarding::EndNode(node),
            "OnboardingEndNodeWithGatewayThingID",
            r#"{"gatewayThingID":"th.1","endNodeVendorThingID":"n1","endNodePassword":"p1","owner":"user:u-1","endNodeThingType":"bulb","endNodeThingProperties":{},"endNodeFirmwareVersion":"2"}"#,
        ),
        (
            Onboarding::EndNode(by_gateway_vendor_id()),
            "OnboardingEndNodeWithGatewayVendorThingID",
            r#"{"gatewayVendorThingID":"v1","endNodeVendorThingID":"n1","endNodePassword":"p1","owner":"group:g-1"}"#,
        ),
    ];
    let id = RequestId::new("v1 onboardings").unwrap();
    for (onboarding, name, body) in variants {
        let authorization = match onboarding.owner_token() {
            Some(_) => "Authorization: Bearer tok\r\n",
            None => "",
        };
        let media_type = format!("application/vnd.kii.{name}+json");
        assert_eq!(onboarding.content_type(), media_type);
        let expected = format!(
            "POST\r\n{authorization}X-Kii-RequestID: v1 onboardings\r\nContent-Type: {media_type}\r\n\r\n{body}"
        );
        let payload = onboarding.encode(Some(&id)).unwrap();
        assert_eq!(String::from_utf8(payload.clone()).unwrap(), expected);
        assert_eq!(Onboarding::decode(&Request::decode(&payload).unwrap()), Ok(onboarding));
    }
}

#[test]
fn what_was_told_can_be_asked() {
    let thing = with_options(by_vendor_id()).owned_by(user(), "tok").unwrap();
    assert_eq!(*thing.id(), ThingRef::Vendor(vendor("v1")));
    assert_eq!(thing.password().expose(), b"p1");
    let owner = thing.owner().unwrap();
    assert_eq!((owner.kind(), owner.id()), (OwnerKind::User, "u-1"));
    assert_eq!(thing.owner_token().unwrap().expose(), b"tok");
    assert_eq!(thing.thing_type(), Some("lamp"));
    assert_eq!(thing.thing_properties().unwrap().as_str(), r#"{"b" : 2, "a" : 1.50}"#);
    assert_eq!(thing.firmware_version(), Some("1.0-2"));
    assert_eq!(thing.layout_position(), Some(LayoutPosition::EndNode));
    assert_eq!(thing.data_grouping_interval(), Some("15_MINUTES"));

    let node = by_gateway_vendor_id().with_thing_type("bulb").unwrap();
    assert_eq!((node.gateway(), node.id()), (&ThingRef::Vendor(vendor("v1")), &vendor("n1")));
    assert_eq!((node.password().expose(), node.owner_token().expose()), (&b"p1"[..], &b"tok"[..]));
    assert_eq!(node.owner().to_string(), "group:g-1");
    assert_eq!(node.thing_type(), Some("bulb"));
    assert_eq!((node.thing_properties(), node.firmware_version()), (None, None));
}

fn fault<T: std::fmt::Debug>(made: Result<T, InvalidField>) -> (&'static str, FieldFault) {
    let InvalidField { field, fault, .. } = made.unwrap_err();
    (field, fault)
}

#[test]
fn with_the_clouds_id_and_an_owner_only_the_layout_position_is_an_option() {
    let refused = FieldFault::NotTaken;
    let thing = || by_thing_id().owned_by(user(), "tok").unwrap();
    let properties = Json::new("{}").unwrap();
    assert_eq!(fault(thing().with_thing_type("lamp")), ("thingType", refused));
    assert_eq!(fault(thing().with_thing_properties(properties)), ("thingProperties", refused));
    assert_eq!(fault(thing().with_firmware_version("1")), ("firmwareVersion", refused));
    let field = "dataGroupingInterval";
    assert_eq!(fault(thing().with_data_grouping_interval("1")), (field, refused));
    // The order of the calls makes no difference.
    let typed = by_thing_id().with_thing_type("lamp").unwrap();
    assert_eq!(fault(typed.owned_by(user(), "tok")), ("thingType", refused));
    assert!(with_options(by_vendor_id()).owned_by(user(), "tok").is_ok());
}

#[test]
fn limits_hold_on_both_sides() {
    let rule = |(field, fault)| match fault {
        FieldFault::Rule(rule) => (field, rule),
        other => panic!("{other:?}"),
    };
    let too_long = IdRule::TooLong { limit: 100 };
    let (fit, long) = ("a".repeat(100), "a".repeat(101));
    assert!(by_vendor_id().with_thing_type(&fit).is_ok());
    assert_eq!(rule(fault(by_vendor_id().with_thing_type(&long))), ("thingType", too_long));
    let refused = fault(by_vendor_id().with_firmware_version(&long));
    assert_eq!(rule(refused), ("firmwareVersion", too_long));
    let refused = fault(by_gateway_thing_id().with_thing_type("a b"));
    assert_eq!(rule(refused), ("endNodeThingType", IdRule::ForbiddenChar { index: 1 }));
    let refused = fault(by_gateway_thing_id().with_firmware_version(""));
    assert_eq!(rule(refused), ("endNodeFirmwareVersion", IdRule::Empty));

    let properties = |len: usize| Json::new(&format!(r#"{{"a":"{}"}}"#, "x".repeat(len - 8)));
    let (fit, large) = (properties(64_512).unwrap(), properties(64_513).unwrap());
    let too_large = FieldFault::TooLarge { len: 64_513, limit: 64_512 };
    assert!(by_vendor_id().with_thing_properties(fit.clone()).is_ok());
    let refused = fault(by_vendor_id().with_thing_properties(large.clone()));
    assert_eq!(refused, ("thingProperties", too_large));
    assert!(by_gateway_thing_id().with_thing_properties(fit.clone()).is_ok());
    let refused = fault(by_gateway_thing_id().with_thing_properties(large.clone()));
    assert_eq!(refused, ("endNodeThingProperties", too_large));
    let array = Json::new("[]").unwrap();
    let refused = fault(by_vendor_id().with_thing_properties(array));
    assert_eq!(refused, ("thingProperties", FieldFault::NotAnObject));
    let decode = |properties: &Json| {
        let body = format!(
            r#"{{"vendorThingID":"v1","thingPassword":"p1","thingProperties":{}}}"#,
            properties.as_str()
        );
        decode(VENDOR_BY_THING, None, &body)
    };
    assert!(decode(&fit).is_ok());
    let invalid = vec![("thingProperties", too_large)];
    assert_eq!(invalid_fields(decode(&large)), invalid);

    let refused = fault(ThingOnboarding::with_vendor_thing_id(vendor("v1"), ""));
    assert_eq!(rule(refused), ("thingPassword", IdRule::Empty));
    let bytes = b"\xff".as_slice();
    let refused = fault(ThingOnboarding::with_thing_id("th.1", bytes));
    assert_eq!(refused, ("thingPassword", FieldFault::NotText));
    let refused = fault(ThingOnboarding::with_thing_id("a/b", "p1"));
    assert_eq!(rule(refused), ("thingID", IdRule::ForbiddenChar { index: 1 }));
    let refused = fault(by_vendor_id().owned_by(user(), "a\r\nX: b"));
    assert_eq!(rule(refused), ("Authorization", IdRule::ForbiddenChar { index: 1 }));
    assert!(ThingOnboarding::with_thing_id("\u{e9}".repeat(1_024), "p1").is_ok());
    let refused = fault(ThingOnboarding::with_thing_id("t".repeat(1_025), "p1"));
    assert_eq!(rule(refused), ("thingID", IdRule::TooLong { limit: 1_024 }));
    assert!(by_vendor_id().owned_by(user(), "t".repeat(4_096)).is_ok());
    let refused = fault(by_vendor_id().owned_by(user(), "t".repeat(4_097)));
    assert_eq!(rule(refused), ("Authorization", IdRule::TooLong { limit: 4_096 }));
    assert!(Owner::user("u".repeat(200)).is_ok());
    let refused = fault(Owner::group("u".repeat(201)));
    assert_eq!(rule(refused), ("owner", IdRule::TooLong { limit: 200 }));
}

#[test]
fn a_payload_that_is_too_large_is_refused() {
    let thing = ThingOnboarding::with_vendor_thing_id(vendor("v1"), "p".repeat(65_536)).unwrap();
    let refused = Onboarding::Thing(thing).encode(None).unwrap_err();
    assert!(matches!(refused, EncodeError::TooLarge { limit: 65_536, .. }), "{refused}");
}

const VENDOR_BY_THING: &str = "application/vnd.kii.OnboardingWithVendorThingIDByThing+json";
const THING_BY_OWNER: &str = "application/vnd.kii.OnboardingWithThingIDByOwner+json";

fn decode(
    media_type: &str,
    authorization: Option<&str>,
    body: &str,
) -> Result<Onboarding, OnboardingError> {
    let authorization = authorization.map(|value| ("Authorization", value));
    let headers = authorization.into_iter().chain([("Content-Type", media_type)]);
    let payload = Request::encode(Method::Post, headers, body.as_bytes()).unwrap();
    Onboarding::decode(&Request::decode(&payload).unwrap())
}

fn invalid_fields(read: Result<Onboarding, OnboardingError>) -> Vec<(&'static str, FieldFault)> {
    match read {
        Err(OnboardingError::InvalidFields(fields)) => {
            fields.iter().map(|invalid| (invalid.field, invalid.fault)).collect()
        }
        read => panic!("{read:?}"),
    }
}

#[test]
fn what_is_wrong_is_told_in_the_order_in_which_the_cloud_answers() {
    let get = b"GET\r\n\r\n{";
    assert_eq!(Onboarding::decode(&Request::decode(get).unwrap()), Err(OnboardingError::NotPost));
    let not_json = decode("text/plain", None, "{");
    assert!(matches!(not_json, Err(OnboardingError::NotJson(_))), "{not_json:?}");
    assert_eq!(decode("text/plain", None, "[]"), Err(OnboardingError::UnknownMediaType));
    let none = Request::decode(b"POST\r\n\r\n{}").unwrap();
    assert_eq!(Onboarding::decode(&none), Err(OnboardingError::UnknownMediaType));
    for authorization in [None, Some("tok"), Some("Basic tok"), Some("Bearer"), Some("Bearer a b")]
    {
        let refused = decode(THING_BY_OWNER, authorization, "[]");
        assert_eq!(refused, Err(OnboardingError::NoOwnerToken), "{authorization:?}");
    }
    let refused = decode(THING_BY_OWNER, Some("bearer tok"), "[]");
    let required = FieldFault::Required;
    let all = vec![("thingID", required), ("thingPassword", required), ("owner", required)];
    assert_eq!(invalid_fields(refused), all);
}

#[test]
fn every_invalid_member_is_named_once() {
    let body = r#"{"vendorThingID":"a b","thingPassword":5,"thingType":null,"thingProperties":"{}","firmwareVersion":"","layoutPosition":"gateway"}"#;
    let refused = decode(VENDOR_BY_THING, None, body);
    let message = refused.as_ref().unwrap_err().to_string();
    let first = "`vendorThingID` has a character at byte 1 that it must not have";
    assert_eq!(message, format!("{first}; wrong members beside it: 5"));
    let expected = [
        ("vendorThingID", FieldFault::Rule(IdRule::ForbiddenChar { index: 1 })),
        ("thingPassword", FieldFault::NotText),
        ("thingType", FieldFault::NotText),
        ("thingProperties", FieldFault::NotAnObject),
        ("firmwareVersion", FieldFault::Rule(IdRule::Empty)),
        ("layoutPosition", FieldFault::UnknownValue),
    ];
    assert_eq!(invalid_fields(refused), expected);
}

#[test]
fn other_spellings_are_read_and_not_written() {
    let media_type = "APPLICATION/vnd.kii.onboardingWithThingIDByOwner+JSON ; charset=UTF-8";
    let body = "{\"thingID\":\"th.1\",\"thingPassword\":\"p1\",\"owner\":\"USER:u-1\",\"layoutPosition\":\
        \"END_NODE\",\"thingType\":\"not taken, not looked at\"}\r\n";
    let read = decode(media_type, Some("Bearer tok"), body).unwrap();
    assert_eq!(read, owned(by_thing_id().with_layout_position(LayoutPosition::EndNode)));
    let written =
        r#"{"thingID":"th.1","thingPassword":"p1","owner":"user:u-1","layoutPosition":"ENDNODE"}"#;
    assert_eq!(String::from_utf8(read.body()).unwrap(), written);
}

#[test]
fn secrets_and_values_are_not_printed() {
    let canary = "canary";
    let thing = ThingOnboarding::with_vendor_thing_id(vendor("v1"), canary).unwrap();
    let thing = thing.with_thing_properties(Json::new(r#"{"a":"canary"}"#).unwrap()).unwrap();
    let thing = thing.owned_by(user(), canary).unwrap();
    let node = EndNodeOnboarding::with_gateway_thing_id("t", vendor("n"), canary, user(), canary);
    let node = Onboarding::EndNode(node.unwrap());
    let bad =
        decode(VENDOR_BY_THING, None, r#"{"vendorThingID":"canary !","thingPassword":["canary"]}"#);
    let bad = bad.unwrap_err();
    let not_json = decode(VENDOR_BY_THING, None, "canary").unwrap_err();
    let owner = Owner::parse("canary").unwrap_err();
    let printed =
        format!("{thing:?} {node:#?} {bad:?} {bad} {not_json:?} {not_json} {owner:?} {owner}");
    assert!(!printed.contains(canary), "{printed}");
    assert!(!printed.contains("99, 97, 110"), "{printed}");
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._-]{1,100}"
}

/// Any request that can be built.
fn onboarding() -> impl Strategy<Value = Onboarding> {
    let ids = (any::<bool>(), "[A-Za-z0-9._-]{1,200}", "[^/+#\\p{Cc}]{1,40}", ".{1,20}");
    let owner = ("[^/+#\\p{Cc}]{1,40}", any::<bool>(), "[!-~]{1,60}");
    let position =
        select(vec![LayoutPosition::Gateway, LayoutPosition::Standalone, LayoutPosition::EndNode]);
    let properties = select(vec!["{}", r#"{"a":{"b":[null,1.0e3]}}"#, "{\"\\ud800\":\"\u{e9}\"}"]);
    let options = (option::of(name()), option::of(properties), option::of(name()));
    let rest = (option::of(position), option::of(name()), any::<bool>(), any::<bool>());
    (ids, owner, options, rest).prop_map(|(ids, owner, options, rest)| {
        let (is_vendor, vendor_id, thing_id, password) = ids;
        let (owner, is_user, token) = owner;
        let (thing_type, properties, firmware, (position, interval, is_owned, is_node)) =
            (options.0, options.1, options.2, rest);
        let owner = if is_user { Owner::user(owner) } else { Owner::group(owner) }.unwrap();
        let properties = properties.map(|text| Json::new(text).unwrap());
        let all = (thing_type, properties, firmware, interval);
        if is_node {
            let id = vendor(&vendor_id);
            let node = if is_vendor {
                let gateway = vendor("gw");
                EndNodeOnboarding::with_gateway_vendor_thing_id(gateway, id, password, owner, token)
            } else {
                EndNodeOnboarding::with_gateway_thing_id(thing_id, id, password, owner, token)
            };
            let mut node = node.unwrap();
            let (thing_type, properties, firmware, _) = all;
            if let Some(name) = thing_type {
                node = node.with_thing_type(&name).unwrap();
            }
            if let Some(json) = properties {
                node = node.with_thing_properties(json).unwrap();
            }
            if let Some(version) = firmware {
                node = node.with_firmware_version(&version).unwrap();
            }
            return Onboarding::EndNode(node);
        }
        let mut thing = match is_vendor {
            true => ThingOnboarding::with_vendor_thing_id(vendor(&vendor_id), password),
            false => ThingOnboarding::with_thing_id(thing_id, password),
        }
        .unwrap();
        if is_owned {
            thing = thing.owned_by(owner, token).unwrap();
        }
        if let Some(position) = position {
            thing = thing.with_layout_position(position);
        }
        if is_vendor || !is_owned {
            let (thing_type, properties, firmware, interval) = all;
            if let Some(name) = thing_type {
                thing = thing.with_thing_type(&name).unwrap();
            }
            if let Some(json) = properties {
                thing = thing.with_thing_properties(json).unwrap();
            }
            if let Some(version) = firmware {
                thing = thing.with_firmware_version(&version).unwrap();
            }
            if let Some(interval) = interval {
                thing = thing.with_data_grouping_interval(&interval).unwrap();
            }
        }
        Onboarding::Thing(thing)
    })
}

/// A body with members of all variants, fit and not.
fn body() -> impl Strategy<Value = String> {
    const NAMES: [&str; 17] = [
        "vendorThingID",
        "thingID",
        "thingPassword",
        "owner",
        "thingType",
        "thingProperties",
        "firmwareVersion",
        "layoutPosition",
        "dataGroupingInterval",
        "gatewayThingID",
        "gatewayVendorThingID",
        "endNodeVendorThingID",
        "endNodePassword",
        "endNodeThingType",
        "endNodeThingProperties",
        "endNodeFirmwareVersion",
        "unknown",
    ];
    let fit = |name: &str| match name {
        "owner" => select(vec!["\"user:u\"", "\"USER:u\"", "\"Group:g:h\""]),
        "thingProperties" | "endNodeThingProperties" => {
            select(vec!["{}", "{\"a\":[1]}", "{\"a\":null}"])
        }
        "layoutPosition" => select(vec!["\"GATEWAY\"", "\"END_NODE\"", "\"ENDNODE\""]),
        _ => select(vec!["\"a\"", "\"a.b-c_d\"", "\"\\u0061\""]),
    };
    let odd = select(vec![
        "null",
        "\"\"",
        "5",
        "\"a b\"",
        "\"a/b\"",
        "[]",
        "{}",
        "\"user:\"",
        "\"\\u0007\"",
        "\"x:y\"",
        "true",
    ]);
    let members = NAMES.map(|name| {
        let value = prop_oneof![30 => fit(name), 1 => odd.clone()];
        let count = prop_oneof![15 => Just(1), 1 => Just(0_usize), 1 => Just(2)];
        count
            .prop_flat_map(move |count| vec(value.clone(), count))
            .prop_map(move |values| {
                values.iter().map(|value| format!("\"{name}\":{value},")).collect()
            })
            .boxed()
    });
    let object = members
        .to_vec()
        .prop_shuffle()
        .prop_map(|members: Vec<String>| format!("{{{}}}", members.concat().trim_end_matches(',')));
    prop_oneof![30 => object, 1 => select(vec!["[]", "{", "", "null"]).prop_map(String::from)]
}

fn media_type() -> impl Strategy<Value = &'static str> {
    select(vec![
        VENDOR_BY_THING,
        "application/vnd.kii.onboardingWithThingIDByThing+json;charset=UTF-8",
        "application/vnd.kii.OnboardingWithVendorThingIDByOwner+json",
        THING_BY_OWNER,
        "application/vnd.kii.OnboardingEndNodeWithGatewayThingID+json",
        "application/VND.kii.OnboardingEndNodeWithGatewayVendorThingID+json",
        "application/vnd.kii.OnboardingEndNode+json",
        "application/json",
    ])
}

fn authorization() -> impl Strategy<Value = Option<&'static str>> {
    let usual = Just(Some("Bearer tok"));
    let odd = select(vec![
        None,
        Some("bearer  a/b+c=="),
        Some("Bearer"),
        Some("Basic x"),
        Some("Bearer \u{e9}"),
    ]);
    prop_oneof![6 => usual, 1 => odd]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_written_is_read(onboarding in onboarding(), has_id: bool) {
        let id = RequestId::new("1").unwrap();
        let payload = onboarding.encode(has_id.then_some(&id)).unwrap();
        let request = Request::decode(&payload).unwrap();
        prop_assert_eq!(request.headers.request_id(), has_id.then_some("1"));
        prop_assert_eq!(Onboarding::decode(&request), Ok(onboarding));
    }

    #[test]
    fn a_request_is_read_as_a_naive_reader_does(
        media_type in media_type(),
        authorization in authorization(),
        body in body(),
    ) {
        let value: Option<Value> = serde_json::from_str(&body).ok();
        prop_assert_eq!(
            naive::decode(media_type, authorization, body.as_bytes()),
            Some(naive::read(media_type, authorization, value.as_ref()))
        );
    }
}
