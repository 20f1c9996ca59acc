//! The frames of SASL.

use core::fmt;

use iot_sansio::amqp::SaslCode;

use crate::sasl::{PLAIN, Plain, PlainError};

/// A frame of the SASL layer, of either direction (AMQP 1.0, 5.3.3). It borrows from what was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Frame<'a> {
    /// `sasl-mechanisms`: what the server offers.
    Mechanisms(Mechanisms<'a>),
    /// `sasl-init`: what the client chose.
    Init(Init<'a>),
    /// `sasl-challenge`, of the server. PLAIN has none.
    Challenge(Challenge<'a>),
    /// `sasl-response`, of the client. PLAIN has none.
    Response(Response<'a>),
    /// `sasl-outcome`: what the server decided.
    Outcome(Outcome<'a>),
}

/// The mechanisms that a server offers, best first.
#[derive(Clone, Copy)]
pub struct Mechanisms<'a> {
    /// Symbols, each behind its length. All of it was checked.
    symbols: &'a [u8],
    /// How many bytes a length has: 1 or 4.
    width: usize,
}

impl<'a> Mechanisms<'a> {
    pub(super) const fn new(symbols: &'a [u8], width: usize) -> Self {
        Self { symbols, width }
    }

    /// Their names.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let Self { mut symbols, width } = *self;
        core::iter::from_fn(move || {
            let (len, rest) = symbols.split_at_checked(width)?;
            let len = len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
            let (symbol, rest) = rest.split_at_checked(len)?;
            symbols = rest;
            core::str::from_utf8(symbol).ok()
        })
    }

    /// Whether PLAIN is among them.
    #[must_use]
    pub fn offers_plain(&self) -> bool {
        self.iter().any(|name| name == PLAIN)
    }
}

/// By names: how they were written makes no difference.
impl PartialEq for Mechanisms<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Mechanisms<'_> {}

impl core::hash::Hash for Mechanisms<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.iter().for_each(|name| name.hash(state));
    }
}

impl fmt::Debug for Mechanisms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What a client chose, with its first response. `Debug` does not show the response.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Init<'a> {
    /// The name of the mechanism.
    pub mechanism: &'a str,
    /// The response that comes along. Do not print it.
    pub initial_response: Option<&'a [u8]>,
    /// The host that the client wants to talk to.
    pub hostname: Option<&'a str>,
}

impl<'a> Init<'a> {
    /// User name and password.
    ///
    /// # Errors
    /// The mechanism is not PLAIN, or its message is missing or not well formed.
    pub fn plain(&self) -> Result<Plain<'a>, PlainError> {
        if self.mechanism != PLAIN {
            return Err(PlainError::OtherMechanism);
        }
        Plain::parse(self.initial_response.ok_or(PlainError::NoResponse)?)
    }
}

impl fmt::Debug for Init<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Init")
            .field("mechanism", &self.mechanism)
            .field("hostname", &self.hostname)
            .finish_non_exhaustive()
    }
}

/// A question of the server. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Challenge<'a> {
    /// The question.
    pub challenge: &'a [u8],
}

/// An answer of the client. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Response<'a> {
    /// The answer. Do not print it.
    pub response: &'a [u8],
}

/// What a server decided. `Debug` shows the code only.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Outcome<'a> {
    /// The decision.
    pub code: SaslCode,
    /// What some mechanisms add to it. PLAIN adds nothing.
    pub additional_data: Option<&'a [u8]>,
}

impl fmt::Debug for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").finish_non_exhaustive()
    }
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").finish_non_exhaustive()
    }
}

impl fmt::Debug for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome").field("code", &self.code).finish_non_exhaustive()
    }
}

/// The codes of the frames, which are also in their symbols.
pub(super) mod code {
    pub(crate) const MECHANISMS: u8 = 0x40;
    pub(crate) const INIT: u8 = 0x41;
    pub(crate) const CHALLENGE: u8 = 0x42;
    pub(crate) const RESPONSE: u8 = 0x43;
    pub(crate) const OUTCOME: u8 = 0x44;
}
