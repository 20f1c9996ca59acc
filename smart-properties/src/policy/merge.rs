//! Adding a statement to a policy, and leaving the rest of it alone.

use alloc::{format, string::String};

use serde_json::Value as Json;

use super::{
    PolicyError,
    document::{Document, check_length, sid},
};
use crate::json::JsonType;

/// A policy with our statement in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Merged {
    /// The whole policy. All that is not our statement is as it was written, spaces included.
    pub policy: String,
    /// What is new about it.
    pub change: Change,
}

/// What merging does to a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The statement is new, at the end.
    Added,
    /// The statement is there and says the same: the policy is as it was, and there is nothing to send.
    Unchanged,
    /// A statement with our `Sid` said something else; ours stands in its place.
    Replaced,
}

pub(super) fn merge(
    existing: Option<&str>,
    our_sid: &str,
    ours: &str,
) -> Result<Merged, PolicyError> {
    let Some(policy) = existing else {
        return Ok(Merged { policy: whole(ours), change: Change::Added });
    };
    let document = Document::read(policy)?;
    let mut same_sid =
        document.statements.iter().copied().filter(|one| sid(*one).as_deref() == Some(our_sid));
    let (first, others) = (same_sid.next(), same_sid.count());
    if others > 0 {
        return Err(PolicyError::RepeatedSid { sid: our_sid.into(), count: others + 1 });
    }
    let (policy, change) = match first {
        Some(theirs) if says_the_same(theirs.raw, ours) => (policy.into(), Change::Unchanged),
        Some(theirs) => (splice(policy, theirs.raw, ours), Change::Replaced),
        None => (add(policy, &document, ours), Change::Added),
    };
    check_length(policy.len())?;
    Ok(Merged { policy, change })
}

/// The policy of a topic or queue that has none.
pub(super) fn whole(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
}

fn add(policy: &str, document: &Document<'_>, ours: &str) -> String {
    let last = document.statements.last().map(|last| last.raw);
    match (document.statement, last) {
        (Some(list), Some(last)) if list.json_type() == JsonType::Array => {
            splice(policy, last, &format!("{last},{ours}"))
        }
        (Some(one), Some(_)) => splice(policy, one.raw, &format!("[{},{ours}]", one.raw)),
        (Some(empty), None) => {
            let open = empty.raw.strip_suffix(']').unwrap_or(empty.raw);
            splice(policy, open, &format!("{open}{ours}"))
        }
        (None, _) => {
            let inside = document.object.strip_suffix('}').unwrap_or(document.object);
            let last = inside.trim_end();
            let comma = if last.ends_with('{') { "" } else { "," };
            splice(policy, last, &format!(r#"{last}{comma}"Statement":[{ours}]"#))
        }
    }
}

/// `policy` with `new` in place of `old`, which is a part of it.
fn splice(policy: &str, old: &str, new: &str) -> String {
    let start = old.as_ptr().addr() - policy.as_ptr().addr();
    let before = policy.get(..start).unwrap_or_default();
    let after = policy.get(start + old.len()..).unwrap_or_default();
    format!("{before}{new}{after}")
}

/// Whether two statements say the same: the order of members does not count, nor whether one text stands in a list.
fn says_the_same(one: &str, other: &str) -> bool {
    let plain = |text| serde_json::from_str(text).ok().map(without_lists_of_one);
    match (plain(one), plain(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

fn without_lists_of_one(mut value: Json) -> Json {
    match &mut value {
        Json::Object(object) => {
            for member in object.values_mut() {
                *member = without_lists_of_one(member.take());
            }
        }
        Json::Array(list) => {
            if let [Json::String(text)] = list.as_mut_slice() {
                return Json::String(core::mem::take(text));
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
    value
}
