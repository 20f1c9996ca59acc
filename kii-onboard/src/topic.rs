//! Topics: what each carries, and how one is built (specification, section 5).

use alloc::{format, string::String};
use core::fmt;

use crate::{
    AppId, IdKind, InvalidId, MqttTopic,
    id::{IdRule, check, is_segment_char},
};

/// The topics of one connection.
///
/// Always look at the topic before the payload: PUBLISH serves several purposes, and what is not known must be ignored
/// (seed page).
///
/// ```
/// use kii_onboard::{AppId, MqttTopic, topic::{Resource, Topic, Topics}};
///
/// let topics = Topics::api(&AppId::new("app01")?, &MqttTopic::new("TT")?);
/// let states = topics.build(Resource::States { thing_id: "th.1" })?;
/// assert_eq!(states, "p/TT/thing-if/apps/app01/targets/thing:th.1/states");
/// assert_eq!(topics.classify(&states), Topic::Api(Resource::States { thing_id: "th.1" }));
/// assert_eq!(topics.classify("TT"), Topic::Push);
/// assert_eq!(topics.classify("tt"), Topic::Unknown);
/// # Ok::<(), kii_onboard::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topics {
    /// What stands before the resource.
    prefix: String,
    /// None on the default broker, which pushes nothing.
    push: Option<MqttTopic>,
}

/// What a topic carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Topic<'a> {
    /// Onboarding on the default broker, request or response.
    Onboarding,
    /// A call of the API on the second broker, request or response.
    Api(Resource<'a>),
    /// A command or another push.
    Push,
    /// Nothing of this connection: ignore it.
    Unknown,
}

/// What follows the app id in a topic: the path of the REST API below `/thing-if/apps/{APP_ID}/`.
///
/// Whoever makes one may put any text in it; [`Topics::build`] checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource<'a> {
    /// `onboardings`
    Onboardings,
    /// `targets/thing:{thing}/states`
    States {
        /// The thing.
        thing_id: &'a str,
    },
    /// `targets/thing:{thing}/states/aliases/{alias}`
    AliasState {
        /// The thing.
        thing_id: &'a str,
        /// The alias of the trait.
        alias: &'a str,
    },
    /// `targets/thing:{thing}/states-bulk`
    BulkStates {
        /// The thing.
        thing_id: &'a str,
    },
    /// `targets/thing:{thing}/commands`
    Commands {
        /// The thing.
        thing_id: &'a str,
    },
    /// `targets/thing:{thing}/commands/{command}`
    Command {
        /// The thing.
        thing_id: &'a str,
        /// The command.
        command_id: &'a str,
    },
    /// `targets/thing:{thing}/commands/{command}/action-results`
    ActionResults {
        /// The thing.
        thing_id: &'a str,
        /// The command.
        command_id: &'a str,
    },
    /// `things/{thing}/firmware-version`
    FirmwareVersion {
        /// The thing.
        thing_id: &'a str,
    },
    /// `things/{thing}/thing-type`
    ThingType {
        /// The thing.
        thing_id: &'a str,
    },
    /// `things/{gateway}/end-nodes`
    EndNodes {
        /// The gateway.
        gateway_id: &'a str,
    },
    /// `things/{gateway}/end-nodes/{thing}/connection`
    EndNodeConnection {
        /// The gateway.
        gateway_id: &'a str,
        /// The end node.
        thing_id: &'a str,
    },
    /// Any other path, with a query string if it has one.
    Other(&'a str),
}

impl Topics {
    /// The topics of a connection to the default broker.
    #[must_use]
    pub fn boot(app: &AppId) -> Self {
        Self { prefix: prefix(BOOT_CLIENT_ID, app), push: None }
    }

    /// The topics of a connection to the second broker.
    #[must_use]
    pub fn api(app: &AppId, mqtt_topic: &MqttTopic) -> Self {
        Self { prefix: prefix(mqtt_topic.as_str(), app), push: Some(mqtt_topic.clone()) }
    }

    /// What a topic carries. Topics are case-sensitive, but for the target type in a path.
    #[must_use]
    pub fn classify<'t>(&self, topic: &'t str) -> Topic<'t> {
        if self.push.as_ref().is_some_and(|push| push.as_str() == topic) {
            return Topic::Push;
        }
        match (self.path_of(topic).and_then(Resource::parse), &self.push) {
            (Some(resource), Some(_)) => Topic::Api(resource),
            (Some(Resource::Onboardings), None) => Topic::Onboarding,
            _ => Topic::Unknown,
        }
    }

    /// The topic of onboarding.
    #[must_use]
    pub fn onboardings(&self) -> String {
        format!("{}{}", self.prefix, Resource::Onboardings)
    }

    /// What follows the app id in a topic of these.
    pub(crate) fn path_of<'t>(&self, topic: &'t str) -> Option<&'t str> {
        topic.strip_prefix(self.prefix.as_str())
    }

    /// The topic of a resource.
    ///
    /// # Errors
    /// An id in it is empty or has one of `/ + #` or a control; the topic would have more than 1,024 bytes.
    pub fn build(&self, resource: Resource<'_>) -> Result<String, InvalidId> {
        resource.check()?;
        let topic = format!("{}{resource}", self.prefix);
        if topic.len() > MAX_TOPIC {
            let rule = IdRule::TooLong { limit: MAX_TOPIC - self.prefix.len() };
            return Err(InvalidId { kind: IdKind::Path, rule });
        }
        Ok(topic)
    }
}

