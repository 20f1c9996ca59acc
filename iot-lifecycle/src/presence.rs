//! Whether one client is there: the wait state as a plain step function (specification section 5).
//!
//! ```text
//!            connect               disconnect
//!  unknown ───────────► online ────────────────► online, waiting
//!     │                  ▲ ▲ ▲       connect            │
//!     │ disconnect       │ │ └──────────────────────────┤
//!     ▼       connect    │ │ connect                    │ wait over
//!  unknown, waiting ─────┘ └──────── offline ◄──────────┘
//!     │                                 ▲
//!     └─────────────────────────────────┘
//!                  wait over
//! ```
//!
//! Where the wait is zero a disconnect leads to offline at once.

use core::{cmp::Ordering, fmt, time::Duration};

use iot_sansio::{MonoTime, UnixMillis};

use crate::{DisconnectReason, Head, HeadKind, Order, SessionId};

mod config;
mod note;
mod snapshot;

pub use config::Config;
pub use note::{Note, Notes};
pub use snapshot::{HeadSnapshot, RestoreError, Snapshot, WaitSnapshot};

/// What is known of one client, and what was said of it. 56 bytes on a 64-bit target.
///
/// It has no clock and no timers: [`step`](Self::step) is told the time and answers with timers to arm. Keep the timer
/// wherever it lasts as long as the state does: a queue with delayed delivery, a scheduler, or
/// [`Fleet`](crate::fleet::Fleet), which holds many clients with their deadlines.
///
/// ```
/// use iot_lifecycle::{DisconnectReason, Head, HeadKind, presence::{Config, Input, Presence, Status}};
/// use iot_sansio::{MonoTime, UnixMillis};
///
/// let config = Config::default();
/// let mut presence = Presence::default();
/// let mut step = |seconds: u64, kind, version| {
///     let timestamp = UnixMillis::new(1_700_000_000_000 + 1_000 * seconds as i64);
///     let head = Head { kind, version, session: None, timestamp };
///     let input = Input::Event { head, reason: Some(&DisconnectReason::ConnectionLost) };
///     presence.step(&config, MonoTime::from_millis(1_000 * seconds), timestamp, input)
/// };
/// assert_eq!(step(0, HeadKind::Connect, 0).transition.unwrap().to, Status::Online);
/// // Gone, and back before the wait is over: nothing is published.
/// let timer = step(60, HeadKind::Disconnect, 0).arm.unwrap();
/// assert_eq!(timer.deadline, MonoTime::from_millis(65_000));
/// assert_eq!(step(62, HeadKind::Connect, 1).cancel, Some(timer.token));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Presence {
    /// The head, flat: a `Head` of its own would cost 8 bytes of padding. Meaningless while `kind` is none.
    version: i64,
    timestamp: UnixMillis,
    session: Option<SessionId<'static>>,
    kind: Option<HeadKind>,
    connect_seen: bool,
    published: Status,
    /// What started the wait that is running; `deadline` is the origin while none is, so that equal knowledge is equal.
    waiting: Option<Cause>,
    deadline: MonoTime,
    /// The newest token given.
    token: u32,
}

/// What is published of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "the three states of the specification")]
pub enum Status {
    /// Nothing yet.
    #[default]
    Unknown,
    /// It is there.
    Online,
    /// It is away, and the wait is over.
    Offline,
}

/// What reaches a client's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A connect or disconnect event.
    Event {
        /// What decides its order.
        head: Head<'a>,
        /// Why the connection ended; chooses the wait.
        reason: Option<&'a DisconnectReason<'a>>,
    },
    /// A timer that was armed earlier fired.
    Timer(TimerToken),
    /// The client's last will arrived. Only a hint: the broker sends the disconnect event too (section 9, A11).
    LastWill,
    /// A `connect_failed` event. Somebody failed to connect under this id: never changes presence.
    ConnectFailed,
    /// A `subscribed` event, which may show that a connect was lost. Never changes presence.
    Subscribed {
        /// Its session.
        session: Option<SessionId<'a>>,
        /// When it happened.
        timestamp: UnixMillis,
    },
    /// The answer of a connectivity query. It changes what is published, not the head: a later event decides.
    ///
    /// While a wait runs, "not connected" confirms it and does not start it again; else frequent queries would never let
    /// it end.
    ///
    /// Its time is compared with that of the head and then forgotten. An event that arrives later decides, even one that
    /// happened before the observation; so seed clients that are not known yet from a snapshot where there is one.
    Observed {
        /// Whether the client is connected.
        connected: bool,
        /// When that was true.
        timestamp: UnixMillis,
    },
}

