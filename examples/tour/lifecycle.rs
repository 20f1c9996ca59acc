//! Which of many devices are online, told by a feed that is unordered, repeated and incomplete.

mod note;
mod timeline;

use std::time::{Duration, SystemTime};

use console::style;
use examples::{
    broker::Broker,
    lifecycle::{Failure, Play, Played},
};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use iot_lifecycle::{
    history::{History, Naive},
    presence::{self, Note},
};
use tokio::time::timeout;

use crate::{Arguments, Check, heading};

/// How late an event may arrive, in the devices' time.
const LATE: Duration = Duration::from_secs(5 * 60);
/// What is compared with the tracker.
const NAIVE: [Naive; 2] = [Naive::LastArrival, Naive::LargestTimestamp];
/// From a disconnect to the word that the device is offline.
const WAIT: Duration = Duration::from_millis(100);
/// How long the playing takes, if the machine is fast enough.
const PLAYING: Duration = Duration::from_secs(4);
/// A hang becomes a failure.
const HANG: Duration = Duration::from_secs(120);

pub(crate) async fn tell(arguments: &Arguments) -> Result<Vec<Check>, Failure> {
    heading("AWS IoT Core lifecycle events: which devices are online?");
    let mut history = History::new(arguments.seed, arguments.devices, SystemTime::now().into());
    history.delay = Some(LATE);
    let sent = history.feed().len();
    let broker = Broker::start().await?;
    introduce(&history, &broker, sent);

    let interval = PLAYING / u32::try_from(sent)?;
    let play = Play { interval, ..Play::new(broker.port(), WAIT) };
    let bar = ProgressBar::new(sent.try_into()?).with_style(bar_style()?);
    let played = timeout(HANG, play.run(&history, |_| bar.inc(1))).await??;
    bar.finish_and_clear();

    println!("A few of them, closer:\n");
    timeline::draw(&history, &played);
    print_notes(&played);
    let wrong = compare(&history, &played);
    Ok(checks(&history, &played, sent, wrong))
}

fn introduce(history: &History, broker: &Broker, sent: usize) {
    let lost = history.devices().flat_map(|device| device.occurrences).filter(|o| o.lost).count();
    println!(
        "\
A broker listens on 127.0.0.1:{port}. A tracker subscribes to $aws/events/presence/# there, with an
ordinary MQTT client. Another one plays the service: what happened to {devices} devices in three
days, in {seconds} seconds.

The {sent} messages are as bad as the service's documentation allows: up to {late} minutes late and
so out of order, some of them twice, {lost} events not at all, clocks up to {skew} s off, and version
numbers that start again after {away} h of absence. What the devices really did is known at the end.

Who disconnects is called offline after a wait, as many come back at once: by default {wait:?}, here
{WAIT:?}, since time runs fast.
",
        port = broker.port(),
        devices = style(HumanCount(history.devices.into())).bold(),
        seconds = PLAYING.as_secs(),
        sent = HumanCount(sent as u64),
        late = LATE.as_secs() / 60,
        lost = HumanCount(lost as u64),
        skew = history.skew.as_secs(),
        away = history.away.as_secs() / 3_600,
        wait = presence::Config::default().wait(),
    );
}

/// Hidden by itself when nobody watches.
fn bar_style() -> Result<ProgressStyle, Failure> {
    let style =
        ProgressStyle::with_template("  {bar:50.green/dim} {human_pos} of {human_len} events")?;
    Ok(style.progress_chars("━━─"))
}

fn print_notes(played: &Played) {
    let counters = played.fleet.counters();
    println!("What the tracker noted on the way:\n");
    let count = |count, what: &str, words: &str| {
        println!("  {:>7}  {:<21} {}", HumanCount(count).to_string(), what, style(words).dim());
    };
    for note in Note::ALL.into_iter().filter(|note| counters.noted(*note) > 0) {
        count(counters.noted(note), note.as_str(), note::explained(note));
    }
    count(counters.transitions, "transitions", "what it published");
    let cancelled = "back before the wait was over: flapping that nobody was told of";
    count(counters.cancelled_waits, "cancelled waits", cancelled);
    println!();
}

/// How many devices the tracker and the naive ones are wrong about, after the same arrivals.
struct Wrong {
    published: usize,
    naive: [usize; 2],
}

fn compare(history: &History, played: &Played) -> Wrong {
    let events = played.events();
    let errors = |naive: Naive| {
        let connected = naive.connected(&events);
        history.errors(|client_id| connected.get(client_id).copied())
    };
    let wrong = Wrong { published: played.errors(history), naive: NAIVE.map(errors) };
    println!("Wrong in the end, of {} devices:\n", HumanCount(history.devices.into()));
    let row = |who: &str, errors: usize| {
        let cells = (errors * 50).div_ceil(history.devices as usize);
        let number = style(format!("{:>7}", HumanCount(errors as u64).to_string())).bold();
        let number = if errors == 0 { number.green() } else { number.red() };
        let line = format!("  {number}  {who:<24} {}", style("█".repeat(cells)).red());
        println!("{}", line.trim_end());
    };
    row("this tracker", wrong.published);
    for (naive, errors) in NAIVE.into_iter().zip(wrong.naive) {
        row(&format!("{} wins", timeline::name(naive)), errors);
    }
    wrong
}

fn checks(history: &History, played: &Played, sent: usize, wrong: Wrong) -> Vec<Check> {
    let counters = played.fleet.counters();
    let (arrived, devices) = (played.arrivals.len(), HumanCount(history.devices.into()));
    let transitions = HumanCount(counters.transitions);
    let refused = counters.noted(Note::TooOld) + counters.noted(Note::Future);
    vec![
        Check::new(
            format!(
                "{} of {} messages arrived",
                HumanCount(arrived as u64),
                HumanCount(sent as u64)
            ),
            played.acknowledged == sent && arrived >= sent && played.losses == 0,
        ),
        Check::new(format!("{refused} of them refused"), refused == 0),
        Check::new(
            format!(
                "{transitions} transitions published, and by them {} of {devices} devices wrong",
                wrong.published
            ),
            wrong.published == 0 && played.statuses.len() == history.devices as usize,
        ),
        Check::new(
            "the tracker's own table says the same",
            played.fleet_errors(history) == 0 && played.fleet.len() == played.statuses.len(),
        ),
        Check::new(
            "both simpler trackers are wrong about some",
            wrong.naive.iter().all(|errors| *errors > 0),
        ),
    ]
}
