//! Whether a policy lets Alexa publish.

use super::{AlexaStatement, PolicyError, document::Document};
use crate::{
    TopicArn,
    json::{JsonType, Value, elements, members},
};

/// What a policy says about Alexa publishing to a topic.
///
/// AWS decides by more than this policy; this reads what is plain, and says so where it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grant {
    /// A statement allows it without conditions, and none could deny it.
    Yes,
    /// No statement could allow it.
    No,
    /// A person has to look at it.
    Unclear(Doubt),
}

/// The first statement that leaves open whether Alexa may publish: one that could deny it goes before those that could
/// allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Doubt {
    /// Which statement, counted from 0.
    pub statement: usize,
    /// What about it.
    pub reason: Reason,
}

/// What leaves a statement open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It denies, and could be about this.
    Deny,
    /// It has a `Condition`.
    Condition,
    /// It has a `NotPrincipal`, `NotAction` or `NotResource`.
    Inverted,
    /// It names the whole account, a session, or an ID instead of the role.
    Principal,
    /// A wildcard or a variable stands inside a name.
    Wildcard,
    /// A member is absent, has a type that it cannot have, or is not known.
    Malformed,
}

pub(super) fn check(policy: &str, topic: &TopicArn) -> Result<Grant, PolicyError> {
    let document = Document::read(policy)?;
    let (mut allowed, mut doubt) = (false, None);
    for (statement, value) in document.statements.into_iter().enumerate() {
        let read = Statement::read(value)?;
        let matched = read.matches(topic)?;
        match (read.effect, matched) {
            (_, Match::No) => {}
            (Effect::Allow, Match::Yes) => allowed = true,
            (Effect::Allow, Match::Maybe(reason)) => {
                doubt = doubt.or(Some(Doubt { statement, reason }));
            }
            (Effect::Deny, _) => {
                return Ok(Grant::Unclear(Doubt { statement, reason: Reason::Deny }));
            }
            // Only whether it could deny counts, and it could.
            (Effect::Other, _) => {
                return Ok(Grant::Unclear(Doubt { statement, reason: Reason::Malformed }));
            }
        }
    }
    Ok(match doubt {
        _ if allowed => Grant::Yes,
        Some(doubt) => Grant::Unclear(doubt),
        None => Grant::No,
    })
}

/// Whether something is about Alexa publishing to the topic.
#[derive(Clone, Copy)]
enum Match {
    Yes,
    No,
    Maybe(Reason),
}

impl Match {
    /// Both have to match.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Maybe(reason), _) | (_, Self::Maybe(reason)) => Self::Maybe(reason),
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    /// One of them has to match.
    const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Maybe(reason), _) | (_, Self::Maybe(reason)) => Self::Maybe(reason),
            (Self::No, Self::No) => Self::No,
        }
    }
}

enum Effect {
    Allow,
    Deny,
    Other,
}

struct Statement<'a> {
    effect: Effect,
    principal: Option<Value<'a>>,
    action: Option<Value<'a>>,
    resource: Option<Value<'a>>,
    /// What else stands in it.
    rest: Match,
}

impl<'a> Statement<'a> {
    fn read(value: Value<'a>) -> Result<Self, PolicyError> {
        let mut read = Self {
            effect: Effect::Other,
            principal: None,
            action: None,
            resource: None,
            rest: Match::Yes,
        };
        let mut inverted = false;
        members(value.raw, |name, value| -> Result<(), PolicyError> {
            match &*name {
                "Sid" => {}
                "Effect" => {
                    read.effect = match value.string().as_deref() {
                        Some("Allow") => Effect::Allow,
                        Some("Deny") => Effect::Deny,
                        _ => Effect::Other,
                    }
                }
                "Principal" => read.principal = Some(value),
                "Action" => read.action = Some(value),
                "Resource" => read.resource = Some(value),
                "NotPrincipal" | "NotAction" | "NotResource" => inverted = true,
                "Condition" => read.rest = read.rest.and(Match::Maybe(Reason::Condition)),
                _ => read.rest = read.rest.and(Match::Maybe(Reason::Malformed)),
            }
            Ok(())
        })?;
        if inverted {
            read.rest = Match::Maybe(Reason::Inverted);
        }
        Ok(read)
    }

