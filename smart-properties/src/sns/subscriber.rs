//! Everything between a delivery and its handler (specification sections 5.3 and 10).

use iot_sansio::{MonoTime, UnixMillis};

use super::{
    answer::Answer,
    cert_url::CertUrl,
    certificate::{Certificate, CertificateError},
    certificates::CertificateCache,
    classifier::{Delivery, Raw},
    control::ControlError,
    envelope::{Envelope, MessageType},
    rsa::RsaVerify,
    verified::Verified,
    verifier::{Verifier, VerifyError},
};
use crate::{
    Event, EventError,
    dedupe::{Admission, Config, Dedupe, Keys},
    order::OrderKey,
};

/// Verifies deliveries, remembers certificates, and hands each message over once.
///
/// ```text
///            ┌── CertificateWanted ─► fetch, fetched(), admit again
///            │
///  admit ────┼── Fresh ─► handle it ─┬─► commit, Answer::Accept
///            │                       └─► abort, Answer::Retry
///            ├── Control ─► confirm the subscription, or take notice of its end; Answer::Accept
///            ├── Seen ─► its answer
///            └── Err ─► its answer
/// ```
///
/// A [`Classifier`](super::Classifier) makes deliveries of what came. `now` is told twice: the monotonic one counts how
/// long a message is remembered, the wall clock says how old it is.
///
/// ```
/// use iot_sansio::{MonoTime, UnixMillis};
/// use smart_properties::{TopicArn, dedupe};
/// use smart_properties::sns::{
///     Admitted, Answer, Classifier, Delivery, Headers, Inbound, Ring, Subscriber, Verifier, Via,
/// };
///
/// # let body = include_str!("../../tests/vectors/envelopes.jsonl").lines().nth(1).unwrap();
/// # let body: serde_json::Value = serde_json::from_str(body)?;
/// # let (body, pem) = (body["body"].to_string(), include_bytes!("../../tests/vectors/certificates/C-GOOD.pem"));
/// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let verifier = Verifier::new(Via::Http, [topic]);
/// let mut subscriber = Subscriber::new(verifier, dedupe::Config::default(), Ring);
///
/// // What a POST brought, and when.
/// let Inbound::Envelope(envelope) = Classifier::new(Via::Http).classify(body.as_bytes(), &Headers::default())? else {
///     return Err("no envelope".into());
/// };
/// let (mono, wall) = (MonoTime::ORIGIN, UnixMillis::new(1_714_557_604_000));
/// let mut admitted = subscriber.admit(mono, wall, Delivery::Envelope(envelope))?;
/// if let Admitted::CertificateWanted { url, envelope } = admitted {
///     // GET url, then:
///     subscriber.fetched(url, pem, wall)?;
///     admitted = subscriber.admit(mono, wall, Delivery::Envelope(envelope))?;
/// }
/// let Admitted::Fresh(message) = admitted else { return Err("seen before".into()) };
/// assert_eq!(message.event()?.id(), "7d5f0c1e-0001-4a00-8000-000000000001");
/// // Handled, for good:
/// subscriber.commit(mono, &message);
/// assert_eq!(Answer::Accept.status(), 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subscriber<V> {
    verifier: Verifier,
    certificates: CertificateCache,
    dedupe: Dedupe,
    rsa: V,
}

