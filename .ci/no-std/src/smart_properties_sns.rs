//! `smart-properties`: what SNS delivers, from the envelope to the answer.

use alloc::{boxed::Box, format};
use core::{error::Error, time::Duration};

use iot_sansio::{MonoTime, UnixMillis};
use smart_properties::{
    dedupe,
    sns::{
        Admitted, CertUrl, Certificate, CertificateCache, Classifier, Content, Delivery, Digest,
        Envelope, Headers, Inbound, PathRule, RawPolicy, RsaPublicKey, RsaVerify, SignaturePolicy,
        Subscriber, Unverified, Verified, Verifier, Via,
    },
};

use crate::smart_properties::{activation, topic};

const NOW: UnixMillis = UnixMillis::new(1_714_557_604_000);
const ID: &str = "aaaaaaaa-0001-5000-8000-000000000001";
const TIME: &str = "2024-05-01T10:00:03.120Z";
const CERTIFICATE_URL: &str = "https://sns.us-east-1.amazonaws.com/\
    SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";

/// Stands in for a verifier that the platform has.
struct Nobody;

impl RsaVerify for Nobody {
    fn verify(
        &self,
        key: &RsaPublicKey<'_>,
        digest: Digest,
        text: &[u8],
        signature: &[u8],
    ) -> bool {
        let length = key.spki_der().len() + key.pkcs1_der().len() + text.len() + signature.len();
        digest == Digest::Sha256 && length == key.modulus_len()
    }
}

pub(crate) fn envelopes() -> Result<(), Box<dyn Error>> {
    let topic = topic()?;
    let notification = Envelope::notification(&topic, ID, TIME, "{}")?
        .with_subject("s")?
        .with_unsubscribe_url("https://x.example")?
        .signed("2", "AA==", CERTIFICATE_URL);
    let _ =
        (notification.message_type().as_str(), notification.message_id(), notification.topic_arn());
    let _ = (notification.subject(), notification.message(), notification.timestamp());
    let _ = (notification.signature_version(), notification.signature());
    let _ = (notification.signing_cert_url(), notification.unsubscribe_url());
    let _ = (notification.message_attributes(), notification.string_to_sign());
    let confirm = Envelope::subscription_confirmation(&topic, ID, TIME, "m", "t", "u")?;
    let _ = (confirm.token(), confirm.subscribe_url());
    let ended = Envelope::unsubscribe_confirmation(&topic, ID, TIME, "m", "t", "u")?;
    let _ = (ended.into_owned().into_message(), confirm.encode_lambda("arn"));

    let headers = Headers::from_pairs(notification.headers());
    let _ = headers.is_raw_delivery();
    let body = notification.encode();
    for via in [Via::Http, Via::SqsBody, Via::LambdaEvent] {
        let classifier = Classifier::new(via).with_raw_policy(RawPolicy::Accept);
        match classifier.classify(&body, &headers) {
            Ok(Inbound::Envelope(envelope)) => drop(Delivery::Envelope(envelope).into_owned()),
            Ok(Inbound::Raw(raw)) => drop((raw.bytes().len(), raw.into_owned())),
            Ok(Inbound::Records(records)) => drop(format!("{records:?}")),
            Err(error) => drop(format!("{error} {}", error.answer().status())),
        }
    }
    Ok(())
}

pub(crate) fn verification() -> Result<(), Box<dyn Error>> {
    let topic = topic()?;
    let verifier = Verifier::new(Via::Http, [topic.clone()])
        .with_signature_policy(SignaturePolicy::V2Only)
        .with_path_rule(PathRule::AnyPem)
        .with_max_age(Some(Duration::from_secs(60)));
    let envelope = Envelope::notification(&topic, ID, TIME, "{}")?;
    match verifier.check(envelope.signed("2", "AA==", CERTIFICATE_URL)) {
        Ok(unverified) => verify(unverified)?,
        Err(error) => drop(format!("{error} {:?}", error.answer())),
    }
    let url = CertUrl::parse(CERTIFICATE_URL, &topic, PathRule::Strict)?;
    let _ = (url.as_str(), url.region(), url.partition());
    let mut cache = CertificateCache::new();
    let certificate = Certificate::from_der(*b"")?;
    let _ = (certificate.der(), certificate.not_before(), certificate.not_after());
    cache.insert(url.clone(), certificate, NOW)?;
    let _ = (cache.get(&url, NOW).is_some(), cache.len(), cache.is_empty());
    Ok(())
}

fn verify(unverified: Unverified<'_>) -> Result<(), Box<dyn Error>> {
    let _ = format!("{}", unverified.certificate_url());
    let certificate = Certificate::from_pem(b"")?;
    if let Err(error) = certificate.check(unverified.certificate_url(), NOW) {
        drop(format!("{error} {:?}", error.answer().is_retried()));
    }
    content(&unverified.verify(&certificate, &Nobody, NOW)?)
}

fn content(verified: &Verified<'_>) -> Result<(), Box<dyn Error>> {
    let _ = (verified.message_type(), verified.message_id(), verified.topic(), verified.subject());
    let _ = (verified.sns_time(), verified.message(), verified.signature_version().as_str());
    match verified.content() {
        Ok(Content::Confirm(confirm)) => {
            let _ = (confirm.topic(), confirm.token(), confirm.url());
        }
        Ok(other) => drop(format!("{other:?}")),
        Err(error) => drop(format!("{error} {:?}", error.answer())),
    }
    Ok(())
}

pub(crate) fn subscribers() -> Result<(), Box<dyn Error>> {
    let (topic, mono, text) = (topic()?, MonoTime::ORIGIN, activation()?);
    let verifier = Verifier::new(Via::SqsBody, [topic.clone()]);
    let mut subscriber = Subscriber::new(verifier, dedupe::Config::default(), Nobody);
    let envelope = Envelope::notification(&topic, ID, TIME, text)?;
    let delivery = Delivery::Envelope(envelope.signed("1", "AA==", CERTIFICATE_URL));
    match subscriber.admit(mono, NOW, delivery) {
        Ok(Admitted::Fresh(message)) => {
            let event = message.event()?;
            let _ = (message.order(&event), message.bytes(), message.verified().is_some());
            subscriber.commit(mono, &message);
            subscriber.abort(&message);
        }
        Ok(Admitted::CertificateWanted { url, envelope }) => {
            subscriber.fetched(url, b"", NOW)?;
            drop(envelope);
        }
        Ok(other) => drop(format!("{other:?}")),
        Err(error) => drop(format!("{error} {:?}", error.answer())),
    }
    Ok(())
}
