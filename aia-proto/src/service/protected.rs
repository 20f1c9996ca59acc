//! Protected messages: rows 12, 15, 16, 18 to 28 of the table.

use alloc::{borrow::Cow, vec::Vec};

use super::{
    End, Event, ExceptionCode, Fault, Ignored, Malformed, Microphone, Phase, Received, Service,
    rate::Verdict,
};
use crate::{
    ApiVersion, ClientId, Direction, Leaf, Topics,
    channel::{Channel, GRACE, Refused},
    connection::DisconnectCode,
    envelope::{MAX_ELEMENTS, Parts, number},
    json::Value,
    protect::LegacyInnerSequence,
    sequence::SequenceNumber,
};

impl Service {
    pub(super) fn receive_protected(
        &mut self,
        client_id: &ClientId,
        version: ApiVersion,
        leaf: Leaf,
        payload: &[u8],
    ) {
        let connection = self.connection(client_id);
        if connection.is_none_or(|connection| connection.version != version) {
            return self.ignore(client_id.clone(), leaf, Ignored::NotConnected);
        }
        if !self.decide_secret(client_id, leaf, payload) {
            return self.ignore(client_id.clone(), leaf, Ignored::EarlierSecret);
        }
        let now = self.now;
        let Some(client) = self.devices.get_mut(client_id) else { return };
        let Some(connection) = &mut client.connection else { return };
        match connection.channel.receive(now, leaf, payload, &mut client.seen) {
            Ok(_) => {
                let rate = connection.rates.entry(leaf).or_default();
                let verdict =
                    self.config.max_rate.map_or(Verdict::Fine, |limit| rate.count(now, limit));
                self.take(client_id, leaf);
                self.throttle(client_id, leaf, verdict);
            }
            Err(Refused::WrongTopic) => {}
            Err(Refused::TooShort { outer }) => {
                if !connection.is_decided {
                    // It is open which secret the device could read an answer with.
                    return self.ignore(client_id.clone(), leaf, Ignored::TooShort);
                }
                let fault = Malformed::TooShort { len: payload.len() };
                self.malformed(client_id, leaf, outer, None, fault);
            }
            Err(Refused::BadTag) => {
                let previous = client.previous.as_ref();
                if now.since(connection.since) < GRACE
                    && previous.is_some_and(|secret| Channel::is_sealed_with(payload, secret))
                {
                    return self.ignore(client_id.clone(), leaf, Ignored::EarlierSecret);
                }
                let code = DisconnectCode::EncryptionError;
                self.close(client_id, code, None, End::EncryptionError { leaf });
            }
            Err(Refused::Tampered { outer, inner }) => {
                let reason = End::Tampered { leaf, outer, inner };
                self.close(client_id, DisconnectCode::MessageTampered, None, reason);
            }
            Err(Refused::Lost { expected }) => self.lose(client_id, leaf, expected),
        }
    }

    /// Lets the first message of a connection show which secret the device has. False when it is to be dropped.
    fn decide_secret(&mut self, client_id: &ClientId, leaf: Leaf, payload: &[u8]) -> bool {
        let now = self.now;
        let Some(client) = self.devices.get_mut(client_id) else { return true };
        let Some(connection) = client.connection.as_mut().filter(|it| !it.is_decided) else {
            return true;
        };
        if Channel::number_under(payload, &client.secret).is_some() {
            connection.is_decided = true;
            return true;
        }
        let previous = client.previous.as_ref();
        let number = previous.and_then(|secret| Channel::number_under(payload, secret));
        let Some(number) = number else { return true };
        let is_young = now.since(connection.since) < GRACE;
        let is_late = is_young && number != SequenceNumber::FIRST;
        if is_late || client.seen.contains(leaf, payload) {
            return false;
        }
        if let Some(previous) = client.previous.take() {
            client.secret = previous;
        }
        connection.is_decided = true;
        let (legacy, order) = (LegacyInnerSequence::Refuse, self.config.order);
        connection.channel = Channel::new(Direction::ToService, &client.secret, legacy, order);
        self.tell(Event::RotationLost { client_id: client_id.clone() });
        true
    }

