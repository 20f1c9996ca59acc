//! SASL frames: refusals by name, and agreement with a slow reference on anything.

use amqp_auth::sasl::{
    self, DEFAULT_LIMIT, DecodeError, Decoded, EncodeError, Frame, Header, Plain, PlainError,
};
use iot_sansio::amqp::SaslCode;
use proptest::{collection::vec, option, prelude::*, sample::Index};

#[path = "naive/sasl.rs"]
mod naive;

fn agrees(bytes: &[u8], limit: usize) {
    let decoded = sasl::decode(bytes, limit);
    let found = match &decoded {
        Ok(Decoded::Complete { frame, len }) => Some(Ok((naive::Frame::from(frame), *len))),
        Ok(Decoded::Partial { needed }) => Some(Err(*needed)),
        Err(_) => None,
    };
    assert_eq!(found, naive::decode(bytes, limit), "{decoded:?}");
}

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap().to_be_bytes()
}

fn byte(number: usize) -> u8 {
    u8::try_from(number).unwrap()
}

/// Bytes behind their length, as wide as asked for.
fn variable(wide: bool, [short, long]: [u8; 2], bytes: &[u8]) -> Vec<u8> {
    let mut out = if wide || bytes.len() > 255 {
        let mut out = vec![long];
        out.extend(word(bytes.len()));
        out
    } else {
        vec![short, byte(bytes.len())]
    };
    out.extend(bytes);
    out
}

/// A list or an array, as wide as asked for.
fn compound(wide: bool, [short, long]: [u8; 2], count: usize, items: &[u8]) -> Vec<u8> {
    let mut out = if wide || items.len() > 254 || count > 255 {
        let mut out = vec![long];
        out.extend(word(items.len() + 4));
        out.extend(word(count));
        out
    } else {
        vec![short, byte(items.len() + 1), byte(count)]
    };
    out.extend(items);
    out
}

/// A frame around a list of fields that are written already, with an extended header of so many words.
fn frame(extra: u8, descriptor: &[u8], wide: bool, fields: &[Vec<u8>]) -> Vec<u8> {
    let list = compound(wide, [0xc0, 0xd0], fields.len(), &fields.concat());
    let header = vec![0xee; usize::from(extra) * 4];
    let body = [&header[..], &[0], descriptor, &list].concat();
    let mut out = word(body.len() + 8).to_vec();
    out.extend([2 + extra, 1, 0, 0]);
    out.extend(body);
    out
}

fn any_descriptor(place: usize) -> impl Strategy<Value = Vec<u8>> {
    let name = ["mechanisms", "init", "challenge", "response", "outcome"][place];
    let code = 0x40 + byte(place);
    let symbol = format!("amqp:sasl-{name}:list").into_bytes();
    prop_oneof![
        Just(vec![0x53, code]),
        Just(vec![0x80, 0, 0, 0, 0, 0, 0, 0, code]),
        any::<bool>().prop_map(move |wide| variable(wide, [0xa3, 0xb3], &symbol)),
    ]
}

