//! UUIDs and tokens, which look random and follow from a seed.

use alloc::{format, string::String};
use core::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Makes identifiers, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ids {
    seed: u64,
    made: u64,
}

impl Ids {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, made: 0 }
    }

    /// A UUID as text, of version 5 as those of SNS are.
    pub(super) fn uuid(&mut self) -> String {
        let hex = self.token();
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        let (first, second, third) = (part(0, 8), part(8, 12), part(13, 16));
        format!("{first}-{second}-5{third}-8{}-{}", part(17, 20), part(20, 32))
    }

    /// 64 hexadecimal digits.
    pub(super) fn token(&mut self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(self.made.to_le_bytes());
        self.made += 1;
        hash.finalize().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_their_form_and_differ() {
        let mut ids = Ids::new(1);
        let (first, second) = (ids.uuid(), ids.uuid());
        assert_ne!(first, second);
        let lengths = first.split('-').map(str::len);
        assert!(lengths.eq([8, 4, 4, 4, 12]), "{first}");
        assert_eq!(ids.token().len(), 64);
        assert_eq!(Ids::new(1).uuid(), first);
        assert_ne!(Ids::new(2).uuid(), first);
    }
}
