//! The endpoint that SNS posts to, on `axum`: it verifies each message, confirms subscriptions, hands each message over
//! once, and answers with the right status. Copy it together with `https.rs` and `tls.rs`; `Cargo.toml` needs, beside
//! what they need:
//!
//! ```toml
//! axum = { version = "0.8", default-features = false, features = ["http1", "tokio"] }
//! iot-sansio = "0.1"
//! smart-properties = { version = "0.1", features = ["ring"] }
//! tokio-util = { version = "0.7", features = ["rt"] }
//! ```
//!
//! It speaks plain HTTP: a proxy in front of it terminates TLS, and keeps away whoever sends headers byte by byte.

use std::{
    error::Error,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use iot_sansio::{MonoTime, UnixMillis};
use smart_properties::{
    TopicArn,
    dedupe::{self, Admission},
    sns::{
        Admitted, Answer, CertUrl, CertificateError, Classifier, Content, Delivery, Envelope,
        EnvelopeError, Fresh, Headers, Inbound, Ring, Subscriber, SubscriberError, Verified,
        Verifier, Via,
    },
};
use tokio::{sync::Semaphore, time::timeout};
use tokio_util::task::TaskTracker;

use crate::https::{GetError, Https};

/// What is done with messages.
pub trait Handler: Send + Sync + 'static {
    /// Handles a message, and sees to it that it stays handled: it does not come again. Keep what is no event, or none
    /// that is known.
    ///
    /// It may take longer than the 15 seconds that SNS waits. SNS sends the message again then, and is asked to do so
    /// once more until this is done.
    ///
    /// # Errors
    /// It cannot be handled now. SNS sends it again.
    fn handle(&self, message: &Fresh<'_>) -> impl Future<Output = Result<(), HandlerError>> + Send;

    /// What became of a POST, whoever sent it.
    fn told(&self, report: &Report);
}

/// Any error; it is for the report.
pub type HandlerError = Box<dyn Error + Send + Sync>;

/// A subscriber and its handler.
pub struct Endpoint<H> {
    subscriber: Mutex<Subscriber<Ring>>,
    https: Https,
    handler: H,
    confirms: bool,
    origin: Instant,
    fetches: Semaphore,
    tasks: TaskTracker,
}

/// What became of a POST.
#[derive(Debug)]
#[non_exhaustive]
pub enum Report {
    /// A message was handled.
    Handled,
    /// The handler failed.
    Failed(HandlerError),
    /// There was nothing to handle.
    Seen(Admission),
    /// The subscription to this topic was confirmed.
    Confirmed(TopicArn),
    /// The subscription to this topic waits to be confirmed, by somebody else.
    ConfirmationWanted(TopicArn),
    /// The endpoint was unsubscribed from this topic.
    Unsubscribed(TopicArn),
    /// It is not a message from SNS for us.
    Refused(SubscriberError),
    /// It is not formed as a message from SNS, or has no signature.
    Unreadable(EnvelopeError),
    /// It has records in it, as functions get them.
    Records,
    /// SNS does not give its certificate, or take the confirmation.
    Unavailable(GetError),
    /// What SNS gave is no certificate to check a signature with.
    BadCertificate(CertificateError),
    /// The body is too long.
    TooLong,
    /// The body broke off.
    BrokenOff,
    /// The body took too long.
    TooSlow,
}

impl<H: Handler> Endpoint<H> {
    /// An endpoint for messages of these topics, which has seen none yet.
    #[must_use]
    pub fn new(topics: impl IntoIterator<Item = TopicArn>, https: Https, handler: H) -> Self {
        let verifier = Verifier::new(Via::Http, topics);
        let subscriber = Subscriber::new(verifier, dedupe::Config::default(), Ring);
        Self {
            subscriber: Mutex::new(subscriber),
            https,
            handler,
            confirms: false,
            origin: Instant::now(),
            fetches: Semaphore::new(MAX_FETCHES),
            tasks: TaskTracker::new(),
        }
    }

    /// Has it confirm subscriptions of its topics by itself, once they are verified.
    #[must_use]
    pub fn confirming(self) -> Self {
        Self { confirms: true, ..self }
    }

    /// Takes the POSTs at this path, such as `/sns`.
    pub fn router(self: Arc<Self>, path: &str) -> Router {
        Router::new().route(path, post(receive::<H>)).with_state(self)
    }

    /// The handler.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// The time of this endpoint.
    pub fn now(&self) -> MonoTime {
        MonoTime::from_instants(self.origin, Instant::now())
    }

    /// Waits until nothing is being handled: after the server has stopped, before the process ends.
    pub async fn idle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn take(&self, headers: &HeaderMap, body: &[u8]) -> Report {
        let texts =
            headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        match Classifier::new(Via::Http).classify(body, &Headers::from_pairs(texts)) {
            Ok(Inbound::Envelope(envelope)) => {
                self.verify(envelope).await.unwrap_or_else(|why| why)
            }
            // Nothing raw: the classifier refuses that over HTTP.
            Ok(_) => Report::Records,
            Err(error) => Report::Unreadable(error),
        }
    }

    async fn verify(&self, envelope: Envelope<'_>) -> Result<Report, Report> {
        let mut admitted = self.admit(envelope)?;
        if let Admitted::CertificateWanted { envelope, .. } = admitted {
            let fetching = timeout(FETCH_PATIENCE, self.with_certificate(envelope)).await;
            admitted = fetching.unwrap_or(Err(Report::Unavailable(GetError::Timeout)))?;
        }
        match admitted {
            Admitted::Fresh(message) => Ok(self.handle(message).await),
            Admitted::Control(verified) => self.control(&verified).await,
            Admitted::Seen(admission) => Ok(Report::Seen(admission)),
            // It was pushed out by others before it could be used.
            _ => Err(Report::Unavailable(GetError::Timeout)),
        }
    }

    /// Fetches what is wanted, unless somebody else has done so meanwhile.
    async fn with_certificate<'a>(&self, envelope: Envelope<'a>) -> Result<Admitted<'a>, Report> {
        // Never closed.
        let _permit = self.fetches.acquire().await;
        match self.admit(envelope)? {
            Admitted::CertificateWanted { url, envelope, .. } => {
                self.fetch(url).await?;
                self.admit(envelope)
            }
            other => Ok(other),
        }
    }

    async fn fetch(&self, url: CertUrl) -> Result<(), Report> {
        let pem = self.https.get(url.as_str()).await.map_err(Report::Unavailable)?;
        self.lock().fetched(url, &pem, wall_clock()).map_err(Report::BadCertificate)
    }

    async fn handle(&self, message: Fresh<'_>) -> Report {
        let mut handling = Handling { endpoint: self, message, is_done: false };
        match self.handler.handle(&handling.message).await {
            Ok(()) => {
                handling.is_done = true;
                Report::Handled
            }
            Err(error) => Report::Failed(error),
        }
    }

    async fn control(&self, verified: &Verified<'_>) -> Result<Report, Report> {
        let topic = verified.topic().clone();
        Ok(match verified.content().map_err(SubscriberError::from)? {
            Content::Confirm(confirm) if self.confirms => {
                self.https.get(confirm.url()).await.map_err(Report::Unavailable)?;
                Report::Confirmed(topic)
            }
            Content::Confirm(_) => Report::ConfirmationWanted(topic),
            _ => Report::Unsubscribed(topic),
        })
    }

    fn admit<'a>(&self, envelope: Envelope<'a>) -> Result<Admitted<'a>, Report> {
        let (now, delivery) = (self.now(), Delivery::Envelope(envelope));
        Ok(self.lock().admit(now, wall_clock(), delivery)?)
    }

    fn lock(&self) -> MutexGuard<'_, Subscriber<Ring>> {
        self.subscriber.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn receive<H: Handler>(
    State(endpoint): State<Arc<Endpoint<H>>>,
    headers: HeaderMap,
    body: Body,
) -> StatusCode {
    // A task of its own goes on when SNS no longer waits.
    let tasks = endpoint.tasks.clone();
    let task = tasks.spawn(async move {
        let report = match timeout(BODY_PATIENCE, Limited::new(body, MAX_BYTES).collect()).await {
            Ok(Ok(body)) => endpoint.take(&headers, &body.to_bytes()).await,
            Ok(Err(error)) if error.is::<LengthLimitError>() => Report::TooLong,
            Ok(Err(_)) => Report::BrokenOff,
            Err(_) => Report::TooSlow,
        };
        endpoint.handler.told(&report);
        report.status()
    });
    // Only a handler that panics has none.
    task.await.unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}

