//! A push, read on a tree as section 13.2 says it, rule by rule.

/// A JSON value, with its members as they are written, twice if they are there twice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// Null, a boolean or a number, as it is written.
    Plain(String),
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// What a push is.
#[derive(Debug, PartialEq)]
pub(crate) enum Push {
    Nothing,
    BadCommand,
    Other,
    Command(Command),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Command {
    pub(crate) id: String,
    /// Alias (empty for plain ones), name and value.
    pub(crate) actions: Vec<(String, String, Node)>,
    pub(crate) is_trait: bool,
    pub(crate) issuer: Option<String>,
    pub(crate) schema: Option<String>,
    pub(crate) schema_version: Option<i64>,
}

pub(crate) fn read(push: &Node) -> Push {
    // Rule 1.
    let Node::Object(members) = push else { return Push::Nothing };
    let member = |wanted: &str| {
        let mut found = None;
        for (name, value) in members {
            if name == wanted {
                found = Some(value);
            }
        }
        found
    };
    // Rule 2.
    let Some(Node::Text(id)) = member("commandID") else { return Push::Other };
    let Some(Node::Array(actions)) = member("actions") else { return Push::Other };
    // Rule 3.
    let forbidden = |ch: char| "/+#".contains(ch) || ch.is_control();
    if id.is_empty() || id.contains(forbidden) || id.chars().count() > 1_024 {
        return Push::BadCommand;
    }
    // Rule 4.
    if !actions.iter().all(has_one_member) {
        return Push::BadCommand;
    }
    // Rules 5 and 6.
    let is_trait = member("schema").is_none()
        && !actions.is_empty()
        && actions.iter().all(|action| {
            let Node::Array(list) = value_of(action) else { return false };
            !list.is_empty() && list.iter().all(has_one_member)
        });
    let mut read = Vec::new();
    for action in actions {
        match (is_trait, value_of(action)) {
            (true, Node::Array(list)) => {
                for inner in list {
                    read.push((name_of(action), name_of(inner), value_of(inner).clone()));
                }
            }
            (_, value) => read.push((String::new(), name_of(action), value.clone())),
        }
    }
    let text = |name| match member(name) {
        Some(Node::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let schema_version = match member("schemaVersion") {
        Some(Node::Plain(number)) => number.parse().ok(),
        _ => None,
    };
    Push::Command(Command {
        id: id.clone(),
        actions: read,
        is_trait,
        issuer: text("issuer"),
        schema: text("schema"),
        schema_version,
    })
}

fn has_one_member(node: &Node) -> bool {
    matches!(node, Node::Object(members) if members.len() == 1)
}

fn only(node: &Node) -> &(String, Node) {
    match node {
        Node::Object(members) => &members[0],
        _ => panic!("looked at before"),
    }
}

fn name_of(node: &Node) -> String {
    only(node).0.clone()
}

fn value_of(node: &Node) -> &Node {
    &only(node).1
}
