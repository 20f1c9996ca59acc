//! One message: common header and AES-GCM.

use alloc::{boxed::Box, vec::Vec};
use core::{fmt, hash};

use aes_gcm::{
    Aes128Gcm, Aes256Gcm, Tag,
    aead::{AeadInOut, KeyInit as _},
};
use thiserror::Error;
use zeroize::Zeroize as _;

use super::{Iv, SharedSecret};
use crate::{Leaf, sequence::SequenceNumber};

/// The length of the common header, in bytes: number, IV, tag and number again. No message is shorter.
pub const HEADER_LEN: usize = 36;

/// AES-GCM under one secret, the key prepared (section 4.2).
///
/// Two ciphers are equal when their secrets are. `Debug` shows the length of the key only.
///
/// ```
/// use aia_proto::{
///     protect::{Cipher, HEADER_LEN, SharedSecret},
///     sequence::SequenceNumber,
/// };
///
/// let cipher = Cipher::new(&SharedSecret::from_bytes(&[7; 16])?);
/// let mut buffer = [&[0; HEADER_LEN][..], b"body"].concat();
/// cipher.seal_in_place(SequenceNumber::FIRST, [1; 12], &mut buffer)?;
/// assert_eq!(cipher.open_in_place(&mut buffer)?.body, b"body");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Cipher {
    secret: SharedSecret,
    schedule: Schedule,
}

/// Boxed: a kilobyte that moves would leave copies of the key behind.
#[derive(Clone)]
enum Schedule {
    Aes128(Box<Aes128Gcm>),
    Aes256(Box<Aes256Gcm>),
}

/// A message that verified.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened<'m> {
    /// Its number, which header and plaintext agree on unless [`is_legacy`](Self::is_legacy).
    pub sequence: SequenceNumber,
    /// JSON text or a binary stream.
    pub body: &'m [u8],
    /// The number is not protected, because the message has the header of 32 bytes: deliver the body, then close the
    /// connection with `MESSAGE_TAMPERED` (section 4.6). Only under [`LegacyInnerSequence::Accept`].
    pub is_legacy: bool,
}

/// What to do with a message that has the header of 32 bytes, without the number in the plaintext (section 4.6).
///
/// Devices in the field were sent such: a directive that says why the service is about to disconnect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LegacyInnerSequence {
    /// Refuse it with [`OpenError::Tampered`].
    #[default]
    Refuse,
    /// Hand out its body, marked with [`Opened::is_legacy`], when the tag is valid, the topic carries JSON and the
    /// plaintext begins with `{"`.
    Accept,
}

/// Why a message was not opened (section 4.3). Nothing of its plaintext can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Malformed: drop it, and report `MALFORMED_MESSAGE` with [`outer_sequence`] where there is one.
    #[error("a message of {len} bytes: at least {HEADER_LEN} belong to the header")]
    TooShort {
        /// How long it is, in bytes.
        len: usize,
    },
    /// Encrypted with another secret, or changed on the way: close the connection with `ENCRYPTION_ERROR`.
    #[error("the tag is not the one of this secret: close the connection with ENCRYPTION_ERROR")]
    BadTag,
    /// Its clear number was changed on the way: close the connection with `MESSAGE_TAMPERED`.
    #[error(
        "the message says {outer} in clear, {inner} in secret: close the connection with MESSAGE_TAMPERED"
    )]
    Tampered {
        /// The number in clear.
        outer: SequenceNumber,
        /// The number in the plaintext.
        inner: SequenceNumber,
    },
}

/// Why a buffer was not sealed. It is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealError {
    /// No room for the header.
    #[error("a buffer of {len} bytes: at least {HEADER_LEN} are needed for the header")]
    TooShort {
        /// How long it is, in bytes.
        len: usize,
    },
    /// More than AES-GCM may encrypt at once.
    #[error("a buffer of {len} bytes: AES-GCM takes less than 64 GiB at once")]
    TooLong {
        /// How long it is, in bytes.
        len: usize,
    },
}

/// The number that a message says in clear, if it has 4 bytes: to choose the key, and to report a malformed message.
/// It may be a lie until the message was opened.
#[must_use]
pub fn outer_sequence(message: &[u8]) -> Option<SequenceNumber> {
    message.first_chunk().copied().map(SequenceNumber::from_le_bytes)
}

impl Cipher {
    /// Prepares the key.
    #[must_use]
    pub fn new(secret: &SharedSecret) -> Self {
        Self { secret: secret.clone(), schedule: Schedule::new(secret) }
    }

    /// The secret that it was made of.
    #[must_use]
    pub const fn secret(&self) -> &SharedSecret {
        &self.secret
    }

