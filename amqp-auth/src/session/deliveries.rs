//! What the application works on, and the credit that leaves.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};
use core::time::Duration;

use iot_sansio::{
    MonoTime,
    amqp::{Connection, DeliveryId},
};

use crate::dedupe::{self, Begin, Window};

/// The deliveries that wait for an answer: bounded by the window, whatever peer and application do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Deliveries {
    window: u32,
    /// How many more the peer may send.
    granted: u32,
    /// Handed over and not answered yet, also those of earlier connections.
    open: BTreeMap<DeliveryId, Open>,
    /// When to tell that an answer is late, each once.
    reminders: BTreeSet<(MonoTime, DeliveryId)>,
    /// Copies that wait for the answer to the first of them.
    tied: usize,
    /// Copies that found no room: as much credit is held back until there is an answer.
    withheld: u32,
    /// The newest on the live connection.
    newest: Option<DeliveryId>,
    seen: Option<Window<Copied>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Open {
    message_id: Option<String>,
    /// The peer expects no answer.
    settled: bool,
    late_at: Option<MonoTime>,
}

/// One copy of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Copied {
    id: DeliveryId,
    settled: bool,
}

/// What to do with a delivery.
pub(super) enum Admission {
    HandOver,
    /// An earlier copy is being worked on: both are answered together.
    Wait,
    /// An earlier copy was processed.
    Accept,
    /// There is no room for it.
    Refuse,
}

impl Deliveries {
    pub(super) fn new(window: u32, deduplication: Option<dedupe::Config>) -> Self {
        // No more than can be remembered.
        let capacity = deduplication.map_or(usize::MAX, |config| config.capacity());
        Self {
            window: window.min(u32::try_from(capacity).unwrap_or(u32::MAX)),
            granted: 0,
            open: BTreeMap::new(),
            reminders: BTreeSet::new(),
            tied: 0,
            withheld: 0,
            newest: None,
            seen: deduplication.map(Window::new),
        }
    }

    /// Whether a delivery of the live connection is one that was not seen before.
    pub(super) fn is_new(&self, id: DeliveryId) -> bool {
        self.newest.is_none_or(|newest| newest < id)
    }

    pub(super) fn admit(
        &mut self,
        now: MonoTime,
        id: DeliveryId,
        settled: bool,
        message_id: Option<&str>,
    ) -> Admission {
        self.newest = Some(id);
        self.granted = self.granted.saturating_sub(1);
        if self.room() == 0 {
            return Admission::Refuse;
        }
        let begun = match (&mut self.seen, message_id) {
            (Some(seen), Some(message_id)) => seen.begin(now, message_id, Copied { id, settled }),
            _ => Ok(Begin::New),
        };
        match begun {
            Ok(Begin::New) => {
                let message_id = message_id.map(String::from);
                self.open.insert(id, Open { message_id, settled, late_at: None });
                if !settled {
                    self.remind(id, now);
                }
                Admission::HandOver
            }
            Ok(Begin::InFlight) => {
                self.tied += 1;
                let first =
                    self.open.iter().find(|(_, open)| open.message_id.as_deref() == message_id);
                if let (Some((first, _)), false) = (first, settled) {
                    self.remind(*first, now);
                }
                Admission::Wait
            }
            Ok(Begin::Done) => Admission::Accept,
            Err(_) => {
                self.withheld += 1;
                Admission::Refuse
            }
        }
    }

    pub(super) fn is_open(&self, id: DeliveryId) -> bool {
        self.open.contains_key(&id)
    }

    /// Takes the answer of the application, with the time if the message was processed: the deliveries on the live
    /// connection that are to be settled with it.
    pub(super) fn answer(
        &mut self,
        id: DeliveryId,
        processed: Option<MonoTime>,
        live: Option<Connection>,
    ) -> Vec<DeliveryId> {
        let Some(open) = self.open.remove(&id) else {
            return Vec::new();
        };
        if let Some(late_at) = open.late_at {
            self.reminders.remove(&(late_at, id));
        }
        self.withheld = 0;
        let mut copies: Vec<_> = match (&mut self.seen, &open.message_id, processed) {
            (Some(seen), Some(message_id), Some(now)) => seen.done(now, message_id).collect(),
            (Some(seen), Some(message_id), None) => seen.failed(message_id).collect(),
            _ => Vec::from([Copied { id, settled: open.settled }]),
        };
        self.tied -= copies.iter().filter(|copy| copy.id != id).count();
        copies.retain(|copy| !copy.settled && Some(copy.id.connection) == live);
        copies.into_iter().map(|copy| copy.id).collect()
    }

    /// Gives up all that is open, as not processed: the deliveries that are to be settled with that.
    pub(super) fn give_up(&mut self, live: Option<Connection>) -> Vec<DeliveryId> {
        let ids: Vec<_> = self.open.keys().copied().collect();
        ids.into_iter().flat_map(|id| self.answer(id, None, live)).collect()
    }

    /// The connection is gone: its deliveries cannot be settled, but the application goes on working on them.
    pub(super) fn disconnected(&mut self) {
        self.granted = 0;
        self.tied = 0;
        self.withheld = 0;
        self.newest = None;
        // The platform does not wait for these any more.
        self.reminders.clear();
        self.open.values_mut().for_each(|open| open.late_at = None);
        if let Some(seen) = &mut self.seen {
            seen.retain(|_| false);
        }
    }

    /// The credit to grant, once half of the window is used or none is left.
    pub(super) fn replenish(&mut self) -> Option<u32> {
        let room = self.room();
        let more = room.saturating_sub(self.granted);
        if more == 0 || (self.granted > 0 && more < self.window.div_ceil(2)) {
            return None;
        }
        self.granted = room;
        Some(room)
    }

    /// When the next answer is late.
    pub(super) fn late_at(&self) -> Option<MonoTime> {
        self.reminders.first().map(|(late_at, _)| *late_at)
    }

    /// The next delivery whose answer is late by now.
    pub(super) fn late(&mut self, now: MonoTime) -> Option<DeliveryId> {
        let (late_at, id) = *self.reminders.first()?;
        if late_at > now {
            return None;
        }
        self.reminders.pop_first();
        if let Some(open) = self.open.get_mut(&id) {
            open.late_at = None;
        }
        Some(id)
    }

    /// Sets the reminder for an open delivery, unless one is set: that of the copy that came first stands.
    fn remind(&mut self, id: DeliveryId, now: MonoTime) {
        if let Some(open) = self.open.get_mut(&id).filter(|open| open.late_at.is_none()) {
            let late_at = now.after(ACK_LATE_AFTER);
            open.late_at = Some(late_at);
            self.reminders.insert((late_at, id));
        }
    }

    fn room(&self) -> u32 {
        let waiting = u32::try_from(self.open.len() + self.tied).unwrap_or(u32::MAX);
        self.window.saturating_sub(waiting).saturating_sub(self.withheld)
    }
}

/// Five seconds before the platform counts an answer as missing (specification, section 11).
const ACK_LATE_AFTER: Duration = Duration::from_secs(25);
