//! From an event to a payload, fields in the service's order (specification section 2.1).

use alloc::{borrow::Cow, vec::Vec};

use crate::{Event, EventKind, Field, PrincipalIdentifier, json};

impl Event<'_> {
    /// The payload, as the service writes it; only what is set.
    ///
    /// ```
    /// use iot_lifecycle::{Connected, Decoder, Event};
    /// use iot_sansio::UnixMillis;
    ///
    /// let event = Event::new("device-1", UnixMillis::new(1_573_002_230_757), Connected::new(3));
    /// let payload = event.encode();
    /// assert_eq!(
    ///     payload,
    ///     br#"{"clientId":"device-1","timestamp":1573002230757,"eventType":"connected","versionNumber":3}"#,
    /// );
    /// assert_eq!(Decoder::strict().decode(&payload), Ok(event));
    /// ```
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        self.encode_into(&mut payload);
        payload
    }

    /// Appends the payload to `out`, without allocating where `out` has room for it.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut object = Object { out };
        object.text(Field::ClientId, Some(&self.client_id));
        object.integer(Field::Timestamp, Some(self.timestamp.get()));
        object.text(Field::EventType, Some(self.kind.event_type()));
        match &self.kind {
            EventKind::Connected(connected) => {
                self.encode_session(&mut object);
                self.encode_address(&mut object);
                object.integer(Field::VersionNumber, connected.version_number);
            }
            EventKind::Disconnected(disconnected) => {
                let reason = disconnected.disconnect_reason.as_ref();
                let by_client = disconnected.client_initiated_disconnect;
                self.encode_session(&mut object);
                self.encode_address(&mut object);
                object.boolean(Field::ClientInitiatedDisconnect, by_client);
                object.text(
                    Field::DisconnectReason,
                    reason.map(|reason| reason.as_str()),
                );
                object.integer(Field::VersionNumber, disconnected.version_number);
            }
            EventKind::ConnectFailed(failed) => {
                let reason = failed.connect_failure_reason.as_ref();
                object.text(
                    Field::ConnectFailureReason,
                    reason.map(|reason| reason.as_str()),
                );
                // The only sample in which the principal stands first.
                self.encode_principal(&mut object);
                object.text(Field::SessionIdentifier, self.session_identifier.as_deref());
                self.encode_address(&mut object);
            }
            EventKind::Subscribed(topics) | EventKind::Unsubscribed(topics) => {
                self.encode_session(&mut object);
                self.encode_address(&mut object);
                object.texts(Field::Topics, &topics.topics);
            }
            EventKind::Unknown(_) => {
                self.encode_session(&mut object);
                self.encode_address(&mut object);
            }
        }
        // No documented sample shows its place.
        object.text(Field::ThingName, self.thing_name.as_deref());
        object.out.push(b'}');
    }

    fn encode_session(&self, object: &mut Object<'_>) {
        object.text(Field::SessionIdentifier, self.session_identifier.as_deref());
        self.encode_principal(object);
    }

    fn encode_principal(&self, object: &mut Object<'_>) {
        let principal = self.principal_identifier.as_ref();
        object.text(
            Field::PrincipalIdentifier,
            principal.map(PrincipalIdentifier::as_str),
        );
    }

    fn encode_address(&self, object: &mut Object<'_>) {
        object.text(Field::IpAddress, self.ip_address.as_deref());
    }
}

/// An object that is being written; a member without a value is left out.
struct Object<'v> {
    out: &'v mut Vec<u8>,
}

impl Object<'_> {
    fn name(&mut self, field: Field) {
        // `clientId` is always there, and always the first.
        let before: &[u8] = if field == Field::ClientId {
            b"\""
        } else {
            b",\""
        };
        self.out.extend_from_slice(before);
        self.out.extend_from_slice(field.as_str().as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn text(&mut self, field: Field, text: Option<&str>) {
        if let Some(text) = text {
            self.name(field);
            json::write_string(self.out, text);
        }
    }

    fn integer(&mut self, field: Field, integer: Option<i64>) {
        if let Some(integer) = integer {
            self.name(field);
            json::write_integer(self.out, integer);
        }
    }

    fn boolean(&mut self, field: Field, boolean: Option<bool>) {
        if let Some(boolean) = boolean {
            self.name(field);
            let word: &[u8] = if boolean { b"true" } else { b"false" };
            self.out.extend_from_slice(word);
        }
    }

    fn texts(&mut self, field: Field, texts: &[Cow<'_, str>]) {
        self.name(field);
        self.out.push(b'[');
        for (at, text) in texts.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            json::write_string(self.out, text);
        }
        self.out.push(b']');
    }
}
