//! At the second broker: calls and pushes (specification, section 14.3, rows 29 to 56).

use alloc::boxed::Box;
use core::time::Duration;

use iot_sansio::{MonoTime, mqtt::Message};

use super::{CommandError, Event, IgnoreReason, Lease, Response, Thing, is_request};
use crate::{
    MqttEndpoint, RequestId, Stage,
    call::Call,
    command::Push,
    frame::{self, DecodeError},
    onboarding::Onboarded,
    topic::{Topic, Topics},
};

impl Thing {
    pub(super) fn open_api(&mut self) {
        let Some(lease) = &self.lease else { return };
        match self.config.api_options(&lease.endpoint) {
            Ok(options) => self.connect(Stage::Api, options),
            Err(reason) => self.end(Event::Failed(reason)),
        }
    }

    pub(super) fn lease(
        &mut self,
        onboarded: Box<Onboarded>,
        endpoint: MqttEndpoint,
        left: Option<Duration>,
    ) {
        let topics = Topics::api(&self.config.app.id, &endpoint.mqtt_topic);
        let expires_at = left.map(|left| self.now.after(left));
        self.lease = Some(Lease { onboarded, endpoint, topics, expires_at });
    }

    pub(super) fn api_message(&mut self, message: &Message<'_>) {
        let Some(lease) = &self.lease else { return };
        match lease.topics.classify(message.topic) {
            Topic::Push => self.push(message),
            Topic::Api(_) if is_request(message.payload) => {
                self.ignore(message, IgnoreReason::Echo);
            }
            Topic::Api(_) => self.response(message),
            _ => self.ignore(message, IgnoreReason::UnknownTopic),
        }
    }

    fn push(&mut self, message: &Message<'_>) {
        let (len, limit) = (message.payload.len(), self.config.limits.max_payload);
        if len > limit {
            let error = DecodeError::TooLarge { len, limit };
            return self.ignore(message, IgnoreReason::BadPayload(error));
        }
        match Push::decode(message.payload) {
            Ok(Push::Command(command)) => self.tell(Event::Command(Box::new(command))),
            Ok(Push::Other(push)) => self.tell(Event::Push(push)),
            Err(error) => self.ignore(message, IgnoreReason::BadPush(error)),
        }
    }

    fn response(&mut self, message: &Message<'_>) {
        let response = match frame::Response::decode_within(message.payload, self.config.limits) {
            Ok(response) => response,
            Err(error) => return self.ignore(message, IgnoreReason::BadPayload(error)),
        };
        let Some(call) = self.pending.take(message.topic, &response) else {
            return self.ignore(message, IgnoreReason::Unmatched);
        };
        let response = Response { call: call.call, kind: call.kind, frame: response.to_owned() };
        self.tell(Event::Response(Box::new(response)));
    }

    /// The number and the request id of the next call.
    pub(super) fn request_id(
        &self,
        now: MonoTime,
        topic: &str,
        call: &Call,
    ) -> Result<(u64, RequestId), CommandError> {
        if let Some(id) = call.request_id().cloned() {
            return match self.pending.contains_at(now, topic, &id) {
                true => Err(CommandError::DuplicateRequestId { id }),
                false => Ok((self.next_call, id)),
            };
        }
        // A caller may have chosen the same number: at most as many are skipped as wait.
        let mut number = self.next_call;
        loop {
            let id = RequestId::from_number(number);
            if !self.pending.contains_at(now, topic, &id) {
                return Ok((number, id));
            }
            number = number.saturating_add(1);
        }
    }
}
