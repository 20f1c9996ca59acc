//! A topic of SNS inside the process: it POSTs what is published, and serves its certificate and confirmations over
//! HTTPS.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis, WallClock};
use smart_properties::{
    TopicArn,
    service::{
        self, Config, Ended, Event, Form, MessageId, Publication, RetryPolicy, ServiceError, Topic,
        transport::{Action, Answered, Attempt, Deliver, DeliveryId, Failed, Visited},
    },
};
use tokio::{net::TcpListener, sync::broadcast, task::JoinSet, time::timeout};
use tokio_rustls::{TlsAcceptor, rustls::ClientConfig};

pub use self::post::post;
use self::{
    signing::{SigningKey, SigningKeyError},
    web::serve,
};
use crate::{
    certificates::{self, Certificates},
    https::Https,
    lifecycle::Failure,
    service::{Events, Timer},
};

mod post;
mod signing;
mod web;

/// The `Topic` machine of `smart-properties` behind real HTTP.
///
/// The machine decides everything: what is sent, how it is signed, and when again. This POSTs it, and answers those who
/// come: the certificate that it signs with, and the URLs that confirm subscriptions, are at the host that the real
/// one has, [`HOST`]. Nothing here changes where that name leads: who wants this one connects to
/// [`address`](Self::address) and trusts [`ca_pem`](Self::ca_pem), which [`https`](Self::https) does and nobody should
/// in earnest.
///
/// The key is in `sns/test-only-signing-key.pem`, which is no secret, and signs with version 2 alone; the certificate
/// is made of it at every start. It stops when it is dropped.
///
/// ```
/// use std::time::Duration;
/// use examples::sns::Sns;
/// use smart_properties::TopicArn;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let arn = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let sns = Sns::start(arn, Duration::from_secs(20), 7).await?;
/// let pem = sns.https()?.get(sns.certificate_url()).await?;
/// assert!(pem.starts_with(b"-----BEGIN CERTIFICATE-----"));
/// # Ok::<(), examples::lifecycle::Failure>(())
/// # })?;
/// # Ok::<(), examples::lifecycle::Failure>(())
/// ```
pub struct Sns {
    certificates: Certificates,
    address: SocketAddr,
    shared: Arc<Shared>,
    events: Events<Event>,
    /// End with this.
    _tasks: JoinSet<()>,
}

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are no certificates for TLS.
    #[error(transparent)]
    Certificates(#[from] certificates::Error),
    /// There is no key or no certificate to sign with.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// There is no port.
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
}

/// A message that was recorded on its way, or made up.
#[derive(Clone)]
pub struct Recorded {
    /// The headers of its POST.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What connections, attempts and the application share.
struct Shared {
    topic: Mutex<Topic<Arc<SigningKey>>>,
    key: Arc<SigningKey>,
    timer: Timer,
    teller: broadcast::Sender<Event>,
    posts: Mutex<JoinSet<()>>,
    record: Mutex<Record>,
    is_certificate_down: AtomicBool,
    certificate_requests: AtomicUsize,
    recordings: AtomicU64,
}

#[derive(Default)]
struct Record {
    last: Option<Deliver>,
    statuses: BTreeMap<DeliveryId, Vec<Option<u16>>>,
}

impl Sns {
    /// Starts a topic of this name, in the region `us-east-1`, which waits so long before it sends a message again; in
    /// earnest, 20 s.
    ///
    /// # Errors
    /// No port is to be had, or no randomness for certificates.
    pub async fn start(arn: TopicArn, pause: Duration, seed: u64) -> Result<Self, Error> {
        let certificates = Certificates::for_host(HOST)?;
        let tls = TlsAcceptor::from(certificates.server()?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let key = Arc::new(SigningKey::load(seed)?);
        let retries = RetryPolicy::http().with_delay(pause);
        let config = Config::new(arn).with_http_retries(retries).with_seed(seed);
        let timer = Timer::new();
        let clock = WallClock::new(timer.now(), SystemTime::now().into());
        let (teller, events) = Events::new();
        let shared = Arc::new(Shared {
            topic: Mutex::new(Topic::new(config, Arc::clone(&key), clock)),
            key,
            timer,
            teller,
            posts: Mutex::default(),
            record: Mutex::default(),
            is_certificate_down: AtomicBool::new(false),
            certificate_requests: AtomicUsize::new(0),
            recordings: AtomicU64::new(seed),
        });
        let mut tasks = JoinSet::new();
        let time = Arc::clone(&shared);
        tasks.spawn(async move {
            time.timer.keep(|| time.run(|topic, now| topic.handle_timeout(now))).await;
        });
        tasks.spawn(serve(listener, tls, Arc::clone(&shared)));
        Ok(Self { certificates, address, shared, events, _tasks: tasks })
    }

    /// The authority that its HTTPS server's certificate is of.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.certificates.ca_pem()
    }

    /// Where its HTTPS server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client that takes this for SNS, and trusts nobody else.
    ///
    /// # Errors
    /// The authority's certificate does not serve for TLS.
    pub fn https(&self) -> Result<Https, certificates::Error> {
        let tls: Arc<ClientConfig> = self.certificates.client()?;
        Ok(Https::new(tls).connecting_to(self.address))
    }

    /// The `SigningCertURL` of what it signs now.
    #[must_use]
    pub fn certificate_url(&self) -> &str {
        self.shared.key.url()
    }

    /// Signs with another certificate from now on. There are two, for the same key.
    pub fn rotate(&self) {
        self.shared.key.rotate();
    }

