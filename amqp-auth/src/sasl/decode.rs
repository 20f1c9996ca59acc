//! Frames, read.

use iot_sansio::amqp::SaslCode;

use crate::sasl::{
    Challenge, Frame, Init, Mechanisms, Outcome, Response,
    encode::{
        ARRAY8, ARRAY32, BINARY8, BINARY32, FRAME_HEADER_LEN, LIST0, LIST8, LIST32, NULL,
        SMALL_ULONG, STRING8, STRING32, SYMBOL8, SYMBOL32, UBYTE, ULONG,
    },
    frame::code,
};

/// The usual limit of a frame, in bytes: user names with a token are far longer than the 512 that AMQP promises.
pub const DEFAULT_LIMIT: usize = 8_192;

/// What the start of a buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a frame is there or it is not")]
pub enum Decoded<'a> {
    /// A whole frame.
    Complete {
        /// The frame.
        frame: Frame<'a>,
        /// Its length in bytes: what follows is not its business.
        len: usize,
    },
    /// The start of a frame. Call again with more bytes.
    Partial {
        /// So many bytes are needed, those that are there included; never more than the limit, or 8.
        needed: usize,
    },
}

/// Why bytes are no SASL frame. Positions count from the start of the frame. No variant holds what was received but
/// numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The frame is longer than the limit. A protocol header where a frame should be looks like this too.
    #[error("the frame has {size} bytes: at most {limit} are read before open")]
    TooLong {
        /// Its size in bytes, as it says.
        size: u32,
        /// The limit in bytes.
        limit: usize,
    },
    /// The frame is shorter than its own header.
    #[error("a frame of {size} bytes cannot be: its header has 8")]
    TooShort {
        /// Its size in bytes, as it says.
        size: u32,
    },
    /// The body starts inside the header, or behind the frame.
    #[error("the data offset {doff} at byte 4 must be 2 at least, and lie in the frame")]
    BadDataOffset {
        /// The offset in words of four bytes.
        doff: u8,
    },
    /// It is a frame of another layer: AMQP's before SASL is done.
    #[error("the frame at byte 5 has type {frame_type}, and not 1 for SASL")]
    NotSasl {
        /// Its type: 0 is AMQP.
        frame_type: u8,
    },
    /// A value reaches beyond the frame, or beyond the list that it is in.
    #[error("at byte {index} a value reaches beyond its frame or list")]
    Truncated {
        /// Where the value starts.
        index: usize,
    },
    /// The body is none of the five that SASL has.
    #[error("the body at byte {index} is none of the frames of SASL")]
    UnknownFrame {
        /// Where.
        index: usize,
    },
    /// A value has not the type that belongs there.
    #[error("{field} at byte {index} cannot have the type {constructor:#04x}")]
    #[non_exhaustive]
    WrongType {
        /// What belongs there.
        field: &'static str,
        /// Where.
        index: usize,
        /// The constructor that is there.
        constructor: u8,
    },
    /// A symbol is not ASCII, or a string not UTF-8.
    #[error("{field} at byte {index} is not text")]
    #[non_exhaustive]
    NotText {
        /// Which field.
        field: &'static str,
        /// Where it starts.
        index: usize,
    },
    /// A field that must be there is not, or is null.
    #[error("{field} is missing")]
    #[non_exhaustive]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// A server offers nothing.
    #[error("the list of mechanisms is empty")]
    NoMechanisms,
    /// Something follows the last field, element or the body.
    #[error("at byte {index} something follows that belongs to nothing")]
    TrailingData {
        /// Where.
        index: usize,
    },
}

/// Reads the frame at the start of a buffer, if it is there as a whole and has at most `limit` bytes.
///
/// The buffer may be as short or as long as what has arrived: the size of the frame is looked at before its body is
/// waited for. Nothing is allocated, and the work is linear in the size of the frame.
///
/// # Errors
/// See [`DecodeError`]. After one the connection is lost: there is no way to find the next frame.
///
/// ```
/// use amqp_auth::sasl::{DEFAULT_LIMIT, DecodeError, Decoded, Frame, decode};
///
/// let received = b"\0\0\0\x15\x02\x01\0\0\0\x53\x40\xc0\x08\x01\xa3\x05PLAIN";
/// let Decoded::Complete { frame: Frame::Mechanisms(offered), .. } = decode(received, DEFAULT_LIMIT)? else {
///     panic!("a server says first what it offers");
/// };
/// assert!(offered.offers_plain());
/// assert_eq!(decode(b"\0\0\0\x15", 20), Err(DecodeError::TooLong { size: 21, limit: 20 }));
/// # Ok::<(), DecodeError>(())
/// ```
pub fn decode(bytes: &[u8], limit: usize) -> Result<Decoded<'_>, DecodeError> {
    let Some(size) = bytes.first_chunk() else {
        return Ok(Decoded::Partial { needed: FRAME_HEADER_LEN });
    };
    let size = u32::from_be_bytes(*size);
    let len = usize::try_from(size).unwrap_or(usize::MAX);
    if len < FRAME_HEADER_LEN {
        return Err(DecodeError::TooShort { size });
    }
    if len > limit {
        return Err(DecodeError::TooLong { size, limit });
    }
    if let Some(doff) = bytes.get(4).copied() {
        if doff < 2 || usize::from(doff) * 4 > len {
            return Err(DecodeError::BadDataOffset { doff });
        }
    }
    if let Some(frame_type) = bytes.get(5).copied().filter(|frame_type| *frame_type != 1) {
        return Err(DecodeError::NotSasl { frame_type });
    }
    let Some(frame) = bytes.get(..len) else { return Ok(Decoded::Partial { needed: len }) };
    let body = usize::from(frame[4]) * 4;
    let frame = decode_body(Reader { bytes: frame, index: body })?;
    Ok(Decoded::Complete { frame, len })
}

