//! LocalStack as the SNS of our topic: Amazon's client subscribes our endpoint and a queue, and publishes. LocalStack
//! signs with a key of its own, whose certificate has another name and is at another place than those of SNS.

use std::{collections::BTreeSet, time::SystemTime};

use data_encoding::BASE64;
use examples::peers::{OpenSsl, Peer, Script};
use iot_sansio::UnixMillis;
use serde_json::{Value, json};
use smart_properties::sns::{
    Answer, Certificate, CertificateError, Classifier, Content, ControlError, Envelope,
    EnvelopeError, Headers, Inbound, MessageType, RawPolicy, Ring, RsaVerify as _,
    SignatureVersion, UrlError, Verified, Verifier, VerifyError, Via,
};

use crate::{
    SIGNER, TOPIC,
    endpoint::{Endpoint, moved},
    ours::{certificate, classify, topic},
    signed::VERSIONS,
    vectors,
};

/// One server for all of it: it takes seconds to start.
#[tokio::test]
async fn localstack_delivers_what_we_read_and_verify() {
    let Some(server) = Peer::localstack() else { return };
    let Some(openssl) = OpenSsl::generate(SIGNER) else { return };
    let Some(mut client) = Client::start(server.port()).await else { return };
    let mut endpoint = Endpoint::start().await;

    let created = client.call("sns", "create_topic", json!({ "Name": topic().name() })).await;
    assert_eq!(created["TopicArn"], TOPIC);
    let (subscription, keys) = subscribe(&mut client, &mut endpoint, openssl).await;
    let queue = Queue::subscribe(&mut client).await;
    for version in [SignatureVersion::V1, SignatureVersion::V2] {
        let attribute = json!({
            "TopicArn": TOPIC, "AttributeName": "SignatureVersion", "AttributeValue": version.as_str(),
        });
        client.call("sns", "set_topic_attributes", attribute).await;
        for (number, text) in texts().into_iter().enumerate() {
            let subject = (number % 2 == 1).then_some("Alexa event");
            let id = client.publish(&text, subject).await;
            let expected = Published { id, text, subject, version };

            let delivered = endpoint.delivery().await;
            assert_eq!(delivered.answer, Answer::Accept, "{expected:?}");
            keys.check_published(Via::Http, &delivered.body, &delivered.headers(), &expected);
            let body = queue.receive(&mut client).await;
            keys.check_published(Via::SqsBody, body.as_bytes(), &Headers::default(), &expected);
        }
    }
    // Without envelope, and so without signature: not for an endpoint, unless it is told to.
    for subscription in [&subscription, &queue.subscription] {
        client.set(subscription, "RawMessageDelivery", "true").await;
    }
    for text in texts() {
        client.publish(&text, Some("lost")).await;
        let delivered = endpoint.delivery().await;
        assert_eq!(delivered.answer, Answer::Refuse);
        let (http, headers) = (Classifier::new(Via::Http), delivered.headers());
        let refusal = http.classify(&delivered.body, &headers);
        assert_eq!(refusal, Err(EnvelopeError::RawRejected));
        let inbound = http.with_raw_policy(RawPolicy::Accept).classify(&delivered.body, &headers);
        assert!(matches!(inbound, Ok(Inbound::Raw(raw)) if raw.bytes() == text.as_bytes()));

        let body = queue.receive(&mut client).await;
        let inbound = Classifier::new(Via::SqsBody).classify(body.as_bytes(), &Headers::default());
        assert!(matches!(inbound, Ok(Inbound::Raw(raw)) if raw.bytes() == text.as_bytes()));
    }
    client.call("sns", "unsubscribe", json!({ "SubscriptionArn": subscription })).await;
    let delivered = endpoint.delivery().await;
    assert_eq!(delivered.answer, Answer::Accept);
    keys.check(Via::Http, &delivered.body, &delivered.headers(), |verified| {
        assert_eq!(verified.message_type(), MessageType::UnsubscribeConfirmation);
        assert!(matches!(verified.content(), Ok(Content::Unsubscribed)));
    });
}

