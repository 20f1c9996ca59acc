//! A consumer group on the embedded platform: logins, refusals, copies, cuts and the order of status messages.

mod client;
pub mod feed;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use amqp_auth::{
    AuthMode, Credential, Report, SignMethod, Signer, VerifyError,
    platform::{self as machine, Account, Disconnect},
    session::{Cause, Event},
    status::{self, Change, Notice, Status, StatusTracker},
};
use fastrand::Rng;
use iot_sansio::amqp::Outcome;

use self::{
    client::{Client, consumer, wall},
    feed::{EXAMPLE_DEVICE, Feed, PRODUCT_KEY, out_of_order},
};
use crate::{lifecycle::Failure, platform::Platform};

/// The platform of these scenes; each scene leaves nothing behind for the next.
pub struct Stage {
    platform: Platform,
    seed: u64,
}

/// A login that was accepted.
#[derive(Debug)]
pub struct LoggedIn {
    /// The mode, as the platform saw it.
    pub mode: AuthMode,
    /// How it was signed.
    pub method: SignMethod,
    /// What the report on it says, before it is sent.
    pub report: Report,
}

/// What is wrong about a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// It is signed with another secret.
    WrongSecret,
    /// The clock of whoever signs is twenty minutes late.
    LateClock,
}

/// A login that was refused, and then was put right.
#[derive(Debug)]
pub struct Refused {
    /// All that the client is told.
    pub cause: Cause,
    /// What the verifier knows.
    pub reason: VerifyError,
    /// When the session would try again by itself.
    pub retry_in: Duration,
}

/// A status message that arrived, and what it did.
#[derive(Debug)]
pub struct Step {
    /// What it says.
    pub notice: Notice,
    /// What that did.
    pub change: Change,
    /// The status after it.
    pub status: Option<Status>,
}

/// The vendor's example.
#[derive(Debug)]
pub struct OutOfOrder {
    /// In the order of arrival.
    pub steps: Vec<Step>,
    /// In the order in which it was.
    pub history: Vec<Notice>,
}

/// How a feed was received.
#[derive(Debug, Default)]
pub struct Receipt {
    /// Messages pushed.
    pub pushed: usize,
    /// Deliveries that the platform made of them.
    pub deliveries: usize,
    /// Messages that it sent again on purpose, while they were in work.
    pub sent_twice: usize,
    /// Settlements that it lost on purpose.
    pub lost: usize,
    /// Deliveries that it sent again since no settlement came in time.
    pub ack_timeouts: usize,
    /// Messages that the session handed over.
    pub handed_over: usize,
    /// Different ones among them.
    pub distinct: usize,
    /// Messages in work when the connection was cut, and how many of those were done before the next one stood.
    pub in_work: [usize; 2],
    /// How often the link stood.
    pub connections: usize,
    /// Messages that nobody has accepted in the end.
    pub pending: usize,
    /// What the messages did, in the order changed, refreshed, repeat, late.
    pub changes: [usize; 4],
    /// How many devices the tracker is wrong about.
    pub wrong: usize,
    /// How many devices the last arrival is wrong about.
    pub naive_wrong: usize,
}

/// How a session was stopped in the middle of its work.
#[derive(Debug)]
pub struct GivenBack {
    /// Messages accepted before.
    pub accepted: usize,
    /// Messages released by the stop.
    pub released: usize,
    /// Of those, how many the next client got.
    pub taken_over: usize,
    /// Messages that nobody has accepted in the end.
    pub pending: usize,
}

