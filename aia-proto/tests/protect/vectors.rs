//! The vectors of specification sections 14.5 and 14.8, run by id.

use std::collections::BTreeMap;

use aia_proto::{
    Leaf,
    protect::{
        Cipher, HEADER_LEN, Iv, KeyRing, LegacyInnerSequence, OpenError, SharedSecret, Starts,
        outer_sequence,
    },
    sequence::SequenceNumber,
};
use serde_json::Value;

/// Those of 14.5, and the cases that are derived from them.
#[test]
fn every_message_is_sealed_and_opened() {
    let mut messages = BTreeMap::new();
    let mut ids = Vec::new();
    for line in include_str!("../vectors/protect.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap().to_owned();
        if let Some(from) = vector["from"].as_str() {
            let (key, message): &(String, Vec<u8>) = &messages[from];
            derived(&id, &vector, key, message.clone());
        } else {
            let (key, message) = (text(&vector["key"]), hex(text(&vector["message"])));
            direct(&id, &vector, &message);
            messages.insert(id.clone(), (key.to_owned(), message));
        }
        ids.push(id);
    }
    assert_eq!(ids.join(" "), MESSAGES);
}

fn direct(id: &str, vector: &Value, message: &[u8]) {
    let cipher = Cipher::new(&secret(text(&vector["key"])));
    let sequence = number(&vector["sequence"]);
    let iv: Iv = hex(text(&vector["iv"])).try_into().unwrap();
    let body = vector["body"].as_str().map_or_else(|| hex(text(&vector["body_hex"])), Into::into);
    assert_eq!(outer_sequence(message), Some(sequence), "{id}");

    let mut buffer = message.to_vec();
    if vector["open"].is_null() {
        assert_eq!(cipher.seal(sequence, iv, &body), message, "{id}");
        let opened = cipher.open_in_place(&mut buffer).unwrap();
        assert_eq!((opened.sequence, opened.body, opened.is_legacy), (sequence, &body[..], false));
        return;
    }
    assert_eq!(vector["open"], "MESSAGE_TAMPERED", "{id}");
    let inner = number(&vector["inner"]);
    let refused = cipher.open_in_place(&mut buffer).unwrap_err();
    assert_eq!(refused, OpenError::Tampered { outer: sequence, inner }, "{id}");

    let mut buffer = message.to_vec();
    let accept = LegacyInnerSequence::Accept;
    let opened = cipher.open_in_place_with(accept, Leaf::Directive, &mut buffer);
    if vector["legacy"] == true {
        // It cannot be sealed: nothing writes the header of 32 bytes.
        let opened = opened.unwrap();
        assert_eq!((opened.sequence, opened.body, opened.is_legacy), (sequence, &body[..], true));
    } else {
        assert_eq!(opened, Err(refused), "{id}");
        let mut sealed = cipher.seal(inner, iv, &body);
        sealed[..4].copy_from_slice(&sequence.get().to_le_bytes());
        assert_eq!(sealed, message, "{id}");
    }
}

fn derived(id: &str, vector: &Value, key: &str, mut message: Vec<u8>) {
    if let Some([byte, bit]) = vector["flip"].as_array().map(Vec::as_slice) {
        message[usize::try_from(byte.as_u64().unwrap()).unwrap()] ^= 1 << bit.as_u64().unwrap();
    }
    if vector["cut"] == 1 {
        message.pop();
    }
    let len = message.len();
    let cipher = Cipher::new(&secret(vector["key"].as_str().unwrap_or(key)));
    let refused = cipher.open_in_place(&mut message).unwrap_err();
    match text(&vector["open"]) {
        "ENCRYPTION_ERROR" => assert_eq!(refused, OpenError::BadTag, "{id}"),
        "MESSAGE_TAMPERED" => {
            let [outer, inner] = [1, 0].map(SequenceNumber::new);
            assert_eq!(refused, OpenError::Tampered { outer, inner }, "{id}");
        }
        "MALFORMED_MESSAGE" => assert_eq!(refused, OpenError::TooShort { len }, "{id}"),
        other => panic!("{id}: {other}"),
    }
}

