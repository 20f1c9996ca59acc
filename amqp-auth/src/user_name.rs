//! The user name, read.

use alloc::string::String;
use core::fmt;

use iot_sansio::UnixMillis;
use memchr::memchr;

use crate::{AuthMode, Field, SignMethod, consumer::MAX_CLIENT_ID_CHARS};

/// A user name that was taken apart (specification, section 3.1). It borrows; reading it allocates nothing.
///
/// None of it is proven: [`verify`](crate::verify) is what compares it with a password. `Debug` shows no token.
///
/// ```
/// use amqp_auth::{ParseError, SignMethod, UserName};
///
/// let text = "client-01|authMode=aksign,signMethod=Hmacsha1,consumerGroupId=G,authId=K,timestamp=1|";
/// let user_name = UserName::parse(text.as_bytes())?;
/// assert_eq!(user_name.client_id(), "client-01");
/// assert_eq!(user_name.sign_method(), SignMethod::HmacSha1);
/// assert_eq!(UserName::parse(b"client-01|authMode=aksign"), Err(ParseError::MissingClosingBar));
/// # Ok::<(), ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserName<'a> {
    client_id: &'a str,
    instance_id: Option<&'a str>,
    auth_mode: AuthMode,
    security_token: Option<&'a str>,
    sign_method: SignMethod,
    consumer_group_id: &'a str,
    auth_id: &'a str,
    timestamp: i64,
    timestamp_text: &'a str,
    params: &'a str,
}

/// Why a user name is refused. Of several reasons the first in this order is told, parameters from the left.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Longer than any that this crate reads.
    #[error("the user name has {len} bytes: at most {limit} are read", limit = MAX_LEN)]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// Not UTF-8.
    #[error("the user name is not UTF-8 from byte {index} on")]
    NotUtf8 {
        /// Where, in bytes.
        index: usize,
    },
    /// It holds a control character.
    #[error("the user name holds the control character {ch:?} at byte {index}")]
    ForbiddenChar {
        /// Where, in bytes.
        index: usize,
        /// Which.
        ch: char,
    },
    /// No bar ends the client id.
    #[error("no bar follows the client id: the shape is clientId|key=value,key=value|")]
    MissingOpeningBar,
    /// Nothing stands before the first bar.
    #[error("clientId is empty: 1 to 64 characters stand before the first bar")]
    ClientIdEmpty,
    /// The client id has too many characters.
    #[error("clientId has {chars} characters: at most 64 are allowed")]
    ClientIdTooLong {
        /// How many, as Unicode scalar values.
        chars: usize,
    },
    /// No bar ends the parameters.
    #[error("no bar closes the parameters: the shape is clientId|key=value,key=value|")]
    MissingClosingBar,
    /// Something follows the closing bar.
    #[error("something follows the closing bar at byte {index}: no value may hold a bar")]
    TrailingData {
        /// Where, in bytes.
        index: usize,
    },
    /// There are more parameters than this crate reads.
    #[error("there are more than {limit} parameters", limit = MAX_PARAMS)]
    TooManyParams,
    /// Nothing stands between two commas.
    #[error("a parameter is empty at byte {index}: one comma stands between two")]
    EmptyParam {
        /// Where, in bytes.
        index: usize,
    },
    /// A parameter has no equals sign.
    #[error("a parameter has no equals sign at byte {index}: no value may hold a comma")]
    MissingEquals {
        /// Where, in bytes.
        index: usize,
    },
    /// A key is not of letters and digits.
    #[error("the key of a parameter at byte {index} is not of letters and digits")]
    BadKey {
        /// Where, in bytes.
        index: usize,
    },
    /// A key is there twice.
    #[error("parameter {key} is there twice")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// The mode is neither `aksign` nor `ststoken`, in lower case.
    #[error("authMode must be aksign or ststoken")]
    UnknownAuthMode,
    /// The method is none of the three.
    #[error("signMethod must be hmacmd5, hmacsha1 or hmacsha256")]
    UnknownSignMethod,
    /// A parameter that must be there is not.
    #[error("{field} is missing")]
    #[non_exhaustive]
    Missing {
        /// Which.
        field: Field,
    },
    /// A value that must not be empty is.
    #[error("{field} is empty")]
    #[non_exhaustive]
    Empty {
        /// Which.
        field: Field,
    },
    /// A token in mode `aksign`.
    #[error("authMode aksign takes no securityToken: use ststoken, or leave the token out")]
    UnexpectedSecurityToken,
    /// The timestamp is not a number of 1 to 19 digits that fits 63 bits.
    #[error("timestamp must be 1 to 19 digits, milliseconds since the Unix epoch")]
    BadTimestamp,
}

