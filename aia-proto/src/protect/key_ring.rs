//! The keys of one connection.

use alloc::vec::Vec;

use thiserror::Error;

use super::{Cipher, LegacyInnerSequence, OpenError, Opened, SharedSecret, outer_sequence};
use crate::{Leaf, sequence::SequenceNumber};

/// The secrets of one connection, and the number on each topic from which each of them protects (section 4.5).
///
/// A connection begins with one secret; each rotation adds one. The topics of `capabilities` keep the first until the
/// connection ends, on the others the newest that has started by a number counts. Make a new ring for each connection.
///
/// ```
/// use aia_proto::{
///     Leaf,
///     protect::{KeyRing, SharedSecret, Starts},
///     sequence::SequenceNumber,
/// };
///
/// let [first, second] = [1, 2].map(|byte| SharedSecret::from_bytes(&[byte; 32]).unwrap());
/// let number = SequenceNumber::new;
/// let mut ring = KeyRing::new(&first);
/// ring.push(&second, Starts::new(number(12), number(40), number(8)))?;
/// assert_eq!(ring.key(Leaf::Directive, number(11)).secret(), &first);
/// assert_eq!(ring.key(Leaf::Directive, number(12)).secret(), &second);
/// # Ok::<(), aia_proto::protect::PushError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyRing {
    /// The key that the connection began with.
    first: Cipher,
    /// One for each rotation, the oldest in front.
    rotations: Vec<Rotation>,
    /// How many rotations have replaced all before them on a topic: the last of these is the oldest key that counts
    /// there.
    settled: [usize; TOPICS],
    margin: u32,
    max_keys: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Rotation {
    cipher: Cipher,
    starts: [Option<SequenceNumber>; TOPICS],
}

/// The first number on each topic that a new secret protects: two are in `RotateSecret`, two in `SecretRotated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Starts {
    /// `directiveSequenceNumber`.
    pub directive: SequenceNumber,
    /// `speakerSequenceNumber`.
    pub speaker: SequenceNumber,
    /// `eventSequenceNumber`.
    pub event: SequenceNumber,
    /// `microphoneSequenceNumber`; none when the device has no microphone, so that nothing is sent there.
    pub microphone: Option<SequenceNumber>,
}

/// Why a ring did not take a secret. It is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PushError {
    /// The new secret is longer or shorter than those before: the `RotateSecret` is malformed.
    #[error("a new secret of {len} bytes: the one in use has {expected}")]
    KeyLength {
        /// Its length, in bytes.
        len: usize,
        /// The length of the one in use, in bytes.
        expected: usize,
    },
    /// Rotations come faster than messages reach their start numbers.
    #[error("the ring holds {limit} secrets: no rotation before one of them is out of use")]
    Full {
        /// How many it holds at most.
        limit: usize,
    },
}

impl Starts {
    /// For a device without microphone.
    #[must_use]
    pub const fn new(
        directive: SequenceNumber,
        speaker: SequenceNumber,
        event: SequenceNumber,
    ) -> Self {
        Self { directive, speaker, event, microphone: None }
    }

    /// Sets the first number on the topic `microphone`.
    #[must_use]
    pub const fn with_microphone(self, microphone: SequenceNumber) -> Self {
        Self { microphone: Some(microphone), ..self }
    }
}

impl KeyRing {
    /// The keys of a connection that begins with this secret.
    #[must_use]
    pub fn new(first: &SharedSecret) -> Self {
        Self {
            first: Cipher::new(first),
            rotations: Vec::new(),
            settled: [0; TOPICS],
            margin: DEFAULT_MARGIN,
            max_keys: DEFAULT_MAX_KEYS,
        }
    }

    /// Sets how far a topic must be past the start of a key before older ones are given up there: twice the window of
    /// the resequencers, at most 2^31 - 1.
    #[must_use]
    pub fn with_margin(self, margin: u32) -> Self {
        Self { margin: margin.min(HALF - 1), ..self }
    }

