//! Any bytes as a message, opened by the crate and by AES-GCM called directly; and any bytes as a plaintext under a tag
//! that is right, which no fuzzer would find.

#![no_main]

use aia_proto::{
    Leaf,
    protect::{Cipher, HEADER_LEN, LegacyInnerSequence, OpenError, SharedSecret, outer_sequence},
    sequence::SequenceNumber,
};
use libfuzzer_sys::fuzz_target;

#[path = "../../aia-proto/tests/naive/protect.rs"]
mod naive;

fuzz_target!(|bytes: &[u8]| {
    // The secrets of the specification, under which the seeds verify.
    for secret in [&K32[..], &K16[..]] {
        agree(secret, bytes);
        if let Some((number, plaintext)) = bytes.split_first_chunk() {
            let number = u32::from_le_bytes(*number);
            agree(secret, &naive::encrypt(secret, number, [7; 12], plaintext));
        }
    }
});

fn agree(secret: &[u8], message: &[u8]) {
    let cipher = Cipher::new(&SharedSecret::from_bytes(secret).expect("16 or 32 bytes"));
    let expected = naive::open(secret, message);
    for leaf in Leaf::ALL {
        for legacy in [LegacyInnerSequence::Refuse, LegacyInnerSequence::Accept] {
            let accepts = legacy == LegacyInnerSequence::Accept
                && !matches!(leaf, Leaf::Microphone | Leaf::Speaker);
            let mut buffer = message.to_vec();
            let opened = cipher.open_in_place_with(legacy, leaf, &mut buffer);
            match (opened, &expected) {
                (Ok(opened), Ok((sequence, body))) => {
                    assert_eq!((opened.sequence, opened.body), (*sequence, &body[..]));
                    assert!(!opened.is_legacy);
                }
                (Ok(opened), Err(error)) => {
                    let plaintext = naive::decrypt(secret, message).expect("the tag is right");
                    assert!(accepts && opened.is_legacy && plaintext.starts_with(br#"{""#));
                    assert!(
                        matches!(error, OpenError::Tampered { outer, .. } if *outer == opened.sequence)
                    );
                    assert_eq!(opened.body, plaintext);
                }
                (Err(error), expected) => {
                    assert_eq!(Err(error), expected.clone());
                    leaves_nothing(error, message, &buffer);
                }
            }
        }
    }
    let mut buffer = message.to_vec();
    let opened = cipher.open_in_place(&mut buffer);
    assert_eq!(opened.map(|opened| (opened.sequence, opened.body.to_vec())), expected);
    assert_eq!(outer_sequence(message).is_some(), message.len() >= 4);
    if let Ok((sequence, body)) = expected {
        seals_the_same(&cipher, sequence, &body, message);
    }
}

/// Nothing was decrypted, or it is wiped.
fn leaves_nothing(error: OpenError, message: &[u8], buffer: &[u8]) {
    if matches!(error, OpenError::Tampered { .. }) {
        let clear = HEADER_LEN - 4;
        assert_eq!(buffer[..clear], message[..clear]);
        assert!(buffer[clear..].iter().all(|byte| *byte == 0));
    } else {
        assert_eq!(buffer, message);
    }
}

fn seals_the_same(cipher: &Cipher, sequence: SequenceNumber, body: &[u8], message: &[u8]) {
    let iv = *message[4..].first_chunk().expect("it was opened");
    assert_eq!(cipher.seal(sequence, iv, body), message);
}

const K32: [u8; 32] = [
    0x4a, 0x5d, 0x9d, 0x5b, 0xa4, 0xce, 0x2d, 0xe1, 0x72, 0x8e, 0x3b, 0xf4, 0x80, 0x35, 0x0f, 0x25,
    0xe0, 0x7e, 0x21, 0xc9, 0x47, 0xd1, 0x9e, 0x33, 0x76, 0xf0, 0x9b, 0x3c, 0x1e, 0x16, 0x17, 0x42,
];
const K16: [u8; 16] = [
    0xea, 0x1d, 0x8a, 0x20, 0xf4, 0x76, 0xd1, 0xe1, 0xec, 0x95, 0x2c, 0xa4, 0x27, 0x08, 0xb8, 0xf7,
];
