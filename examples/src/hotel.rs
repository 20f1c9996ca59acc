//! A hotel with Alexa devices: what SNS delivers to its endpoint, what others try, and what its gates make of it.

mod concierge;
mod rooms;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use iot_sansio::UnixMillis;
use smart_properties::{
    AutomationId, EndpointId, EventType, TopicArn, UnitId,
    event::EventBuilder,
    service::{Attacker, Event, Forgery, MessageId, Occurrence, Publication, Signer},
    sns::Digest,
};
use tokio::{net::TcpListener, task::JoinSet};

pub use self::{
    concierge::{Concierge, Handled},
    rooms::{Opened, Placed, Revoked, Step},
};
use crate::{
    lifecycle::Failure,
    sns::{ARN, Recorded, Sns, post},
    sns_endpoint::Endpoint,
};

/// An SNS, an endpoint and its application; its methods are the scenes, in this order.
pub struct Hotel {
    sns: Sns,
    endpoint: Arc<Endpoint<Concierge>>,
    url: String,
    /// Ends with this.
    _server: JoinSet<()>,
}

/// What came of a publication.
#[derive(Debug)]
pub struct Delivered {
    /// How each attempt was answered.
    pub statuses: Vec<Option<u16>>,
    /// What the endpoint said to each POST.
    pub reports: Vec<String>,
    /// What was handled meanwhile.
    pub handled: Vec<Handled>,
}

/// What came of something that nobody should believe.
#[derive(Debug)]
pub struct Attempted {
    /// What was tried.
    pub what: &'static str,
    /// How it was answered.
    pub status: u16,
    /// Why.
    pub why: String,
}

