//! Calls that wait for their responses (specification, section 7).

use alloc::{collections::VecDeque, string::String};

use iot_sansio::{MonoTime, mqtt::Token};

use super::CallId;
use crate::{RequestId, call::CallKind, frame::Response};

/// The calls that wait, the oldest first: all wait equally long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Pending(VecDeque<PendingCall>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PendingCall {
    pub(super) call: CallId,
    pub(super) kind: CallKind,
    /// Of its PUBLISH.
    pub(super) token: Token,
    pub(super) topic: String,
    pub(super) id: RequestId,
    pub(super) until: MonoTime,
}

impl Pending {
    /// How many still wait at this moment.
    pub(super) fn len_at(&self, now: MonoTime) -> usize {
        self.0.iter().filter(|call| call.until > now).count()
    }

    /// Whether a call with this id still waits on this topic at this moment.
    pub(super) fn contains_at(&self, now: MonoTime, topic: &str, id: &RequestId) -> bool {
        self.0.iter().any(|call| call.until > now && call.topic == topic && call.id == *id)
    }

    pub(super) fn push(&mut self, call: PendingCall) {
        self.0.push_back(call);
    }

    pub(super) fn next_deadline(&self) -> Option<MonoTime> {
        self.0.front().map(|call| call.until)
    }

    /// Takes the call that has waited longest.
    pub(super) fn pop(&mut self) -> Option<PendingCall> {
        self.0.pop_front()
    }

    /// Takes the call whose PUBLISH this is.
    pub(super) fn take_unsent(&mut self, token: Token) -> Option<PendingCall> {
        let index = self.0.iter().position(|call| call.token == token)?;
        self.0.remove(index)
    }

    /// Takes the call that a response is for: the one with its id or, if it has none, the only one on its topic.
    pub(super) fn take(&mut self, topic: &str, response: &Response<'_>) -> Option<PendingCall> {
        let on_topic = |call: &PendingCall| call.topic == topic;
        let index = match response.headers.request_id() {
            Some(id) => self.0.iter().position(|call| on_topic(call) && call.id.as_str() == id),
            None => {
                let mut matching = (0..).zip(&self.0).filter(|(_, call)| on_topic(call));
                let (index, _) = matching.next()?;
                matching.next().is_none().then_some(index)
            }
        };
        self.0.remove(index?)
    }
}
