//! A login, good or with one fault.

use std::time::Duration;

use amqp_auth::{
    AuthMode, Consumer, Credential, Login, SignMethod, Signer, UnsignedLogin, VerifyError,
};
use data_encoding::BASE64;
use iot_sansio::UnixMillis;

use crate::{GROUP, INSTANCE, KEY_ID, KEY_SECRET, STS_ID, STS_SECRET, STS_TOKEN, UNKNOWN_ID};

/// How to log in, and with what fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) mode: AuthMode,
    pub(crate) method: SignMethod,
    pub(crate) fault: Option<Fault>,
}

/// What is wrong with a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It was signed longer ago than the strict policy allows.
    Stale,
    /// Its password was changed, and is of the right form still.
    Password,
    /// Its timestamp was changed after it was signed.
    Timestamp,
    /// Nobody has its AccessKey id.
    UnknownKey,
}

/// More than the 600 s of the strict policy.
pub(crate) const STALE: Duration = Duration::from_secs(601);

/// Both modes, and all three methods.
const KINDS: [(AuthMode, SignMethod); 3] = [
    (AuthMode::AkSign, SignMethod::HmacSha1),
    (AuthMode::StsToken, SignMethod::HmacSha256),
    (AuthMode::AkSign, SignMethod::HmacMd5),
];
const FAULTS: [Fault; 4] = [Fault::Stale, Fault::Password, Fault::Timestamp, Fault::UnknownKey];

impl Attempt {
    pub(crate) fn good() -> impl Iterator<Item = Self> {
        KINDS.into_iter().map(|(mode, method)| Self { mode, method, fault: None })
    }

    /// One of each kind with each fault.
    pub(crate) fn bad() -> impl Iterator<Item = Self> {
        Self::good().flat_map(|good| FAULTS.map(|fault| Self { fault: Some(fault), ..good }))
    }

    /// Another one for each attempt.
    pub(crate) fn client_id(&self) -> String {
        let fault = self.fault.map_or("Good".to_string(), |fault| format!("{fault:?}"));
        format!("{fault}-{:?}-{:?}", self.mode, self.method)
    }

    pub(crate) fn consumer(&self) -> Consumer {
        let consumer = Consumer::new(self.client_id(), GROUP);
        consumer.and_then(|consumer| consumer.with_instance_id(INSTANCE)).expect("a consumer")
    }

    pub(crate) fn key_id(&self) -> &'static str {
        match self.mode {
            _ if self.fault == Some(Fault::UnknownKey) => UNKNOWN_ID,
            AuthMode::StsToken => STS_ID,
            _ => KEY_ID,
        }
    }

    pub(crate) fn credential(&self) -> Credential {
        match self.mode {
            AuthMode::StsToken => Credential::sts(self.key_id(), STS_SECRET, STS_TOKEN, None),
            _ => Credential::key(self.key_id(), KEY_SECRET),
        }
    }

    /// A login signed at this time.
    pub(crate) fn login(&self, now: UnixMillis) -> Login {
        let (consumer, credential) = (self.consumer(), self.credential());
        let signer = Signer::new(&consumer, &credential, self.method).expect("it can be signed");
        let good = signer.login(now).expect("a time since 1970");
        let mut mac = BASE64.decode(good.password().as_bytes()).expect("base64");
        let mut timestamp = now;
        match self.fault {
            Some(Fault::Password) => mac[0] ^= 1,
            Some(Fault::Timestamp) => timestamp = now.after(Duration::from_millis(1)),
            _ => return good,
        }
        let token = credential.security_token().map(|token| token.expose_str().expect("a text"));
        let unsigned = UnsignedLogin::new(&consumer, self.mode, self.key_id(), token, self.method);
        unsigned.expect("it can be signed").login(timestamp, &mac).expect("a MAC of that method")
    }
}

impl Fault {
    /// Whether this is how the verifier has to refuse it.
    pub(crate) fn is_told_by(self, error: &VerifyError) -> bool {
        match self {
            Self::Stale => matches!(error, VerifyError::Stale { .. }),
            _ => *error == VerifyError::BadCredentials,
        }
    }
}
