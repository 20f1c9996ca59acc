//! Why a connection ended, and why one could not be made: open sets of names.

use alloc::borrow::Cow;
use core::fmt;

/// A name that this version of the crate does not know, exactly as it came.
///
/// Only [`DisconnectReason::from`] and [`ConnectFailureReason::from`] make one, so it never hides a known name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownReason<'a>(Cow<'a, str>);

macro_rules! open_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name<'a> {
            $($(#[$doc])* $variant,)*
            /// Any other name.
            Other(UnknownReason<'a>),
        }

        impl $name<'_> {
            /// The name on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(UnknownReason(text)) => text,
                }
            }

            /// The same, owning its text.
            #[must_use]
            pub fn into_owned(self) -> $name<'static> {
                match self {
                    $(Self::$variant => $name::$variant,)*
                    Self::Other(UnknownReason(text)) => {
                        $name::Other(UnknownReason(Cow::Owned(text.into_owned())))
                    }
                }
            }
        }

        impl<'a, T: Into<Cow<'a, str>>> From<T> for $name<'a> {
            fn from(text: T) -> Self {
                let text = text.into();
                match &*text {
                    $($text => Self::$variant,)*
                    _ => Self::Other(UnknownReason(text)),
                }
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

open_set! {
    /// `disconnectReason` (specification section 2.2).
    ///
    /// ```
    /// use iot_lifecycle::DisconnectReason;
    ///
    /// assert_eq!(DisconnectReason::from("CONNECTION_LOST"), DisconnectReason::ConnectionLost);
    /// assert_eq!(DisconnectReason::from("SOMETHING_NEW").as_str(), "SOMETHING_NEW");
    /// ```
    DisconnectReason {
        /// Authentication or authorization failed.
        AuthError = "AUTH_ERROR",
        /// The client sent DISCONNECT, or a WebSocket close frame.
        ClientInitiatedDisconnect = "CLIENT_INITIATED_DISCONNECT",
        /// The client violated the protocol or a limit.
        ClientError = "CLIENT_ERROR",
        /// The transport went away.
        ConnectionLost = "CONNECTION_LOST",
        /// Another connection took the client id; the older one gets this.
        DuplicateClientId = "DUPLICATE_CLIENTID",
        /// Refused, for example by source address.
        ForbiddenAccess = "FORBIDDEN_ACCESS",
        /// Silence for 1.5 times the keep alive.
        MqttKeepAliveTimeout = "MQTT_KEEP_ALIVE_TIMEOUT",
        /// An unexpected fault of the server.
        ServerError = "SERVER_ERROR",
        /// Deliberate, operational.
        ServerInitiatedDisconnect = "SERVER_INITIATED_DISCONNECT",
        /// A `DeleteConnection` call.
        ApiInitiatedDisconnect = "API_INITIATED_DISCONNECT",
        /// Over a limit.
        Throttled = "THROTTLED",
        /// The WebSocket reached its longest life.
        WebsocketTtlExpiration = "WEBSOCKET_TTL_EXPIRATION",
        /// The custom authorizer's session reached its life.
        CustomauthTtlExpiration = "CUSTOMAUTH_TTL_EXPIRATION",
        /// Connectivity query API only: connected now.
        None = "NONE",
        /// Connectivity query API only: never connected.
        Unknown = "UNKNOWN",
    }
}

open_set! {
    /// `connectFailureReason` (specification section 2.2).
    ConnectFailureReason {
        /// The client may not connect, or may not publish to the topic of its last will.
        AuthorizationFailed = "AUTHORIZATION_FAILED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_name_never_hides_in_other_and_an_unknown_one_survives() {
        let names = "AUTH_ERROR CLIENT_INITIATED_DISCONNECT CLIENT_ERROR CONNECTION_LOST DUPLICATE_CLIENTID \
             FORBIDDEN_ACCESS MQTT_KEEP_ALIVE_TIMEOUT SERVER_ERROR SERVER_INITIATED_DISCONNECT \
             API_INITIATED_DISCONNECT THROTTLED WEBSOCKET_TTL_EXPIRATION CUSTOMAUTH_TTL_EXPIRATION NONE UNKNOWN";
        for name in names.split_whitespace() {
            let reason = DisconnectReason::from(name);
            assert!(!matches!(reason, DisconnectReason::Other(_)), "{name}");
            assert_eq!(reason.as_str(), name);
        }
        for name in ["KEEPALIVE_TIMEOUT", "DUPLICATE_CLIENT_ID", "", "auth_error"] {
            let reason = DisconnectReason::from(name);
            assert!(matches!(reason, DisconnectReason::Other(_)), "{name}");
            assert_eq!(reason.as_str(), name);
        }
    }
}
