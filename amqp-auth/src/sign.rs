//! From a credential to a user name and a password.

use alloc::{string::String, vec::Vec};
use core::{fmt, mem};

use iot_sansio::{Secret, UnixMillis};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    AuthMode, BuildError, Consumer, Credential, Field, MAX_PASSWORD_LEN, SignMethod,
    consumer::check_value,
    mac::{Mac, encode},
    sasl,
    user_name::MAX_LEN,
};

/// Signs logins: the key is expanded once, and only the timestamp is new each time.
///
/// Sign for every attempt to connect, with the clock of that attempt: a login is good as long as the platform takes its
/// timestamp, and no page says how long that is.
///
/// ```
/// use amqp_auth::{BuildError, Consumer, Credential, SignMethod, Signer};
/// use iot_sansio::UnixMillis;
///
/// let consumer = Consumer::new("client-01", "DEFAULT_GROUP")?.with_instance_id("iot-060a0example")?;
/// let credential = Credential::key("LTAI5tEXAMPLEKEY00000001", "ExampleSecretKey00000000000001");
/// let signer = Signer::new(&consumer, &credential, SignMethod::HmacSha1)?;
///
/// let login = signer.login(UnixMillis::new(1_573_489_088_171))?;
/// assert_eq!(login.password(), "GQ4mXPdhWDKJd+gKKxhGwGl7nIY=");
/// assert!(login.user_name().starts_with("client-01|iotInstanceId=iot-060a0example,authMode=aksign,"));
/// assert_eq!(login.report().sasl_init_len, 216);
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    unsigned: UnsignedLogin,
    /// Has taken what stands before the timestamp in the string to sign.
    mac: Mac,
}

impl Signer {
    /// Prepares the key.
    ///
    /// # Errors
    /// A part of the credential is empty or holds what cannot be expressed.
    pub fn new(
        consumer: &Consumer,
        credential: &Credential,
        method: SignMethod,
    ) -> Result<Self, BuildError> {
        let token = match credential.security_token().map(Secret::expose_str) {
            None => None,
            Some(Ok(token)) => Some(token),
            Some(Err(error)) => {
                let (field, index) = (Field::SecurityToken, error.valid_up_to());
                return Err(BuildError::ForbiddenChar { field, index });
            }
        };
        let (mode, auth_id) = (credential.auth_mode(), credential.access_key_id());
        let unsigned = UnsignedLogin::new(consumer, mode, auth_id, token, method)?;
        let secret = credential.access_key_secret().expose();
        if secret.is_empty() {
            return Err(BuildError::Empty { field: Field::AccessKeySecret });
        }
        let mut mac = Mac::new(method, secret);
        mac.update(unsigned.signed_prefix.as_bytes());
        Ok(Self { unsigned, mac })
    }

    /// User name and password for an attempt at this time.
    ///
    /// # Errors
    /// The time lies before 1970.
    #[inline]
    pub fn login(&self, timestamp: UnixMillis) -> Result<Login, BuildError> {
        let mut digits = itoa::Buffer::new();
        let digits = format(timestamp, &mut digits)?;
        // Memory that is asked for as zeros takes allocators longer.
        let mut password = Vec::from(&PADDING[..self.unsigned.method.password_len()]);
        self.mac.password(digits.as_bytes(), &mut password);
        Ok(self.unsigned.with_password(timestamp, digits, password))
    }

    /// The password alone, into a buffer of the caller: nothing is allocated.
    ///
    /// # Errors
    /// The time lies before 1970.
    pub fn password_into<'b>(
        &self,
        timestamp: UnixMillis,
        out: &'b mut [u8; MAX_PASSWORD_LEN],
    ) -> Result<&'b str, BuildError> {
        let mut digits = itoa::Buffer::new();
        let password = self.mac.password(format(timestamp, &mut digits)?.as_bytes(), out);
        // Base64 is ASCII.
        Ok(core::str::from_utf8(password).unwrap_or_default())
    }

    /// What is signed, and what is not.
    #[must_use]
    pub const fn unsigned(&self) -> &UnsignedLogin {
        &self.unsigned
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("unsigned", &self.unsigned).finish_non_exhaustive()
    }
}

