//! Any text as the policy of a topic, merged with and checked, against a naive reading through `serde_json::Value`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use smart_properties::{
    TopicArn,
    policy::{AlexaStatement, Change, Grant, PolicyError},
};

#[path = "../../smart-properties/tests/naive/policy.rs"]
mod naive;

fuzz_target!(|policy: &str| {
    let topic = TopicArn::new(TOPIC).expect("a topic");
    let ours = AlexaStatement::new(&topic).expect("a topic that Alexa publishes to");
    let checked = ours.check(policy);
    let merged = ours.merge(Some(policy));
    agrees(policy, &checked, naive::check(policy, TOPIC).filter(|_| plain(policy)));
    match &merged {
        Ok(merged) => {
            assert!(checked.is_ok(), "{checked:?}");
            let again = ours.merge(Some(&merged.policy)).expect("what came out");
            assert_eq!((again.change, &again.policy), (Change::Unchanged, &merged.policy));
            keeps_the_rest(policy, &merged.policy, merged.change, &ours);
            is_granted(&merged.policy, &ours);
            if plain(policy) {
                let (expected, changed) = naive::merge(policy, TOPIC).expect("it was merged");
                assert_eq!(serde_json::from_str::<Value>(&merged.policy).ok(), Some(expected));
                assert_eq!(merged.change != Change::Unchanged, changed);
            }
        }
        Err(PolicyError::RepeatedSid { count, .. }) => assert!(*count > 1 && checked.is_ok()),
        // A policy that only just fits has no room for more.
        Err(PolicyError::TooLong { .. }) if checked.is_ok() => assert!(policy.len() > 64_000),
        Err(error) => assert_eq!(checked.as_ref(), Err(error)),
    }
    if let Err(error) = merged {
        let printed = error.to_string();
        assert!((1..1_000).contains(&printed.len()), "{} bytes", printed.len());
        assert!(!printed.contains(char::is_control), "{printed:?}");
    }
});

/// Whether a `Value` says what the text does: not with half of a surrogate pair, nor with one of the names through which
/// serde_json passes numbers and raw values.
fn plain(policy: &str) -> bool {
    let escaped = policy.to_ascii_lowercase();
    !escaped.contains(r"\ud")
        && !policy.contains("$serde_json::private")
        && !escaped.contains(r"\u0024")
}

fn agrees(policy: &str, checked: &Result<Grant, PolicyError>, expected: Option<naive::Grant>) {
    match (checked, expected) {
        (Ok(grant), Some(expected)) => assert_eq!(naive::Grant::of(*grant), expected),
        (Ok(_), None) => assert!(!plain(policy), "a Value refuses it"),
        // All that a `Value` cannot tell is that a name came twice; escaped it may not look the same.
        (Err(PolicyError::DuplicateMember { name }), _) => {
            assert!(policy.contains('\\') || policy.matches(name.as_str()).count() > 1, "{name:?}");
        }
        (Err(error), expected) => assert_eq!(expected, None, "{error}"),
    }
}

/// What was there is still there, but for a statement that had our name.
fn keeps_the_rest(policy: &str, merged: &str, change: Change, ours: &AlexaStatement) {
    let new = ours.to_json();
    match change {
        Change::Unchanged => assert_eq!(policy, merged),
        Change::Added => {
            let mut rest = merged.bytes();
            assert!(policy.bytes().all(|one| rest.any(|other| other == one)), "{merged}");
            assert!(merged.len() <= policy.len() + new.len() + r#","Statement":[]"#.len());
        }
        _ => {
            let at = merged.match_indices(&new).find(|(at, _)| {
                let behind = merged.len() - at - new.len();
                policy.starts_with(&merged[..*at])
                    && policy.ends_with(&merged[merged.len() - behind..])
            });
            assert!(at.is_some(), "{merged}");
        }
    }
}

fn is_granted(merged: &str, ours: &AlexaStatement) {
    match ours.check(merged).expect("what came out") {
        Grant::Yes => {}
        Grant::No => panic!("our own statement does not count in {merged}"),
        // Without ours it is a statement of someone else that leaves it open.
        _ => assert!(merged.matches('{').count() > 3, "{merged}"),
    }
}

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:asp-events";