/// Subscribes the endpoint, which does not believe the question for that; then it is told to, and the test confirms.
async fn subscribe(
    client: &mut Client,
    endpoint: &mut Endpoint,
    openssl: OpenSsl,
) -> (String, Keys) {
    client.subscribe("http", &endpoint.url()).await;
    let delivered = endpoint.delivery().await;
    assert_eq!(delivered.answer, Answer::Refuse);
    let envelope = classify(&delivered.body).expect("an envelope");
    let pem = client.get(envelope.signing_cert_url()).await;
    let named = certificate(&openssl.renamed(&pem, SIGNER));
    endpoint.trust(named.clone());
    let keys = Keys { pem, named, openssl };
    keys.check(Via::Http, &delivered.body, &delivered.headers(), |verified| {
        assert_eq!(verified.message_type(), MessageType::SubscriptionConfirmation);
        // It leads to LocalStack, where we do not go.
        let refusal = verified.content().map(drop);
        assert_eq!(refusal, Err(ControlError::SubscribeUrl(UrlError::NotHttps)));
    });
    // Nobody gets what is published before.
    client.publish("too early", None).await;
    let confirmed = client.get(envelope.subscribe_url().expect("there is one")).await;
    let subscription = confirmed.split(['<', '>']).find(|text| text.starts_with(TOPIC));
    (subscription.expect("its name").into(), keys)
}

/// What was published, and how it is signed.
#[derive(Debug)]
struct Published {
    id: String,
    text: String,
    subject: Option<&'static str>,
    version: SignatureVersion,
}

/// LocalStack's certificate, and one for the same key with the name that those of SNS have.
struct Keys {
    pem: String,
    named: Certificate,
    openssl: OpenSsl,
}

impl Keys {
    fn check_published(&self, via: Via, body: &[u8], headers: &Headers<'_>, expected: &Published) {
        let envelope = classify(body).expect("an envelope");
        let attributes = envelope.message_attributes().map(serde_json::from_str::<Value>);
        let attributes = attributes.expect("there are some").expect("JSON");
        assert_eq!(attributes, json!({"kind": {"Type": "String", "Value": "test"}}));
        self.check(via, body, headers, |verified| {
            assert_eq!(verified.message_type(), MessageType::Notification);
            assert_eq!(verified.message_id(), expected.id);
            assert_eq!(verified.message(), expected.text);
            assert_eq!(verified.subject(), expected.subject);
            assert_eq!(verified.signature_version(), expected.version);
            let content = verified.content().expect("a notification");
            assert_eq!(matches!(content, Content::Event(_)), expected.text.contains("eventId"));
        });
    }

    /// What holds of everything that LocalStack signs. The last check is of what was verified.
    fn check(
        &self,
        via: Via,
        body: &[u8],
        headers: &Headers<'_>,
        last: impl FnOnce(&Verified<'_>),
    ) {
        let verifier = Verifier::new(via, [topic()]);
        let now = UnixMillis::from(SystemTime::now());

        // As it came.
        let envelope = envelope(via, body, headers);
        let refusal = verifier.check(envelope.clone()).map(drop);
        assert_eq!(refusal, Err(VerifyError::SigningCertUrl(UrlError::NotHttps)));
        self.check_signature(&envelope);

        // From where SNS has its certificates: that is not signed.
        let moved = moved(body).expect("a JSON object");
        let unverified = || verifier.check(self::envelope(via, &moved, headers)).expect("for us");
        let refusal = unverified().verify(&certificate(&self.pem), &Ring, now).map(drop);
        assert_eq!(refusal, Err(VerifyError::Certificate(CertificateError::WrongName)));
        last(&unverified().verify(&self.named, &Ring, now).expect("a good signature"));

        // What is signed, changed.
        let mut changed: Value = serde_json::from_slice(&moved).expect("JSON");
        changed["Message"] = json!(format!("{} ", envelope.message()));
        let changed = changed.to_string();
        let unverified = verifier.check(self::envelope(via, changed.as_bytes(), headers));
        let refusal = unverified.expect("for us").verify(&self.named, &Ring, now).map(drop);
        assert_eq!(refusal, Err(VerifyError::BadSignature));
    }

    /// LocalStack's signature is one over our text, for us and for OpenSSL.
    fn check_signature(&self, envelope: &Envelope<'_>) {
        let (text, signature) = (envelope.string_to_sign(), envelope.signature().as_bytes());
        let signature = BASE64.decode(signature).expect("base64");
        let version = VERSIONS.iter().find(|(name, _)| *name == envelope.signature_version());
        let (name, digest) = version.expect("one of both");
        let key = self.openssl.public_key(&self.pem);
        assert!(self.openssl.verifies(&key, digest, text.as_bytes(), &signature));
        let version = [SignatureVersion::V1, SignatureVersion::V2]
            .into_iter()
            .find(|version| version.as_str() == *name);
        let digest = version.expect("one of both").digest();
        let certificate = certificate(&self.pem);
        assert!(Ring.verify(&certificate.public_key(), digest, text.as_bytes(), &signature));
    }
}

fn envelope<'a>(via: Via, body: &'a [u8], headers: &Headers<'_>) -> Envelope<'a> {
    match Classifier::new(via).classify(body, headers) {
        Ok(Inbound::Envelope(envelope)) => envelope,
        other => panic!("{other:?}"),
    }
}

/// A queue that is subscribed to the topic.
struct Queue {
    url: String,
    subscription: String,
}

impl Queue {
    async fn subscribe(client: &mut Client) -> Self {
        let created = client.call("sqs", "create_queue", json!({ "QueueName": "events" })).await;
        let url = text(&created["QueueUrl"]);
        let parameters = json!({ "QueueUrl": url, "AttributeNames": ["QueueArn"] });
        let told = client.call("sqs", "get_queue_attributes", parameters).await;
        // Nobody has to confirm it.
        let told = client.subscribe("sqs", &text(&told["Attributes"]["QueueArn"])).await;
        Self { url, subscription: text(&told["SubscriptionArn"]) }
    }