impl<'a> UserName<'a> {
    /// Takes a user name apart.
    ///
    /// # Errors
    /// See [`ParseError`], whose order is that of the checks.
    #[inline]
    pub fn parse(user_name: &'a [u8]) -> Result<Self, ParseError> {
        if user_name.len() > MAX_LEN {
            return Err(ParseError::TooLong { len: user_name.len() });
        }
        let text = core::str::from_utf8(user_name)
            .map_err(|error| ParseError::NotUtf8 { index: error.valid_up_to() })?;
        check_controls(text)?;
        let (client_id, rest) = split_once(text, b'|').ok_or(ParseError::MissingOpeningBar)?;
        if client_id.is_empty() {
            return Err(ParseError::ClientIdEmpty);
        }
        // Most are short enough in bytes already.
        if client_id.len() > MAX_CLIENT_ID_CHARS {
            let chars = client_id.chars().count();
            if chars > MAX_CLIENT_ID_CHARS {
                return Err(ParseError::ClientIdTooLong { chars });
            }
        }
        let (params, trailing) = split_once(rest, b'|').ok_or(ParseError::MissingClosingBar)?;
        if !trailing.is_empty() {
            return Err(ParseError::TrailingData { index: text.len() - trailing.len() });
        }
        Values::read(params, client_id.len() + 1)?.check(client_id, params)
    }

    /// The client id.
    #[must_use]
    pub const fn client_id(&self) -> &'a str {
        self.client_id
    }

    /// The id of the instance; none when it is absent or empty.
    #[must_use]
    pub const fn instance_id(&self) -> Option<&'a str> {
        self.instance_id
    }

    /// The mode.
    #[must_use]
    pub const fn auth_mode(&self) -> AuthMode {
        self.auth_mode
    }

    /// The token: there in mode `ststoken` only. Do not print it.
    #[must_use]
    pub const fn security_token(&self) -> Option<&'a str> {
        self.security_token
    }

    /// The method.
    #[must_use]
    pub const fn sign_method(&self) -> SignMethod {
        self.sign_method
    }

    /// The id of the consumer group.
    #[must_use]
    pub const fn consumer_group_id(&self) -> &'a str {
        self.consumer_group_id
    }

    /// The AccessKey id.
    #[must_use]
    pub const fn auth_id(&self) -> &'a str {
        self.auth_id
    }

    /// The time that was signed.
    #[must_use]
    pub const fn timestamp(&self) -> UnixMillis {
        UnixMillis::new(self.timestamp)
    }

    /// The parameters that this crate does not know, in their order.
    pub fn extensions(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        extensions(self.params)
    }

    /// All parameters, as they stand there.
    pub(crate) const fn params(&self) -> &'a str {
        self.params
    }

    /// Feeds what the MAC is over: the text of the timestamp as it was received, leading zeros included.
    #[inline]
    pub(crate) fn feed_signed(&self, mut feed: impl FnMut(&[u8])) {
        let (auth_id, timestamp) = (self.auth_id.as_bytes(), self.timestamp_text.as_bytes());
        match self.security_token {
            Some(token) => {
                feed(b"authId=");
                feed(auth_id);
                feed(b"&securityToken=");
                feed(token.as_bytes());
                feed(b"&timestamp=");
                feed(timestamp);
            }
            None => feed_at_once([b"authId=", auth_id, b"&timestamp=", timestamp], feed),
        }
    }
}

