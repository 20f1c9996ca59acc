//! The rules that all commands share: how lines are read, what their members are, and how answers are written.
//!
//! A line is read as names and raw values, and only the members that a command asks for are looked into: the others may be
//! whatever JSON can be, and numbers and payloads keep every digit. Of a member that is there twice the last counts.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, BufRead, Read as _, Write},
    str,
    time::Duration,
};

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json, value::RawValue};

/// The lines of an input, without the blank ones.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
}

/// One line: its number, counted from 1 with the blank ones, and its members.
pub(super) type Line<'a> = (u64, Result<Members<'a>, Failure>);

/// The members of one line; null ones count as absent.
pub(super) struct Members<'a>(BTreeMap<Name<'a>, &'a RawValue>);

/// The name of a member in bytes, because half of a surrogate pair, which JSON can hold, is no text.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Name<'a>(#[serde(borrow)] Cow<'a, [u8]>);

/// Why there is no answer to a line. Serialised it is the `error` of the output.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    kind: &'static str,
    message: String,
    /// More members, which carry what the message says to programs.
    #[serde(flatten)]
    details: Map<String, Value>,
}

/// The output of a command, which remembers whether it holds an error.
pub(super) struct Output<W> {
    writer: W,
    all_in_order: bool,
}

/// The answer to a line.
#[derive(Serialize)]
struct Answer<'a, T> {
    line: u64,
    ok: &'a T,
}

/// The answer to a part of a line that does not decide over the others.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome<T> {
    Ok(T),
    Error(Failure),
}

impl<T> From<Result<T, Failure>> for Outcome<T> {
    fn from(result: Result<T, Failure>) -> Self {
        match result {
            Ok(ok) => Self::Ok(ok),
            Err(failure) => Self::Error(failure),
        }
    }
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), number: 0 }
    }

    /// The next line that is not blank; none at the end of the input.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            self.number += 1;
            self.buffer.clear();
            // Some bytes more, for what stands around the line.
            let most = MAX_LINE_BYTES + BYTE_ORDER_MARK.len() + "\r\n".len();
            let mut limited = (&mut self.input).take(most as u64);
            if limited.read_until(b'\n', &mut self.buffer)? == 0 {
                return Ok(None);
            }
            let is_ended = self.buffer.pop_if(|last| *last == b'\n').is_some();
            if is_ended {
                self.buffer.pop_if(|last| *last == b'\r');
            }
            if self.number == 1 && self.buffer.starts_with(BYTE_ORDER_MARK) {
                self.buffer.drain(..BYTE_ORDER_MARK.len());
            }
            if self.buffer.len() > MAX_LINE_BYTES {
                if !is_ended {
                    self.input.skip_until(b'\n')?;
                }
                let failure = format!("the line has more than {MAX_LINE_BYTES} bytes");
                return Ok(Some((self.number, Err(Failure::bad_input(failure)))));
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(Some((self.number, Members::parse(&self.buffer))));
            }
        }
    }
}

impl<'a> Members<'a> {
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, Failure> {
        let text = str::from_utf8(line).map_err(|error| {
            Failure::bad_input(format!("the line is not UTF-8 at byte {}", error.valid_up_to()))
        })?;
        // The first look is at the syntax of the names, too, which is not looked at where they are read as bytes.
        let members =
            serde_json::from_str::<&RawValue>(text).and_then(|_| serde_json::from_str(text));
        // Not serde_json's own words: they can hold a piece of the line, and so a secret.
        members.map(Self).map_err(|error| {
            let column = error.column();
            Failure::bad_input(format!("the line is not a JSON object, seen at column {column}"))
        })
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        self.read(name, "a text")
    }

    pub(super) fn required_text(&self, name: &str) -> Result<String, Failure> {
        self.text(name)?.ok_or_else(|| Failure::missing(name))
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.digits(name, "a 64-bit integer")
    }

    pub(super) fn required_integer(&self, name: &str) -> Result<i64, Failure> {
        self.integer(name)?.ok_or_else(|| Failure::missing(name))
    }

    /// An integer of 32 bits that is not negative.
    pub(super) fn natural(&self, name: &str) -> Result<Option<u32>, Failure> {
        self.digits(name, "an integer from 0 to 4294967295")
    }

    /// A span of time in milliseconds.
    pub(super) fn span(&self, name: &str) -> Result<Option<Duration>, Failure> {
        let millis = self.digits(name, "a 64-bit integer of at least 0")?;
        Ok(millis.map(Duration::from_millis))
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.read(name, "a boolean")
    }

    /// The bytes of a payload that should be JSON: `payload`, a text or an object, or `payloadHex`.
    pub(super) fn json_payload(&self) -> Result<Option<Vec<u8>>, Failure> {
        match self.raw(PAYLOAD) {
            Some(raw) if raw.get().starts_with('{') => {
                self.text_or_hex(PAYLOAD, Some(compact(raw.get())))
            }
            _ => self.text_or_hex(PAYLOAD, self.read(PAYLOAD, "a text or an object")?),
        }
    }

