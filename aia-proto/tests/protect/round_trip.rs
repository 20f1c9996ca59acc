//! What is sealed is opened, what was changed is refused, and both agree with AES-GCM called directly.

use aia_proto::{
    Leaf,
    protect::{
        Cipher, HEADER_LEN, Iv, KeyLength, LegacyInnerSequence, OpenError, SealError, SharedSecret,
        outer_sequence,
    },
    sequence::SequenceNumber,
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

use crate::naive;

fn any_secret() -> impl Strategy<Value = SharedSecret> {
    prop_oneof![
        any::<[u8; 16]>().prop_map(|key| key.to_vec()),
        any::<[u8; 32]>().prop_map(|key| key.to_vec())
    ]
    .prop_map(|key| SharedSecret::from_bytes(&key).unwrap())
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..200)
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened(secret in any_secret(), number: u32, iv: Iv, body in any_body()) {
        let sequence = SequenceNumber::new(number);
        let cipher = Cipher::new(&secret);
        let message = cipher.seal(sequence, iv, &body);
        let plaintext = [&number.to_le_bytes()[..], &body].concat();
        prop_assert_eq!(&message, &naive::encrypt(secret.expose(), number, iv, &plaintext));

        let mut in_place = vec![0xee; HEADER_LEN];
        in_place.extend(&body);
        prop_assert_eq!(cipher.seal_in_place(sequence, iv, &mut in_place), Ok(()));
        prop_assert_eq!(&in_place, &message);

        let opened = cipher.open_in_place(&mut in_place).unwrap();
        prop_assert_eq!((opened.sequence, opened.body), (sequence, &body[..]));
        prop_assert!(!opened.is_legacy);
        prop_assert_eq!(naive::open(secret.expose(), &message), Ok((sequence, body)));
    }

    /// Every bit of a message: the error is the one of its field, and no plaintext stays.
    #[test]
    fn a_flipped_bit_is_refused(
        secret in any_secret(),
        number: u32,
        iv: Iv,
        body in any_body(),
        at: Index,
    ) {
        let cipher = Cipher::new(&secret);
        let mut message = cipher.seal(SequenceNumber::new(number), iv, &body);
        let bit = at.index(message.len() * 8);
        message[bit / 8] ^= 1 << (bit % 8);
        let before = message.clone();
        let refused = cipher.open_in_place(&mut message).unwrap_err();
        prop_assert_eq!(Err(refused), naive::open(secret.expose(), &before).map(|_| ()));
        if bit < 32 {
            let [outer, inner] = [number ^ (1 << bit), number].map(SequenceNumber::new);
            prop_assert_eq!(refused, OpenError::Tampered { outer, inner });
            prop_assert_eq!(&message[..32], &before[..32]);
            prop_assert!(message[32..].iter().all(|byte| *byte == 0));
        } else {
            prop_assert_eq!(refused, OpenError::BadTag);
            prop_assert_eq!(message, before);
        }
    }

    #[test]
    fn another_secret_opens_nothing(
        secrets in [any_secret(), any_secret()],
        number: u32,
        iv: Iv,
        body in any_body(),
    ) {
        prop_assume!(secrets[0] != secrets[1]);
        let [ours, theirs] = secrets.map(|secret| Cipher::new(&secret));
        let mut message = ours.seal(SequenceNumber::new(number), iv, &body);
        prop_assert_eq!(theirs.open_in_place(&mut message), Err(OpenError::BadTag));
        // Row 32 of the device: the other secret has its turn with the same bytes.
        prop_assert_eq!(ours.open_in_place(&mut message).unwrap().body, body);
    }

    #[test]
    fn any_bytes_are_opened_as_aes_gcm_does(
        secret in any_secret(),
        mut message in vec(any::<u8>(), 0..80),
    ) {
        let expected = naive::open(secret.expose(), &message);
        let opened = Cipher::new(&secret).open_in_place(&mut message);
        prop_assert_eq!(opened.map(|opened| (opened.sequence, opened.body.to_vec())), expected);
    }

    /// The header of 32 bytes: only when asked for, only JSON, only with a valid tag.
    #[test]
    fn legacy_messages_need_all_of_it(
        secret in any_secret(),
        outer: u32,
        iv: Iv,
        rest in vec(any::<u8>(), 2..40),
        begin in select(&["{\"", "{ ", "[\""][..]),
        at: Index,
    ) {
        let is_json = begin == "{\"";
        let plaintext = [begin.as_bytes(), &rest].concat();
        let message = naive::encrypt(secret.expose(), outer, iv, &plaintext);
        let inner = outer_sequence(&plaintext).unwrap();
        let outer = SequenceNumber::new(outer);
        prop_assume!(inner != outer);
        let tampered = Err(OpenError::Tampered { outer, inner });
        let cipher = Cipher::new(&secret);
        let open = |legacy, leaf| {
            let mut message = message.clone();
            match cipher.open_in_place_with(legacy, leaf, &mut message) {
                Ok(opened) => Ok((opened.sequence, opened.body.to_vec(), opened.is_legacy)),
                Err(error) => {
                    assert!(message[32..].iter().all(|byte| *byte == 0));
                    Err(error)
                }
            }
        };
        let accept = LegacyInnerSequence::Accept;
        for leaf in [Leaf::Directive, Leaf::Event, Leaf::CapabilitiesPublish] {
            let legacy = Ok((outer, plaintext.clone(), true));
            let expected = if is_json { legacy } else { tampered.clone() };
            prop_assert_eq!(open(accept, leaf), expected);
            prop_assert_eq!(open(LegacyInnerSequence::default(), leaf), tampered.clone());
        }
        prop_assert_eq!(open(accept, Leaf::Speaker), tampered.clone());
        prop_assert_eq!(open(accept, Leaf::Microphone), tampered);

        let mut changed = message.clone();
        let bit = 32 + at.index(message.len() * 8 - 32);
        changed[bit / 8] ^= 1 << (bit % 8);
        let refused = cipher.open_in_place_with(accept, Leaf::Directive, &mut changed).unwrap_err();
        prop_assert_eq!(refused, OpenError::BadTag);
    }
}

