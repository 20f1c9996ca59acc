//! The set of capabilities: rows 13, 14 and 17 of the table.

use super::{
    Event, Malformed, Phase, Rejection, Service,
    client::{MAX_SIZE, MIN_SIZE},
};
use crate::{
    ClientId, Leaf, MessageId,
    device::Capabilities,
    envelope::{Parts, message},
    json::{Member, Object, Value},
    sequence::SequenceNumber,
};

impl Service {
    /// Takes a message on `capabilities/publish`.
    pub(super) fn publish_capabilities(
        &mut self,
        client_id: &ClientId,
        sequence: SequenceNumber,
        body: &[u8],
        is_first: bool,
    ) {
        let (id, payload) = match read(body) {
            Ok(read) => read,
            Err(fault) => {
                self.set_phase(client_id, Phase::NoCapabilities, is_first);
                let leaf = Leaf::CapabilitiesPublish;
                return self.malformed(client_id, leaf, Some(sequence), None, fault);
            }
        };
        let checked = match is_first {
            true => check(payload),
            false => Err(Rejection::TooLate),
        };
        match checked {
            Ok((capabilities, max_size)) => {
                self.set_phase(client_id, Phase::Active, is_first);
                if let Some(client) = self.devices.get_mut(client_id) {
                    client.capabilities = Some(capabilities.clone());
                    client.max_size = max_size;
                    if let Some(connection) = &mut client.connection {
                        connection.max_size = max_size;
                    }
                }
                self.answer(client_id, &id, None);
                let client_id = client_id.clone();
                self.tell(Event::CapabilitiesAccepted { client_id, capabilities });
            }
            Err(reason) => {
                self.set_phase(client_id, Phase::NoCapabilities, is_first);
                self.answer(client_id, &id, Some(reason));
                let client_id = client_id.clone();
                self.tell(Event::CapabilitiesRejected { client_id, reason });
            }
        }
    }

    fn set_phase(&mut self, client_id: &ClientId, phase: Phase, is_first: bool) {
        if let Some(connection) = self.connection_mut(client_id).filter(|_| is_first) {
            connection.phase = phase;
        }
    }

    fn answer(&mut self, client_id: &ClientId, publish_id: &MessageId, reason: Option<Rejection>) {
        let id = self.new_id();
        let description = reason.map(|reason| alloc::format!("{reason}"));
        let code = match reason {
            None => "CAPABILITIES_ACCEPTED",
            Some(_) => "CAPABILITIES_REJECTED",
        };
        let payload = Object::new([
            ("publishMessageId", Member::Text(publish_id.as_str())),
            ("code", Member::Text(code)),
        ]);
        let payload = payload.with_text("description", description.as_deref());
        let answer = message("Acknowledge", &id, Some(Member::Object(payload)));
        self.send(client_id, Leaf::CapabilitiesAcknowledge, &answer.to_vec());
    }
}

/// The id of a `Publish`, and its payload.
fn read(body: &[u8]) -> Result<(MessageId, Option<Value<'_>>), Malformed> {
    let message = Value::parse(body).map_err(Malformed::BadJson)?;
    let Parts { name, message_id, payload } = Parts::of(message);
    if name.as_deref() != Some("Publish") {
        return Err(Malformed::NotPublish);
    }
    Ok((message_id.ok_or(Malformed::NoMessageId)?, payload))
}

/// The set, and the largest message that it allows. Of the objects only the size is looked at: their types come with the
/// capabilities themselves.
fn check(payload: Option<Value<'_>>) -> Result<(Capabilities, usize), Rejection> {
    let set = payload.and_then(|payload| payload.members(["capabilities"])[0]);
    let set = set.ok_or(Rejection::Missing)?;
    let capabilities = Capabilities::new(set.json()).map_err(Rejection::BadSet)?;
    let is_system = |object: &Value<'_>| {
        object.members(["interface"])[0].and_then(Value::text).as_deref() == Some("System")
    };
    let system = set.elements().and_then(|objects| objects.into_iter().find(is_system));
    let configurations = member(system, "configurations");
    let size = member(member(member(configurations, "mqtt"), "message"), "maxSizeInBytes");
    let Some(size) = size else { return Ok((capabilities, MIN_SIZE)) };
    let size = size.integer().and_then(|size| usize::try_from(size).ok());
    match size.filter(|size| (MIN_SIZE..=MAX_SIZE).contains(size)) {
        Some(size) => Ok((capabilities, size)),
        None => Err(Rejection::MaxSize),
    }
}

fn member<'a>(object: Option<Value<'a>>, name: &str) -> Option<Value<'a>> {
    object?.members([name])[0]
}
