//! Topics: their parts, and what each carries (specification, section 2).

use alloc::{format, string::String};
use core::fmt;

/// The part of a topic that the registration returned, such as `$aws/alexa`.
///
/// The documentation says that it ends in `/ais`, real answers do not. So a root that ends in `/ais` or `/ais/v1`
/// stands for what comes before that (specification, Q1).
///
/// ```
/// use aia_proto::{TopicPart, TopicRoot};
///
/// assert_eq!(TopicRoot::new("$aws/alexa")?.as_str(), "$aws/alexa");
/// let error = TopicRoot::new("$aws/alexa/").unwrap_err();
/// assert_eq!((error.part, error.to_string().as_str()), (TopicPart::Root, "the topic root ends in `/`"));
/// # Ok::<(), aia_proto::InvalidTopicPart>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicRoot(String);

/// The AWS IoT client id of a device, which is one level of its topics.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

/// The version of the protocol, in topics and in the URL of the registration: `Display` writes `v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion(u16);

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a conversation has two sides")]
pub enum Direction {
    /// From the device to the service.
    ToService,
    /// From the service to the device.
    ToDevice,
}

/// What stands after the client id in a topic (specification, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Leaf {
    /// `connection/fromclient`: `Connect` and `Disconnect`.
    ConnectionFromClient,
    /// `connection/fromservice`: `Acknowledge` and `Disconnect`.
    ConnectionFromService,
    /// `capabilities/publish`: the set of capabilities.
    CapabilitiesPublish,
    /// `capabilities/acknowledge`: whether the service takes it.
    CapabilitiesAcknowledge,
    /// `directive`: what the device shall do.
    Directive,
    /// `event`: what happened on the device.
    Event,
    /// `microphone`: audio of the device.
    Microphone,
    /// `speaker`: audio of the service.
    Speaker,
}

/// The topics of one client.
///
/// ```
/// use aia_proto::{ApiVersion, ClientId, Leaf, TopicRoot, Topics};
///
/// let (root, client_id) = (TopicRoot::new("$aws/alexa")?, ClientId::new("my-thing-01")?);
/// let topics = Topics::new(&root, ApiVersion::V1, &client_id);
/// assert_eq!(topics.topic(Leaf::Directive), "$aws/alexa/ais/v1/my-thing-01/directive");
/// assert_eq!(topics.classify("$aws/alexa/ais/v1/my-thing-01/speaker"), Some(Leaf::Speaker));
/// assert_eq!(topics.classify("$aws/alexa/ais/v2/my-thing-01/speaker"), None);
/// # Ok::<(), aia_proto::InvalidTopicPart>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topics {
    /// What stands before the leaf.
    prefix: String,
}

/// A topic of any client, taken apart.
///
/// ```
/// use aia_proto::{ApiVersion, Direction, Leaf, Topic};
///
/// let topic = Topic::parse("$aws/alexa/ais/v1/my-thing-01/connection/fromclient")?;
/// assert_eq!((topic.root, topic.version), ("$aws/alexa", ApiVersion::V1));
/// assert_eq!((topic.client_id, topic.leaf), ("my-thing-01", Leaf::ConnectionFromClient));
/// assert_eq!(topic.leaf.direction(), Direction::ToService);
/// assert!(!topic.leaf.is_protected());
/// # Ok::<(), aia_proto::TopicError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Topic<'a> {
    /// What stands before `/ais/`.
    pub root: &'a str,
    /// The version of the protocol.
    pub version: ApiVersion,
    /// The device.
    pub client_id: &'a str,
    /// What it carries.
    pub leaf: Leaf,
}

/// Why a text cannot be a part of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the {part} {rule}")]
#[non_exhaustive]
pub struct InvalidTopicPart {
    /// Which part.
    pub part: TopicPart,
    /// What it breaks.
    pub rule: TopicRule,
}

/// The parts of a topic that are not fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TopicPart {
    /// What the registration returned.
    Root,
    /// The device.
    ClientId,
}

