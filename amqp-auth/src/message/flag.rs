//! What is odd about a message.

use core::fmt;

/// Something odd about a message, which is delivered all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Flag {
    /// There is no attribute `topic`, or it is no text.
    MissingTopic,
    /// `messageId` is neither a text of 1 to 256 bytes nor an integer: copies of the message cannot be told.
    BadMessageId,
    /// `generateTime` is not a time.
    BadGenerateTime,
    /// `qos` is not an integer from 0 to 255.
    BadQos,
    /// The body came as an `amqp-value` section.
    ValueBody,
    /// The body is an `amqp-sequence`, or an `amqp-value` that is neither binary nor text: it is not read.
    UnsupportedBody,
    /// The body was to come in base64 and is something else: it is as it came.
    BadBase64,
}

/// A set of flags.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flag {
    const ALL: [Self; 7] = [
        Self::MissingTopic,
        Self::BadMessageId,
        Self::BadGenerateTime,
        Self::BadQos,
        Self::ValueBody,
        Self::UnsupportedBody,
        Self::BadBase64,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Flags {
    /// Whether this one is set.
    #[must_use]
    pub const fn contains(self, flag: Flag) -> bool {
        self.0 & flag.bit() != 0
    }

    /// Whether none is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are set.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.contains(*flag))
    }

    pub(crate) const fn insert(&mut self, flag: Flag) {
        self.0 |= flag.bit();
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
