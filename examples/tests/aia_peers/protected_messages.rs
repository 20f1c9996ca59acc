//! Random messages, sealed on one side and opened on the other, as they are and with something changed.

use std::ops::Range;

use aia_proto::{
    protect::{Cipher, HEADER_LEN, Iv, OpenError, SharedSecret},
    sequence::SequenceNumber,
};
use data_encoding::HEXLOWER;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::node::Node;

#[tokio::test]
async fn node_opens_what_we_seal_with_16_bytes() {
    node_opens_what_we_seal(16).await;
}

#[tokio::test]
async fn node_opens_what_we_seal_with_32_bytes() {
    node_opens_what_we_seal(32).await;
}

#[tokio::test]
async fn we_open_what_node_seals_with_16_bytes() {
    we_open_what_node_seals(16).await;
}

#[tokio::test]
async fn we_open_what_node_seals_with_32_bytes() {
    we_open_what_node_seals(32).await;
}

async fn node_opens_what_we_seal(key_len: usize) {
    let Some(mut node) = Node::start() else { return };
    let mut random = Rng::with_seed(SEED + key_len as u64);
    for index in 0..CASES {
        let case = Case::random(&mut random, key_len, index);
        let message = case.cipher().seal(case.sequence, case.iv, &case.body);
        assert_opened_alike(&mut node, &mut random, &case, message).await;
    }
}

async fn we_open_what_node_seals(key_len: usize) {
    let Some(mut node) = Node::start() else { return };
    let mut random = Rng::with_seed(!(SEED + key_len as u64));
    for index in 0..CASES {
        let case = Case::random(&mut random, key_len, index);
        let message = case.sealed_by(&mut node, case.sequence).await;
        assert_eq!(message, case.cipher().seal(case.sequence, case.iv, &case.body));
        // What we do not seal: another number inside.
        let inner = random_number(&mut random);
        let told = case.opened_by_us(&case.sealed_by(&mut node, inner).await);
        if inner == case.sequence {
            assert_eq!(told, case.told());
        } else {
            assert_eq!(told, format!("Tampered {} {inner}", case.sequence));
        }
        assert_opened_alike(&mut node, &mut random, &case, message).await;
    }
}

/// Of the message, and of what is made of it, both sides say the same.
async fn assert_opened_alike(node: &mut Node, random: &mut Rng, case: &Case, message: Vec<u8>) {
    let mut changed = vec![(message.clone(), "opened")];
    for (part, expected) in PARTS {
        let part = part.start..part.end.min(message.len());
        if !part.is_empty() {
            let mut flipped = message.clone();
            flipped[random.usize(part)] ^= 1 << random.u8(..8);
            changed.push((flipped, expected));
        }
    }
    let longer = [&message[..], &[random.u8(..)]].concat();
    changed.push((longer, "BadTag"));
    changed.push((message[..random.usize(..HEADER_LEN)].to_vec(), "TooShort"));
    if message.len() > HEADER_LEN {
        changed.push((message[..random.usize(HEADER_LEN..message.len())].to_vec(), "BadTag"));
    }

    let told = case.opened_by(node, changed.iter().map(|(message, _)| &message[..])).await;
    assert_eq!(told.len(), changed.len());
    for ((message, expected), told) in changed.iter().zip(&told) {
        assert_eq!(case.opened_by_us(message), *told, "{}", HEXLOWER.encode(message));
        match *expected {
            "opened" => assert_eq!(*told, case.told()),
            expected => assert!(told.as_str().is_some_and(|told| told.starts_with(expected))),
        }
    }
    let mut other = case.clone();
    other.key[random.usize(..case.key.len())] ^= 1 << random.u8(..8);
    let told = other.opened_by(node, [&message[..]]).await;
    assert_eq!((&told[0], other.opened_by_us(&message)), (&json!("BadTag"), told[0].clone()));
}

/// What a message is made of.
#[derive(Clone)]
struct Case {
    key: Vec<u8>,
    iv: Iv,
    sequence: SequenceNumber,
    body: Vec<u8>,
}

impl Case {
    fn random(random: &mut Rng, key_len: usize, index: usize) -> Self {
        let mut iv = Iv::default();
        random.fill(&mut iv);
        let body_len = match index {
            _ if index % LARGE_EVERY == 1 => random.usize(LARGEST / 2..=LARGEST),
            _ if index.is_multiple_of(EMPTY_EVERY) => 0,
            _ => random.usize(..300),
        };
        let mut bytes = |len| {
            let mut bytes = vec![0; len];
            random.fill(&mut bytes);
            bytes
        };
        let (key, body) = (bytes(key_len), bytes(body_len));
        Self { key, iv, sequence: random_number(random), body }
    }

    fn cipher(&self) -> Cipher {
        Cipher::new(&SharedSecret::from_bytes(&self.key).expect("16 or 32 bytes"))
    }

    /// What is said of it when it is opened.
    fn told(&self) -> Value {
        json!({ "sequence": self.sequence.get(), "body": HEXLOWER.encode(&self.body) })
    }

    fn opened_by_us(&self, message: &[u8]) -> Value {
        match self.cipher().open_in_place(&mut message.to_vec()) {
            Ok(opened) => {
                json!({ "sequence": opened.sequence.get(), "body": HEXLOWER.encode(opened.body) })
            }
            Err(OpenError::TooShort { .. }) => "TooShort".into(),
            Err(OpenError::BadTag) => "BadTag".into(),
            Err(OpenError::Tampered { outer, inner }) => format!("Tampered {outer} {inner}").into(),
            Err(error) => panic!("{error}"),
        }
    }

    async fn opened_by(
        &self,
        node: &mut Node,
        messages: impl IntoIterator<Item = &[u8]>,
    ) -> Vec<Value> {
        let messages: Vec<_> =
            messages.into_iter().map(|message| HEXLOWER.encode(message)).collect();
        let question = json!({ "key": HEXLOWER.encode(&self.key), "messages": messages });
        let told = node.ask(&json!({ "open": question })).await;
        told.as_array().expect("one answer each").clone()
    }

    async fn sealed_by(&self, node: &mut Node, inner: SequenceNumber) -> Vec<u8> {
        let question = json!({
            "key": HEXLOWER.encode(&self.key),
            "iv": HEXLOWER.encode(&self.iv),
            "sequence": self.sequence.get(),
            "inner": inner.get(),
            "body": HEXLOWER.encode(&self.body),
        });
        let message = node.ask(&json!({ "seal": question })).await;
        HEXLOWER.decode(message.as_str().expect("hex").as_bytes()).expect("hex")
    }
}

/// Often one about the wrap.
fn random_number(random: &mut Rng) -> SequenceNumber {
    let numbers = [0, 1, 1 << 31, u32::MAX - 1, u32::MAX, random.u32(..), random.u32(..)];
    SequenceNumber::new(numbers[random.usize(..numbers.len())])
}

const SEED: u64 = 5;
const CASES: usize = 1_000;
const EMPTY_EVERY: usize = 10;
const LARGE_EVERY: usize = 200;
/// AWS IoT Core takes no larger message.
const LARGEST: usize = 128 * 1024 - HEADER_LEN;

/// Number, IV, tag, number inside and body, and how a message is refused in which one bit there is another.
const PARTS: [(Range<usize>, &str); 5] = [
    (0..4, "Tampered"),
    (4..16, "BadTag"),
    (16..32, "BadTag"),
    (32..HEADER_LEN, "BadTag"),
    (HEADER_LEN..usize::MAX, "BadTag"),
];
