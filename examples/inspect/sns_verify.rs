//! `sns-verify`: why is this message refused?

use std::time::Duration;

use clap::Args;
use iot_sansio::UnixMillis;
use serde::Serialize;
use smart_properties::{
    TopicArn, TopicArnError,
    sns::{
        CertUrl, Certificate, CertificateError, Classifier, Delivery, Envelope, EnvelopeError,
        Headers, Inbound, PathRule, Ring, UrlError, Verifier, VerifyError, Via,
    },
};

use super::{
    jsonl::{Failure, Members, Outcome, variant_names},
    smart_properties::{envelope_failure, record_failure},
};

/// Verifies messages of Amazon SNS.
///
/// Reads {"payload":…,"certificatePem":"…","now":MS,"topicArn"?,"maxAgeMs"?}: the body of the request, the body of an SQS
/// message, or the event of a Lambda function, a text, an object, or "payloadHex"; and what was fetched from its
/// SigningCertURL. Without topicArn the topic that the message names is allowed, and without maxAgeMs any age, but nothing
/// from more than five minutes after now. One record is answered as if it were bare, several as "records". Who issued the
/// certificate is not checked, nor where a SubscribeURL leads.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

/// What is told of a body.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Told {
    Message(Signed),
    Records { records: Vec<Outcome<Signed>> },
}

/// What is told of a message whose signature is good.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Signed {
    signature_version: &'static str,
    string_to_sign: String,
}

pub(super) fn answer(members: &Members<'_>) -> Result<Told, Failure> {
    let payload = members.json_payload()?.ok_or_else(|| Failure::missing("payload"))?;
    let rules = Rules {
        certificate_pem: members.required_text("certificatePem")?,
        now: UnixMillis::new(members.required_integer("now")?),
        topic_arn: members.text("topicArn")?,
        max_age: members.span("maxAgeMs")?,
    };
    // As over HTTP: what has no signature is refused.
    let inbound = Classifier::new(Via::Http).classify(&payload, &Headers::default());
    let records = match inbound.map_err(|error| envelope_failure(&error))? {
        Inbound::Envelope(envelope) => return rules.verify(envelope).map(Told::Message),
        Inbound::Raw(_) => return Err(envelope_failure(&EnvelopeError::RawRejected)),
        Inbound::Records(records) => records,
    };
    let verify = |delivery| match delivery {
        Delivery::Envelope(envelope) => rules.verify(envelope),
        Delivery::Raw(_) => Err(envelope_failure(&EnvelopeError::RawRejected)),
    };
    let mut verified = records.into_iter().map(|record| match record {
        Ok(record) => verify(record.delivery),
        Err(error) => Err(record_failure(&error)),
    });
    match (verified.next(), verified.len()) {
        (Some(only), 0) => only.map(Told::Message),
        (first, _) => {
            let records = first.into_iter().chain(verified).map(Outcome::from).collect();
            Ok(Told::Records { records })
        }
    }
}

/// What a message is held to.
struct Rules {
    certificate_pem: String,
    now: UnixMillis,
    topic_arn: Option<String>,
    max_age: Option<Duration>,
}

impl Rules {
    fn verify(&self, envelope: Envelope<'_>) -> Result<Signed, Failure> {
        let string_to_sign = envelope.string_to_sign();
        let topic_arn = envelope.topic_arn().to_owned();
        let cert_url = envelope.signing_cert_url().to_owned();
        let allowed = self.topic_arn.as_deref().unwrap_or(&topic_arn);

        let topic = TopicArn::new(allowed);
        let verifier = Verifier::new(Via::Http, topic.clone().ok()).with_max_age(self.max_age);
        let unverified = verifier.check(envelope).map_err(|error| match (error, topic) {
            (VerifyError::TopicNotAllowed, Err(bad)) if allowed == topic_arn => {
                bad_topic_failure(&bad, &cert_url)
            }
            _ => verify_failure(&error),
        })?;
        let certificate = Certificate::from_pem(self.certificate_pem.as_bytes())
            .map_err(|error| certificate_failure(&error))?;
        let verified = unverified
            .verify(&certificate, &Ring, self.now)
            .map_err(|error| verify_failure(&error))?;
        Ok(Signed { signature_version: verified.signature_version().as_str(), string_to_sign })
    }
}

