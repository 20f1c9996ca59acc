//! Identifiers in events whose members are not documented (specification section 2.5).

pub(crate) mod pointers;

use alloc::{
    borrow::Cow,
    string::{String, ToString as _},
    vec::Vec,
};

use pointers::Pointers;

use crate::{
    Event, Id, IdType, JsonType,
    id::IdKind,
    json::{Malformed, Value, elements, members},
};

/// An identifier out of an event, and how sure it is that it is the one that was looked for.
///
/// A `pointer` is a JSON Pointer (RFC 6901) into the whole event. A place where the documentation puts it counts before
/// any other, then the places where it probably stands: if they name different things, it is ambiguous. Then, if it is
/// the only one of its kind in the event, it is taken from wherever it is.
///
/// ```
/// use smart_properties::{Body, Event, Extracted, Harvest};
///
/// let event = Event::decode(
///     br#"{"header":{"version":"2.0","eventId":{"id":"a-1"},
///         "eventType":{"namespace":"Alexa.Enterprise.Subscription","name":"Activation"}},
///         "payload":{"subject":{"ref":"amzn1.alexa.unit.did.ROOM402"}}}"#,
/// )?;
/// let Body::Activation(activation) = event.body() else { unreachable!() };
/// assert!(matches!(&activation.unit, Extracted::Harvested { pointer, .. } if pointer == "/payload/subject/ref"));
/// assert!(activation.unit.accept(Harvest::Refuse).is_err());
/// assert_eq!(activation.unit.accept(Harvest::Accept)?.as_str(), "amzn1.alexa.unit.did.ROOM402");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Extracted<'a, K> {
    /// It stands where the documentation says.
    Known(Id<'a, K>),
    /// It stands where it probably would, and is of the right kind.
    Inferred {
        /// What was found.
        id: Id<'a, K>,
        /// Where.
        pointer: Cow<'static, str>,
    },
    /// It stands in a place that says nothing, but is the only one of its kind in the event.
    Harvested {
        /// What was found.
        id: Id<'a, K>,
        /// Where.
        pointer: Cow<'static, str>,
    },
    /// There are several, and nothing says which one it is: those found, in the order of the event, at most 16.
    Ambiguous(Vec<(Cow<'static, str>, Id<'a, K>)>),
    /// There is none.
    Missing,
}

/// Whether an identifier is taken that is merely the only one of its kind in an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it is yes or no")]
pub enum Harvest {
    /// It is refused, the default.
    #[default]
    Refuse,
    /// It is taken.
    Accept,
}

/// Why an event's identifier is not good enough to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IdRefused {
    /// There is none of this kind.
    #[error("the event has no ID of a {kind}")]
    Missing {
        /// What was looked for.
        kind: IdType,
    },
    /// There are several.
    #[error("the event has {found} IDs of a {kind}, and nothing says which one is meant")]
    Ambiguous {
        /// What was looked for.
        kind: IdType,
        /// How many were found, at most 16.
        found: usize,
    },
    /// It stands in a place that says nothing: [`Harvest::Accept`] takes it.
    #[error("the event has the ID of a {kind} in a place that is not known: accept harvested IDs")]
    Harvested {
        /// What was looked for.
        kind: IdType,
    },
}

impl<'a, K: IdKind> Extracted<'a, K> {
    /// The identifier, if it is good enough to act on.
    ///
    /// # Errors
    /// Says why it is not.
    pub fn accept(&self, harvest: Harvest) -> Result<&Id<'a, K>, IdRefused> {
        let kind = K::TYPE;
        match (self, harvest) {
            (Self::Known(id) | Self::Inferred { id, .. }, _)
            | (Self::Harvested { id, .. }, Harvest::Accept) => Ok(id),
            (Self::Harvested { .. }, Harvest::Refuse) => Err(IdRefused::Harvested { kind }),
            (Self::Ambiguous(found), _) => Err(IdRefused::Ambiguous { kind, found: found.len() }),
            (Self::Missing, _) => Err(IdRefused::Missing { kind }),
        }
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Extracted<'static, K> {
        match self {
            Self::Known(id) => Extracted::Known(id.into_owned()),
            Self::Inferred { id, pointer } => Extracted::Inferred { id: id.into_owned(), pointer },
            Self::Harvested { id, pointer } => {
                Extracted::Harvested { id: id.into_owned(), pointer }
            }
            Self::Ambiguous(found) => {
                let owned = found.into_iter().map(|(pointer, id)| (pointer, id.into_owned()));
                Extracted::Ambiguous(owned.collect())
            }
            Self::Missing => Extracted::Missing,
        }
    }
}

