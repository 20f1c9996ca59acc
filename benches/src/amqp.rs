//! `amqp-auth`, beside bare HMAC and base64.

use std::hint::black_box;

use amqp_auth::{Consumer, Credential, Key, MAX_PASSWORD_LEN, Policy, SignMethod, Signer, verify};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use iot_sansio::UnixMillis;
use sha1::Sha1;

/// What is signed: vector A02 of the specification.
pub const STRING_TO_SIGN: &str = "authId=LTAI5tEXAMPLEKEY00000001&timestamp=1573489088171";

const USER_NAME: &str = "client-01|iotInstanceId=iot-060a0example,authMode=aksign,signMethod=hmacsha1,\
    consumerGroupId=DEFAULT_GROUP,authId=LTAI5tEXAMPLEKEY00000001,timestamp=1573489088171|";
const PASSWORD: &str = "GQ4mXPdhWDKJd+gKKxhGwGl7nIY=";
const AUTH_ID: &str = "LTAI5tEXAMPLEKEY00000001";
const SECRET: &str = "ExampleSecretKey00000000000001";
const NOW: UnixMillis = UnixMillis::new(1_573_489_088_171);

/// Builds user name and password so many times, with a key that is prepared.
///
/// # Panics
/// If the vector is refused, which a benchmark cannot go on without. So do the others.
pub fn login(times: usize) {
    let signer = signer();
    assert_eq!(signer.login(NOW).expect("a login").password(), PASSWORD);
    for _ in 0..times {
        _ = black_box(black_box(&signer).login(black_box(NOW)));
    }
}

/// Signs so many times into one buffer, with a key that is prepared.
///
/// # Panics
/// See [`login`].
pub fn sign(times: usize) {
    let (signer, mut password) = (signer(), [0; MAX_PASSWORD_LEN]);
    assert_eq!(signer.password_into(NOW, &mut password), Ok(PASSWORD));
    for _ in 0..times {
        _ = black_box(black_box(&signer).password_into(black_box(NOW), &mut password));
    }
}

/// Takes the MAC of [`STRING_TO_SIGN`] so many times, with a key that is prepared, as base64 into one buffer.
///
/// # Panics
/// See [`login`].
pub fn bare_prepared(times: usize) {
    let key = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    let text = STRING_TO_SIGN.to_owned();
    let mut password = [0; MAX_PASSWORD_LEN];
    for _ in 0..times {
        let mut mac = black_box(&key).clone();
        mac.update(black_box(text.as_bytes()));
        _ = black_box(STANDARD.encode_slice(mac.finalize().into_bytes(), &mut password));
    }
    assert!(times == 0 || password.starts_with(PASSWORD.as_bytes()));
}

/// Verifies the login of the vector so many times.
///
/// # Panics
/// See [`login`].
pub fn verify_received(times: usize) {
    // On the heap, where received bytes are.
    let (user_name, password) = (USER_NAME.to_owned(), PASSWORD.to_owned());
    let secret = SECRET.to_owned();
    // Looking a key up is not what is measured.
    let store = |_: &str| Some(Key::new(secret.as_bytes()));
    let policy = Policy::strict();
    let run = || {
        let (user_name, password) =
            (black_box(user_name.as_bytes()), black_box(password.as_bytes()));
        verify(user_name, password, black_box(NOW), &policy, &store)
    };
    assert!(run().is_ok());
    for _ in 0..times {
        _ = black_box(&run());
    }
}

/// Takes the MAC of [`STRING_TO_SIGN`] so many times, with a fresh key, as base64 into one buffer.
///
/// # Panics
/// See [`login`].
pub fn bare_fresh(times: usize) {
    let (secret, text) = (SECRET.to_owned(), STRING_TO_SIGN.to_owned());
    let mut password = [0; MAX_PASSWORD_LEN];
    for _ in 0..times {
        let key = Hmac::<Sha1>::new_from_slice(black_box(secret.as_bytes()));
        let mut mac = key.expect("a key of any length");
        mac.update(black_box(text.as_bytes()));
        _ = black_box(STANDARD.encode_slice(mac.finalize().into_bytes(), &mut password));
    }
    assert!(times == 0 || password.starts_with(PASSWORD.as_bytes()));
}

fn signer() -> Signer {
    let consumer = Consumer::new("client-01", "DEFAULT_GROUP").expect("a consumer");
    let consumer = consumer.with_instance_id("iot-060a0example").expect("an instance id");
    let credential = Credential::key(AUTH_ID, SECRET);
    Signer::new(&consumer, &credential, SignMethod::HmacSha1).expect("a credential")
}
