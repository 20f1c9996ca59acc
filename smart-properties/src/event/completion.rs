//! How an automation ended: the one payload that is documented (specification section 2.3).

use alloc::{borrow::Cow, format, string::String, vec::Vec};
use core::fmt;

use super::{ErrorType, Event, Status};
use crate::{
    AnyId, JsonType,
    extract::{Extracted, extract, pointers},
    id::{Automation, Unit},
    json::{Malformed, Value, elements, members},
};

/// What belongs to [`EventKind::Completion`](super::EventKind::Completion).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Completion<'a> {
    /// Which automation. There is no identifier of the run.
    pub automation: Extracted<'a, Automation>,
    /// The unit that it ran in.
    pub unit: Extracted<'a, Unit>,
    /// `status` of the result; none where it is absent or not a string.
    pub status: Option<Status<'a>>,
    /// `errors` of the result, at most 1,024 of them.
    pub errors: Vec<AutomationError<'a>>,
    /// Where the result is not as documented, if it is not: JSON Pointer to the first member of a wrong type, or that
    /// is there twice, or to the error that is one too many. Never take it for a success then.
    pub irregular: Option<Cow<'static, str>>,
}

/// One of the errors of an automation. `Debug` shows the length of its message only.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AutomationError<'a> {
    /// `type`.
    pub error_type: Option<ErrorType<'a>>,
    /// `message`: for people.
    pub message: Option<Cow<'a, str>>,
    /// `id`: what it is about, in the sample a device.
    pub id: Option<AnyId<'a>>,
}

impl AutomationError<'_> {
    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> AutomationError<'static> {
        AutomationError {
            error_type: self.error_type.map(ErrorType::into_owned),
            message: self.message.map(|message| Cow::Owned(message.into_owned())),
            id: self.id.map(AnyId::into_owned),
        }
    }
}

impl fmt::Debug for AutomationError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AutomationError")
            .field("error_type", &self.error_type)
            .field("message_bytes", &self.message.as_ref().map(|message| message.len()))
            .field("id", &self.id)
            .finish()
    }
}

impl<'a> Completion<'a> {
    pub(super) fn of(event: &Event<'a>) -> Self {
        event.documented_completion().unwrap_or_else(|| Self::look_for(event))
    }

    fn look_for(event: &Event<'a>) -> Self {
        let mut completion = Self {
            automation: extract(event, &pointers::completion::AUTOMATION),
            unit: extract(event, &pointers::completion::UNIT),
            status: None,
            errors: Vec::new(),
            irregular: None,
        };
        completion.read_payload(event.payload());
        completion
    }

    fn read_payload(&mut self, payload: &'a str) {
        let mut is_first = true;
        let read = members(payload, |name, value| {
            if name == "result" {
                self.note_unless(is_first, || RESULT.into());
                is_first = false;
                self.read_result(value);
            }
            Ok::<_, Malformed>(())
        });
        self.note_unless(read.is_ok(), || PAYLOAD.into());
    }

    /// Of several results each adds what it has: an error in one of them is an error.
    fn read_result(&mut self, result: Value<'a>) {
        if result.json_type() != JsonType::Object {
            return self.note_unless(false, || RESULT.into());
        }
        let (mut has_status, mut has_errors) = (false, false);
        let read = members(result.raw, |name, value| {
            match &*name {
                "status" => {
                    let status = value.string();
                    self.note_unless(status.is_some() && !has_status, || STATUS.into());
                    has_status = true;
                    self.status = self.status.take().or(status.map(Status::from));
                }
                "errors" => {
                    self.note_unless(!has_errors, || ERRORS.into());
                    has_errors = true;
                    self.read_errors(value);
                }
                _ => {}
            }
            Ok::<_, Malformed>(())
        });
        self.note_unless(read.is_ok(), || RESULT.into());
    }

    fn read_errors(&mut self, errors: Value<'a>) {
        if errors.json_type() != JsonType::Array {
            return self.note_unless(false, || ERRORS.into());
        }
        let mut index = 0_usize;
        let read = elements(errors.raw, |value| {
            if self.errors.len() < MAX_ERRORS {
                let error = self.read_error(index, value);
                self.errors.push(error);
            } else {
                self.note_unless(false, || format!("{ERRORS}/{index}"));
            }
            index += 1;
            Ok::<_, Malformed>(())
        });
        self.note_unless(read.is_ok(), || ERRORS.into());
    }

    fn read_error(&mut self, index: usize, value: Value<'a>) -> AutomationError<'a> {
        let mut error = AutomationError::default();
        if value.json_type() != JsonType::Object {
            self.note_unless(false, || format!("{ERRORS}/{index}"));
            return error;
        }
        let mut seen = [false; 3];
        let read = members(value.raw, |name, value| {
            let Some(place) = ["type", "message", "id"].iter().position(|known| *known == name)
            else {
                return Ok::<_, Malformed>(());
            };
            let text = value.string();
            let is_first = seen.get_mut(place).is_some_and(|seen| !core::mem::replace(seen, true));
            self.note_unless(text.is_some() && is_first, || format!("{ERRORS}/{index}/{name}"));
            if let Some(text) = text.filter(|_| is_first) {
                match place {
                    0 => error.error_type = Some(ErrorType::from(text)),
                    1 => error.message = Some(text),
                    _ => error.id = Some(AnyId::new(text)),
                }
            }
            Ok(())
        });
        self.note_unless(read.is_ok(), || format!("{ERRORS}/{index}"));
        error
    }

    /// Notes the first place that is not as documented: what was asked for there does not hold.
    fn note_unless(&mut self, is_as_documented: bool, pointer: impl FnOnce() -> String) {
        if !is_as_documented && self.irregular.is_none() {
            self.irregular = Some(Cow::Owned(pointer()));
        }
    }
}

const PAYLOAD: &str = "/payload";
const RESULT: &str = "/payload/result";
const STATUS: &str = "/payload/result/status";
const ERRORS: &str = "/payload/result/errors";

/// Of one automation.
const MAX_ERRORS: usize = 1024;
