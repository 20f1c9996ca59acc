//! Frames, written.

use alloc::vec::Vec;

use iot_sansio::{Secret, amqp::SaslCode};

use crate::sasl::{PLAIN, frame::code, plain_response};

/// Why a frame cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// User name, password or host name have no characters.
    #[error("the {part} is empty")]
    #[non_exhaustive]
    Empty {
        /// Which.
        part: &'static str,
    },
    /// User name or password hold the byte that separates them.
    #[error("the {part} holds NUL at byte {index}: PLAIN cannot express it")]
    #[non_exhaustive]
    Nul {
        /// Which.
        part: &'static str,
        /// Where, in bytes.
        index: usize,
    },
    /// A server must offer something.
    #[error("there is no mechanism to offer: name one at least")]
    NoMechanisms,
    /// The name of a mechanism is not 1 to 20 letters, digits, hyphens and underscores.
    #[error("mechanism {place} is not of 1 to 20 characters A-Z 0-9 - _")]
    BadMechanism {
        /// Its place among the mechanisms, from 0.
        place: usize,
    },
    /// The frame would not fit the 32 bits of its size.
    #[error("the frame would have {len} bytes: at most 4294967295 can be expressed")]
    TooLong {
        /// So many bytes.
        len: usize,
    },
}

/// A sasl-init frame for PLAIN, without cap: see [`init_len`] for what a stack must take.
///
/// # Errors
/// User name, password or host name are empty; user name or password hold NUL.
pub fn encode_init(
    user_name: &str,
    password: &str,
    hostname: Option<&str>,
) -> Result<Secret, EncodeError> {
    if hostname == Some("") {
        return Err(EncodeError::Empty { part: "host name" });
    }
    let response = plain_response(user_name, password)?;
    let (mechanism, response) = (Item::Symbol(PLAIN), Item::Binary(response.expose()));
    let frame = match hostname {
        Some(hostname) => encode(code::INIT, &[mechanism, response, Item::Text(hostname)]),
        None => encode(code::INIT, &[mechanism, response]),
    };
    Ok(frame?.into())
}

/// A sasl-mechanisms frame that offers these, best first: for gateways and emulators.
///
/// # Errors
/// There is none, or a name is not that of a mechanism (RFC 4422, 3.1).
///
/// ```
/// use amqp_auth::sasl::{EncodeError, PLAIN, encode_mechanisms};
///
/// assert_eq!(encode_mechanisms(&[PLAIN])?.len(), 24);
/// # Ok::<(), EncodeError>(())
/// ```
pub fn encode_mechanisms(names: &[&str]) -> Result<Vec<u8>, EncodeError> {
    if names.is_empty() {
        return Err(EncodeError::NoMechanisms);
    }
    let is_allowed = |byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_');
    let is_name = |name: &&str| (1..=20).contains(&name.len()) && name.bytes().all(is_allowed);
    match names.iter().position(|name| !is_name(name)) {
        Some(place) => Err(EncodeError::BadMechanism { place }),
        None => encode(code::MECHANISMS, &[Item::Symbols(names)]),
    }
}

/// A sasl-outcome frame: for gateways and emulators, which find the code with
/// [`VerifyError::sasl_code`](crate::VerifyError::sasl_code).
///
/// ```
/// use amqp_auth::sasl::encode_outcome;
/// use iot_sansio::amqp::SaslCode;
///
/// assert_eq!(encode_outcome(SaslCode::AUTH), *b"\0\0\0\x10\x02\x01\0\0\0\x53\x44\xc0\x03\x01\x50\x01");
/// ```
#[must_use]
pub const fn encode_outcome(outcome: SaslCode) -> [u8; 16] {
    let [code, value] = [code::OUTCOME, outcome.get()];
    [0, 0, 0, 16, 2, 1, 0, 0, 0, SMALL_ULONG, code, LIST8, 3, 1, UBYTE, value]
}

/// The length of a sasl-init frame for PLAIN without host name, with a user name and a password of these lengths, in
/// bytes.
#[must_use]
pub const fn init_len(user_name: usize, password: usize) -> usize {
    let response = user_name.saturating_add(password).saturating_add(2);
    frame_len((2 + PLAIN.len()).saturating_add(variable_len(response)))
}

/// The longest frame that every AMQP stack takes before `open`, in bytes (AMQP 1.0, 2.4.1).
pub const MIN_MAX_FRAME_SIZE: usize = 512;

