//! The messages that nobody has accepted yet, and their deliveries.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};
use core::time::Duration;

use fastrand::Rng;
use iot_sansio::{
    MonoTime,
    amqp::{Connection, DeliveryId},
};

use super::{Message, MessageId, MessageIdForm, Push};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Backlog {
    messages: BTreeMap<MessageId, Entry>,
    /// What can be sent as soon as a client has credit, group by group.
    ready: BTreeMap<String, BTreeSet<MessageId>>,
    /// What becomes ready later.
    delayed: BTreeSet<(MonoTime, MessageId)>,
    /// What was sent and is not settled.
    deliveries: BTreeMap<DeliveryId, Delivery>,
    ack_deadlines: BTreeSet<(MonoTime, DeliveryId)>,
    /// Ids grow, and so do the times at which messages expire.
    last_id: MessageId,
    /// The state of the generator of ids. One of its own: what clients do changes no id.
    seed: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    group: String,
    push: Push,
    /// In milliseconds since the Unix epoch.
    pushed_at: i64,
    expires_at: MonoTime,
    /// How often it was sent.
    attempts: u32,
    delivery_count: u32,
    /// When it is to be sent next; none while a delivery decides that.
    due: Option<MonoTime>,
    deliveries: BTreeSet<DeliveryId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Delivery {
    message: MessageId,
    ack_deadline: MonoTime,
}

impl Backlog {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        Self {
            messages: BTreeMap::new(),
            ready: BTreeMap::new(),
            delayed: BTreeSet::new(),
            deliveries: BTreeMap::new(),
            ack_deadlines: BTreeSet::new(),
            last_id: MessageId::new(rng.i64(FIRST_IDS)),
            seed: rng.get_seed(),
        }
    }

    /// How many messages there are once those are given up that expire by `now`.
    pub(super) fn len_at(&self, now: MonoTime) -> usize {
        let expired = self.messages.values().take_while(|entry| entry.expires_at <= now);
        self.messages.len() - expired.count()
    }

    /// Whether the message will still be there once those are given up that expire by `now`.
    pub(super) fn contains_at(&self, id: MessageId, now: MonoTime) -> bool {
        self.messages.get(&id).is_some_and(|entry| entry.expires_at > now)
    }

    pub(super) fn ids(&self) -> impl ExactSizeIterator<Item = MessageId> {
        self.messages.keys().copied()
    }

    pub(super) fn deliveries(&self) -> usize {
        self.deliveries.len()
    }

    /// The message of a delivery that is not settled.
    pub(super) fn message_of(&self, id: DeliveryId) -> Option<MessageId> {
        self.deliveries.get(&id).map(|delivery| delivery.message)
    }

    pub(super) fn attempts(&self, id: MessageId) -> u32 {
        self.messages.get(&id).map_or(0, |entry| entry.attempts)
    }

    pub(super) fn add(
        &mut self,
        group: &str,
        push: Push,
        pushed_at: i64,
        now: MonoTime,
        retention: Duration,
    ) -> MessageId {
        let mut rng = Rng::with_seed(self.seed);
        let id = MessageId::new(self.last_id.get().saturating_add(rng.i64(ID_STEPS)));
        (self.last_id, self.seed) = (id, rng.get_seed());
        let entry = Entry {
            group: group.into(),
            push,
            pushed_at,
            expires_at: now.after(retention),
            attempts: 0,
            delivery_count: 0,
            due: None,
            deliveries: BTreeSet::new(),
        };
        self.messages.insert(id, entry);
        self.schedule(id, now, now);
        id
    }

    /// Sends the message at `due`, or earlier if that was so already.
    pub(super) fn schedule(&mut self, id: MessageId, due: MonoTime, now: MonoTime) {
        let Some(entry) = self.messages.get_mut(&id) else { return };
        if entry.due.is_some_and(|earlier| earlier <= due) {
            return;
        }
        if let Some(later) = entry.due.replace(due) {
            self.delayed.remove(&(later, id));
        }
        if due > now {
            self.delayed.insert((due, id));
        } else if let Some(ready) = self.ready.get_mut(&entry.group) {
            ready.insert(id);
        } else {
            self.ready.insert(entry.group.clone(), BTreeSet::from([id]));
        }
    }

    /// Makes ready what is due by `now`.
    pub(super) fn make_ready(&mut self, now: MonoTime) {
        while let Some((due, id)) = self.delayed.first().copied().filter(|(due, _)| *due <= now) {
            self.delayed.remove(&(due, id));
            if let Some(entry) = self.messages.get_mut(&id) {
                entry.due = None;
            }
            self.schedule(id, due, now);
        }
    }

    /// The groups for which something is ready.
    pub(super) fn ready_groups(&self) -> Vec<String> {
        self.ready.keys().cloned().collect()
    }

    /// The first ready message of the group behind another one.
    pub(super) fn ready_after(&self, group: &str, id: Option<MessageId>) -> Option<MessageId> {
        let ready = self.ready.get(group)?;
        let after = id.map_or(i64::MIN, |id| id.get().saturating_add(1));
        ready.range(MessageId::new(after)..).next().copied()
    }

    /// Sends a message that is ready as the delivery with this id, and gives what is sent.
    pub(super) fn send(
        &mut self,
        message: MessageId,
        id: DeliveryId,
        ack_deadline: MonoTime,
        form: MessageIdForm,
    ) -> Option<Message> {
        let entry = self.messages.get_mut(&message)?;
        let sent = entry.push.message(message, form, entry.pushed_at);
        let sent = sent.with_delivery_count(entry.delivery_count);
        entry.attempts = entry.attempts.saturating_add(1);
        entry.due = None;
        entry.deliveries.insert(id);
        if let Some(ready) = self.ready.get_mut(&entry.group) {
            ready.remove(&message);
            if ready.is_empty() {
                self.ready.remove(&entry.group);
            }
        }
        self.deliveries.insert(id, Delivery { message, ack_deadline });
        self.ack_deadlines.insert((ack_deadline, id));
        Some(sent)
    }

    /// Takes a delivery for failed: the message is sent again at `due`, unless another delivery of it is still open.
    /// What counts as a failed attempt is told to the next client.
    pub(super) fn fail(&mut self, id: DeliveryId, counts: bool, due: MonoTime, now: MonoTime) {
        let Some(message) = self.forget(id) else { return };
        let Some(entry) = self.messages.get_mut(&message) else { return };
        entry.deliveries.remove(&id);
        entry.delivery_count = entry.delivery_count.saturating_add(u32::from(counts));
        if entry.deliveries.is_empty() {
            self.schedule(message, due, now);
        }
    }

    /// Takes all open deliveries of a connection for failed: their messages are ready at once.
    pub(super) fn fail_all(&mut self, connection: Connection, now: MonoTime) {
        let of_it = DeliveryId::new(connection, 0)..=DeliveryId::new(connection, u64::MAX);
        let ids: Vec<_> = self.deliveries.range(of_it).map(|(id, _)| *id).collect();
        for id in ids {
            self.fail(id, true, now, now);
        }
    }

    /// Removes a message with its deliveries, and says how often it was sent.
    pub(super) fn remove(&mut self, message: MessageId) -> Option<u32> {
        let entry = self.messages.remove(&message)?;
        for id in entry.deliveries {
            self.forget(id);
        }
        if let Some(due) = entry.due {
            self.delayed.remove(&(due, message));
        }
        if let Some(ready) = self.ready.get_mut(&entry.group) {
            ready.remove(&message);
            if ready.is_empty() {
                self.ready.remove(&entry.group);
            }
        }
        Some(entry.attempts)
    }

    /// A delivery that was to be settled by `now`.
    pub(super) fn late(&self, now: MonoTime) -> Option<DeliveryId> {
        let (deadline, id) = self.ack_deadlines.first()?;
        (*deadline <= now).then_some(*id)
    }

    /// A message that expires by `now`.
    pub(super) fn expired(&self, now: MonoTime) -> Option<MessageId> {
        let (id, entry) = self.messages.first_key_value()?;
        (entry.expires_at <= now).then_some(*id)
    }

    /// When something is due next.
    pub(super) fn deadline(&self) -> Option<MonoTime> {
        let expiry = self.messages.first_key_value().map(|(_, entry)| entry.expires_at);
        let ack = self.ack_deadlines.first().map(|(deadline, _)| *deadline);
        let retry = self.delayed.first().map(|(due, _)| *due);
        [expiry, ack, retry].into_iter().flatten().min()
    }

    fn forget(&mut self, id: DeliveryId) -> Option<MessageId> {
        let delivery = self.deliveries.remove(&id)?;
        self.ack_deadlines.remove(&(delivery.ack_deadline, id));
        Some(delivery.message)
    }
}

/// Where the ids of a platform begin: they have 19 digits, and room to grow.
const FIRST_IDS: core::ops::Range<i64> = 1_000_000_000_000_000_000..5_000_000_000_000_000_000;
/// How far one id is from the next.
const ID_STEPS: core::ops::Range<i64> = 1..1_000_000;