    /// Serves no certificate, or does so again.
    pub fn set_certificate_down(&self, is_down: bool) {
        self.shared.is_certificate_down.store(is_down, Ordering::Relaxed);
    }

    /// How often somebody has asked for a certificate.
    #[must_use]
    pub fn certificate_requests(&self) -> usize {
        self.shared.certificate_requests.load(Ordering::Relaxed)
    }

    /// Subscribes a URL of `http://`, which is asked to confirm it.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn subscribe(&self, url: &str) -> Result<service::SubscriptionArn, ServiceError> {
        let endpoint = service::Endpoint::Http(url.into());
        self.shared.run(|topic, now| topic.subscribe(now, endpoint, Form::Envelope))
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn unsubscribe(&self, subscription: &service::SubscriptionArn) -> Result<(), ServiceError> {
        self.shared.run(|topic, now| topic.unsubscribe(now, subscription))
    }

    /// Publishes a message.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn publish(&self, publication: &Publication) -> Result<MessageId, ServiceError> {
        self.shared.run(|topic, now| topic.publish(now, publication))
    }

    /// The next thing that the topic tells. Of more than 4,096 that wait, the oldest are dropped. Cancel safe.
    pub async fn event(&mut self) -> Event {
        self.events.next().await
    }

    /// Waits for the end of the next delivery, and says how each attempt at it was answered; none where it was not.
    pub async fn ended(&mut self) -> (Ended, Vec<Option<u16>>) {
        loop {
            if let Event::Delivered(ended) | Event::GivenUp { ended, .. } = self.event().await {
                let statuses = self.shared.record().statuses.remove(&ended.delivery);
                return (ended, statuses.unwrap_or_default());
            }
        }
    }

    /// The last message that it has sent, as somebody on the way sees it.
    #[must_use]
    pub fn last(&self) -> Option<Deliver> {
        self.shared.record().last.clone()
    }

    /// A message as SNS has signed it at this time, for a topic of any name.
    ///
    /// # Errors
    /// SNS would not take it.
    pub fn recorded(
        &self,
        arn: TopicArn,
        at: UnixMillis,
        publication: &Publication,
    ) -> Result<Recorded, Failure> {
        let clock = WallClock::new(MonoTime::ORIGIN, at);
        // Each has a message id of its own.
        let seed = !self.shared.recordings.fetch_add(1, Ordering::Relaxed);
        let config = Config::new(arn).with_seed(seed);
        let mut topic = Topic::new(config, Arc::clone(&self.shared.key), clock);
        // A queue needs no confirmation, and gets the same body.
        let queue = service::Endpoint::Queue("arn:aws:sqs:us-east-1:123456789012:asp".into());
        topic.subscribe(MonoTime::ORIGIN, queue, Form::Envelope)?;
        topic.publish(MonoTime::ORIGIN, publication)?;
        loop {
            match topic.poll_output() {
                Output::Action(Action::Deliver(Deliver { body, .. })) => {
                    return Ok(Recorded { headers: Vec::new(), body });
                }
                Output::Idle(_) => return Err("nothing is sent".into()),
                _ => {}
            }
        }
    }
}

impl Drop for Sns {
    fn drop(&mut self) {
        lock(&self.shared.posts).abort_all();
    }
}

impl Recorded {
    /// The headers, borrowed.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl Shared {
    /// Runs a step of the machine, and does at once what it says to it.
    fn run<T>(
        self: &Arc<Self>,
        step: impl FnOnce(&mut Topic<Arc<SigningKey>>, MonoTime) -> T,
    ) -> T {
        let mut topic = lock(&self.topic);
        let result = step(&mut topic, self.timer.now());
        loop {
            match topic.poll_output() {
                Output::Action(Action::Deliver(deliver)) => self.deliver(deliver),
                // Nobody has to listen.
                Output::Event(event) => drop(self.teller.send(event)),
                Output::Idle(deadline) => {
                    self.timer.set(deadline);
                    return result;
                }
                Output::Action(_) => {}
            }
        }
    }

    fn deliver(self: &Arc<Self>, deliver: Deliver) {
        self.record().last = Some(deliver.clone());
        let shared = Arc::clone(self);
        let mut posts = lock(&self.posts);
        while posts.try_join_next().is_some() {}
        posts.spawn(async move {
            let service::Endpoint::Http(url) = &deliver.endpoint else { return };
            let posted = timeout(PATIENCE, post(url, deliver.headers(), &deliver.body)).await;
            shared.answered(deliver.attempt, posted.ok().and_then(Result::ok));
        });
    }

    fn answered(self: &Arc<Self>, attempt: Attempt, status: Option<u16>) {
        self.record().statuses.entry(attempt.delivery).or_default().push(status);
        let input = match status {
            Some(status) => Answered::new(attempt, status).into(),
            None => Failed::new(attempt).into(),
        };
        // Refused only where more than a thousand outputs wait, and none does after a step.
        drop(self.run(|topic, now| topic.handle_input(now, input)));
    }

    /// Whether this URL confirms a subscription.
    fn visited(self: &Arc<Self>, url: &str) -> bool {
        self.run(|topic, now| topic.handle_input(now, Visited::new(url).into())).is_ok()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        lock(&self.record)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SNS's host in the region of [`ARN`].
pub const HOST: &str = "sns.us-east-1.amazonaws.com";
/// A name for a topic.
pub const ARN: &str = "arn:aws:sns:us-east-1:123456789012:asp-events";
/// How long SNS waits for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
