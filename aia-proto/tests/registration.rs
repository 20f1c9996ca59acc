//! The vectors of specification section 14.2, run by id; what is saved is what is restored; secrets are not printed.

use std::str;

use aia_proto::{
    ApiVersion, ClientId, JsonFault, TopicRoot,
    protect::SharedSecret,
    registration::{
        Algorithm, Authentication, ErrorCode, FieldError, IotIdentity, KeyError, KeyPair,
        RecordError, Refusal, Registration, RegistrationError, Request, RequestError, Response,
        ResponseError, read_answer,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use naive::{node::Node, registration as naive_registration};
use proptest::{array::uniform32, option, prelude::*, sample::select};
use serde_json::{Value, json};
use sha2::Sha256;

mod naive {
    pub(crate) mod node;
    pub(crate) mod registration;
}

#[test]
fn every_registration_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/registration.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap().to_owned();
        if vector["secret"].is_string() {
            agreement(&id, &vector)
        } else {
            answer(&id, &vector)
        }
        ids.push(id);
    }
    assert_eq!((ids.len(), &ids[0], &ids[1]), (33, &"K32".to_owned(), &"K16".to_owned()));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 33, "an id comes twice");
}

fn agreement(id: &str, vector: &Value) {
    let pair = |side: &str| {
        let side = &vector[side];
        let pair = KeyPair::from_random(bytes(&side["private"]));
        assert_eq!(pair.public_key(), bytes::<32>(&side["public"]), "{id}");
        assert_eq!(STANDARD.encode(pair.public_key()), side["base64"].as_str().unwrap(), "{id}");
        pair
    };
    let (device, service) = (pair("device"), pair("service"));
    let algorithm: Algorithm = vector["algorithm"].as_str().unwrap().parse().unwrap();
    let secret = hex(vector["secret"].as_str().unwrap());
    for (own, other) in [(&device, &service), (&service, &device)] {
        let agreed = own.agree(algorithm, &other.public_key()).unwrap();
        assert_eq!(agreed.expose(), secret, "{id}");
        assert_eq!(agreed.len(), algorithm.key_len(), "{id}");
    }
    if let Some(prk) = vector["prk"].as_str() {
        let long = device.agree(Algorithm::Curve25519With32Bytes, &service.public_key()).unwrap();
        let extracted = hmac(&[0; 32], long.expose());
        assert_eq!(extracted.as_slice(), hex(prk), "{id}");
        assert_eq!(hmac(&extracted, &[1])[..16], secret, "{id}");
    }
}

fn answer(id: &str, vector: &Value) {
    let status = u16::try_from(vector["status"].as_u64().unwrap()).unwrap();
    let body = vector["body"].as_str().unwrap();
    match read_answer(status, body.as_bytes()) {
        Ok(response) => {
            assert_eq!(vector["ok"], true, "{id}");
            assert_eq!(response.topic_root.as_str(), "$aws/alexa", "{id}");
            assert_eq!(response.encode(), body.as_bytes(), "{id}");
            let keys = KeyPair::from_random([9; 32]);
            for algorithm in Algorithm::ALL {
                let error = keys.agree(algorithm, &response.public_key).err();
                let error = error.map(|error| format!("{error:?}"));
                assert_eq!(error.as_deref(), vector["keyError"].as_str(), "{id}");
            }
        }
        Err(error) => {
            let label = match &error {
                RegistrationError::Refused { refusal, .. } => match &refusal.code {
                    ErrorCode::Unknown(code) => format!("Unknown {code}"),
                    known => known.to_string(),
                },
                RegistrationError::BadResponse(ResponseError::BadField(error)) => {
                    format!("BadField {}", error.field)
                }
                RegistrationError::BadResponse(ResponseError::BadJson(error)) => {
                    format!("{:?}", error.fault)
                }
                RegistrationError::Status { .. } => "Status".to_owned(),
                other => panic!("{other}"),
            };
            assert_eq!(vector["error"], label, "{id}");
            assert_eq!(vector["retryable"], error.is_retryable(), "{id}");
            assert_eq!(vector["advice"], format!("{:?}", error.advice()), "{id}");
        }
    }
}