    /// A message with this body. The IV must never have been used with this secret.
    ///
    /// # Panics
    /// If the body has 64 GiB, more than AES-GCM encrypts at once. MQTT carries at most 256 MiB.
    #[must_use]
    #[expect(clippy::expect_used, reason = "MQTT carries at most 256 MiB")]
    pub fn seal(&self, sequence: SequenceNumber, iv: Iv, body: &[u8]) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEADER_LEN + body.len());
        message.extend_from_slice(&[0; HEADER_LEN]);
        message.extend_from_slice(body);
        self.seal_in_place(sequence, iv, &mut message).expect("less than 64 GiB");
        message
    }

    /// Makes a message of a buffer that has the body from [`HEADER_LEN`] on; what stands before it is overwritten. The
    /// IV must never have been used with this secret.
    ///
    /// # Errors
    /// The buffer has no room for the header, or 64 GiB and more.
    #[inline]
    pub fn seal_in_place(
        &self,
        sequence: SequenceNumber,
        iv: Iv,
        buffer: &mut [u8],
    ) -> Result<(), SealError> {
        let len = buffer.len();
        let Some(parts) = Parts::of(buffer) else {
            return Err(SealError::TooShort { len });
        };
        // AES-GCM checks it too, but what is refused must be as before.
        if parts.text.len() as u64 > aes_gcm::P_MAX {
            return Err(SealError::TooLong { len });
        }
        let number = sequence.get().to_le_bytes();
        parts.text[..SEQUENCE_LEN].copy_from_slice(&number);
        let Some(tag) = self.schedule.encrypt(&iv, parts.text) else {
            return Err(SealError::TooLong { len });
        };
        *parts.sequence = number;
        *parts.iv = iv;
        *parts.tag = tag.into();
        Ok(())
    }

    /// Opens a message where it stands.
    ///
    /// # Errors
    /// The first check of section 4.3 that fails: length, tag, number. With [`OpenError::BadTag`] the message is as
    /// before, so that another key can be tried; with [`OpenError::Tampered`] its plaintext has been wiped.
    #[inline]
    pub fn open_in_place<'m>(&self, message: &'m mut [u8]) -> Result<Opened<'m>, OpenError> {
        self.open(message, false)
    }

    /// Opens a message of a topic where it stands, and maybe one that has the header of 32 bytes (section 4.6).
    ///
    /// # Errors
    /// See [`open_in_place`](Self::open_in_place).
    pub fn open_in_place_with<'m>(
        &self,
        legacy: LegacyInnerSequence,
        leaf: Leaf,
        message: &'m mut [u8],
    ) -> Result<Opened<'m>, OpenError> {
        let carries_json = !matches!(leaf, Leaf::Microphone | Leaf::Speaker);
        self.open(message, legacy == LegacyInnerSequence::Accept && carries_json)
    }

    #[inline]
    fn open<'m>(
        &self,
        message: &'m mut [u8],
        accepts_legacy: bool,
    ) -> Result<Opened<'m>, OpenError> {
        let len = message.len();
        let Some(Parts { sequence, iv, tag, text }) = Parts::of(message) else {
            return Err(OpenError::TooShort { len });
        };
        if !self.schedule.decrypt(iv, tag, text) {
            return Err(OpenError::BadTag);
        }
        let outer = SequenceNumber::from_le_bytes(*sequence);
        let inner = outer_sequence(text).unwrap_or_default();
        if inner == outer {
            return Ok(Opened { sequence: outer, body: &text[SEQUENCE_LEN..], is_legacy: false });
        }
        if accepts_legacy && text.starts_with(br#"{""#) {
            return Ok(Opened { sequence: outer, body: text, is_legacy: true });
        }
        text.zeroize();
        Err(OpenError::Tampered { outer, inner })
    }
}

impl PartialEq for Cipher {
    fn eq(&self, other: &Self) -> bool {
        self.secret == other.secret
    }
}

impl Eq for Cipher {}

impl hash::Hash for Cipher {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.secret.hash(state);
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cipher").field("key_len", &self.secret.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Opened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("sequence", &self.sequence)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("is_legacy", &self.is_legacy)
            .finish()
    }
}

impl Schedule {
    #[expect(clippy::expect_used, reason = "a shared secret has 16 or 32 bytes")]
    fn new(secret: &SharedSecret) -> Self {
        let key = secret.expose();
        match Aes128Gcm::new_from_slice(key) {
            Ok(aes) => Self::Aes128(Box::new(aes)),
            Err(_) => Self::Aes256(Box::new(Aes256Gcm::new_from_slice(key).expect("32 bytes"))),
        }
    }

    /// Encrypts, and gives the tag; nothing for more than AES-GCM takes.
    #[inline]
    fn encrypt(&self, iv: &Iv, plaintext: &mut [u8]) -> Option<Tag> {
        match self {
            Self::Aes128(aes) => aes.encrypt_inout_detached(iv.into(), &[], plaintext.into()).ok(),
            Self::Aes256(aes) => aes.encrypt_inout_detached(iv.into(), &[], plaintext.into()).ok(),
        }
    }

    /// Whether the tag is right. Only then is anything decrypted.
    #[inline]
    fn decrypt(&self, iv: &Iv, tag: &[u8; 16], ciphertext: &mut [u8]) -> bool {
        let (iv, tag) = (iv.into(), tag.into());
        match self {
            Self::Aes128(aes) => aes.decrypt_inout_detached(iv, &[], ciphertext.into(), tag),
            Self::Aes256(aes) => aes.decrypt_inout_detached(iv, &[], ciphertext.into(), tag),
        }
        .is_ok()
    }
}

/// The parts of a message. In the last one there is room for the number at least.
struct Parts<'m> {
    sequence: &'m mut [u8; SEQUENCE_LEN],
    iv: &'m mut Iv,
    tag: &'m mut [u8; 16],
    text: &'m mut [u8],
}

impl<'m> Parts<'m> {
    #[inline]
    fn of(message: &'m mut [u8]) -> Option<Self> {
        let (sequence, message) = message.split_first_chunk_mut()?;
        let (iv, message) = message.split_first_chunk_mut()?;
        let (tag, text) = message.split_first_chunk_mut()?;
        (text.len() >= SEQUENCE_LEN).then_some(Self { sequence, iv, tag, text })
    }
}

const SEQUENCE_LEN: usize = 4;