    fn throttle(&mut self, client_id: &ClientId, leaf: Leaf, verdict: Verdict) {
        let code = ExceptionCode::Throttling;
        match verdict {
            Verdict::Fine => {}
            Verdict::Disconnect => self.end_fatally(client_id, code, None),
            Verdict::Warn if self.connection(client_id).is_none() => {}
            Verdict::Warn => {
                self.except(client_id, code, Some(leaf.as_str()));
                self.tell(Event::Throttled { client_id: client_id.clone(), leaf });
            }
        }
    }

    /// Takes what is in order.
    fn take(&mut self, client_id: &ClientId, leaf: Leaf) {
        while let Some((sequence, body)) =
            self.connection_mut(client_id).and_then(|it| it.channel.poll(leaf))
        {
            self.process(client_id, leaf, sequence, body);
        }
    }

    fn process(
        &mut self,
        client_id: &ClientId,
        leaf: Leaf,
        sequence: SequenceNumber,
        body: Vec<u8>,
    ) {
        let phase = self.connection(client_id).map(|connection| connection.phase);
        let is_first = phase == Some(Phase::Fresh);
        if leaf == Leaf::CapabilitiesPublish {
            return self.publish_capabilities(client_id, sequence, &body, is_first);
        }
        if is_first && !self.start_without_publish(client_id, leaf) {
            return;
        }
        match leaf {
            Leaf::Event => self.events(client_id, sequence, &body),
            _ => {
                let client_id = client_id.clone();
                self.tell(Event::Microphone(Microphone { client_id, sequence, body }));
            }
        }
    }

    /// The first message of a connection does not publish capabilities: whether earlier ones count.
    fn start_without_publish(&mut self, client_id: &ClientId, leaf: Leaf) -> bool {
        let Some(client) = self.devices.get_mut(client_id) else { return false };
        let is_known = client.capabilities.is_some();
        if let Some(connection) = &mut client.connection {
            connection.phase = if is_known { Phase::Active } else { Phase::NoCapabilities };
            connection.max_size = client.max_size;
        }
        if !is_known {
            let description = Some("publish the capabilities first");
            self.except(client_id, ExceptionCode::InvalidRequest, description);
            self.tell(Event::CapabilitiesMissing { client_id: client_id.clone(), leaf });
        }
        is_known
    }

    fn events(&mut self, client_id: &ClientId, sequence: SequenceNumber, body: &[u8]) {
        let elements = Value::parse(body).map_err(Malformed::BadJson).and_then(|body| {
            let events = body.members(["events"])[0].and_then(Value::elements);
            let events = events.ok_or(Malformed::NoEvents)?;
            match events.len() > MAX_ELEMENTS {
                true => Err(Malformed::TooManyEvents { limit: MAX_ELEMENTS }),
                false => Ok(events),
            }
        });
        let elements = match elements {
            Ok(elements) => elements,
            Err(fault) => {
                return self.malformed(client_id, Leaf::Event, Some(sequence), None, fault);
            }
        };
        for (index, element) in elements.into_iter().enumerate() {
            // One of those before may have ended the connection.
            if self.connection(client_id).is_none() {
                return;
            }
            if let Err(fault) = self.event(client_id, sequence, index, element) {
                let (sequence, index) = (Some(sequence), Some(index));
                self.malformed(client_id, Leaf::Event, sequence, index, fault);
            }
        }
    }

