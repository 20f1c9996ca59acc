//! Nothing that can be printed shows a secret, a seed or a body: neither as text nor as the numbers of its bytes.

use core::fmt::Debug;

use aia_proto::{
    pacer::Batch,
    protect::{Cipher, IvGenerator, KeyRing, SharedSecret, Starts},
    sequence::{Config, Resequencer, SequenceNumber},
};
use iot_sansio::MonoTime;

const CANARY: &[u8; 16] = b"canary-0001-abcd";
const CANARY_SEED: &[u8; 32] = b"canary-0001-abcdcanary-0001-abcd";

fn check(printed: &str) {
    let compact: String = printed.chars().filter(|ch| !ch.is_whitespace()).collect();
    let join = |numbers: Vec<String>, by: &str| numbers.join(by);
    let numbers = join(CANARY[..6].iter().map(u8::to_string).collect(), ",");
    let hex = join(CANARY[..6].iter().map(|byte| format!("{byte:02x}")).collect(), "");
    for canary in ["canary", &numbers, &hex] {
        assert!(!compact.contains(canary), "{printed}");
    }
}

fn keeps_quiet(value: &dyn Debug) {
    check(&format!("{value:?}"));
    check(&format!("{value:#?}"));
}

#[test]
fn the_canary_would_be_seen() {
    for leak in ["a canary".to_owned(), format!("{:#?}", CANARY), "63616e617279".into()] {
        assert!(std::panic::catch_unwind(|| check(&leak)).is_err(), "{leak}");
    }
}

#[test]
fn keys_and_seeds_are_not_shown() {
    let secret = SharedSecret::from_bytes(CANARY).unwrap();
    keeps_quiet(&secret);
    let cipher = Cipher::new(&secret);
    keeps_quiet(&cipher);
    let mut ring = KeyRing::new(&secret);
    let first = SequenceNumber::FIRST;
    ring.push(&secret, Starts::new(first, first, first)).unwrap();
    keeps_quiet(&ring);

    let mut generator = IvGenerator::new(*CANARY_SEED);
    keeps_quiet(&generator);
    let next = generator.next_bytes::<8>();
    let shown = format!("{generator:?}");
    assert!(!shown.contains(&format!("{next:?}")) && shown.contains("drawn: 1"), "{shown}");
}

#[test]
fn bodies_are_not_shown() {
    let cipher = Cipher::new(&SharedSecret::from_bytes(&[7; 16]).unwrap());
    let mut message = cipher.seal(SequenceNumber::FIRST, [1; 12], CANARY);
    let opened = cipher.open_in_place(&mut message).unwrap();
    keeps_quiet(&opened);
    assert!(format!("{opened:?}").contains("16 bytes"));

    let mut inbox = Resequencer::new(Config::default());
    for number in [0, 2, 4].map(SequenceNumber::new) {
        inbox.accept(MonoTime::ORIGIN, number, CANARY.to_vec(), CANARY.len()).unwrap();
    }
    keeps_quiet(&inbox);
    let mut batch = Batch::new(100, 100);
    batch.push(CANARY.to_vec(), CANARY.len()).unwrap();
    keeps_quiet(&batch);
}

/// Also of what failed: a wrong tag, a number that was changed.
#[test]
fn errors_repeat_nothing_of_a_message() {
    let cipher = Cipher::new(&SharedSecret::from_bytes(&[7; 16]).unwrap());
    let message = cipher.seal(SequenceNumber::FIRST, [1; 12], CANARY);
    for at in 0..message.len() {
        let mut changed = message.clone();
        changed[at] ^= 1;
        let refused = cipher.open_in_place(&mut changed).unwrap_err();
        keeps_quiet(&refused);
        check(&refused.to_string());
    }
    let refused = SharedSecret::from_bytes(&CANARY[..12]).unwrap_err();
    keeps_quiet(&refused);
    check(&refused.to_string());
}