impl<'a> Resource<'a> {
    /// Reads a path of any length; none when a level of it is empty or has a character that it must not have.
    #[must_use]
    pub fn parse(path: &'a str) -> Option<Self> {
        // The limit is for topics that are built: MQTT has one for those that are received.
        let is_level = |level: &str| !level.is_empty() && level.chars().all(is_segment_char);
        if !path.split('/').all(is_level) {
            return None;
        }
        let mut levels = [""; MAX_LEVELS];
        let mut count = 0;
        for level in path.split('/') {
            match levels.get_mut(count) {
                Some(place) => *place = level,
                None => return Some(Self::Other(path)),
            }
            count += 1;
        }
        Some(Self::known(levels.get(..count).unwrap_or_default()).unwrap_or(Self::Other(path)))
    }

    fn known(levels: &[&'a str]) -> Option<Self> {
        Some(match *levels {
            ["onboardings"] => Self::Onboardings,
            ["targets", target, ref path @ ..] => {
                let thing_id = thing_of(target)?;
                match *path {
                    ["states"] => Self::States { thing_id },
                    ["states", "aliases", alias] => Self::AliasState { thing_id, alias },
                    ["states-bulk"] => Self::BulkStates { thing_id },
                    ["commands"] => Self::Commands { thing_id },
                    ["commands", command_id] => Self::Command { thing_id, command_id },
                    ["commands", command_id, "action-results"] => {
                        Self::ActionResults { thing_id, command_id }
                    }
                    _ => return None,
                }
            }
            ["things", thing_id, "firmware-version"] => Self::FirmwareVersion { thing_id },
            ["things", thing_id, "thing-type"] => Self::ThingType { thing_id },
            ["things", gateway_id, "end-nodes"] => Self::EndNodes { gateway_id },
            ["things", gateway_id, "end-nodes", thing_id, "connection"] => {
                Self::EndNodeConnection { gateway_id, thing_id }
            }
            _ => return None,
        })
    }

    /// Refuses what cannot stand in a topic.
    pub(crate) fn check(self) -> Result<(), InvalidId> {
        let (thing, other) = match self {
            Self::Onboardings => return Ok(()),
            Self::Other(path) => {
                return path.split('/').try_for_each(|level| check_level(IdKind::Path, level));
            }
            Self::States { thing_id }
            | Self::BulkStates { thing_id }
            | Self::Commands { thing_id }
            | Self::FirmwareVersion { thing_id }
            | Self::ThingType { thing_id } => (thing_id, None),
            Self::EndNodes { gateway_id } => (gateway_id, None),
            Self::AliasState { thing_id, alias } => (thing_id, Some((IdKind::Alias, alias))),
            Self::Command { thing_id, command_id }
            | Self::ActionResults { thing_id, command_id } => {
                (thing_id, Some((IdKind::CommandId, command_id)))
            }
            Self::EndNodeConnection { gateway_id, thing_id } => {
                (gateway_id, Some((IdKind::ThingId, thing_id)))
            }
        };
        check_level(IdKind::ThingId, thing)?;
        other.map_or(Ok(()), |(kind, level)| check_level(kind, level))
    }
}

/// The path as it is sent, with the target type in lower case (specification, section 16, row 27).
impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Onboardings => f.write_str("onboardings"),
            Self::States { thing_id } => write!(f, "targets/thing:{thing_id}/states"),
            Self::AliasState { thing_id, alias } => {
                write!(f, "targets/thing:{thing_id}/states/aliases/{alias}")
            }
            Self::BulkStates { thing_id } => write!(f, "targets/thing:{thing_id}/states-bulk"),
            Self::Commands { thing_id } => write!(f, "targets/thing:{thing_id}/commands"),
            Self::Command { thing_id, command_id } => {
                write!(f, "targets/thing:{thing_id}/commands/{command_id}")
            }
            Self::ActionResults { thing_id, command_id } => {
                write!(f, "targets/thing:{thing_id}/commands/{command_id}/action-results")
            }
            Self::FirmwareVersion { thing_id } => write!(f, "things/{thing_id}/firmware-version"),
            Self::ThingType { thing_id } => write!(f, "things/{thing_id}/thing-type"),
            Self::EndNodes { gateway_id } => write!(f, "things/{gateway_id}/end-nodes"),
            Self::EndNodeConnection { gateway_id, thing_id } => {
                write!(f, "things/{gateway_id}/end-nodes/{thing_id}/connection")
            }
            Self::Other(path) => f.write_str(path),
        }
    }
}

fn prefix(client_id: &str, app: &AppId) -> String {
    format!("p/{client_id}/thing-if/apps/{app}/")
}

/// The id in `thing:{id}`, whatever the case of the type.
fn thing_of(target: &str) -> Option<&str> {
    let (kind, id) = target.split_once(':')?;
    (kind.eq_ignore_ascii_case("thing") && !id.is_empty()).then_some(id)
}

/// Refuses what cannot be one level of a topic.
pub(crate) fn check_level(kind: IdKind, level: &str) -> Result<(), InvalidId> {
    check(kind, level, MAX_TOPIC, is_segment_char)
}

/// The client id of every connection to the default broker (seed page; specification, section 3).
pub const BOOT_CLIENT_ID: &str = "anonymous";

/// The longest topic that is built, in bytes (specification, section 5).
const MAX_TOPIC: usize = 1_024;
/// Of the longest known path.
const MAX_LEVELS: usize = 5;