/// Feeds the whole at once where it is short: each piece has a price of its own.
#[inline]
fn feed_at_once(pieces: [&[u8]; 4], mut feed: impl FnMut(&[u8])) {
    let mut whole = [0; 96];
    let mut len = 0;
    for piece in pieces {
        let end = len + piece.len();
        let Some(room) = whole.get_mut(len..end) else {
            return pieces.into_iter().for_each(feed);
        };
        room.copy_from_slice(piece);
        len = end;
    }
    feed(&whole[..len]);
}

impl fmt::Debug for UserName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserName")
            .field("client_id", &self.client_id)
            .field("instance_id", &self.instance_id)
            .field("auth_mode", &self.auth_mode)
            .field("security_token", &self.security_token.map(|_| format_args!("[redacted]")))
            .field("sign_method", &self.sign_method)
            .field("consumer_group_id", &self.consumer_group_id)
            .field("auth_id", &self.auth_id)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

/// The values of the known parameters, unchecked.
#[derive(Default)]
struct Values<'a> {
    instance_id: Option<&'a str>,
    auth_mode: Option<&'a str>,
    security_token: Option<&'a str>,
    sign_method: Option<&'a str>,
    consumer_group_id: Option<&'a str>,
    auth_id: Option<&'a str>,
    timestamp: Option<&'a str>,
    has_empty_extension: bool,
}

impl<'a> Values<'a> {
    /// Reads the parameters, of which the first stands at this byte of the user name.
    #[inline(always)]
    fn read(params: &'a str, offset: usize) -> Result<Self, ParseError> {
        let mut values = Self::default();
        let (mut rest, mut count) = (params, 0);
        loop {
            if count == MAX_PARAMS {
                return Err(ParseError::TooManyParams);
            }
            let (param, behind) = match split_once(rest, b',') {
                Some((param, behind)) => (param, Some(behind)),
                None => (rest, None),
            };
            let twice = match values.set(param) {
                Ok(true) => None,
                Err(key) => Some(key),
                Ok(false) => {
                    let index = offset + params.len() - rest.len();
                    let (key, value) = extension(param, index)?;
                    values.has_empty_extension |= value.is_empty();
                    pairs(params).take(count).any(|(earlier, _)| earlier == key).then_some(key)
                }
            };
            if let Some(key) = twice {
                return Err(ParseError::DuplicateKey { key: key.into() });
            }
            count += 1;
            match behind {
                Some(behind) => rest = behind,
                None => return Ok(values),
            }
        }
    }

