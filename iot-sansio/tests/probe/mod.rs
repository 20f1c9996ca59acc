//! A machine that does what the test tells it, and tells the test what it hears.

use alloc::collections::VecDeque;
use core::convert::Infallible;

use iot_sansio::{
    InputOf, Machine, MonoTime, Output,
    mqtt::{Action, Input, Mqtt, Publish, Qos, Token},
    sim::OwnedInput,
};

#[derive(Debug, Default)]
pub(crate) struct Probe {
    /// What it asks for next.
    pub(crate) outbox: VecDeque<Action>,
    /// A deadline that it never moves.
    pub(crate) deadline: Option<MonoTime>,
    /// Where it publishes every message that it hears.
    pub(crate) echo: Option<&'static str>,
    heard: VecDeque<OwnedInput>,
}

impl Machine for Probe {
    type Vocabulary = Mqtt;
    type Event = OwnedInput;
    type Error = Infallible;

    fn handle_input(&mut self, _now: MonoTime, input: InputOf<'_, Self>) -> Result<(), Infallible> {
        if let (Input::Message(message), Some(topic)) = (input, self.echo) {
            let (link, payload) = (message.link, message.payload);
            let publish = Publish::new(link, Token::new(0), topic, payload, Qos::AtMostOnce);
            self.outbox.push_back(publish.into());
        }
        self.heard.push_back(input.into());
        Ok(())
    }

    fn handle_timeout(&mut self, _now: MonoTime) {}

    fn poll_output(&mut self) -> Output<Action, OwnedInput> {
        match (self.heard.pop_front(), self.outbox.is_empty()) {
            (Some(input), _) => Output::Event(input),
            (None, false) => self.outbox.pop_front().map_or(Output::Idle(None), Output::Action),
            (None, true) => Output::Idle(self.deadline),
        }
    }

    fn is_finished(&self) -> bool {
        false
    }
}
