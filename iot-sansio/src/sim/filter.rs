//! Topic filters as MQTT 3.1.1 defines them (section 4.7).

/// Whether a topic filter matches a topic name. False when either is not valid.
///
/// `+` stands for one level, `#` for the level above and all below it; neither matches a first level that begins
/// with `$` (MQTT 3.1.1 section 4.7).
///
/// ```
/// use iot_sansio::sim::filter_matches;
///
/// assert!(filter_matches("a/#", "a"));
/// assert!(filter_matches("+/x", "a/x"));
/// assert!(!filter_matches("#", "$aws/events"));
/// ```
#[must_use]
pub fn filter_matches(filter: &str, topic: &str) -> bool {
    if !is_filter(filter) || !is_topic(topic) {
        return false;
    }
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// A topic filter: each wildcard fills its level, and `#` is the last one.
pub(super) fn is_filter(filter: &str) -> bool {
    let (above, last) = filter.rsplit_once('/').unwrap_or(("", filter));
    let no_hash = |level: &str| !level.contains('#') && (level == "+" || !level.contains('+'));
    is_text(filter) && above.split('/').all(no_hash) && (last == "#" || no_hash(last))
}

/// A topic name: no wildcards.
pub(super) fn is_topic(topic: &str) -> bool {
    is_text(topic) && !topic.contains(['+', '#'])
}

/// At least one character, none of them U+0000, and at most what a length of 16 bits can tell.
fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.contains('\0') && text.len() <= usize::from(u16::MAX)
}
