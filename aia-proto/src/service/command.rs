//! What the application can do to a device: rows 29, 30 and 34 to 37 of the table, and faults.

use alloc::vec::Vec;

use iot_sansio::MonoTime;

use super::{
    Client, Connection, Directive, End, Event, ExceptionCode, Fault, Phase, Service, ServiceError,
    directive,
};
use crate::{
    ApiVersion, ClientId, Json, Leaf, MessageId, connection::DisconnectCode,
    device::capabilities::SPEAKER, protect::HEADER_LEN, sequence::SequenceNumber,
};

/// A message that was sent to a device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Sent {
    /// Its number on its topic.
    pub sequence: SequenceNumber,
    /// The ids of its elements.
    pub message_ids: Vec<MessageId>,
}

impl Service {
    /// Sends a directive to a device, alone in its message. A `RotateSecret` is better sent by [`rotate`](Self::rotate).
    ///
    /// # Errors
    /// The device cannot be sent messages now, the message would be too large, or the queue of outputs is full.
    pub fn send_directive(
        &mut self,
        now: MonoTime,
        client_id: &ClientId,
        name: &str,
        payload: Option<&Json>,
    ) -> Result<Sent, ServiceError> {
        let directive = Directive { name: name.into(), payload: payload.cloned() };
        self.send_directives(now, client_id, &[directive])
    }

    /// Sends directives to a device in one message, which it processes in their order.
    ///
    /// # Errors
    /// The device cannot be sent messages now, the message would be too large, or the queue of outputs is full.
    pub fn send_directives(
        &mut self,
        now: MonoTime,
        client_id: &ClientId,
        directives: &[Directive],
    ) -> Result<Sent, ServiceError> {
        // All ids have the same length, and what time does may draw some before these.
        let any_id = MessageId::from_random([0; 16]);
        let any = directives.iter().map(|directive| (directive, &any_id));
        self.check_message(now, client_id, Leaf::Directive, directive::encode(any).len())?;
        self.pass(now);
        let message_ids: Vec<_> = directives.iter().map(|_| self.new_id()).collect();
        let body = directive::encode(directives.iter().zip(&message_ids));
        let sequence = self.send(client_id, Leaf::Directive, &body);
        Ok(Sent { sequence, message_ids })
    }

    /// Sends a message on `speaker` to a device, and gives its number. It is kept for a while, and sent again when the
    /// device says that it had no room for it.
    ///
    /// # Errors
    /// The device cannot be sent messages now, has no speaker, the message would be too large, too many wait to be sent
    /// again, or the queue of outputs is full.
    pub fn send_speaker(
        &mut self,
        now: MonoTime,
        client_id: &ClientId,
        body: &[u8],
    ) -> Result<SequenceNumber, ServiceError> {
        let connection = self.check_message(now, client_id, Leaf::Speaker, body.len())?;
        let is_active = connection.phase == Phase::Active;
        if !(is_active && self.capabilities(client_id).is_some_and(|it| it.has(SPEAKER))) {
            return Err(ServiceError::NoSpeaker { client_id: client_id.clone() });
        }
        let limit = self.config.kept_speaker;
        let at = self.now.max(now);
        if !connection.speaker.has_room(at, self.config.redrive_interval, limit) {
            return Err(ServiceError::SpeakerFull { client_id: client_id.clone(), limit });
        }
        self.pass(now);
        Ok(self.stream(client_id, body))
    }

    /// Gives a device a new secret, by the directive `RotateSecret`. [`Event::Rotated`] tells that it took it.
    ///
    /// Until then, or until it is not waited for any more, only those few messages can be sent that the old secret still
    /// protects: the device could not open others, and would have to register again, if `RotateSecret` were late or lost.
    ///
    /// # Errors
    /// The device is not connected with accepted capabilities, has not answered the last rotation, has too many secrets
    /// in use, or the queue of outputs is full.
    pub fn rotate(&mut self, now: MonoTime, client_id: &ClientId) -> Result<(), ServiceError> {
        self.check_queue()?;
        self.check_rotation(self.check_ready(now, client_id)?, client_id)?;
        self.pass(now);
        self.start_rotation(client_id);
        Ok(())
    }

    /// Ends the connection of a device with this code, and text for people.
    ///
    /// # Errors
    /// The device is not connected, or the queue of outputs is full.
    pub fn disconnect(
        &mut self,
        now: MonoTime,
        client_id: &ClientId,
        code: DisconnectCode,
        description: Option<&str>,
    ) -> Result<(), ServiceError> {
        self.check_queue()?;
        self.check_connected(now, client_id)?;
        self.pass(now);
        self.close(client_id, code.clone(), description, End::Requested(code));
        Ok(())
    }

    /// Ends the connection of a device with an `Exception` that has this code, and `GOING_OFFLINE` after it, as the real
    /// service was seen to do.
    ///
    /// # Errors
    /// The device is not connected, or the queue of outputs is full.
    pub fn fail(
        &mut self,
        now: MonoTime,
        client_id: &ClientId,
        code: ExceptionCode,
        description: Option<&str>,
    ) -> Result<(), ServiceError> {
        self.check_queue()?;
        self.check_connected(now, client_id)?;
        self.pass(now);
        self.end_fatally(client_id, code, description);
        Ok(())
    }

    /// Tells that the MQTT client of a device is gone, as a presence service knows: its connection is over, and it is told
    /// nothing.
    ///
    /// # Errors
    /// The device is not connected, or the queue of outputs is full.
    pub fn client_gone(&mut self, now: MonoTime, client_id: &ClientId) -> Result<(), ServiceError> {
        self.check_queue()?;
        self.check_connected(now, client_id)?;
        self.pass(now);
        self.end(client_id, End::Gone);
        Ok(())
    }

