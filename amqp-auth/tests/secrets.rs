//! Nothing that can be printed shows a secret: neither as text nor as the numbers of its bytes.

use std::fmt::{Debug, Display};

use amqp_auth::{
    AuthMode, Consumer, Credential, Endpoint, IdleTimeout, Key, Policy, SignMethod, Signer, Stack,
    UnsignedLogin, UserName, sasl, verify,
};
use iot_sansio::UnixMillis;

const SECRET: &str = "canary-secret";
const TOKEN: &str = "canary-token";
const NOW: UnixMillis = UnixMillis::new(1_700_000_000_000);

/// What must not be seen: parts of every secret, each as text and as numbers.
fn canaries(login: &amqp_auth::Login) -> Vec<String> {
    let password = &login.password()[..8];
    let numbers =
        |text: &str| text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(",");
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let texts = ["canary", "-secret", "-token", password];
    texts.iter().flat_map(|text| [(*text).to_owned(), numbers(text), hex(text)]).collect()
}

fn login() -> amqp_auth::Login {
    signer().login(NOW).unwrap()
}

fn consumer() -> Consumer {
    let consumer = Consumer::new("c", "G").unwrap().with_instance_id("i").unwrap();
    consumer.with_extension("encode", "base64").unwrap()
}

fn credential() -> Credential {
    Credential::sts("K", SECRET, TOKEN, Some(NOW))
}

fn signer() -> Signer {
    Signer::new(&consumer(), &credential(), SignMethod::HmacSha256).unwrap()
}

fn keeps_quiet(value: &dyn Debug) {
    check(&format!("{value:?}"));
    check(&format!("{value:#?}"));
}

fn check(printed: &str) {
    let compact: String = printed.chars().filter(|ch| !ch.is_whitespace()).collect();
    for canary in canaries(&login()) {
        assert!(!printed.contains(&canary) && !compact.contains(&canary), "{printed}");
    }
}

fn explains_itself<T>(result: Result<T, impl Debug + Display>) {
    let Err(error) = result else { panic!("no error") };
    check(&error.to_string());
    keeps_quiet(&error);
}

#[test]
fn the_canaries_would_be_seen() {
    let login = login();
    for leak in [
        format!("{:?}", login.user_name()),
        format!("{:?}", TOKEN.as_bytes()),
        format!("{:#?}", SECRET.as_bytes()),
        format!("{:?}", login.password()),
        format!("{:x?}", SECRET.as_bytes()).replace(", ", ""),
    ] {
        let leaks = std::panic::catch_unwind(|| check(&leak));
        assert!(leaks.is_err(), "{leak}");
    }
}

#[test]
fn what_signs_keeps_quiet() {
    let Credential::Sts(sts) = credential() else { panic!("made with a token") };
    let Credential::Key(key) = Credential::key("K", SECRET) else { panic!("made without one") };
    let unsigned =
        UnsignedLogin::new(&consumer(), AuthMode::StsToken, "K", Some(TOKEN), SignMethod::HmacMd5);
    let unsigned = unsigned.unwrap();
    let parts: [&dyn Debug; 12] = [
        &credential(),
        &Credential::key("K", SECRET),
        &sts,
        &key,
        &consumer(),
        &signer(),
        &unsigned,
        &unsigned.string_to_sign(NOW),
        &login(),
        &login().report(),
        &login().into_secrets(),
        &SignMethod::ALL,
    ];
    parts.into_iter().for_each(keeps_quiet);
    login().report().warnings.iter().for_each(|warning| check(&warning.to_string()));
}

#[test]
fn what_verifies_keeps_quiet() {
    let login = login();
    let (user_name, password) = (login.user_name().as_bytes(), login.password().as_bytes());
    keeps_quiet(&UserName::parse(user_name));
    let key = Key::temporary(SECRET.as_bytes(), TOKEN, None);
    keeps_quiet(&key);
    let policy = Policy::strict();
    let verified = verify(user_name, password, NOW, &policy, &|_: &str| Some(key)).unwrap();
    let parts: [&dyn Debug; 3] = [&verified, &verified.unsigned, &policy];
    parts.into_iter().for_each(keeps_quiet);

    let expired = Key::temporary(SECRET.as_bytes(), TOKEN, Some(NOW));
    let other = Key::temporary(SECRET.as_bytes(), "canary-other", None);
    let wrong = Key::new(b"canary-wrong");
    for key in [expired, other, wrong] {
        explains_itself(verify(user_name, password, NOW, &policy, &|_: &str| Some(key)));
    }
    let late = UnixMillis::new(i64::MAX);
    explains_itself(verify(user_name, password, late, &policy, &|_: &str| Some(key)));
    explains_itself(verify(&user_name[..60], password, NOW, &policy, &|_: &str| Some(key)));
}

