//! The protected messages of one connection, seen from one side of it.

use alloc::vec::Vec;
use core::{array, time::Duration};

use iot_sansio::MonoTime;
use zeroize::Zeroizing;

use crate::{
    Direction, Leaf,
    protect::{
        Cipher, Iv, KeyRing, LegacyInnerSequence, OpenError, PushError, RecentIvs, SharedSecret,
        Starts, outer_sequence,
    },
    sequence::{Accepted, Config, Resequencer, SequenceNumber, Unexpected},
};

/// Keys, numbers and order of the protected messages of one connection: what comes is opened and put in order, what goes
/// is numbered and sealed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Channel {
    /// Which messages come.
    inbound: Direction,
    ring: KeyRing,
    legacy: LegacyInnerSequence,
    received: [Resequencer<Vec<u8>>; TOPICS],
    /// The number of the next message that goes.
    next: [SequenceNumber; TOPICS],
    /// A secret that the other side was given, and has not taken into use yet.
    #[cfg(feature = "sim")]
    offered: Option<Offered>,
}

/// A secret of which only the numbers of this side are known.
#[cfg(feature = "sim")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Offered {
    cipher: Cipher,
    directive: SequenceNumber,
    speaker: SequenceNumber,
}

/// The last IVs of every topic, which outlive a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Seen([RecentIvs; TOPICS]);

/// What became of a message that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// Take what is in order with [`Channel::poll`].
    Taken,
    /// The body of a message with the header of 32 bytes, which ends the connection.
    Legacy(Vec<u8>),
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Its topic is none that carries protected messages to this side.
    WrongTopic,
    /// It is shorter than the header.
    TooShort {
        /// The number that it says in clear, if it has one.
        outer: Option<SequenceNumber>,
    },
    /// It was sealed with another secret, or changed.
    BadTag,
    /// Its two numbers differ.
    Tampered {
        /// In clear.
        outer: SequenceNumber,
        /// In secret.
        inner: SequenceNumber,
    },
    /// Messages before it are lost: this one was expected.
    Lost {
        /// The number.
        expected: SequenceNumber,
    },
}

impl Seen {
    /// Remembers so many IVs of each topic.
    pub(crate) fn new(capacity: usize) -> Self {
        Self(array::from_fn(|_| RecentIvs::new(capacity)))
    }

    /// Whether a message was seen.
    #[cfg(feature = "sim")]
    pub(crate) fn contains(&self, leaf: Leaf, message: &[u8]) -> bool {
        let recent = place(leaf).map(|place| &self.0[place]);
        let (Some(recent), Some(iv)) = (recent, iv_of(message)) else { return false };
        recent.contains(&iv)
    }
}

impl Channel {
    /// A connection that begins: all numbers are 0.
    pub(crate) fn new(
        inbound: Direction,
        secret: &SharedSecret,
        legacy: LegacyInnerSequence,
        order: Config,
    ) -> Self {
        Self {
            inbound,
            ring: KeyRing::new(secret),
            legacy,
            received: array::from_fn(|_| Resequencer::new(order)),
            next: [SequenceNumber::FIRST; TOPICS],
            #[cfg(feature = "sim")]
            offered: None,
        }
    }