fn decode_body(mut reader: Reader<'_>) -> Result<Frame<'_>, DecodeError> {
    let code = reader.descriptor()?;
    let mut fields = Fields::of(reader)?;
    let frame = match code {
        code::MECHANISMS => Frame::Mechanisms(fields.mechanisms()?),
        code::INIT => Frame::Init(Init {
            mechanism: required("mechanism", fields.symbol("mechanism")?)?,
            initial_response: fields.binary("initial-response")?,
            hostname: fields.string("hostname")?,
        }),
        code::CHALLENGE => Frame::Challenge(Challenge {
            challenge: required("challenge", fields.binary("challenge")?)?,
        }),
        code::RESPONSE => Frame::Response(Response {
            response: required("response", fields.binary("response")?)?,
        }),
        _ => Frame::Outcome(Outcome {
            code: required("code", fields.ubyte("code")?).map(SaslCode::new)?,
            additional_data: fields.binary("additional-data")?,
        }),
    };
    fields.end()?;
    Ok(frame)
}

fn required<T>(field: &'static str, value: Option<T>) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Missing { field })
}

/// Bytes with a place in them. The end of the bytes is the end of what the value that is read lies in.
struct Reader<'a> {
    bytes: &'a [u8],
    index: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let index = self.index;
        let end = index.checked_add(len).ok_or(DecodeError::Truncated { index })?;
        let taken = self.bytes.get(index..end).ok_or(DecodeError::Truncated { index })?;
        self.index = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let index = self.index;
        match self.take(1)? {
            [byte] => Ok(*byte),
            _ => Err(DecodeError::Truncated { index }),
        }
    }

    /// A number of 1 or 4 bytes, such as sizes and counts are.
    fn number(&mut self, width: usize) -> Result<usize, DecodeError> {
        let bytes = self.take(width)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    /// Bytes behind their length.
    fn variable(&mut self, width: usize) -> Result<&'a [u8], DecodeError> {
        let len = self.number(width)?;
        self.take(len)
    }

    /// The code of the frame, as a number of either width or as a symbol.
    fn descriptor(&mut self) -> Result<u8, DecodeError> {
        let index = self.index;
        if self.byte()? != 0 {
            return Err(DecodeError::UnknownFrame { index });
        }
        let symbol = match self.byte()? {
            SMALL_ULONG => {
                let code = self.byte()?;
                return if (code::MECHANISMS..=code::OUTCOME).contains(&code) {
                    Ok(code)
                } else {
                    Err(DecodeError::UnknownFrame { index })
                };
            }
            ULONG => {
                return match self.take(8)? {
                    [0, 0, 0, 0, 0, 0, 0, code @ code::MECHANISMS..=code::OUTCOME] => Ok(*code),
                    _ => Err(DecodeError::UnknownFrame { index }),
                };
            }
            SYMBOL8 => self.variable(1)?,
            SYMBOL32 => self.variable(4)?,
            _ => return Err(DecodeError::UnknownFrame { index }),
        };
        Ok(match symbol {
            b"amqp:sasl-mechanisms:list" => code::MECHANISMS,
            b"amqp:sasl-init:list" => code::INIT,
            b"amqp:sasl-challenge:list" => code::CHALLENGE,
            b"amqp:sasl-response:list" => code::RESPONSE,
            b"amqp:sasl-outcome:list" => code::OUTCOME,
            _ => return Err(DecodeError::UnknownFrame { index }),
        })
    }
}

