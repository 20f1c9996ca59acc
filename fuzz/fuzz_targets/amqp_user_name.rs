//! Any bytes as a user name, read by the parser and by a naive one; what is read is built again, signed and verified.

#![no_main]

use amqp_auth::{Consumer, Credential, Key, ParseError, Policy, Signer, UserName, verify};
use libfuzzer_sys::fuzz_target;

#[path = "../../amqp-auth/tests/naive/user_name.rs"]
mod naive;

fuzz_target!(|bytes: &[u8]| {
    match (UserName::parse(bytes), naive::parse(bytes)) {
        (Ok(user_name), Ok(parts)) => {
            agrees(&user_name, &parts);
            survives_building(&user_name);
        }
        (Err(error), Err(expected)) => {
            assert_eq!(format!("{error:?}"), expected);
            explains_itself(&error, bytes);
        }
        (parsed, expected) => panic!("{parsed:?} instead of {expected:?}"),
    }
});

fn agrees(user_name: &UserName<'_>, parts: &naive::UserName) {
    assert_eq!(user_name.client_id(), parts.client_id);
    assert_eq!(user_name.instance_id(), parts.get("iotInstanceId").filter(|id| !id.is_empty()));
    assert_eq!(Some(user_name.auth_mode().as_str()), parts.get("authMode"));
    assert_eq!(user_name.security_token(), parts.get("securityToken"));
    let method = parts.get("signMethod").map(str::to_ascii_lowercase);
    assert_eq!(Some(user_name.sign_method().as_str()), method.as_deref());
    assert_eq!(Some(user_name.consumer_group_id()), parts.get("consumerGroupId"));
    assert_eq!(Some(user_name.auth_id()), parts.get("authId"));
    let timestamp = parts.get("timestamp").and_then(|digits| digits.parse().ok());
    assert_eq!(Some(user_name.timestamp().get()), timestamp);
    assert_eq!(user_name.extensions().collect::<Vec<_>>(), parts.extensions());
}

fn survives_building(user_name: &UserName<'_>) {
    let group_id = user_name.consumer_group_id();
    let mut consumer = Consumer::new(user_name.client_id(), group_id).expect("it was read");
    for (key, value) in user_name.extensions() {
        consumer = consumer.with_extension(key, value).expect("it was read");
    }
    // Building takes fewer instance ids than reading.
    if let Some(id) = user_name.instance_id() {
        match consumer.with_instance_id(id) {
            Ok(with_id) => consumer = with_id,
            Err(_) => return,
        }
    }
    let (auth_id, token) = (user_name.auth_id(), user_name.security_token());
    let credential = match token {
        None => Credential::key(auth_id, SECRET),
        Some(token) => Credential::sts(auth_id, SECRET, token, None),
    };
    let signer = Signer::new(&consumer, &credential, user_name.sign_method()).expect("it was read");
    let now = user_name.timestamp();
    let login = signer.login(now).expect("it was read");
    // Never longer than what was read: the order changes, and zeros and an empty instance id go.
    let built = UserName::parse(login.user_name().as_bytes()).expect("it was built");
    assert_eq!(built.client_id(), user_name.client_id());
    assert_eq!(built.instance_id(), user_name.instance_id());
    assert_eq!(built.auth_mode(), user_name.auth_mode());
    assert_eq!(built.security_token(), token);
    assert_eq!(built.sign_method(), user_name.sign_method());
    assert_eq!(built.consumer_group_id(), group_id);
    assert_eq!((built.auth_id(), built.timestamp()), (auth_id, now));
    assert!(built.extensions().eq(user_name.extensions()));

    let key = match token {
        None => Key::new(SECRET.as_bytes()),
        Some(token) => Key::temporary(SECRET.as_bytes(), token, None),
    };
    let (sent, password) = (login.user_name().as_bytes(), login.password().as_bytes());
    let verified = verify(sent, password, now, &Policy::strict(), &|_: &str| Some(key));
    assert!(verified.is_ok(), "{verified:?}");
}

fn explains_itself(error: &ParseError, bytes: &[u8]) {
    let printed = error.to_string();
    assert!(!printed.contains(char::is_control), "{printed:?}");
    match error {
        ParseError::TooLong { len } => assert_eq!(*len, bytes.len()),
        // All that is shown of the input is a name.
        ParseError::DuplicateKey { key } => assert!(printed.len() < key.len() + 100),
        _ => assert!(printed.len() < 200, "{printed}"),
    }
}

const SECRET: &str = "ExampleSecretKey00000000000001";
