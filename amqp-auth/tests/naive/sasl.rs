//! The frames of SASL read again, in no hurry: AMQP 1.0, section 1.6 as a generic reader of values, and then 5.3.3 over
//! what it read.

use amqp_auth::sasl;

/// A frame as owned data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Mechanisms(Vec<String>),
    Init { mechanism: String, response: Option<Vec<u8>>, hostname: Option<String> },
    Challenge(Vec<u8>),
    Response(Vec<u8>),
    Outcome { code: u8, additional_data: Option<Vec<u8>> },
}

/// What the crate read, to compare with what the reference did.
impl From<&sasl::Frame<'_>> for Frame {
    fn from(frame: &sasl::Frame<'_>) -> Self {
        match frame {
            sasl::Frame::Mechanisms(offered) => {
                Self::Mechanisms(offered.iter().map(str::to_owned).collect())
            }
            sasl::Frame::Init(init) => Self::Init {
                mechanism: init.mechanism.to_owned(),
                response: init.initial_response.map(<[u8]>::to_vec),
                hostname: init.hostname.map(str::to_owned),
            },
            sasl::Frame::Challenge(challenge) => Self::Challenge(challenge.challenge.to_vec()),
            sasl::Frame::Response(response) => Self::Response(response.response.to_vec()),
            sasl::Frame::Outcome(outcome) => Self::Outcome {
                code: outcome.code.get(),
                additional_data: outcome.additional_data.map(<[u8]>::to_vec),
            },
            other => panic!("no frame of the reference: {other:?}"),
        }
    }
}

/// A value of the types that SASL knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Ubyte(u8),
    Ulong(u64),
    Binary(Vec<u8>),
    String(String),
    Symbol(String),
    List(Vec<Self>),
    Array(Vec<Self>),
}

/// What a buffer starts with: a frame and its length, or so many bytes that are needed. None is refusal.
pub(crate) fn decode(bytes: &[u8], limit: usize) -> Option<Result<(Frame, usize), usize>> {
    if bytes.len() < 4 {
        return Some(Err(8));
    }
    let size = len(&bytes[..4]);
    if size < 8 || size > limit {
        return None;
    }
    // What is wrong in the header may be seen before the rest is there.
    if bytes.len() > 4 && (bytes[4] < 2 || usize::from(bytes[4]) * 4 > size) {
        return None;
    }
    if bytes.len() > 5 && bytes[5] != 1 {
        return None;
    }
    if bytes.len() < size {
        return Some(Err(size));
    }
    frame(&bytes[usize::from(bytes[4]) * 4..size]).map(|frame| Ok((frame, size)))
}

fn frame(body: &[u8]) -> Option<Frame> {
    if body.first() != Some(&0) {
        return None;
    }
    let (descriptor, used) = value(&body[1..])?;
    let (Value::List(fields), rest) = value(&body[1 + used..])? else { return None };
    if 1 + used + rest != body.len() {
        return None;
    }
    let names = ["mechanisms", "init", "challenge", "response", "outcome"];
    let place = (0..names.len()).find(|place| match &descriptor {
        Value::Ulong(code) => *code == 0x40 + *place as u64,
        Value::Symbol(symbol) => *symbol == format!("amqp:sasl-{}:list", names[*place]),
        _ => false,
    })?;
    let most = [1, 3, 1, 1, 2][place];
    if fields.len() > most {
        return None;
    }
    let field = |place: usize| fields.get(place).cloned().unwrap_or(Value::Null);
    Some(match place {
        0 => Frame::Mechanisms(match field(0) {
            Value::Symbol(name) => vec![name],
            Value::Array(names) if !names.is_empty() => {
                names.into_iter().map(symbol).collect::<Option<_>>()?
            }
            _ => return None,
        }),
        1 => Frame::Init {
            mechanism: symbol(field(0))?,
            response: binary(field(1))?,
            hostname: match field(2) {
                Value::Null => None,
                Value::String(text) => Some(text),
                _ => return None,
            },
        },
        2 => Frame::Challenge(binary(field(0))??),
        3 => Frame::Response(binary(field(0))??),
        _ => Frame::Outcome {
            code: match field(0) {
                Value::Ubyte(code) => code,
                _ => return None,
            },
            additional_data: binary(field(1))?,
        },
    })
}

fn symbol(value: Value) -> Option<String> {
    if let Value::Symbol(name) = value { Some(name) } else { None }
}

fn binary(value: Value) -> Option<Option<Vec<u8>>> {
    match value {
        Value::Null => Some(None),
        Value::Binary(bytes) => Some(Some(bytes)),
        _ => None,
    }
}

/// A value and how many bytes it takes.
fn value(bytes: &[u8]) -> Option<(Value, usize)> {
    let (value, used) = value_of(*bytes.first()?, &bytes[1..])?;
    Some((value, used + 1))
}

fn value_of(constructor: u8, bytes: &[u8]) -> Option<(Value, usize)> {
    // The first half byte says how many bytes there are, or how many tell that.
    let (width, is_variable) = match constructor >> 4 {
        0x4 => (0, false),
        0x5 => (1, false),
        0x8 => (8, false),
        0xa | 0xc | 0xe => (1, true),
        0xb | 0xd | 0xf => (4, true),
        _ => return None,
    };
    let head = bytes.get(..width)?;
    let len = if is_variable { len(head) } else { 0 };
    let data = bytes.get(width..)?.get(..len)?;
    let value = match constructor {
        0x40 => Value::Null,
        0x45 => Value::List(Vec::new()),
        0x50 => Value::Ubyte(head[0]),
        0x53 | 0x80 => Value::Ulong(number(head)),
        0xa0 | 0xb0 => Value::Binary(data.to_vec()),
        0xa1 | 0xb1 => Value::String(String::from_utf8(data.to_vec()).ok()?),
        0xa3 | 0xb3 => {
            Value::Symbol(String::from_utf8(data.to_vec()).ok().filter(|text| text.is_ascii())?)
        }
        0xc0 | 0xd0 => {
            let (mut items, mut index) = (Vec::new(), width);
            for _ in 0..number(data.get(..width)?) {
                let (item, used) = value(data.get(index..)?)?;
                items.push(item);
                index += used;
            }
            Value::List(items).filter(index == data.len())?
        }
        0xe0 | 0xf0 => {
            let (mut items, mut index) = (Vec::new(), width + 1);
            for _ in 0..number(data.get(..width)?) {
                let (item, used) = value_of(*data.get(width)?, data.get(index..)?)?;
                // Nothing makes an array of such values longer: only what SASL has is read.
                if !matches!(item, Value::Symbol(_)) {
                    return None;
                }
                items.push(item);
                index += used;
            }
            Value::Array(items).filter(index == data.len())?
        }
        _ => return None,
    };
    Some((value, width + len))
}

impl Value {
    fn filter(self, condition: bool) -> Option<Self> {
        condition.then_some(self)
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number * 256 + u64::from(*byte))
}

/// More than there are bytes, where it does not fit.
fn len(bytes: &[u8]) -> usize {
    usize::try_from(number(bytes)).unwrap_or(usize::MAX)
}
