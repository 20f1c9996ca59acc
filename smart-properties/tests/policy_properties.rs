//! Policies against a naive reading over `serde_json::Value`, and that merging leaves everything else as it is written.

#[path = "naive/policy.rs"]
mod naive;

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use smart_properties::{
    TopicArn,
    policy::{AlexaStatement, Change, Grant, PolicyError, QueueArn, QueueStatement, Reason},
};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:asp-events";

fn statement() -> AlexaStatement {
    AlexaStatement::new(&TopicArn::new(TOPIC).unwrap()).unwrap()
}

fn one_or_list(texts: &'static [&'static str]) -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        8 => select(texts).prop_map(Value::from),
        4 => vec(select(texts), 0..3).prop_map(Value::from),
        1 => prop_oneof![Just(Value::Null), Just(json!(7)), Just(json!([["*"]])), Just(json!({}))],
    ]
}

fn principal() -> impl Strategy<Value = Value> {
    let aws = one_or_list(&[
        AlexaStatement::PRINCIPAL,
        "*",
        "006860194444",
        "123456789012",
        "arn:aws:iam::006860194444:root",
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::006860194444:role/Other",
        "arn:aws:iam::006860194444:role/",
        "arn:aws:iam::006860194444:user/u",
        "arn:aws:iam::006860194444:role/Alexa*",
        "arn:aws:sts::006860194444:assumed-role/AlexaEventConsumerSnsIamRole/s",
        "arn:aws:sts::123456789012:assumed-role/r/s",
        "AROAEXAMPLE",
        "",
    ]);
    prop_oneof![
        6 => aws.clone().prop_map(|aws| json!({"AWS": aws})),
        2 => one_or_list(&["*", "x"]),
        1 => Just(json!({"Service": "sns.amazonaws.com"})),
        1 => aws.clone().prop_map(|aws| json!({"Service": "s.example", "AWS": aws})),
        1 => aws.prop_map(|aws| json!({"Other": aws})),
    ]
}

/// A statement of the members that count, some of them absent.
fn any_statement() -> impl Strategy<Value = Value> {
    let effect = prop_oneof![
        6 => Just(json!("Allow")),
        2 => Just(json!("Deny")),
        1 => select(&["allow", ""][..]).prop_map(Value::from),
        1 => Just(json!(1)),
    ];
    let action = one_or_list(&[
        "sns:Publish",
        "SNS:PUBLISH",
        "sns:*",
        "SNS:*",
        "*",
        "sns:Subscribe",
        "sns:P*",
        "sns:Get*",
        "s?s:Publish",
        "sqs:*",
        "sns:Publish*",
        "sns:publish?",
        "",
    ]);
    let resource = one_or_list(&[
        TOPIC,
        "*",
        "arn:aws:sns:us-east-1:123456789012:other",
        "arn:aws:sns:us-east-1:123456789012:*",
        "arn:aws:sns:us-east-1:123456789012:asp-events*",
        "arn:aws:sns:us-east-1:${aws:PrincipalAccount}:asp-events",
        "arn:aws:sqs:*",
        "ARN:AWS:SNS:US-EAST-1:123456789012:ASP-EVENTS",
    ]);
    let rest = prop_oneof![
        9 => Just(None),
        1 => select(&["Condition", "NotPrincipal", "NotAction", "NotResource", "action", "Extra"][..]).prop_map(Some),
    ];
    let sid = option::of(select(&["d1", "d2", AlexaStatement::SID, "grant-alexa"][..]));
    let members = (
        option::weighted(0.95, effect),
        option::weighted(0.95, principal()),
        option::weighted(0.95, action),
        option::weighted(0.95, resource),
    );
    (sid, members, rest).prop_map(|(sid, (effect, principal, action, resource), rest)| {
        let mut statement = json!({});
        let members = [
            ("Sid", sid.map(Value::from)),
            ("Effect", effect),
            ("Principal", principal),
            ("Action", action),
            ("Resource", resource),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                statement[name] = value;
            }
        }
        if let Some(rest) = rest {
            statement[rest] = json!({});
        }
        statement
    })
}

