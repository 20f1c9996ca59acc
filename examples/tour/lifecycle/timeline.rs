//! A few devices, event by event: what happened, what arrived, what the tracker said.

use std::collections::HashMap;

use console::{Alignment, StyledObject, pad_str, style};
use examples::lifecycle::{Arrival, Played};
use iot_lifecycle::{
    DisconnectReason, Event, EventKind, Order,
    fleet::Update,
    history::{Device, History, Naive, Occurrence},
    presence::{Note, Status, Step},
};
use iot_sansio::{MonoTime, UnixMillis};

use super::{NAIVE, WAIT, note};

/// What fits into a line and an eye.
const MAX_EVENTS: usize = 9;

/// One device, with everything that is known of it.
struct Story<'a> {
    device: Device,
    arrivals: Vec<&'a Arrival>,
    ended_waits: Vec<&'a Update<Box<str>>>,
    /// Whether the simpler trackers take it for connected.
    guesses: [(Naive, Option<bool>); 2],
}

/// Why a device is worth a look.
struct Pattern {
    title: &'static str,
    shows: fn(&Story<'_>) -> bool,
}

const PATTERNS: [Pattern; 3] = [
    Pattern {
        title: "its disconnect arrives before its connect",
        shows: |story| {
            let ends_late = story.last_noted(Note::LateConnect);
            ends_late && !story.has_lost() && story.fools(Naive::LastArrival)
        },
    },
    Pattern {
        title: "a takeover, whose old connection ends after the new one began",
        shows: |story| {
            let ends_last = story.arrivals.last().is_some_and(|last| is_takeover(&last.event));
            let fools_both = NAIVE.into_iter().all(|naive| story.fools(naive));
            ends_last && story.last_noted(Note::Stale) && !story.has_lost() && fools_both
        },
    },
    Pattern {
        title: "an event is lost, and its version starts again: now the lower one is the newer",
        shows: |story| {
            let resets = |arrival: &&Arrival| arrival.step.notes.contains(Note::Reset);
            let resets = story.arrivals.iter().any(resets);
            resets && story.device.connected && story.has_lost() && story.fools(Naive::LastArrival)
        },
    },
];

/// Prints one device for each pattern, the shortest that shows it, if a short one does.
pub(crate) fn draw(history: &History, played: &Played) {
    println!("  {} connected   {} disconnected   v: its version number", arrow(true), arrow(false));
    println!("  1 2 3: the true order   (2): lost   ┊ the version starts again\n");
    let mut stories = stories(history, played);
    stories.sort_by_key(|story| story.arrivals.len() + story.device.occurrences.len());
    for pattern in PATTERNS {
        let Some(place) = stories.iter().position(|story| (pattern.shows)(story)) else {
            continue;
        };
        let story = stories.remove(place);
        println!("  {}: {}\n", style(&story.device.client_id).bold(), pattern.title);
        story.draw(played);
    }
}

/// The short ones.
fn stories<'a>(history: &History, played: &'a Played) -> Vec<Story<'a>> {
    let mut arrivals = HashMap::<_, Vec<_>>::new();
    for arrival in &played.arrivals {
        arrivals.entry(&*arrival.event.client_id).or_default().push(arrival);
    }
    let mut ended_waits = HashMap::<_, Vec<_>>::new();
    for update in &played.ended_waits {
        ended_waits.entry(&*update.client).or_default().push(update);
    }
    let story = |device: Device| {
        let arrivals = arrivals.remove(&*device.client_id).unwrap_or_default();
        let ended_waits = ended_waits.remove(&*device.client_id).unwrap_or_default();
        let events: Vec<_> = arrivals.iter().map(|arrival| arrival.event.clone()).collect();
        let guess = |naive: Naive| naive.connected(&events).get(&*device.client_id).copied();
        let guesses = NAIVE.map(|naive| (naive, guess(naive)));
        Story { device, arrivals, ended_waits, guesses }
    };
    let is_short = |story: &Story<'_>| {
        story.arrivals.len() <= MAX_EVENTS && story.device.occurrences.len() <= MAX_EVENTS
    };
    history.devices().map(story).filter(is_short).collect()
}

