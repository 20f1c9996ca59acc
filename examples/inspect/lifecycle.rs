//! `lifecycle`: which of these events won, and what was published when?

use std::{
    hash::{BuildHasher as _, RandomState},
    io::{self, BufRead, Write},
    time::Duration,
};

use clap::{Args, value_parser};
use iot_lifecycle::{
    Decoder, EventKind, Field, HeadError, HeadKind, Order,
    fleet::{self, ApplyError, Fleet, HashKey, Update},
    presence,
};
use iot_sansio::{Machine as _, MonoTime, Output as Drained, UnixMillis, WallClock};
use serde_json::json;

use super::{
    jsonl::{Failure, Lines, Members, Output, variant_names},
    lifecycle_decode::{decode, topic_failure},
};

/// Replays a feed of AWS IoT Core lifecycle events: which one won, and what is published when.
///
/// Reads {"now":MS,"topic":"…"?,"payload":…}, {"now":MS,"tick":true} and {"now":MS,"lwt":"clientId"}; now is the time of
/// arrival, and one below an earlier one counts as that one. Waits that are over by then end first. Writes transitions,
/// notes and waits as they happen, in the end what becomes of the waits that still run, and one "final" line a client.
/// An empty sessionIdentifier counts as unknown. Lines are refused once there was somebody waiting for 285 years in all.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {
    /// How much later a lower version must be to count as a reset
    #[arg(long, value_name = "N", default_value_t = 300_000)]
    theta_ms: u64,
    /// How long a disconnect waits before the client is published offline
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = value_parser!(u64).range(..=LONGEST_MS))]
    wait_ms: u64,
    /// The same for one disconnectReason; the last one given counts
    #[arg(long, value_name = "REASON=MS", value_parser = wait_for)]
    wait_for: Vec<(String, Duration)>,
    /// How long ago an event may be stamped
    #[arg(long, value_name = "N", default_value_t = 345_600_000)]
    max_age_ms: u64,
    /// How far in the future an event may be stamped
    #[arg(long, value_name = "N", default_value_t = 300_000)]
    max_future_ms: u64,
}

