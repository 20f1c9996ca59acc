//! The text that is signed, read back the slow way: all ways to cut it, and the one from its end.

use std::collections::BTreeMap;

/// The members that are signed, in order: of a notification without subject, of one with, and of confirmations.
pub(crate) const SIGNED: [&[&str]; 3] = [
    &["Message", "MessageId", "Timestamp", "TopicArn", "Type"],
    &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
];

/// All ways to cut the text into the lines of some type.
pub(crate) fn splits_of(text: &str) -> Vec<BTreeMap<String, String>> {
    fn cut<'t>(
        text: &'t str,
        names: &[&str],
        found: &mut Vec<&'t str>,
        all: &mut Vec<Vec<&'t str>>,
    ) {
        let Some(text) = text.strip_prefix(names[0]).and_then(|rest| rest.strip_prefix('\n'))
        else {
            return;
        };
        let Some(next) = names.get(1) else {
            if let Some(value) = text.strip_suffix('\n') {
                all.push(found.iter().copied().chain([value]).collect());
            }
            return;
        };
        for (at, line_feed) in text.match_indices('\n') {
            let rest = &text[at + line_feed.len()..];
            if rest.starts_with(&format!("{next}\n")) {
                found.push(&text[..at]);
                cut(rest, &names[1..], found, all);
                found.pop();
            }
        }
    }
    let mut splits = Vec::new();
    for names in SIGNED {
        let mut all = Vec::new();
        cut(text, names, &mut Vec::new(), &mut all);
        for values in all {
            let members = names.iter().zip(values);
            splits.push(members.map(|(name, value)| ((*name).into(), value.into())).collect());
        }
    }
    splits
}

/// Every value but the first is one line, so from the end there is one way only.
pub(crate) fn read_from_the_end(text: &str) -> BTreeMap<String, String> {
    let mut lines: Vec<&str> = text.strip_suffix('\n').unwrap().split('\n').collect();
    let mut members = BTreeMap::new();
    while let Some(value) = lines.pop() {
        let name = lines.pop().unwrap();
        members.insert(name.to_owned(), value.to_owned());
        if name == "MessageId" {
            assert_eq!(lines.remove(0), "Message");
            members.insert("Message".into(), lines.join("\n"));
            break;
        }
    }
    members
}
