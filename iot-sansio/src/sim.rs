//! Everything a machine can be tested with, without a network, a clock or luck (feature `sim`).
//!
//! | | what it is |
//! | --- | --- |
//! | [`Contract`] | checks P2 to P10 of [the contract](crate::Machine) on any machine in any vocabulary |
//! | [`Driver`] | runs two MQTT machines against each other |
//! | [`Broker`] | a model of an MQTT broker: filters, sessions, retained messages, refusals |
//! | [`Line`] | one direction of a connection: loss, delay, duplication, reordering, for items of any type |
//! | [`Clock`] | monotonic time and a wall clock that move when they are told to |
//!
//! All of it is plain state, and whatever is left to chance follows from a seed: a run that failed fails again.
//!
//! # Example
//!
//! A thermostat and its display, each a guest on its own connection. The line to the display is slow.
//!
//! ```
//! use core::{convert::Infallible, time::Duration};
//! use iot_sansio::{
//!     InputOf, Machine, MonoTime, Output,
//!     mqtt::{Action, Input, Mqtt, Publish, Qos, Subscribe, Token},
//!     sim::{Driver, Faults, Side},
//! };
//!
//! /// Publishes one reading as soon as it is connected.
//! struct Thermostat(Option<Action>);
//!
//! impl Machine for Thermostat {
//!     type Vocabulary = Mqtt;
//!     type Event = Infallible;
//!     type Error = Infallible;
//!
//!     fn handle_input(&mut self, _now: MonoTime, input: InputOf<'_, Self>) -> Result<(), Infallible> {
//!         if let Input::Opened(opened) = input {
//!             let reading = Publish::new(opened.link, Token::new(1), "home/hall", "19.5", Qos::AtLeastOnce);
//!             self.0 = Some(reading.with_retain(true).into());
//!         }
//!         Ok(())
//!     }
//!     fn handle_timeout(&mut self, _now: MonoTime) {}
//!     fn poll_output(&mut self) -> Output<Action, Infallible> {
//!         self.0.take().map_or(Output::Idle(None), Output::Action)
//!     }
//!     fn is_finished(&self) -> bool { false }
//! }
//!
//! /// Subscribes as soon as it is connected, and shows what it hears.
//! #[derive(Default)]
//! struct Display { subscribe: Option<Action>, shown: Option<String> }
//!
//! impl Machine for Display {
//!     type Vocabulary = Mqtt;
//!     type Event = String;
//!     type Error = Infallible;
//!
//!     fn handle_input(&mut self, _now: MonoTime, input: InputOf<'_, Self>) -> Result<(), Infallible> {
//!         match input {
//!             Input::Opened(opened) => {
//!                 let subscribe = Subscribe::new(opened.link, Token::new(1), "home/+", Qos::AtLeastOnce);
//!                 self.subscribe = Some(subscribe.into());
//!             }
//!             Input::Message(message) => {
//!                 self.shown = Some(String::from_utf8_lossy(message.payload).into_owned());
//!             }
//!             _ => {}
//!         }
//!         Ok(())
//!     }
//!     fn handle_timeout(&mut self, _now: MonoTime) {}
//!     fn poll_output(&mut self) -> Output<Action, String> {
//!         match self.subscribe.take() {
//!             Some(subscribe) => Output::Action(subscribe),
//!             None => self.shown.take().map_or(Output::Idle(None), Output::Event),
//!         }
//!     }
//!     fn is_finished(&self) -> bool { false }
//! }
//!
//! let slow = Faults::none().with_delay(Duration::from_secs(3)..=Duration::from_secs(3));
//! let mut driver = Driver::new(Thermostat(None), Display::default(), 1).with_downlink(Side::Right, slow);
//! driver.open(Side::Left, true);
//! driver.open(Side::Right, true);
//! driver.run_until(MonoTime::from_millis(60_000))?;
//!
//! let shown: Vec<_> = driver.right_events().map(|(at, text)| (at.as_millis(), text.as_str())).collect();
//! assert_eq!(shown, [(6_000, "19.5")], "3 s until it was connected, 3 s for the retained reading");
//! # Ok::<(), iot_sansio::sim::Stuck>(())
//! ```

mod broker;
mod clock;
mod contract;
mod driver;
mod filter;
mod input;
mod line;

pub use broker::{Broker, Delivery};
pub use clock::Clock;
pub use contract::{Contract, Rule, Violation};
pub use driver::{Driver, Entry, EntryOf, Side, Stuck, Told};
pub use filter::filter_matches;
pub use input::{OwnedInput, OwnedMessage};
pub use line::{Faults, Line};
