//! The other side of [`Signer`](crate::Signer): is this login good?

use core::{fmt, time::Duration};

use iot_sansio::{UnixMillis, amqp::SaslCode};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use crate::{
    AuthMode, MAX_PASSWORD_LEN, ParseError, SignMethod, UserName, mac::password_once,
    user_name::extensions,
};

/// Checks a user name and a password as they were received (specification, section 4).
///
/// It allocates nothing for a login that is good. Between a key that is unknown and a password that is wrong there is
/// no difference to be seen, neither in the error nor in the work that is done. Only authId, token and timestamp are
/// proven by the signature; everything else is in [`Verified::unsigned`], and that the key may subscribe for that group
/// and instance is what [`KeyStore::is_authorized`] decides. A closure as the store authorises every key that it knows,
/// for any group and instance: whoever verifies with one checks [`Verified::unsigned`] afterwards.
///
/// There is no nonce: within the window, a login that was overheard can be used again. TLS is what protects it.
///
/// # Errors
/// See [`VerifyError`], whose order is that of the checks.
///
/// ```
/// use amqp_auth::{Key, Policy, SignMethod, VerifyError, verify};
/// use iot_sansio::UnixMillis;
///
/// let user_name = "client-01|iotInstanceId=iot-060a0example,authMode=aksign,signMethod=hmacsha1,\
///     consumerGroupId=DEFAULT_GROUP,authId=LTAI5tEXAMPLEKEY00000001,timestamp=1573489088171|".as_bytes();
/// let store = |auth_id: &str| {
///     (auth_id == "LTAI5tEXAMPLEKEY00000001").then_some(Key::new(b"ExampleSecretKey00000000000001"))
/// };
/// let now = UnixMillis::new(1_573_489_088_171);
///
/// let verified = verify(user_name, b"GQ4mXPdhWDKJd+gKKxhGwGl7nIY=", now, &Policy::strict(), &store)?;
/// assert_eq!(verified.auth_id, "LTAI5tEXAMPLEKEY00000001");
/// assert_eq!(verified.unsigned.consumer_group_id, "DEFAULT_GROUP");
///
/// let hex = b"190e265cf76158328977e80a2b1846c0697b9c86";
/// assert_eq!(verify(user_name, hex, now, &Policy::strict(), &store), Err(VerifyError::BadCredentials));
/// # Ok::<(), VerifyError>(())
/// ```
pub fn verify<'a, 'k>(
    user_name: &'a [u8],
    password: &[u8],
    now: UnixMillis,
    policy: &Policy,
    store: &(impl KeyStore<'k> + ?Sized),
) -> Result<Verified<'a>, VerifyError> {
    let user_name = UserName::parse(user_name)?;
    // Anybody can sign with an empty secret: a key that has none is as good as unknown.
    let key = store.key(user_name.auth_id())?.filter(|key| !key.secret.is_empty());
    let secret = key.map_or(DUMMY_SECRET, |key| key.secret);

    let mut expected = [0; MAX_PASSWORD_LEN];
    // The text is compared and not the bytes it stands for: other spellings of the same bytes are refused too.
    let matches = is_same(password_once(&user_name, secret, &mut expected), password);
    let Some(key) = key.filter(|_| matches) else {
        // Whoever asks does not know it, and nobody shall find it here.
        expected.zeroize();
        return Err(VerifyError::BadCredentials);
    };

    policy.check(user_name.timestamp(), now)?;
    match (user_name.security_token(), key.security_token) {
        (None, None) => {}
        (Some(token), Some(known)) if known.as_bytes().ct_eq(token.as_bytes()).into() => {
            if key.expires_at.is_some_and(|expiry| now >= expiry) {
                return Err(VerifyError::TokenExpired);
            }
        }
        _ => return Err(VerifyError::TokenMismatch),
    }
    let verified = Verified {
        auth_id: user_name.auth_id(),
        auth_mode: user_name.auth_mode(),
        timestamp: user_name.timestamp(),
        unsigned: Unsigned {
            client_id: user_name.client_id(),
            instance_id: user_name.instance_id(),
            consumer_group_id: user_name.consumer_group_id(),
            sign_method: user_name.sign_method(),
            params: user_name.params(),
        },
    };
    if store.is_authorized(&verified) { Ok(verified) } else { Err(VerifyError::NotAuthorized) }
}