/// The fields of a list, one after the other. Those at the end may be left out.
struct Fields<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Fields<'a> {
    /// The list that is the rest of the frame.
    fn of(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let index = reader.index;
        let constructor = reader.byte()?;
        let width = match constructor {
            LIST0 => return Ok(Self { reader, left: 0 }),
            LIST8 => 1,
            LIST32 => 4,
            _ => return Err(DecodeError::WrongType { field: "the list", index, constructor }),
        };
        let size = reader.number(width)?;
        let end = reader.index.saturating_add(size);
        if end > reader.bytes.len() {
            return Err(DecodeError::Truncated { index });
        }
        if end < reader.bytes.len() {
            return Err(DecodeError::TrailingData { index: end });
        }
        let left = reader.number(width)?;
        Ok(Self { reader, left })
    }

    /// The constructor of the next field with its place; none when the field is null or left out.
    fn next(&mut self) -> Result<Option<(u8, usize)>, DecodeError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let index = self.reader.index;
        let constructor = self.reader.byte()?;
        Ok((constructor != NULL).then_some((constructor, index)))
    }

    /// A field of bytes, with its place; its constructor is one of these.
    fn bytes(
        &mut self,
        field: &'static str,
        [short, long]: [u8; 2],
    ) -> Result<Option<(&'a [u8], usize)>, DecodeError> {
        let Some((constructor, index)) = self.next()? else { return Ok(None) };
        let width = match constructor {
            constructor if constructor == short => 1,
            constructor if constructor == long => 4,
            _ => return Err(DecodeError::WrongType { field, index, constructor }),
        };
        Ok(Some((self.reader.variable(width)?, index)))
    }

    fn binary(&mut self, field: &'static str) -> Result<Option<&'a [u8]>, DecodeError> {
        Ok(self.bytes(field, [BINARY8, BINARY32])?.map(|(bytes, _)| bytes))
    }

    fn symbol(&mut self, field: &'static str) -> Result<Option<&'a str>, DecodeError> {
        match self.bytes(field, [SYMBOL8, SYMBOL32])? {
            Some((bytes, index)) => symbol(field, bytes, index).map(Some),
            None => Ok(None),
        }
    }

    fn string(&mut self, field: &'static str) -> Result<Option<&'a str>, DecodeError> {
        let Some((bytes, index)) = self.bytes(field, [STRING8, STRING32])? else { return Ok(None) };
        core::str::from_utf8(bytes).map(Some).map_err(|_| DecodeError::NotText { field, index })
    }

    fn ubyte(&mut self, field: &'static str) -> Result<Option<u8>, DecodeError> {
        match self.next()? {
            None => Ok(None),
            Some((UBYTE, _)) => self.reader.byte().map(Some),
            Some((constructor, index)) => Err(DecodeError::WrongType { field, index, constructor }),
        }
    }

    /// An array of symbols, or one symbol alone.
    fn mechanisms(&mut self) -> Result<Mechanisms<'a>, DecodeError> {
        const FIELD: &str = "sasl-server-mechanisms";
        let (constructor, index) = required(FIELD, self.next()?)?;
        let reader = &mut self.reader;
        let width = match constructor {
            ARRAY8 => 1,
            ARRAY32 => 4,
            SYMBOL8 | SYMBOL32 => {
                let width = if constructor == SYMBOL8 { 1 } else { 4 };
                let start = reader.index;
                symbol(FIELD, reader.variable(width)?, index)?;
                return Ok(Mechanisms::new(&reader.bytes[start..reader.index], width));
            }
            _ => return Err(DecodeError::WrongType { field: FIELD, index, constructor }),
        };
        let start = reader.index + width;
        let size = reader.variable(width)?.len();
        let mut array = Reader { bytes: &reader.bytes[..start + size], index: start };
        let count = array.number(width)?;
        if count == 0 {
            return Err(DecodeError::NoMechanisms);
        }
        let index = array.index;
        let width = match array.byte()? {
            SYMBOL8 => 1,
            SYMBOL32 => 4,
            constructor => return Err(DecodeError::WrongType { field: FIELD, index, constructor }),
        };
        let start = array.index;
        // However large the count: each symbol takes a byte at least, and the array ends.
        for _ in 0..count {
            let index = array.index;
            symbol(FIELD, array.variable(width)?, index)?;
        }
        if array.index < array.bytes.len() {
            return Err(DecodeError::TrailingData { index: array.index });
        }
        Ok(Mechanisms::new(&array.bytes[start..], width))
    }

    /// That nothing is left: of the fields, and of the bytes.
    fn end(self) -> Result<(), DecodeError> {
        let index = self.reader.index;
        if self.left > 0 || index < self.reader.bytes.len() {
            return Err(DecodeError::TrailingData { index });
        }
        Ok(())
    }
}

fn symbol<'a>(field: &'static str, bytes: &'a [u8], index: usize) -> Result<&'a str, DecodeError> {
    let text = core::str::from_utf8(bytes).ok().filter(|text| text.is_ascii());
    text.ok_or(DecodeError::NotText { field, index })
}