/// All that one step says, in this order: notes, cancel, arm, transition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[must_use]
#[non_exhaustive]
pub struct Step {
    /// What was remarkable about the input.
    pub notes: Notes,
    /// This timer is void. It may fire all the same: that is harmless.
    pub cancel: Option<TimerToken>,
    /// Start this timer.
    pub arm: Option<Timer>,
    /// Publish this.
    pub transition: Option<Transition>,
}

/// A timer to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Timer {
    /// When to feed [`Input::Timer`]; later does no harm.
    pub deadline: MonoTime,
    /// What to feed it with.
    pub token: TimerToken,
}

/// Names a timer of one client; tokens of a client grow.
///
/// After `u32::MAX` waits of one client they grow no more. The deadline still guards: no timer ends a wait before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerToken(u32);

/// A change of what is published; `from` and `to` differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Transition {
    /// What was published before.
    pub from: Status,
    /// What is published from now on.
    pub to: Status,
    /// What it goes back to.
    pub cause: Cause,
}

/// What a wait or a transition goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum Cause {
    /// A lifecycle event.
    Event,
    /// The answer of a connectivity query.
    Observed,
}

impl Presence {
    /// Takes one input at `now`, when the wall clock reads `wall`; only the admission of events looks at `wall`.
    ///
    /// Total: every input is answered, none panics. Feed it with times that do not go backwards.
    pub fn step(
        &mut self,
        config: &Config,
        now: MonoTime,
        wall: UnixMillis,
        input: Input<'_>,
    ) -> Step {
        let mut step = Step::default();
        match input {
            Input::Event { head, reason } => {
                if config.admit(head.timestamp, wall, &mut step.notes)
                    && self.advance(config.order(), &head, &mut step.notes)
                {
                    match head.kind {
                        HeadKind::Connect => self.appear(Cause::Event, &mut step),
                        HeadKind::Disconnect => {
                            let wait = config.wait_for(reason);
                            // A newer disconnect proves that the client lived in between: its wait starts again.
                            self.vanish(now, wait, Cause::Event, &mut step);
                        }
                    }
                    self.set_head(head);
                }
            }
            Input::Timer(TimerToken(token)) => match self.waiting {
                Some(cause) if token == self.token && now >= self.deadline => {
                    self.end_wait();
                    self.publish(Status::Offline, cause, &mut step);
                }
                _ => step.notes.add(Note::TimerIgnored),
            },
            Input::LastWill => step.notes.add(
                if self.published == Status::Online
                    && self.kind == Some(HeadKind::Connect)
                    && self.waiting.is_none()
                {
                    Note::LwtHint
                } else {
                    Note::LwtIgnored
                },
            ),
            Input::ConnectFailed => step.notes.add(Note::ConnectFailed),
            Input::Subscribed { session, timestamp } => {
                let lost = self.head().is_some_and(|head| {
                    config.order().suggests_lost_connect(&head, session.as_ref(), timestamp)
                });
                step.notes.add_if(lost, Note::SuspectedConnect);
            }
            Input::Observed { connected, timestamp } => {
                if self.kind.is_none() || timestamp > self.timestamp {
                    if connected {
                        self.appear(Cause::Observed, &mut step);
                    } else if self.waiting.is_none() {
                        // A wait that runs is confirmed, not started again: else frequent queries would never end it.
                        self.vanish(now, config.wait(), Cause::Observed, &mut step);
                    }
                }
            }
        }
        step
    }

