//! What a service can be told to do wrong.

use alloc::collections::VecDeque;

use crate::{Leaf, connection::AcknowledgeCode};

/// Something to do wrong to one device, once, as soon as there is an occasion: see
/// [`Service::inject`](super::Service::inject).
///
/// Faults of a device stand in a queue: when several are for the same thing, the oldest strikes alone. Each strike is told
/// as [`Event::Faulted`](super::Event::Faulted).
///
/// ```
/// use aia_proto::{Leaf, connection::AcknowledgeCode, service::Fault};
///
/// // The first Connect is in vain, the second is accepted but not answered.
/// let connects = [Fault::Acknowledge(AcknowledgeCode::UnknownFailure), Fault::LoseAcknowledge];
/// // The next directive looks as if it had been sent again under a higher number.
/// let tampered = Fault::Tamper(Leaf::Directive);
/// # let _ = (connects, tampered);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The next `Connect` that would be accepted is answered with this code; if that is not
    /// [`ConnectionEstablished`](AcknowledgeCode::ConnectionEstablished), there is no connection.
    Acknowledge(AcknowledgeCode),
    /// The next `Connect` that would be accepted is lost on its way: there is neither an answer nor a connection.
    LoseConnect,
    /// The answer to the next `Connect` that is accepted is lost on its way: the service believes in the connection.
    LoseAcknowledge,
    /// The next message on this topic is lost on its way: the device misses its number.
    Lose(Leaf),
    /// The next message on this topic comes twice.
    Duplicate(Leaf),
    /// The next message on this topic comes with its clear number raised by one.
    Tamper(Leaf),
    /// The next message on this topic comes with a bit of its ciphertext changed.
    Corrupt(Leaf),
}

/// The faults of one device that wait, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Faults(VecDeque<Fault>);

impl Faults {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push_back(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for a `Connect` that would be accepted.
    pub(super) fn on_connect(&mut self) -> Option<Fault> {
        self.take(|fault| {
            matches!(fault, Fault::Acknowledge(_) | Fault::LoseConnect | Fault::LoseAcknowledge)
        })
    }

    /// The fault for a protected message.
    pub(super) fn on_message(&mut self, topic: Leaf) -> Option<Fault> {
        self.take(|fault| match fault {
            Fault::Lose(leaf)
            | Fault::Duplicate(leaf)
            | Fault::Tamper(leaf)
            | Fault::Corrupt(leaf) => *leaf == topic,
            _ => false,
        })
    }

    fn take(&mut self, is_for: impl Fn(&Fault) -> bool) -> Option<Fault> {
        self.0.iter().position(is_for).and_then(|index| self.0.remove(index))
    }
}
