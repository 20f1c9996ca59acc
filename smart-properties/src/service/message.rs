//! What SNS writes: envelopes, signed, with the headers they travel with.

use alloc::{format, string::String, vec, vec::Vec};

use super::{
    Config, Endpoint, MessageId, Publication, ServiceError, Signer, SubscriptionArn,
    deliveries::Content, subscription::Subscription,
};

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
        Ok(self.content(arn, subscription, vec![], Vec::new()))
    }

    /// The word that a subscription has ended.
    pub(super) fn unsubscription(
        &self,
        arn: &SubscriptionArn,
        subscription: &Subscription,
    ) -> Result<Content, ServiceError> {
        Ok(self.content(arn, subscription, vec![], Vec::new()))
    }

    /// What was published, for each of these subscriptions.
    pub(super) fn notifications<'s>(
        self,
        publication: &Publication,
        takers: impl Iterator<Item = (&'s SubscriptionArn, &'s Subscription)>,
    ) -> Result<(MessageId, Vec<Content>), ServiceError> {
        let mut contents = Vec::new();
        for (arn, subscription) in takers {
            for _ in 0..publication.times {
                let body = publication.message.clone().into_bytes();
                contents.push(self.content(arn, subscription, vec![], body));
            }
        }
        Ok((self.message_id, contents))
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
