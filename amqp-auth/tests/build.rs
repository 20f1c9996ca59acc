//! Every refusal of specification section 3.3 by its name, and what the report says.

use amqp_auth::{
    AuthMode, BuildError, Consumer, Credential, Field, Login, SignMethod, Signer, UnsignedLogin,
    UserName, Warning,
};
use iot_sansio::{Secret, UnixMillis};

fn consumer() -> Consumer {
    Consumer::new("c", "G").unwrap()
}

fn signer(credential: &Credential) -> Result<Signer, BuildError> {
    Signer::new(&consumer(), credential, SignMethod::HmacSha1)
}

fn login(consumer: &Consumer, token: &str, timestamp: i64) -> Login {
    let credential = Credential::sts("K", "s", token, None);
    let signer = Signer::new(consumer, &credential, SignMethod::HmacSha256).unwrap();
    signer.login(UnixMillis::new(timestamp)).unwrap()
}

/// Which field, and where.
fn forbidden<T: std::fmt::Debug>(result: Result<T, BuildError>) -> (Field, usize) {
    match result.unwrap_err() {
        BuildError::ForbiddenChar { field, index, .. } => (field, index),
        other => panic!("{other:?}"),
    }
}

fn empty<T: std::fmt::Debug>(result: Result<T, BuildError>) -> Field {
    match result.unwrap_err() {
        BuildError::Empty { field, .. } => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_id_has_1_to_64_characters() {
    assert_eq!(Consumer::new("", "G"), Err(BuildError::ClientIdEmpty));
    let too_long = Err(BuildError::ClientIdTooLong { chars: 65 });
    assert_eq!(Consumer::new("x".repeat(65), "G"), too_long);
    assert_eq!(Consumer::new("é".repeat(65), "G"), too_long);
    assert!(Consumer::new("é".repeat(64), "G").is_ok());
}

#[test]
fn a_suffix_counts_as_part_of_the_client_id() {
    let consumer = |chars| Consumer::new("x".repeat(chars), "G").unwrap();
    assert!(consumer(62).with_suffix(9).is_ok());
    let too_long = Err(BuildError::ClientIdTooLong { chars: 65 });
    assert_eq!(consumer(62).with_suffix(10), too_long);
    assert_eq!(consumer(63).with_suffix(0), too_long);
}

#[test]
fn a_client_id_has_neither_bar_nor_control_characters() {
    for ch in ['|', '\0', '\n', '\u{7f}', '\u{85}'] {
        let error = BuildError::ClientIdForbiddenChar { index: 2, ch };
        assert_eq!(Consumer::new(format!("é{ch}"), "G"), Err(error));
    }
}

#[test]
fn a_client_id_is_never_trimmed() {
    let consumer = Consumer::new(" a, b = c ", "G").unwrap();
    assert!(login(&consumer, "t", 1).user_name().starts_with(" a, b = c |"));
}

#[test]
fn what_is_required_must_not_be_empty() {
    assert_eq!(empty(Consumer::new("c", "")), Field::ConsumerGroupId);
    assert_eq!(empty(signer(&Credential::key("", "s"))), Field::AuthId);
    assert_eq!(empty(signer(&Credential::key("K", ""))), Field::AccessKeySecret);
    assert_eq!(empty(signer(&Credential::sts("K", "s", "", None))), Field::SecurityToken);
    assert_eq!(empty(consumer().with_extension("", "v")), Field::Extension);
    assert_eq!(empty(consumer().with_extension("k", "")), Field::Extension);
}

#[test]
fn no_value_holds_what_the_grammar_cannot_express() {
    for ch in [',', '|', '\0', '\n', '\u{7f}', '\u{85}'] {
        let value = format!("é{ch}");
        assert_eq!(forbidden(Consumer::new("c", value.clone())), (Field::ConsumerGroupId, 2));
        assert_eq!(forbidden(signer(&Credential::key(value.as_str(), "s"))), (Field::AuthId, 2));
        let credential = Credential::sts("K", "s", value.as_str(), None);
        assert_eq!(forbidden(signer(&credential)), (Field::SecurityToken, 2));
        let extension = consumer().with_extension("k", value);
        assert_eq!(forbidden(extension), (Field::Extension, 2));
    }
    let not_text = Credential::sts("K", "s", Secret::from(b"ab\xff".as_slice()), None);
    assert_eq!(forbidden(signer(&not_text)), (Field::SecurityToken, 2));
    assert_eq!(forbidden(consumer().with_extension("a-b", "v")), (Field::Extension, 1));
}

#[test]
fn a_secret_may_hold_anything() {
    let secret = Secret::from(b"\xff\0,|\n".as_slice());
    assert!(signer(&Credential::key("K", secret)).is_ok());
}

#[test]
fn an_instance_id_has_letters_digits_hyphens_and_underscores() {
    for (id, index) in [("\"\"", 0), (" ", 0), ("iot.a", 3), ("iot-é", 4), ("a,b", 1)] {
        assert_eq!(forbidden(consumer().with_instance_id(id)), (Field::IotInstanceId, index));
    }
    let with_id = consumer().with_instance_id("iot-A_9").unwrap();
    assert!(login(&with_id, "t", 1).user_name().starts_with("c|iotInstanceId=iot-A_9,authMode="));
    let without = with_id.with_instance_id("").unwrap();
    assert_eq!(without, consumer());
    assert!(login(&without, "t", 1).user_name().starts_with("c|authMode="));
}

#[test]
fn a_token_belongs_to_its_mode() {
    let unsigned = |mode, token| {
        UnsignedLogin::new(&consumer(), mode, "K", token, SignMethod::HmacMd5).unwrap_err()
    };
    assert_eq!(unsigned(AuthMode::StsToken, None), BuildError::MissingSecurityToken);
    assert_eq!(unsigned(AuthMode::AkSign, Some("t")), BuildError::UnexpectedSecurityToken);
}

#[test]
fn no_timestamp_lies_before_1970() {
    let signer = signer(&Credential::key("K", "s")).unwrap();
    let before = UnixMillis::new(-1);
    let error = BuildError::BadTimestamp { timestamp: -1 };
    assert_eq!(signer.login(before).err(), Some(error.clone()));
    assert_eq!(signer.password_into(before, &mut [0; 44]), Err(error.clone()));
    assert_eq!(signer.unsigned().string_to_sign(before), Err(error.clone()));
    assert_eq!(signer.unsigned().login(before, &[0; 20]).err(), Some(error));
}

#[test]
fn a_key_is_there_once() {
    let duplicate = |key: &str| Err(BuildError::DuplicateKey { key: key.into() });
    let keys = [
        Field::IotInstanceId,
        Field::AuthMode,
        Field::SecurityToken,
        Field::SignMethod,
        Field::ConsumerGroupId,
        Field::AuthId,
        Field::Timestamp,
    ];
    for key in keys.map(Field::as_str) {
        for value in ["v", "", "a,b"] {
            assert_eq!(consumer().with_extension(key, value), duplicate(key));
        }
    }
    let once = consumer().with_extension("encode", "base64").unwrap();
    for value in ["none", "", "a|b"] {
        assert_eq!(once.clone().with_extension("encode", value), duplicate("encode"));
    }
    // Case counts.
    assert!(once.with_extension("authid", "v").is_ok());
}

#[test]
fn a_mac_is_raw() {
    let unsigned = signer(&Credential::key("K", "s")).unwrap().unsigned().clone();
    for len in [0, 16, 19, 21, 40] {
        let error = unsigned.login(UnixMillis::new(1), &vec![7; len]).unwrap_err();
        assert!(
            matches!(error, BuildError::MacLen { len: given, .. } if given == len),
            "{error:?}"
        );
        assert!(error.to_string().contains("20 bytes"), "{error}");
    }
}

#[test]
fn the_report_warns_of_what_may_be_refused() {
    let warnings = |consumer: &Consumer, token: &str, timestamp| {
        login(consumer, token, timestamp).report().warnings
    };
    assert_eq!(warnings(&consumer(), "t", 1_700_000_000_000), []);
    for timestamp in [1_000_000_000, 9_999_999_999] {
        let warning = Warning::LooksLikeSeconds { timestamp: UnixMillis::new(timestamp) };
        assert_eq!(warnings(&consumer(), "t", timestamp), [warning]);
    }
    for timestamp in [0, 999_999_999, 10_000_000_000] {
        assert_eq!(warnings(&consumer(), "t", timestamp), []);
    }
    let consumer = Consumer::new("é", "G").unwrap();
    assert_eq!(warnings(&consumer, "t", 0), [Warning::ClientIdNotAscii]);
}

#[test]
fn the_report_warns_from_513_bytes_on() {
    let report = |chars| login(&consumer(), &"t".repeat(chars), 0).report();
    let chars = 1 + 512 - report(1).sasl_init_len;
    // A longer token also takes the long forms: find the one that fills the frame.
    let full = (1..=chars).rev().find(|chars| report(*chars).sasl_init_len == 512).unwrap();
    assert_eq!(report(full).warnings, []);
    assert_eq!(report(full + 1).warnings, [Warning::SaslFrameTooLong { len: 513 }]);
}

#[test]
fn the_unsigned_fields_are_all_but_the_signed_ones() {
    let unsigned = login(&consumer(), "t", 0).report().unsigned;
    for field in [Field::AuthId, Field::AuthMode, Field::SecurityToken, Field::Timestamp] {
        assert!(!unsigned.contains(&field));
    }
    assert_eq!(unsigned.len(), 5);
}

#[test]
fn what_is_built_is_short_enough_to_be_read() {
    let limit = 16_384;
    let with_token = |chars| {
        let credential = Credential::sts("K", "s", "t".repeat(chars), None);
        signer(&credential).map(|signer| signer.login(UnixMillis::new(i64::MAX)).unwrap())
    };
    let rest = with_token(1).unwrap().user_name().len() - 1;
    let longest = with_token(limit - rest).unwrap();
    assert!(UserName::parse(longest.user_name().as_bytes()).is_ok());
    let refused = with_token(limit - rest + 1).unwrap_err();
    assert_eq!(refused, BuildError::TooLong { len: limit + 1 });
}

#[test]
fn no_more_extensions_are_built_than_are_read() {
    let mut consumer = consumer().with_instance_id("i").unwrap();
    for number in 0..57 {
        consumer = consumer.with_extension(format!("k{number}"), "v").unwrap();
    }
    let login = login(&consumer, "t", 0);
    assert_eq!(UserName::parse(login.user_name().as_bytes()).unwrap().extensions().count(), 57);
    assert_eq!(consumer.with_extension("k", "v"), Err(BuildError::TooManyExtensions));
}
