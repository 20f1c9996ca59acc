//! Protected messages in both directions: rows 21 and 24 to 45 of section 11.3.

use alloc::{boxed::Box, string::String};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use iot_sansio::{
    MonoTime, Secret,
    mqtt::{Message, Publish, Qos, Token},
};
use zeroize::Zeroizing;

use super::{
    Blocked, CommandError, Device, Directive, DisconnectCause, Event, MAX_TAMPERED,
    RegistrationNeed, Security, Speaker, TAMPERED_APART, capabilities, state::State,
};
use crate::{
    Json, Leaf, MessageId,
    channel::{Channel, GRACE, Received, Refused},
    connection::{self, DisconnectCode},
    envelope::{MAX_ELEMENTS, Parts, message, number},
    json::{Member, Object, Value},
    pacer::BatchError,
    protect::{SharedSecret, Starts},
    sequence::SequenceNumber,
};

impl Device {
    /// Sends an event, with a payload or without. It waits for its turn, and until the service has taken the capabilities;
    /// what still waits when the connection ends is dropped.
    ///
    /// # Errors
    /// The device is not connected, the payload is no object, the event is too large, too many wait, or too much waits to be
    /// drained.
    pub fn send_event(
        &mut self,
        now: MonoTime,
        name: &str,
        payload: Option<&Json>,
    ) -> Result<MessageId, CommandError> {
        if payload.is_some_and(|payload| !payload.is_object()) {
            return Err(CommandError::NotAnObject);
        }
        self.command(now, |device| {
            device.check_connected()?;
            let mut random = device.random.clone();
            let id = MessageId::from_random(random.next_bytes());
            let event = message(name, &id, payload.map(Member::Json)).to_vec();
            device.outbox.push_event(event)?;
            device.random = random;
            Ok(id)
        })
    }

    /// Sends entries of the microphone's stream, in the form of the specification's section 9. They wait like events;
    /// without entries nothing is sent.
    ///
    /// # Errors
    /// The device is not connected or has no microphone, the entries are too large, too many wait, or too much waits to be
    /// drained.
    pub fn send_microphone(&mut self, now: MonoTime, entries: &[u8]) -> Result<(), CommandError> {
        self.command(now, |device| {
            device.check_connected()?;
            let interface = capabilities::MICROPHONE;
            if !device.config.capabilities.has(interface) {
                return Err(CommandError::NoCapability { interface });
            }
            if entries.is_empty() {
                return Ok(());
            }
            Ok(device.outbox.push_microphone(entries.into())?)
        })
    }

    const fn check_connected(&self) -> Result<(), CommandError> {
        if self.state.is_connected() { Ok(()) } else { Err(CommandError::NotConnected) }
    }

    pub(super) fn message(&mut self, message: &Message<'_>) {
        let leaf = self.topics.as_ref().and_then(|topics| topics.classify(message.topic));
        match leaf {
            Some(Leaf::ConnectionFromService) => self.connection_message(message.payload),
            // What is not of this connection is dropped, and its number does not count.
            Some(leaf) if self.state.is_connected() => self.protected(leaf, message.payload),
            _ => {}
        }
    }

    fn protected(&mut self, leaf: Leaf, payload: &[u8]) {
        let Some(channel) = &mut self.channel else { return };
        match channel.receive(self.now, leaf, payload, &mut self.seen) {
            Ok(Received::Taken) => self.deliver(leaf),
            Ok(Received::Legacy(body)) => {
                let sequence = crate::protect::outer_sequence(payload).unwrap_or_default();
                self.directives(sequence, &Zeroizing::new(body), true);
                self.send_disconnect(DisconnectCode::MessageTampered, None);
                self.retry(DisconnectCause::Tampered);
            }
            Err(Refused::WrongTopic) => {}
            Err(Refused::TooShort { outer }) => self.report(leaf, outer, None),
            Err(Refused::BadTag) => self.bad_tag(leaf, payload),
            Err(Refused::Tampered { outer, inner }) => {
                self.is_tampered(Security::Tampered { leaf, outer, inner });
            }
            Err(Refused::Lost { expected }) => self.messages_lost(leaf, expected),
        }
    }

    /// Hands over what is in order.
    fn deliver(&mut self, leaf: Leaf) {
        while let Some((sequence, body)) =
            self.channel.as_mut().and_then(|channel| channel.poll(leaf))
        {
            match leaf {
                // It may hold a new secret.
                Leaf::Directive => self.directives(sequence, &Zeroizing::new(body), false),
                Leaf::Speaker => self.tell(Event::Speaker(Speaker { sequence, body })),
                _ => self.capabilities_acknowledged(&body),
            }
        }
    }