/// What to do with a delivery.
#[must_use]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Admitted<'a> {
    /// Handle it, then [`commit`](Subscriber::commit) or [`abort`](Subscriber::abort).
    Fresh(Fresh<'a>),
    /// SNS asks for a confirmation, or says that the endpoint was unsubscribed: see [`Verified::content`].
    Control(Verified<'a>),
    /// There is nothing to handle.
    Seen(Admission),
    /// Its certificate is not known: fetch it, hand it to [`fetched`](Subscriber::fetched), and admit this envelope
    /// again. Where it cannot be fetched, answer [`Answer::Retry`].
    CertificateWanted {
        /// What to fetch.
        url: CertUrl,
        /// What waits for it.
        envelope: Envelope<'a>,
    },
}

/// A message that was not handled before.
#[derive(Clone, Debug)]
pub struct Fresh<'a> {
    message: Message<'a>,
    keys: Keys,
}

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "the large one is the ordinary one")]
enum Message<'a> {
    Verified(Verified<'a>),
    Raw(Raw<'a>),
}

impl<V: RsaVerify> Subscriber<V> {
    /// A subscriber that has seen nothing.
    #[must_use]
    pub const fn new(verifier: Verifier, dedupe: Config, rsa: V) -> Self {
        let certificates = CertificateCache::new();
        Self { verifier, certificates, dedupe: Dedupe::new(dedupe), rsa }
    }

    /// What to do with a delivery. A raw one was let through by the classifier's policy, and is handed over unverified; an
    /// event in it counts as seen, so give raw deliveries a subscriber of their own unless you trust them as much.
    ///
    /// # Errors
    /// It is not a message from SNS for us; [`SubscriberError::answer`] says what to tell whoever sent it.
    pub fn admit<'a>(
        &mut self,
        mono: MonoTime,
        wall: UnixMillis,
        delivery: Delivery<'a>,
    ) -> Result<Admitted<'a>, SubscriberError> {
        let (message, keys) = match delivery {
            Delivery::Raw(raw) => {
                let event = Event::decode(raw.bytes()).ok();
                let keys = Keys::of_raw(raw.bytes(), event.as_ref());
                (Message::Raw(raw), keys)
            }
            Delivery::Envelope(envelope) => {
                let unverified = self.verifier.check(envelope)?;
                let url = unverified.certificate_url();
                let Some(certificate) = self.certificates.get(url, wall) else {
                    let (url, envelope) = unverified.into_parts();
                    return Ok(Admitted::CertificateWanted { url, envelope });
                };
                let verified = unverified.verify(certificate, &self.rsa, wall)?;
                if verified.message_type() != MessageType::Notification {
                    verified.content()?;
                    return Ok(Admitted::Control(verified));
                }
                let keys = match Event::parse(verified.message()) {
                    Ok(event) => Keys::of_event(verified.message_id(), &event),
                    Err(_) => Keys::of_message(verified.message_id()),
                };
                (Message::Verified(verified), keys)
            }
        };
        Ok(match self.dedupe.begin(mono, &keys) {
            Admission::Fresh => Admitted::Fresh(Fresh { message, keys }),
            seen => Admitted::Seen(seen),
        })
    }

    /// A certificate was fetched from this URL, as PEM.
    ///
    /// # Errors
    /// It is not one to check a signature with, and is not kept.
    pub fn fetched(
        &mut self,
        url: CertUrl,
        pem: &[u8],
        wall: UnixMillis,
    ) -> Result<(), CertificateError> {
        self.certificates.insert(url, Certificate::from_pem(pem)?, wall)
    }

    /// A message was handled: it does not come again.
    pub fn commit(&mut self, mono: MonoTime, message: &Fresh<'_>) {
        self.dedupe.commit(mono, &message.keys);
    }

    /// Handling a message failed: it is fresh when it comes again.
    pub fn abort(&mut self, message: &Fresh<'_>) {
        self.dedupe.abort(&message.keys);
    }
}

impl Fresh<'_> {
    /// The event in it.
    ///
    /// # Errors
    /// It is none: somebody else publishes to the topic, or Alexa in a form that is not known. Keep it, and commit.
    pub fn event(&self) -> Result<Event<'_>, EventError> {
        match &self.message {
            Message::Verified(verified) => Event::parse(verified.message()),
            Message::Raw(raw) => Event::decode(raw.bytes()),
        }
    }

    /// What was published.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.message {
            Message::Verified(verified) => verified.message().as_bytes(),
            Message::Raw(raw) => raw.bytes(),
        }
    }

    /// The message with its signature checked; none of a raw delivery, which is worth as much as the way it came.
    #[must_use]
    pub const fn verified(&self) -> Option<&Verified<'_>> {
        match &self.message {
            Message::Verified(verified) => Some(verified),
            Message::Raw(_) => None,
        }
    }

    /// What the event in it is ordered by.
    #[must_use]
    pub fn order(&self, event: &Event<'_>) -> OrderKey {
        OrderKey::new(event.time(), self.verified().and_then(Verified::sns_time))
    }
}

/// Why a delivery is not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriberError {
    /// It is not a message from SNS for us.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// It asks for a confirmation that is not to be given.
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl SubscriberError {
    /// What to answer.
    #[must_use]
    pub const fn answer(&self) -> Answer {
        match self {
            Self::Verify(error) => error.answer(),
            Self::Control(error) => error.answer(),
        }
    }
}

impl Admission {
    /// What to answer. What is fresh has to be handled first.
    #[must_use]
    pub const fn answer(&self) -> Option<Answer> {
        match self {
            Self::Fresh => None,
            Self::DuplicateMessage { .. } | Self::DuplicateEvent { .. } => Some(Answer::Accept),
            Self::InFlight | Self::Full => Some(Answer::Retry),
        }
    }
}