    /// The body of the next message, which is taken from the queue.
    async fn receive(&self, client: &mut Client) -> String {
        let parameters = json!({ "QueueUrl": self.url, "WaitTimeSeconds": 20 });
        let told = client.call("sqs", "receive_message", parameters).await;
        let message = &told["Messages"][0];
        let parameters = json!({ "QueueUrl": self.url, "ReceiptHandle": message["ReceiptHandle"] });
        client.call("sqs", "delete_message", parameters).await;
        text(&message["Body"])
    }
}

/// Amazon's client. What it can be asked stands in `sns_client.py`.
struct Client(Script);

impl Client {
    /// None when it is not installed.
    async fn start(port: u16) -> Option<Self> {
        let mut script = Script::boto3("sns_client.py")?;
        script.tell(&json!({ "port": port }).to_string()).await;
        Some(Self(script))
    }

    async fn subscribe(&mut self, protocol: &str, endpoint: &str) -> Value {
        let parameters = json!({ "TopicArn": TOPIC, "Protocol": protocol, "Endpoint": endpoint });
        self.call("sns", "subscribe", parameters).await
    }

    async fn set(&mut self, subscription: &str, attribute: &str, value: &str) {
        let parameters = json!({
            "SubscriptionArn": subscription, "AttributeName": attribute, "AttributeValue": value,
        });
        self.call("sns", "set_subscription_attributes", parameters).await;
    }

    /// The identifier of the message, which has an attribute.
    async fn publish(&mut self, text: &str, subject: Option<&str>) -> String {
        let attributes = json!({ "kind": {"DataType": "String", "StringValue": "test"} });
        let mut parameters =
            json!({ "TopicArn": TOPIC, "Message": text, "MessageAttributes": attributes });
        if let Some(subject) = subject {
            parameters["Subject"] = json!(subject);
        }
        self::text(&self.call("sns", "publish", parameters).await["MessageId"])
    }

    async fn call(&mut self, service: &str, operation: &str, parameters: Value) -> Value {
        self.ask(&json!({ "call": [service, operation, parameters] })).await
    }

    async fn get(&mut self, url: &str) -> String {
        text(&self.ask(&json!({ "get": url })).await)
    }

    async fn ask(&mut self, question: &Value) -> Value {
        self.0.tell(&question.to_string()).await;
        let answer = self.0.line().await.expect("it runs");
        serde_json::from_str(&answer).expect("JSON")
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").into()
}

/// The messages of the vectors: events, and odd ones. Then a long one.
fn texts() -> Vec<String> {
    let messages =
        vectors::good().into_values().filter(|message| message["Type"] == "Notification");
    let texts: BTreeSet<_> = messages.map(|message| text(&message["Message"])).collect();
    let long = "ü\"\\\n\r\n\t€\u{1f600}</>&%".repeat(8000);
    texts.into_iter().chain([long]).collect()
}