/// What stands at the pointers of a table, or else is the only one of its kind.
pub(crate) fn extract<'a, K: IdKind>(event: &Event<'a>, table: &Pointers) -> Extracted<'a, K> {
    let mut found = Found::default();
    for pointer in table.documented {
        found.look(event, pointer);
    }
    if let Some(known) = found.decide(|id, _| Extracted::Known(id)) {
        return known;
    }
    let mut found = Found::default();
    for pointer in table.candidates {
        found.look(event, pointer);
    }
    if let Some(inferred) = found.decide(|id, pointer| Extracted::Inferred { id, pointer }) {
        return inferred;
    }
    if !table.harvest {
        return Extracted::Missing;
    }
    let mut found = Found { places: Vec::new(), elsewhere: table.elsewhere };
    match found.harvest(whole(event), &mut String::new()) {
        Ok(()) | Err(Stop::Full) => found
            .decide(|id, pointer| Extracted::Harvested { id, pointer })
            .unwrap_or(Extracted::Missing),
        Err(Stop::Unpaired) => Extracted::Missing,
    }
}

/// The values at a pointer: several, where a name is in an object twice.
pub(crate) fn values_at<'a>(event: &Event<'a>, pointer: &str) -> Vec<Value<'a>> {
    let mut values = Vec::new();
    match below(whole(event), pointer, &mut |value| values.push(value)) {
        Ok(()) => values,
        Err(Malformed { .. }) => Vec::new(),
    }
}

/// Different identifiers of one kind and where they stood, each at its first place.
struct Found<'a, K> {
    places: Vec<(Cow<'static, str>, Id<'a, K>)>,
    /// What stands at these pointers names something else.
    elsewhere: &'static [&'static str],
}

/// Why a harvest ended early.
enum Stop {
    /// There are so many that it makes no difference.
    Full,
    /// A name that is no text, behind which nothing can be found.
    Unpaired,
}

impl<K> Default for Found<'_, K> {
    fn default() -> Self {
        Self { places: Vec::new(), elsewhere: &[] }
    }
}

impl<'a, K: IdKind> Found<'a, K> {
    fn look(&mut self, event: &Event<'a>, pointer: &'static str) {
        for value in values_at(event, pointer) {
            self.add(value, || Cow::Borrowed(pointer));
        }
    }

    fn add(&mut self, value: Value<'a>, pointer: impl FnOnce() -> Cow<'static, str>) {
        let Some(id) = value.string().and_then(|text| Id::new(text).ok()) else { return };
        if self.places.len() < MAX_PLACES && self.places.iter().all(|(_, known)| *known != id) {
            self.places.push((pointer(), id));
        }
    }

    /// One is what `only` makes of it, several are ambiguous.
    fn decide(
        mut self,
        only: impl FnOnce(Id<'a, K>, Cow<'static, str>) -> Extracted<'a, K>,
    ) -> Option<Extracted<'a, K>> {
        if self.places.len() > 1 {
            return Some(Extracted::Ambiguous(self.places));
        }
        self.places.pop().map(|(pointer, id)| only(id, pointer))
    }

    /// Goes through a value in the order of the text. It is no deeper than events are.
    fn harvest(&mut self, value: Value<'a>, pointer: &mut String) -> Result<(), Stop> {
        // An escape may hide it.
        if !value.raw.contains(K::TYPE.prefix()) && !value.raw.contains('\\') {
            return Ok(());
        }
        let here = pointer.len();
        let mut index = 0_usize;
        match value.json_type() {
            JsonType::Object => members(value.raw, |name, value| {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                self.harvest(value, pointer)?;
                pointer.truncate(here);
                Ok(())
            }),
            JsonType::Array => elements(value.raw, |value| {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                index += 1;
                self.harvest(value, pointer)?;
                pointer.truncate(here);
                Ok(())
            }),
            _ => {
                if !self.elsewhere.contains(&&**pointer) {
                    self.add(value, || Cow::Owned(pointer.clone()));
                }
                if self.places.len() < MAX_PLACES { Ok(()) } else { Err(Stop::Full) }
            }
        }
    }
}

impl From<Malformed> for Stop {
    /// The event as a whole is well-formed, so it can be nothing else.
    fn from(_: Malformed) -> Self {
        Self::Unpaired
    }
}

/// The event without the space that may be around it.
fn whole<'a>(event: &Event<'a>) -> Value<'a> {
    Value { raw: event.as_str().trim_ascii() }
}

/// Calls `each` with every value at a pointer.
fn below<'a>(
    value: Value<'a>,
    pointer: &str,
    each: &mut impl FnMut(Value<'a>),
) -> Result<(), Malformed> {
    let Some(pointer) = pointer.strip_prefix('/') else {
        each(value);
        return Ok(());
    };
    let (name, rest) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
    match value.json_type() {
        JsonType::Object => {
            members(
                value.raw,
                |found, value| {
                    if found == name { below(value, rest, each) } else { Ok(()) }
                },
            )
        }
        JsonType::Array => {
            let Ok(wanted) = name.parse::<usize>() else { return Ok(()) };
            let mut index = 0;
            elements(value.raw, |value| {
                index += 1;
                if index == wanted + 1 { below(value, rest, each) } else { Ok(()) }
            })
        }
        _ => Ok(()),
    }
}

const MAX_PLACES: usize = 16;