    /// The bytes of a member that is a text, or hex under its name with `Hex` behind.
    pub(super) fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.text_or_hex(name, self.text(name)?)
    }

    /// The bytes of a member that is hex.
    pub(super) fn hex(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let decode = |digits: String| HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
        let bad = |error| Failure::bad_member(name, &format!("is not hex: {error}"));
        self.text(name)?.map(decode).transpose().map_err(bad)
    }

    fn text_or_hex(&self, name: &str, text: Option<String>) -> Result<Option<Vec<u8>>, Failure> {
        let hex_name = format!("{name}Hex");
        match (text, self.text(&hex_name)?) {
            (Some(_), Some(_)) => {
                Err(Failure::bad_input(format!("both {name} and {hex_name} are there")))
            }
            (Some(text), None) => Ok(Some(text.into_bytes())),
            (None, _) => self.hex(&hex_name),
        }
    }

    /// A member that is an object itself.
    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, Failure> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        let members: Option<_> = serde_json::from_str(raw.get())
            .map_err(|_| Failure::bad_member(name, "is not an object"))?;
        Ok(members.map(Self))
    }

    /// All members as they are written, null ones among them, with their names in bytes.
    pub(super) fn all(&self) -> impl Iterator<Item = (&[u8], &'a RawValue)> {
        self.0.iter().map(|(name, raw)| (&*name.0, *raw))
    }

    fn read<T: DeserializeOwned>(&self, name: &str, what: &str) -> Result<Option<T>, Failure> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        serde_json::from_str(raw.get())
            .map_err(|_| Failure::bad_member(name, &format!("is not {what}")))
    }

    fn digits<T: TryFrom<i128>>(&self, name: &str, what: &str) -> Result<Option<T>, Failure> {
        let Some(raw) = self.raw(name).map(RawValue::get).filter(|raw| *raw != "null") else {
            return Ok(None);
        };
        let bad = || Failure::bad_member(name, &format!("is not {what}"));
        integer(raw).map(Some).ok_or_else(bad)
    }

    /// A member as it is written.
    pub(super) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(&Name(Cow::Borrowed(name.as_bytes()))).copied()
    }
}

/// The integer that a JSON value is. serde_json takes `-0` for a number with a fraction.
pub(super) fn integer<T: TryFrom<i128>>(json: &str) -> Option<T> {
    T::try_from(json.parse().ok()?).ok()
}

/// JSON without the space between its tokens: members stay in their order, numbers as they are written.
pub(super) fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let is_kept = |character: &char| {
        in_string ^= *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        in_string || !matches!(character, ' ' | '\t' | '\n' | '\r')
    };
    json.chars().filter(is_kept).collect()
}

impl Failure {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: Map::new() }
    }

    /// The line itself is not as the command needs it.
    pub(super) fn bad_input(message: impl Into<String>) -> Self {
        Self::new("BadInput", message)
    }

    /// A member that the command needs is absent.
    pub(super) fn missing(name: &str) -> Self {
        Self::bad_member(name, "is missing")
    }

    /// One member of the line is not as the command needs it.
    pub(super) fn bad_member(name: &str, problem: &str) -> Self {
        Self::bad_input(format!("{name} {problem}")).in_field(name)
    }

    /// About this field.
    pub(super) fn in_field(self, field: impl ToString) -> Self {
        self.with("field", field.to_string())
    }

    /// With one more member.
    pub(super) fn with(mut self, name: &str, detail: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), detail.into());
        self
    }
}

impl<W: Write> Output<W> {
    pub(super) const fn new(writer: W) -> Self {
        Self { writer, all_in_order: true }
    }

    /// Writes the answer to a line.
    pub(super) fn answer(&mut self, line: u64, ok: &impl Serialize) -> io::Result<()> {
        self.write(&Answer { line, ok })
    }

    /// Writes why there is no answer to a line.
    pub(super) fn fail(&mut self, line: u64, failure: &Failure) -> io::Result<()> {
        self.all_in_order = false;
        self.write(&json!({ "line": line, "error": failure }))
    }

    /// Writes one line.
    pub(super) fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.writer, line)?;
        writeln!(self.writer)
    }

    /// Hands over all that was written.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// Whether no error was among what was written.
    pub(super) const fn is_all_in_order(&self) -> bool {
        self.all_in_order
    }
}

/// Answers each line for itself.
pub(super) fn answer_each<T: Serialize>(
    input: impl BufRead,
    output: &mut Output<impl Write>,
    answer: impl Fn(&Members<'_>) -> Result<T, Failure>,
) -> io::Result<()> {
    let mut lines = Lines::new(input);
    while let Some((line, members)) = lines.next()? {
        match members.and_then(|members| answer(&members)) {
            Ok(ok) => output.answer(line, &ok)?,
            Err(failure) => output.fail(line, &failure)?,
        }
    }
    Ok(())
}

/// The name of an error's variant: a function from the error to its name, with the variants as its only list.
///
/// The errors may get variants that this list does not have, so there is a last arm. It says so, and a test holds the
/// lists against the crates.
macro_rules! variant_names {
    ($function:ident: $error:ident { $($variant:ident,)* }) => {
        fn $function(error: &$error) -> &'static str {
            match error {
                $($error::$variant { .. } => stringify!($variant),)*
                _ => concat!("Unlisted", stringify!($error)),
            }
        }
    };
}
pub(super) use variant_names;

const PAYLOAD: &str = "payload";
/// Of a line itself: its end, and a byte order mark before it, do not count.
const MAX_LINE_BYTES: usize = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
