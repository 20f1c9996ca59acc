//! Envelopes as SNS and Lambda write them (specification sections 4.1 and 4.3).

use alloc::vec::Vec;

use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap},
};
use serde_json::value::RawValue;

use super::Envelope;

/// The body of an HTTP request, or of an SQS message.
pub(super) fn object(envelope: &Envelope<'_>) -> Vec<u8> {
    to_vec(&Object { envelope, lambda: false })
}

/// The event that a Lambda function is called with.
pub(super) fn lambda_event(envelope: &Envelope<'_>, subscription_arn: &str) -> Vec<u8> {
    to_vec(&LambdaEvent { envelope, subscription_arn })
}

fn to_vec(value: &impl Serialize) -> Vec<u8> {
    let written = serde_json::to_vec(value);
    // An object with names for keys, written to memory, cannot fail.
    debug_assert!(written.is_ok(), "{written:?}");
    written.unwrap_or_default()
}

/// An envelope as JSON, members in the order of SNS's samples.
struct Object<'e> {
    envelope: &'e Envelope<'e>,
    lambda: bool,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { envelope, lambda } = *self;
        let name = |http, lambda_name| if lambda { lambda_name } else { http };
        let signature = envelope.signature.as_ref();
        let mut object = Writer(serializer.serialize_map(None)?);
        object.text("Type", Some(envelope.message_type().as_str()))?;
        object.text("MessageId", Some(envelope.message_id()))?;
        object.text("Token", envelope.token())?;
        object.text("TopicArn", Some(envelope.topic_arn()))?;
        match envelope.subject() {
            None if lambda => object.0.serialize_entry("Subject", &())?,
            subject => object.text("Subject", subject)?,
        }
        object.text("Message", Some(envelope.message()))?;
        object.text("SubscribeURL", envelope.subscribe_url())?;
        object.text("Timestamp", Some(envelope.timestamp()))?;
        object.text("SignatureVersion", signature.map(|signature| &*signature.version))?;
        object.text("Signature", signature.map(|signature| &*signature.text))?;
        let cert_url = signature.map(|signature| &*signature.cert_url);
        object.text(name("SigningCertURL", "SigningCertUrl"), cert_url)?;
        object.text(name("UnsubscribeURL", "UnsubscribeUrl"), envelope.unsubscribe_url())?;
        let attributes = envelope.message_attributes().or(lambda.then_some("{}"));
        if let Some(attributes) = attributes {
            let raw: &RawValue = serde_json::from_str(attributes).map_err(S::Error::custom)?;
            object.0.serialize_entry("MessageAttributes", raw)?;
        }
        object.0.end()
    }
}

/// An envelope as the only record of an event of Lambda.
struct LambdaEvent<'e> {
    envelope: &'e Envelope<'e>,
    subscription_arn: &'e str,
}

impl Serialize for LambdaEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("Records", &[LambdaRecord(self)])?;
        object.end()
    }
}

struct LambdaRecord<'e>(&'e LambdaEvent<'e>);

impl Serialize for LambdaRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let LambdaEvent { envelope, subscription_arn } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("EventSource", "aws:sns")?;
        object.serialize_entry("EventVersion", "1.0")?;
        object.serialize_entry("EventSubscriptionArn", subscription_arn)?;
        object.serialize_entry("Sns", &Object { envelope, lambda: true })?;
        object.end()
    }
}

struct Writer<M>(M);

impl<M: SerializeMap> Writer<M> {
    fn text(&mut self, name: &'static str, text: Option<&str>) -> Result<(), M::Error> {
        match text {
            Some(text) => self.0.serialize_entry(name, text),
            None => Ok(()),
        }
    }
}