    pub(super) fn publish_capabilities(&mut self, id: &MessageId) {
        let set = Member::Json(self.config.capabilities.as_json());
        let payload = Object::new([("capabilities", set)]);
        let body = message("Publish", id, Some(Member::Object(payload))).to_vec();
        self.seal(Leaf::CapabilitiesPublish, &body);
    }

    fn capabilities_acknowledged(&mut self, body: &[u8]) {
        let State::AwaitCapsAck { id, .. } = &self.state else { return };
        let Ok(message) = Value::parse(body) else { return };
        let Parts { name, payload, .. } = Parts::of(message);
        let Some(payload) = payload.filter(|_| name.as_deref() == Some("Acknowledge")) else {
            return;
        };
        let [publish_id, code, description] =
            payload.members(["publishMessageId", "code", "description"]);
        if publish_id.and_then(Value::text).as_deref() != Some(id.as_str()) {
            return;
        }
        match code.and_then(Value::text).as_deref() {
            Some("CAPABILITIES_ACCEPTED") => {
                let digest = self.config.capabilities.digest();
                if let Some(registration) = &mut self.registration {
                    registration.capabilities_digest = Some(digest);
                }
                self.save();
                self.ready();
            }
            Some("CAPABILITIES_REJECTED") => {
                let description = description.and_then(Value::text);
                let description = description.map(|text| String::from(connection::cut(&text)));
                self.send_disconnect(DisconnectCode::GoingOffline, None);
                self.block(Blocked::Capabilities { description });
            }
            _ => {}
        }
    }

    /// Hands over directives. Those of a message whose number nothing protects are for the application alone.
    fn directives(&mut self, sequence: SequenceNumber, body: &[u8], is_legacy: bool) {
        let parsed = Value::parse(body).ok();
        let directives = parsed.and_then(|body| body.members(["directives"])[0]?.elements());
        let Some(directives) = directives.filter(|all| all.len() <= MAX_ELEMENTS) else {
            return self.report(Leaf::Directive, Some(sequence), None);
        };
        for (index, directive) in directives.into_iter().enumerate() {
            let Some((name, message_id, payload)) = read(directive) else {
                self.report(Leaf::Directive, Some(sequence), Some(index));
                continue;
            };
            if name == ROTATE_SECRET && !is_legacy {
                if payload.and_then(|payload| self.rotate(payload)).is_none() {
                    self.report(Leaf::Directive, Some(sequence), Some(index));
                }
                continue;
            }
            let payload = payload.map(Value::json);
            let directive = Directive { name, message_id, payload, sequence, index };
            self.tell(Event::Directive(Box::new(directive)));
        }
    }

    /// Takes a new secret: saved first, then told the service under the old one. None when it is malformed.
    fn rotate(&mut self, payload: Value<'_>) -> Option<()> {
        let names = ["newSecret", "directiveSequenceNumber", "speakerSequenceNumber"];
        let [secret, directive, speaker] = payload.members(names);
        let (directive, speaker) = (number(directive)?, number(speaker)?);
        let secret = Secret::from(STANDARD.decode(&*secret?.text()?).ok()?);
        let secret = SharedSecret::from_bytes(secret.expose()).ok()?;

        let channel = self.channel.as_mut()?;
        // Answers to rotations just before this one wait still, and each takes a number.
        let padding = PADDING.saturating_add(self.outbox.first_len());
        let event = channel.next_number(Leaf::Event).plus(padding);
        let has_microphone = self.config.capabilities.has(capabilities::MICROPHONE);
        let microphone = channel.next_number(Leaf::Microphone).plus(PADDING);
        let mut starts = Starts::new(directive, speaker, event);
        if has_microphone {
            starts = starts.with_microphone(microphone);
        }
        channel.rotate(&secret, starts).ok()?;
        let registration = self.registration.as_mut()?;
        let old = core::mem::replace(&mut registration.secret, secret);
        registration.previous = Some(old);
        self.save();

        let mut payload =
            Object::new([("eventSequenceNumber", Member::Integer(event.get().into()))]);
        if has_microphone {
            let number = Member::Integer(microphone.get().into());
            payload = payload.with("microphoneSequenceNumber", number);
        }
        let id = self.new_id();
        let rotated = message("SecretRotated", &id, Some(Member::Object(payload))).to_vec();
        self.outbox.push_first(rotated);
        Some(())
    }

    pub(super) fn synchronize_state(&mut self) {
        let id = self.new_id();
        let state = self.config.state.as_ref().map(Member::Json);
        self.outbox.push_very_first(message("SynchronizeState", &id, state).to_vec());
    }

