//! What SNS writes: envelopes, signed, with the headers they travel with (specification sections 4 and 5).

use alloc::{format, string::String, vec::Vec};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Config, Endpoint, Form, MessageId, Publication, ServiceError, Signer, SubscriptionArn,
    deliveries::Content,
    subscription::{Subscription, subscribe_url, unsubscribe_url},
};
use crate::sns::{Envelope, MessageType};

/// Whoever writes one message: its id and time, and who signs it.
pub(super) struct Author<'a, S> {
    pub(super) config: &'a Config,
    pub(super) signer: &'a S,
    pub(super) message_id: MessageId,
    pub(super) timestamp: String,
}

impl<S: Signer> Author<'_, S> {
    /// The request to confirm a subscription.
    pub(super) fn confirmation(
        &self,
        arn: &SubscriptionArn,
        subscription: &Subscription,
    ) -> Result<Content, ServiceError> {
        let topic = &self.config.arn;
        let text = format!("Visit the SubscribeURL to receive what is published to {topic}.");
        self.control(MessageType::SubscriptionConfirmation, arn, subscription, text)
    }

    /// The word that a subscription has ended.
    pub(super) fn unsubscription(
        &self,
        arn: &SubscriptionArn,
        subscription: &Subscription,
    ) -> Result<Content, ServiceError> {
        let text = format!("{arn} has ended. Visit the SubscribeURL to subscribe again.");
        self.control(MessageType::UnsubscribeConfirmation, arn, subscription, text)
    }

    /// What was published, for each of these subscriptions.
    pub(super) fn notifications<'s>(
        self,
        publication: &Publication,
        takers: impl Iterator<Item = (&'s SubscriptionArn, &'s Subscription)>,
    ) -> Result<(MessageId, Vec<Content>), ServiceError> {
        let topic = &self.config.arn;
        let (id, timestamp) = (self.message_id.as_str(), &*self.timestamp);
        let mut envelope = Envelope::notification(topic, id, timestamp, &*publication.message)?;
        if let Some(subject) = &publication.subject {
            envelope = envelope.with_subject(subject)?;
        }
        let envelope = self.sign(envelope);
        let mut contents = Vec::new();
        for (arn, subscription) in takers {
            let envelope = envelope.clone().with_unsubscribe_url(unsubscribe_url(topic, arn))?;
            let is_function = matches!(subscription.endpoint, Endpoint::Function(_));
            let is_raw = subscription.form == Form::Raw && !is_function;
            let body = match &subscription.endpoint {
                _ if is_raw => publication.message.clone().into_bytes(),
                Endpoint::Function(_) => envelope.encode_lambda(arn.as_str()),
                Endpoint::Http(_) | Endpoint::Queue(_) => envelope.encode(),
            };
            let mut headers = self.headers(&envelope, arn, &subscription.endpoint);
            if is_raw && !headers.is_empty() {
                headers.push(("x-amz-sns-rawdelivery", "true".into()));
            }
            let content = self.content(arn, subscription, headers, body);
            contents.extend((1..publication.times).map(|_| content.clone()));
            contents.push(content);
        }
        Ok((self.message_id, contents))
    }

    /// A message about a subscription, for people and with what confirms it.
    fn control(
        &self,
        message_type: MessageType,
        arn: &SubscriptionArn,
        subscription: &Subscription,
        text: String,
    ) -> Result<Content, ServiceError> {
        let topic = &self.config.arn;
        let (id, timestamp) = (self.message_id.as_str(), &*self.timestamp);
        // It was made of ASCII.
        let token = subscription.token.expose_str().unwrap_or_default();
        let url = subscribe_url(topic, token);
        let envelope = match message_type {
            MessageType::UnsubscribeConfirmation => {
                Envelope::unsubscribe_confirmation(topic, id, timestamp, text, token, url)
            }
            _ => Envelope::subscription_confirmation(topic, id, timestamp, text, token, url),
        };
        let envelope = self.sign(envelope?);
        let mut headers = self.headers(&envelope, arn, &subscription.endpoint);
        if message_type == MessageType::SubscriptionConfirmation {
            headers.retain(|(name, _)| *name != SUBSCRIPTION_ARN);
        }
        Ok(self.content(arn, subscription, headers, envelope.encode()))
    }

    fn sign<'e>(&self, envelope: Envelope<'e>) -> Envelope<'e> {
        let version = self.config.signature_version;
        let text = envelope.string_to_sign();
        let signature = self.signer.sign(version.digest(), text.as_bytes());
        let cert_url = self.signer.certificate_url();
        envelope.signed(version.as_str(), STANDARD.encode(signature), String::from(cert_url))
    }

    /// The headers of a POST; a queue or a function gets none.
    fn headers(
        &self,
        envelope: &Envelope<'_>,
        arn: &SubscriptionArn,
        endpoint: &Endpoint,
    ) -> Vec<(&'static str, String)> {
        if !matches!(endpoint, Endpoint::Http(_)) {
            return Vec::new();
        }
        let about = envelope.headers();
        let always = [
            (SUBSCRIPTION_ARN, arn.as_str()),
            ("content-type", "text/plain; charset=UTF-8"),
            ("user-agent", "Amazon Simple Notification Service Agent"),
        ];
        about.into_iter().chain(always).map(|(name, value)| (name, value.into())).collect()
    }

    fn content(
        &self,
        arn: &SubscriptionArn,
        subscription: &Subscription,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> Content {
        Content {
            message_id: self.message_id.clone(),
            subscription: arn.clone(),
            endpoint: subscription.endpoint.clone(),
            headers,
            body,
        }
    }
}

const SUBSCRIPTION_ARN: &str = "x-amz-sns-subscription-arn";
