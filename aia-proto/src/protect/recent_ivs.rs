//! The last IVs of a topic, against replays.

use alloc::collections::VecDeque;

use super::Iv;

/// The IVs of the last messages that verified on one topic, against replays from an earlier connection under the same
/// secret, which sequence numbers cannot show because they start at 0 again (section 4.2 and decision Q23).
///
/// Optional, and to be kept when a connection ends. Only IVs of messages that verified belong here: others would push
/// out the true ones.
///
/// ```
/// use aia_proto::protect::RecentIvs;
///
/// let mut recent = RecentIvs::default();
/// assert!(recent.insert([1; 12]));
/// // A replay: to be dropped.
/// assert!(!recent.insert([1; 12]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecentIvs {
    capacity: usize,
    /// The oldest in front.
    ivs: VecDeque<Iv>,
}

impl RecentIvs {
    /// Room for the last so many; 0 remembers none.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self { capacity, ivs: VecDeque::new() }
    }

    /// Whether the IV is among the last ones.
    #[must_use]
    pub fn contains(&self, iv: &Iv) -> bool {
        self.ivs.contains(iv)
    }

    /// Whether the IV is not among the last ones. It then is the newest of them.
    pub fn insert(&mut self, iv: Iv) -> bool {
        if self.ivs.contains(&iv) {
            return false;
        }
        if self.ivs.len() >= self.capacity {
            self.ivs.pop_front();
        }
        if self.capacity > 0 {
            self.ivs.push_back(iv);
        }
        true
    }
}

impl Default for RecentIvs {
    /// Room for the last 256.
    fn default() -> Self {
        Self::new(DEFAULT_CAPACITY)
    }
}

const DEFAULT_CAPACITY: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_are_remembered() {
        let mut recent = RecentIvs::default();
        let iv = |number: u16| {
            let mut iv = [0; 12];
            iv[..2].copy_from_slice(&number.to_be_bytes());
            iv
        };
        assert!((0..256).all(|number| recent.insert(iv(number))));
        assert!((0..256).all(|number| !recent.insert(iv(number))));
        assert!(recent.insert(iv(256)));
        assert!(recent.insert(iv(0)), "256 others came after it");
        assert!(!recent.insert(iv(2)));
        assert_eq!(recent.ivs.len(), 256);
    }

    #[test]
    fn without_room_nothing_is_remembered() {
        let mut recent = RecentIvs::new(0);
        assert!(recent.insert([1; 12]));
        assert!(recent.insert([1; 12]));
        assert!(recent.ivs.is_empty());
    }
}