    /// Opens a message and puts it in order. What was seen before is dropped in silence.
    pub(crate) fn receive(
        &mut self,
        now: MonoTime,
        leaf: Leaf,
        payload: &[u8],
        seen: &mut Seen,
    ) -> Result<Received, Refused> {
        let (true, Some(place)) = (leaf.direction() == self.inbound, place(leaf)) else {
            return Err(Refused::WrongTopic);
        };
        let outer = outer_sequence(payload);
        let cipher = self.ring.key(leaf, outer.unwrap_or_default());
        let mut message = Zeroizing::new(Vec::from(payload));
        #[cfg(feature = "sim")]
        let cipher = self.sealing_cipher(cipher, payload);
        let opened = cipher.open_in_place_with(self.legacy, leaf, &mut message);
        let opened = opened.map_err(|error| match error {
            OpenError::TooShort { .. } => Refused::TooShort { outer },
            OpenError::Tampered { outer, inner } => Refused::Tampered { outer, inner },
            _ => Refused::BadTag,
        })?;
        let iv = iv_of(payload).unwrap_or_default();
        let seen = &mut seen.0[place];
        if seen.contains(&iv) {
            return Ok(Received::Taken);
        }
        if opened.is_legacy {
            seen.insert(iv);
            return Ok(Received::Legacy(opened.body.into()));
        }
        let (number, body) = (opened.sequence, Vec::from(opened.body));
        let received = &mut self.received[place];
        let size = body.len();
        let accepted = received.accept(now, number, body, size);
        // What there was no room for may come once more as it is.
        if !matches!(accepted, Ok(Accepted::Beyond | Accepted::Rewound)) {
            seen.insert(iv);
        }
        if let Err(unexpected) = accepted {
            return Err(Refused::Lost { expected: expected(unexpected) });
        }
        self.ring.advance(leaf, received.expected());
        Ok(Received::Taken)
    }

    /// The next message of a topic in order.
    pub(crate) fn poll(&mut self, leaf: Leaf) -> Option<(SequenceNumber, Vec<u8>)> {
        self.received.get_mut(place(leaf)?)?.poll_delivery()
    }

    /// Numbers and seals the next message of a topic.
    pub(crate) fn seal(&mut self, leaf: Leaf, iv: Iv, body: &[u8]) -> Vec<u8> {
        let number = self.take_number(leaf);
        self.seal_as(leaf, number, iv, body)
    }

    /// Numbers the next message of a topic, which may be sealed later.
    pub(crate) fn take_number(&mut self, leaf: Leaf) -> SequenceNumber {
        let number = self.next_number(leaf);
        if let Some(place) = place(leaf) {
            self.next[place] = number.next();
        }
        number
    }

    /// Seals a message that has its number already.
    pub(crate) fn seal_as(
        &mut self,
        leaf: Leaf,
        number: SequenceNumber,
        iv: Iv,
        body: &[u8],
    ) -> Vec<u8> {
        let cipher = self.ring.key(leaf, number);
        #[cfg(feature = "sim")]
        let cipher = self.offered_cipher(leaf, number).unwrap_or(cipher);
        let message = cipher.seal(number, iv, body);
        self.ring.advance(leaf, number.next());
        message
    }

    /// The number of the next message that goes.
    pub(crate) fn next_number(&self, leaf: Leaf) -> SequenceNumber {
        place(leaf).map_or(SequenceNumber::FIRST, |place| self.next[place])
    }

    /// Takes a new secret into use, from these numbers on.
    pub(crate) fn rotate(
        &mut self,
        secret: &SharedSecret,
        starts: Starts,
    ) -> Result<(), PushError> {
        self.ring.push(secret, starts)
    }

    /// Whether a message can be opened with this secret.
    pub(crate) fn is_sealed_with(payload: &[u8], secret: &SharedSecret) -> bool {
        let mut message = Zeroizing::new(Vec::from(payload));
        !matches!(
            Cipher::new(secret).open_in_place(&mut message),
            Err(OpenError::BadTag | OpenError::TooShort { .. })
        )
    }

    /// Seals with a new secret from these numbers on, and opens with it what comes with it. [`accept_offer`] makes this
    /// final.
    ///
    /// [`accept_offer`]: Self::accept_offer
    #[cfg(feature = "sim")]
    pub(crate) fn offer(
        &mut self,
        secret: &SharedSecret,
        directive: SequenceNumber,
        speaker: SequenceNumber,
    ) {
        self.offered = Some(Offered { cipher: Cipher::new(secret), directive, speaker });
    }

    /// The other side has taken the secret into use, from these numbers on. Whether there was one.
    #[cfg(feature = "sim")]
    pub(crate) fn accept_offer(
        &mut self,
        event: SequenceNumber,
        microphone: Option<SequenceNumber>,
    ) -> bool {
        let Some(Offered { cipher, directive, speaker }) = self.offered.take() else {
            return false;
        };
        let starts = Starts::new(directive, speaker, event);
        let starts = microphone.map_or(starts, |number| starts.with_microphone(number));
        self.ring.push(cipher.secret(), starts).is_ok()
    }

