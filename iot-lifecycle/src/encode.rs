//! From an event to a payload, fields in the service's order (specification section 2.1).

use alloc::vec::Vec;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{Event, EventKind, Field, PrincipalIdentifier};

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

    /// Appends the payload to `out`, without allocating where `out` has room for it. Without feature `std` it takes one
    /// temporary allocation.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        // serde_json writes into a buffer of others only with its own `std`.
        #[cfg(feature = "std")]
        let written = serde_json::to_writer(out, &Payload(self));
        #[cfg(not(feature = "std"))]
        let written = serde_json::to_vec(&Payload(self)).map(|payload| out.extend(payload));
        // Neither writing to memory nor an object with names for keys can fail.
        debug_assert!(written.is_ok(), "{written:?}");
    }
}

/// An event as JSON.
struct Payload<'e>(&'e Event<'e>);

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(event) = self;
        let mut object = Object(serializer.serialize_map(None)?);
        object.entry(Field::ClientId, Some(&event.client_id))?;
        object.entry(Field::Timestamp, Some(event.timestamp.get()))?;
        object.entry(Field::EventType, Some(event.kind.event_type()))?;
        let session = event.session_identifier.as_ref();
        let principal = event.principal_identifier.as_ref().map(PrincipalIdentifier::as_str);
        if let EventKind::ConnectFailed(failed) = &event.kind {
            let reason = failed.connect_failure_reason.as_ref();
            object.entry(Field::ConnectFailureReason, reason.map(|reason| reason.as_str()))?;
            // The only sample in which the principal stands first.
            object.entry(Field::PrincipalIdentifier, principal)?;
            object.entry(Field::SessionIdentifier, session)?;
        } else {
            object.entry(Field::SessionIdentifier, session)?;
            object.entry(Field::PrincipalIdentifier, principal)?;
        }
        object.entry(Field::IpAddress, event.ip_address.as_ref())?;
        match &event.kind {
            EventKind::Connected(connected) => {
                object.entry(Field::VersionNumber, connected.version_number)?;
            }
            EventKind::Disconnected(disconnected) => {
                let by_client = disconnected.client_initiated_disconnect;
                let reason = disconnected.disconnect_reason.as_ref();
                object.entry(Field::ClientInitiatedDisconnect, by_client)?;
                object.entry(Field::DisconnectReason, reason.map(|reason| reason.as_str()))?;
                object.entry(Field::VersionNumber, disconnected.version_number)?;
            }
            EventKind::Subscribed(topics) | EventKind::Unsubscribed(topics) => {
                object.entry(Field::Topics, Some(&topics.topics))?;
            }
            EventKind::ConnectFailed(_) | EventKind::Unknown(_) => {}
        }
        // No documented sample shows its place.
        object.entry(Field::ThingName, event.thing_name.as_ref())?;
        object.0.end()
    }
}

/// An object whose members without a value are left out.
struct Object<M>(M);

impl<M: SerializeMap> Object<M> {
    fn entry(&mut self, field: Field, value: Option<impl Serialize>) -> Result<(), M::Error> {
        match value {
            Some(value) => self.0.serialize_entry(field.as_str(), &value),
            None => Ok(()),
        }
    }
}