impl Stage {
    /// Starts the platform. The seed decides which of its clients and messages it treats badly.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(seed: u64) -> Result<Self, Failure> {
        let temporary = Account::new(STS_ID, STS_SECRET)
            .with_security_token(sts_token(), wall().after(TOKEN_LIFETIME))
            .with_group(GROUP);
        let config = machine::Config::default()
            .with_account(Account::new(KEY_ID, KEY_SECRET).with_group(GROUP))
            .with_account(temporary)
            .with_ack_timeout(ACK_TIMEOUT)
            .with_retry_interval(RETRY_INTERVAL)
            .with_seed(seed);
        Ok(Self { platform: Platform::start(config).await?, seed })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.platform.port()
    }

    /// Logs in, attaches and stops, in both modes with all three methods.
    ///
    /// # Errors
    /// One of them does not work.
    pub async fn log_in(&mut self) -> Result<Vec<LoggedIn>, Failure> {
        let mut logins = Vec::new();
        for credential in [key(), sts()] {
            for method in SignMethod::ALL {
                let login = Signer::new(&consumer()?, &credential, method)?.login(wall())?;
                let report = login.report();
                let mut client =
                    Client::start(&self.platform, credential.clone(), method, Duration::ZERO)?;
                client.connected().await?;
                let mode = loop {
                    if let machine::Event::LoggedIn(login) = self.platform.event().await {
                        break login.auth_mode;
                    }
                };
                self.stop(client).await?;
                logins.push(LoggedIn { mode, method, report });
            }
        }
        Ok(logins)
    }

    /// Makes a mistake, hears of it, puts it right, and is connected then.
    ///
    /// # Errors
    /// It is not refused, or not accepted after that.
    pub async fn make(&mut self, mistake: Mistake) -> Result<Refused, Failure> {
        let (credential, behind) = match mistake {
            Mistake::WrongSecret => {
                (Credential::key(KEY_ID, "SomeOtherSecretKey000000000001"), Duration::ZERO)
            }
            Mistake::LateClock => (key(), LATE),
        };
        let mut client = Client::start(&self.platform, credential, SignMethod::HmacSha256, behind)?;
        let Event::Disconnected(disconnected) = client.event().await? else {
            return Err("it is not refused".into());
        };
        let Event::RetryAt(retry) = client.event().await? else {
            return Err("it does not try again".into());
        };
        let retry_in = client.until(retry.at);
        let reason = loop {
            let event = self.platform.event().await;
            if let machine::Event::Disconnected { reason: Disconnect::Login(reason), .. } = event {
                break reason;
            }
        };
        client.credential = key();
        client.restart()?;
        client.connected().await?;
        self.stop(client).await?;
        Ok(Refused { cause: disconnected.cause, reason, retry_in })
    }

    /// Receives the vendor's example.
    ///
    /// # Errors
    /// A message does not arrive, or is none of a status.
    pub async fn out_of_order(&mut self) -> Result<OutOfOrder, Failure> {
        for message in out_of_order()? {
            self.platform.command(|machine, now| machine.push(now, GROUP, message))?;
        }
        let mut client = self.client()?;
        let mut tracker = StatusTracker::new(status::Config::default());
        let mut steps = Vec::new();
        while steps.len() < 3 {
            let received = client.message().await?;
            let update = tracker.apply(&received.message)?;
            client.accept(received.id)?;
            let device = tracker.get(PRODUCT_KEY, EXAMPLE_DEVICE);
            let status = device.and_then(|device| device.current()).map(|notice| notice.status);
            steps.push(Step { notice: update.notice, change: update.change, status });
        }
        self.stop(client).await?;
        let device = tracker.get(PRODUCT_KEY, EXAMPLE_DEVICE).ok_or("no such device")?;
        Ok(OutOfOrder { steps, history: device.history().collect() })
    }

    /// Receives a feed from a platform that sends some of it twice, loses settlements and cuts the connection halfway.
    /// `on_message` is called for each message that is handed over.
    ///
    /// # Errors
    /// A command is refused, or a message is none of a status.
    pub async fn receive(
        &mut self,
        feed: &Feed,
        mut on_message: impl FnMut(),
    ) -> Result<Receipt, Failure> {
        self.platform.command(|machine, now| {
            feed.messages
                .iter()
                .try_for_each(|push| machine.push(now, GROUP, push.clone()).map(drop))
        })?;
        let mut rng = Rng::with_seed(self.seed);
        let mut client = self.client()?;
        let mut receipt = Receipt { pushed: feed.messages.len(), ..Receipt::default() };
        let mut tracker = StatusTracker::new(status::Config::default());
        let (mut last_arrivals, mut seen) = (HashMap::new(), HashSet::new());
        let mut in_work = VecDeque::new();
        while receipt.handed_over == 0 || self.pending() > 0 {
            tokio::select! {
                told = client.event() => match told? {
                    Event::Connected(_) => {
                        receipt.connections += 1;
                        if receipt.connections > 1 {
                            let lose = |machine: &mut machine::Platform, now| {
                                machine.lose_settlements(now, LOST)
                            };
                            self.platform.command(lose)?;
                            receipt.lost += LOST as usize;
                        }
                    }
                    Event::Disconnected(_) => {
                        // Nobody stops working for that.
                        let done = in_work.len() / 2;
                        receipt.in_work = [in_work.len(), done];
                        in_work.drain(..done).try_for_each(|id| client.accept(id))?;
                    }
                    Event::Message(received) => {
                        on_message();
                        receipt.handed_over += 1;
                        let update = tracker.apply(&received.message)?;
                        if let Some(kind) = kind_of(update.change) {
                            receipt.changes[kind] += 1;
                        }
                        let topic = received.message.topic();
                        let device = topic.device_name().unwrap_or_default().to_owned();
                        last_arrivals.insert(device, update.notice.status);
                        let id = received.message.attributes.message_id.as_ref();
                        let id: i64 = id.ok_or("no message id")?.as_str().parse()?;
                        seen.insert(id);
                        in_work.push_back(received.id);
                        if rng.u8(..SENT_TWICE_ONE_IN) == 0 {
                            let id = machine::MessageId::new(id);
                            self.platform.command(|machine, now| machine.duplicate(now, id))?;
                            receipt.sent_twice += 1;
                        }
                        if receipt.handed_over == receipt.pushed / 2 {
                            self.platform.command(|machine, now| machine.abort_all(now))?;
                        }
                        let left = if receipt.handed_over < receipt.pushed { IN_WORK } else { 0 };
                        while in_work.len() > left {
                            in_work.pop_front().map_or(Ok(()), |id| client.accept(id))?;
                        }
                    }
                    Event::RetryAt(_) => {}
                    other => return Err(format!("unexpected: {other:?}").into()),
                },
                event = self.platform.event() => receipt.note(&event),
            }
        }
        self.stop(client).await?.iter().for_each(|event| receipt.note(event));
        receipt.distinct = seen.len();
        receipt.pending = self.pending();
        receipt.wrong = feed.errors(|device| {
            let device = tracker.get(PRODUCT_KEY, device)?;
            device.current().map(|notice| notice.status)
        });
        receipt.naive_wrong = feed.errors(|device| last_arrivals.get(device).copied());
        Ok(receipt)
    }

    /// Stops a session that has accepted some of its messages, and lets another one have the rest.
    ///
    /// # Errors
    /// A message does not arrive.
    pub async fn stop_at_work(&mut self) -> Result<GivenBack, Failure> {
        for number in 0..BATCH {
            let push = machine::Push::new(format!("/{PRODUCT_KEY}/meter-7/user/report"), [number]);
            self.platform.command(|machine, now| machine.push(now, GROUP, push))?;
        }
        let mut client = self.client()?;
        let mut unanswered = HashSet::new();
        for number in 0..BATCH {
            let received = client.message().await?;
            if number < PROCESSED {
                client.accept(received.id)?;
            } else {
                unanswered.insert(received.message.attributes.message_id);
            }
        }
        let told = self.stop(client).await?;
        let settled = |expected| {
            let outcomes = told.iter().filter_map(|event| match event {
                machine::Event::Settled { outcome, .. } => Some(*outcome),
                _ => None,
            });
            outcomes.filter(|outcome| *outcome == expected).count()
        };
        let (accepted, released) = (settled(Outcome::Accepted), settled(Outcome::Released));
        let mut next = self.client()?;
        let mut taken_over = 0;
        while !unanswered.is_empty() {
            let received = next.message().await?;
            taken_over += usize::from(unanswered.remove(&received.message.attributes.message_id));
            next.accept(received.id)?;
        }
        self.stop(next).await?;
        Ok(GivenBack { accepted, released, taken_over, pending: self.pending() })
    }

    /// Gives what the platform told up to the end of the client's connection: then it knows all of its answers.
    async fn stop(&mut self, client: Client) -> Result<Vec<machine::Event>, Failure> {
        client.stop().await?;
        let mut told = Vec::new();
        loop {
            let event = self.platform.event().await;
            let is_end =
                matches!(event, machine::Event::Disconnected { reason: Disconnect::Client, .. });
            told.push(event);
            if is_end {
                return Ok(told);
            }
        }
    }

    fn client(&self) -> Result<Client, Failure> {
        Client::start(&self.platform, key(), SignMethod::HmacSha256, Duration::ZERO)
    }

    fn pending(&self) -> usize {
        self.platform.command(|machine, _| machine.pending().len())
    }
}

