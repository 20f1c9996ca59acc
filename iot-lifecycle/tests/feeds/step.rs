//! What reaches a tracker.

use iot_lifecycle::{
    Event,
    fleet::{ApplyError, ClientKey, Fleet},
};
use iot_sansio::{Machine as _, MonoTime, UnixMillis};

/// One thing that reaches a tracker.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Event(Event<'static>),
    LastWill(&'static str),
    Observed { client: &'static str, connected: bool, timestamp: UnixMillis },
    Tick,
}

impl Step {
    pub(crate) fn feed<K: ClientKey>(
        &self,
        fleet: &mut Fleet<K>,
        now: MonoTime,
    ) -> Result<(), ApplyError> {
        match self {
            Self::Event(event) => fleet.apply(now, event),
            Self::LastWill(client) => fleet.last_will(now, client),
            Self::Observed { client, connected, timestamp } => {
                fleet.observe(now, client, *connected, *timestamp)
            }
            Self::Tick => {
                fleet.handle_timeout(now);
                Ok(())
            }
        }
    }
}
