//! Arbitrary feeds for the tests of presence and fleet.

use iot_lifecycle::{ConnectFailed, Connected, Disconnected, Event, Topics};
use iot_sansio::{MonoTime, UnixMillis, WallClock};
use proptest::prelude::*;

mod step;

pub(crate) use step::Step;

/// Steps with the milliseconds between them: few clients, versions, sessions and times, so that they meet often.
pub(crate) fn feed(length: usize) -> impl Strategy<Value = Vec<(u64, Step)>> {
    let gap = prop_oneof![Just(0), 1_u64..2_000, Just(5_000), 5_000_u64..400_000];
    prop::collection::vec((gap, step()), 1..length)
}

fn step() -> impl Strategy<Value = Step> {
    let client = || prop::sample::select(vec!["a", "b", "site 7/gw/é", "d"]);
    let timestamp = || {
        let spread =
            prop_oneof![-1_000_i64..1_000, -400_000_i64..400_000, -700_000_000_i64..8_000_000];
        spread.prop_map(|offset| UnixMillis::new(START.get() + offset))
    };
    let event = (client(), timestamp(), kind(), prop::option::of("[ABC]")).prop_map(
        |(client, timestamp, kind, session)| {
            let mut event = Event::new(client, timestamp, kind);
            event.session_identifier = session.map(Into::into);
            event
        },
    );
    prop_oneof![
        12 => event.prop_map(Step::Event),
        1 => client().prop_map(Step::LastWill),
        1 => (client(), any::<bool>(), timestamp())
            .prop_map(|(client, connected, timestamp)| Step::Observed { client, connected, timestamp }),
        2 => Just(Step::Tick),
    ]
}

fn kind() -> impl Strategy<Value = iot_lifecycle::EventKind<'static>> {
    let version = || prop_oneof![4 => 0_i64..4, 1 => Just(i64::MAX)];
    let reason =
        || prop::sample::select(vec!["CONNECTION_LOST", "CLIENT_INITIATED_DISCONNECT", "NEW"]);
    prop_oneof![
        6 => version().prop_map(|version| Connected::new(version).into()),
        6 => (version(), reason()).prop_map(|(version, reason)| Disconnected::new(version, reason).into()),
        1 => Just(ConnectFailed::new("AUTHORIZATION_FAILED").into()),
        1 => Just(iot_lifecycle::EventKind::Subscribed(Topics::new(["a/b"]))),
    ]
}

/// What the wall clock reads at the origin of monotonic time.
pub(crate) const START: UnixMillis = UnixMillis::new(1_700_000_000_000);

/// The wall clock of the tests.
pub(crate) const CLOCK: WallClock = WallClock::new(MonoTime::ORIGIN, START);