/// What a part of a topic must hold to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TopicRule {
    /// It must not be empty.
    NotEmpty,
    /// It must not be longer than this.
    AtMost {
        /// In bytes.
        limit: usize,
    },
    /// It must not have this character: `+`, `#`, a control, and in a client id `/`.
    Without {
        /// Its place, in bytes from 0.
        index: usize,
    },
    /// It must not end in `/`.
    NoSlashAtEnd,
}

/// Why a text is no topic of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// It does not end in one of the eight leaves.
    #[error("the topic does not end in a leaf such as `/directive` or `/connection/fromclient`")]
    NoLeaf,
    /// There is no version before the client id.
    #[error("no version such as `v1` stands before the client id")]
    NoVersion,
    /// There is no `ais` before the version.
    #[error("no `/ais/` stands before the version")]
    NoAis,
    /// The root or the client id is not one.
    #[error(transparent)]
    BadPart(#[from] InvalidTopicPart),
}

impl TopicRoot {
    /// Takes the text as it is.
    ///
    /// # Errors
    /// It is empty or longer than 256 bytes, ends in `/`, or has `+`, `#` or a control; or what stands before `/ais`
    /// does.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidTopicPart> {
        let text = text.into();
        check_root(&text)?;
        check_root(base(&text))?;
        Ok(Self(text))
    }

    /// Its text, as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The filter for a topic of all clients, for the service.
    ///
    /// ```
    /// use aia_proto::{ApiVersion, Leaf, TopicRoot};
    ///
    /// let filter = TopicRoot::new("$aws/alexa")?.filter(ApiVersion::V1, Leaf::Event);
    /// assert_eq!(filter, "$aws/alexa/ais/v1/+/event");
    /// # Ok::<(), aia_proto::InvalidTopicPart>(())
    /// ```
    #[must_use]
    pub fn filter(&self, version: ApiVersion, leaf: Leaf) -> String {
        format!("{}{AIS}/{version}/+/{leaf}", base(&self.0))
    }

    /// Whether a topic has this root.
    #[must_use]
    pub fn is_root_of(&self, topic: &Topic<'_>) -> bool {
        base(&self.0) == topic.root
    }
}

impl ClientId {
    /// Takes the text as it is.
    ///
    /// # Errors
    /// It is empty or longer than 256 bytes, or has `/`, `+`, `#` or a control.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidTopicPart> {
        let text = text.into();
        check_client_id(&text)?;
        Ok(Self(text))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ApiVersion {
    /// The only version so far.
    pub const V1: Self = Self(1);

    /// The version of this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Reads `v1` and the like.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_prefix('v')?;
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = is_plain && (number == "0" || !number.starts_with('0'));
        number.parse().ok().filter(|_| is_plain).map(Self)
    }
}

impl Leaf {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ConnectionFromClient,
        Self::ConnectionFromService,
        Self::CapabilitiesPublish,
        Self::CapabilitiesAcknowledge,
        Self::Directive,
        Self::Event,
        Self::Microphone,
        Self::Speaker,
    ];

    /// As it stands in a topic.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionFromClient => "connection/fromclient",
            Self::ConnectionFromService => "connection/fromservice",
            Self::CapabilitiesPublish => "capabilities/publish",
            Self::CapabilitiesAcknowledge => "capabilities/acknowledge",
            Self::Directive => "directive",
            Self::Event => "event",
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
        }
    }

    /// Who sends on it and who subscribes.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::ConnectionFromClient
            | Self::CapabilitiesPublish
            | Self::Event
            | Self::Microphone => Direction::ToService,
            Self::ConnectionFromService
            | Self::CapabilitiesAcknowledge
            | Self::Directive
            | Self::Speaker => Direction::ToDevice,
        }
    }

    /// Whether its messages have the common header and are encrypted.
    #[must_use]
    pub const fn is_protected(self) -> bool {
        !matches!(self, Self::ConnectionFromClient | Self::ConnectionFromService)
    }

    /// Reads what stands after the client id. Case counts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|leaf| leaf.as_str() == text)
    }
}

