//! New secrets: rows 29 and 31 to 33 of the table.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Connection, Event, Malformed, Phase, Service, ServiceError, directive::envelope};
use crate::{
    ClientId, Leaf,
    envelope::{message, number},
    json::{Member, Object, Value},
    protect::SharedSecret,
};

impl Service {
    pub(super) fn check_rotation(
        &self,
        connection: &Connection,
        client_id: &ClientId,
    ) -> Result<(), ServiceError> {
        let client_id = || client_id.clone();
        if connection.phase != Phase::Active {
            return Err(ServiceError::NoCapabilities { client_id: client_id() });
        }
        if connection.channel.is_rotating() {
            return Err(ServiceError::Rotating { client_id: client_id() });
        }
        let limit = MAX_SECRETS;
        match connection.channel.secrets() >= limit {
            true => Err(ServiceError::TooManySecrets { client_id: client_id(), limit }),
            false => Ok(()),
        }
    }

    /// Sends `RotateSecret`, under the old secret like a few messages after it.
    pub(super) fn start_rotation(&mut self, client_id: &ClientId) {
        let id = self.new_id();
        let bytes = Zeroizing::new(self.generator.next_bytes::<32>());
        let margin = self.config.rotation_margin;
        let Some(connection) = self.connection(client_id) else { return };
        let first = |leaf| connection.channel.next_number(leaf).next().plus(margin);
        let (directive, speaker) = (first(Leaf::Directive), first(Leaf::Speaker));
        let Some(client) = self.devices.get(client_id) else { return };
        let len = client.secret.len();
        let Some(secret) = bytes.get(..len).and_then(|it| SharedSecret::from_bytes(it).ok()) else {
            return;
        };
        let text = Zeroizing::new(STANDARD.encode(secret.expose()));
        let payload = Object::new([
            ("newSecret", Member::Text(&text)),
            ("directiveSequenceNumber", Member::Integer(directive.get().into())),
            ("speakerSequenceNumber", Member::Integer(speaker.get().into())),
        ]);
        let rotate = message("RotateSecret", &id, Some(Member::Object(payload)));
        let body = Zeroizing::new(envelope([rotate.to_vec()]));
        self.send(client_id, Leaf::Directive, &body);

        let deadline = self.now.after(self.config.rotation_timeout);
        let Some(client) = self.devices.get_mut(client_id) else { return };
        if let Some(connection) = &mut client.connection {
            connection.channel.offer(&secret, directive, speaker);
            connection.rotation_deadline = Some(deadline);
        }
        client.previous = Some(core::mem::replace(&mut client.secret, secret));
    }

    /// The device has taken the new secret into use: `SecretRotated`.
    pub(super) fn rotated(
        &mut self,
        client_id: &ClientId,
        payload: Option<Value<'_>>,
    ) -> Result<(), Malformed> {
        let [event, microphone] =
            payload.map_or([None; 2], |payload| payload.members([EVENT, MICROPHONE]));
        let event = number(event).ok_or(Malformed::BadField { field: EVENT })?;
        let microphone = match microphone.filter(|value| !value.is_null()) {
            None => None,
            some => Some(number(some).ok_or(Malformed::BadField { field: MICROPHONE })?),
        };
        let Some(connection) = self.connection_mut(client_id) else { return Ok(()) };
        if connection.channel.accept_offer(event, microphone) {
            connection.rotation_deadline = None;
            self.tell(Event::Rotated { client_id: client_id.clone() });
        }
        Ok(())
    }

    pub(super) fn end_wait_for_rotation(&mut self, client_id: &ClientId) {
        let now = self.now;
        let Some(connection) = self.connection_mut(client_id) else { return };
        if connection.rotation_deadline.is_some_and(|deadline| deadline <= now) {
            connection.rotation_deadline = None;
            self.tell(Event::RotationUnanswered { client_id: client_id.clone() });
        }
    }
}

const EVENT: &str = "eventSequenceNumber";
const MICROPHONE: &str = "microphoneSequenceNumber";
/// Less than a device keeps, which hears later than the service when a secret is out of use.
const MAX_SECRETS: usize = 6;