    fn event(
        &mut self,
        client_id: &ClientId,
        sequence: SequenceNumber,
        index: usize,
        element: Value<'_>,
    ) -> Result<(), Malformed> {
        let Parts { name, message_id, payload } = Parts::of(element);
        let name = name.ok_or(Malformed::NoName)?;
        let message_id = message_id.ok_or(Malformed::NoMessageId)?;
        if payload.is_some_and(|payload| !payload.is_object()) {
            return Err(Malformed::BadPayload);
        }
        let overrun = match &*name {
            "BufferStateChanged" => overrun(payload)?,
            "SecretRotated" => {
                self.rotated(client_id, payload)?;
                None
            }
            _ => None,
        };
        self.tell(Event::Received(Received {
            client_id: client_id.clone(),
            sequence,
            index,
            name: name.into_owned(),
            message_id,
            payload: payload.map(Value::json),
        }));
        if overrun.is_some_and(|number| !self.overrun(client_id, number)) {
            return Err(Malformed::BadField { field: SEQUENCE_NUMBER });
        }
        Ok(())
    }

    /// Numbers, seals and sends a message of a topic.
    pub(super) fn send(&mut self, client_id: &ClientId, leaf: Leaf, body: &[u8]) -> SequenceNumber {
        let connection = self.connection_mut(client_id);
        let number = connection.map_or(SequenceNumber::FIRST, |it| it.channel.take_number(leaf));
        let message = self.seal(client_id, leaf, number, body);
        self.deliver(client_id, leaf, message);
        number
    }

    pub(super) fn seal(
        &mut self,
        client_id: &ClientId,
        leaf: Leaf,
        number: SequenceNumber,
        body: &[u8],
    ) -> Vec<u8> {
        let iv = self.generator.next_iv();
        let Some(client) = self.devices.get_mut(client_id) else { return Vec::new() };
        let Some(connection) = &mut client.connection else { return Vec::new() };
        let message = connection.channel.seal_as(leaf, number, iv, body);
        client.set_last_sent(leaf, message.clone());
        message
    }

    /// Sends a message that is sealed, with whatever fault strikes it.
    pub(super) fn deliver(&mut self, client_id: &ClientId, leaf: Leaf, mut message: Vec<u8>) {
        let client = self.devices.get_mut(client_id);
        let fault = client.and_then(|client| client.faults.on_message(leaf));
        if fault.is_some() {
            self.tell(Event::Faulted { client_id: client_id.clone() });
        }
        match fault {
            Some(Fault::Lose(_)) => return,
            Some(Fault::Duplicate(_)) => self.publish_to(client_id, leaf, message.clone()),
            Some(Fault::Tamper(_)) => {
                if let Some(clear) = message.first_chunk_mut() {
                    *clear = SequenceNumber::from_le_bytes(*clear).next().get().to_le_bytes();
                }
            }
            Some(Fault::Corrupt(_)) => {
                if let Some(last) = message.last_mut() {
                    *last ^= 1;
                }
            }
            _ => {}
        }
        self.publish_to(client_id, leaf, message);
    }

    pub(super) fn publish_to(&mut self, client_id: &ClientId, leaf: Leaf, message: Vec<u8>) {
        if let Some(version) = self.connection(client_id).map(|connection| connection.version) {
            let topics = Topics::new(&self.config.topic_root, version, client_id);
            self.publish(topics.topic(leaf), message);
        }
    }
}

/// The message for which a device had no room, if that is what `BufferStateChanged` says.
fn overrun(payload: Option<Value<'_>>) -> Result<Option<SequenceNumber>, Malformed> {
    let [message, state] = payload.map_or([None; 2], |it| it.members(["message", "state"]));
    let state = state.and_then(Value::text).ok_or(Malformed::BadField { field: "state" })?;
    if state != "OVERRUN" {
        return Ok(None);
    }
    let [topic, sequence] =
        message.map_or([None; 2], |message| message.members(["topic", "sequenceNumber"]));
    let topic = topic.and_then(Value::text);
    let is_speaker = |topic: Cow<'_, str>| topic.eq_ignore_ascii_case("speaker");
    if !topic.is_some_and(is_speaker) {
        return Err(Malformed::BadField { field: "message.topic" });
    }
    let field = SEQUENCE_NUMBER;
    number(sequence).map(Some).ok_or(Malformed::BadField { field })
}

const SEQUENCE_NUMBER: &str = "message.sequenceNumber";