/// A frame, and one of the many ways to write it.
fn any_frame() -> impl Strategy<Value = (naive::Frame, Vec<u8>)> {
    let binary = || vec(any::<u8>(), 0..300);
    let name = || "[A-Z0-9_-]{0,20}";
    let frames = prop_oneof![
        vec(name(), 1..5).prop_map(naive::Frame::Mechanisms),
        (name(), option::of(binary()), option::of(".{0,20}")).prop_map(
            |(mechanism, response, hostname)| naive::Frame::Init { mechanism, response, hostname }
        ),
        binary().prop_map(naive::Frame::Challenge),
        binary().prop_map(naive::Frame::Response),
        (any::<u8>(), option::of(binary()))
            .prop_map(|(code, additional_data)| naive::Frame::Outcome { code, additional_data }),
    ];
    let place = |frame: &naive::Frame| match frame {
        naive::Frame::Mechanisms(_) => 0,
        naive::Frame::Init { .. } => 1,
        naive::Frame::Challenge(_) => 2,
        naive::Frame::Response(_) => 3,
        naive::Frame::Outcome { .. } => 4,
    };
    let written = frames.prop_flat_map(move |frame| {
        (any_descriptor(place(&frame)), Just(frame), any::<[bool; 4]>(), 0_u8..3)
    });
    written.prop_map(|(descriptor, read, [wide, wide_list, nulls, single], extra)| {
        let bytes_or_null = |kinds, bytes: Option<&[u8]>| {
            bytes.map_or(vec![0x40], |bytes| variable(wide, kinds, bytes))
        };
        let mut fields = match &read {
            naive::Frame::Mechanisms(names) if names.len() == 1 && single => {
                vec![variable(wide, [0xa3, 0xb3], names[0].as_bytes())]
            }
            naive::Frame::Mechanisms(names) => {
                let elements = names
                    .iter()
                    .flat_map(|name| variable(wide, [0xa3, 0xb3], name.as_bytes()).split_off(1));
                let constructor = if wide { 0xb3 } else { 0xa3 };
                let elements: Vec<u8> = [constructor].into_iter().chain(elements).collect();
                vec![compound(wide_list, [0xe0, 0xf0], names.len(), &elements)]
            }
            naive::Frame::Init { mechanism, response, hostname } => vec![
                variable(wide, [0xa3, 0xb3], mechanism.as_bytes()),
                bytes_or_null([0xa0, 0xb0], response.as_deref()),
                bytes_or_null([0xa1, 0xb1], hostname.as_ref().map(String::as_bytes)),
            ],
            naive::Frame::Challenge(data) | naive::Frame::Response(data) => {
                vec![variable(wide, [0xa0, 0xb0], data)]
            }
            naive::Frame::Outcome { code, additional_data } => {
                vec![vec![0x50, *code], bytes_or_null([0xa0, 0xb0], additional_data.as_deref())]
            }
        };
        while !nulls && fields.last().is_some_and(|field| *field == [0x40]) {
            fields.pop();
        }
        let bytes = frame(extra, &descriptor, wide_list, &fields);
        (read, bytes)
    })
}

