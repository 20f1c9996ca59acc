//! Any text as the URL of a certificate and as that of a confirmation, read by the crate and by rules that put together
//! what would be allowed.

#![no_main]

use std::sync::LazyLock;

use iot_sansio::UnixMillis;
use libfuzzer_sys::fuzz_target;
use smart_properties::{
    TopicArn,
    sns::{CertUrl, Certificate, Content, Digest, Envelope, PathRule, Verifier, Via},
};
use stand_in::{StandIn, signed};

#[path = "../../smart-properties/tests/naive/url.rs"]
mod naive;
#[path = "../../smart-properties/tests/verifying/stand_in.rs"]
mod stand_in;

fuzz_target!(|url: &str| {
    for (topic, host) in HOSTS {
        let topic = TopicArn::new(topic).expect("it is one");
        for (rule, strict) in [(PathRule::Strict, true), (PathRule::AnyPem, false)] {
            let parsed = CertUrl::parse(url, &topic, rule);
            assert_eq!(parsed.is_ok(), naive::certificate_url(url, host, strict));
            match parsed {
                Ok(parsed) => assert_eq!(parsed.as_str(), url),
                Err(error) => assert!(error.to_string().len() < 200),
            }
        }
    }
    confirms_only_what_was_asked(url);
});

fn confirms_only_what_was_asked(url: &str) {
    let (topic, host) = HOSTS[0];
    let arn = TopicArn::new(topic).expect("it is one");
    let Ok(envelope) = Envelope::subscription_confirmation(&arn, ID, TIMESTAMP, "m", TOKEN, url)
    else {
        assert!(url.contains(char::is_control));
        return;
    };
    let verifier = Verifier::new(Via::Http, [arn.clone()]);
    let unverified = verifier.check(signed(envelope, Digest::Sha256)).expect("it is ours");
    let verified = unverified.verify(&CERTIFICATE, &StandIn, NOW).expect("it is signed");
    let content = verified.content();
    assert_eq!(content.is_ok(), naive::subscribe_url(url, host, topic, TOKEN));
    match content {
        Ok(Content::Confirm(confirm)) => assert_eq!((confirm.url(), confirm.token()), (url, TOKEN)),
        Ok(content) => panic!("{content:?}"),
        Err(error) => assert!(error.to_string().len() < 200),
    }
}

static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(|| {
    let pem = include_bytes!("../../smart-properties/tests/vectors/certificates/C-GOOD.pem");
    Certificate::from_pem(pem).expect("it is one")
});
const HOSTS: [(&str, &str); 2] = [
    ("arn:aws:sns:us-east-1:123456789012:asp-events", "sns.us-east-1.amazonaws.com"),
    ("arn:aws-cn:sns:cn-north-1:123456789012:t", "sns.cn-north-1.amazonaws.com.cn"),
];
const ID: &str = "aaaaaaaa-0001-5000-8000-000000000001";
const TIMESTAMP: &str = "2024-05-01T10:00:03.120Z";
const TOKEN: &str = "0123456789abcdef";
const NOW: UnixMillis = UnixMillis::new(1_714_557_604_000);
