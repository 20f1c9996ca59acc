//! What can be remarkable about an input.

use core::fmt;

/// What can be remarkable about an input (specification sections 5.2 and 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Note {
    /// The event is known already. The head stays as it was first seen, also where the repeated event is stamped
    /// otherwise (section 5.3); merging two replicas takes the larger stamp.
    Duplicate,
    /// The event is older than the head, and of another connection.
    Stale,
    /// A stale connect that looks like a reset inside Θ: lower Θ if clients let their sessions expire that soon.
    SuspectedReset,
    /// The connect of the connection whose disconnect is the head.
    LateConnect,
    /// The version started again.
    Reset,
    /// A connect over a connect: the disconnect in between is late or lost.
    Superseded,
    /// A reset while the head was a connect: its disconnect is late or lost.
    MissedDisconnect,
    /// A disconnect whose connect is late or lost.
    UnmatchedDisconnect,
    /// Refused: stamped too far in the future.
    Future,
    /// Refused: stamped too long ago.
    TooOld,
    /// The timer was cancelled, or fired early.
    TimerIgnored,
    /// A last will of a client that is published online: query the connectivity API if it matters now.
    LwtHint,
    /// A last will that says nothing new.
    LwtIgnored,
    /// Somebody failed to connect under this id.
    ConnectFailed,
    /// A subscription of a session that is newer than the head: its connect is late or lost.
    SuspectedConnect,
}

/// The notes of one step.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Notes(u16);

impl Note {
    /// Every note, in the order in which a step says them.
    pub const ALL: [Self; 15] = [
        Self::Duplicate,
        Self::Stale,
        Self::SuspectedReset,
        Self::LateConnect,
        Self::Reset,
        Self::Superseded,
        Self::MissedDisconnect,
        Self::UnmatchedDisconnect,
        Self::Future,
        Self::TooOld,
        Self::TimerIgnored,
        Self::LwtHint,
        Self::LwtIgnored,
        Self::ConnectFailed,
        Self::SuspectedConnect,
    ];

    /// Its name in the specification.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::SuspectedReset => "suspected_reset",
            Self::LateConnect => "late_connect",
            Self::Reset => "reset",
            Self::Superseded => "superseded",
            Self::MissedDisconnect => "missed_disconnect",
            Self::UnmatchedDisconnect => "unmatched_disconnect",
            Self::Future => "future",
            Self::TooOld => "too_old",
            Self::TimerIgnored => "timer_ignored",
            Self::LwtHint => "lwt_hint",
            Self::LwtIgnored => "lwt_ignored",
            Self::ConnectFailed => "connect_failed",
            Self::SuspectedConnect => "suspected_connect",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Notes {
    /// Whether this note is among them.
    #[must_use]
    pub const fn contains(self, note: Note) -> bool {
        self.0 & note.bit() != 0
    }

    /// The notes, in the order in which a step says them.
    pub fn iter(self) -> impl Iterator<Item = Note> {
        let mut left = self.0;
        core::iter::from_fn(move || {
            let note = Note::ALL.get(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(*note)
        })
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn add(&mut self, note: Note) {
        self.0 |= note.bit();
    }

    pub(super) const fn add_if(&mut self, condition: bool, note: Note) {
        if condition {
            self.add(note);
        }
    }
}

impl Note {
    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
