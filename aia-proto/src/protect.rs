//! Protection of messages: the common header, AES-GCM, the keys of a connection and the numbers used once
//! (specification section 4).
//!
//! All topics except the two of `connection` carry protected messages, both ways and all topics under the same
//! [`SharedSecret`]:
//!
//! | bytes | what | protected |
//! | --- | --- | --- |
//! | 0 to 3 | sequence number, little-endian | no |
//! | 4 to 15 | IV, never used before with this secret | no |
//! | 16 to 31 | tag of AES-GCM | |
//! | 32 to 35 | the sequence number again | yes |
//! | from 36 | body: JSON text or a binary stream | yes |
//!
//! ```
//! use aia_proto::{
//!     protect::{Cipher, IvGenerator, OpenError, SharedSecret},
//!     sequence::SequenceNumber,
//! };
//!
//! let secret = SharedSecret::from_bytes(&[7; 32])?;
//! let cipher = Cipher::new(&secret);
//! // The seed is 32 random bytes, fresh at each start of the program.
//! let mut ivs = IvGenerator::new([9; 32]);
//! let mut message = cipher.seal(SequenceNumber::FIRST, ivs.next_iv(), br#"{"events":[]}"#);
//!
//! let mut changed = message.clone();
//! changed[0] ^= 1;
//! let refused = cipher.open_in_place(&mut changed).unwrap_err();
//! assert!(matches!(refused, OpenError::Tampered { .. }));
//!
//! let opened = cipher.open_in_place(&mut message)?;
//! assert_eq!(opened.sequence, SequenceNumber::FIRST);
//! assert_eq!(opened.body, br#"{"events":[]}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cipher;
mod iv;
mod key_ring;
mod recent_ivs;
mod shared_secret;

pub use cipher::{
    Cipher, HEADER_LEN, LegacyInnerSequence, OpenError, Opened, SealError, outer_sequence,
};
pub use iv::{Iv, IvGenerator};
pub use key_ring::{KeyRing, PushError, Starts};
pub use recent_ivs::RecentIvs;
pub use shared_secret::{KeyLength, SharedSecret};