impl Receipt {
    fn note(&mut self, event: &machine::Event) {
        match event {
            machine::Event::Settled { outcome: Outcome::Accepted, attempts, .. } => {
                self.deliveries += *attempts as usize;
            }
            machine::Event::AckTimeout { .. } => self.ack_timeouts += 1,
            _ => {}
        }
    }
}

/// The place among [`Receipt::changes`].
fn kind_of(change: Change) -> Option<usize> {
    match change {
        Change::Changed { .. } => Some(0),
        Change::Refreshed => Some(1),
        Change::Repeat => Some(2),
        Change::Late => Some(3),
        _ => None,
    }
}

fn key() -> Credential {
    Credential::key(KEY_ID, KEY_SECRET)
}

/// As long as tokens usually are: 700 characters.
fn sts_token() -> String {
    "CAISExample+/".chars().cycle().take(700).collect()
}

fn sts() -> Credential {
    Credential::sts(STS_ID, STS_SECRET, sts_token(), Some(wall().after(TOKEN_LIFETIME)))
}

/// Of the consumer group.
pub const GROUP: &str = "DEFAULT_GROUP";
const CLIENT_ID: &str = "backend-1";
const KEY_ID: &str = "LTAI5tEXAMPLEKEY00000001";
const KEY_SECRET: &str = "ExampleSecretKey00000000000001";
const STS_ID: &str = "STS.EXAMPLEKEY00000002";
const STS_SECRET: &str = "ExampleSecretKey00000000000002";
const TOKEN_LIFETIME: Duration = Duration::from_secs(3_600);
const LATE: Duration = Duration::from_secs(20 * 60);

/// Of the platform; its own is 30 s.
pub const ACK_TIMEOUT: Duration = Duration::from_secs(1);
/// Of the platform; its own is a minute.
pub const RETRY_INTERVAL: Duration = Duration::from_millis(300);
/// How many settlements the platform loses.
const LOST: u32 = 20;
const SENT_TWICE_ONE_IN: u8 = 20;
/// How many messages are worked on at a time, fewer than the credit.
const IN_WORK: usize = 32;
/// The messages of the last scene, and how many are processed before the stop.
const BATCH: u8 = 20;
const PROCESSED: u8 = 12;
