//! `Connect` and `Disconnect`: rows 3 to 12 of the table.

use alloc::collections::BTreeMap;

use super::{
    Connection, End, Event, Fault, Ignored, Phase, Service, client::MIN_SIZE, speaker::Speaker,
};
use crate::{
    ApiVersion, ClientId, Direction, Leaf, MessageId, Topics,
    channel::Channel,
    connection::{Acknowledge, AcknowledgeCode, Connect, Disconnect, Message},
    protect::LegacyInnerSequence,
};

impl Service {
    pub(super) fn receive_clear(
        &mut self,
        client_id: &ClientId,
        version: ApiVersion,
        payload: &[u8],
    ) {
        match Message::decode(Direction::ToService, payload) {
            Ok(Message::Connect(connect)) => self.connect(client_id, version, connect),
            Ok(Message::Disconnect(disconnect)) => {
                self.disconnected(client_id, version, disconnect);
            }
            // That goes in the other direction, and is not decoded.
            Ok(Message::Acknowledge(_)) => {}
            Err(error) => {
                let reason = Ignored::BadMessage(error);
                self.ignore(client_id.clone(), Leaf::ConnectionFromClient, reason);
            }
        }
    }

    fn connect(&mut self, client_id: &ClientId, version: ApiVersion, connect: Connect) {
        let refusal = self.refusal(client_id, version, &connect);
        let Connect { message_id, .. } = connect;
        if let Some(code) = refusal {
            return self.refuse(client_id, version, message_id, code);
        }
        let faults = self.devices.get_mut(client_id).map(|client| &mut client.faults);
        let fault = faults.and_then(super::fault::Faults::on_connect);
        if fault.is_some() {
            self.tell(Event::Faulted { client_id: client_id.clone() });
        }
        match fault {
            Some(Fault::LoseConnect) => {}
            Some(Fault::Acknowledge(code)) if code != AcknowledgeCode::ConnectionEstablished => {
                self.refuse(client_id, version, message_id, Some(code));
            }
            fault => {
                self.accept(client_id, version);
                if fault != Some(Fault::LoseAcknowledge) {
                    let code = AcknowledgeCode::ConnectionEstablished;
                    self.acknowledge(client_id, version, message_id, code);
                }
                self.tell(Event::Connected { client_id: client_id.clone(), version });
            }
        }
    }

    /// Whether to refuse a `Connect`, and whether and how to say so.
    fn refusal(
        &self,
        client_id: &ClientId,
        version: ApiVersion,
        connect: &Connect,
    ) -> Option<Option<AcknowledgeCode>> {
        if self.deprecated.contains(&version) || !self.config.versions.contains(&version) {
            return Some(Some(AcknowledgeCode::ApiVersionDeprecated));
        }
        let Some(client) = self.devices.get(client_id) else {
            return Some(self.config.unknown_device.clone());
        };
        if connect.aws_account_id.as_deref() != Some(client.aws_account_id.as_str()) {
            return Some(Some(AcknowledgeCode::InvalidAccountId));
        }
        if connect.client_id.as_deref() != Some(client_id.as_str()) {
            return Some(Some(AcknowledgeCode::InvalidClientId));
        }
        None
    }

    fn refuse(
        &mut self,
        client_id: &ClientId,
        version: ApiVersion,
        message_id: MessageId,
        code: Option<AcknowledgeCode>,
    ) {
        let Some(code) = code else {
            let leaf = Leaf::ConnectionFromClient;
            return self.ignore(client_id.clone(), leaf, Ignored::NotRegistered);
        };
        self.acknowledge(client_id, version, message_id, code.clone());
        self.tell(Event::Refused { client_id: client_id.clone(), version, code });
    }

    fn accept(&mut self, client_id: &ClientId, version: ApiVersion) {
        self.end(client_id, End::Replaced);
        let Some(client) = self.devices.get_mut(client_id) else { return };
        let (legacy, order) = (LegacyInnerSequence::Refuse, self.config.order);
        client.left = None;
        client.connection = Some(Connection {
            version,
            since: self.now,
            phase: Phase::Fresh,
            is_decided: client.previous.is_none(),
            channel: Channel::new(Direction::ToService, &client.secret, legacy, order),
            rotation_deadline: None,
            max_size: MIN_SIZE,
            rates: BTreeMap::new(),
            speaker: Speaker::default(),
        });
    }

    fn acknowledge(
        &mut self,
        client_id: &ClientId,
        version: ApiVersion,
        connect_message_id: MessageId,
        code: AcknowledgeCode,
    ) {
        let acknowledge = Acknowledge::new(self.new_id(), connect_message_id, code);
        self.say(client_id, version, &Message::Acknowledge(acknowledge));
    }

    fn disconnected(&mut self, client_id: &ClientId, version: ApiVersion, disconnect: Disconnect) {
        let connection = self.connection(client_id);
        if connection.is_none_or(|connection| connection.version != version) {
            let leaf = Leaf::ConnectionFromClient;
            return self.ignore(client_id.clone(), leaf, Ignored::NotConnected);
        }
        let Disconnect { code, description, .. } = disconnect;
        self.end(client_id, End::Device { code, description });
    }

    /// Publishes a message of the connection topic.
    pub(super) fn say(&mut self, client_id: &ClientId, version: ApiVersion, message: &Message) {
        let topics = Topics::new(&self.config.topic_root, version, client_id);
        self.publish(topics.topic(Leaf::ConnectionFromService), message.encode());
    }
}
