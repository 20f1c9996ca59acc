//! The vectors D01 to D25 of specification section 15.D, run by id.

use std::{collections::BTreeMap, error::Error as _, time::Duration};

use amqp_auth::{
    Consumer, Credential, Key, KeyStore, Policy, SignMethod, Signer, Unavailable, UserName,
    Verified, VerifyError, verify,
};
use iot_sansio::{Secret, UnixMillis, amqp::SaslCode};
use serde_json::Value;

#[test]
fn every_verify_vector_holds() {
    let signatures: BTreeMap<String, Value> = include_str!("vectors/signatures.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|vector| (vector["id"].as_str().unwrap().to_owned(), vector))
        .collect();
    let mut ids = Vec::new();
    for line in include_str!("vectors/verify.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let signature = &signatures[vector["credential"].as_str().unwrap()];
        let part = |key: &str| vector[key].as_str().or(signature[key].as_str()).unwrap();
        let policy = match vector["policy"].as_str().unwrap() {
            "strict" => Policy::strict(),
            "none" => Policy::vendor_compatible(),
            other => panic!("{id}: no policy {other}"),
        };
        let (user_name, password) = (part("userName").as_bytes(), part("password").as_bytes());
        let now = UnixMillis::new(vector["now"].as_i64().unwrap());
        let verify_in =
            |store: Store<'_>| printed(verify(user_name, password, now, &policy, &store));

        let is_long = vector["credential"] == "A13";
        let secret = if is_long { signature["secret"].as_str().unwrap() } else { SECRET };
        let store = Store { secret, authorizes: true };
        assert_eq!(verify_in(store), vector["expected"], "{id}");
        if let Some(expected) = vector.get("unauthorized") {
            assert_eq!(verify_in(Store { secret, authorizes: false }), *expected, "{id}");
        }
        ids.push(id.to_owned());
    }
    let expected: Vec<String> = (1..=25).map(|number| format!("D{number:02}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn a_temporary_key_signs_with_its_own_token_only() {
    let login = signer("token-1").login(NOW).unwrap();
    let verify = |key: Key<'_>| {
        let (user_name, password) = (login.user_name().as_bytes(), login.password().as_bytes());
        printed(verify(user_name, password, NOW, &Policy::strict(), &|_: &str| Some(key)))
    };
    let secret = TEMP_SECRET.as_bytes();
    assert_eq!(verify(Key::temporary(secret, "token-1", None)), "accept");
    assert_eq!(verify(Key::temporary(secret, "token-2", None)), "TokenMismatch");
    assert_eq!(verify(Key::temporary(secret, "token-10", None)), "TokenMismatch");
    assert_eq!(verify(Key::new(secret)), "TokenMismatch");
    // At the very moment it is over.
    assert_eq!(verify(Key::temporary(secret, "token-1", Some(NOW))), "TokenExpired");
    let later = NOW.after(Duration::from_millis(1));
    assert_eq!(verify(Key::temporary(secret, "token-1", Some(later))), "accept");
}

#[test]
fn a_temporary_key_without_its_token_is_refused() {
    let consumer = Consumer::new("c", "G").unwrap();
    let credential = Credential::key("STS.K", TEMP_SECRET);
    let signer = Signer::new(&consumer, &credential, SignMethod::HmacSha1);
    let login = signer.unwrap().login(NOW).unwrap();
    let (user_name, password) = (login.user_name().as_bytes(), login.password().as_bytes());
    let store = |_: &str| Some(Key::temporary(TEMP_SECRET.as_bytes(), "token-1", None));
    let verified = verify(user_name, password, NOW, &Policy::strict(), &store);
    assert_eq!(printed(verified), "TokenMismatch");
}

#[test]
fn an_empty_secret_is_no_key() {
    // To HMAC a key of zeros is the empty one.
    let consumer = Consumer::new("c", "G").unwrap();
    let credential = Credential::key("K", Secret::from([0; 64].as_slice()));
    let signer = Signer::new(&consumer, &credential, SignMethod::HmacSha1).unwrap();
    let login = signer.login(NOW).unwrap();
    let (user_name, password) = (login.user_name().as_bytes(), login.password().as_bytes());
    let store = |_: &str| Some(Key::new(b""));
    let verified = verify(user_name, password, NOW, &Policy::strict(), &store);
    assert_eq!(verified, Err(VerifyError::BadCredentials));
    let store = |_: &str| Some(Key::new(&[0; 64]));
    assert!(verify(user_name, password, NOW, &Policy::strict(), &store).is_ok(), "the same key");
}

#[test]
fn a_chain_of_errors_says_each_thing_once() {
    let store = |_: &str| None;
    let error = verify(b"c", b"", NOW, &Policy::strict(), &store).unwrap_err();
    assert_eq!(error, VerifyError::Malformed(UserName::parse(b"c").unwrap_err()));
    assert_eq!(error.to_string(), UserName::parse(b"c").unwrap_err().to_string());
    assert!(error.source().is_none(), "it is what is said already");
}

#[test]
fn an_unknown_key_and_a_wrong_password_look_the_same() {
    let login = signer("t").login(NOW).unwrap();
    let user_name = login.user_name().as_bytes();
    let unknown =
        verify(user_name, login.password().as_bytes(), NOW, &Policy::strict(), &|_: &str| None);
    let known = |_: &str| Some(Key::temporary(TEMP_SECRET.as_bytes(), "t", None));
    let wrong = verify(user_name, b"wrong", NOW, &Policy::strict(), &known);
    assert_eq!(unknown, wrong);
    assert_eq!(unknown, Err(VerifyError::BadCredentials));
    // Nor does a wrong password tell that the clock is off.
    let late = NOW.after(Duration::from_secs(86_400));
    assert_eq!(verify(user_name, b"wrong", late, &Policy::strict(), &known), wrong);
}

#[test]
fn the_peer_is_told_auth_unless_the_store_cannot_be_asked() {
    let login = signer("t").login(NOW).unwrap();
    let (user_name, password) = (login.user_name().as_bytes(), login.password().as_bytes());
    let error = verify(user_name, password, NOW, &Policy::strict(), &Gone).unwrap_err();
    assert_eq!(error, VerifyError::from(Unavailable));
    assert_eq!(error.sasl_code(), SaslCode::SYS_TEMP);
    let unknown = |_: &str| None;
    let error = verify(user_name, password, NOW, &Policy::strict(), &unknown).unwrap_err();
    assert_eq!(error.sasl_code(), SaslCode::AUTH);
    let error = verify(b"c", password, NOW, &Policy::strict(), &unknown).unwrap_err();
    assert_eq!(error.sasl_code(), SaslCode::AUTH);
}

#[test]
fn the_window_has_a_bound_for_each_side() {
    let login = signer("t").login(NOW).unwrap();
    let (user_name, password) = (login.user_name().as_bytes(), login.password().as_bytes());
    let store = |_: &str| Some(Key::temporary(TEMP_SECRET.as_bytes(), "t", None));
    let span = Duration::from_millis(5);
    let policy = Policy::within(span).with_future(None);
    let at = |now| printed(verify(user_name, password, now, &policy, &store));
    assert_eq!(at(NOW.after(span)), "accept");
    assert_eq!(at(NOW.after(Duration::from_millis(6))), "Stale { age_ms: 6 }");
    assert_eq!(at(UnixMillis::new(i64::MIN)), "accept");
    assert_eq!(
        at(UnixMillis::new(i64::MAX)),
        format!("Stale {{ age_ms: {} }}", i64::MAX - NOW.get())
    );
}

/// `accept`, or the refusal as `Debug` prints it.
fn printed(verified: Result<Verified<'_>, VerifyError>) -> String {
    match verified {
        Ok(_) => "accept".into(),
        Err(error) => format!("{error:?}"),
    }
}

fn signer(token: &str) -> Signer {
    let consumer = Consumer::new("c", "G").unwrap();
    let credential = Credential::sts("STS.K", TEMP_SECRET, token, None);
    Signer::new(&consumer, &credential, SignMethod::HmacSha256).unwrap()
}

/// The keys of section 15.D.
struct Store<'a> {
    secret: &'a str,
    authorizes: bool,
}

impl<'a> KeyStore<'a> for Store<'a> {
    fn key(&self, auth_id: &str) -> Result<Option<Key<'a>>, Unavailable> {
        let expires_at = UnixMillis::new(1_573_489_088_171 + 3_600_000);
        Ok(match auth_id {
            "LTAI5tEXAMPLEKEY00000001" => Some(Key::new(self.secret.as_bytes())),
            "STS.EXAMPLEKEY0000000000002" => {
                Some(Key::temporary(TEMP_SECRET.as_bytes(), TOKEN, Some(expires_at)))
            }
            _ => None,
        })
    }

    fn is_authorized(&self, _login: &Verified<'_>) -> bool {
        self.authorizes
    }
}

struct Gone;

impl KeyStore<'static> for Gone {
    fn key(&self, _auth_id: &str) -> Result<Option<Key<'static>>, Unavailable> {
        Err(Unavailable)
    }

    fn is_authorized(&self, _login: &Verified<'_>) -> bool {
        true
    }
}

const NOW: UnixMillis = UnixMillis::new(1_700_000_000_000);
const SECRET: &str = "ExampleSecretKey00000000000001";
const TEMP_SECRET: &str = "ExampleTempSecret000000000000000000000000002";
const TOKEN: &str = "CAISEXAMPLETOKEN+abc/def0123456789==";