    /// Whether the other side was given a secret that it has not taken into use yet.
    #[cfg(feature = "sim")]
    pub(crate) const fn is_rotating(&self) -> bool {
        self.offered.is_some()
    }

    /// Whether the next message would be the first that the offered secret seals, or come after that.
    #[cfg(feature = "sim")]
    pub(crate) fn goes_under_offer(&self, leaf: Leaf) -> bool {
        self.offered_cipher(leaf, self.next_number(leaf)).is_some()
    }

    /// How many secrets are in use.
    #[cfg(feature = "sim")]
    pub(crate) fn secrets(&self) -> usize {
        self.ring.len()
    }

    /// The secret that was offered, where this side seals with it already.
    #[cfg(feature = "sim")]
    fn offered_cipher(&self, leaf: Leaf, number: SequenceNumber) -> Option<&Cipher> {
        let offered = self.offered.as_ref()?;
        let start = match leaf {
            Leaf::Directive => offered.directive,
            Leaf::Speaker => offered.speaker,
            _ => return None,
        };
        (!number.is_before(start)).then_some(&offered.cipher)
    }

    /// The offered secret instead of this one, if the message was sealed with that.
    #[cfg(feature = "sim")]
    fn sealing_cipher<'a>(&'a self, cipher: &'a Cipher, message: &[u8]) -> &'a Cipher {
        let offered = self.offered.as_ref().map(|offered| &offered.cipher);
        let offered = offered.filter(|offered| {
            let secret = offered.secret();
            !Self::is_sealed_with(message, cipher.secret()) && Self::is_sealed_with(message, secret)
        });
        offered.unwrap_or(cipher)
    }

    /// The number of a message, if it can be opened with this secret.
    #[cfg(feature = "sim")]
    pub(crate) fn number_under(payload: &[u8], secret: &SharedSecret) -> Option<SequenceNumber> {
        let mut message = Vec::from(payload);
        Some(Cipher::new(secret).open_in_place(&mut message).ok()?.sequence)
    }

    /// When messages are missing for too long.
    pub(crate) fn deadline(&self) -> Option<MonoTime> {
        self.received.iter().filter_map(Resequencer::deadline).min()
    }

    /// The topic whose messages are missing for too long, and the number that was expected.
    pub(crate) fn expired(&self, now: MonoTime) -> Option<(Leaf, SequenceNumber)> {
        let leaves = match self.inbound {
            Direction::ToDevice => TO_DEVICE,
            _ => TO_SERVICE,
        };
        leaves.into_iter().zip(&self.received).find_map(|(leaf, received)| {
            let unexpected = received.expired(now)?;
            Some((leaf, expected(unexpected)))
        })
    }
}

const fn expected(unexpected: Unexpected) -> SequenceNumber {
    match unexpected {
        Unexpected::BeyondWindow { expected, .. }
        | Unexpected::BeyondBytes { expected, .. }
        | Unexpected::GapTimeout { expected, .. } => expected,
    }
}

fn iv_of(message: &[u8]) -> Option<Iv> {
    message.get(4..16)?.try_into().ok()
}

const fn place(leaf: Leaf) -> Option<usize> {
    match leaf {
        Leaf::CapabilitiesPublish | Leaf::CapabilitiesAcknowledge => Some(0),
        Leaf::Directive | Leaf::Event => Some(1),
        Leaf::Speaker | Leaf::Microphone => Some(2),
        _ => None,
    }
}

/// How long messages of an earlier connection may still come (specification, Q22).
pub(crate) const GRACE: Duration = Duration::from_secs(10);

const TO_DEVICE: [Leaf; TOPICS] = [Leaf::CapabilitiesAcknowledge, Leaf::Directive, Leaf::Speaker];
const TO_SERVICE: [Leaf; TOPICS] = [Leaf::CapabilitiesPublish, Leaf::Event, Leaf::Microphone];
/// Topics with protected messages, in each direction.
const TOPICS: usize = 3;
