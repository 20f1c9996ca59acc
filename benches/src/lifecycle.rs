//! `iot-lifecycle`, beside serde_json and the standard hash table.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::DefaultHasher},
    fmt::Write as _,
    hash::{BuildHasherDefault, Hash},
    hint::black_box,
};

use iot_lifecycle::{
    Connected, Decoder, DisconnectReason, Disconnected, Event,
    fleet::{ClientKey, Config, Fleet, HashKey, HashedId},
};
use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis, WallClock};
use serde::{Deserialize, Serialize};

/// A disconnect event in the service's own order of fields: 309 bytes.
pub const DISCONNECT: &str = concat!(
    r#"{"clientId":"site-7/pump-station-00042","timestamp":1573002340451,"eventType":"disconnected","#,
    r#""sessionIdentifier":"00000000-0000-0000-0000-000000000000","#,
    r#""principalIdentifier":"12345678901234567890123456789012","clientInitiatedDisconnect":true,"#,
    r#""disconnectReason":"CLIENT_INITIATED_DISCONNECT","versionNumber":0}"#,
);

const _: () = assert!(DISCONNECT.len() == 309);

/// The same event as whoever has only serde_json would take it: borrowed, nothing checked, nothing kept apart.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields of the event")]
pub struct Plain<'a> {
    #[serde(borrow)]
    pub client_id: Text<'a>,
    pub timestamp: i64,
    pub event_type: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_identifier: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_identifier: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_initiated_disconnect: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnect_reason: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_number: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thing_name: Option<Text<'a>>,
}

/// serde borrows a `Cow` only where it is a field of its own, not inside an `Option`: hence the newtype.
#[derive(Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// Decodes [`DISCONNECT`] so many times.
pub fn decode(times: usize) {
    // On the heap, where a client's buffer is: what checking UTF-8 costs depends on alignment.
    let (decoder, payload) = (Decoder::lenient(), DISCONNECT.to_owned());
    for _ in 0..times {
        _ = black_box(decoder.decode(black_box(payload.as_bytes())));
    }
}