    /// Stops to serve a version: connections on its topics end with `API_VERSION_DEPRECATED`, and further ones are refused
    /// with the same code, on the same topics.
    ///
    /// # Errors
    /// The queue of outputs is full.
    pub fn deprecate_version(
        &mut self,
        now: MonoTime,
        version: ApiVersion,
    ) -> Result<(), ServiceError> {
        self.check_queue()?;
        self.pass(now);
        self.deprecated.insert(version);
        for client_id in self.connected(|connection| connection.version == version) {
            let code = DisconnectCode::ApiVersionDeprecated;
            self.close(&client_id, code.clone(), None, End::Requested(code));
        }
        Ok(())
    }

    /// Forgets the registration of a device, as when its user removes it. A connection ends with `ENCRYPTION_ERROR`, so
    /// that the device registers again.
    ///
    /// # Errors
    /// The device is not registered, or the queue of outputs is full.
    pub fn unlink(&mut self, now: MonoTime, client_id: &ClientId) -> Result<(), ServiceError> {
        self.check_queue()?;
        self.check_registered(client_id)?;
        self.pass(now);
        self.close(client_id, DisconnectCode::EncryptionError, None, End::Registration);
        self.devices.remove(client_id);
        self.tell(Event::Unlinked { client_id: client_id.clone() });
        Ok(())
    }

    /// Sends the last message of a topic to a device once more, byte for byte, as an attacker could. Faults strike it like
    /// any other, so with [`Fault::Tamper`] its clear number is raised.
    ///
    /// # Errors
    /// The device is not connected, was sent nothing on the topic since it registered, or the queue of outputs is full.
    pub fn replay(
        &mut self,
        now: MonoTime,
        client_id: &ClientId,
        leaf: Leaf,
    ) -> Result<(), ServiceError> {
        self.check_queue()?;
        self.check_connected(now, client_id)?;
        if self.check_registered(client_id)?.last_sent(leaf).is_none() {
            return Err(ServiceError::NothingSent { client_id: client_id.clone() });
        }
        self.pass(now);
        let message = self.devices.get(client_id).and_then(|device| device.last_sent(leaf));
        if let Some(message) = message.map(Vec::from) {
            self.deliver(client_id, leaf, message);
        }
        Ok(())
    }

    /// Plans a fault of a device, behind those that wait already.
    ///
    /// # Errors
    /// The device is not registered, too many faults wait, or the queue of outputs is full.
    pub fn inject(
        &mut self,
        now: MonoTime,
        client_id: &ClientId,
        fault: Fault,
    ) -> Result<(), ServiceError> {
        self.check_queue()?;
        let limit = self.config.max_faults;
        if self.check_registered(client_id)?.faults.len() >= limit {
            return Err(ServiceError::TooManyFaults { client_id: client_id.clone(), limit });
        }
        self.pass(now);
        if let Some(device) = self.devices.get_mut(client_id) {
            device.faults.add(fault);
        }
        Ok(())
    }

    /// Forgets all faults of a device that wait.
    ///
    /// # Errors
    /// The device is not registered, or the queue of outputs is full.
    pub fn clear_faults(
        &mut self,
        now: MonoTime,
        client_id: &ClientId,
    ) -> Result<(), ServiceError> {
        self.check_queue()?;
        self.check_registered(client_id)?;
        self.pass(now);
        if let Some(device) = self.devices.get_mut(client_id) {
            device.faults.clear();
        }
        Ok(())
    }
}

impl Service {
    fn check_registered(&self, client_id: &ClientId) -> Result<&Client, ServiceError> {
        let error = || ServiceError::NotRegistered { client_id: client_id.clone() };
        self.devices.get(client_id).ok_or_else(error)
    }

    /// The connection of a device, if it still stands then.
    fn check_connected(
        &self,
        now: MonoTime,
        client_id: &ClientId,
    ) -> Result<&Connection, ServiceError> {
        let device = self.check_registered(client_id)?;
        let now = self.now.max(now);
        let stands = |it: &&Connection| it.channel.deadline().is_none_or(|deadline| deadline > now);
        let error = || ServiceError::NotConnected { client_id: client_id.clone() };
        device.connection.as_ref().filter(stands).ok_or_else(error)
    }

    /// The same, if the device has sent its first message.
    fn check_ready(
        &self,
        now: MonoTime,
        client_id: &ClientId,
    ) -> Result<&Connection, ServiceError> {
        let connection = self.check_connected(now, client_id)?;
        match connection.phase {
            Phase::Fresh => Err(ServiceError::NotReady { client_id: client_id.clone() }),
            Phase::Active | Phase::NoCapabilities => Ok(connection),
        }
    }

    /// The same, if the device takes a body of so many bytes and there is room in the queue.
    fn check_message(
        &self,
        now: MonoTime,
        client_id: &ClientId,
        leaf: Leaf,
        body_len: usize,
    ) -> Result<&Connection, ServiceError> {
        self.check_queue()?;
        let connection = self.check_ready(now, client_id)?;
        let now = self.now.max(now);
        let is_awaited = connection.rotation_deadline.is_some_and(|deadline| deadline > now);
        if is_awaited && connection.channel.goes_under_offer(leaf) {
            return Err(ServiceError::Rotating { client_id: client_id.clone() });
        }
        let (size, limit) = (HEADER_LEN.saturating_add(body_len), connection.max_size);
        match size > limit {
            true => Err(ServiceError::TooLarge { client_id: client_id.clone(), size, limit }),
            false => Ok(connection),
        }
    }
}
