//! Policies said again, in no hurry: specification section 8 over a `serde_json::Value`.

use serde_json::{Value, json};

/// What a check comes to, whatever the doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    Yes,
    No,
    Unclear,
}

impl Grant {
    pub(crate) fn of(grant: smart_properties::policy::Grant) -> Self {
        match grant {
            smart_properties::policy::Grant::Yes => Self::Yes,
            smart_properties::policy::Grant::No => Self::No,
            _ => Self::Unclear,
        }
    }
}

/// Our statement for a topic.
pub(crate) fn ours(topic: &str) -> Value {
    json!({
        "Sid": "grant-alexa-event-sns-publish", "Effect": "Allow",
        "Principal": {"AWS": [ROLE]}, "Action": "sns:Publish", "Resource": topic,
    })
}

/// None when it cannot be read. A `Value` has forgotten which names came twice: what is read here may still be refused
/// for that.
pub(crate) fn check(policy: &str, topic: &str) -> Option<Grant> {
    let statements = statements(&read(policy)?)?;
    let about = |statement: &Value| {
        let object = statement.as_object().unwrap();
        let mut parts = vec![
            object.get("Principal").map_or(Some(None), principal),
            any(object.get("Action"), &|action| {
                name(&action.to_ascii_lowercase(), "sns:publish", &["*", "sns:*", "sns:publish"])
            }),
            any(object.get("Resource"), &|resource| name(resource, topic, &["*", topic])),
        ];
        let known = ["Sid", "Effect", "Principal", "Action", "Resource"];
        if object.keys().any(|name| !known.contains(&name.as_str())) {
            parts.push(Some(None));
        }
        all(parts)
    };
    let mut unclear = false;
    let mut allowed = false;
    for statement in &statements {
        match (statement.get("Effect").and_then(Value::as_str), about(statement)) {
            (_, None) => {}
            (Some("Allow"), Some(Some(()))) => allowed = true,
            (Some("Allow"), Some(None)) => unclear = true,
            _ => return Some(Grant::Unclear),
        }
    }
    Some(if allowed {
        Grant::Yes
    } else if unclear {
        Grant::Unclear
    } else {
        Grant::No
    })
}

/// What merging makes of a policy, and whether that is another one; none when it is refused.
pub(crate) fn merge(policy: &str, topic: &str) -> Option<(Value, bool)> {
    let mut policy = read(policy)?;
    let mut statements = statements(&policy)?;
    let ours = ours(topic);
    let theirs = statements.iter().enumerate().filter(|(_, one)| one["Sid"] == ours["Sid"]);
    let theirs: Vec<usize> = theirs.map(|(index, _)| index).collect();
    match theirs[..] {
        [] => statements.push(ours),
        [index] if same(&statements[index], &ours) => return Some((policy, false)),
        [index] => statements[index] = ours,
        _ => return None,
    }
    let member = &mut policy["Statement"];
    // One statement stays an object when it is the one replaced.
    *member = match member {
        Value::Object(_) if statements.len() == 1 => statements.remove(0),
        _ => statements.into(),
    };
    Some((policy, true))
}

/// Every statement, in order.
pub(crate) fn statements(policy: &Value) -> Option<Vec<Value>> {
    let statements = match policy.get("Statement") {
        None => Vec::new(),
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
    };
    statements.iter().all(Value::is_object).then_some(statements)
}

fn read(policy: &str) -> Option<Value> {
    let value: Value = (policy.len() <= 65_536).then(|| serde_json::from_str(policy).ok())??;
    (value.is_object() && depth(&value) <= 32).then_some(value)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(object) => 1 + object.values().map(depth).max().unwrap_or(0),
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn same(theirs: &Value, ours: &Value) -> bool {
    let list = |value: &Value| match value {
        Value::String(text) => json!([text]),
        other => other.clone(),
    };
    let normal = |statement: &Value| {
        let mut statement = statement.clone();
        let object = statement.as_object_mut().unwrap();
        for (name, value) in object.iter_mut() {
            if let (true, Some(principal)) = (name == "Principal", value.as_object_mut()) {
                principal.values_mut().for_each(|value| *value = list(value));
            }
            *value = list(value);
        }
        statement
    };
    normal(theirs) == normal(ours)
}

/// `None` is no, `Some(None)` perhaps, `Some(Some(()))` yes.
type Matched = Option<Option<()>>;

fn all(parts: Vec<Matched>) -> Matched {
    if parts.contains(&None) {
        return None;
    }
    Some(if parts.contains(&Some(None)) { None } else { Some(()) })
}

fn any(value: Option<&Value>, one: &dyn Fn(&str) -> Matched) -> Matched {
    let list = match value {
        None => return Some(None),
        Some(Value::Array(list)) => list.clone(),
        Some(value) => vec![value.clone()],
    };
    let matched = list.iter().map(|value| value.as_str().map_or(Some(None), one));
    matched.max().unwrap_or(None)
}

fn name(name: &str, text: &str, known: &[&str]) -> Matched {
    if known.contains(&name) {
        return Some(Some(()));
    }
    let prefix: String = name.chars().take_while(|c| !"*?$".contains(*c)).collect();
    (prefix != name && text.starts_with(&prefix)).then_some(None)
}

fn principal(value: &Value) -> Matched {
    let Some(object) = value.as_object() else {
        return Some((value == "*").then_some(()));
    };
    let matched = object.iter().map(|(kind, value)| match kind.as_str() {
        "AWS" => any(Some(value), &aws),
        "Service" | "Federated" | "CanonicalUser" => None,
        _ => Some(None),
    });
    matched.max().unwrap_or(None)
}

fn aws(text: &str) -> Matched {
    if text == "*" || text == ROLE {
        return Some(Some(()));
    }
    if text.contains(['*', '?', '$']) {
        return Some(None);
    }
    let digits = |text: &str| text.len() == 12 && text.chars().all(|c| c.is_ascii_digit());
    let fields: Vec<&str> = text.split(':').collect();
    let other = match fields[..] {
        [account] => digits(account) && account != ACCOUNT,
        ["arn", _, "iam" | "sts", _, account, ..] if account != ACCOUNT => digits(account),
        ["arn", _, "iam", _, ACCOUNT, who, ..] => {
            let named = who.len() > 5 || fields.len() > 6;
            named && (who.starts_with("role/") || who.starts_with("user/"))
        }
        _ => false,
    };
    (!other).then_some(None)
}

const ACCOUNT: &str = "006860194444";
const ROLE: &str = "arn:aws:iam::006860194444:role/AlexaEventConsumerSnsIamRole";
