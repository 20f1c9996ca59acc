//! The events of Alexa Smart Properties (specification sections 2 and 3).

mod body;
mod builder;
mod completion;
mod decode;
mod error;
mod literal;
mod ordinary;

use alloc::{borrow::Cow, string::String};
use core::{fmt, hash};

pub use body::{Activation, Body, RoleChange, SetupCompletion, SkillFailure};
pub use builder::EventBuilder;
pub use completion::{AutomationError, Completion};
pub use error::EventError;
pub use literal::{ErrorType, OtherLiteral, Reason, Status};

use crate::Instant;

/// One event, as it was published: its header checked, the rest kept as it came.
///
/// What is read is a JSON object in UTF-8 without a byte order mark, at most [`MAX_EVENT_BYTES`] long and 32 objects
/// and arrays deep, itself among them. `header` and `payload` may each be there once, and so may every name in every
/// object inside the header, unknown ones among them. `version`, `eventId.id`, `eventType.namespace` and
/// `eventType.name` are required; entities are objects, and so is the payload. An `eventTime` that cannot be read is a
/// [`Warning`].
///
/// Errors come in this order: length, UTF-8, JSON, object, depth, names that are there twice, identifier, type,
/// version, entities, payload.
///
/// Nothing is copied but for texts with escapes; names are sorted, which allocates, where the header has other members
/// than those documented.
///
/// ```
/// use smart_properties::{Body, Event, Extracted, event::Status};
///
/// let event = Event::decode(
///     br#"{"header":{"version":"2.0","eventId":{"id":"7d5f0c1e"},
///         "eventType":{"namespace":"Alexa.Automation.Execution","name":"Completion"},
///         "eventTime":{"timestamp":"2024-05-01T10:00:00Z"},
///         "entities":{"unit":{"type":"Unit","id":"amzn1.alexa.unit.did.ROOM401"}}},
///         "payload":{"automation":{"id":"amzn1.alexa.automation.AUTO1"},
///         "result":{"status":"FAILURE","errors":[{"type":"ENDPOINT_NOT_FOUND","message":"endpoint missing",
///         "id":"amzn1.alexa.endpoint.EP1"}]}}}"#,
/// )?;
/// assert_eq!(event.event_type().full_name(), "Alexa.Automation.Execution.Completion");
/// let Body::Completion(completion) = event.body() else { unreachable!() };
/// assert!(matches!(completion.unit, Extracted::Known(unit) if unit.as_str().ends_with("ROOM401")));
/// assert_eq!(completion.status, Some(Status::Failure));
/// assert_eq!(completion.errors[0].message.as_deref(), Some("endpoint missing"));
/// # Ok::<(), smart_properties::EventError>(())
/// ```
#[derive(Clone)]
pub struct Event<'a> {
    text: &'a str,
    version: Cow<'a, str>,
    id: Cow<'a, str>,
    event_type: EventType<'a>,
    timestamp: Timestamp<'a>,
    content: Content<'a>,
}

/// The version of an event's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version<'a> {
    /// `"2.0"`, the one that is documented.
    V2,
    /// Any other: the header could be read, the body is [`Body::Unknown`].
    Other(&'a str),
}

/// What kind of event it is: a namespace and a name in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType<'a> {
    namespace: Cow<'a, str>,
    name: Cow<'a, str>,
}

/// The types of events that are known (specification section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// `Alexa.Enterprise.Subscription.Activation`
    Activation,
    /// `Alexa.Automation.Execution.Completion`
    Completion,
    /// `Alexa.Skill.Interaction.Failure`
    Failure,
    /// `Alexa.Role.Management.Assignment`
    Assignment,
    /// `Alexa.Role.Management.Revocation`
    Revocation,
    /// `Alexa.Endpoint.Lifecycle.SetupCompletion`
    SetupCompletion,
    /// Any other type; [`EventType`] has its names.
    Unknown,
}

/// What is odd about an event that could be read all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// `eventTime` or its `timestamp` cannot be read: the order falls back on the time of SNS.
    BadTimestamp,
    /// There is no `payload`.
    MissingPayload,
}

