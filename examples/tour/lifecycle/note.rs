//! Notes in plain words.

use iot_lifecycle::presence::Note;

/// For one event; a history has no others.
pub(crate) const fn brief(note: Note) -> &'static str {
    match note {
        Note::Duplicate => "known already",
        Note::Stale => "older than what is known",
        Note::SuspectedReset => "or reset very fast",
        Note::LateConnect => "the beginning of what has ended",
        Note::Reset => "version reset",
        Note::Superseded => "takes over",
        Note::MissedDisconnect => "no disconnect yet",
        Note::UnmatchedDisconnect => "no connect yet",
        _ => note.as_str(),
    }
}

/// For a count.
pub(crate) const fn explained(note: Note) -> &'static str {
    match note {
        Note::Duplicate => "delivered again: changes nothing",
        Note::Stale => "older than what is known already: changes nothing",
        Note::SuspectedReset => "stale, but stamped later: a reset, if clients can reset this fast",
        Note::LateConnect => "the connect arrived after its own disconnect: changes nothing",
        Note::Reset => "the lower version is the newer one: the counter started again",
        Note::Superseded => "a connect upon a connect: what ended the older one is late or lost",
        Note::MissedDisconnect => "the same across a reset",
        Note::UnmatchedDisconnect => "a disconnect before its connect, which is late or lost",
        Note::Future => "refused: stamped in the future",
        Note::TooOld => "refused: stamped too long ago",
        _ => "",
    }
}
