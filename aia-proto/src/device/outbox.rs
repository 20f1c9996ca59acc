//! What waits to be sent, and what may have to be sent again (specification, sections 2.3 and 11.3, row 44).

use alloc::{collections::VecDeque, vec::Vec};
use core::fmt;

use iot_sansio::{MonoTime, mqtt::Token};

use crate::{
    Leaf,
    pacer::{Batch, BatchError, Pacer},
    protect::HEADER_LEN,
};

/// Events and microphone data that wait for their turn, and messages that the MQTT client has not confirmed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Outbox {
    /// Events that go before all others, each in a message of its own.
    first: VecDeque<Vec<u8>>,
    events: Batch<Vec<u8>>,
    microphone: Batch<Vec<u8>>,
    connection_pacer: Pacer,
    event_pacer: Pacer,
    microphone_pacer: Pacer,
    unconfirmed: VecDeque<Unconfirmed>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Unconfirmed {
    token: Token,
    leaf: Leaf,
    message: Vec<u8>,
    is_repeated: bool,
}

impl Outbox {
    pub(super) fn new(max_message: usize) -> Self {
        let room = max_message.saturating_sub(HEADER_LEN);
        let events = room.saturating_sub(EVENTS_OPEN.len() + EVENTS_CLOSE.len());
        Self {
            first: VecDeque::new(),
            events: Batch::new(events, events.saturating_mul(MESSAGES_QUEUED)),
            microphone: Batch::new(room, room.saturating_mul(MESSAGES_QUEUED)),
            connection_pacer: Pacer::default(),
            event_pacer: Pacer::default(),
            microphone_pacer: Pacer::default(),
            unconfirmed: VecDeque::new(),
        }
    }

    /// Drops what belongs to a connection that is over. How long ago its topics were used still counts.
    pub(super) fn clear(&mut self) {
        self.first.clear();
        while !self.events.take().is_empty() {}
        while !self.microphone.take().is_empty() {}
        self.unconfirmed.clear();
    }

    pub(super) fn push_first(&mut self, event: Vec<u8>) {
        self.first.push_back(event);
    }

    /// Before those too: every connection begins with it.
    pub(super) fn push_very_first(&mut self, event: Vec<u8>) {
        self.first.push_front(event);
    }

    /// How many messages go before all others.
    pub(super) fn first_len(&self) -> u32 {
        u32::try_from(self.first.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn push_event(&mut self, event: Vec<u8>) -> Result<(), BatchError> {
        let size = event.len() + 1;
        self.events.push(event, size)
    }

    pub(super) fn push_microphone(&mut self, entries: Vec<u8>) -> Result<(), BatchError> {
        let size = entries.len();
        self.microphone.push(entries, size)
    }

    /// When something that waits may be sent.
    pub(super) fn deadline(&self, is_ready: bool) -> Option<MonoTime> {
        let events = !self.first.is_empty() || !self.events.is_empty();
        let events = self.event_pacer.ready_at().filter(|_| is_ready && events);
        let microphone = self.microphone_pacer.ready_at();
        let microphone = microphone.filter(|_| is_ready && !self.microphone.is_empty());
        [events, microphone].into_iter().flatten().min()
    }

    /// When the next message of the connection topic may be sent; none when that is now.
    pub(super) fn connect_at(&self, now: MonoTime) -> Option<MonoTime> {
        self.connection_pacer.ready_at().filter(|at| *at > now)
    }

    /// The next message that may be sent now: its topic and its body.
    pub(super) fn take(&mut self, now: MonoTime) -> Option<(Leaf, Vec<u8>)> {
        if self.event_pacer.is_ready(now) {
            let events = match self.first.pop_front() {
                Some(event) => [event].into(),
                None => self.events.take(),
            };
            if !events.is_empty() {
                self.event_pacer.sent(now);
                let body = [EVENTS_OPEN, &events.join(&b','), EVENTS_CLOSE].concat();
                return Some((Leaf::Event, body));
            }
        }
        if self.microphone_pacer.is_ready(now) {
            let entries = self.microphone.take();
            if !entries.is_empty() {
                self.microphone_pacer.sent(now);
                return Some((Leaf::Microphone, entries.concat()));
            }
        }
        None
    }

    pub(super) const fn connection_message_sent(&mut self, now: MonoTime) {
        self.connection_pacer.sent(now);
    }

    /// Keeps a message until the MQTT client has confirmed that it was handed over.
    pub(super) fn sent(&mut self, token: Token, leaf: Leaf, message: &[u8]) {
        self.keep(Unconfirmed { token, leaf, message: message.into(), is_repeated: false });
    }

    pub(super) fn confirmed(&mut self, token: Token) {
        self.unconfirmed.retain(|kept| kept.token != token);
    }

    /// The message that the MQTT client refused, to be sent once more as it is: with this token. `Err` when it was sent
    /// twice already; nothing when it is not one that others follow.
    pub(super) fn repeat(
        &mut self,
        refused: Token,
        token: Token,
    ) -> Option<Result<(Leaf, Vec<u8>), ()>> {
        let index = self.unconfirmed.iter().position(|kept| kept.token == refused)?;
        let kept = self.unconfirmed.remove(index)?;
        if kept.is_repeated {
            return Some(Err(()));
        }
        let (leaf, message) = (kept.leaf, kept.message.clone());
        self.keep(Unconfirmed { token, is_repeated: true, ..kept });
        Some(Ok((leaf, message)))
    }

    fn keep(&mut self, message: Unconfirmed) {
        if self.unconfirmed.len() == MAX_UNCONFIRMED {
            self.unconfirmed.pop_front();
        }
        self.unconfirmed.push_back(message);
    }
}

impl fmt::Debug for Outbox {
    /// Counts only: what waits may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("first", &self.first.len())
            .field("events", &self.events)
            .field("microphone", &self.microphone)
            .field("unconfirmed", &self.unconfirmed.len())
            .finish_non_exhaustive()
    }
}

const EVENTS_OPEN: &[u8] = br#"{"events":["#;
const EVENTS_CLOSE: &[u8] = b"]}";
/// So many full messages may wait on a topic: a second of it.
const MESSAGES_QUEUED: usize = 20;
/// A client that confirms none of so many messages has none of the older ones to send again.
const MAX_UNCONFIRMED: usize = 64;