    /// Sets how many secrets the ring holds at most, the first of the connection included.
    #[must_use]
    pub fn with_max_keys(self, max_keys: usize) -> Self {
        Self { max_keys, ..self }
    }

    /// Adds the secret of a rotation.
    ///
    /// # Errors
    /// Its length is another, or the ring is full.
    pub fn push(&mut self, secret: &SharedSecret, starts: Starts) -> Result<(), PushError> {
        let (len, expected) = (secret.len(), self.first.secret().len());
        if len != expected {
            return Err(PushError::KeyLength { len, expected });
        }
        if self.len() >= self.max_keys {
            return Err(PushError::Full { limit: self.max_keys });
        }
        let Starts { directive, speaker, event, microphone } = starts;
        let starts = [Some(directive), Some(speaker), Some(event), microphone];
        self.rotations.push(Rotation { cipher: Cipher::new(secret), starts });
        for (settled, start) in self.settled.iter_mut().zip(starts) {
            if start.is_none() {
                *settled = self.rotations.len();
            }
        }
        self.give_up();
        Ok(())
    }

    /// The key of a message.
    #[must_use]
    pub fn key(&self, leaf: Leaf, number: SequenceNumber) -> &Cipher {
        let Some(place) = place(leaf) else { return &self.first };
        let settled = self.settled[place];
        let (left, current) = self.rotations.split_at(settled);
        let started = current.iter().rev().find(|rotation| {
            rotation.starts[place].is_some_and(|start| number.distance_from(start) < HALF)
        });
        started.or(left.last()).map_or(&self.first, |rotation| &rotation.cipher)
    }

    /// Opens a message of this topic where it stands, with the key of the number that it says in clear.
    ///
    /// # Errors
    /// The first check of section 4.3 that fails: see [`Cipher::open_in_place`].
    pub fn open_in_place<'m>(
        &self,
        legacy: LegacyInnerSequence,
        leaf: Leaf,
        message: &'m mut [u8],
    ) -> Result<Opened<'m>, OpenError> {
        let Some(number) = outer_sequence(message) else {
            return Err(OpenError::TooShort { len: message.len() });
        };
        self.key(leaf, number).open_in_place_with(legacy, leaf, message)
    }

    /// Tells which number is expected or sent next on a topic, so that keys out of use are given up.
    pub fn advance(&mut self, leaf: Leaf, next: SequenceNumber) {
        let Some(place) = place(leaf) else { return };
        let settled = self.settled[place];
        let passed = self.rotations[settled..].iter().rposition(|rotation| {
            let steps = rotation.starts[place].map(|start| next.distance_from(start));
            steps.is_some_and(|steps| (self.margin..HALF).contains(&steps))
        });
        if let Some(passed) = passed {
            self.settled[place] = settled + passed + 1;
            self.give_up();
        }
    }

    /// How many secrets it holds.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        1 + self.rotations.len()
    }

    /// Wipes the keys that every topic has left behind, but for the first, which the topics of `capabilities` keep.
    fn give_up(&mut self) {
        let settled = self.settled.into_iter().min().unwrap_or_default();
        // The last of them is still the oldest that counts.
        let left = settled.saturating_sub(1);
        self.rotations.drain(..left);
        for settled in &mut self.settled {
            *settled -= left;
        }
    }

    /// The newest secret: every topic's from the next connection on.
    #[must_use]
    pub fn newest(&self) -> &SharedSecret {
        self.rotations.last().map_or(&self.first, |rotation| &rotation.cipher).secret()
    }
}

/// The place of a topic among those that rotations concern.
const fn place(leaf: Leaf) -> Option<usize> {
    match leaf {
        Leaf::Directive => Some(0),
        Leaf::Speaker => Some(1),
        Leaf::Event => Some(2),
        Leaf::Microphone => Some(3),
        _ => None,
    }
}

const TOPICS: usize = 4;
const HALF: u32 = 1 << 31;
/// Twice the default window of a resequencer.
const DEFAULT_MARGIN: u32 = 32;
const DEFAULT_MAX_KEYS: usize = 8;
