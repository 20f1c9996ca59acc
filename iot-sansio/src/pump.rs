//! Draining into a transport that may be full.

use crate::{Machine, MonoTime, Output, Vocabulary};

/// Drains a machine into a transport, and keeps the one action that the transport could not take yet.
///
/// That one slot is the back-pressure: nothing behind it leaves the machine, so order is kept. Actions and events are one
/// ordered stream, so events behind the held action wait too. While the slot is filled the driver goes on calling [`Machine::handle_timeout`] as time passes.
///
/// ```
/// use iot_sansio::{Machine, Pump, Pumped, mqtt};
///
/// fn drain<M: Machine<Vocabulary = mqtt::Mqtt>>(
///     machine: &mut M,
///     pump: &mut Pump<mqtt::Action>,
///     outbox: &mut Vec<mqtt::Action>,
/// ) -> Pumped {
///     let send = |action| if outbox.len() < 16 { outbox.push(action); Ok(()) } else { Err(action) };
///     pump.drain(machine, send, |_event| ())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pump<A> {
    held: Option<A>,
}

/// Where a drain stopped.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "drivers must handle every end of a drain")]
pub enum Pumped {
    /// Everything was taken. Call again on input, or at this time.
    Idle(Option<MonoTime>),
    /// The transport is full. Call again when it has room; events behind the held action come then.
    Blocked,
    /// Everything was taken, and the machine has ended.
    Finished,
}

impl<A> Pump<A> {
    /// An empty pump.
    #[must_use]
    pub const fn new() -> Self {
        Self { held: None }
    }

    /// Hands actions to `send` and events to `on_event`, in order, until the machine is idle or the transport is full.
    ///
    /// `send` gives an action back as `Err` when the transport has no room for it now. An action for a link that is
    /// closed must be taken and dropped: giving it back would block for ever.
    pub fn drain<M>(
        &mut self,
        machine: &mut M,
        mut send: impl FnMut(A) -> Result<(), A>,
        mut on_event: impl FnMut(M::Event),
    ) -> Pumped
    where
        M: Machine + ?Sized,
        M::Vocabulary: Vocabulary<Action = A>,
    {
        let mut next = self.held.take();
        loop {
            if let Some(Err(action)) = next.take().map(&mut send) {
                self.held = Some(action);
                return Pumped::Blocked;
            }
            match machine.poll_output() {
                Output::Action(action) => next = Some(action),
                Output::Event(event) => on_event(event),
                Output::Idle(_) if machine.is_finished() => return Pumped::Finished,
                Output::Idle(deadline) => return Pumped::Idle(deadline),
            }
        }
    }
}

impl<A> Default for Pump<A> {
    fn default() -> Self {
        Self::new()
    }
}
