//! The service's side: seeded feeds with known truth, for tests, examples and benchmarks without a cloud account.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use fastrand::Rng;
use iot_sansio::UnixMillis;

use crate::Event;

mod device;
mod naive;
mod service;

pub use device::{Device, Occurrence};
pub use naive::Naive;
pub use service::{Published, QueueFull, Service};

/// Describes the history of a fleet: what happened to each device, and how the service told of it.
///
/// A plain description: the same one always makes the same history. It keeps the assumptions of specification section
/// 4.1, so that the true newest event of every device can be told from what arrives: one to three epochs of versions
/// with resets in between, versions that skip, sessions that persist, devices without session identifiers, takeovers
/// whose old connection ends late, clocks that are wrong by up to `skew`, events that are lost, repeated and reordered.
/// With the defaults no event is older than `end` by more than three days, or later by more than `skew`.
///
/// ```
/// use iot_lifecycle::history::{History, Naive};
/// use iot_sansio::UnixMillis;
///
/// let history = History::new(7, 100, UnixMillis::new(1_700_000_000_000));
/// let feed = history.feed();
/// assert_eq!(feed, history.feed());
///
/// // What looks right is not.
/// let guess = Naive::LargestTimestamp.connected(&feed);
/// assert!(history.errors(|client_id| guess.get(client_id).copied()) > 0);
///
/// // Keeping the newest event is.
/// use iot_lifecycle::{HeadKind, Order};
/// use std::collections::HashMap;
///
/// let order = Order::default();
/// let mut heads = HashMap::new();
/// for event in &feed {
///     let head = order.head(event)?.expect("a history has connects and disconnects only");
///     let newest = match heads.remove(&*event.client_id) {
///         Some(known) => order.merge(known, head),
///         None => head,
///     };
///     heads.insert(&*event.client_id, newest);
/// }
/// let connected = |client_id: &str| Some(heads.get(client_id)?.kind == HeadKind::Connect);
/// assert_eq!(history.errors(connected), 0);
/// # Ok::<(), iot_lifecycle::HeadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct History {
    /// Where the randomness comes from.
    pub seed: u64,
    /// How many devices.
    pub devices: u32,
    /// When the history ends: nothing happens later.
    pub end: UnixMillis,
    /// σ: how far a timestamp may be from the truth, either way. Default: 120 s.
    pub skew: Duration,
    /// L: how long after a takeover the old connection may end. Default: 60 s.
    pub takeover_lag: Duration,
    /// H: the shortest absence that resets the version. Default: one hour.
    pub away: Duration,
    /// How many events of a hundred get lost. The newest of a device never does: nobody could know it. Default: 5.
    pub lost_percent: u8,
    /// How many events of a hundred arrive twice. Default: 20.
    pub repeated_percent: u8,
    /// How late an event may arrive. Default: none, all of them arrive at the end, in any order.
    pub delay: Option<Duration>,
    /// What client ids begin with, as in `sensor-000123`; one of 16 reads `sensor/000123`. Default: `sensor`.
    pub prefix: String,
}

impl History {
    /// The history of this many devices up to `end`; what else it takes are fields to set.
    ///
    /// [`Order::Versioned`](crate::Order::Versioned) is right about it if 2 × `skew` + `takeover_lag` ≤ Θ and
    /// Θ < `away` − 2 × `skew`, as it is with the defaults.
    #[must_use]
    pub fn new(seed: u64, devices: u32, end: UnixMillis) -> Self {
        Self {
            seed,
            devices,
            end,
            skew: Duration::from_secs(120),
            takeover_lag: Duration::from_secs(60),
            away: Duration::from_secs(3_600),
            lost_percent: 5,
            repeated_percent: 20,
            delay: None,
            prefix: String::from("sensor"),
        }
    }

    /// What happened, device by device.
    pub fn devices(&self) -> impl Iterator<Item = Device> {
        let mut rng = Rng::with_seed(self.seed);
        (0..self.devices).map(move |index| Device::generate(self, index, &mut rng))
    }

    /// What the service delivers, in the order of arrival.
    #[must_use]
    pub fn feed(&self) -> Vec<Event<'static>> {
        let mut rng = Rng::with_seed(!self.seed);
        let mut arrivals = Vec::new();
        for occurrence in self.devices().flat_map(|device| device.occurrences) {
            if occurrence.lost {
                continue;
            }
            let mut arrive = |event| {
                let late = self.delay.map(|delay| span(&mut rng, delay));
                arrivals.push((late.map(|late| occurrence.at.after(late)), event));
            };
            if occurrence.repeated {
                arrive(occurrence.event.clone());
            }
            arrive(occurrence.event);
        }
        rng.shuffle(&mut arrivals);
        arrivals.sort_by_key(|(at, _)| *at);
        arrivals.into_iter().map(|(_, event)| event).collect()
    }

    /// How many devices a tracker is wrong about, having seen the whole feed: whether it takes a client id for
    /// connected, none when it does not know the client.
    #[must_use]
    pub fn errors(&self, mut is_connected: impl FnMut(&str) -> Option<bool>) -> usize {
        self.devices()
            .filter(|device| is_connected(&device.client_id) != Some(device.connected))
            .count()
    }
}

/// From nothing up to this, in milliseconds.
fn span(rng: &mut Rng, up_to: Duration) -> Duration {
    let millis = u64::try_from(up_to.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(rng.u64(0..=millis))
}

/// Whether one of `percent` in a hundred comes about.
fn chance(rng: &mut Rng, percent: u8) -> bool {
    rng.u8(0..100) < percent
}