    /// The newest event.
    #[must_use]
    pub fn head(&self) -> Option<Head<'_>> {
        let kind = self.kind?;
        let session = self.session.as_ref().map(SessionId::borrowed);
        Some(Head { kind, version: self.version, session, timestamp: self.timestamp })
    }

    /// What is published.
    #[must_use]
    pub const fn published(&self) -> Status {
        self.published
    }

    /// The timer of the wait that is running.
    #[must_use]
    pub const fn waiting(&self) -> Option<Timer> {
        match self.waiting {
            Some(_) => Some(Timer { deadline: self.deadline, token: TimerToken(self.token) }),
            None => None,
        }
    }

    /// Whether the connect of the head's connection was seen.
    #[must_use]
    pub const fn connect_seen(&self) -> bool {
        self.connect_seen
    }

    /// Whether forgetting this client changes nothing that is published: it is offline and waits for nothing.
    ///
    /// When that is safe for events still to come is said in section 6.3; [`Fleet`](crate::fleet::Fleet) keeps to it.
    #[must_use]
    pub const fn is_evictable(&self) -> bool {
        matches!(self.published, Status::Offline) && self.waiting.is_none()
    }

    /// Compares an event with the head, notes what is remarkable, and says whether it is newer.
    fn advance(&mut self, order: &Order, event: &Head<'_>, notes: &mut Notes) -> bool {
        let ends = event.kind == HeadKind::Disconnect;
        let Some(head) = self.head() else {
            notes.add_if(ends, Note::UnmatchedDisconnect);
            self.connect_seen = !ends;
            return true;
        };
        let same = order.same_connection(event, &head);
        match order.compare(event, &head) {
            Ordering::Equal => notes.add(Note::Duplicate),
            Ordering::Less if same && !ends => {
                notes.add(Note::LateConnect);
                self.connect_seen = true;
            }
            Ordering::Less => {
                let lower_but_later =
                    event.version < head.version && event.timestamp > head.timestamp;
                notes.add(Note::Stale);
                notes.add_if(!ends && lower_but_later, Note::SuspectedReset);
            }
            Ordering::Greater if same => {
                self.connect_seen |= !ends;
                return true;
            }
            Ordering::Greater => {
                let versioned = matches!(order, Order::Versioned { .. });
                let reset = versioned && event.version <= head.version;
                let over_connect = head.kind == HeadKind::Connect;
                notes.add_if(reset, Note::Reset);
                notes.add_if(reset && over_connect, Note::MissedDisconnect);
                notes.add_if(!reset && over_connect && !ends, Note::Superseded);
                notes.add_if(ends, Note::UnmatchedDisconnect);
                self.connect_seen = !ends;
                return true;
            }
        }
        false
    }

    fn set_head(&mut self, head: Head<'_>) {
        self.kind = Some(head.kind);
        self.version = head.version;
        self.timestamp = head.timestamp;
        self.session = head.session.map(SessionId::into_owned);
    }

    /// The client is there.
    fn appear(&mut self, cause: Cause, step: &mut Step) {
        self.stop_waiting(step);
        self.publish(Status::Online, cause, step);
    }

    /// The client went away: wait, or say so at once when there is nothing to wait for.
    fn vanish(&mut self, now: MonoTime, wait: Duration, cause: Cause, step: &mut Step) {
        if self.published == Status::Offline {
            return;
        }
        self.stop_waiting(step);
        if wait.is_zero() {
            self.publish(Status::Offline, cause, step);
        } else {
            self.waiting = Some(cause);
            self.deadline = now.after(wait);
            self.token = self.token.saturating_add(1);
            step.arm = self.waiting();
        }
    }

    fn stop_waiting(&mut self, step: &mut Step) {
        if self.end_wait() {
            step.cancel = Some(TimerToken(self.token));
        }
    }

    /// Whether one was running.
    fn end_wait(&mut self) -> bool {
        self.deadline = MonoTime::ORIGIN;
        self.waiting.take().is_some()
    }

    fn publish(&mut self, to: Status, cause: Cause, step: &mut Step) {
        let from = core::mem::replace(&mut self.published, to);
        if from != to {
            step.transition = Some(Transition { from, to, cause });
        }
    }
}

impl Step {
    /// Whether there is nothing to say.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self { notes, cancel, arm, transition } = self;
        notes.is_empty() && cancel.is_none() && arm.is_none() && transition.is_none()
    }
}

impl TimerToken {
    /// The token with this number, as it was kept with a timer elsewhere.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number; the first of a client is 1.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Status {
    /// Its name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Online => "online",
            Self::Offline => "offline",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_costs_56_bytes() {
        assert_eq!(size_of::<Presence>(), 56);
        assert_eq!(size_of::<Option<Presence>>(), 56);
    }

    #[test]
    fn after_the_last_token_the_deadline_still_tells_timers_apart() {
        let mut presence =
            Presence { token: u32::MAX, published: Status::Online, ..Presence::default() };
        let wait = Duration::from_secs(5);
        let mut arm = |seconds: u64| {
            let mut step = Step::default();
            presence.vanish(MonoTime::from_millis(1_000 * seconds), wait, Cause::Event, &mut step);
            step.arm.map(|timer| (timer.token, timer.deadline))
        };
        let last = TimerToken::new(u32::MAX);
        let (first, second) = (MonoTime::from_millis(5_000), MonoTime::from_millis(8_000));
        assert_eq!([arm(0), arm(3)], [Some((last, first)), Some((last, second))]);
        let mut fire = |now| {
            presence
                .step(&Config::default(), now, UnixMillis::new(0), Input::Timer(last))
                .transition
        };
        assert_eq!(fire(first), None);
        assert_eq!(fire(second).map(|change| change.to), Some(Status::Offline));
    }
}