/// Has serde_json decode [`DISCONNECT`] so many times.
pub fn decode_plain(times: usize) {
    let payload = DISCONNECT.to_owned();
    for _ in 0..times {
        _ = black_box(serde_json::from_str::<Plain<'_>>(black_box(&payload)));
    }
}

/// Encodes the event of [`DISCONNECT`] so many times, into one buffer.
///
/// # Panics
/// If it is no event, which a benchmark cannot go on without.
pub fn encode(times: usize) {
    let event = Decoder::lenient().decode(DISCONNECT.as_bytes()).expect("an event");
    let mut out = Vec::with_capacity(DISCONNECT.len());
    for _ in 0..times {
        out.clear();
        black_box(&event).encode_into(&mut out);
        black_box(&out);
    }
    assert_eq!(out.len(), if times == 0 { 0 } else { DISCONNECT.len() });
}

/// Has serde_json encode the same so many times, into one buffer.
///
/// # Panics
/// If it is not what the derive expects, which a benchmark cannot go on without.
pub fn encode_plain(times: usize) {
    let event: Plain<'_> = serde_json::from_str(DISCONNECT).expect("an event");
    let mut out = Vec::with_capacity(DISCONNECT.len());
    for _ in 0..times {
        out.clear();
        _ = serde_json::to_writer(&mut out, black_box(&event));
        black_box(&out);
    }
    assert_eq!(out.len(), if times == 0 { 0 } else { DISCONNECT.len() });
}

/// A `subscribed` event with so many filters: a payload of any length.
#[must_use]
pub fn subscribed(filters: usize) -> String {
    let mut payload =
        String::from(r#"{"clientId":"d","timestamp":1573002340451,"eventType":"subscribed","#);
    payload.push_str(r#""topics":["site/7/pump/commands""#);
    for filter in 1..filters {
        _ = write!(payload, r#","site/7/pump/{filter}/set""#);
    }
    payload.push_str("]}");
    payload
}

/// Events of many clients that come and go, one each millisecond: each client's next one in every round.
///
/// Half of the events are connects and half disconnects, whose waits end within the next 5,000 events.
#[derive(Debug)]
pub struct Feed {
    /// The ids, 36 bytes each, in the order of a round.
    ids: String,
    /// The places of all clients, in an order that has nothing to do with that of a round.
    shuffled: Vec<usize>,
    next: usize,
}

impl Feed {
    /// A feed of so many clients, with the same ids each time.
    #[must_use]
    pub fn new(clients: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(7);
        let mut ids = String::with_capacity(36 * clients);
        for _ in 0..clients {
            let digits = format!("{:032x}", random.u128(..));
            let (a, b, c, d, e) =
                (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
            _ = write!(ids, "{a}-{b}-{c}-{d}-{e}");
        }
        let mut shuffled: Vec<usize> = (0..clients).collect();
        random.shuffle(&mut shuffled);
        Self { ids, shuffled, next: 0 }
    }

    /// The id of a client, by its place in a round.
    fn id(&self, place: usize) -> &str {
        &self.ids[36 * place..36 * place + 36]
    }

    /// The next event, and when it comes.
    #[inline]
    pub fn advance(&mut self) -> (MonoTime, Event<'_>) {
        let clients = self.shuffled.len();
        let (round, place) = (self.next / clients, self.next % clients);
        self.next += 1;
        // Every second client is a step ahead, so that rounds are mixed.
        event(self.id(place), round + 1 + place % 2, clients + self.next)
    }
}

/// The connects (even) and disconnects (odd) of a client, each in the session of its version, at this millisecond.
fn event(id: &str, number: usize, millis: usize) -> (MonoTime, Event<'_>) {
    let timestamp = UnixMillis::new(START.get() + millis as i64);
    let version = (number / 2) as i64;
    let mut event = match number % 2 {
        0 => Event::new(id, timestamp, Connected::new(version)),
        _ => {
            Event::new(id, timestamp, Disconnected::new(version, DisconnectReason::ConnectionLost))
        }
    };
    event.session_identifier = Some(Cow::Borrowed(id));
    (MonoTime::from_millis(millis as u64), event)
}

/// A fleet in which every client of a feed is online, entered in another order than that of a round.
#[must_use]
pub fn fleet<K: ClientKey>(feed: &Feed) -> Fleet<K> {
    let clock = WallClock::new(MonoTime::ORIGIN, START);
    let mut fleet = Fleet::new(Config::default(), HASH_KEY, clock);
    for (millis, place) in feed.shuffled.iter().enumerate() {
        apply(&mut fleet, event(feed.id(*place), 0, millis));
    }
    fleet
}

/// Applies one event to a fleet, and drains what it leads to.
///
/// # Panics
/// If the event is refused: then the feed is wrong.
#[inline]
pub fn apply<K: ClientKey>(fleet: &mut Fleet<K>, (now, event): (MonoTime, Event<'_>)) {
    fleet.apply(now, &event).expect("an event of the feed");
    while let Output::Event(told) = fleet.poll_output() {
        black_box(told);
    }
}

/// A key of a standard hash table.
pub trait TableKey: ClientKey + Hash {
    /// The key of a client id.
    fn of(client_id: &str) -> Self;

    /// Gets what the table has for a client, and inserts what follows on it.
    fn get_and_insert(table: &mut Table<Self>, client_id: &str, next: impl FnOnce(Value) -> Value);
}

impl TableKey for Box<str> {
    fn of(client_id: &str) -> Self {
        client_id.into()
    }

    #[inline]
    fn get_and_insert(table: &mut Table<Self>, client_id: &str, next: impl FnOnce(Value) -> Value) {
        let value = table.get(client_id).copied().unwrap_or_default();
        table.insert(client_id.into(), next(value));
    }
}

impl TableKey for HashedId {
    fn of(client_id: &str) -> Self {
        Self::of(client_id, &HASH_KEY)
    }

    #[inline]
    fn get_and_insert(table: &mut Table<Self>, client_id: &str, next: impl FnOnce(Value) -> Value) {
        let key = Self::of(client_id, &HASH_KEY);
        let value = table.get(&key).copied().unwrap_or_default();
        table.insert(key, next(value));
    }
}

/// As large as what a fleet keeps of a client beside its id.
pub type Value = [u64; 7];

/// The standard table with its standard hash, under a fixed key so that counts repeat.
pub type Table<K> = HashMap<K, Value, BuildHasherDefault<DefaultHasher>>;

/// A table that holds every client of a feed, entered in another order than that of a round.
#[must_use]
pub fn table<K: TableKey>(feed: &Feed) -> Table<K> {
    feed.shuffled.iter().map(|place| (K::of(feed.id(*place)), [0; 7])).collect()
}

/// Gets what a table has for the client of an event, and inserts something newer.
#[inline]
pub fn get_and_insert<K: TableKey>(table: &mut Table<K>, (now, event): (MonoTime, Event<'_>)) {
    K::get_and_insert(table, &event.client_id, |mut value| {
        value[0] = value[0].max(now.as_millis());
        value
    });
}

/// Applies so many events to a fleet of this many clients.
pub fn apply_to_fleet<K: ClientKey>(clients: usize, events: usize) {
    let mut feed = Feed::new(clients);
    let mut fleet = fleet::<K>(&feed);
    for _ in 0..events {
        apply(&mut fleet, feed.advance());
    }
}

/// Gets and inserts so many times in a table of this many clients.
pub fn get_and_insert_in_table<K: TableKey>(clients: usize, events: usize) {
    let mut feed = Feed::new(clients);
    let mut table = table::<K>(&feed);
    for _ in 0..events {
        get_and_insert(&mut table, feed.advance());
    }
}

const START: UnixMillis = UnixMillis::new(1_700_000_000_000);
const HASH_KEY: HashKey = HashKey::new([7; 16]);
