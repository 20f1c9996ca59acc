//! Messages on `speaker`, and sending them again (rows 25 and 26 of the table).

use alloc::{collections::VecDeque, vec::Vec};
use core::{fmt, time::Duration};

use iot_sansio::MonoTime;

use super::{Event, ExceptionCode, Service};
use crate::{ClientId, Leaf, sequence::SequenceNumber};

/// The last messages of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Speaker {
    /// Oldest first; their numbers follow each other.
    kept: VecDeque<Kept>,
    again: Option<Again>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Kept {
    number: SequenceNumber,
    body: Vec<u8>,
}

/// What is sent again next, and when. All that is kept after it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Again {
    next: SequenceNumber,
    at: MonoTime,
}

impl Speaker {
    pub(super) fn deadline(&self) -> Option<MonoTime> {
        Some(self.again?.at)
    }

    /// Whether one more can be kept then.
    pub(super) fn has_room(&self, now: MonoTime, interval: Duration, limit: usize) -> bool {
        let mut later = Self { kept: VecDeque::new(), again: self.again };
        let Some((first, last)) = self.kept.front().zip(self.kept.back()) else { return true };
        while later.again.is_some_and(|again| again.at <= now) {
            later.proceed(interval, last.number);
        }
        let waits = later.again.is_some_and(|again| again.next == first.number);
        !(waits && self.kept.len() >= limit)
    }

    /// Keeps a message, and whether it waits for those before it to be sent again.
    fn keep(&mut self, number: SequenceNumber, body: Vec<u8>, limit: usize) -> bool {
        self.kept.push_back(Kept { number, body });
        if self.kept.len() > limit {
            self.kept.pop_front();
        }
        self.again.is_some()
    }

    /// Begins again with this message, if it is kept.
    fn rewind(&mut self, number: SequenceNumber, at: MonoTime) -> bool {
        let is_kept = self.kept.iter().any(|kept| kept.number == number);
        if is_kept {
            self.again = Some(Again { next: number, at });
        }
        is_kept
    }

    /// The message that is due, to be sent again.
    fn take_due(&mut self, now: MonoTime, interval: Duration) -> Option<(SequenceNumber, Vec<u8>)> {
        let next = self.again.filter(|again| again.at <= now)?.next;
        let last = self.kept.back()?.number;
        self.proceed(interval, last);
        let kept = self.kept.iter().find(|kept| kept.number == next)?;
        Some((next, kept.body.clone()))
    }

    fn proceed(&mut self, interval: Duration, last: SequenceNumber) {
        let again = self.again.filter(|again| again.next != last);
        self.again =
            again.map(|Again { next, at }| Again { next: next.next(), at: at.after(interval) });
    }
}

impl Service {
    /// Numbers a message, and sends it unless others are sent again before it.
    pub(super) fn stream(&mut self, client_id: &ClientId, body: &[u8]) -> SequenceNumber {
        let limit = self.config.kept_speaker;
        let Some(connection) = self.connection_mut(client_id) else {
            return SequenceNumber::FIRST;
        };
        let number = connection.channel.take_number(Leaf::Speaker);
        let waits = connection.speaker.keep(number, body.into(), limit);
        if !waits {
            let message = self.seal(client_id, Leaf::Speaker, number, body);
            self.deliver(client_id, Leaf::Speaker, message);
        }
        number
    }

    /// The device had no room for this message. False when it never was one.
    pub(super) fn overrun(&mut self, client_id: &ClientId, number: SequenceNumber) -> bool {
        let at = self.now.after(self.config.redrive_interval);
        let Some(connection) = self.connection_mut(client_id) else { return true };
        if connection.speaker.rewind(number, at) {
            self.tell(Event::Redriving { client_id: client_id.clone(), from: number });
            return true;
        }
        let was_sent = number.is_before(connection.channel.next_number(Leaf::Speaker));
        if was_sent {
            let description = Some("the message is not kept any more");
            self.end_fatally(client_id, ExceptionCode::InternalService, description);
        }
        was_sent
    }

    /// Sends again what is due. No fault strikes it.
    pub(super) fn redrive(&mut self, client_id: &ClientId) {
        let (now, interval) = (self.now, self.config.redrive_interval);
        let connection = self.connection_mut(client_id);
        let due = connection.and_then(|it| it.speaker.take_due(now, interval));
        if let Some((number, body)) = due {
            let message = self.seal(client_id, Leaf::Speaker, number, &body);
            self.publish_to(client_id, Leaf::Speaker, message);
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [{} bytes]", self.number, self.body.len())
    }
}