impl<'a> Event<'a> {
    /// Reads an event, which is a whole JSON text.
    ///
    /// # Errors
    /// Says what is not as it should be, and where.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, EventError> {
        decode::decode(bytes)
    }

    /// The same, of a text that is known to be UTF-8.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn parse(text: &'a str) -> Result<Self, EventError> {
        decode::parse(text)
    }

    /// The whole event as it came, with every member that is not known.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// `version`
    #[must_use]
    pub fn version(&self) -> Version<'_> {
        match &*self.version {
            V2 => Version::V2,
            other => Version::Other(other),
        }
    }

    /// `eventId.id`: 1 to 256 bytes without control characters, different for every event.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `eventType`
    #[must_use]
    pub const fn event_type(&self) -> &EventType<'a> {
        &self.event_type
    }

    /// What kind of event it is: [`EventKind::Unknown`] also where its version is not the one that is documented, of which
    /// nobody knows what it means.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self.version() {
            Version::V2 => self.event_type.kind(),
            Version::Other(_) => EventKind::Unknown,
        }
    }

    /// `eventTime.timestamp` as it is written.
    #[must_use]
    pub fn timestamp(&self) -> Option<&str> {
        match &self.timestamp {
            Timestamp::Text(text) => Some(text),
            Timestamp::Absent | Timestamp::Unreadable => None,
        }
    }

    /// When it happened; none when the event does not say it in a form that can be read.
    #[must_use]
    pub fn time(&self) -> Option<Instant> {
        Instant::parse(self.timestamp()?)
    }

    /// What is odd about it.
    pub fn warnings(&self) -> impl Iterator<Item = Warning> {
        let bad_timestamp = match &self.timestamp {
            Timestamp::Text(text) => Instant::parse(text).is_none(),
            Timestamp::Unreadable => true,
            Timestamp::Absent => false,
        };
        let is_without_payload = matches!(
            self.content,
            Content::Raw { payload: None, .. } | Content::Ordinary { has_payload: false, .. }
        );
        let bad_timestamp = bad_timestamp.then_some(Warning::BadTimestamp);
        bad_timestamp.into_iter().chain(is_without_payload.then_some(Warning::MissingPayload))
    }

    /// `entities`, what the event is about: the text of a JSON object, `{}` when there is none.
    #[must_use]
    pub fn entities(&self) -> &'a str {
        match self.content {
            Content::Raw { entities, .. } => entities.unwrap_or(EMPTY),
            Content::Ordinary { .. } => decode::parts(self.text)[0].unwrap_or(EMPTY),
        }
    }

    /// `payload`: the text of a JSON object, `{}` when there is none.
    #[must_use]
    pub fn payload(&self) -> &'a str {
        match self.content {
            Content::Raw { payload, .. } => payload.unwrap_or(EMPTY),
            Content::Ordinary { .. } => decode::parts(self.text)[1].unwrap_or(EMPTY),
        }
    }

    /// What it says, typed. It cannot fail: a member of a wrong type is as good as absent, and never something good.
    #[must_use]
    pub fn body(&self) -> Body<'a> {
        Body::of(self)
    }
}

impl<'a> Event<'a> {
    /// What it says of an automation, if it has the documented members for it.
    fn documented_completion(&self) -> Option<Completion<'a>> {
        match &self.content {
            Content::Ordinary { ended, .. } => ended.as_ref()?.completion(),
            Content::Raw { .. } => None,
        }
    }
}

impl EventKind {
    /// Its type; none for [`EventKind::Unknown`].
    #[must_use]
    pub fn event_type(self) -> Option<EventType<'static>> {
        let (namespace, name, _) = KINDS.iter().find(|(.., kind)| *kind == self)?;
        Some(EventType { namespace: Cow::Borrowed(namespace), name: Cow::Borrowed(name) })
    }
}

impl<'a> EventType<'a> {
    /// A type by its two names, which need not be known: each 1 to 256 bytes of `[A-Za-z0-9.]`.
    ///
    /// # Errors
    /// Says what is not as in such a name.
    pub fn new(
        namespace: impl Into<Cow<'a, str>>,
        name: impl Into<Cow<'a, str>>,
    ) -> Result<Self, EventError> {
        let (namespace, name) = (namespace.into(), name.into());
        decode::check_name(decode::NAMESPACE, &namespace)?;
        decode::check_name(decode::NAME, &name)?;
        Ok(Self { namespace, name })
    }

    /// For example `Alexa.Automation.Execution`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// For example `Completion`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind, by namespace and name together. What an event may be taken for, [`Event::kind`] says.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        let same = |(namespace, name, _): &&(&str, &str, _)| {
            *namespace == self.namespace && *name == self.name
        };
        KINDS.iter().find(same).map_or(EventKind::Unknown, |(.., kind)| *kind)
    }

    /// The namespace, a dot, and the name: what the documentation calls the event. Split it at the last dot.
    #[must_use]
    pub fn full_name(&self) -> String {
        [self.namespace(), self.name()].join(".")
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> EventType<'static> {
        EventType {
            namespace: Cow::Owned(self.namespace.into_owned()),
            name: Cow::Owned(self.name.into_owned()),
        }
    }
}

/// Two events are equal when their texts are.
impl PartialEq for Event<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Event<'_> {}

impl hash::Hash for Event<'_> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// Shows the header; payloads are not for logs.
impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("version", &self.version)
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("timestamp", &self.timestamp())
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum Content<'a> {
    /// Read in one pass: where its parts are in the text is found out when somebody asks.
    Ordinary {
        has_payload: bool,
        ended: Option<ordinary::Ended<'a>>,
    },
    Raw {
        entities: Option<&'a str>,
        payload: Option<&'a str>,
    },
}

#[derive(Clone)]
enum Timestamp<'a> {
    Text(Cow<'a, str>),
    Absent,
    /// Not a string in an object.
    Unreadable,
}

/// The longest event in bytes, which is what SNS carries.
pub const MAX_EVENT_BYTES: usize = 262_144;

const KINDS: [(&str, &str, EventKind); 6] = [
    ("Alexa.Automation.Execution", "Completion", EventKind::Completion),
    ("Alexa.Enterprise.Subscription", "Activation", EventKind::Activation),
    ("Alexa.Skill.Interaction", "Failure", EventKind::Failure),
    ("Alexa.Role.Management", "Assignment", EventKind::Assignment),
    ("Alexa.Role.Management", "Revocation", EventKind::Revocation),
    ("Alexa.Endpoint.Lifecycle", "SetupCompletion", EventKind::SetupCompletion),
];
const V2: &str = "2.0";
const EMPTY: &str = "{}";
