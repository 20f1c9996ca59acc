//! The vocabulary of the service: what carries its deliveries, and what comes back.
//!
//! What an adapter and the machine agree on:
//!
//! - Every [`Deliver`] is answered by [`Answered`] or [`Failed`], with its own [`Attempt`]. An answer that comes after
//!   the patience of the [`RetryPolicy`](super::RetryPolicy) has run out counts for nothing.
//! - A queue or a function that took a delivery answers with status 200.
//! - Whoever visits a `SubscribeURL` is told as [`Visited`].

use alloc::{string::String, vec::Vec};
use core::fmt;

use iot_sansio::Vocabulary;

use super::Endpoint;

/// The vocabulary itself, for [`Machine::Vocabulary`](iot_sansio::Machine::Vocabulary).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a name for a pair of types, without values")]
pub enum Transport {}

impl Vocabulary for Transport {
    type Input<'a> = Input<'a>;
    type Action = Action;
}

/// One message on its way to one subscription, numbered from 1 in each topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(u64);

/// One attempt at a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Attempt {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Which attempt at it, counted from 1.
    pub number: u32,
}

impl DeliveryId {
    /// The delivery of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Attempt {
    /// An attempt at a delivery.
    #[must_use]
    pub const fn new(delivery: DeliveryId, number: u32) -> Self {
        Self { delivery, number }
    }
}

/// What reached the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The endpoint answered.
    Answered(Answered),
    /// The endpoint could not be reached, or the connection broke before the answer.
    Failed(Failed),
    /// Someone visited a `SubscribeURL`.
    Visited(Visited<'a>),
}

/// The endpoint answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Answered {
    /// What it answered.
    pub attempt: Attempt,
    /// The status of HTTP.
    pub status: u16,
}

/// The endpoint could not be reached, or the connection broke before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Failed {
    /// What failed.
    pub attempt: Attempt,
}

/// Someone visited a `SubscribeURL`. `Debug` hides it, as it holds the token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Visited<'a> {
    /// The whole URL.
    pub url: &'a str,
}

impl Answered {
    /// The endpoint answered an attempt with this status.
    #[must_use]
    pub const fn new(attempt: Attempt, status: u16) -> Self {
        Self { attempt, status }
    }
}

impl Failed {
    /// An attempt did not get to an answer.
    #[must_use]
    pub const fn new(attempt: Attempt) -> Self {
        Self { attempt }
    }
}

impl<'a> Visited<'a> {
    /// Someone visited this URL.
    #[must_use]
    pub const fn new(url: &'a str) -> Self {
        Self { url }
    }
}

/// What the transport is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Hand a message to its endpoint: POST it, put it into the queue, or invoke the function.
    Deliver(Deliver),
}

/// Hand a message to its endpoint. `Debug` shows the length of its body only.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Deliver {
    /// Names this in its answer.
    pub attempt: Attempt,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// The headers of the POST; none for a queue or a function.
    pub headers: Vec<(&'static str, String)>,
    /// The body of the POST, the text for the queue, or the event for the function: the same bytes at every attempt.
    pub body: Vec<u8>,
}

impl Deliver {
    /// The headers, borrowed, for example for [`Headers::from_pairs`](crate::sns::Headers::from_pairs).
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl fmt::Debug for Visited<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visited").finish_non_exhaustive()
    }
}

impl fmt::Debug for Deliver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliver")
            .field("attempt", &self.attempt)
            .field("endpoint", &self.endpoint)
            .field("headers", &self.headers)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .finish()
    }
}

impl From<Answered> for Input<'_> {
    fn from(answered: Answered) -> Self {
        Self::Answered(answered)
    }
}

impl From<Failed> for Input<'_> {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl<'a> From<Visited<'a>> for Input<'a> {
    fn from(visited: Visited<'a>) -> Self {
        Self::Visited(visited)
    }
}
