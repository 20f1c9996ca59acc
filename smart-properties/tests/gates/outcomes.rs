//! How automations end and what skill failures are, for the vectors of specification section 13.5 that say it.

use core::num::NonZeroUsize;

use smart_properties::{
    Body, Event, IdRefused, IdType, Instant,
    event::Completion,
    gate::{
        Advice, Automations, AutomationsConfig, FailureClass, GateConfig, GateError, Outcome,
        SkillFailures, SkillFailuresConfig,
    },
};

use crate::events::{text, told};
use iot_sansio::UnixMillis;

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

#[test]
fn as_many_failures_are_kept_as_may_be_and_the_oldest_goes() {
    let text = text("E-17", &[]);
    let event = Event::decode(text.as_bytes()).unwrap();
    let Body::SkillFailure(failure) = event.body() else { panic!() };
    let gate = GateConfig::default().with_capacity(NonZeroUsize::new(2).unwrap());
    let mut failures = SkillFailures::new(SkillFailuresConfig::default().with_gate(gate));
    let at = |second: i64| Instant::from(UnixMillis::new(second * 1_000));
    for second in [3, 1, 2] {
        let _ = failures.failed(&failure, at(second), &format!("s-{second}")).unwrap();
    }
    // One that is older than all that are kept is gone at once.
    let key = failures.failed(&failure, at(0), "s-0").unwrap();
    assert_eq!(failures.count(&key, at(3)), 2);
    assert_eq!(failures.count(&key, at(2)), 1);
    assert_eq!(failures.count(&key, at(1)), 0);

    failures.forget_before(at(2));
    assert_eq!(failures.count(&key, at(3)), 2, "nothing was before it");
    failures.forget_before(at(3));
    assert_eq!(failures.count(&key, at(3)), 1);
    failures.forget_before(at(4));
    assert_eq!(failures.count(&key, at(4)), 0);
}

#[test]
fn beyond_its_capacity_an_automation_is_refused() {
    let gate = GateConfig::default().with_capacity(NonZeroUsize::MIN);
    let mut automations = Automations::new(AutomationsConfig::default().with_gate(gate));
    let other = "amzn1.alexa.automation.OTHER".into();
    for (id, expected) in [(None, true), (Some(&other), false), (None, true)] {
        let changes: Vec<_> = id.map(|id| ("/payload/automation/id", id)).into_iter().collect();
        let text = text("E-01", &changes);
        let event = Event::decode(text.as_bytes()).unwrap();
        let (Body::Completion(completion), order, event_id) = told(&event) else { panic!() };
        let before = automations.clone();
        let told = automations.completed(&completion, order, event_id);
        assert_eq!(told.is_ok(), expected, "{told:?}");
        assert!(expected || automations == before);
    }
}
