//! Whether a message is from SNS (specification section 5.3).

use alloc::vec::Vec;
use core::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use iot_sansio::UnixMillis;

use super::{
    cert_url::{CertUrl, PathRule},
    certificate::{Certificate, CertificateError},
    classifier::Via,
    envelope::Envelope,
    rsa::{Digest, RsaVerify},
    url::UrlError,
    verified::Verified,
};
use crate::{Instant, TopicArn};

/// Decides which messages are from SNS, for which topics, by which rules.
///
/// A message goes through two steps, because its certificate has to be fetched between them: [`Verifier::check`] makes
/// it [`Unverified`], which says what to fetch, and [`Unverified::verify`] makes it [`Verified`].
///
/// ```
/// use iot_sansio::UnixMillis;
/// use smart_properties::{
///     TopicArn,
///     sns::{Certificate, Classifier, Content, Headers, Inbound, Ring, Verifier, Via},
/// };
///
/// # let body = include_str!("../../tests/vectors/envelopes.jsonl").lines().nth(1).unwrap();
/// # let body: serde_json::Value = serde_json::from_str(body)?;
/// # let (body, fetched) = (body["body"].to_string(), include_bytes!("../../tests/vectors/certificates/C-GOOD.pem"));
/// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let verifier = Verifier::new(Via::Http, [topic]);
///
/// // What a POST brought.
/// let Inbound::Envelope(envelope) = Classifier::new(Via::Http).classify(body.as_bytes(), &Headers::default())? else {
///     return Err("no envelope".into());
/// };
/// let unverified = verifier.check(envelope)?;
/// // Fetched now, or found in a `CertificateCache`.
/// println!("GET {}", unverified.certificate_url());
/// let certificate = Certificate::from_pem(fetched)?;
/// let now = UnixMillis::new(1_714_557_604_000);
/// let verified = unverified.verify(&certificate, &Ring, now)?;
/// let Content::Event(event) = verified.content()? else {
///     return Err("no event".into());
/// };
/// assert_eq!(event.id(), "7d5f0c1e-0001-4a00-8000-000000000001");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verifier {
    /// In order.
    topics: Vec<TopicArn>,
    policy: SignaturePolicy,
    path_rule: PathRule,
    max_age: Option<Duration>,
}

/// Which versions of the signature are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignaturePolicy {
    /// Version 2 alone. Recommended: the number of the version is not signed, so as long as version 1 is taken, whoever
    /// can forge a signature over SHA-1 can forge a message, also for a topic that uses version 2. It needs the
    /// attribute `SignatureVersion` of the topic set to 2.
    V2Only,
    /// Both, as topics begin with version 1.
    #[default]
    V1AndV2,
}

/// How a message is signed: RSA, PKCS#1 version 1.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// `1`: over SHA-1.
    V1,
    /// `2`: over SHA-256.
    V2,
}

/// A message for one of our topics, whose certificate is still to come. Nothing in it is to be believed yet.
#[derive(Clone, Debug)]
pub struct Unverified<'a> {
    envelope: Envelope<'a>,
    topic: TopicArn,
    version: SignatureVersion,
    url: CertUrl,
    max_age: Option<Duration>,
}

impl Verifier {
    /// Takes messages of these topics, signed by either version, with certificates of the strict path; over HTTP up to
    /// 75 minutes old, which is an hour of retries and some slack, from a queue or Lambda of any age.
    pub fn new(via: Via, topics: impl IntoIterator<Item = TopicArn>) -> Self {
        let mut topics: Vec<_> = topics.into_iter().collect();
        topics.sort_unstable();
        let max_age = (via == Via::Http).then_some(MAX_AGE_OVER_HTTP);
        Self { topics, policy: SignaturePolicy::default(), path_rule: PathRule::default(), max_age }
    }

    /// Takes these versions of the signature.
    #[must_use]
    pub const fn with_signature_policy(mut self, policy: SignaturePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Takes certificates from files with these names.
    #[must_use]
    pub const fn with_path_rule(mut self, rule: PathRule) -> Self {
        self.path_rule = rule;
        self
    }

    /// Takes messages up to this old by the time in them, or of any age.
    ///
    /// What was signed once stays signed: without a limit, only the memory for duplicates stops a message from being
    /// played again. Messages more than five minutes from the future are never taken.
    #[must_use]
    pub const fn with_max_age(mut self, max_age: Option<Duration>) -> Self {
        self.max_age = max_age;
        self
    }

    /// Checks what can be checked without the certificate, before anything is fetched.
    ///
    /// # Errors
    /// In this order: the version of the signature, the topic, the URL of the certificate.
    pub fn check<'a>(&self, envelope: Envelope<'a>) -> Result<Unverified<'a>, VerifyError> {
        let version = SignatureVersion::of(envelope.signature_version())
            .ok_or(VerifyError::UnsupportedVersion)?;
        if version == SignatureVersion::V1 && self.policy == SignaturePolicy::V2Only {
            return Err(VerifyError::VersionNotAllowed);
        }
        let known = self.topics.binary_search_by(|topic| topic.as_str().cmp(envelope.topic_arn()));
        let topic = known.ok().and_then(|at| self.topics.get(at)).cloned();
        let topic = topic.ok_or(VerifyError::TopicNotAllowed)?;
        let url = CertUrl::parse(envelope.signing_cert_url(), &topic, self.path_rule)
            .map_err(VerifyError::SigningCertUrl)?;
        Ok(Unverified { envelope, topic, version, url, max_age: self.max_age })
    }
}

