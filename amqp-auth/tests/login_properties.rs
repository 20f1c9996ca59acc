//! What is built is read, what is signed is verified, and nothing else is.

use amqp_auth::{
    AuthMode, Consumer, Credential, Key, Login, Policy, SignMethod, Signer, UserName, VerifyError,
    verify,
};
use iot_sansio::UnixMillis;
use proptest::{collection::vec, option, prelude::*, sample::Index};

#[path = "naive/user_name.rs"]
mod naive;

/// All that a login is made of.
#[derive(Clone, Debug)]
struct Parts {
    client_id: String,
    instance_id: Option<String>,
    group_id: String,
    auth_id: String,
    secret: Vec<u8>,
    token: Option<String>,
    method: SignMethod,
    timestamp: i64,
    extensions: Vec<(String, String)>,
}

impl Parts {
    fn login(&self) -> Login {
        let mut consumer = Consumer::new(self.client_id.as_str(), self.group_id.as_str()).unwrap();
        if let Some(id) = &self.instance_id {
            consumer = consumer.with_instance_id(id.as_str()).unwrap();
        }
        for (key, value) in &self.extensions {
            consumer = consumer.with_extension(key.as_str(), value.as_str()).unwrap();
        }
        let secret = self.secret.as_slice();
        let credential = match &self.token {
            None => Credential::key(self.auth_id.as_str(), secret),
            Some(token) => Credential::sts(self.auth_id.as_str(), secret, token.as_str(), None),
        };
        let signer = Signer::new(&consumer, &credential, self.method).unwrap();
        signer.login(self.now()).unwrap()
    }

    fn now(&self) -> UnixMillis {
        UnixMillis::new(self.timestamp)
    }

    fn verify(&self, user_name: &[u8], password: &[u8]) -> Result<(), VerifyError> {
        self.verify_in(user_name, password, &Policy::strict())
    }

    fn verify_in(
        &self,
        user_name: &[u8],
        password: &[u8],
        policy: &Policy,
    ) -> Result<(), VerifyError> {
        let store = |auth_id: &str| {
            let key = match &self.token {
                None => Key::new(&self.secret),
                Some(token) => Key::temporary(&self.secret, token, None),
            };
            (auth_id == self.auth_id).then_some(key)
        };
        verify(user_name, password, self.now(), policy, &store).map(|_| ())
    }
}

const CLIENT_ID: &str = "[^|\\p{Cc}]{1,64}";
const VALUE: &str = "[^|,\\p{Cc}]{1,40}";

fn any_parts() -> impl Strategy<Value = Parts> {
    let methods = prop::sample::select(SignMethod::ALL.to_vec());
    let key = "[a-z]{1,3}[0-9]{0,2}";
    let timestamp = prop_oneof![0..=i64::MAX, 0_i64..2_000_000_000_000];
    let names = (CLIENT_ID, option::of("[A-Za-z0-9_-]{1,20}"), VALUE, VALUE);
    let signed = (vec(any::<u8>(), 1..100), option::of(VALUE), methods, timestamp);
    (names, signed, vec((key, VALUE), 0..4)).prop_map(|(names, signed, mut extensions)| {
        extensions.sort();
        extensions.dedup_by(|a, b| a.0 == b.0);
        let (client_id, instance_id, group_id, auth_id) = names;
        let (secret, token, method, timestamp) = signed;
        Parts {
            client_id,
            instance_id,
            group_id,
            auth_id,
            secret,
            token,
            method,
            timestamp,
            extensions,
        }
    })
}

/// That our parser and the naive one say the same, refusals included.
fn agrees(bytes: &[u8]) {
    match (UserName::parse(bytes), naive::parse(bytes)) {
        (Ok(user_name), Ok(parts)) => {
            assert_eq!(user_name.client_id(), parts.client_id);
            let id = parts.get("iotInstanceId").filter(|id| !id.is_empty());
            assert_eq!(user_name.instance_id(), id);
            assert_eq!(Some(user_name.auth_mode().as_str()), parts.get("authMode"));
            assert_eq!(user_name.security_token(), parts.get("securityToken"));
            let method = user_name.sign_method().as_str();
            assert!(method.eq_ignore_ascii_case(parts.get("signMethod").unwrap()));
            assert_eq!(Some(user_name.consumer_group_id()), parts.get("consumerGroupId"));
            assert_eq!(Some(user_name.auth_id()), parts.get("authId"));
            let timestamp: i64 = parts.get("timestamp").unwrap().parse().unwrap();
            assert_eq!(user_name.timestamp().get(), timestamp);
            assert_eq!(user_name.extensions().collect::<Vec<_>>(), parts.extensions());
        }
        (Err(error), Err(expected)) => assert_eq!(format!("{error:?}"), expected),
        (parsed, expected) => panic!("{parsed:?} instead of {expected:?}"),
    }
}

