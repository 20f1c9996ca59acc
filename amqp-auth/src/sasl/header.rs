//! The eight bytes that name a protocol.

/// Announces SASL, version 1.0.0.
pub const SASL_HEADER: [u8; 8] = *b"AMQP\x03\x01\x00\x00";
/// Announces AMQP, version 1.0.0: once SASL is done.
pub const AMQP_HEADER: [u8; 8] = *b"AMQP\x00\x01\x00\x00";
/// Asks for TLS inside AMQP, version 1.0.0. The platform does TLS first, so this must never be seen there.
pub const TLS_HEADER: [u8; 8] = *b"AMQP\x02\x01\x00\x00";

/// What eight received bytes announce (AMQP 1.0, 2.2 and 5.3.1).
///
/// ```
/// use amqp_auth::sasl::{Header, SASL_HEADER};
///
/// assert_eq!(Header::of(SASL_HEADER), Header::Sasl);
/// // A broker that speaks AMQP 0-9-1 only answers with its own version.
/// assert_eq!(Header::of(*b"AMQP\x00\x00\x09\x01"), Header::Version { protocol: 0, version: [0, 9, 1] });
/// assert_eq!(Header::of(*b"HTTP/1.1"), Header::NotAmqp);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Header {
    /// SASL, version 1.0.0.
    Sasl,
    /// AMQP, version 1.0.0.
    Amqp,
    /// TLS inside AMQP, version 1.0.0.
    Tls,
    /// Another protocol of the family, or another version: what a peer that knows better answers with.
    Version {
        /// The protocol id.
        protocol: u8,
        /// Major, minor and revision.
        version: [u8; 3],
    },
    /// Not a header of AMQP at all.
    NotAmqp,
}

impl Header {
    /// What these bytes announce.
    #[must_use]
    pub const fn of(bytes: [u8; 8]) -> Self {
        match bytes {
            SASL_HEADER => Self::Sasl,
            AMQP_HEADER => Self::Amqp,
            TLS_HEADER => Self::Tls,
            [b'A', b'M', b'Q', b'P', protocol, major, minor, revision] => {
                Self::Version { protocol, version: [major, minor, revision] }
            }
            _ => Self::NotAmqp,
        }
    }
}
