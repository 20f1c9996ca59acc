//! A fleet said again, in no hurry: one map of clients, and a search through all of them for whatever is asked.

use std::collections::BTreeMap;

use iot_lifecycle::{
    EventKind, Topic,
    fleet::{self, ApplyError, ClientKey, Fleet, Update},
    presence::{self, Input, Presence},
};
use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis, WallClock};

use crate::feeds::Step;

pub(crate) fn drain<K: ClientKey>(fleet: &mut Fleet<K>) -> Vec<Update<K>> {
    core::iter::from_fn(|| match fleet.poll_output() {
        Output::Event(fleet::Event::Presence(update)) => Some(update),
        Output::Idle(_) => None,
        other => panic!("unexpected output {other:?}"),
    })
    .collect()
}

/// What a fleet knows and tells when it is drained after every input; its queue has no bound.
pub(crate) struct Reference<K> {
    pub(crate) clients: BTreeMap<K, Presence>,
    pub(crate) told: Vec<(K, MonoTime, presence::Step)>,
    pub(crate) now: MonoTime,
    pub(crate) clock: WallClock,
    pub(crate) watermark: Option<UnixMillis>,
    /// How many clients were forgotten.
    pub(crate) evicted: u64,
    key: fn(&str) -> K,
    config: presence::Config,
    max_clients: usize,
}

impl<K: Clone + Ord> Reference<K> {
    pub(crate) fn new(
        key: fn(&str) -> K,
        config: presence::Config,
        max_clients: usize,
        clock: WallClock,
    ) -> Self {
        Self {
            clients: BTreeMap::new(),
            told: Vec::new(),
            now: MonoTime::ORIGIN,
            clock,
            watermark: None,
            evicted: 0,
            key,
            config,
            max_clients,
        }
    }

    pub(crate) fn feed(&mut self, now: MonoTime, step: &Step) -> Result<(), ApplyError> {
        match step {
            Step::Event(event) => {
                let reason = match &event.kind {
                    EventKind::Disconnected(gone) => gone.disconnect_reason.as_ref(),
                    _ => None,
                };
                let input = match (self.config.order().head(event)?, &event.kind) {
                    (Some(head), _) => Input::Event { head, reason },
                    (None, EventKind::ConnectFailed(_)) => Input::ConnectFailed,
                    (None, EventKind::Subscribed(_)) => {
                        Input::Subscribed { session: event.session(), timestamp: event.timestamp }
                    }
                    _ => {
                        self.pass(now);
                        return Ok(());
                    }
                };
                self.step(now, &event.client_id, &input)
            }
            Step::LastWill(client) => self.step(now, client, &Input::LastWill),
            Step::Observed { client, connected, timestamp } => {
                let input = Input::Observed { connected: *connected, timestamp: *timestamp };
                self.step(now, client, &input)
            }
            Step::Tick => {
                self.pass(now);
                Ok(())
            }
        }
    }

    /// Lets time pass, and ends the waits that are over, one after the other.
    pub(crate) fn pass(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        loop {
            let due = self.clients.iter().filter_map(|(client, presence)| {
                let timer = presence.waiting()?;
                (timer.deadline <= self.now).then(|| (timer.deadline, client.clone(), timer.token))
            });
            let Some((deadline, client, token)) = due.min() else {
                return;
            };
            let mut presence = self.clients.remove(&client).unwrap_or_default();
            let wall = self.clock.at(deadline);
            let step = presence.step(&self.config, deadline, wall, Input::Timer(token));
            self.clients.insert(client.clone(), presence);
            self.told.push((client, deadline, step));
        }
    }

    /// Tries the input on a copy; only then does time pass.
    fn step(&mut self, now: MonoTime, client: &str, input: &Input<'_>) -> Result<(), ApplyError> {
        let (at, key) = (self.now.max(now), (self.key)(client));
        let known = self.clients.get(&key);
        let mut presence = known.cloned().unwrap_or_default();
        let _ = presence.step(&self.config, at, self.clock.at(at), input.clone());
        let enters = known.is_none() && presence != Presence::default();
        let first_head = known.and_then(Presence::head).is_none() && presence.head().is_some();

        if let (true, Input::Event { head, .. }, Some(watermark)) =
            (first_head, input, self.watermark)
        {
            let timestamp = head.timestamp;
            if timestamp <= watermark.after(self.config.order().theta()) {
                return Err(ApplyError::BelowWatermark { timestamp, watermark });
            }
        }
        let is_full = enters && self.clients.len() >= self.max_clients;
        if enters {
            Topic::parse(&format!("$aws/events/presence/connected/{client}"))?;
        }
        let makes_room = |presence: &Presence| {
            presence.is_evictable() || presence.waiting().is_some_and(|timer| timer.deadline <= at)
        };
        if is_full && !self.clients.values().any(makes_room) {
            return Err(ApplyError::TooManyClients { limit: self.max_clients });
        }

        self.pass(now);
        if is_full {
            self.evict_oldest();
        }
        // The end of a wait may have changed the client.
        let mut presence = self.clients.remove(&key).unwrap_or_default();
        let step = presence.step(&self.config, at, self.clock.at(at), input.clone());
        if presence != Presence::default() {
            self.clients.insert(key.clone(), presence);
        }
        if !step.is_empty() {
            self.told.push((key, at, step));
        }
        Ok(())
    }

    /// Forgets what has been offline since before `oldest_kept`.
    pub(crate) fn evict(&mut self, now: MonoTime, retention: core::time::Duration) -> usize {
        self.pass(now);
        let oldest_kept = self.clock.at(self.now).before(retention);
        let before = self.clients.len();
        self.clients.retain(|_, presence| {
            let stays = !presence.is_evictable() || age(presence) >= oldest_kept;
            if !stays {
                let newest = presence.head().map(|head| head.timestamp);
                self.watermark = self.watermark.max(newest);
            }
            stays
        });
        let evicted = before - self.clients.len();
        self.evicted += evicted as u64;
        evicted
    }

    /// Forgets the oldest of a small fleet's clients that are offline; a tie is broken by key.
    fn evict_oldest(&mut self) {
        let offline = self.clients.iter().filter(|(_, presence)| presence.is_evictable());
        let oldest = offline.map(|(key, presence)| (age(presence), key.clone())).min();
        if let Some(presence) = oldest.and_then(|(_, key)| self.clients.remove(&key)) {
            let newest = presence.head().map(|head| head.timestamp);
            self.watermark = self.watermark.max(newest);
            self.evicted += 1;
        }
    }
}

/// When the newest event of a client happened; one that only queries told of is older than all.
fn age(presence: &Presence) -> UnixMillis {
    presence.head().map_or(UnixMillis::new(i64::MIN), |head| head.timestamp)
}