/// A number that looks like JSON is a number: header and plaintext agree on it.
#[test]
fn a_number_that_reads_as_json_is_no_legacy_message() {
    let cipher = Cipher::new(&SharedSecret::from_bytes(&[1; 32]).unwrap());
    let sequence = SequenceNumber::from_le_bytes(*br#"{"di"#);
    let mut message = cipher.seal(sequence, [0; 12], b"body");
    let opened =
        cipher.open_in_place_with(LegacyInnerSequence::Accept, Leaf::Directive, &mut message);
    let opened = opened.unwrap();
    assert_eq!((opened.sequence, opened.body, opened.is_legacy), (sequence, &b"body"[..], false));
}

#[test]
fn what_has_no_room_for_the_header_is_refused() {
    let cipher = Cipher::new(&SharedSecret::from_bytes(&[1; 16]).unwrap());
    for len in 0..HEADER_LEN {
        let mut buffer = vec![7; len];
        assert_eq!(cipher.open_in_place(&mut buffer), Err(OpenError::TooShort { len }));
        let sealed = cipher.seal_in_place(SequenceNumber::FIRST, [0; 12], &mut buffer);
        assert_eq!(sealed, Err(SealError::TooShort { len }));
        assert_eq!(buffer, vec![7; len]);
        assert_eq!(outer_sequence(&buffer).is_some(), len >= 4);
    }
}

#[test]
fn a_secret_has_16_or_32_bytes() {
    for len in 0..70 {
        let secret = SharedSecret::from_bytes(&vec![0; len]);
        match len {
            16 | 32 => assert_eq!(secret.unwrap().len(), len),
            _ => assert_eq!(secret, Err(KeyLength { len })),
        }
    }
}