pub(super) fn run(
    options: Options,
    input: impl BufRead,
    output: &mut Output<impl Write>,
) -> io::Result<()> {
    let mut replay = Replay::new(options);
    let mut lines = Lines::new(input);
    while let Some((line, members)) = lines.next()? {
        let taken = match members {
            Ok(members) => replay.take(&members, output)?,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = taken {
            output.fail(line, &failure)?;
        }
    }
    replay.pass(UnixMillis::new(i64::MAX), output)?;
    replay.tell_finals(output)
}

/// A fleet and its time.
///
/// All 64-bit times are more than [`MonoTime`] holds, so the fleet's time stands still while no client waits: only spans
/// from an event to the end of a wait are counted in it.
struct Replay {
    fleet: Fleet<Box<str>>,
    decoder: Decoder,
    /// The newest moment, as the fleet counts.
    now: MonoTime,
    /// From the fleet's time to that of the feed.
    clock: WallClock,
}

impl Replay {
    fn new(options: Options) -> Self {
        let mut presence = presence::Config::default()
            .with_order(Order::Versioned { theta: Duration::from_millis(options.theta_ms) })
            .with_wait(Duration::from_millis(options.wait_ms))
            .with_max_age(Duration::from_millis(options.max_age_ms))
            .with_max_future(Duration::from_millis(options.max_future_ms));
        for (reason, wait) in options.wait_for {
            presence = presence.with_wait_for(reason, wait);
        }
        // No limits: the input bounds the clients, and everything is drained after every line.
        let config = fleet::Config::default()
            .with_presence(presence)
            .with_max_clients(usize::MAX)
            .with_max_queued(usize::MAX);
        let clock = WallClock::new(MonoTime::ORIGIN, UnixMillis::new(i64::MIN));
        let fleet = Fleet::new(config, hash_key(), clock);
        Self { fleet, decoder: Decoder::lenient(), now: MonoTime::ORIGIN, clock }
    }

    /// Takes one line. Time passes whenever it can be read, also when the rest of the line cannot be used.
    fn take(
        &mut self,
        members: &Members<'_>,
        output: &mut Output<impl Write>,
    ) -> io::Result<Result<(), Failure>> {
        let now = match members.integer("now") {
            Ok(Some(now)) => UnixMillis::new(now),
            Ok(None) => return Ok(Err(Failure::missing("now"))),
            Err(failure) => return Ok(Err(failure)),
        };
        self.pass(now, output)?;
        if self.now > MonoTime::from_millis(LONGEST_MS) {
            return Ok(Err(Failure::bad_member("now", "comes after 285 years of waiting")));
        }
        let fed = self.feed(members);
        self.drain(output)?;
        Ok(fed)
    }

    /// Applies what a line tells, or nothing.
    fn feed(&mut self, members: &Members<'_>) -> Result<(), Failure> {
        let payload = members.json_payload()?;
        let tick = members.boolean("tick")?.unwrap_or_default();
        let applied = match (payload, tick, members.text("lwt")?) {
            (Some(payload), false, None) => {
                let Ok(event) = decode(&self.decoder, members, &payload)? else {
                    return Ok(());
                };
                match &event.kind {
                    EventKind::Connected(_)
                    | EventKind::Disconnected(_)
                    | EventKind::ConnectFailed(_) => self.fleet.apply(self.now, &event),
                    // Subscriptions and unknown kinds say nothing of presence.
                    _ => Ok(()),
                }
            }
            (None, true, None) => Ok(()),
            (None, false, Some(client_id)) => self.fleet.last_will(self.now, &client_id),
            (None, false, None) => return Err(Failure::missing("payload")),
            _ => return Err(Failure::bad_input("payload, tick and lwt exclude each other")),
        };
        applied.map_err(|error| apply_failure(&error))
    }

    /// Lets time pass: waits that are over by `now` end.
    fn pass(&mut self, now: UnixMillis, output: &mut Output<impl Write>) -> io::Result<()> {
        let mut next = self.drain(output)?;
        while let Some(deadline) = next.filter(|deadline| self.clock.at(*deadline) <= now) {
            self.now = deadline;
            self.fleet.handle_timeout(deadline);
            next = self.drain(output)?;
        }
        let newest = self.clock.at(self.now);
        if now > newest {
            if next.is_some() {
                let since = Duration::from_millis(now.abs_diff(newest));
                self.now = self.now.after(since);
            } else {
                self.clock = WallClock::new(self.now, now);
                self.fleet.set_wall_clock(self.now, now);
            }
        }
        Ok(())
    }

    /// Tells what the fleet has to say. Gives the next deadline.
    fn drain(&mut self, output: &mut Output<impl Write>) -> io::Result<Option<MonoTime>> {
        loop {
            match self.fleet.poll_output() {
                Drained::Event(fleet::Event::Presence(update)) => self.tell(&update, output)?,
                Drained::Idle(next) => return Ok(next),
                // Only over MQTT is there more.
                _ => {}
            }
        }
    }

    fn tell(&self, update: &Update<Box<str>>, output: &mut Output<impl Write>) -> io::Result<()> {
        let Update { client, at, step, .. } = update;
        let now = self.unix(*at);
        for note in step.notes.iter() {
            output.write(&json!({ "now": now, "clientId": client, "note": note.as_str() }))?;
        }
        if step.cancel.is_some() {
            output.write(&json!({ "now": now, "clientId": client, "cancel": true }))?;
        }
        if let Some(timer) = step.arm {
            let arm = json!({ "at": self.unix(timer.deadline) });
            output.write(&json!({ "now": now, "clientId": client, "arm": arm }))?;
        }
        if let Some(change) = step.transition {
            let transition = json!({ "from": change.from.as_str(), "to": change.to.as_str() });
            output.write(&json!({ "now": now, "clientId": client, "transition": transition }))?;
        }
        Ok(())
    }

    fn tell_finals(&self, output: &mut Output<impl Write>) -> io::Result<()> {
        let mut clients: Vec<_> = self
            .fleet
            .iter()
            .filter_map(|(client, presence)| Some((client, presence.published(), presence.head()?)))
            .collect();
        clients.sort_unstable_by_key(|(client, ..)| *client);
        for (client, published, head) in clients {
            let last = json!({
                "clientId": client,
                "published": published.as_str(),
                "head": if head.kind == HeadKind::Connect { "c" } else { "d" },
                "version": head.version,
                "session": head.session.map(String::from),
                "timestamp": head.timestamp.get(),
            });
            output.write(&json!({ "final": last }))?;
        }
        Ok(())
    }

    /// A time of the fleet as the feed counts it.
    fn unix(&self, at: MonoTime) -> i64 {
        self.clock.at(at).get()
    }
}

/// Reads `REASON=MS`.
fn wait_for(argument: &str) -> Result<(String, Duration), String> {
    let Some((reason, wait)) = argument.rsplit_once('=').filter(|(reason, _)| !reason.is_empty())
    else {
        return Err("this is not REASON=MS".into());
    };
    match wait.parse() {
        Ok(wait) if wait <= LONGEST_MS => Ok((reason.into(), Duration::from_millis(wait))),
        _ => Err(format!("the wait is not a number of milliseconds up to {LONGEST_MS}")),
    }
}

/// Client ids are chosen by others, also in a file.
fn hash_key() -> HashKey {
    let random = RandomState::new();
    let halves = [random.hash_one(0), random.hash_one(1)].map(u64::to_ne_bytes);
    let mut key = [0; 16];
    key.copy_from_slice(halves.as_flattened());
    HashKey::new(key)
}

fn apply_failure(error: &ApplyError) -> Failure {
    match error {
        ApplyError::Head(inner) => {
            let failure = Failure::new(head_error_name(inner), error.to_string());
            match inner {
                HeadError::MissingVersion | HeadError::NegativeVersion => {
                    failure.in_field(Field::VersionNumber)
                }
                HeadError::SessionTooLong { .. } => failure.in_field(Field::SessionIdentifier),
                _ => failure,
            }
        }
        ApplyError::ClientId(inner) => topic_failure(inner),
        _ => Failure::new(apply_error_name(error), error.to_string()),
    }
}

variant_names! {
    apply_error_name: ApplyError { Head, ClientId, QueueFull, TooManyClients, BelowWatermark, }
}

variant_names! {
    head_error_name: HeadError { MissingVersion, NegativeVersion, SessionTooLong, }
}

/// The longest wait, and the longest time of the fleet at which one may begin: together they stay inside the 584 years of
/// [`MonoTime`], so that every time in the output is exact.
const LONGEST_MS: u64 = 9_000_000_000_000;

const EXAMPLE: &str = r#"Example:
  inspect lifecycle --wait-for DUPLICATE_CLIENTID=30000 <<'FEED'
  {"now":1573002230900,"payload":{"clientId":"pump-1","timestamp":1573002230757,"eventType":"connected","versionNumber":0}}
  {"now":1573002340600,"payload":{"clientId":"pump-1","timestamp":1573002340451,"eventType":"disconnected","versionNumber":0}}
  FEED"#;
