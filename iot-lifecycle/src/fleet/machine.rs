//! A fleet as a guest on an MQTT connection.

use alloc::vec::Vec;

use iot_sansio::{
    InputOf, Machine, MonoTime, Output,
    mqtt::{Action, Closed, Input, Link, Message, Mqtt, Opened, Qos, Subscribe, Token},
};

use super::{ApplyError, ClientKey, Event, Fleet};
use crate::{DecodeError, Topic, TopicError};

/// What a fleet keeps of the connection that it is a guest on.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    link: Option<Link>,
    next_token: Token,
    /// Subscriptions that the broker has not answered, with the place of their filter.
    open: Vec<(Token, usize)>,
}

impl Default for Guest {
    fn default() -> Self {
        Self { link: None, next_token: Token::new(1), open: Vec::new() }
    }
}

/// Why a fleet refuses an input. It is as before, and so are all the events behind the refused one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The topic is one of lifecycle events, but wrong.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The payload is not an event, or contradicts its topic.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The event cannot be applied.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl<K: ClientKey> Machine for Fleet<K> {
    type Vocabulary = Mqtt;
    type Event = Event<K>;
    type Error = InputError;

    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), Self::Error> {
        match input {
            Input::Opened(opened) => self.opened(now, opened)?,
            Input::Closed(Closed { link, .. }) => {
                self.pass(now);
                if self.guest.link == Some(link) {
                    self.guest.link = None;
                    self.guest.open.clear();
                }
            }
            Input::Message(message) => self.message(now, &message)?,
            Input::Done(done) => self.answered(now, done.link, done.token, true)?,
            Input::Failed(failed) => self.answered(now, failed.link, failed.token, false)?,
            _ => self.pass(now),
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        // Waits that are over end while the fleet is drained, so that they never crowd the queue.
        self.now = self.now.max(now);
    }

    fn poll_output(&mut self) -> Output<Action, Event<K>> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            match self.next_deadline() {
                Some(deadline) if deadline <= self.now => self.end_waits(deadline),
                next => return Output::Idle(next),
            }
        }
    }

    fn is_finished(&self) -> bool {
        false
    }
}

impl<K: ClientKey> Fleet<K> {
    /// Subscribes on a new connection; the broker may have kept a session, but nobody else knows what is in it.
    fn opened(&mut self, now: MonoTime, opened: Opened) -> Result<(), ApplyError> {
        self.room_for(self.config.filters().len())?;
        self.pass(now);
        self.guest.link = Some(opened.link);
        self.guest.open.clear();
        for (place, filter) in self.config.filters().iter().enumerate() {
            let token = self.guest.next_token;
            self.guest.next_token = token.next();
            self.guest.open.push((token, place));
            let subscribe = Subscribe::new(opened.link, token, filter.as_str(), Qos::AtLeastOnce);
            self.outputs.push_back(Output::Action(subscribe.into()));
        }
        Ok(())
    }

    fn message(&mut self, now: MonoTime, message: &Message<'_>) -> Result<(), InputError> {
        if self.guest.link != Some(message.link) {
            self.pass(now);
            return Ok(());
        }
        let topic = match Topic::parse(message.topic) {
            // A guest hears the messages of others, too, and one day kinds of event that are not known yet.
            Err(TopicError::NotLifecycle | TopicError::UnknownKind { .. }) => {
                self.pass(now);
                return Ok(());
            }
            topic => topic?,
        };
        let event = self.config.decoder().decode_with_topic(&topic, message.payload)?;
        Ok(self.apply(now, &event)?)
    }

    /// Takes the broker's answer to a subscription.
    fn answered(
        &mut self,
        now: MonoTime,
        link: Link,
        token: Token,
        granted: bool,
    ) -> Result<(), ApplyError> {
        let ours = |(open, _): &(Token, usize)| *open == token && self.guest.link == Some(link);
        let Some(position) = self.guest.open.iter().position(ours) else {
            self.pass(now);
            return Ok(());
        };
        self.room_for(1)?;
        self.pass(now);
        let (_, place) = self.guest.open.swap_remove(position);
        if let Some(filter) = self.config.filters().get(place).cloned() {
            let event = match granted {
                true => Event::Subscribed { filter },
                false => Event::SubscriptionRefused { filter },
            };
            self.outputs.push_back(Output::Event(event));
        }
        Ok(())
    }
}