    fn matches(&self, topic: &TopicArn) -> Result<Match, PolicyError> {
        let principal = match self.principal {
            Some(value) => principal(value)?,
            None => Match::Maybe(Reason::Malformed),
        };
        let action = any_of(self.action, action)?;
        let resource = any_of(self.resource, |text| resource(text, topic.as_str()))?;
        // What leaves the whole statement open explains more than a name in it.
        Ok(self.rest.and(principal).and(action).and(resource))
    }
}

/// Matches a text, or a list of which one has to match.
fn any_of(value: Option<Value<'_>>, matches: impl Fn(&str) -> Match) -> Result<Match, PolicyError> {
    let Some(value) = value else { return Ok(Match::Maybe(Reason::Malformed)) };
    let one = |value: Value<'_>| match value.string() {
        Some(text) => matches(&text),
        None => Match::Maybe(Reason::Malformed),
    };
    if value.json_type() != JsonType::Array {
        return Ok(one(value));
    }
    let mut found = Match::No;
    elements(value.raw, |value| -> Result<(), PolicyError> {
        found = found.or(one(value));
        Ok(())
    })?;
    Ok(found)
}

fn principal(value: Value<'_>) -> Result<Match, PolicyError> {
    if value.json_type() != JsonType::Object {
        return Ok(match value.string().as_deref() {
            Some(ANYTHING) => Match::Yes,
            _ => Match::Maybe(Reason::Malformed),
        });
    }
    let mut found = Match::No;
    members(value.raw, |name, value| -> Result<(), PolicyError> {
        found = found.or(match &*name {
            "AWS" => any_of(Some(value), aws_principal)?,
            // None of them is a role.
            "Service" | "Federated" | "CanonicalUser" => Match::No,
            _ => Match::Maybe(Reason::Malformed),
        });
        Ok(())
    })?;
    Ok(found)
}

fn aws_principal(text: &str) -> Match {
    if text == ANYTHING || text == AlexaStatement::PRINCIPAL {
        return Match::Yes;
    }
    if text.contains(WILD) {
        return Match::Maybe(Reason::Wildcard);
    }
    let is_account =
        |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account(text) {
        return if text == ACCOUNT { Match::Maybe(Reason::Principal) } else { Match::No };
    }
    // Whoever is named whole and is another, in the account of the role or elsewhere, is not the role. Its sessions and
    // the whole account are it, more or less.
    let mut fields = text.splitn(6, ':');
    let mut next = || fields.next().unwrap_or_default();
    let (scheme, _, service, _, account, name) = (next(), next(), next(), next(), next(), next());
    let other = |kind| name.strip_prefix(kind).is_some_and(|name: &str| !name.is_empty());
    if scheme != "arn" || !is_account(account) {
        return Match::Maybe(Reason::Principal);
    }
    match (service, account == ACCOUNT) {
        ("iam" | "sts", false) => Match::No,
        ("iam", true) if other("role/") || other("user/") => Match::No,
        _ => Match::Maybe(Reason::Principal),
    }
}

fn action(text: &str) -> Match {
    if [ANYTHING, "sns:*", ACTION].iter().any(|known| known.eq_ignore_ascii_case(text)) {
        return Match::Yes;
    }
    wild(text, ACTION, |text, prefix| {
        text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

fn resource(text: &str, topic: &str) -> Match {
    if text == ANYTHING || text == topic {
        return Match::Yes;
    }
    wild(text, topic, |text, prefix| text.starts_with(prefix))
}

/// A name with a wildcard in it could match what begins like it; another one does not.
fn wild(name: &str, text: &str, begins: impl Fn(&str, &str) -> bool) -> Match {
    match name.split_once(WILD) {
        Some((prefix, _)) if begins(text, prefix) => Match::Maybe(Reason::Wildcard),
        _ => Match::No,
    }
}

/// What stands for other text, or begins a variable.
const WILD: [char; 3] = ['*', '?', '$'];
const ANYTHING: &str = "*";
const ACTION: &str = "sns:Publish";
const ACCOUNT: &str = "006860194444";