impl Hotel {
    /// Starts all.
    ///
    /// # Errors
    /// There are no ports, or no certificates.
    pub async fn start(seed: u64) -> Result<Self, Failure> {
        let topic = TopicArn::new(ARN)?;
        let sns = Sns::start(topic.clone(), PAUSE, seed).await?;
        let endpoint = Endpoint::new([topic], sns.https()?, Concierge::default()).confirming();
        let endpoint = Arc::new(endpoint);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/sns", listener.local_addr()?);
        let router = Arc::clone(&endpoint).router("/sns");
        let mut server = JoinSet::new();
        // It never fails.
        server.spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { sns, endpoint, url, _server: server })
    }

    /// Where SNS posts to.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where SNS's certificates are.
    #[must_use]
    pub fn sns_address(&self) -> SocketAddr {
        self.sns.address()
    }

    /// Subscribes the endpoint, which confirms that by a visit.
    ///
    /// # Errors
    /// It is not confirmed.
    pub async fn subscribe(&mut self) -> Result<Delivered, Failure> {
        let subscription = self.sns.subscribe(&self.url)?;
        let confirmed = loop {
            if let Event::Confirmed { subscription } = self.sns.event().await {
                break subscription;
            }
        };
        if confirmed != subscription {
            return Err("another subscription is confirmed".into());
        }
        self.delivered().await
    }

    /// Publishes the event that is documented: an automation ended, and failed.
    ///
    /// # Errors
    /// It is not delivered.
    pub async fn fail_automation(&mut self) -> Result<Delivered, Failure> {
        let event = Occurrence::new("c-1", "2024-05-01T10:00:00Z");
        let [room, automation, device] = [ROOM_401, AUTOMATION, MISSING_DEVICE];
        let event = event.failure(
            &UnitId::new(room)?,
            &AutomationId::new(automation)?,
            &EndpointId::new(device)?,
        )?;
        self.publish(&Publication::new(event)).await
    }

    /// Publishes an event in a message that SNS delivers twice, and then the same event in another message.
    ///
    /// # Errors
    /// It is not delivered.
    pub async fn repeat(&mut self) -> Result<[Delivered; 3], Failure> {
        let event = Occurrence::new("c-2", "2024-05-01T10:01:00Z");
        let event = event.success(&UnitId::new(ROOM_401)?, &AutomationId::new(AUTOMATION)?)?;
        self.sns.publish(&Publication::new(&event).delivered_twice())?;
        let (first, second) = (self.delivered().await?, self.delivered().await?);
        Ok([first, second, self.publish(&Publication::new(event)).await?])
    }

    /// Has the handler fail once.
    ///
    /// # Errors
    /// It is not delivered.
    pub async fn stumble(&mut self) -> Result<Delivered, Failure> {
        self.endpoint.handler().fail_once();
        let event = Occurrence::new("c-3", "2024-05-01T10:02:00Z");
        let event = event.success(&UnitId::new(ROOM_401)?, &AutomationId::new(AUTOMATION)?)?;
        self.publish(&Publication::new(event)).await
    }

    /// SNS signs with another certificate, which cannot be had until the first attempt has failed.
    ///
    /// # Errors
    /// It is not delivered.
    pub async fn rotate(&mut self) -> Result<Delivered, Failure> {
        self.sns.rotate();
        self.sns.set_certificate_down(true);
        let event = Occurrence::new("c-4", "2024-05-01T10:03:00Z");
        let event = event.success(&UnitId::new(ROOM_401)?, &AutomationId::new(AUTOMATION)?)?;
        self.sns.publish(&Publication::new(event))?;
        while !matches!(self.sns.event().await, Event::AttemptFailed { .. }) {}
        self.sns.set_certificate_down(false);
        self.delivered().await
    }

    /// Publishes an event of a type that nobody has documented, and a text that is no event and imitates the lines that
    /// are signed.
    ///
    /// # Errors
    /// They are not delivered.
    pub async fn surprise(&mut self) -> Result<[Delivered; 2], Failure> {
        let event_type = EventType::new("Alexa.Enterprise.Endpoint.Activity", "StateChange")?;
        let event = EventBuilder::new(event_type, "u-1").with_payload(r#"{"x":1}"#).encode()?;
        let unknown = self.publish(&Publication::new(event)).await?;
        // One who can publish, as many may in an account, hides another message in this one.
        let text = "a\nMessageId\nbbbbbbbb-000b-5000-8000-00000000000b\nSubject\nz";
        Ok([unknown, self.publish(&Publication::new(text)).await?])
    }

    /// Tries what nobody should believe. It takes the last message for a model: one with the lines of another in it.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn attack(&mut self) -> Result<Vec<Attempted>, Failure> {
        let activation = Occurrence::new("x-1", "2024-05-01T10:04:00Z");
        let text = activation.activation(&UnitId::new(ROOM_401)?, None)?;
        let seen = self.sns.last().ok_or("nothing was sent")?;
        let attacker = Attacker::new(Elsewhere, text.clone());
        let mut attempts = Vec::new();
        for (what, forgery) in [
            ("another text under the signature", Forgery::Message),
            ("the lines cut at other places", Forgery::Resplit),
            ("signed by a certificate that is elsewhere", Forgery::CertificateUrl),
            ("an event without an envelope", Forgery::Bare),
            ("an event in a record of a queue", Forgery::Record),
        ] {
            let forged = attacker.forge(&seen, forgery).ok_or("it cannot be forged")?;
            let headers = forged.headers.clone();
            attempts.push((what, Recorded { headers, body: forged.body }));
        }
        let (now, publication) = (SystemTime::now(), Publication::new(text));
        let other = TopicArn::new(format!("{ARN}-of-others"))?;
        let foreign = self.sns.recorded(other, now.into(), &publication)?;
        attempts.push(("a good message for another topic", foreign));
        let long_ago: UnixMillis = (now - Duration::from_secs(2 * 60 * 60)).into();
        let old = self.sns.recorded(TopicArn::new(ARN)?, long_ago, &publication)?;
        attempts.push(("a good message, recorded two hours ago", old));

        let mut attempted = Vec::new();
        for (what, Recorded { headers, body }) in attempts {
            let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
            let status = post(&self.url, headers, &body).await?;
            let why = self.endpoint.handler().take().0.join("; ");
            attempted.push(Attempted { what, status, why });
        }
        Ok(attempted)
    }

    /// How often the endpoint has asked for a certificate.
    #[must_use]
    pub fn certificate_requests(&self) -> usize {
        self.sns.certificate_requests()
    }

    async fn publish(&mut self, publication: &Publication) -> Result<Delivered, Failure> {
        let published = self.sns.publish(publication)?;
        self.delivered_as(Some(&published)).await
    }

    async fn delivered(&mut self) -> Result<Delivered, Failure> {
        self.delivered_as(None).await
    }

    /// Waits for the end of the next delivery.
    async fn delivered_as(&mut self, expected: Option<&MessageId>) -> Result<Delivered, Failure> {
        let (ended, statuses) = self.sns.ended().await;
        if expected.is_some_and(|expected| *expected != ended.message_id) {
            return Err("another message was delivered".into());
        }
        let (reports, handled) = self.endpoint.handler().take();
        Ok(Delivered { statuses, reports, handled })
    }
}

impl Delivered {
    /// Whether the last attempt was answered well.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.statuses.last() == Some(&Some(200))
    }
}

/// Somebody with a key of their own, and a server whose name looks like one of SNS.
struct Elsewhere;

impl Signer for Elsewhere {
    fn sign(&self, _digest: Digest, _string_to_sign: &[u8]) -> Vec<u8> {
        // It is never looked at: the URL of the certificate is.
        vec![0; 256]
    }

    fn certificate_url(&self) -> &str {
        "https://sns.us-east-1.amazonaws.com.evil.example/\
         SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
    }
}

/// How long SNS waits before it sends a message again; in earnest, 20 s.
pub const PAUSE: Duration = Duration::from_millis(100);
const ROOM_401: &str = "amzn1.alexa.unit.did.ROOM401";
const AUTOMATION: &str = "amzn1.alexa.automation.AUTO1";
const MISSING_DEVICE: &str = "amzn1.alexa.endpoint.EP1";
