//! Two validators of other people judge the same messages as we do. Where they differ from us stands here, vector by
//! vector: Amazon's own, sns-validator 0.3.5, and sns-payload-validator 2.1.0, both on Node.

use std::collections::BTreeMap;

use examples::peers::{OpenSsl, Script};
use serde_json::{Value, json};

use crate::{
    SIGNER, ours,
    signed::{self, CERTIFICATE_URL},
    vectors,
};

/// Who takes a message: Amazon's validator, the other one, we.
type Verdict = [bool; 3];

const ALL: Verdict = [true, true, true];
const NONE: Verdict = [false, false, false];
/// Amazon's leaves the `Token` out of what it takes as signed in an UnsubscribeConfirmation (specification, A-18).
const NOT_AMAZONS: Verdict = [false, true, true];
const AMAZONS_ALONE: Verdict = [true, false, false];
const NOT_OURS: Verdict = [true, true, false];

#[tokio::test]
async fn validators_take_the_vectors() {
    let Some(mut validators) = Validators::start() else { return };
    let pem = vectors::certificate_pem();
    validators.trust(vectors::good().values().map(url), &pem).await;
    for (id, verdict) in validators.judge(vectors::good(), &pem).await {
        assert_eq!(verdict, if id == "S-09" { NOT_AMAZONS } else { ALL }, "{id}");
    }
}

#[tokio::test]
async fn validators_differ_from_us_where_they_are_known_to() {
    let Some(mut validators) = Validators::start() else { return };
    let (pem, changed) = (vectors::certificate_pem(), vectors::changed());
    validators.trust(changed.iter().map(|(_, message)| url(message)), &pem).await;
    for (id, verdict) in validators.judge(changed, &pem).await {
        let expected = match &*id {
            // They read what they can of base64.
            "N-S8" => NOT_OURS,
            // Another message than was signed, by the same text: they look at no value for a line feed.
            "N-S14" => NOT_OURS,
            // Signed without the token, for which anybody could put another.
            "N-S6" => AMAZONS_ALONE,
            "N-S10" | "N-S11" | "N-S13" => ALL,
            _ => NONE,
        };
        assert_eq!(verdict, expected, "{id}");
    }
}

/// Whoever has the certificate fetched from a place of his own can forge messages.
#[tokio::test]
async fn validators_fetch_certificates_from_where_we_do_not() {
    let Some(mut validators) = Validators::start() else { return };
    let pem = vectors::certificate_pem();
    let with_url = |(id, url): (String, String)| {
        let mut message = vectors::good()["S-02"].clone();
        message["SigningCertURL"] = json!(url);
        (id, message)
    };
    let messages: Vec<_> = vectors::certificate_urls().into_iter().map(with_url).collect();
    validators.trust(messages.iter().map(|(_, message)| url(message)), &pem).await;
    let verdicts = validators.judge(messages, &pem).await;
    let by = |judge: usize| {
        let taken = verdicts.iter().filter(|(_, verdict)| verdict[judge]);
        taken.map(|(id, _)| id.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(by(2), ["U-01"]);
    assert_eq!(by(0), AMAZONS_URLS);
    assert_eq!(by(1), OTHERS_URLS);
}

#[tokio::test]
async fn validators_take_what_openssl_signs_as_we_do() {
    let Some(mut validators) = Validators::start() else { return };
    let Some(openssl) = OpenSsl::generate(SIGNER) else { return };
    let pem = openssl.certificate_pem();
    validators.trust([CERTIFICATE_URL.into()], &pem).await;
    let good = signed::messages(&openssl, SEED, CASES).into_iter().map(|signed| signed.message);
    let good: Vec<_> = good.enumerate().collect();
    for (number, verdict) in validators.judge(good.clone(), &pem).await {
        let message = &good[number].1;
        let is_unsubscribed = message["Type"] == "UnsubscribeConfirmation";
        let expected = if is_unsubscribed { NOT_AMAZONS } else { ALL };
        assert_eq!(verdict, expected, "{message}");
    }
    // One signed text of each made longer.
    let changed = good.into_iter().map(|(number, mut message)| {
        let members: Vec<_> =
            SIGNED.iter().filter(|member| message[**member].is_string()).collect();
        let member = members[number % members.len()];
        message[*member] = json!(format!("{}0", message[*member].as_str().expect("text")));
        (number, message)
    });
    let changed: Vec<_> = changed.collect();
    for (number, verdict) in validators.judge(changed.clone(), &pem).await {
        assert_eq!(verdict, NONE, "{}", changed[number].1);
    }
}

struct Validators(Script);

impl Validators {
    /// None when they are not installed.
    fn start() -> Option<Self> {
        Script::sns_validators("sns_validators.js").map(Self)
    }

    /// Has them find this certificate at these URLs.
    async fn trust(&mut self, urls: impl IntoIterator<Item = String>, pem: &str) {
        let certificates: BTreeMap<_, _> = urls.into_iter().map(|url| (url, pem)).collect();
        let told = self.ask(&json!({ "certificates": certificates })).await;
        assert_eq!(told, true);
    }

    /// Asks all three.
    async fn judge<K>(
        &mut self,
        messages: impl IntoIterator<Item = (K, Value)>,
        pem: &str,
    ) -> Vec<(K, Verdict)> {
        let (keys, messages): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
        let told = self.ask(&json!({ "judge": messages })).await;
        let certificate = ours::certificate(pem);
        let verdicts = messages.iter().zip(told.as_array().expect("an array"));
        let verdicts = verdicts.map(|(message, told)| {
            [told[0].is_null(), told[1].is_null(), ours::judge(message, &certificate).is_ok()]
        });
        keys.into_iter().zip(verdicts).collect()
    }

    async fn ask(&mut self, question: &Value) -> Value {
        self.0.tell(&question.to_string()).await;
        let answer = self.0.line().await.expect("it runs");
        serde_json::from_str(&answer).expect("JSON")
    }
}

/// Where the message says that the certificate is, in either spelling.
fn url(message: &Value) -> String {
    let url = message.get("SigningCertURL").or(message.get("SigningCertUrl"));
    url.expect("there is one").as_str().expect("text").into()
}

const SEED: u64 = 5;
const CASES: usize = 60;
const SIGNED: &[&str] =
    &["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn"];

/// Among them a bucket of anybody (U-13), and what SNS answers to a question of anybody (U-15).
const AMAZONS_URLS: &[&str] =
    &["U-01", "U-05", "U-11", "U-12", "U-13", "U-15", "U-17", "U-18", "U-20", "U-21", "U-22"];
const OTHERS_URLS: &[&str] = &["U-01", "U-12", "U-20"];
