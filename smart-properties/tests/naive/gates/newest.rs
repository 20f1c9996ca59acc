//! Which of the events of one thing is the newest, out of all of them.

use smart_properties::order::Verdict;

/// An event in one of the messages that brought it: seconds, those of the event and of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    /// Which event it is.
    pub(crate) event: u8,
    pub(crate) at: u8,
    /// None in all of them, where messages are raw.
    pub(crate) sns: Option<u8>,
}

impl Published {
    fn key(&self) -> (u8, Option<u8>) {
        (self.at, self.sns)
    }
}

/// The newest key, and the event that had it first.
pub(crate) fn newest(all: &[Published]) -> Option<Published> {
    let key = all.iter().map(Published::key).max()?;
    all.iter().find(|one| one.key() == key).copied()
}

/// What becomes of an event that comes after these.
pub(crate) fn verdict(before: &[Published], event: Published) -> Verdict {
    let Some(newest) = newest(before) else { return Verdict::Applied };
    if newest.event == event.event {
        return Verdict::Duplicate;
    }
    if event.key() < newest.key() {
        return Verdict::Stale;
    }
    match (event.at > newest.at, event.key() == newest.key()) {
        (true, _) => Verdict::Applied,
        (false, true) => Verdict::Conflict,
        (false, false) => Verdict::AppliedByTieBreak,
    }
}
