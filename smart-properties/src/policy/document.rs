//! A policy as it is written, and where its statements stand in it.

use alloc::{borrow::Cow, collections::BTreeSet, vec::Vec};

use super::PolicyError;
use crate::json::{JsonType, Value, elements, members};

/// A policy that is known to be an object, not too long or deep, without any name twice in one object.
pub(super) struct Document<'a> {
    /// The object, without space around it.
    pub(super) object: &'a str,
    /// The value of the member `Statement`, if it is there.
    pub(super) statement: Option<Value<'a>>,
    /// The one object in it, or the elements of the array.
    pub(super) statements: Vec<Value<'a>>,
}

impl<'a> Document<'a> {
    pub(super) fn read(policy: &'a str) -> Result<Self, PolicyError> {
        check_length(policy.len())?;
        if !policy.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            return Err(PolicyError::NotAnObject);
        }
        let value = Value::parse(policy)?;
        check_names(value, 1)?;
        let mut statement = None;
        members(value.raw, |name, value| -> Result<(), PolicyError> {
            if name == "Statement" {
                statement = Some(value);
            }
            Ok(())
        })?;
        let mut statements = Vec::new();
        match statement {
            Some(one) if one.json_type() == JsonType::Array => {
                elements(one.raw, |element| -> Result<(), PolicyError> {
                    statements.push(element);
                    Ok(())
                })?;
            }
            one => statements.extend(one),
        }
        for statement in &statements {
            let found = statement.json_type();
            if found != JsonType::Object {
                return Err(PolicyError::WrongType { found });
            }
        }
        Ok(Self { object: value.raw, statement, statements })
    }
}

/// What a statement is called; none where `Sid` is absent or not a text.
pub(super) fn sid(statement: Value<'_>) -> Option<Cow<'_, str>> {
    crate::response::member(statement.raw, "Sid")?.string()
}

pub(super) const fn check_length(bytes: usize) -> Result<(), PolicyError> {
    if bytes > MAX_POLICY_BYTES {
        return Err(PolicyError::TooLong { bytes, max: MAX_POLICY_BYTES });
    }
    Ok(())
}

fn check_names(value: Value<'_>, depth: usize) -> Result<(), PolicyError> {
    let json_type = value.json_type();
    if !matches!(json_type, JsonType::Object | JsonType::Array) {
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(PolicyError::TooDeep { max: MAX_DEPTH });
    }
    if json_type == JsonType::Array {
        return elements(value.raw, |value| check_names(value, depth + 1));
    }
    let mut names = BTreeSet::new();
    members(value.raw, |name, value| {
        if names.contains(&name) {
            let name = name.chars().take(MAX_NAME_CHARS).collect();
            return Err(PolicyError::DuplicateMember { name });
        }
        names.insert(name);
        check_names(value, depth + 1)
    })
}

/// More than twice what AWS takes, so that a policy with much space in it still fits.
const MAX_POLICY_BYTES: usize = 64 * 1024;
const MAX_DEPTH: usize = 32;
const MAX_NAME_CHARS: usize = 64;
