//! Messages that a foreign key has signed over a text that is put together here, from the description alone.

use data_encoding::BASE64;
use examples::peers::OpenSsl;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::TOPIC;

/// A message, and what its signature is over.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) message: Value,
    pub(crate) text: String,
    pub(crate) signature: Vec<u8>,
    pub(crate) digest: &'static str,
}

pub(crate) const VERSIONS: [(&str, &str); 2] = [("1", "sha1"), ("2", "sha256")];
pub(crate) const CERTIFICATE_URL: &str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-00000000000000000000000000000001.pem";

/// As many messages of all kinds, each signed by both versions.
pub(crate) fn messages(openssl: &OpenSsl, seed: u64, count: usize) -> Vec<Signed> {
    let mut random = Rng::with_seed(seed);
    let messages: Vec<_> = (0..count).map(|number| message(&mut random, number)).collect();
    let signed = messages.iter().flat_map(|message| {
        VERSIONS.map(|(version, digest)| {
            let text = text_to_sign(message);
            let signature = openssl.sign(digest, text.as_bytes());
            let mut message = message.clone();
            message["SignatureVersion"] = json!(version);
            message["Signature"] = json!(BASE64.encode(&signature));
            message["SigningCertURL"] = json!(CERTIFICATE_URL);
            Signed { message, text, signature, digest }
        })
    });
    signed.collect()
}

fn message(random: &mut Rng, number: usize) -> Value {
    let kind = KINDS[number % KINDS.len()];
    let mut message = json!({
        "Type": kind,
        "MessageId": format!("aaaaaaaa-0000-4000-8000-{number:012x}"),
        "TopicArn": TOPIC,
        "Message": text(random, &[PLAIN, BEYOND_LINES].concat(), 300),
        "Timestamp": format!("2024-05-01T10:{:02}:{:02}.{:03}Z", random.u8(..60), random.u8(..60), random.u16(..1000)),
    });
    if number == 0 {
        message["Message"] = json!("{\"é\":\"\\\\\u{1f600}\"}\n".repeat(10_000));
    }
    if kind == KINDS[0] {
        message["UnsubscribeURL"] =
            json!("https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe");
        // Also an empty one.
        if random.bool() {
            message["Subject"] = json!(text(random, PLAIN, 8));
        }
    } else {
        let token = text(random, &["0", "1", "a", "f"], 64);
        let query = format!("Action=ConfirmSubscription&TopicArn={TOPIC}&Token={token}");
        message["SubscribeURL"] = json!(format!("https://sns.us-east-1.amazonaws.com/?{query}"));
        message["Token"] = json!(token);
    }
    message
}

fn text_to_sign(message: &Value) -> String {
    let members: &[&str] = if message["Type"] == KINDS[0] {
        &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    } else {
        &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    };
    let values = members.iter().filter_map(|member| Some((member, message.get(member)?.as_str()?)));
    values.map(|(member, value)| format!("{member}\n{value}\n")).collect()
}

fn text(random: &mut Rng, pieces: &[&str], longest: usize) -> String {
    (0..random.usize(..=longest)).filter_map(|_| random.choice(pieces)).copied().collect()
}

const KINDS: [&str; 3] = ["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"];
const PLAIN: &[&str] =
    &["a", "Z", "0", " ", "\"", "\\", "/", "\\n", "ü", "€", "\u{2028}", "\u{1f600}", "<", "&", "%"];
/// Only a message may have them; it may also look like the lines that are signed.
const BEYOND_LINES: &[&str] =
    &["\n", "\r\n", "\t", "\0", "\u{1}", "\u{7f}", "\nMessageId\n", "\nSubject\nz"];