/// What user names are made of, and what they are not.
fn any_piece() -> impl Strategy<Value = String> {
    let pieces = [
        "c",
        "|",
        "|",
        ",",
        ",",
        "=",
        "=",
        "authMode=aksign",
        "authMode=ststoken",
        "authMode=AKSIGN",
        "signMethod=hmacsha1",
        "signMethod=HmacSHA256",
        "signMethod=hmacsha512",
        "consumerGroupId=G",
        "consumerGroupId=",
        "authId=K",
        "timestamp=1",
        "timestamp=+1",
        "timestamp=0009",
        "timestamp=9223372036854775808",
        "securityToken=a=b==",
        "iotInstanceId=",
        "encode=base64",
        "encode=",
        "a-b=c",
        "é",
        "\0",
        "\u{85}",
        " ",
    ];
    prop::sample::select(pieces.to_vec()).prop_map(str::to_owned)
}

/// Any byte, often one that means something.
fn any_byte() -> impl Strategy<Value = u8> {
    prop_oneof![any::<u8>(), prop::sample::select(b"|,=a1 \0".to_vec())]
}

proptest! {
    #[test]
    fn what_is_built_is_read(parts in any_parts()) {
        let login = parts.login();
        let user_name = UserName::parse(login.user_name().as_bytes()).unwrap();
        prop_assert_eq!(user_name.client_id(), parts.client_id);
        prop_assert_eq!(user_name.instance_id(), parts.instance_id.as_deref());
        prop_assert_eq!(user_name.consumer_group_id(), parts.group_id);
        prop_assert_eq!(user_name.auth_id(), parts.auth_id);
        prop_assert_eq!(user_name.security_token(), parts.token.as_deref());
        prop_assert_eq!(user_name.auth_mode() == AuthMode::StsToken, parts.token.is_some());
        prop_assert_eq!(user_name.sign_method(), parts.method);
        prop_assert_eq!(user_name.timestamp(), UnixMillis::new(parts.timestamp));
        let extensions = parts.extensions.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        prop_assert!(user_name.extensions().eq(extensions));
        agrees(login.user_name().as_bytes());
    }

    #[test]
    fn what_is_signed_is_verified(parts in any_parts(), at in -600_000_i64..=600_000) {
        let login = parts.login();
        let (user_name, password) = (login.user_name().as_bytes(), login.password().as_bytes());
        prop_assert_eq!(password.len(), parts.method.password_len());
        let elsewhen = Parts { timestamp: parts.timestamp.saturating_add(at), ..parts };
        prop_assert_eq!(elsewhen.verify(user_name, password), Ok(()));
    }

    #[test]
    fn the_buffer_of_the_caller_gets_the_same_password(parts in any_parts()) {
        let consumer = Consumer::new("c", "G").unwrap();
        let credential = Credential::key(parts.auth_id.as_str(), parts.secret.as_slice());
        let signer = Signer::new(&consumer, &credential, parts.method).unwrap();
        let login = signer.login(parts.now()).unwrap();
        let mut buffer = [0; amqp_auth::MAX_PASSWORD_LEN];
        prop_assert_eq!(signer.password_into(parts.now(), &mut buffer), Ok(login.password()));
    }

    #[test]
    fn no_password_with_one_byte_changed_is_taken(parts in any_parts(), byte in any::<u8>()) {
        let login = parts.login();
        for place in 0..login.password().len() {
            let mut password = login.password().as_bytes().to_vec();
            if password[place] != byte {
                password[place] = byte;
                let verified = parts.verify(login.user_name().as_bytes(), &password);
                prop_assert_eq!(verified, Err(VerifyError::BadCredentials), "byte {}", place);
            }
        }
    }

    #[test]
    fn no_password_that_is_longer_or_shorter_is_taken(
        parts in any_parts(),
        byte in any::<u8>(),
        cut in any::<Index>(),
    ) {
        let login = parts.login();
        let user_name = login.user_name().as_bytes();
        let mut password = login.password().as_bytes().to_vec();
        password.push(byte);
        prop_assert_eq!(parts.verify(user_name, &password), Err(VerifyError::BadCredentials));
        password.truncate(cut.index(login.password().len()));
        prop_assert_eq!(parts.verify(user_name, &password), Err(VerifyError::BadCredentials));
    }

    #[test]
    fn no_other_signed_field_is_taken(
        parts in any_parts(),
        auth_id in VALUE,
        token in VALUE,
        timestamp in 0..=i64::MAX,
    ) {
        let login = parts.login();
        let others = [
            Parts { auth_id, ..parts.clone() },
            Parts { token: parts.token.clone().map(|_| token), ..parts.clone() },
            Parts { timestamp, ..parts.clone() },
        ];
        for other in others {
            let (user_name, password) = (other.login(), login.password().as_bytes());
            if user_name.user_name() != login.user_name() {
                // The store knows the other id, and no window helps.
                let store = Parts { token: parts.token.clone(), ..other };
                let policy = Policy::vendor_compatible();
                let verified = store.verify_in(user_name.user_name().as_bytes(), password, &policy);
                prop_assert_eq!(verified, Err(VerifyError::BadCredentials));
            }
        }
    }

    #[test]
    fn leading_zeros_are_signed_as_they_are_written(parts in any_parts(), zeros in 1_usize..4) {
        let parts = Parts { timestamp: parts.timestamp % 1_000_000_000_000, ..parts };
        let login = parts.login();
        let digits = parts.timestamp.to_string();
        let text = format!("{}{digits}", "0".repeat(zeros));
        let [from, to] = [digits, text].map(|text| format!(",timestamp={text}"));
        let changed = login.user_name().replace(&from, &to);
        prop_assert_eq!(UserName::parse(changed.as_bytes()).unwrap().timestamp(), parts.now());
        let verified = parts.verify(changed.as_bytes(), login.password().as_bytes());
        prop_assert_eq!(verified, Err(VerifyError::BadCredentials));
    }

    #[test]
    fn what_is_not_signed_can_be_changed(
        parts in any_parts(),
        client_id in CLIENT_ID,
        group_id in VALUE,
    ) {
        let login = parts.login();
        let (instance_id, extensions) = (None, vec![]);
        let other = Parts { client_id, group_id, instance_id, extensions, ..parts.clone() }.login();
        let verified = parts.verify(other.user_name().as_bytes(), login.password().as_bytes());
        prop_assert_eq!(verified, Ok(()));
    }

    #[test]
    fn any_bytes_are_read_as_the_reference_reads_them(bytes in vec(any::<u8>(), 0..60)) {
        agrees(&bytes);
    }

    #[test]
    fn any_pieces_are_read_as_the_reference_reads_them(pieces in vec(any_piece(), 0..24)) {
        agrees(pieces.concat().as_bytes());
    }

    #[test]
    fn any_parameters_are_read_as_the_reference_reads_them(
        pieces in vec(any_piece(), 0..12),
        start in 0_usize..2,
    ) {
        let known = "authMode=aksign,signMethod=hmacsha1,consumerGroupId=G,authId=K,timestamp=1";
        let params: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let params = [&[known, ""][start..=start], &params].concat().join(",");
        agrees(format!("c|{params}|").as_bytes());
    }

    #[test]
    fn a_changed_user_name_is_read_as_the_reference_reads_it(
        parts in any_parts(),
        changes in vec((any::<Index>(), any_byte()), 1..4),
    ) {
        let mut bytes = parts.login().user_name().as_bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        agrees(&bytes);
    }
}

#[test]
fn no_more_than_64_parameters_and_16384_bytes_are_read() {
    let known = "c|authMode=aksign,signMethod=hmacsha1,consumerGroupId=G,authId=K,timestamp=1";
    let with = |extensions: usize| {
        let extensions: String = (0..extensions).map(|number| format!(",e{number}=v")).collect();
        format!("{known}{extensions}|")
    };
    for extensions in [58, 59, 60] {
        agrees(with(extensions).as_bytes());
        assert_eq!(UserName::parse(with(extensions).as_bytes()).is_ok(), extensions <= 59);
    }
    for len in [16_384, 16_385] {
        let padding = "v".repeat(len - known.len() - ",e=|".len());
        let text = format!("{known},e={padding}|");
        assert_eq!(text.len(), len);
        agrees(text.as_bytes());
        assert_eq!(UserName::parse(text.as_bytes()).is_ok(), len == 16_384);
    }
}