impl Story<'_> {
    fn fools(&self, naive: Naive) -> bool {
        self.guesses.contains(&(naive, Some(!self.device.connected)))
    }

    /// Whether the last event that arrived was noted as this.
    fn last_noted(&self, note: Note) -> bool {
        self.arrivals.last().is_some_and(|last| last.step.notes.contains(note))
    }

    fn has_lost(&self) -> bool {
        self.device.occurrences.iter().any(|occurrence| occurrence.lost)
    }

    fn draw(&self, played: &Played) {
        self.draw_orders();
        self.draw_rows();
        self.draw_verdicts(played);
    }

    /// What happened above what arrived.
    fn draw_orders(&self) {
        let mut happened = Vec::new();
        let mut epoch = 0;
        for (number, occurrence) in (1..).zip(&self.device.occurrences) {
            let reset = if occurrence.epoch == epoch { "" } else { "┊ " };
            let (open, close) = if occurrence.lost { ("(", ")") } else { ("", "") };
            let symbol = symbol(&occurrence.event);
            happened.push(format!("{reset}{open}{number} {symbol}{close}"));
            epoch = occurrence.epoch;
        }
        let symbol =
            |arrival: &&Arrival| format!("{} {}", self.number(arrival), symbol(&arrival.event));
        let arrived: Vec<_> = self.arrivals.iter().map(symbol).collect();
        println!("    happened   {}", happened.join("  "));
        println!("    arrived    {}\n", arrived.join("  "));
    }

    /// The arrivals one by one, and between them the waits that ended.
    fn draw_rows(&self) {
        let row = |event: &str, happened: &str, stamped: &str, said: &str, published: &str| {
            // Colours count as nothing.
            let event = pad_str(event, 8, Alignment::Left, None);
            let line = format!("    {event}{happened:>9}{stamped:>10}   {said:<53}{published}");
            println!("{}", line.trim_end());
        };
        row("arrived", "happened", "stamped", "the tracker says", "publishes");
        let mut waits = self.ended_waits.iter().peekable();
        let mut end_waits = |before: MonoTime| {
            while let Some(update) = waits.next_if(|update| update.at < before) {
                row("", "", "", "the wait is over", &published(&update.step));
            }
        };
        for arrival in &self.arrivals {
            end_waits(arrival.at);
            let number = self.number(arrival);
            let happened = self.device.occurrences.get(number - 1).map(|truth| truth.at);
            let happened = happened.map(|at| self.since_start(at)).unwrap_or_default();
            let stamped = self.since_start(arrival.event.timestamp);
            let symbol = format!("{number} {}", symbol(&arrival.event));
            row(&symbol, &happened, &stamped, &said(&arrival.step), &published(&arrival.step));
        }
        end_waits(MonoTime::MAX);
        println!();
    }

    fn draw_verdicts(&self, played: &Played) {
        let word = |connected: bool| if connected { "online" } else { "offline" };
        let tracked =
            played.statuses.get(&*self.device.client_id).map(|status| *status == Status::Online);
        let verdicts = [("tracker", tracked)].into_iter();
        let verdicts = verdicts.chain(self.guesses.map(|(naive, guess)| (name(naive), guess)));
        let verdicts = verdicts.map(|(who, connected)| {
            let said = connected.map_or("unknown", word);
            let mark = match connected == Some(self.device.connected) {
                true => style("✓").green(),
                false => style("✗").red(),
            };
            format!("{mark} {who}: {said}")
        });
        let verdicts: Vec<_> = verdicts.collect();
        println!("    truth: {}   {}\n", word(self.device.connected), verdicts.join("   "));
    }

    /// The place of an event in the true order, from 1.
    fn number(&self, arrival: &Arrival) -> usize {
        let is_it = |truth: &Occurrence| truth.event == arrival.event;
        self.device.occurrences.iter().position(is_it).map_or(0, |place| place + 1)
    }

    /// Hours, minutes and seconds since the first thing that happened.
    fn since_start(&self, at: UnixMillis) -> String {
        let start = self.device.occurrences.first().map_or(at, |first| first.at);
        let seconds = (at.get() - start.get()) / 1_000;
        let sign = if seconds < 0 { "-" } else { "" };
        let seconds = seconds.abs();
        format!("{sign}{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    }
}

pub(crate) const fn name(naive: Naive) -> &'static str {
    match naive {
        Naive::LastArrival => "last arrival",
        Naive::LargestTimestamp => "largest timestamp",
    }
}

/// What the tracker said of an event, in words.
fn said(step: &Step) -> String {
    let mut words: Vec<_> = step.notes.iter().map(note::brief).map(String::from).collect();
    let older = [Note::Duplicate, Note::Stale, Note::LateConnect];
    if !older.into_iter().any(|note| step.notes.contains(note)) {
        words.insert(0, "newer".to_owned());
    }
    match (step.arm, step.cancel) {
        (Some(_), Some(_)) => words.push("waits anew".to_owned()),
        (Some(_), None) => words.push(format!("waits {WAIT:?}")),
        (None, Some(_)) => words.push("waits no more".to_owned()),
        (None, None) => {}
    }
    words.join(", ")
}

fn published(step: &Step) -> String {
    match step.transition.map(|transition| transition.to) {
        Some(to @ Status::Online) => style(to).green().to_string(),
        Some(to) => style(to).red().to_string(),
        None => String::new(),
    }
}

fn symbol(event: &Event<'_>) -> String {
    format!("{} {}", arrow(connects(event)), version(event))
}

fn arrow(connects: bool) -> StyledObject<&'static str> {
    if connects { style("▲").green() } else { style("▼").red() }
}

fn connects(event: &Event<'_>) -> bool {
    matches!(event.kind, EventKind::Connected(_))
}

fn version(event: &Event<'_>) -> String {
    let head = Order::default().head(event).ok().flatten();
    head.map_or_else(String::new, |head| format!("v{}", head.version))
}

fn is_takeover(event: &Event<'_>) -> bool {
    let EventKind::Disconnected(disconnected) = &event.kind else {
        return false;
    };
    disconnected.disconnect_reason == Some(DisconnectReason::DuplicateClientId)
}