impl<'a> Unverified<'a> {
    /// Where the certificate is to be fetched from. If it cannot be, answer [`Answer::Retry`](super::Answer::Retry).
    #[must_use]
    pub const fn certificate_url(&self) -> &CertUrl {
        &self.url
    }

    /// The URL, and the message to check again when the certificate is there.
    pub(super) fn into_parts(self) -> (CertUrl, Envelope<'a>) {
        (self.url, self.envelope)
    }

    /// Checks the message with the certificate from [`Unverified::certificate_url`].
    ///
    /// # Errors
    /// In this order: the certificate, the signature, and only then the age, as the time means nothing before. The
    /// message is gone then; SNS sends it again if it is answered so.
    pub fn verify(
        self,
        certificate: &Certificate,
        rsa: &(impl RsaVerify + ?Sized),
        now: UnixMillis,
    ) -> Result<Verified<'a>, VerifyError> {
        let Self { envelope, topic, version, url, max_age } = self;
        certificate.check(&url, now)?;
        let signature =
            STANDARD.decode(envelope.signature()).map_err(|_| VerifyError::BadBase64)?;
        let key = certificate.public_key();
        let (bytes, expected) = (signature.len(), key.modulus_len());
        if bytes != expected {
            return Err(VerifyError::BadLength { bytes, expected });
        }
        let text = envelope.string_to_sign();
        if !rsa.verify(&key, version.digest(), text.as_bytes(), &signature) {
            return Err(VerifyError::BadSignature);
        }
        let sent = Instant::parse(envelope.timestamp());
        check_age(sent.map(Instant::unix_millis), now, max_age)?;
        Ok(Verified::new(envelope, topic, version, sent))
    }
}

impl SignatureVersion {
    fn of(text: &str) -> Option<Self> {
        match text {
            "1" => Some(Self::V1),
            "2" => Some(Self::V2),
            _ => None,
        }
    }

    /// As it is written in a message.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2 => "2",
        }
    }

    /// What it hashes with.
    #[must_use]
    pub const fn digest(self) -> Digest {
        match self {
            Self::V1 => Digest::Sha1,
            Self::V2 => Digest::Sha256,
        }
    }
}

/// Why a message is not taken for one from SNS. The variants are in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// `SignatureVersion` is neither `1` nor `2`.
    #[error(
        "the SignatureVersion is neither 1 nor 2: perhaps newer than this version of the crate"
    )]
    UnsupportedVersion,
    /// `SignatureVersion` is `1`, and only `2` is taken.
    #[error(
        "the message is signed with SHA-1, which is not accepted here: \
         set the attribute SignatureVersion of the topic to 2"
    )]
    VersionNotAllowed,
    /// It is not for us, or the list of our topics lacks one.
    #[error("the TopicArn is not one of the topics that are accepted here")]
    TopicNotAllowed,
    /// The certificate is not to be fetched from there.
    #[error("the SigningCertURL is not one of SNS: {0}")]
    SigningCertUrl(UrlError),
    /// What was fetched is not a certificate to check a signature with.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Also when it has a line break, lacks padding, or uses the alphabet for URLs.
    #[error("the Signature is not base64 with padding and without line breaks")]
    BadBase64,
    /// Every signature of an RSA key is as long as its modulus.
    #[error(
        "the Signature has {bytes} bytes where the key makes {expected}: \
         the certificate is another one, or the Signature was cut"
    )]
    BadLength {
        /// Its length.
        bytes: usize,
        /// The length of the modulus.
        expected: usize,
    },
    /// The message is not what the key has signed.
    #[error(
        "the signature is not one over this message: it was changed on the way, \
         re-encoded before it was checked, or is not from SNS"
    )]
    BadSignature,
    /// Its age cannot be told, and is limited.
    #[error("the Timestamp cannot be read, so the age of the message is not known")]
    BadTimestamp,
    /// The signature is good, the message old.
    #[error(
        "the message is {} s old, at most {} s are allowed: it was played again, or the clock is fast",
        age.as_secs(), max.as_secs()
    )]
    TooOld {
        /// By our clock.
        age: Duration,
        /// The limit.
        max: Duration,
    },
    /// The signature is good, the message from later than now.
    #[error(
        "the message is from {} s after now, at most {} s are allowed: check the clock",
        by.as_secs(), MAX_SKEW.as_secs()
    )]
    FromTheFuture {
        /// By our clock.
        by: Duration,
    },
}

fn check_age(
    sent: Option<UnixMillis>,
    now: UnixMillis,
    max_age: Option<Duration>,
) -> Result<(), VerifyError> {
    let Some(sent) = sent else {
        return if max_age.is_some() { Err(VerifyError::BadTimestamp) } else { Ok(()) };
    };
    let distance = Duration::from_millis(now.abs_diff(sent));
    if sent > now {
        let by = distance;
        return if by > MAX_SKEW { Err(VerifyError::FromTheFuture { by }) } else { Ok(()) };
    }
    match max_age {
        Some(max) if distance > max => Err(VerifyError::TooOld { age: distance, max }),
        _ => Ok(()),
    }
}

const MAX_AGE_OVER_HTTP: Duration = Duration::from_secs(75 * 60);
const MAX_SKEW: Duration = Duration::from_secs(5 * 60);
