//! The vectors P-01 to P-12 of specification section 13.9.

#[path = "naive/policy.rs"]
mod naive;

use serde_json::Value;
use smart_properties::{
    TopicArn,
    policy::{AlexaStatement, Change, Grant, PolicyError, Reason},
};

#[test]
fn every_policy_vector_holds() {
    let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events").unwrap();
    let statement = AlexaStatement::new(&topic).unwrap();
    let mut ids = Vec::new();
    for line in include_str!("vectors/policy.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        println!("{id}");
        let policy = vector["policy"].as_str().unwrap();
        match vector["op"].as_str().unwrap() {
            "merge" => {
                let merged = statement.merge(vector["existing"].as_str()).unwrap();
                assert_eq!(merged.policy, policy);
                if let Some(existing) = vector["existing"].as_str() {
                    let expected = (serde_json::from_str(policy).unwrap(), existing != policy);
                    assert_eq!(naive::merge(existing, topic.as_str()), Some(expected));
                }
                let change = match merged.change {
                    Change::Added => "Added",
                    Change::Unchanged => "Unchanged",
                    Change::Replaced => "Replaced",
                    other => panic!("{other:?}"),
                };
                assert_eq!(vector["change"], change);
            }
            "check" => {
                let grant = statement.check(policy).unwrap();
                assert_eq!(naive::Grant::of(grant), naive::check(policy, topic.as_str()).unwrap());
                match grant {
                    Grant::Yes => assert_eq!(vector["grant"], "Yes"),
                    Grant::No => assert_eq!(vector["grant"], "No"),
                    Grant::Unclear(doubt) => {
                        assert_eq!(vector["grant"], "Unclear");
                        assert_eq!(vector["statement"], doubt.statement);
                        let reason = match doubt.reason {
                            Reason::Deny => "Deny",
                            Reason::Condition => "Condition",
                            Reason::Principal => "Principal",
                            other => panic!("{other:?}"),
                        };
                        assert_eq!(vector["reason"], reason);
                    }
                    other => panic!("{other:?}"),
                }
            }
            "refuse" => {
                assert_eq!(statement.check(policy), Err(PolicyError::NotAnObject));
                assert_eq!(statement.merge(Some(policy)), Err(PolicyError::NotAnObject));
            }
            other => panic!("no operation {other}"),
        }
        if ids.last().is_none_or(|last| last != id) {
            ids.push(id.to_owned());
        }
    }
    let all: Vec<String> = (1..=12).map(|number| format!("P-{number:02}")).collect();
    assert_eq!(ids, all);
}
