//! The one trait, and what a drain of a machine yields.

use alloc::boxed::Box;

use crate::MonoTime;

/// What one kind of transport reports, and what it can be asked to do.
///
/// [`mqtt::Mqtt`](crate::mqtt::Mqtt) and [`amqp::Amqp`](crate::amqp::Amqp) implement it. Whoever writes one adapter for a vocabulary can run every machine
/// that speaks it.
pub trait Vocabulary {
    /// What the transport reports; it borrows from the transport's buffers.
    type Input<'a>;
    /// What the transport is asked to do; it owns its data.
    type Action;
}

/// What machine `M` is fed.
pub type InputOf<'a, M> = <<M as Machine>::Vocabulary as Vocabulary>::Input<'a>;

/// What machine `M` asks of its transport.
pub type ActionOf<M> = <<M as Machine>::Vocabulary as Vocabulary>::Action;

/// One step of a drain, in the order the machine decided things.
///
/// The set is closed: a driver that handles these three handles every machine.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "drivers must handle every kind of step")]
pub enum Output<A, E> {
    /// Ask the transport to do this.
    Action(A),
    /// Tell the application this.
    Event(E),
    /// Drained. Call again on the next input, or at this time: a time that has passed means now, none means no deadline.
    Idle(Option<MonoTime>),
}

/// A protocol machine that is told the time and never does I/O.
///
/// Feed it one input or command, then drain [`poll_output`](Self::poll_output) until it says [`Output::Idle`].
/// Commands and richer APIs are inherent methods of each machine.
///
/// The contract, which `sim::Contract` checks on any machine (feature `sim`):
///
/// | | rule |
/// | --- | --- |
/// | P1 | It touches no clock, random source, environment, global, thread or I/O. |
/// | P2 | `Err` means refused: the machine is as before, not even time has moved, and nothing is queued. |
/// | P3 | A `now` that goes backwards counts as the newest seen; never a panic. |
/// | P4 | An early `handle_timeout` does nothing, a deadline in the past means "call it now"; an accepted input first fires what is due at its `now`. |
/// | P5 | How lazily outputs are drained changes when they come, never what comes (as long as no queue is full). |
/// | P6 | Queues are bounded by configuration; a full queue is a typed refusal. |
/// | P7 | A machine that ends says so in exactly one terminal event; after it inputs are accepted and ignored until a command starts it again. |
/// | P8 | Any bytes as payload: no panic, bounded work, bounded memory. |
/// | P9 | Same configuration, seed and inputs, same outputs. |
/// | P10 | Nothing reachable through `Debug`, `Display` or an error prints a secret. |
///
/// ```
/// use iot_sansio::{InputOf, Machine, MonoTime, Output, mqtt::{Input, Link, Message, Mqtt}};
///
/// /// Counts the messages of one connection.
/// #[derive(Default)]
/// struct Counter { seen: usize, told: usize }
///
/// impl Machine for Counter {
///     type Vocabulary = Mqtt;
///     type Event = usize;
///     type Error = core::convert::Infallible;
///
///     fn handle_input(&mut self, _now: MonoTime, input: InputOf<'_, Self>) -> Result<(), Self::Error> {
///         self.seen += usize::from(matches!(input, Input::Message(_)));
///         Ok(())
///     }
///     fn handle_timeout(&mut self, _now: MonoTime) {}
///     fn poll_output(&mut self) -> Output<iot_sansio::mqtt::Action, usize> {
///         if self.told == self.seen { return Output::Idle(None) }
///         self.told = self.seen;
///         Output::Event(self.seen)
///     }
///     fn is_finished(&self) -> bool { false }
/// }
///
/// let mut counter = Counter::default();
/// let message = Message::new(Link::new(1), "a/b", b"payload");
/// counter.handle_input(MonoTime::ORIGIN, message.into())?;
/// assert_eq!(counter.poll_output(), Output::Event(1));
/// assert_eq!(counter.poll_output(), Output::Idle(None));
/// # Ok::<(), core::convert::Infallible>(())
/// ```
pub trait Machine {
    /// The transport it speaks to.
    type Vocabulary: Vocabulary;
    /// What it tells the application.
    type Event;
    /// Why it refuses an input.
    type Error: core::error::Error;

    /// Takes one input at `now`.
    ///
    /// # Errors
    /// Refused: nothing changed and nothing was queued. The driver may go on with the next input.
    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), Self::Error>;

    /// Lets time pass up to `now`; harmless when nothing is due.
    fn handle_timeout(&mut self, now: MonoTime);

    /// Yields the next step. Drain to [`Output::Idle`] after every input, command and timeout.
    fn poll_output(&mut self) -> Output<ActionOf<Self>, Self::Event>;

    /// True once the machine has told its terminal event and is inert until a command starts it again.
    fn is_finished(&self) -> bool;
}

macro_rules! forward {
    ($pointer:ty) => {
        impl<M: Machine + ?Sized> Machine for $pointer {
            type Vocabulary = M::Vocabulary;
            type Event = M::Event;
            type Error = M::Error;

            fn handle_input(
                &mut self,
                now: MonoTime,
                input: InputOf<'_, Self>,
            ) -> Result<(), Self::Error> {
                (**self).handle_input(now, input)
            }

            fn handle_timeout(&mut self, now: MonoTime) {
                (**self).handle_timeout(now);
            }

            fn poll_output(&mut self) -> Output<ActionOf<Self>, Self::Event> {
                (**self).poll_output()
            }

            fn is_finished(&self) -> bool {
                (**self).is_finished()
            }
        }
    };
}

forward!(&mut M);
forward!(Box<M>);
