//! One event applied to a fleet of a million clients, beside one get-and-insert in a hash table on the same keys.
//!
//! Both take turns on the same events, so that what else the machine does falls on both.

use std::time::{Duration, Instant};

use benches::{
    is_measuring,
    lifecycle::{Feed, TableKey, apply, fleet, get_and_insert, table},
};
use iot_lifecycle::fleet::HashedId;

fn main() {
    let clients = if is_measuring() { 1_000_000 } else { 1_000 };
    println!(
        "one event, {clients} clients, random order: median of the rounds' ratios, at most 1.6"
    );
    compare::<Box<str>>("kept ids", clients);
    compare::<HashedId>("hashed ids", clients);
}

fn compare<K: TableKey>(keys: &str, clients: usize) {
    let (mut feed, mut same_feed) = (Feed::new(clients), Feed::new(clients));
    let mut fleet = fleet::<K>(&feed);
    let mut table = table::<K>(&feed);
    // (of the fleet, of the table), by round
    let mut rounds: Vec<(Duration, Duration)> = Vec::new();
    for _ in 0..ROUNDS {
        let mut round = (Duration::ZERO, Duration::ZERO);
        for _ in 0..clients / TURN {
            round.0 += time(|| (0..TURN).for_each(|_| apply(&mut fleet, feed.advance())));
            round.1 +=
                time(|| (0..TURN).for_each(|_| get_and_insert(&mut table, same_feed.advance())));
        }
        rounds.push(round);
    }
    let nanos = |total: Duration| total.as_nanos() / clients as u128;
    rounds.sort_by(|(a, b), (c, d)| {
        (a.as_secs_f64() / b.as_secs_f64()).total_cmp(&(c.as_secs_f64() / d.as_secs_f64()))
    });
    let (ours, baseline) = rounds[ROUNDS / 2];
    let ratio = ours.as_secs_f64() / baseline.as_secs_f64();
    let met = if ratio <= 1.6 { "met" } else { "MISSED" };
    println!("{keys:11} {ratio:5.2}  {met}  ({} ns to {} ns)", nanos(ours), nanos(baseline));
}

fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

const ROUNDS: usize = 5;
/// So many events of the one, then of the other.
const TURN: usize = 500;