/// Of a topic that is allowed and yet none: it comes to light where the host is looked for in it, so whatever is wrong
/// with the URL before its host goes first.
fn bad_topic_failure(bad: &TopicArnError, cert_url: &str) -> Failure {
    let any = TopicArn::new("arn:aws:sns:us-east-1:123456789012:any");
    let parsed = any.map(|topic| CertUrl::parse(cert_url, &topic, PathRule::Strict));
    match parsed {
        Ok(Err(UrlError::HostMismatch)) | Ok(Ok(_)) | Err(_) => topic_failure(bad),
        Ok(Err(UrlError::BadPath)) if cert_url.matches('/').count() > 2 => topic_failure(bad),
        Ok(Err(error)) => url_failure(&error),
    }
}

fn topic_failure(error: &TopicArnError) -> Failure {
    let kind = match error {
        // To the rule for URLs, it is one of the fields.
        TopicArnError::NotSns => "BadTopicArn",
        _ => topic_arn_error_name(error),
    };
    Failure::new(kind, error.to_string()).in_field("TopicArn")
}

fn verify_failure(error: &VerifyError) -> Failure {
    let failure = Failure::new(verify_error_name(error), error.to_string());
    let millis = |span: &Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    match error {
        VerifyError::SigningCertUrl(error) => url_failure(error),
        VerifyError::Certificate(error) => certificate_failure(error),
        VerifyError::BadLength { bytes, expected } => {
            failure.with("len", *bytes).with("expected", *expected)
        }
        VerifyError::TooOld { age, .. } => failure.with("ageMs", millis(age)),
        VerifyError::FromTheFuture { by } => failure.with("aheadMs", millis(by)),
        _ => failure,
    }
}

fn url_failure(error: &UrlError) -> Failure {
    let failure = |kind| Failure::new(kind, error.to_string()).in_field("SigningCertURL");
    match error {
        // The specification has one name for both.
        UrlError::TooLong { bytes, max } => {
            failure("BadCharacters").with("len", *bytes).with("limit", *max)
        }
        UrlError::BadCharacters { position } => {
            failure(url_error_name(error)).with("position", *position)
        }
        _ => failure(url_error_name(error)),
    }
}

fn certificate_failure(error: &CertificateError) -> Failure {
    let failure = Failure::new(certificate_error_name(error), error.to_string());
    let failure = failure.in_field("certificatePem");
    match error {
        CertificateError::TooLong { bytes, max } => failure.with("len", *bytes).with("limit", *max),
        CertificateError::Malformed { part } => failure.with("part", *part),
        CertificateError::KeyLength { bits } => failure.with("bits", *bits),
        CertificateError::NotYetValid { not_before } => failure.with("notBefore", not_before.get()),
        CertificateError::Expired { not_after } => failure.with("notAfter", not_after.get()),
        _ => failure,
    }
}

variant_names! {
    topic_arn_error_name: TopicArnError {
        BadTopicArn,
        NotSns,
        UnknownPartition,
    }
}

variant_names! {
    verify_error_name: VerifyError {
        UnsupportedVersion,
        VersionNotAllowed,
        TopicNotAllowed,
        SigningCertUrl,
        Certificate,
        BadBase64,
        BadLength,
        BadSignature,
        BadTimestamp,
        TooOld,
        FromTheFuture,
    }
}

variant_names! {
    url_error_name: UrlError {
        TooLong,
        BadCharacters,
        NotHttps,
        BadAuthority,
        HostMismatch,
        BadPath,
    }
}

variant_names! {
    certificate_error_name: CertificateError {
        TooLong,
        Malformed,
        NotRsa,
        KeyLength,
        WrongName,
        NotYetValid,
        Expired,
    }
}

