//! What a cloud tells whoever tests with it.

use alloc::string::String;

use iot_sansio::mqtt::{ConnackCode, Link};

use crate::{
    AppId, Stage,
    command::CommandState,
    frame::{Method, Status},
};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A broker accepted a connection.
    Connected {
        /// The connection.
        link: Link,
        /// The broker.
        stage: Stage,
        /// The application.
        app_id: AppId,
    },
    /// A broker refused a connection.
    Refused {
        /// The connection.
        link: Link,
        /// The broker.
        stage: Stage,
        /// Why.
        reason: Refusal,
    },
    /// A connection ended that a broker had accepted.
    Disconnected {
        /// The connection.
        link: Link,
        /// The broker.
        stage: Stage,
        /// Why.
        reason: Disconnect,
    },
    /// A thing has a connection to the second broker, and had none before.
    Online {
        /// The thing.
        thing_id: String,
        /// The connection.
        link: Link,
    },
    /// A thing has no connection to the second broker any more.
    Offline {
        /// The thing.
        thing_id: String,
    },
    /// A thing subscribed to its pushes.
    Subscribed {
        /// The thing.
        thing_id: String,
        /// The connection.
        link: Link,
    },
    /// A thing does not want its pushes any more.
    Unsubscribed {
        /// The thing.
        thing_id: String,
        /// The connection.
        link: Link,
    },
    /// A thing was onboarded.
    Onboarded {
        /// The thing.
        thing_id: String,
        /// Whether that made it.
        is_new: bool,
    },
    /// An end node was onboarded.
    EndNodeOnboarded {
        /// The end node.
        thing_id: String,
        /// Its gateway.
        gateway_id: String,
        /// Whether that made it.
        is_new: bool,
    },
    /// A thing's state was stored, all of it or a part; [`Cloud::state`](super::Cloud::state) has it.
    StateStored {
        /// The thing.
        thing_id: String,
        /// Whether there was none before.
        is_first: bool,
    },
    /// States were uploaded in bulk. The cloud does not look into them.
    BulkUploaded {
        /// The thing.
        thing_id: String,
        /// How many bytes they have.
        size: usize,
    },
    /// A command was pushed.
    CommandDelivered {
        /// The thing it is for.
        thing_id: String,
        /// The command.
        command_id: String,
        /// The connection it went down.
        link: Link,
    },
    /// A command could not be pushed: the thing has no connection, or did not subscribe. It is not pushed later.
    CommandSendFailed {
        /// The thing it is for.
        thing_id: String,
        /// The command.
        command_id: String,
    },
    /// A thing told the results of a command; [`Cloud::command`](super::Cloud::command) has them.
    ResultsReported {
        /// The thing.
        thing_id: String,
        /// The command.
        command_id: String,
        /// Whether all of its actions have a result now.
        state: CommandState,
    },
    /// A push that is no command was sent.
    Pushed {
        /// The thing it is for.
        thing_id: String,
        /// The connection it went down.
        link: Link,
    },
    /// A push that is no command was lost: the thing has no connection, or did not subscribe.
    PushLost {
        /// The thing it is for.
        thing_id: String,
    },
    /// A thing told its firmware version.
    FirmwareVersionSet {
        /// The thing.
        thing_id: String,
        /// The version.
        firmware_version: String,
    },
    /// A thing told its type.
    ThingTypeSet {
        /// The thing.
        thing_id: String,
        /// The type.
        thing_type: String,
    },
    /// A gateway told whether one of its end nodes is connected.
    EndNodeConnection {
        /// The gateway.
        gateway_id: String,
        /// The end node.
        thing_id: String,
        /// Whether it is.
        online: bool,
    },
    /// A request has its answer, whatever a fault makes of it after that.
    Answered {
        /// The connection.
        link: Link,
        /// The method; none when the payload is no request.
        method: Option<Method>,
        /// What follows the application's id in the topic.
        path: String,
        /// How it went.
        status: Status,
    },
    /// Something was published on a topic that is none of its connection's, and had no effect;
    /// [`Cloud::misdirected`](super::Cloud::misdirected) counts them.
    Misdirected {
        /// The connection.
        link: Link,
        /// The topic.
        topic: String,
    },
    /// A fault strikes.
    Faulted {
        /// The connection.
        link: Link,
    },
}

/// Why a broker refuses a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The client id is not `anonymous`, or nobody's `mqttTopic`.
    #[error("the client id is not one of this broker's: use anonymous first, and then mqttTopic")]
    UnknownClientId,
    /// User name or password are wrong or missing.
    #[error("user name or password are wrong or missing")]
    BadCredentials,
    /// The endpoint is too old.
    #[error("the endpoint has expired: onboard again")]
    EndpointExpired,
    /// There are as many connections as may be.
    #[error("there are as many connections as may be: close some, or allow more")]
    TooManyConnections,
    /// A fault strikes.
    #[error("refused as commanded, with code {}", .0.get())]
    Fault(ConnackCode),
}

impl Refusal {
    /// The code that says so in CONNACK.
    #[must_use]
    pub const fn code(self) -> ConnackCode {
        match self {
            Self::UnknownClientId => ConnackCode::IDENTIFIER_REJECTED,
            Self::BadCredentials => ConnackCode::BAD_USER_NAME_OR_PASSWORD,
            Self::EndpointExpired => ConnackCode::NOT_AUTHORIZED,
            Self::TooManyConnections => ConnackCode::SERVER_UNAVAILABLE,
            Self::Fault(code) => code,
        }
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The client closed it, or it broke.
    #[error("the client closed the connection, or it broke")]
    Client,
    /// The client was silent for more than one and a half times its keep alive.
    #[error("the client was silent for longer than it promised: send PINGREQ in time")]
    Silent,
    /// The client sent CONNECT again.
    #[error("a second CONNECT came on the connection")]
    SecondConnect,
    /// Another connection came with the same client id.
    #[error("connection {} has the same client id", .by.get())]
    TakenOver {
        /// The other one.
        by: Link,
    },
    /// The thing was onboarded again, and has another endpoint.
    #[error("the endpoint has expired, and the thing has another one")]
    EndpointReplaced,
    /// A fault strikes.
    #[error("closed by a fault")]
    Fault,
    /// The cloud was told to close it.
    #[error("closed as commanded")]
    Closed,
}
