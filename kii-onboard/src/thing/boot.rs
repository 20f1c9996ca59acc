//! At the default broker: onboarding (specification, section 14.3, rows 1 to 28).

use alloc::boxed::Box;

use iot_sansio::mqtt::Message;

use super::{Cause, Event, FailReason, IgnoreReason, Thing, is_request};
use crate::{
    ApiError, RequestId, Stage, StatusClass, frame::Response, onboarding::Onboarded, topic::Topic,
};

impl Thing {
    /// Begins with onboarding, whatever endpoint there was.
    pub(super) fn boot(&mut self) {
        self.lease = None;
        match self.config.boot_options() {
            Ok(options) => self.connect(Stage::Boot, options),
            Err(reason) => self.end(Event::Failed(reason)),
        }
    }

    pub(super) fn onboarding_message(&mut self, message: &Message<'_>) {
        if self.boot_topics.classify(message.topic) != Topic::Onboarding {
            return self.ignore(message, IgnoreReason::UnknownTopic);
        }
        if is_request(message.payload) {
            return self.ignore(message, IgnoreReason::Echo);
        }
        let response = match Response::decode_within(message.payload, self.config.limits) {
            Ok(response) => response,
            Err(error) => return self.give_up(Stage::Boot, Cause::BadPayload(error)),
        };
        let expected = self.config.onboarding_request_id.as_ref().map(RequestId::as_str);
        let id = response.headers.request_id();
        if expected.is_some() && id.is_some() && id != expected {
            return self.ignore(message, IgnoreReason::Unmatched);
        }
        let error = || Box::new(ApiError::decode(&response));
        match StatusClass::of(response.status) {
            StatusClass::Success => match Onboarded::decode(response.body) {
                Ok(onboarded) => self.accept(onboarded),
                Err(error) => self.give_up(Stage::Boot, Cause::BadBody(error)),
            },
            StatusClass::Temporary => {
                self.drop_link();
                let error = error();
                let least = error.retry_after.unwrap_or_default().min(self.config.max_retry_after);
                self.retry_after(Stage::Boot, Cause::Status(error), least);
            }
            StatusClass::Permanent => self.reject(FailReason::OnboardRejected(error())),
            StatusClass::Odd => self.reject(FailReason::UnexpectedStatus(error())),
        }
    }

    /// Goes on to the second broker, if the cloud has told enough.
    fn accept(&mut self, onboarded: Onboarded) {
        let Some(endpoint) = onboarded.endpoint.clone() else {
            return self.give_up(Stage::Boot, Cause::EndpointNotReady);
        };
        let ttl = endpoint.ttl;
        if ttl.is_some_and(|ttl| ttl.is_zero()) {
            return self.give_up(Stage::Boot, Cause::EndpointExpired);
        }
        match self.config.api_options(&endpoint) {
            Ok(options) => {
                let onboarded = Box::new(onboarded);
                self.tell(Event::Onboarded(onboarded.clone()));
                self.drop_link();
                self.lease(onboarded, endpoint, ttl);
                self.connect(Stage::Api, options);
            }
            Err(reason) => self.reject(reason),
        }
    }
}
