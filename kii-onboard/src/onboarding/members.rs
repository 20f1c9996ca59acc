//! Reads the members of a request, and collects what is wrong with them.

use alloc::vec::Vec;

use super::field::{Field, FieldFault, InvalidField};
use crate::json::Value;

pub(super) struct Members<'a> {
    body: Value<'a>,
    invalid: Vec<InvalidField>,
}

impl<'a> Members<'a> {
    pub(super) const fn new(body: Value<'a>) -> Self {
        Self { body, invalid: Vec::new() }
    }

    /// A member that must be there.
    pub(super) fn required<T: Field>(&mut self, field: &'static str) -> Option<T> {
        match self.body.members([field]) {
            [Some(value)] => self.read(field, value),
            [None] => {
                self.invalid.push(InvalidField { field, fault: FieldFault::Required });
                None
            }
        }
    }

    /// A member that may be absent, but not null.
    pub(super) fn optional<T: Field>(&mut self, field: &'static str) -> Option<T> {
        let [value] = self.body.members([field]);
        self.read(field, value?)
    }

    fn read<T: Field>(&mut self, field: &'static str, value: Value<'_>) -> Option<T> {
        match T::from_value(value) {
            Ok(read) => Some(read),
            Err(fault) => {
                self.invalid.push(InvalidField { field, fault });
                None
            }
        }
    }

    /// What was read, or all that is wrong.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, Vec<InvalidField>> {
        match read {
            Some(read) if self.invalid.is_empty() => Ok(read),
            _ => Err(self.invalid),
        }
    }
}