/// A field of a frame.
enum Item<'a> {
    Symbol(&'a str),
    Text(&'a str),
    Binary(&'a [u8]),
    /// Each of at most 255 bytes.
    Symbols(&'a [&'a str]),
}

impl Item<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Symbol(text) | Self::Text(text) => variable_len(text.len()),
            Self::Binary(bytes) => variable_len(bytes.len()),
            Self::Symbols(names) => compound_len(Self::elements_len(names)),
        }
    }

    /// What stands in an array behind its count: one constructor for all, and each symbol behind its length.
    fn elements_len(names: &[&str]) -> usize {
        names.iter().fold(1, |sum, name| sum.saturating_add(1 + name.len()))
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Symbol(text) => write_variable(out, [SYMBOL8, SYMBOL32], text.as_bytes()),
            Self::Text(text) => write_variable(out, [STRING8, STRING32], text.as_bytes()),
            Self::Binary(bytes) => write_variable(out, [BINARY8, BINARY32], bytes),
            Self::Symbols(names) => {
                let len = Self::elements_len(names);
                write_compound_header(out, [ARRAY8, ARRAY32], names.len(), len);
                out.push(SYMBOL8);
                for name in *names {
                    out.push(truncate8(name.len()));
                    out.extend_from_slice(name.as_bytes());
                }
            }
        }
    }
}

fn encode(code: u8, items: &[Item<'_>]) -> Result<Vec<u8>, EncodeError> {
    let items_len = items.iter().fold(0, |sum: usize, item| sum.saturating_add(item.len()));
    let len = frame_len(items_len);
    let size = u32::try_from(len).map_err(|_| EncodeError::TooLong { len })?;
    // The exact size: a buffer that grows would leave copies of a password behind.
    let mut out = Vec::with_capacity(len);
    out.extend(size.to_be_bytes());
    out.extend([2, 1, 0, 0, 0, SMALL_ULONG, code]);
    write_compound_header(&mut out, [LIST8, LIST32], items.len(), items_len);
    items.iter().for_each(|item| item.write(&mut out));
    Ok(out)
}

const fn frame_len(items: usize) -> usize {
    (FRAME_HEADER_LEN + DESCRIPTOR_LEN).saturating_add(compound_len(items))
}

const fn variable_len(len: usize) -> usize {
    len.saturating_add(if len <= 255 { 2 } else { 5 })
}

/// A list or an array whose count is followed by so many bytes.
const fn compound_len(items: usize) -> usize {
    items.saturating_add(if items < 255 { 3 } else { 9 })
}

fn write_variable(out: &mut Vec<u8>, [short, long]: [u8; 2], bytes: &[u8]) {
    if bytes.len() <= 255 {
        out.extend([short, truncate8(bytes.len())]);
    } else {
        out.push(long);
        out.extend(truncate32(bytes.len()).to_be_bytes());
    }
    out.extend_from_slice(bytes);
}

/// The size of a list or an array counts its count too, which is as wide as the size.
fn write_compound_header(out: &mut Vec<u8>, [short, long]: [u8; 2], count: usize, items: usize) {
    if items < 255 {
        out.extend([short, truncate8(items + 1), truncate8(count)]);
    } else {
        out.push(long);
        out.extend(truncate32(items + 4).to_be_bytes());
        out.extend(truncate32(count).to_be_bytes());
    }
}

/// Of a length that fits: nothing is longer than the frame, whose size was checked.
fn truncate32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn truncate8(len: usize) -> u8 {
    u8::try_from(len).unwrap_or(u8::MAX)
}

/// Size, data offset, type and channel.
pub(super) const FRAME_HEADER_LEN: usize = 8;
/// `00 53` and the code of the frame.
const DESCRIPTOR_LEN: usize = 3;

// Constructors (AMQP 1.0, 1.6).
pub(super) const NULL: u8 = 0x40;
pub(super) const UBYTE: u8 = 0x50;
pub(super) const SMALL_ULONG: u8 = 0x53;
pub(super) const ULONG: u8 = 0x80;
pub(super) const LIST0: u8 = 0x45;
pub(super) const LIST8: u8 = 0xc0;
pub(super) const LIST32: u8 = 0xd0;
pub(super) const ARRAY8: u8 = 0xe0;
pub(super) const ARRAY32: u8 = 0xf0;
pub(super) const BINARY8: u8 = 0xa0;
pub(super) const BINARY32: u8 = 0xb0;
pub(super) const STRING8: u8 = 0xa1;
pub(super) const STRING32: u8 = 0xb1;
pub(super) const SYMBOL8: u8 = 0xa3;
pub(super) const SYMBOL32: u8 = 0xb3;