    /// Sets the value of a parameter, and tells whether it is one that is known; its key if the value was set before.
    #[inline(always)]
    fn set(&mut self, param: &'a str) -> Result<bool, &'static str> {
        // Compared with the keys that start so, which is faster than to look for the equals sign first.
        macro_rules! set {
            ($($key:literal => $slot:ident),+) => {{
                $(if let Some(value) = param.strip_prefix(concat!($key, "=")) {
                    return match self.$slot.replace(value) {
                        None => Ok(true),
                        Some(_) => Err($key),
                    };
                })+
            }};
        }
        match param.as_bytes().first() {
            Some(b'a') => set!("authMode" => auth_mode, "authId" => auth_id),
            Some(b'c') => set!("consumerGroupId" => consumer_group_id),
            Some(b'i') => set!("iotInstanceId" => instance_id),
            Some(b's') => set!("signMethod" => sign_method, "securityToken" => security_token),
            Some(b't') => set!("timestamp" => timestamp),
            _ => {}
        }
        Ok(false)
    }

    #[inline(always)]
    fn check(self, client_id: &'a str, params: &'a str) -> Result<UserName<'a>, ParseError> {
        let auth_mode = match self.auth_mode.map(AuthMode::from_text) {
            Some(None) => return Err(ParseError::UnknownAuthMode),
            known => known.flatten(),
        };
        let sign_method = match self.sign_method.map(SignMethod::from_name) {
            Some(None) => return Err(ParseError::UnknownSignMethod),
            known => known.flatten(),
        };
        let auth_mode = auth_mode.ok_or(ParseError::Missing { field: Field::AuthMode })?;
        let sign_method = sign_method.ok_or(ParseError::Missing { field: Field::SignMethod })?;
        let consumer_group_id = required(Field::ConsumerGroupId, self.consumer_group_id)?;
        let auth_id = required(Field::AuthId, self.auth_id)?;
        let timestamp_text =
            self.timestamp.ok_or(ParseError::Missing { field: Field::Timestamp })?;
        let security_token = match (auth_mode, self.security_token) {
            (AuthMode::StsToken, token) => Some(required(Field::SecurityToken, token)?),
            (AuthMode::AkSign, None) => None,
            (AuthMode::AkSign, Some(_)) => return Err(ParseError::UnexpectedSecurityToken),
        };
        if self.has_empty_extension {
            return Err(ParseError::Empty { field: Field::Extension });
        }
        let timestamp = parse_timestamp(timestamp_text).ok_or(ParseError::BadTimestamp)?;
        Ok(UserName {
            client_id,
            instance_id: self.instance_id.filter(|id| !id.is_empty()),
            auth_mode,
            security_token,
            sign_method,
            consumer_group_id,
            auth_id,
            timestamp,
            timestamp_text,
            params,
        })
    }
}

/// Key and value of a parameter that is not known, and stands at this byte of the user name.
fn extension(param: &str, index: usize) -> Result<(&str, &str), ParseError> {
    if param.is_empty() {
        return Err(ParseError::EmptyParam { index });
    }
    let (key, value) = param.split_once('=').ok_or(ParseError::MissingEquals { index })?;
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(ParseError::BadKey { index });
    }
    Ok((key, value))
}

fn required(field: Field, value: Option<&str>) -> Result<&str, ParseError> {
    match value {
        None => Err(ParseError::Missing { field }),
        Some("") => Err(ParseError::Empty { field }),
        Some(value) => Ok(value),
    }
}

/// As `str::split_once` does, which looks at the character searched for anew at each step.
fn split_once(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = memchr(separator, text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

/// Those of the parameters that are not known.
pub(crate) fn extensions(params: &str) -> impl Iterator<Item = (&str, &str)> {
    pairs(params).filter(|(key, _)| Field::from_key(key).is_none())
}

/// Parameters that were found to be pairs.
fn pairs(params: &str) -> impl Iterator<Item = (&str, &str)> {
    params.split(',').filter_map(|param| param.split_once('='))
}

fn check_controls(text: &str) -> Result<(), ParseError> {
    // One pass without branches finds most texts to have none: all bytes are printable ASCII.
    let suspicious = |byte: &u8| !(b' '..=b'~').contains(byte);
    if text.as_bytes().iter().fold(false, |found, byte| found | suspicious(byte)) {
        if let Some((index, ch)) = text.char_indices().find(|(_, ch)| ch.is_control()) {
            return Err(ParseError::ForbiddenChar { index, ch });
        }
    }
    Ok(())
}

/// 1 to 19 digits and nothing else: `str::parse` would take a sign.
fn parse_timestamp(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    // 19 digits fit 64 bits.
    let mut number = 0_u64;
    for byte in text.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    i64::try_from(number).ok()
}

/// The longest user name that is read, in bytes: several times what the longest known tokens need.
pub(crate) const MAX_LEN: usize = 16_384;
/// At most so many parameters are read; seven are known.
pub(crate) const MAX_PARAMS: usize = 64;