/// Ours as it is, as it may come back, and as it should not be.
fn our_statement() -> impl Strategy<Value = Value> {
    let ours = naive::ours(TOPIC);
    let mut returned = ours.clone();
    returned["Principal"]["AWS"] = AlexaStatement::PRINCIPAL.into();
    returned["Action"] = json!(["sns:Publish"]);
    let mut other = ours.clone();
    other["Resource"] = "arn:aws:sns:us-east-1:123456789012:other".into();
    let mut denied = ours.clone();
    denied["Effect"] = "Deny".into();
    select(vec![ours, returned, other, denied])
}

fn space() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,3}"
}

/// A statement as someone may have written it: any order of members, any space, escapes where none are needed.
fn written(statement: Value) -> impl Strategy<Value = String> {
    let members: Vec<(String, Value)> =
        statement.as_object().unwrap().clone().into_iter().collect();
    (Just(members).prop_shuffle(), space(), space(), any::<bool>()).prop_map(
        |(members, before, behind, escape)| {
            let members = members.iter().map(|(name, value)| {
                let mut name = Value::from(name.as_str()).to_string();
                if escape {
                    name = name.replace('S', r"\u0053");
                }
                format!("{before}{name}{behind}:{before}{value}{behind}")
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        },
    )
}

/// A policy as text, and the texts of its statements.
fn policy() -> impl Strategy<Value = (String, Vec<String>)> {
    let other = any_statement().prop_filter("ours", |one| one["Sid"] != AlexaStatement::SID);
    let others = vec(other.prop_flat_map(written), 0..4);
    let ours = option::of((our_statement().prop_flat_map(written), 0..4_usize));
    let head =
        select(&[r#""Version":"2008-10-17""#, r#""Id" : "d" ,"Version":"2012-10-17""#, ""][..]);
    let shape = (head, any::<[bool; 3]>(), space());
    (others, ours, shape).prop_map(|(mut statements, ours, (head, shape, space))| {
        let [absent, single, first] = shape;
        if let Some((ours, at)) = ours {
            statements.insert(at.min(statements.len()), ours);
        }
        let list = statements.join(&format!("{space},"));
        let member = match statements.len() {
            0 if absent => String::new(),
            1 if single => format!(r#""Statement"{space}:{list}"#),
            _ => format!(r#""Statement":{space}[{list}{space}]"#),
        };
        let members = if first { [&*member, head] } else { [head, &member] };
        let members = members.into_iter().filter(|member| !member.is_empty());
        let members = members.collect::<Vec<_>>().join(&format!(",{space}"));
        (format!("{space}{{{space}{members}{space}}}{space}"), statements)
    })
}

proptest! {
    #[test]
    fn merging_keeps_what_is_not_ours_and_is_done_once((policy, statements) in policy()) {
        let ours = statement();
        let merged = ours.merge(Some(&policy)).unwrap();
        let (expected, changed) = naive::merge(&policy, TOPIC).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&merged.policy).unwrap(), expected);
        prop_assert_eq!(merged.change != Change::Unchanged, changed);

        let again = ours.merge(Some(&merged.policy)).unwrap();
        prop_assert_eq!((&again.policy, again.change), (&merged.policy, Change::Unchanged));

        // Nothing but our statement is new, and all that is gone is one that had its place.
        let new = ours.to_json();
        let sid = |text: &String| serde_json::from_str::<Value>(text).unwrap()["Sid"] == AlexaStatement::SID;
        let theirs: Vec<&String> = statements.iter().filter(|text| !sid(text)).collect();
        let mut rest = merged.policy.as_str();
        for text in &theirs {
            let at = rest.find(text.as_str());
            prop_assert!(at.is_some(), "{text} is gone from {}", merged.policy);
            rest = &rest[at.unwrap() + text.len()..];
        }
        match merged.change {
            Change::Unchanged => prop_assert_eq!(&merged.policy, &policy),
            Change::Replaced => {
                let old = statements.iter().find(|text| sid(text)).unwrap();
                prop_assert_eq!(policy.replacen(old.as_str(), &new, 1), merged.policy);
            }
            _ => {
                // Nothing goes, and all that comes is our statement and what holds it.
                let mut rest = merged.policy.chars();
                prop_assert!(policy.chars().all(|one| rest.any(|other| other == one)));
                let holder = r#","Statement":[]"#.len();
                prop_assert!(merged.policy.len() <= policy.len() + new.len() + holder);
            }
        }
    }

    #[test]
    fn what_is_merged_is_granted_unless_something_denies((policy, statements) in policy()) {
        let ours = statement();
        let merged = ours.merge(Some(&policy)).unwrap();
        let others = statements.iter().map(|text| serde_json::from_str::<Value>(text).unwrap());
        let mut others = others.filter(|one| one["Sid"] != AlexaStatement::SID);
        let grant = ours.check(&merged.policy).unwrap();
        if others.all(|one| one["Effect"] == "Allow") {
            prop_assert_eq!(grant, Grant::Yes);
        } else {
            prop_assert_ne!(grant, Grant::No);
        }
    }

    #[test]
    fn a_check_is_what_the_naive_reading_finds(statements in vec(any_statement(), 0..4)) {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let grant = Grant::clone(&statement().check(&policy).unwrap());
        prop_assert_eq!(naive::Grant::of(grant), naive::check(&policy, TOPIC).unwrap(), "{}", policy);
    }

    #[test]
    fn no_text_is_too_strange(text in r#"[ \[\]{}:,"*SidAW\\u00531]{0,60}"#) {
        let ours = statement();
        match ours.merge(Some(&text)) {
            Ok(merged) => {
                prop_assert_eq!(ours.merge(Some(&merged.policy)).unwrap().change, Change::Unchanged);
                prop_assert!(ours.check(&text).is_ok());
            }
            Err(PolicyError::RepeatedSid { .. }) => prop_assert!(ours.check(&text).is_ok()),
            Err(error) => prop_assert_eq!(ours.check(&text), Err(error)),
        }
    }
}

#[test]
fn what_else_a_statement_says_leaves_it_open_or_not() {
    let ours = statement();
    let grant = |principal: &str, rest: &str| {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":{principal},"Action":"sns:Publish","Resource":"*"{rest}}}"#
        );
        ours.check(&format!(r#"{{"Statement":{statement}}}"#)).unwrap()
    };
    assert_eq!(grant(r#""*""#, ""), Grant::Yes);
    for kind in ["Service", "Federated", "CanonicalUser"] {
        assert_eq!(grant(&format!(r#"{{"{kind}":"*"}}"#), ""), Grant::No, "{kind}");
    }
    for rest in [r#","effect":"Deny""#, r#","condition":{}"#, r#","Version":1"#] {
        let Grant::Unclear(doubt) = grant(r#""*""#, rest) else { panic!("{rest}") };
        assert_eq!((doubt.statement, doubt.reason), (0, Reason::Malformed), "{rest}");
    }
}

/// A list of two says more than the text that is its first.
#[test]
fn another_principal_beside_ours_is_another_statement() {
    let ours = statement();
    let wider = ours.to_policy().replace(r#"IamRole"]"#, r#"IamRole","*"]"#);
    let merged = ours.merge(Some(&wider)).unwrap();
    assert_eq!((merged.policy, merged.change), (ours.to_policy(), Change::Replaced));
}

#[test]
fn limits_are_exact() {
    let ours = statement();
    let padded = |bytes: usize| {
        let policy = r#"{"Id":""}"#;
        policy.replace(r#""""#, &format!("\"{}\"", "x".repeat(bytes - policy.len())))
    };
    assert_eq!(ours.check(&padded(65_536)), Ok(Grant::No));
    let long = PolicyError::TooLong { bytes: 65_537, max: 65_536 };
    assert_eq!(ours.check(&padded(65_537)), Err(long));
    // What comes out can go in again.
    let longest = 65_536 - r#","Statement":[]"#.len() - ours.to_json().len();
    let merged = ours.merge(Some(&padded(longest))).unwrap();
    assert_eq!(merged.policy.len(), 65_536);
    let too_long = ours.merge(Some(&padded(longest + 1)));
    assert!(matches!(too_long, Err(PolicyError::TooLong { bytes: 65_537, .. })), "{too_long:?}");

    let deep = |lists: usize| format!(r#"{{"Id":{}{}}}"#, "[".repeat(lists), "]".repeat(lists));
    assert_eq!(ours.check(&deep(31)), Ok(Grant::No));
    assert_eq!(ours.check(&deep(32)), Err(PolicyError::TooDeep { max: 32 }));
    assert_eq!(ours.check(&deep(32_000)), Err(PolicyError::TooDeep { max: 32 }));
}

#[test]
fn what_has_two_readings_is_refused() {
    let ours = statement();
    let both = |policy: &str| {
        let error = ours.check(policy).unwrap_err();
        assert_eq!(ours.merge(Some(policy)), Err(error.clone()));
        error
    };
    let twice = |name: &str| PolicyError::DuplicateMember { name: name.into() };
    assert_eq!(both(r#"{"Statement":[],"Statement":[]}"#), twice("Statement"));
    assert_eq!(both(r#"{"Statement":[],"\u0053tatement":[]}"#), twice("Statement"));
    assert_eq!(both(r#"{"Statement":[{"Condition":{"a":{"b":1,"b":2}}}]}"#), twice("b"));
    assert_eq!(both(r#"{"Id":[{"x":1,"x":1}]}"#), twice("x"));
    assert!(matches!(both(r#"{"Statement":null}"#), PolicyError::WrongType { .. }));
    assert!(matches!(both(r#"{"Statement":[[]]}"#), PolicyError::WrongType { .. }));
    assert!(matches!(both(r#"{"Statement":"#), PolicyError::Malformed { .. }));
    assert!(matches!(both(r#"{"Statement":[]} x"#), PolicyError::Malformed { .. }));
    assert_eq!(both("\u{feff}{}"), PolicyError::NotAnObject);
    assert_eq!(both(""), PolicyError::NotAnObject);

    // It can be checked, but which of the two is ours to replace nobody knows.
    let one = ours.to_json();
    let repeated = format!(r#"{{"Statement":[{one},{one}]}}"#);
    assert_eq!(ours.check(&repeated), Ok(Grant::Yes));
    let sid = AlexaStatement::SID.into();
    assert_eq!(ours.merge(Some(&repeated)), Err(PolicyError::RepeatedSid { sid, count: 2 }));
}

#[test]
fn a_policy_without_statements_gets_one() {
    let ours = statement();
    let one = ours.to_json();
    let merge = |policy: &str| ours.merge(Some(policy)).unwrap().policy;
    assert_eq!(merge("{}"), format!(r#"{{"Statement":[{one}]}}"#));
    assert_eq!(merge("{ }\n"), format!("{{\"Statement\":[{one}] }}\n"));
    let spaced = format!("{{ \"Id\" : \"d\",\"Statement\":[{one}] }}");
    assert_eq!(merge("{ \"Id\" : \"d\" }"), spaced);
    assert_eq!(merge(r#"{"Statement": [ ] }"#), format!(r#"{{"Statement": [ {one}] }}"#));
    let replaced = r#"{"Statement":{"Sid":"grant-alexa-event-sns-publish"}}"#;
    assert_eq!(merge(replaced), format!(r#"{{"Statement":{one}}}"#));
}

#[test]
fn each_topic_of_a_queue_has_a_statement_of_its_own() {
    let queue = QueueArn::new("arn:aws:sqs:eu-west-1:123456789012:q.fifo").unwrap();
    let topic =
        |name: &str| TopicArn::new(format!("arn:aws:sns:us-east-1:123456789012:{name}")).unwrap();
    let (a, b) =
        (QueueStatement::new(&topic("a"), &queue), QueueStatement::new(&topic("b"), &queue));
    let merged = a.merge(None).unwrap();
    assert_eq!(merged.policy, a.to_policy());
    let merged = b.merge(Some(&merged.policy)).unwrap();
    assert_eq!(merged.change, Change::Added);
    assert_eq!(a.merge(Some(&merged.policy)).unwrap().change, Change::Unchanged);
    for arn in [
        "",
        "arn:aws:sqs:eu-west-1:1:q",
        "arn:aws:sqs:eu-west-1:123456789012:",
        "arn:aws:sqs:x:123456789012:q",
    ] {
        assert!(QueueArn::new(arn).is_err(), "{arn}");
    }
    let longest = format!("arn:aws:sqs:eu-west-1:123456789012:{}", "q".repeat(80));
    assert!(QueueArn::new(&*longest).is_ok());
    assert!(QueueArn::new(longest + "q").is_err());
}