impl Topics {
    /// The topics of this client.
    #[must_use]
    pub fn new(root: &TopicRoot, version: ApiVersion, client_id: &ClientId) -> Self {
        Self { prefix: format!("{}{AIS}/{version}/{client_id}/", base(&root.0)) }
    }

    /// One of them.
    #[must_use]
    pub fn topic(&self, leaf: Leaf) -> String {
        format!("{}{leaf}", self.prefix)
    }

    /// Which of them a topic is; none when it is another's.
    #[must_use]
    pub fn classify(&self, topic: &str) -> Option<Leaf> {
        topic.strip_prefix(self.prefix.as_str()).and_then(Leaf::parse)
    }
}

impl<'a> Topic<'a> {
    /// Takes a topic apart, whoever the client is.
    ///
    /// # Errors
    /// It is no topic of the protocol; the error names the first part that is not one, from the end.
    pub fn parse(topic: &'a str) -> Result<Self, TopicError> {
        let before = |leaf: Leaf| topic.strip_suffix(leaf.as_str())?.strip_suffix('/');
        let (rest, leaf) = Leaf::ALL
            .into_iter()
            .find_map(|leaf| Some((before(leaf)?, leaf)))
            .ok_or(TopicError::NoLeaf)?;
        let (rest, client_id) = rest.rsplit_once('/').ok_or(TopicError::NoVersion)?;
        check_client_id(client_id)?;
        let (rest, version) = rest.rsplit_once('/').unwrap_or(("", rest));
        let version = ApiVersion::parse(version).ok_or(TopicError::NoVersion)?;
        let root = rest.strip_suffix(AIS).ok_or(TopicError::NoAis)?;
        check_root(root)?;
        Ok(Self { root, version, client_id, leaf })
    }
}

impl fmt::Display for TopicRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for TopicPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "topic root",
            Self::ClientId => "client id",
        })
    }
}

impl fmt::Display for TopicRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEmpty => f.write_str("is empty"),
            Self::AtMost { limit } => write!(f, "has more than {limit} bytes"),
            Self::Without { index } => {
                write!(f, "has a character at byte {index} that it must not have")
            }
            Self::NoSlashAtEnd => f.write_str("ends in `/`"),
        }
    }
}

/// What stands before `/ais`, or `/ais` and a version, at the end of a root.
fn base(root: &str) -> &str {
    let is_version = |level: &str| ApiVersion::parse(level).is_some();
    let ais = match root.rsplit_once('/') {
        Some((before, level)) if is_version(level) => before,
        _ => root,
    };
    ais.strip_suffix(AIS).unwrap_or(root)
}

fn check_root(text: &str) -> Result<(), InvalidTopicPart> {
    check(TopicPart::Root, text, |ch| !matches!(ch, '+' | '#') && !ch.is_control())?;
    if text.ends_with('/') {
        return Err(InvalidTopicPart { part: TopicPart::Root, rule: TopicRule::NoSlashAtEnd });
    }
    Ok(())
}

fn check_client_id(text: &str) -> Result<(), InvalidTopicPart> {
    check(TopicPart::ClientId, text, |ch| !matches!(ch, '/' | '+' | '#') && !ch.is_control())
}

fn check(
    part: TopicPart,
    text: &str,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), InvalidTopicPart> {
    let rule = if text.is_empty() {
        TopicRule::NotEmpty
    } else if text.len() > MAX_PART {
        TopicRule::AtMost { limit: MAX_PART }
    } else if let Some(index) = text.find(|ch| !is_allowed(ch)) {
        TopicRule::Without { index }
    } else {
        return Ok(());
    };
    Err(InvalidTopicPart { part, rule })
}

const AIS: &str = "/ais";
/// Bytes of one part: AWS IoT Core takes no longer topic (specification, section 2.3).
const MAX_PART: usize = 256;
