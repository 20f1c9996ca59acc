//! What a message is known by.

use alloc::string::String;
use core::fmt;

/// The id of a message, in `header.messageId`: a text of 1 to 256 bytes that its sender chose, compared byte for byte
/// (specification, section 3 and Q33).
///
/// ```
/// use aia_proto::MessageId;
///
/// let id = MessageId::from_random([7; 16]);
/// assert_eq!(id.as_str(), "07070707-0707-4707-8707-070707070707");
/// assert_ne!(MessageId::new("m-7")?, MessageId::new("m-7 ")?);
/// assert!(MessageId::new("").is_err());
/// # Ok::<(), aia_proto::InvalidMessageId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(String);

/// A text cannot be a message id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("a message id has 1 to {limit} bytes, not {len}")]
#[non_exhaustive]
pub struct InvalidMessageId {
    /// How many bytes it has.
    pub len: usize,
    /// How many it may have.
    pub limit: usize,
}

impl MessageId {
    /// The most bytes that one has.
    pub const MAX_LEN: usize = 256;

    /// Takes the text as it is.
    ///
    /// # Errors
    /// It is empty or longer than [`MAX_LEN`](Self::MAX_LEN).
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidMessageId> {
        let text = text.into();
        match text.len() {
            1..=Self::MAX_LEN => Ok(Self(text)),
            len => Err(InvalidMessageId { len, limit: Self::MAX_LEN }),
        }
    }

    /// The text of a UUID of version 4, in lower case, from 16 random bytes (RFC 9562, section 5.4).
    #[must_use]
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = String::with_capacity(UUID_LEN);
        for (index, byte) in bytes.into_iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            for digit in [byte >> 4, byte & 0x0f] {
                text.extend(char::from_digit(digit.into(), 16));
            }
        }
        Self(text)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const UUID_LEN: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_1_to_256_bytes() {
        assert!(MessageId::new("m".repeat(256)).is_ok());
        assert_eq!(MessageId::new(""), Err(InvalidMessageId { len: 0, limit: 256 }));
        let too_long = Err(InvalidMessageId { len: 258, limit: 256 });
        assert_eq!(MessageId::new("\u{e9}".repeat(129)), too_long);
    }

    #[test]
    fn a_random_id_is_a_uuid_of_version_4() {
        let id =
            MessageId::from_random(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes());
        assert_eq!(id.as_str(), "00112233-4455-4677-8899-aabbccddeeff");
        let all = MessageId::from_random([0xff; 16]);
        assert_eq!(all.as_str(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