/// A login that is good: what its signature proves, and what came along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Verified<'a> {
    /// The AccessKey id, whose secret made the signature.
    pub auth_id: &'a str,
    /// The mode: with `ststoken` the token was the key's.
    pub auth_mode: AuthMode,
    /// The time that was signed.
    pub timestamp: UnixMillis,
    /// What no signature covers.
    pub unsigned: Unsigned<'a>,
}

/// The part of a login that no signature covers: whoever saw one login can send it with others.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Unsigned<'a> {
    /// The client id.
    pub client_id: &'a str,
    /// The id of the instance; none when it is absent or empty.
    pub instance_id: Option<&'a str>,
    /// The id of the consumer group.
    pub consumer_group_id: &'a str,
    /// The method. That of the password: a key whose holder uses one only can be held to it.
    pub sign_method: SignMethod,
    params: &'a str,
}

impl<'a> Unsigned<'a> {
    /// The parameters that this crate does not know, in their order.
    pub fn extensions(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        extensions(self.params)
    }
}

/// Knows keys, and what each may subscribe for. A closure from an AccessKey id to an optional [`Key`] is one that
/// authorises them all.
///
/// A store that has to wait for its answer, as a database, is asked before: [`UserName::parse`] tells the id, and the
/// closure hands over what was found.
pub trait KeyStore<'k> {
    /// The key with this AccessKey id, if there is one.
    ///
    /// Look it up in a time that does not depend on whether there is. A key with an empty secret counts as unknown.
    ///
    /// # Errors
    /// The store cannot be asked now.
    fn key(&self, auth_id: &str) -> Result<Option<Key<'k>>, Unavailable>;

    /// Whether the key may subscribe (`iot:sub`) for the group and in the instance that the login names.
    ///
    /// No signature covers either of them.
    fn is_authorized(&self, login: &Verified<'_>) -> bool;
}

/// Authorises every key that it yields, for any group and instance. To refuse one, check [`Verified::unsigned`], or
/// implement the trait.
impl<'k, F: Fn(&str) -> Option<Key<'k>>> KeyStore<'k> for F {
    fn key(&self, auth_id: &str) -> Result<Option<Key<'k>>, Unavailable> {
        Ok(self(auth_id))
    }

    fn is_authorized(&self, _login: &Verified<'_>) -> bool {
        true
    }
}

/// What a store knows of an AccessKey id. `Debug` shows neither secret nor token.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Key<'a> {
    /// The AccessKey secret.
    pub secret: &'a [u8],
    /// The token that belongs to a temporary key.
    pub security_token: Option<&'a str>,
    /// When the token expires, if that is known.
    pub expires_at: Option<UnixMillis>,
}

impl<'a> Key<'a> {
    /// An AccessKey.
    #[must_use]
    pub const fn new(secret: &'a [u8]) -> Self {
        Self { secret, security_token: None, expires_at: None }
    }

    /// A temporary AccessKey, with its token and when that expires, if that is known.
    #[must_use]
    pub const fn temporary(
        secret: &'a [u8],
        security_token: &'a str,
        expires_at: Option<UnixMillis>,
    ) -> Self {
        Self { secret, security_token: Some(security_token), expires_at }
    }
}

/// A key store that cannot be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the key store cannot be asked now")]
#[expect(clippy::exhaustive_structs, reason = "stores make it")]
pub struct Unavailable;

/// How far a timestamp may lie from the clock of whoever verifies it. Both bounds are allowed themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    past: Option<Duration>,
    future: Option<Duration>,
}