const EXAMPLE: &str = r#"Example:
  echo '{"payload":{"Type":"Notification","MessageId":"aaaaaaaa-000a-5000-8000-00000000000a","TopicArn":"arn:aws:sns:us-east-1:123456789012:asp-events","Message":"a\nMessageId\nbbbbbbbb-000b-5000-8000-00000000000b\nSubject\nz","Timestamp":"2024-05-01T10:04:00.250Z","SignatureVersion":"2","Signature":"mODq1pfHMSzUnWHurz6P80Uzbexb4S5sb8zjdkpGLzyT6RV0W8N0mNTJUm+zS6HZ6PwTwULnNwYjlCfqbd1QwJ/ZDn/kEacXwKPbDP+9m4gqsy3buOeG7tRUmiuH+KXRR6lUsWgNHA9jYXFX7zpMwpdAar2wEzC+ARUU8lpuKL39K2vQasyO8G2rGWlxW/wTldcnXjGpXsRltMvfjInOCweViIk8ORmtiIO0BtffhVZzdUPseooSn2mI4cWr5qQIhU1Ld2ngRxoa6FvG86vpKQkV/yR7oopBvtMJh1ux76FAkcQSS8j/e6ziwc9o+widweJvtG1d14oDJah5dSVxvg==","SigningCertURL":"https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"},"certificatePem":"-----BEGIN CERTIFICATE-----\nMIIC5jCCAc6gAwIBAgIUHt2v9r1qvvTAvdr1bG0gqF20De0wDQYJKoZIhvcNAQEL\nBQAwHDEaMBgGA1UEAwwRc25zLmFtYXpvbmF3cy5jb20wHhcNMjQwMTAxMDAwMDAw\nWhcNNDQwMTAxMDAwMDAwWjAcMRowGAYDVQQDDBFzbnMuYW1hem9uYXdzLmNvbTCC\nASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAMDnUlQdRgAC45DdHzEJqWoK\nSmyiTUWXZFQerT7uUFrINh9torePmesFLGstf8mS3dypXI3m9k43Es55zhEX0Q9b\n7na0jU7cQ+NBuCXQGK7dtvpCIxI5Z5ceLWNzDCGgzx76QGVXvjZAHpgWXqUY+g91\nMHbWSyc5mCDQJPwQ12YEXbxFViW9nH/SpV0oEwNM5RaW4hyLT9aOuIHncl7BNyCx\nvDToIbmPSpMWkl/kR+0Uuh7jxlDLQgfZFwOfJHUhYJV8BJ0ZWSwxGuOwB/9Kq2eu\nozG9UbMyTSRDRqz1xrNO/sOkEtOIiLJigkfQsO0J9OeC7Dn7scvOxYSHs+Ol+aMC\nAwEAAaMgMB4wHAYDVR0RBBUwE4IRc25zLmFtYXpvbmF3cy5jb20wDQYJKoZIhvcN\nAQELBQADggEBALPmqFb5xho9dvUpQO8vPeJsqHYtUZ87pTgJmweIHSObCQKhHRaS\nHt1ckEEIeoy+fDBfJYixgJzYMXNXQz2uHvNBjBm601g6KVAXmKgbbBUDWWsSBoGJ\nYXQRiN9GPMhPWyEcYAfkZcI5WnyDTmsOl7mhvmUVfslA4bjDaIedSRfUkavhquEa\nCOxKzAlOzPgL1Ov91gfIsG4hKiRWar4krQ4+46tqJ8rFZcldWfALrO7ewE0TWmUY\ngrcHX7Vvid2txAAQbFro+VVkGHxAmjF+NXs34xzwvMweSszZ9Lwx14Q1T1NuEctf\nNM8hs0DkVZFqQuMvAm9k4zaqSBoMyTmao5g=\n-----END CERTIFICATE-----\n","now":1714557842000}' |
    inspect sns-verify"#;