    /// Tells the service that a message could not be read (rows 30 and 31 of the vectors, and decision Q25).
    fn report(&mut self, leaf: Leaf, sequence: Option<SequenceNumber>, index: Option<usize>) {
        // The service takes no such report about capabilities (specification, section 8.2).
        if leaf == Leaf::CapabilitiesAcknowledge {
            return;
        }
        let mut about = Object::new([("topic", Member::Text(leaf.as_str()))]);
        if let Some(sequence) = sequence {
            about = about.with("sequenceNumber", Member::Integer(sequence.get().into()));
        }
        if let Some(index) = index {
            about = about.with("index", Member::Integer(index as u64));
        }
        let error = Object::new([("code", Member::Text("MALFORMED_MESSAGE"))]);
        let payload =
            Object::new([("error", Member::Object(error)), ("message", Member::Object(about))]);
        let id = self.new_id();
        let event = message("ExceptionEncountered", &id, Some(Member::Object(payload))).to_vec();
        // Where too much waits, the service is told later faults only.
        let _ = self.outbox.push_event(event);
    }

    fn bad_tag(&mut self, leaf: Leaf, payload: &[u8]) {
        let previous = self.registration.as_ref().and_then(|known| known.previous.as_ref());
        let is_young = self.now.since(self.connected_at) < GRACE;
        if is_young && previous.is_some_and(|secret| Channel::is_sealed_with(payload, secret)) {
            return;
        }
        self.send_disconnect(DisconnectCode::EncryptionError, None);
        self.tell(Event::Security(Security::Encryption { leaf }));
        let other = self.registration.as_mut().filter(|_| !self.is_previous_tried);
        let is_swapped = other.is_some_and(|registration| match &mut registration.previous {
            Some(previous) => {
                core::mem::swap(previous, &mut registration.secret);
                true
            }
            None => false,
        });
        if is_swapped {
            self.is_previous_tried = true;
            self.save();
            self.retry(DisconnectCause::Encryption);
        } else {
            self.need(RegistrationNeed::Secret, DisconnectCause::Encryption);
        }
    }

    fn is_tampered(&mut self, security: Security) {
        self.send_disconnect(DisconnectCode::MessageTampered, None);
        self.tell(Event::Security(security));
        let (times, last) = self.tampered;
        let is_in_a_row = self.now.since(last) < TAMPERED_APART;
        let times = if is_in_a_row { times.saturating_add(1) } else { 1 };
        self.tampered = (times, self.now);
        if times >= MAX_TAMPERED {
            self.tell_disconnected(DisconnectCause::Tampered);
            self.block(Blocked::Security { times });
        } else {
            self.retry(DisconnectCause::Tampered);
        }
    }

    pub(super) fn messages_lost(&mut self, leaf: Leaf, expected: SequenceNumber) {
        self.send_disconnect(DisconnectCode::UnexpectedSequenceNumber, None);
        self.retry(DisconnectCause::Lost { leaf, expected });
    }

    /// The MQTT client refused a message: it goes out once more as it is, since others have higher numbers.
    pub(super) fn publish_failed(&mut self, refused: Token) {
        if !self.state.is_connected() {
            return;
        }
        let token = self.take_token();
        match (self.outbox.repeat(refused, token), self.link, &self.topics) {
            (Some(Ok((leaf, message))), Some(link), Some(topics)) => {
                let topic = topics.topic(leaf);
                self.act(Publish::new(link, token, topic, message, Qos::AtMostOnce));
            }
            (Some(Err(())), ..) => {
                self.send_disconnect(DisconnectCode::UnexpectedSequenceNumber, None);
                self.retry(DisconnectCause::NotSent);
            }
            _ => {}
        }
    }

    /// Sends what may be sent now.
    pub(super) fn flush(&mut self) {
        while matches!(self.state, State::Ready { .. }) {
            let Some((leaf, body)) = self.outbox.take(self.now) else { return };
            self.seal(leaf, &body);
        }
    }

    fn seal(&mut self, leaf: Leaf, body: &[u8]) {
        let iv = self.random.next_iv();
        if let Some(channel) = &mut self.channel {
            let message = channel.seal(leaf, iv, body);
            self.publish(leaf, message);
        }
    }
}

/// Name, id and payload of an element; none when it is malformed. A payload of null is none.
fn read(element: Value<'_>) -> Option<(String, MessageId, Option<Value<'_>>)> {
    let Parts { name, message_id, payload } = Parts::of(element);
    let name = String::from(name.filter(|name| !name.is_empty())?);
    payload.is_none_or(Value::is_object).then_some((name, message_id?, payload))
}

impl From<BatchError> for CommandError {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::TooLarge { size, limit } => Self::TooLarge { len: size, limit },
            BatchError::Full { limit, .. } => Self::Congested { limit },
        }
    }
}

const ROTATE_SECRET: &str = "RotateSecret";
/// So many messages still go out under the old secret.
const PADDING: u32 = 5;
