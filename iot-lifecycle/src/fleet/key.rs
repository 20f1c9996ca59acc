//! What a fleet knows its clients by.

use alloc::{boxed::Box, string::String};
use core::{fmt, hash::Hasher as _, str};

use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// The key of the hash that spreads clients over a fleet's table, and that makes [`HashedId`]s.
///
/// Client ids are chosen by others: with a key they cannot guess they cannot make ids that collide. Take 16 random bytes,
/// once a process for fleets that keep their ids, once for all processes that exchange snapshots of hashed ones.
#[derive(Clone, Copy)]
pub struct HashKey([u8; 16]);

impl HashKey {
    /// This key.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// The keyed 128-bit hash of a client id.
    pub(super) fn hash(&self, client_id: &str) -> u128 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(client_id.as_bytes());
        hasher.finish128().as_u128()
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey([redacted])")
    }
}

/// What a fleet keeps of a client id: the text itself, or its hash.
///
/// | key | bytes a client | events name |
/// | --- | --- | --- |
/// | `Box<str>` | 16 and the text | the client id |
/// | [`HashedId`] | 16 | the hash; the caller knows which id has it |
///
/// `Ord` decides which of two clients is told of first when their waits end at the same moment.
pub trait ClientKey: Clone + Ord + fmt::Debug {
    /// Whether keys depend on the [`HashKey`], so that a snapshot can only be read with the same one.
    const KEYED: bool;

    /// The key of a client id, whose keyed hash is `hash`.
    fn new(client_id: &str, hash: u128) -> Self;

    /// Whether this is the key of that client id.
    fn is_key_of(&self, client_id: &str, hash: u128) -> bool;

    /// The keyed hash of the client id that this is the key of.
    fn hash(&self, hash_key: &HashKey) -> u128;
}

impl ClientKey for Box<str> {
    const KEYED: bool = false;

    fn new(client_id: &str, _hash: u128) -> Self {
        client_id.into()
    }

    fn is_key_of(&self, client_id: &str, _hash: u128) -> bool {
        **self == *client_id
    }

    fn hash(&self, hash_key: &HashKey) -> u128 {
        hash_key.hash(self)
    }
}

/// The keyed 128-bit hash of a client id; written as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "String", try_from = "String"))]
pub struct HashedId([u8; 16]);

impl HashedId {
    /// The hash of this client id under this key.
    #[must_use]
    pub fn of(client_id: &str, hash_key: &HashKey) -> Self {
        Self(hash_key.hash(client_id).to_be_bytes())
    }
}

impl ClientKey for HashedId {
    const KEYED: bool = true;

    fn new(_client_id: &str, hash: u128) -> Self {
        Self(hash.to_be_bytes())
    }

    fn is_key_of(&self, _client_id: &str, hash: u128) -> bool {
        self.0 == hash.to_be_bytes()
    }

    fn hash(&self, _hash_key: &HashKey) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl fmt::Display for HashedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for HashedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashedId({self})")
    }
}

impl From<HashedId> for String {
    fn from(id: HashedId) -> Self {
        alloc::format!("{id}")
    }
}

impl str::FromStr for HashedId {
    type Err = ParseHashedIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u128::from_str_radix(text, 16).ok().filter(|_| digits);
        value.map(|value| Self(value.to_be_bytes())).ok_or(ParseHashedIdError)
    }
}

impl TryFrom<String> for HashedId {
    type Error = ParseHashedIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A hashed id is not 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("a hashed client id has 32 hex digits")]
#[non_exhaustive]
pub struct ParseHashedIdError;