/// A login that only lacks timestamp and MAC: for a key that does not leave its vault.
///
/// ```
/// use amqp_auth::{AuthMode, BuildError, Consumer, SignMethod, UnsignedLogin};
/// use iot_sansio::UnixMillis;
/// # fn hsm(_text: &[u8]) -> [u8; 20] {
/// #     [0x19, 0x0e, 0x26, 0x5c, 0xf7, 0x61, 0x58, 0x32, 0x89, 0x77, 0xe8, 0x0a, 0x2b, 0x18, 0x46, 0xc0, 0x69, 0x7b, 0x9c, 0x86]
/// # }
///
/// let consumer = Consumer::new("client-01", "DEFAULT_GROUP")?;
/// let auth_id = "LTAI5tEXAMPLEKEY00000001";
/// let unsigned = UnsignedLogin::new(&consumer, AuthMode::AkSign, auth_id, None, SignMethod::HmacSha1)?;
///
/// let now = UnixMillis::new(1_573_489_088_171);
/// let mac = hsm(unsigned.string_to_sign(now)?.expose());
/// assert_eq!(unsigned.login(now, &mac)?.password(), "GQ4mXPdhWDKJd+gKKxhGwGl7nIY=");
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone)]
pub struct UnsignedLogin {
    /// The user name up to its timestamp. Like the other texts it may hold a token.
    prefix: Zeroizing<String>,
    /// The user name after its timestamp.
    suffix: String,
    /// The string to sign up to its timestamp.
    signed_prefix: Zeroizing<String>,
    method: SignMethod,
    holds_token: bool,
    client_id_is_ascii: bool,
}

impl UnsignedLogin {
    /// For the AccessKey with this id, and its token in mode `ststoken`.
    ///
    /// # Errors
    /// A text is empty, too long or holds what cannot be expressed; a token is missing in mode `ststoken`, or there in `aksign`.
    pub fn new(
        consumer: &Consumer,
        mode: AuthMode,
        auth_id: &str,
        security_token: Option<&str>,
        method: SignMethod,
    ) -> Result<Self, BuildError> {
        check_value(Field::AuthId, auth_id)?;
        match (mode, security_token) {
            (AuthMode::StsToken, None) => return Err(BuildError::MissingSecurityToken),
            (AuthMode::AkSign, Some(_)) => return Err(BuildError::UnexpectedSecurityToken),
            (AuthMode::StsToken, Some(token)) => check_value(Field::SecurityToken, token)?,
            (AuthMode::AkSign, None) => {}
        }

        let client_id = consumer.client_id();
        let mut prefix = Vec::from([client_id, "|"]);
        if let Some(id) = consumer.instance_id() {
            prefix.extend(["iotInstanceId=", id, ","]);
        }
        prefix.extend(["authMode=", mode.as_str()]);
        if let Some(token) = security_token {
            prefix.extend([",securityToken=", token]);
        }
        let group_id = consumer.consumer_group_id();
        prefix.extend([",signMethod=", method.as_str(), ",consumerGroupId=", group_id]);
        prefix.extend([",authId=", auth_id, ",timestamp="]);

        let mut suffix = Vec::new();
        for (key, value) in consumer.extensions() {
            suffix.extend([",", key, "=", value]);
        }
        suffix.push("|");

        let mut signed_prefix = Vec::from(["authId=", auth_id]);
        if let Some(token) = security_token {
            signed_prefix.extend(["&securityToken=", token]);
        }
        signed_prefix.push("&timestamp=");

        let parts = prefix.iter().chain(&suffix).map(|part| part.len());
        let len = parts.sum::<usize>() + MAX_TIMESTAMP_LEN;
        if len > MAX_LEN {
            return Err(BuildError::TooLong { len });
        }
        Ok(Self {
            // One allocation each, never moved: no copy of a token stays behind.
            prefix: prefix.concat().into(),
            suffix: suffix.concat(),
            signed_prefix: signed_prefix.concat().into(),
            method,
            holds_token: security_token.is_some(),
            client_id_is_ascii: client_id.is_ascii(),
        })
    }

    /// The bytes that the MAC is over, which is all that the signature protects: AccessKey id, token and timestamp.
    ///
    /// In mode `ststoken` the token is in it, hence a [`Secret`].
    ///
    /// # Errors
    /// The time lies before 1970.
    pub fn string_to_sign(&self, timestamp: UnixMillis) -> Result<Secret, BuildError> {
        let mut digits = itoa::Buffer::new();
        let digits = format(timestamp, &mut digits)?;
        Ok([&*self.signed_prefix, digits].concat().into())
    }

    /// User name and password, with the raw MAC that another signer made over [`string_to_sign`](Self::string_to_sign)
    /// of the same time.
    ///
    /// # Errors
    /// The time lies before 1970; the MAC has not the length of the method's.
    pub fn login(&self, timestamp: UnixMillis, mac: &[u8]) -> Result<Login, BuildError> {
        let mut digits = itoa::Buffer::new();
        let digits = format(timestamp, &mut digits)?;
        if mac.len() != self.method.mac_len() {
            return Err(BuildError::MacLen { method: self.method, len: mac.len() });
        }
        let mut password = Vec::from(&PADDING[..self.method.password_len()]);
        encode(mac, &mut password);
        Ok(self.with_password(timestamp, digits, password))
    }

