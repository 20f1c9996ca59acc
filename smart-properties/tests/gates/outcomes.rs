//! How automations end and what skill failures are, for the vectors of specification section 13.5 that say it.

use smart_properties::{
    Body, Event, IdRefused, IdType,
    event::Completion,
    gate::{
        Advice, Automations, AutomationsConfig, FailureClass, GateError, Outcome, SkillFailures,
        SkillFailuresConfig,
    },
};

use crate::events::{text, told};

fn with_completion<T>(id: &str, see: impl FnOnce(&Completion<'_>) -> T) -> T {
    let text = text(id, &[]);
    let event = Event::decode(text.as_bytes()).unwrap();
    let Body::Completion(completion) = event.body() else { panic!("{id}") };
    see(&completion)
}

fn outcome(id: &str) -> Outcome {
    with_completion(id, |completion| AutomationsConfig::default().outcome(completion))
}

#[test]
fn outcomes_are_those_of_the_vectors() {
    let Outcome::Failed { errors, contradiction: false } = outcome("E-01") else { panic!() };
    assert_eq!(errors.len(), 1);
    assert_eq!(Advice::of(&errors[0]), Advice::FixConfiguration { guessed: false });
    assert_eq!(outcome("E-02"), Outcome::Succeeded);
    let Outcome::Failed { contradiction: true, .. } = outcome("E-03") else { panic!() };
    let Outcome::Indeterminate { status: Some(status) } = outcome("E-04") else { panic!() };
    assert_eq!(status.as_str(), "PARTIAL");
    let Outcome::Failed { errors, .. } = outcome("E-05") else { panic!() };
    let advice: Vec<_> = errors.iter().map(Advice::of).collect();
    assert_eq!(advice, [Advice::FixConfiguration { guessed: false }, Advice::MayRetry]);
}

#[test]
fn an_event_without_an_automation_is_refused() {
    for id in ["E-06", "E-24"] {
        let mut automations = Automations::default();
        let text = text(id, &[]);
        let event = Event::decode(text.as_bytes()).unwrap();
        let (Body::Completion(completion), order, event_id) = told(&event) else { panic!("{id}") };
        let refused = automations.completed(&completion, order, event_id);
        let missing = IdRefused::Missing { kind: IdType::Automation };
        assert_eq!(refused, Err(GateError::Id(missing)), "{id}");
        assert_eq!(automations, Automations::default(), "{id}");
    }
}

#[test]
fn the_literal_of_a_success_can_be_set_and_never_be_the_failure() {
    let config = AutomationsConfig::default().with_success(["PARTIAL", "FAILURE"]);
    let of = |id| with_completion(id, |completion| config.outcome(completion));
    assert_eq!(of("E-04"), Outcome::Succeeded);
    assert!(matches!(of("E-02"), Outcome::Indeterminate { .. }));
    assert!(matches!(of("E-01"), Outcome::Failed { contradiction: false, .. }));
}

/// A member of a wrong type is never taken for a good sign.
#[test]
fn a_result_that_is_not_as_documented_is_no_success() {
    for result in [
        r#"{"status":"SUCCESS","errors":"boom"}"#,
        r#"{"status":"SUCCESS","errors":{"type":"X"}}"#,
        r#"{"status":["SUCCESS"]}"#,
        r#"["SUCCESS"]"#,
        r#""SUCCESS""#,
        "{}",
    ] {
        let text = text("E-02", &[("/payload/result", &serde_json::from_str(result).unwrap())]);
        let event = Event::decode(text.as_bytes()).unwrap();
        let Body::Completion(completion) = event.body() else { panic!("{result}") };
        let outcome = AutomationsConfig::default().outcome(&completion);
        assert!(matches!(outcome, Outcome::Indeterminate { .. }), "{result}: {outcome:?}");
    }
}

#[test]
fn a_guess_at_a_unit_that_is_missing_is_said_to_be_one() {
    let advice = |error: &str| {
        let text = text("E-01", &[("/payload/result/errors/0/type", &error.into())]);
        let event = Event::decode(text.as_bytes()).unwrap();
        let Body::Completion(completion) = event.body() else { panic!("{error}") };
        Advice::of(&completion.errors[0])
    };
    assert_eq!(advice("TARGET_UNIT_NOT_FOUND"), Advice::FixConfiguration { guessed: true });
    assert_eq!(advice("UNIT_BUSY"), Advice::MayRetry);
    assert_eq!(advice("SKILL_NOT_FOUND"), Advice::MayRetry);
}

#[test]
fn skill_failures_have_the_class_that_their_reason_was_given() {
    let text = text("E-17", &[]);
    let event = Event::decode(text.as_bytes()).unwrap();
    let Body::SkillFailure(failure) = event.body() else { panic!() };
    let at = event.time().unwrap();
    let key = SkillFailures::default().failed(&failure, at, event.id()).unwrap();
    assert_eq!(key.class, FailureClass::Unspecified);
    assert_eq!(key.unit.unwrap().as_str(), "amzn1.alexa.unit.did.ROOM401");
    let config = SkillFailuresConfig::default().with_class("TIMEOUT_LIKE", FailureClass::Timeout);
    let key = SkillFailures::new(config).failed(&failure, at, event.id()).unwrap();
    assert_eq!(key.class, FailureClass::Timeout);
}
