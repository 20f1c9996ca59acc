//! `aia-proto`, beside AES-GCM in place on the same bytes.

use std::hint::black_box;

use aes_gcm::{
    Aes256Gcm,
    aead::{AeadInOut, KeyInit},
};
use aia_proto::{
    protect::{Cipher, HEADER_LEN, Iv, SharedSecret},
    sequence::{Config, Resequencer, SequenceNumber},
};
use iot_sansio::MonoTime;

/// The length of the body of each message, in bytes.
pub const BODY_LEN: usize = 1_024;

/// Seals a body of 1 KiB in place so many times.
///
/// # Panics
/// If it is refused, which a benchmark cannot go on without. So do the others.
pub fn seal(times: usize) {
    let cipher = Cipher::new(&secret());
    let mut buffer = vec![7; HEADER_LEN + BODY_LEN];
    for _ in 0..times {
        let sealed =
            cipher.seal_in_place(black_box(SEQUENCE), black_box(IV), black_box(&mut buffer));
        sealed.expect("room for the header");
    }
    black_box(&buffer);
}

/// Has AES-GCM encrypt what [`seal`] does so many times: number and body.
///
/// # Panics
/// See [`seal`].
pub fn encrypt(times: usize) {
    let aes = Aes256Gcm::new(&KEY.into());
    let mut buffer = plaintext();
    for _ in 0..times {
        let tag = aes.encrypt_inout_detached(
            black_box(&IV).into(),
            &[],
            black_box(&mut buffer[..]).into(),
        );
        black_box(tag.expect("less than 64 GiB"));
    }
    black_box(&buffer);
}

/// Opens a message with a body of 1 KiB in place so many times.
///
/// # Panics
/// See [`seal`].
pub fn open(times: usize) {
    let cipher = Cipher::new(&secret());
    let message = cipher.seal(SEQUENCE, IV, &[7; BODY_LEN]);
    // Opening takes the message away: the copy is what the baseline makes too.
    let mut buffer = message.clone();
    for _ in 0..times {
        buffer.copy_from_slice(black_box(&message));
        let opened = cipher.open_in_place(black_box(&mut buffer)).expect("its own message");
        black_box(opened.body);
    }
}

/// Has AES-GCM decrypt what [`open`] does so many times.
///
/// # Panics
/// See [`seal`].
pub fn decrypt(times: usize) {
    let aes = Aes256Gcm::new(&KEY.into());
    let mut encrypted = plaintext();
    let tag = aes.encrypt_inout_detached(&IV.into(), &[], encrypted.as_mut_slice().into());
    let tag = tag.expect("less than 64 GiB");
    let mut buffer = encrypted.clone();
    for _ in 0..times {
        buffer.copy_from_slice(black_box(&encrypted));
        let text = black_box(&mut buffer[..]);
        let decrypted =
            aes.decrypt_inout_detached(black_box(&IV).into(), &[], text.into(), black_box(&tag));
        decrypted.expect("its own message");
    }
    black_box(&buffer);
}

/// Takes so many messages that come in pairs, the later one first, and delivers them.
///
/// # Panics
/// See [`seal`].
pub fn resequence(times: usize) {
    let mut inbox = Resequencer::new(Config::default());
    let mut delivered = 0;
    // One pair more, after which there is room for all others.
    let messages = times + 2;
    for place in 0..u32::try_from(messages).expect("few") {
        let number = SequenceNumber::new(black_box(place ^ 1));
        inbox.accept(MonoTime::ORIGIN, number, place, BODY_LEN).expect("within the window");
        while let Some(next) = inbox.poll_delivery() {
            black_box(next);
            delivered += 1;
        }
    }
    assert_eq!(delivered, messages / 2 * 2);
}

/// Takes so many messages that come in order, and delivers them.
///
/// # Panics
/// See [`seal`].
pub fn pass_in_order(times: usize) {
    let mut inbox = Resequencer::new(Config::default());
    for place in 0..u32::try_from(times).expect("few") {
        let number = SequenceNumber::new(black_box(place));
        inbox.accept(MonoTime::ORIGIN, number, place, BODY_LEN).expect("the expected one");
        black_box(inbox.poll_delivery().expect("the expected one"));
    }
}

fn secret() -> SharedSecret {
    SharedSecret::from_bytes(&KEY).expect("32 bytes")
}

fn plaintext() -> Vec<u8> {
    let mut plaintext = vec![7; 4 + BODY_LEN];
    plaintext[..4].copy_from_slice(&SEQUENCE.get().to_le_bytes());
    plaintext
}

const KEY: [u8; 32] = [1; 32];
const IV: Iv = [2; 12];
const SEQUENCE: SequenceNumber = SequenceNumber::new(40);