/// A message in work. Whatever way its handler ends, also by a panic, the message is done with or fresh again.
struct Handling<'e, 'm, H: Handler> {
    endpoint: &'e Endpoint<H>,
    message: Fresh<'m>,
    is_done: bool,
}

impl<H: Handler> Drop for Handling<'_, '_, H> {
    fn drop(&mut self) {
        let (now, mut subscriber) = (self.endpoint.now(), self.endpoint.lock());
        match self.is_done {
            true => subscriber.commit(now, &self.message),
            false => subscriber.abort(&self.message),
        }
    }
}

impl Report {
    /// What it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        let answer = match self {
            Self::TooLong => return StatusCode::PAYLOAD_TOO_LARGE,
            Self::Handled
            | Self::Confirmed(_)
            | Self::ConfirmationWanted(_)
            | Self::Unsubscribed(_) => Answer::Accept,
            Self::Seen(admission) => admission.answer().unwrap_or(Answer::Retry),
            Self::Refused(error) => error.answer(),
            Self::Unreadable(error) => error.answer(),
            Self::BadCertificate(error) => error.answer(),
            Self::Records => Answer::Refuse,
            Self::BrokenOff => Answer::Malformed,
            // Not 408: SNS gives up at any 4xx.
            Self::Failed(_) | Self::Unavailable(_) | Self::TooSlow => Answer::Retry,
        };
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handled => f.write_str("handled"),
            Self::Failed(error) => write!(f, "the handler failed: {error}"),
            Self::Seen(Admission::DuplicateMessage { .. }) => f.write_str("the same message again"),
            Self::Seen(Admission::DuplicateEvent { .. }) => {
                f.write_str("the same event in another message")
            }
            Self::Seen(Admission::InFlight) => f.write_str("it is being handled"),
            Self::Seen(_) => f.write_str("too much is being handled"),
            Self::Confirmed(topic) => write!(f, "subscribed to {topic}"),
            Self::ConfirmationWanted(topic) => {
                write!(f, "the subscription to {topic} waits to be confirmed")
            }
            Self::Unsubscribed(topic) => write!(f, "unsubscribed from {topic}"),
            Self::Refused(error) => error.fmt(f),
            Self::Unreadable(error) => error.fmt(f),
            Self::Records => f.write_str("it has records in it, as functions get them"),
            Self::Unavailable(error) => write!(f, "SNS does not answer: {error}"),
            Self::BadCertificate(error) => error.fmt(f),
            Self::TooLong => write!(f, "the body has more than {MAX_BYTES} bytes"),
            Self::BrokenOff => f.write_str("the body breaks off"),
            Self::TooSlow => write!(f, "no whole body in {} s", BODY_PATIENCE.as_secs()),
        }
    }
}

impl From<SubscriberError> for Report {
    fn from(error: SubscriberError) -> Self {
        Self::Refused(error)
    }
}

fn wall_clock() -> UnixMillis {
    SystemTime::now().into()
}

/// Of SNS's 15 s: body, certificate, and then the confirmation.
const BODY_PATIENCE: Duration = Duration::from_secs(4);
const FETCH_PATIENCE: Duration = Duration::from_secs(5);
/// The longest that the classifier reads: a message of 256 KiB may take six bytes for each in JSON.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Anybody can name certificates that are not there.
const MAX_FETCHES: usize = 4;
