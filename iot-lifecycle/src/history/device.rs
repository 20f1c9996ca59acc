//! What happened to one device.

use alloc::{format, string::String, vec::Vec};
use core::time::Duration;

use fastrand::Rng;
use iot_sansio::UnixMillis;

use super::{History, chance, span};
use crate::{Connected, DisconnectReason, Disconnected, Event, EventKind, PrincipalIdentifier};

/// One device and the truth about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Device {
    /// Its client id.
    pub client_id: String,
    /// Whether it is connected in the end.
    pub connected: bool,
    /// What happened, in the true order: by epoch, version and kind. At least one; the last is the newest.
    pub occurrences: Vec<Occurrence>,
}

/// One event and what the service does not tell of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Occurrence {
    /// When it happened in truth.
    pub at: UnixMillis,
    /// How many times the version had been reset before.
    pub epoch: u32,
    /// What the service says of it, with the timestamp of its inaccurate clock.
    pub event: Event<'static>,
    /// Whether it never arrives.
    pub lost: bool,
    /// Whether it arrives twice.
    pub repeated: bool,
}

/// An event before it has a date: histories are made forwards and dated backwards from their end.
struct Draft {
    /// Since the first connect.
    at: Duration,
    epoch: u32,
    version: i64,
    session: Option<String>,
    /// Why it disconnected; none for a connect.
    reason: Option<DisconnectReason<'static>>,
}

/// What stays the same over a device's life.
struct Habits {
    /// Reconnects keep their session.
    persistent: bool,
    /// Its events name no session.
    sessionless: bool,
    /// Its sessions are written with dashes.
    dashed: bool,
    /// It is still connected in the end.
    stays: bool,
}

impl Device {
    pub(super) fn generate(history: &History, index: u32, rng: &mut Rng) -> Self {
        let client_id = match index % 16 {
            5 => format!("{}/{index:06}", history.prefix),
            _ => format!("{}-{index:06}", history.prefix),
        };
        let habits = Habits {
            persistent: chance(rng, 25),
            sessionless: chance(rng, 6),
            dashed: rng.bool(),
            stays: rng.bool(),
        };
        let drafts = life(history, &habits, rng);
        let end = history.end.before(span(rng, IDLE));
        let occurrences = occurrences(history, &client_id, drafts, end, rng);
        Self { client_id, connected: habits.stays, occurrences }
    }
}

/// The connections of a device, in the true order.
fn life(history: &History, habits: &Habits, rng: &mut Rng) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut now = Duration::ZERO;
    let epochs = rng.u32(1..=3);
    for epoch in 0..epochs {
        // The first epoch is joined midway; a later one may begin with a skip.
        let mut version = rng.i64(0..=if epoch == 0 { 12 } else { 1 });
        let mut session = new_session(habits, rng);
        let connections = rng.u32(1..=4);
        for connection in 1..=connections {
            let mut event = |at, reason| {
                drafts.push(Draft { at, epoch, version, session: session.clone(), reason });
            };
            event(now, None);
            let last = connection == connections;
            if last && epoch + 1 == epochs && habits.stays {
                break;
            }
            now = later(now, either(rng, MINUTE, LONGEST_CONNECTION));
            if !last && chance(rng, 33) {
                // A takeover: the next connection begins, and this one ends a little later.
                let end = now.saturating_add(span(rng, history.takeover_lag));
                event(end, Some(DisconnectReason::DuplicateClientId));
            } else {
                event(now, Some(reason(rng)));
                now = later(now, either(rng, Duration::from_secs(10), history.away / 2));
            }
            version += rng.i64(1..=2);
            if !habits.persistent {
                session = new_session(habits, rng);
            }
        }
        let latest = drafts.iter().map(|draft| draft.at).max().unwrap_or(now);
        now = latest.saturating_add(history.away).saturating_add(span(rng, LONGEST_ABSENCE));
    }
    drafts.sort_by_key(|draft| (draft.epoch, draft.version, draft.reason.is_some()));
    drafts
}

/// The drafts, dated so that the latest happens at `end`.
fn occurrences(
    history: &History,
    client_id: &str,
    drafts: Vec<Draft>,
    end: UnixMillis,
    rng: &mut Rng,
) -> Vec<Occurrence> {
    let latest = drafts.iter().map(|draft| draft.at).max();
    let newest = drafts.len().saturating_sub(1);
    let principal = format!("{:064x}", rng.u128(..));
    let address = format!("192.0.2.{}", rng.u8(..));
    let dated = drafts.into_iter().enumerate().map(|(index, draft)| {
        let at = end.before(latest.unwrap_or_default().saturating_sub(draft.at));
        let skew = span(rng, history.skew.saturating_mul(2));
        let timestamp = at.before(history.skew).after(skew);
        let connects = draft.reason.is_none();
        let kind = match draft.reason {
            None => EventKind::from(Connected::new(draft.version)),
            Some(reason) => Disconnected::new(draft.version, reason).into(),
        };
        let mut event = Event::new(String::from(client_id), timestamp, kind);
        event.session_identifier = draft.session.map(Into::into);
        event.principal_identifier = Some(PrincipalIdentifier::new(principal.clone()));
        event.ip_address = connects.then(|| address.clone().into());
        Occurrence {
            at,
            epoch: draft.epoch,
            event,
            lost: index != newest && chance(rng, history.lost_percent),
            repeated: chance(rng, history.repeated_percent),
        }
    });
    dated.collect()
}

fn new_session(habits: &Habits, rng: &mut Rng) -> Option<String> {
    let mut text = format!("{:032x}", rng.u128(..));
    if habits.dashed {
        for at in [20, 16, 12, 8] {
            text.insert(at, '-');
        }
    }
    (!habits.sessionless).then_some(text)
}

fn reason(rng: &mut Rng) -> DisconnectReason<'static> {
    match rng.u8(0..4) {
        0 => DisconnectReason::ClientInitiatedDisconnect,
        1 => DisconnectReason::MqttKeepAliveTimeout,
        _ => DisconnectReason::ConnectionLost,
    }
}

/// Short or long, equally often.
fn either(rng: &mut Rng, short: Duration, long: Duration) -> Duration {
    let up_to = if rng.bool() { short } else { long };
    span(rng, up_to)
}

/// The service takes one connect a second from a client.
fn later(now: Duration, span: Duration) -> Duration {
    now.saturating_add(Duration::from_secs(1)).saturating_add(span)
}

const MINUTE: Duration = Duration::from_secs(60);
const LONGEST_CONNECTION: Duration = Duration::from_secs(2 * 3_600);
/// On top of the absence that resets.
const LONGEST_ABSENCE: Duration = Duration::from_secs(6 * 3_600);
/// The longest that nothing happened before the end.
const IDLE: Duration = Duration::from_secs(10 * 60);
