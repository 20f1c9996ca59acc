//! Numbers used once, from a seed.

use core::{array, fmt};

use hmac::{Hmac, KeyInit as _, Mac as _};
use iot_sansio::Secret;
use sha2::Sha256;
use zeroize::Zeroize as _;

/// The IV of a message, which AES-GCM must never see twice under one key.
pub type Iv = [u8; 12];

/// All that a machine draws by chance, from a seed of 32 random bytes: IVs, bytes for message ids, jitter.
///
/// It is plain state and touches no source of randomness: the same seed gives the same values. So a seed must be fresh
/// at each start of a program, and is never saved.
///
/// An IV is a start that the seed decides, XORed with the count of values drawn so far, as TLS 1.3 makes its nonces.
/// So one generator gives no IV twice within 2^64 values, for certain and not only in all likelihood; and two
/// generators, such as those of device and service, meet less likely than with IVs at random.
///
/// ```
/// use aia_proto::protect::IvGenerator;
///
/// let mut generator = IvGenerator::new([7; 32]);
/// assert_ne!(generator.next_iv(), generator.next_iv());
/// let id: [u8; 16] = generator.next_bytes();
/// # _ = id;
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IvGenerator {
    seed: Secret,
    start: Iv,
    drawn: u64,
}

impl IvGenerator {
    /// A generator for a seed from a cryptographic source of randomness.
    #[must_use]
    pub fn new(mut seed: [u8; 32]) -> Self {
        let secret = Secret::from(seed.as_slice());
        seed.zeroize();
        let start = first_of(&block(&secret, b"iv", 0));
        Self { seed: secret, start, drawn: 0 }
    }

    /// An IV that this generator has never given.
    pub fn next_iv(&mut self) -> Iv {
        let count = self.advance().to_be_bytes();
        let mut iv = self.start;
        for (byte, count) in iv[4..].iter_mut().zip(count) {
            *byte ^= count;
        }
        iv
    }

    /// `N` bytes that cannot be told from random ones, for a message id; `N` is at most 32.
    pub fn next_bytes<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 32, "a block has 32 bytes") };
        let count = self.advance();
        first_of(&block(&self.seed, b"bytes", count))
    }

    /// A number that cannot be told from a random one, for jitter.
    pub fn next_u64(&mut self) -> u64 {
        u64::from_be_bytes(self.next_bytes())
    }

    fn advance(&mut self) -> u64 {
        let count = self.drawn;
        self.drawn = count.wrapping_add(1);
        count
    }
}

impl fmt::Debug for IvGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IvGenerator").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}

/// HMAC-SHA256 of what the bytes are for and which they are.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn block(seed: &Secret, purpose: &[u8], count: u64) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(seed.expose()).expect("a key of any length");
    mac.update(&count.to_be_bytes());
    mac.update(purpose);
    mac.finalize().into_bytes().into()
}

fn first_of<const N: usize>(block: &[u8; 32]) -> [u8; N] {
    array::from_fn(|index| block[index])
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeSet, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_values() {
        let draw = |seed| {
            let mut generator = IvGenerator::new(seed);
            (generator.next_iv(), generator.next_bytes::<16>(), generator.next_u64(), generator)
        };
        assert_eq!(draw([7; 32]), draw([7; 32]));
        let (ours, theirs) = (draw([7; 32]), draw([8; 32]));
        assert_ne!(ours.0, theirs.0);
        assert_ne!(ours.1, theirs.1);
        assert_ne!(ours.2, theirs.2);
        assert_ne!(ours.3, theirs.3);
    }

    #[test]
    fn what_else_is_drawn_repeats_no_iv() {
        let mut generator = IvGenerator::new([7; 32]);
        let ivs: BTreeSet<Iv> = (0..10_000)
            .map(|count| {
                if count % 3 == 0 {
                    _ = generator.next_u64();
                }
                generator.next_iv()
            })
            .collect();
        assert_eq!(ivs.len(), 10_000);
    }

    #[test]
    fn bytes_do_not_repeat_either_and_show_no_iv() {
        let mut generator = IvGenerator::new([7; 32]);
        let blocks: Vec<[u8; 32]> = (0..1_000).map(|_| generator.next_bytes()).collect();
        assert_eq!(blocks.iter().collect::<BTreeSet<_>>().len(), blocks.len());
        assert!(blocks.iter().all(|block| block[..12] != generator.start));
    }

    proptest! {
        #[test]
        fn two_counts_give_two_ivs(seed: [u8; 32], one: u64, other: u64) {
            let at = |drawn| IvGenerator { drawn, ..IvGenerator::new(seed) }.next_iv();
            prop_assert_eq!(at(one) == at(other), one == other);
        }
    }
}