impl Policy {
    /// 600 s to either side.
    #[must_use]
    pub const fn strict() -> Self {
        Self::within(Duration::from_secs(600))
    }

    /// Any time at all: as the platform seems to have it (specification, section 4.1). A login never ends then.
    #[must_use]
    pub const fn vendor_compatible() -> Self {
        Self { past: None, future: None }
    }

    /// So far to either side.
    #[must_use]
    pub const fn within(window: Duration) -> Self {
        Self { past: Some(window), future: Some(window) }
    }

    /// Sets how far a timestamp may lie ahead of the clock, or with none that it may lie any time ahead; by default as
    /// far as behind it.
    #[must_use]
    pub const fn with_future(self, future: Option<Duration>) -> Self {
        Self { future, ..self }
    }

    fn check(&self, timestamp: UnixMillis, now: UnixMillis) -> Result<(), VerifyError> {
        let distance = now.abs_diff(timestamp);
        let bound = if timestamp <= now { self.past } else { self.future };
        if bound.is_some_and(|bound| Duration::from_millis(distance) > bound) {
            return Err(match timestamp <= now {
                true => VerifyError::Stale { age_ms: distance },
                false => VerifyError::Future { ahead_ms: distance },
            });
        }
        Ok(())
    }
}

/// Why a login is not good. Do not tell the peer more than [`sasl_code`](Self::sasl_code).
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The user name cannot be read.
    #[error(transparent)]
    Malformed(#[from] ParseError),
    /// The key store cannot be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The key is unknown, or the password is not what it signs.
    #[error(
        "the key is unknown or the password is not its signature over authId, token and timestamp"
    )]
    BadCredentials,
    /// The timestamp is too old.
    #[error(
        "the timestamp is {age_ms} ms old: sign for each attempt, with the clock of that attempt"
    )]
    Stale {
        /// Its age in milliseconds.
        age_ms: u64,
    },
    /// The timestamp lies too far ahead.
    #[error("the timestamp is {ahead_ms} ms ahead: set the clock of the client")]
    Future {
        /// How far, in milliseconds.
        ahead_ms: u64,
    },
    /// The token is not that of the key, or the key is temporary and came without its token.
    #[error("the token is not that of the key: take id, secret and token of one AssumeRole answer")]
    TokenMismatch,
    /// The token has expired.
    #[error("the token has expired: call AssumeRole again")]
    TokenExpired,
    /// The key may not subscribe for that group or in that instance.
    #[error("the key may not subscribe for this consumer group in this instance: grant iot:sub")]
    NotAuthorized,
}

impl VerifyError {
    /// The SASL outcome to answer with.
    #[must_use]
    pub const fn sasl_code(&self) -> SaslCode {
        match self {
            Self::Unavailable(_) => SaslCode::SYS_TEMP,
            _ => SaslCode::AUTH,
        }
    }
}

impl fmt::Debug for Unsigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsigned")
            .field("client_id", &self.client_id)
            .field("instance_id", &self.instance_id)
            .field("consumer_group_id", &self.consumer_group_id)
            .field("sign_method", &self.sign_method)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Whether both passwords are the same, in a time that depends on their lengths only. The expected one is base64 with
/// padding, so it goes up in words of four bytes.
fn is_same(expected: &[u8], password: &[u8]) -> bool {
    if expected.len() != password.len() {
        return false;
    }
    let words = expected.chunks_exact(4).zip(password.chunks_exact(4));
    let difference = words.fold(0, |difference, (expected, password)| {
        let [expected, password] = [expected, password].map(|word| word.first_chunk().copied());
        let word = |bytes: Option<[u8; 4]>| u32::from_ne_bytes(bytes.unwrap_or_default());
        difference | (word(expected) ^ word(password))
    });
    difference.ct_eq(&0).into()
}

/// Stands in for the secret of a key that is unknown, so that the same work is done.
const DUMMY_SECRET: &[u8] = b"no key has this secret, it only costs as much as one";