#[test]
fn every_request_vector_holds() {
    let (mut good, mut bad) = (0, 0);
    for line in include_str!("vectors/request.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let (id, body) = (vector["id"].as_str().unwrap(), vector["body"].as_str().unwrap());
        match Request::decode(body.as_bytes()) {
            Ok(request) => {
                assert_eq!(vector["ok"], true, "{id}");
                assert_eq!(request, known_request(), "{id}");
                let mut written: Value = serde_json::from_str(body).unwrap();
                written["iot"].as_object_mut().unwrap().remove("topicRoot");
                let encoded: Value = serde_json::from_slice(request.encode().expose()).unwrap();
                assert_eq!(encoded, written, "{id}");
                good += 1;
            }
            Err(RequestError::BadField(error)) => {
                assert_eq!(vector["error"], error.field, "{id}");
                let code = RequestError::BadField(error).code();
                assert_eq!(vector["code"], code.as_str(), "{id}");
                bad += 1;
            }
            Err(error) => panic!("{id}: {error}"),
        }
    }
    assert_eq!((good, bad), (2, 29));
}

fn known_request() -> Request {
    let public_key =
        bytes(&json!("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
    Request::new(
        Authentication::new("Atzr|token", "amzn1.application-oa2-client.0"),
        Algorithm::Curve25519With32Bytes,
        public_key,
        IotIdentity::new(
            "123456789012",
            ClientId::new("my-thing-01").unwrap(),
            "example-ats.iot.us-east-1.example",
        ),
    )
}

#[test]
fn a_request_is_written_in_the_order_of_the_specification() {
    assert_eq!(
        known_request().encode().expose_str(),
        Ok(concat!(
            r#"{"authentication":{"token":"Atzr|token","clientId":"amzn1.application-oa2-client.0"},"#,
            r#""encryption":{"algorithm":"ECDH_CURVE_25519_32_BYTE","#,
            r#""publicKey":"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="},"#,
            r#""iot":{"awsAccountId":"123456789012","clientId":"my-thing-01","#,
            r#""endpoint":"example-ats.iot.us-east-1.example"}}"#,
        ))
    );
    let bad = Request::decode(b"{}{}").unwrap_err();
    assert_eq!(bad.code(), ErrorCode::InvalidRequest);
}

#[test]
fn public_keys_of_small_order_are_refused() {
    let mut below_p = [0xff; 32];
    (below_p[0], below_p[31]) = (0xec, 0x7f);
    let mut one = [0; 32];
    one[0] = 1;
    let order_8 = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
    let keys = KeyPair::from_random([9; 32]);
    for public in [[0; 32], one, below_p, bytes(&json!(order_8))] {
        for algorithm in Algorithm::ALL {
            assert_eq!(keys.agree(algorithm, &public), Err(KeyError::ZeroSecret));
        }
    }
}

#[test]
fn an_answer_says_what_to_do() {
    let said = |status, body: &str| read_answer(status, body.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        said(400, r#"{"code":"INVALID_ENCRYPTION_DATA"}"#),
        "400 INVALID_ENCRYPTION_DATA: send it again once with a new key pair"
    );
    assert_eq!(said(503, "busy"), "status 503: send it again later, after growing pauses");
    assert_eq!(
        said(200, "{}"),
        "the answer to the registration cannot be read: `encryption` is missing: it must be an object"
    );
    // What comes from the network is not written as it is.
    let long = said(400, &format!(r#"{{"code":"\u0007\n{}"}}"#, "x".repeat(1000)));
    assert!(long.starts_with("400 \\u{7}\\nxxx") && long.len() < 200, "{long}");
}

#[test]
fn what_was_saved_in_part_or_by_another_format_is_refused() {
    let saved = record();
    let read = |change: &dyn Fn(&mut Value)| {
        let mut saved = saved.clone();
        change(&mut saved);
        match Registration::decode(saved.to_string().as_bytes()) {
            Err(RecordError::BadField(FieldError { field, is_missing, .. })) => {
                Err((field, is_missing))
            }
            Err(error) => panic!("{error}"),
            Ok(_) => Ok(()),
        }
    };
    assert_eq!(read(&|_| {}), Ok(()));
    let required =
        ["format", "topicRoot", "awsAccountId", "clientId", "version", "algorithm", "secret"];
    for name in required {
        let missing = read(&|saved| drop(saved.as_object_mut().unwrap().remove(name)));
        assert_eq!(missing, Err((name, true)));
    }
    for name in required.into_iter().chain(["previous", "capabilitiesDigest"]) {
        let odd = [json!(""), json!(-1), json!(65536), json!([]), json!("a\u{0}/"), json!(true)];
        for odd in odd {
            assert_eq!(read(&|saved| saved[name] = odd.clone()), Err((name, false)), "{odd}");
        }
    }
    for name in ["previous", "capabilitiesDigest"] {
        assert_eq!(read(&|saved| saved[name] = Value::Null), Ok(()));
    }
    assert_eq!(read(&|saved| saved["format"] = json!(2)), Err(("format", false)));
    // A secret has the length that the algorithm says.
    let short = json!(Algorithm::Curve25519With16BytesSha256.as_str());
    assert_eq!(read(&|saved| saved["algorithm"] = short.clone()), Err(("secret", false)));
    let short = json!(STANDARD.encode([1; 16]));
    assert_eq!(read(&|saved| saved["previous"] = short.clone()), Err(("previous", false)));
    let twice = saved.to_string().replacen('{', r#"{"version":1,"#, 1);
    let Err(RecordError::BadJson(error)) = Registration::decode(twice.as_bytes()) else {
        panic!("a member is there twice")
    };
    assert_eq!(error.fault, JsonFault::NamedTwice);
    let whole = saved.to_string();
    for len in 0..whole.len() {
        assert!(Registration::decode(&whole.as_bytes()[..len]).is_err(), "{len}");
    }
}

fn record() -> Value {
    json!({
        "format": 1, "topicRoot": "$aws/alexa", "awsAccountId": "123456789012",
        "clientId": "my-thing-01", "version": 1, "algorithm": "ECDH_CURVE_25519_32_BYTE",
        "secret": STANDARD.encode(CANARY), "previous": STANDARD.encode(CANARY),
        "capabilitiesDigest": STANDARD.encode([7; 32]),
    })
}

#[test]
fn secrets_are_not_printed() {
    let keys = KeyPair::from_random(*CANARY);
    let token = Authentication::new("canary-token", "client");
    let mut request = known_request();
    request.authentication = token.clone();
    let body = request.encode();
    let registration = Registration::decode(record().to_string().as_bytes()).unwrap();
    assert_eq!(registration.previous.as_ref().unwrap().expose(), CANARY);
    let saved = registration.encode();
    let mut printed = format!(
        "{keys:?} {token:?} {request:?} {request:#?} {body:?} {registration:?} {registration:#?} {saved:?}"
    );
    // Nor when what surrounds them is broken.
    for bad in ["", "5", "[]", "{\"a\":1,\"a\":2}"] {
        for (text, is_record) in [(body.expose_str(), false), (saved.expose_str(), true)] {
            for (at, _) in text.unwrap().match_indices([':', '"', ',']) {
                let mut broken = text.unwrap().to_owned();
                broken.insert_str(at, bad);
                let error = if is_record {
                    Registration::decode(broken.as_bytes()).map_err(|e| format!("{e} {e:?}")).err()
                } else {
                    Request::decode(broken.as_bytes()).map_err(|e| format!("{e} {e:?}")).err()
                };
                printed.extend(error);
            }
        }
    }
    let numbers = |bytes: &[u8]| {
        let numbers: Vec<_> = bytes.iter().map(u8::to_string).collect();
        numbers.join(", ")
    };
    let encoded = STANDARD.encode(CANARY);
    let canary = String::from_utf8_lossy(CANARY);
    for canary in ["canary-token", &canary[..8], &encoded[..8], &numbers(&CANARY[..4])] {
        assert!(!printed.contains(canary), "{canary} in {printed}");
    }
}

/// A private key and a shared secret.
const CANARY: &[u8; 32] = b"Canary, canary, canary, canary!!";

fn root() -> impl Strategy<Value = TopicRoot> {
    "[^+#\\p{Cc}]{1,20}[^/+#\\p{Cc}]"
        .prop_filter_map("what is before `/ais`", |root| TopicRoot::new(root).ok())
}

fn registration() -> impl Strategy<Value = Registration> {
    let secrets = (uniform32(any::<u8>()), option::of(uniform32(any::<u8>())));
    let ids = ("[^\\p{Cc}]{1,20}", "[^/+#\\p{Cc}]{1,20}");
    let algorithm = select(Algorithm::ALL.as_slice());
    let digest = option::of(uniform32(any::<u8>()));
    (root(), ids, any::<u16>(), algorithm, secrets, digest).prop_map(
        |(root, (account, client_id), version, algorithm, (secret, previous), digest)| {
            let secret_of =
                |bytes: &[u8; 32]| SharedSecret::from_bytes(&bytes[..algorithm.key_len()]).unwrap();
            let client_id = ClientId::new(client_id).unwrap();
            let (version, secret) = (ApiVersion::new(version), secret_of(&secret));
            let mut registration =
                Registration::new(root, account, client_id, version, algorithm, secret);
            registration.previous = previous.as_ref().map(secret_of);
            registration.capabilities_digest = digest;
            registration
        },
    )
}

/// A body with some values of strings and numbers exchanged for others.
fn changed(body: Value) -> impl Strategy<Value = String> {
    let odd = ["", "a", "a/b", "$aws/alexa/ais", "/ais", "x//ais/v1", "ais", "a+", "\u{7f}", "a/"];
    let odd =
        odd.map(Value::from).into_iter().chain([json!(0), json!(1.0), json!(65535), json!(65536)]);
    let odd = odd.chain([json!(null), json!([]), json!({}), json!(STANDARD.encode([3; 16]))]);
    let odd = odd.chain([json!(STANDARD.encode([3; 32])), json!(STANDARD.encode([3; 31]))]);
    let odd = odd.chain(Algorithm::ALL.map(|algorithm| json!(algorithm.as_str())));
    let odd = odd.collect::<Vec<_>>();
    proptest::collection::vec((any::<prop::sample::Index>(), select(odd)), 0..3).prop_map(
        move |changes| {
            let mut body = body.clone();
            for (index, value) in changes {
                let mut places = Vec::new();
                collect(&mut body, &mut places);
                let count = places.len();
                *places.swap_remove(index.index(count)) = value;
                if !body.is_object() {
                    break;
                }
            }
            body.to_string()
        },
    )
}

/// The values of an object, and of the objects in it, which are not objects themselves; else the value itself.
fn collect<'v>(value: &'v mut Value, places: &mut Vec<&'v mut Value>) {
    if value.as_object().is_none_or(|members| members.is_empty()) {
        places.push(value);
    } else if let Value::Object(members) = value {
        members.values_mut().for_each(|member| collect(member, places));
    }
}

fn known_body() -> Value {
    serde_json::from_slice(known_request().encode().expose()).unwrap()
}

fn known_answer() -> Value {
    json!({"encryption": {"publicKey": STANDARD.encode([3; 32])}, "iot": {"topicRoot": "$aws/alexa"}})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn bodies_are_read_as_a_naive_reader_does(
        request in changed(known_body()),
        answer in changed(known_answer()),
        saved in changed(record()),
    ) {
        use naive_registration as naive;
        let node = |body: &str| Node::of(body.as_bytes()).unwrap();
        prop_assert_eq!(naive::found_request(request.as_bytes()), naive::read_request(&node(&request)));
        prop_assert_eq!(naive::found_response(answer.as_bytes()), naive::read_response(&node(&answer)));
        prop_assert_eq!(naive::found_record(saved.as_bytes()), naive::read_record(&node(&saved)));
    }
}

proptest! {
    #[test]
    fn what_is_saved_is_what_is_restored(registration in registration()) {
        let saved = registration.encode();
        prop_assert_eq!(Registration::decode(saved.expose()), Ok(registration));
    }

    #[test]
    fn what_is_sent_is_what_is_received(
        token in "[^\\p{Cc}]{1,40}",
        ids in proptest::collection::vec("[^\\p{Cc}]{1,20}", 3),
        client_id in "[^/+#\\p{Cc}]{1,20}",
        algorithm in select(Algorithm::ALL.as_slice()),
        public_key: [u8; 32],
        root in root(),
    ) {
        let authentication = Authentication::new(token, ids[0].as_str());
        let iot = IotIdentity::new(ids[1].as_str(), ClientId::new(client_id).unwrap(), ids[2].as_str());
        let request = Request::new(authentication, algorithm, public_key, iot);
        prop_assert_eq!(Request::decode(request.encode().expose()), Ok(request));
        let response = Response::new(public_key, root);
        prop_assert_eq!(Response::decode(&response.encode()), Ok(response.clone()));
        prop_assert_eq!(read_answer(200, &response.encode()), Ok(response));
    }

    #[test]
    fn a_refusal_is_what_was_sent(code in ".{1,20}", description in option::of(".{0,1500}"), status in 300_u16..) {
        let mut refusal = Refusal::new(code.into());
        refusal.description = description;
        let read = Refusal::decode(&refusal.encode()).unwrap();
        prop_assert_eq!(&read.code, &refusal.code);
        let (kept, all) = (read.description.clone(), refusal.description.clone());
        prop_assert_eq!(kept.is_some(), all.is_some());
        let (kept, all) = (kept.unwrap_or_default(), all.unwrap_or_default());
        let next = all[kept.len()..].chars().next();
        prop_assert!(all.starts_with(&kept) && next.is_none_or(|ch| kept.len() + ch.len_utf8() > 1024));
        let refused = RegistrationError::Refused { status, refusal: read };
        prop_assert_eq!(read_answer(status, &refusal.encode()), Err(refused));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_sides_agree_as_the_rfcs_say(device: [u8; 32], service: [u8; 32]) {
        let keys = [device, service].map(KeyPair::from_random);
        let agreed = Algorithm::ALL.map(|algorithm| {
            let agreed = keys[0].agree(algorithm, &keys[1].public_key()).unwrap();
            assert_eq!(keys[1].agree(algorithm, &keys[0].public_key()), Ok(agreed.clone()));
            agreed
        });
        prop_assert_eq!(agreed[0].len(), 32);
        let derived = hmac(&hmac(&[0; 32], agreed[0].expose()), &[1]);
        prop_assert_eq!(&derived[..16], agreed[1].expose());
    }

    #[test]
    fn a_private_key_is_clamped_as_rfc_7748_says(mut key in uniform32(any::<u8>()), low in 0..8_u8, top: (bool, bool)) {
        let pair = KeyPair::from_random(key);
        key[0] = key[0] & 0xf8 | low;
        key[31] = key[31] & 0x3f | (u8::from(top.0) << 6) | (u8::from(top.1) << 7);
        prop_assert_eq!(KeyPair::from_random(key).public_key(), pair.public_key());
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    hex(value.as_str().unwrap()).try_into().unwrap()
}