    #[inline]
    fn with_password(&self, timestamp: UnixMillis, digits: &str, password: Vec<u8>) -> Login {
        Login {
            user_name: [&*self.prefix, digits, &self.suffix].concat(),
            // Base64 is ASCII.
            password: String::from_utf8(password).unwrap_or_default().into(),
            timestamp,
            holds_token: self.holds_token,
            client_id_is_ascii: self.client_id_is_ascii,
        }
    }
}

impl fmt::Debug for UnsignedLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsignedLogin").field("method", &self.method).finish_non_exhaustive()
    }
}

/// User name and password of one attempt to connect. `Debug` shows neither: a user name may hold a token.
///
/// It is not compared: that would take a time which tells how much of a password is right.
#[derive(Clone)]
pub struct Login {
    user_name: String,
    password: Zeroizing<String>,
    timestamp: UnixMillis,
    holds_token: bool,
    client_id_is_ascii: bool,
}

impl Login {
    /// The user name. In mode `ststoken` it holds the token: do not print it.
    #[must_use]
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// The password. Do not print it.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The time that was signed.
    #[must_use]
    pub const fn timestamp(&self) -> UnixMillis {
        self.timestamp
    }

    /// What to look at before it is sent.
    #[must_use]
    pub fn report(&self) -> Report {
        let sasl_init_len = sasl::init_len(self.user_name.len(), self.password.len());
        let warnings = [
            (sasl_init_len > sasl::MIN_MAX_FRAME_SIZE)
                .then_some(Warning::SaslFrameTooLong { len: sasl_init_len }),
            SECONDS
                .contains(&self.timestamp.get())
                .then_some(Warning::LooksLikeSeconds { timestamp: self.timestamp }),
            (!self.client_id_is_ascii).then_some(Warning::ClientIdNotAscii),
        ];
        let warnings = warnings.into_iter().flatten().collect();
        Report { sasl_init_len, warnings, unsigned: UNSIGNED }
    }

    /// User name and password, for an AMQP stack.
    #[must_use]
    pub fn into_secrets(mut self) -> (Secret, Secret) {
        (mem::take(&mut self.user_name).into(), mem::take(&mut *self.password).into())
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        // Without a token it is no secret, and wiping it would cost more than making it.
        if self.holds_token {
            self.user_name.zeroize();
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}

/// What to look at before a login is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Report {
    /// Length of the sasl-init frame without host name, in bytes.
    pub sasl_init_len: usize,
    /// What may keep the login from being accepted.
    pub warnings: Vec<Warning>,
    /// The parts of the user name that no signature covers: whoever passes the login on can change them.
    pub unsigned: &'static [Field],
}

/// What may keep a login from being accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// AMQP stacks need not take so long a frame before `open` (specification, section 5.5).
    #[error(
        "the sasl-init frame has {len} bytes: stacks that keep to 512 refuse it, so raise their limit or use another"
    )]
    SaslFrameTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The timestamp would be a day in January or April of 1970, but as seconds a day of our time.
    #[error("timestamp {timestamp} looks like seconds: the platform counts milliseconds")]
    LooksLikeSeconds {
        /// The timestamp.
        timestamp: UnixMillis,
    },
    /// The 64 characters of a client id are not known to be counted in the same way everywhere.
    #[error(
        "clientId is not ASCII: whether the platform counts characters or bytes is not documented"
    )]
    ClientIdNotAscii,
}

/// A timestamp as it stands in the user name and in the string to sign, byte for byte the same.
#[inline]
fn format(timestamp: UnixMillis, digits: &mut itoa::Buffer) -> Result<&str, BuildError> {
    match timestamp.get() {
        timestamp @ 0.. => Ok(digits.format(timestamp)),
        timestamp => Err(BuildError::BadTimestamp { timestamp }),
    }
}

/// Room for a password before it is there.
const PADDING: [u8; MAX_PASSWORD_LEN] = [b'='; MAX_PASSWORD_LEN];
/// Seconds since the Unix epoch of the years 2001 to 2286.
const SECONDS: core::ops::RangeInclusive<i64> = 1_000_000_000..=9_999_999_999;
/// The digits of the largest signed 64-bit number.
const MAX_TIMESTAMP_LEN: usize = 19;
/// Not the mode: another one would take a token out of what is signed, or need one in it (specification, section 3.4).
const UNSIGNED: &[Field] = &[
    Field::ClientId,
    Field::IotInstanceId,
    Field::SignMethod,
    Field::ConsumerGroupId,
    Field::Extension,
];