/// Those of 14.8.
#[test]
fn every_ring_has_its_keys() {
    let mut ids = Vec::new();
    for line in include_str!("../vectors/key_ring.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let ring = ring(text(&vector["ring"]));
        let leaf = Leaf::parse(text(&vector["leaf"])).unwrap();
        for pair in vector["keys"].as_array().unwrap() {
            let found = ring.key(leaf, number(&pair[0])).secret();
            assert_eq!(found, &secret(text(&pair[1])), "{} {}", vector["id"], pair[0]);
        }
        ids.push(text(&vector["id"]).to_owned());
    }
    assert_eq!(ids.join(" "), RINGS);
}

/// R3old and R3 are the event before a rotation and the first after it; E1 is the first event of all.
#[test]
fn a_ring_opens_both_sides_of_a_rotation() {
    let (legacy, ring) = (LegacyInnerSequence::Refuse, ring("A"));
    let mut opened = Vec::new();
    for line in include_str!("../vectors/protect.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = text(&vector["id"]);
        if !["E1", "R2", "R3old", "R3"].contains(&id) {
            continue;
        }
        let mut message = hex(text(&vector["message"]));
        let event = ring.open_in_place(legacy, Leaf::Event, &mut message).unwrap();
        assert_eq!(event.body, text(&vector["body"]).as_bytes(), "{id}");
        opened.push(id.to_owned());

        // The topics of `capabilities` know the first key only.
        let mut message = hex(text(&vector["message"]));
        let publish = ring.open_in_place(legacy, Leaf::CapabilitiesPublish, &mut message);
        assert_eq!(publish.err(), (id == "R3").then_some(OpenError::BadTag), "{id}");
    }
    assert_eq!(opened, ["E1", "R2", "R3old", "R3"]);
    for len in 0..HEADER_LEN {
        let refused = ring.open_in_place(legacy, Leaf::Event, &mut vec![0; len]).unwrap_err();
        assert_eq!(refused, OpenError::TooShort { len });
    }
}

fn ring(name: &str) -> KeyRing {
    let mut ring = KeyRing::new(&secret("K32"));
    let n = SequenceNumber::new;
    if name == "C" {
        // The vector says nothing of the other topics.
        let starts = Starts::new(n(0), n(4_294_967_290), n(0));
        ring.push(&secret("K3"), starts).unwrap();
        return ring;
    }
    let starts = Starts::new(n(12), n(40), n(8)).with_microphone(n(105));
    ring.push(&secret("KNEW"), starts).unwrap();
    if name == "B" {
        let starts = Starts::new(n(20), n(60), n(15)).with_microphone(n(200));
        ring.push(&secret("K3"), starts).unwrap();
    }
    ring
}

/// The secrets of section 14.2. K3 has no value there.
fn secret(name: &str) -> SharedSecret {
    let text = match name {
        "K32" => "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
        "K16" => "ea1d8a20f476d1e1ec952ca42708b8f7",
        "KNEW" => "c98462d4a48994572be077ec1230ce426c6cf8f18b4260d83b4dc79ed76eacba",
        "K3" => "0303030303030303030303030303030303030303030303030303030303030303",
        other => panic!("no secret {other}"),
    };
    SharedSecret::from_bytes(&hex(text)).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn number(value: &Value) -> SequenceNumber {
    SequenceNumber::new(u32::try_from(value.as_u64().unwrap()).unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

const MESSAGES: &str = "Z1 E1 E2 D1 D2 C1 C2 M1 M2 S1 S2 T1 R1 R2 R3old R3 L1 \
    T2 T2-iv T2-ciphertext T2-key T2-cut T2-number R3-key Z1-cut";
const RINGS: &str = "A-directive A-speaker A-event A-microphone A-publish A-acknowledge \
    B-directive B-event C-speaker";
