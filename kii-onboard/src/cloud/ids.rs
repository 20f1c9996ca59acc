//! What a cloud makes up: ids, passwords and tokens, in the shapes that are seen in the wild.

use alloc::{format, string::String};

use fastrand::Rng;

use crate::{AppId, MqttTopic};

/// The source of all of it: the state of a generator, as the generator itself has no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ids {
    seed: u64,
}

impl Ids {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// `th.`, 12 hexadecimal digits, three times four, and eight.
    pub(super) fn thing_id(&mut self) -> String {
        format!("th.{}", self.digits([12, 4, 4, 4, 8]))
    }

    /// As a UUID is written.
    pub(super) fn command_id(&mut self) -> String {
        self.digits([8, 4, 4, 4, 12])
    }

    /// 23 letters and digits: the longest client id of MQTT 3.1. None only if that were no topic.
    pub(super) fn mqtt_topic(&mut self) -> Option<MqttTopic> {
        MqttTopic::new(self.text(ALPHANUMERIC, 23)).ok()
    }

    /// The id of the application, a hyphen, and 23 letters and digits.
    pub(super) fn user_name(&mut self, app: &AppId) -> String {
        format!("{app}-{}", self.text(ALPHANUMERIC, 23))
    }

    /// 64 letters.
    pub(super) fn password(&mut self) -> String {
        self.text(LETTERS, 64)
    }

    /// 25 small letters and digits.
    pub(super) fn installation_id(&mut self) -> String {
        self.text(SMALL_ALPHANUMERIC, 25)
    }

    /// 43 characters of the URL-safe alphabet of base64.
    pub(super) fn token(&mut self) -> String {
        self.text(URL_SAFE, 43)
    }

    /// Groups of hexadecimal digits, with hyphens between them.
    fn digits(&mut self, lens: [usize; 5]) -> String {
        lens.map(|len| self.text(HEX, len)).join("-")
    }

    fn text(&mut self, alphabet: &[u8], len: usize) -> String {
        let mut rng = Rng::with_seed(self.seed);
        let text = (0..len).filter_map(|_| rng.choice(alphabet)).copied().map(char::from).collect();
        self.seed = rng.get_seed();
        text
    }
}

const HEX: &[u8] = b"0123456789abcdef";
const SMALL_ALPHANUMERIC: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const URL_SAFE: &[u8] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_those_seen_in_the_wild() {
        let mut ids = Ids::new(7);
        let lens = |text: &str| text.split('-').map(str::len).collect::<alloc::vec::Vec<_>>();
        let thing_id = ids.thing_id();
        assert_eq!(lens(thing_id.strip_prefix("th.").unwrap()), [12, 4, 4, 4, 8]);
        assert_eq!(lens(&ids.command_id()), [8, 4, 4, 4, 12]);
        assert_eq!(ids.mqtt_topic().unwrap().as_str().len(), 23);
        assert_eq!(lens(&ids.user_name(&AppId::new("app01").unwrap())), [5, 23]);
        assert!(ids.password().bytes().all(|byte| byte.is_ascii_alphabetic()));
        assert_eq!((ids.password().len(), ids.installation_id().len()), (64, 25));
        assert_eq!(ids.token().len(), 43);
    }

    #[test]
    fn a_seed_gives_the_same_again_and_nothing_twice() {
        let (mut one, mut two) = (Ids::new(1), Ids::new(1));
        let first = one.token();
        assert_eq!(first, two.token());
        assert_ne!(first, one.token());
        assert_ne!(first, Ids::new(2).token());
    }
}
