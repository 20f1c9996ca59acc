//! What is on its way, and when something must happen to it.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};
use core::fmt;

use iot_sansio::MonoTime;

use super::{
    Attempt, Deliver, DeliveryId, Ended, Endpoint, MessageId, RetryPolicy, SubscriptionArn,
};

/// The open deliveries of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Deliveries {
    open: BTreeMap<DeliveryId, Delivery>,
    /// What is due at which time.
    due: BTreeSet<(MonoTime, DeliveryId)>,
    /// How many there have been.
    made: u64,
}

/// One message for one subscription.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Delivery {
    content: Content,
    /// When the first attempt was made, and how many there were.
    first: MonoTime,
    attempts: u32,
    /// Whether an attempt is open; else it waits for the next.
    is_open: bool,
    /// When the open attempt has failed, or the next one is due; none at the end of time.
    due: Option<MonoTime>,
}

/// What is to be delivered.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Content {
    pub(super) message_id: MessageId,
    pub(super) subscription: SubscriptionArn,
    pub(super) endpoint: Endpoint,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Deliveries {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Adds a delivery, and gives its first attempt.
    pub(super) fn add(&mut self, content: Content, policy: RetryPolicy, now: MonoTime) -> Deliver {
        self.made += 1;
        let id = DeliveryId::new(self.made);
        let delivery = Delivery { content, first: now, attempts: 0, is_open: false, due: None };
        let delivery = self.open.entry(id).or_insert(delivery);
        let deliver = delivery.start(id, policy, now);
        self.due.extend(delivery.due.map(|due| (due, id)));
        deliver
    }

    /// Whether this attempt is the open one of its delivery.
    pub(super) fn is_open(&self, attempt: Attempt) -> bool {
        let delivery = self.open.get(&attempt.delivery);
        delivery.is_some_and(|delivery| delivery.is_open && delivery.attempts == attempt.number)
    }

    /// The first that is due by now, with the attempt that has taken too long; none is to be made now.
    pub(super) fn next_due(&self, now: MonoTime) -> Option<(DeliveryId, Option<Attempt>)> {
        let (_, id) = self.due.first().filter(|(due, _)| *due <= now)?;
        let delivery = self.open.get(id)?;
        let attempt = Attempt::new(*id, delivery.attempts);
        Some((*id, delivery.is_open.then_some(attempt)))
    }

    /// Makes the next attempt.
    pub(super) fn retry(
        &mut self,
        id: DeliveryId,
        policy: RetryPolicy,
        now: MonoTime,
    ) -> Option<Deliver> {
        let delivery = self.open.get_mut(&id)?;
        let before = delivery.due;
        let deliver = delivery.start(id, policy, now);
        let after = delivery.due;
        self.reschedule(id, before, after);
        Some(deliver)
    }

    /// The open attempt has failed: false when no other may follow.
    pub(super) fn fail(&mut self, id: DeliveryId, policy: RetryPolicy, now: MonoTime) -> bool {
        let Some(delivery) = self.open.get_mut(&id) else { return false };
        if !policy.allows(delivery.attempts, now.since(delivery.first)) {
            return false;
        }
        let before = delivery.due;
        delivery.is_open = false;
        delivery.due = Some(now.after(policy.delay));
        let after = delivery.due;
        self.reschedule(id, before, after);
        true
    }

    /// Ends a delivery.
    pub(super) fn remove(&mut self, id: DeliveryId) -> Option<Ended> {
        let delivery = self.open.remove(&id)?;
        self.reschedule(id, delivery.due, None);
        let Delivery { content: Content { message_id, subscription, .. }, attempts, .. } = delivery;
        Some(Ended { delivery: id, message_id, subscription, attempts })
    }

    /// The deliveries to a subscription, oldest first.
    pub(super) fn of(&self, subscription: &SubscriptionArn) -> Vec<DeliveryId> {
        let mine =
            self.open.iter().filter(|(_, delivery)| delivery.content.subscription == *subscription);
        mine.map(|(id, _)| *id).collect()
    }

    pub(super) fn deadline(&self) -> Option<MonoTime> {
        self.due.first().map(|(due, _)| *due)
    }

    fn reschedule(&mut self, id: DeliveryId, before: Option<MonoTime>, after: Option<MonoTime>) {
        if let Some(before) = before {
            self.due.remove(&(before, id));
        }
        self.due.extend(after.map(|after| (after, id)));
    }
}

impl Delivery {
    fn start(&mut self, id: DeliveryId, policy: RetryPolicy, now: MonoTime) -> Deliver {
        self.attempts += 1;
        self.is_open = true;
        // At the end of time nothing comes later.
        self.due = Some(now.after(policy.patience)).filter(|due| *due > now);
        Deliver {
            attempt: Attempt::new(id, self.attempts),
            endpoint: self.content.endpoint.clone(),
            headers: self.content.headers.clone(),
            body: self.content.body.clone(),
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("message_id", &self.content.message_id)
            .field("subscription", &self.content.subscription)
            .field("attempts", &self.attempts)
            .field("is_open", &self.is_open)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}