#[test]
fn refusals_of_what_holds_a_secret_keep_quiet() {
    for token in ["canary,token", "canary|token", "canary\ntoken", ""] {
        let credential = Credential::sts("K", SECRET, token, None);
        explains_itself(Signer::new(&consumer(), &credential, SignMethod::HmacSha1));
        let (mode, method) = (AuthMode::StsToken, SignMethod::HmacSha1);
        explains_itself(UnsignedLogin::new(&consumer(), mode, "K", Some(token), method));
    }
    explains_itself(signer().unsigned().login(NOW, SECRET.as_bytes()));
    let rest = "signMethod=hmacsha1,consumerGroupId=G,authId=K";
    for user_name in [
        format!("c|authMode=ststoken,securityToken={TOKEN},{rest}"),
        format!("c|authMode=ststoken,securityToken={TOKEN},{rest}|canary"),
        format!("c|authMode=ststoken,securityToken={TOKEN},{rest},timestamp=canary|"),
        format!("c|authMode=ststoken,securityToken=a,{TOKEN},{rest},timestamp=1|"),
        format!("c|authMode=ststoken,securityToken=a,{TOKEN}=,{rest},timestamp=1|"),
        format!("c|authMode=ststoken,securityToken={TOKEN},{rest},securityToken={TOKEN}|"),
        format!("c|authMode=aksign,securityToken={TOKEN},{rest},timestamp=1|"),
        format!("c|authMode=canary,securityToken={TOKEN},{rest},timestamp=1|"),
        format!("c|authMode=ststoken,signMethod=canary,securityToken={TOKEN}|"),
    ] {
        explains_itself(UserName::parse(user_name.as_bytes()));
    }
}

#[test]
fn sasl_keeps_quiet() {
    let login = login();
    let message = sasl::plain_response(login.user_name(), login.password()).unwrap();
    let init = sasl::encode_init(login.user_name(), login.password(), Some("h.example")).unwrap();
    let decoded = sasl::decode(init.expose(), sasl::DEFAULT_LIMIT).unwrap();
    let sasl::Decoded::Complete { frame: sasl::Frame::Init(frame), .. } = decoded else {
        panic!("not an init");
    };
    let plain = frame.plain().unwrap();
    let printed: [&dyn Debug; 5] = [&message, &init, &decoded, &frame, &plain];
    printed.into_iter().for_each(keeps_quiet);
    // Challenge, response and outcome, as other mechanisms have them.
    for (code, start) in [(0x42, &b""[..]), (0x43, b""), (0x44, b"\x50\x00")] {
        let count = if start.is_empty() { 1 } else { 2 };
        let data = [start, b"\xa0\x0d", SECRET.as_bytes()].concat();
        let len = u8::try_from(data.len()).unwrap();
        let mut bytes = vec![0, 0, 0, 14 + len, 2, 1, 0, 0, 0, 0x53, code];
        bytes.extend([0xc0, len + 1, count]);
        bytes.extend(data);
        let decoded = sasl::decode(&bytes, sasl::DEFAULT_LIMIT).unwrap();
        assert!(matches!(decoded, sasl::Decoded::Complete { .. }));
        keeps_quiet(&decoded);
    }
    explains_itself(sasl::plain_response("canary\0", "p"));
    explains_itself(sasl::plain_response("u", "canary\0"));
    explains_itself(sasl::encode_init("u", "canary\0", None));
    explains_itself(sasl::encode_mechanisms(&["canary"]));
    explains_itself(sasl::Plain::parse(b"canary-password"));
    for place in 4..init.expose().len() {
        let mut bytes = init.expose().to_vec();
        bytes[place] ^= 0xff;
        match sasl::decode(&bytes, sasl::DEFAULT_LIMIT) {
            // The name of the mechanism and the host are the peer's to choose, and are shown.
            Ok(decoded) => keeps_quiet(&decoded),
            Err(error) => explains_itself::<()>(Err(error)),
        }
    }
}

#[test]
fn places_keep_quiet_of_users() {
    explains_itself("amqps://canary:canary@h.example".parse::<Endpoint>());
    explains_itself("canary:canary@h.example".parse::<Endpoint>());
    explains_itself(Endpoint::new("canary@h.example"));
    explains_itself("amqps://h.example:canary".parse::<Endpoint>());
    let parts: [&dyn Debug; 3] = [&Endpoint::new("h"), &IdleTimeout::DEFAULT, &Stack::ALL];
    parts.into_iter().for_each(keeps_quiet);
}