proptest! {
    #[test]
    fn however_a_frame_is_written_it_is_read(
        (frame, bytes) in any_frame(),
        rest in vec(any::<u8>(), 0..4),
    ) {
        let mut buffer = bytes.clone();
        buffer.extend(rest);
        match sasl::decode(&buffer, DEFAULT_LIMIT) {
            Ok(Decoded::Complete { frame: read, len }) => {
                prop_assert_eq!(naive::Frame::from(&read), frame);
                prop_assert_eq!(len, bytes.len());
            }
            other => prop_assert!(false, "{:?}", other),
        }
        agrees(&buffer, DEFAULT_LIMIT);
    }

    #[test]
    fn the_start_of_a_frame_says_how_many_bytes_it_needs(
        (_, bytes) in any_frame(),
        cut in any::<Index>(),
    ) {
        let start = &bytes[..cut.index(bytes.len())];
        let needed = if start.len() < 4 { 8 } else { bytes.len() };
        prop_assert_eq!(sasl::decode(start, DEFAULT_LIMIT), Ok(Decoded::Partial { needed }));
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_before_it_has_arrived(
        (_, bytes) in any_frame(),
        below in 1_usize..100,
    ) {
        let limit = bytes.len().saturating_sub(below);
        let error = DecodeError::TooLong { size: u32::from_be_bytes(word(bytes.len())), limit };
        prop_assert_eq!(sasl::decode(&bytes[..4], limit), Err(error));
        prop_assert!(sasl::decode(&bytes, bytes.len()).is_ok());
    }

    #[test]
    fn a_changed_frame_is_read_as_the_reference_reads_it(
        (_, mut bytes) in any_frame(),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
        cut in option::of(any::<Index>()),
        limit in 8_usize..600,
    ) {
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        agrees(&bytes, limit);
    }

    #[test]
    fn any_bytes_in_a_frame_are_read_as_the_reference_reads_them(
        place in 0_u8..6,
        body in vec(
            prop_oneof![any::<u8>(), 0_u8..6, Just(0xc0), Just(0xa3), Just(0xa0), Just(0xe0)],
            0..40,
        ),
    ) {
        let mut bytes = word(body.len() + 11).to_vec();
        bytes.extend([2, 1, 0, 0, 0, 0x53, 0x40 + place]);
        bytes.extend(body);
        agrees(&bytes, DEFAULT_LIMIT);
    }

    #[test]
    fn any_bytes_at_all_are_read_as_the_reference_reads_them(bytes in vec(any::<u8>(), 0..64)) {
        agrees(&bytes, DEFAULT_LIMIT);
    }

    #[test]
    fn what_is_written_is_read(
        user_name in "[^\0]{1,300}",
        password in "[^\0]{1,50}",
        hostname in option::of(".{1,300}"),
    ) {
        let sent = sasl::encode_init(&user_name, &password, hostname.as_deref()).unwrap();
        let decoded = sasl::decode(sent.expose(), DEFAULT_LIMIT);
        let Ok(Decoded::Complete { frame: Frame::Init(init), len }) = decoded else {
            panic!("not an init");
        };
        prop_assert_eq!(len, sent.expose().len());
        prop_assert_eq!(init.hostname, hostname.as_deref());
        let plain = init.plain().unwrap();
        let sent = (user_name.as_bytes(), password.as_bytes());
        prop_assert_eq!((plain.user_name, plain.password), sent);
        if hostname.is_none() {
            prop_assert_eq!(sasl::init_len(user_name.len(), password.len()), len);
        }
    }

    #[test]
    fn what_is_offered_is_read(names in vec("[A-Z0-9_-]{1,20}", 1..40)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let sent = sasl::encode_mechanisms(&names).unwrap();
        let decoded = sasl::decode(&sent, DEFAULT_LIMIT);
        let Ok(Decoded::Complete { frame: Frame::Mechanisms(offered), len }) = decoded else {
            panic!("not mechanisms");
        };
        prop_assert_eq!(len, sent.len());
        prop_assert_eq!(offered.iter().collect::<Vec<_>>(), names);
    }

    #[test]
    fn a_message_of_plain_has_three_parts(
        message in vec(prop_oneof![Just(0), any::<u8>()], 0..30),
    ) {
        let parts: Vec<&[u8]> = message.split(|byte| *byte == 0).collect();
        let expected = match &parts[..] {
            [_, [], _] => Err(PlainError::EmptyUserName),
            [_, _, []] => Err(PlainError::EmptyPassword),
            [authzid, user_name, password] => Ok((*authzid, *user_name, *password)),
            _ => Err(PlainError::Nuls { nuls: parts.len() - 1 }),
        };
        let parsed = Plain::parse(&message);
        let parts = parsed.map(|plain| (plain.authzid, plain.user_name, plain.password));
        prop_assert_eq!(parts, expected);
    }
}

#[test]
fn what_cannot_be_written_says_why() {
    let init = |user_name, password, hostname| {
        sasl::encode_init(user_name, password, hostname).unwrap_err().to_string()
    };
    assert_eq!(init("", "p", None), "the user name is empty");
    assert_eq!(init("u", "", None), "the password is empty");
    assert_eq!(init("u", "p", Some("")), "the host name is empty");
    assert!(init("u\0", "p", None).contains("user name holds NUL at byte 1"));
    assert!(init("u", "pp\0", None).contains("password holds NUL at byte 2"));
    assert_eq!(sasl::encode_mechanisms(&[]), Err(EncodeError::NoMechanisms));
    for (place, names) in
        [(0, vec!["plain"]), (1, vec!["PLAIN", ""]), (0, vec!["A23456789012345678901"])]
    {
        assert_eq!(sasl::encode_mechanisms(&names), Err(EncodeError::BadMechanism { place }));
    }
}

#[test]
fn every_refusal_of_the_decoder_has_its_name_and_its_place() {
    let plain = b"\xa3\x05PLAIN";
    let init = |fields: &[&[u8]]| {
        let fields: Vec<Vec<u8>> = fields.iter().map(|field| field.to_vec()).collect();
        frame(0, &[0x53, 0x41], false, &fields)
    };
    let mechanisms = |field: &[u8]| frame(0, &[0x53, 0x40], false, &[field.to_vec()]);
    let with = |place: usize, byte: u8| {
        let mut bytes = init(&[plain]);
        bytes[place] = byte;
        bytes
    };
    for (expected, bytes) in [
        // The header of SASL where a frame should be.
        ("TooLong { size: 1095586128, limit: 8192 }", b"AMQP\x03\x01\x00\x00".to_vec()),
        ("TooShort { size: 7 }", vec![0, 0, 0, 7]),
        ("BadDataOffset { doff: 1 }", with(4, 1)),
        ("BadDataOffset { doff: 6 }", with(4, 6)),
        ("NotSasl { frame_type: 0 }", with(5, 0)),
        ("UnknownFrame { index: 8 }", with(8, 1)),
        ("UnknownFrame { index: 8 }", with(10, 0x45)),
        ("UnknownFrame { index: 8 }", with(9, 0x40)),
        ("Truncated { index: 8 }", vec![0, 0, 0, 8, 2, 1, 0, 0]),
        ("WrongType { field: \"the list\", index: 11, constructor: 193 }", with(11, 0xc1)),
        ("Truncated { index: 11 }", with(12, 9)),
        ("TrailingData { index: 20 }", with(12, 7)),
        ("TrailingData { index: 21 }", {
            let mut bytes = init(&[plain, b"\x40"]);
            bytes[13] = 1;
            bytes
        }),
        ("Missing { field: \"mechanism\" }", init(&[])),
        ("Missing { field: \"mechanism\" }", init(&[b"\x40"])),
        ("WrongType { field: \"mechanism\", index: 14, constructor: 161 }", with(14, 0xa1)),
        ("Truncated { index: 16 }", with(15, 6)),
        ("NotText { field: \"mechanism\", index: 14 }", with(16, 0xff)),
        ("NotText { field: \"hostname\", index: 22 }", init(&[plain, b"\x40", b"\xa1\x01\xff"])),
        ("TrailingData { index: 23 }", init(&[plain, b"\x40", b"\x40", b"\x40"])),
        ("Missing { field: \"sasl-server-mechanisms\" }", mechanisms(b"\x40")),
        ("NoMechanisms", mechanisms(b"\xe0\x02\x00\xa3")),
        ("NoMechanisms", mechanisms(b"\xe0\x01\x00")),
        (
            "WrongType { field: \"sasl-server-mechanisms\", index: 14, constructor: 160 }",
            mechanisms(b"\xa0\x01P"),
        ),
        (
            "WrongType { field: \"sasl-server-mechanisms\", index: 17, constructor: 161 }",
            mechanisms(b"\xe0\x04\x01\xa1\x01P"),
        ),
        (
            "NotText { field: \"sasl-server-mechanisms\", index: 18 }",
            mechanisms(b"\xe0\x04\x01\xa3\x01\x80"),
        ),
        ("TrailingData { index: 20 }", mechanisms(b"\xe0\x05\x01\xa3\x01PP")),
        ("Truncated { index: 20 }", mechanisms(b"\xe0\x04\xff\xa3\x01P")),
    ] {
        let decoded = sasl::decode(&bytes, DEFAULT_LIMIT);
        assert_eq!(format!("{:?}", decoded.unwrap_err()), expected, "{bytes:x?}");
    }
    let code = frame(0, &[0x53, 0x44], false, &[b"\x51\x00".to_vec()]);
    let error = sasl::decode(&code, DEFAULT_LIMIT).unwrap_err().to_string();
    assert_eq!(error, "code at byte 14 cannot have the type 0x51");
}

#[test]
fn a_count_that_no_bytes_can_hold_costs_nothing() {
    let elements = b"\xf0\x00\x00\x00\x07\xff\xff\xff\xff\xa3\x01P".to_vec();
    let bytes = frame(0, &[0x53, 0x40], false, &[elements]);
    assert_eq!(
        sasl::decode(&bytes, DEFAULT_LIMIT),
        Err(DecodeError::Truncated { index: bytes.len() })
    );
}

#[test]
fn another_mechanism_and_a_missing_response_are_told_apart() {
    let plain = |fields: &[Vec<u8>]| {
        let bytes = frame(0, &[0x53, 0x41], false, fields);
        match sasl::decode(&bytes, DEFAULT_LIMIT) {
            Ok(Decoded::Complete { frame: Frame::Init(init), .. }) => init.plain().map(|_| ()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(plain(&[b"\xa3\x09ANONYMOUS".to_vec()]), Err(PlainError::OtherMechanism));
    assert_eq!(plain(&[b"\xa3\x05PLAIN".to_vec()]), Err(PlainError::NoResponse));
    let empty = [b"\xa3\x05PLAIN".to_vec(), b"\xa0\x00".to_vec()];
    assert_eq!(plain(&empty), Err(PlainError::Nuls { nuls: 0 }));
}

#[test]
fn every_code_of_an_outcome_is_written_and_read() {
    for code in 0..=255 {
        let bytes = sasl::encode_outcome(SaslCode::new(code));
        let expected = naive::Frame::Outcome { code, additional_data: None };
        assert_eq!(naive::decode(&bytes, DEFAULT_LIMIT), Some(Ok((expected, 16))));
        agrees(&bytes, DEFAULT_LIMIT);
    }
}

#[test]
fn a_header_that_is_ours_in_no_way_is_named() {
    let version = |protocol, version| Header::Version { protocol, version };
    assert_eq!(Header::of(*b"AMQP\x01\x01\x00\x0a"), version(1, [1, 0, 10]));
    assert_eq!(Header::of(*b"AMQP\x03\x01\x00\x01"), version(3, [1, 0, 1]));
    // A TLS alert, as a port without AMQP might answer.
    assert_eq!(Header::of([21, 3, 3, 0, 2, 2, 70, 0]), Header::NotAmqp);
}
