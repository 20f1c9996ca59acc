//! From the MQTT connection to one with the service: rows 6 to 27 and 50 of section 11.3.

use alloc::vec::Vec;

use iot_sansio::mqtt::{Link, Subscribe, Token};

use super::{
    Blocked, Device, DisconnectCause, Event, RegistrationNeed, Retrying, backoff::backoff,
    state::State,
};
use crate::{
    Direction, Leaf,
    channel::Channel,
    connection::{Acknowledge, Advice, Connect, Disconnect, DisconnectCode, Message},
};

impl Device {
    pub(super) fn mqtt_up(&mut self, link: Link) {
        if self.link == Some(link) {
            return;
        }
        if self.link.is_some() {
            self.mqtt_down();
        }
        self.link = Some(link);
        if self.state == State::Offline {
            self.subscribe();
        }
    }

    pub(super) fn mqtt_down(&mut self) {
        self.link = None;
        self.is_subscribed = false;
        match self.state {
            State::Subscribing { .. } | State::Connecting { .. } | State::Backoff { .. } => {
                self.leave();
                self.state = State::Offline;
            }
            State::AwaitCapsAck { .. } | State::Ready { .. } => {
                self.leave();
                self.state = State::Offline;
                self.tell_disconnected(DisconnectCause::Transport);
            }
            _ => {}
        }
    }

    /// Connects with what there is: first of all the subscriptions.
    pub(super) fn go_on(&mut self) {
        if self.link.is_some() {
            self.subscribe();
        } else {
            self.state = State::Offline;
            self.tell(Event::MqttWanted);
        }
    }

    pub(super) fn subscribe(&mut self) {
        let (Some(link), Some(topics)) = (self.link, self.topics.clone()) else { return };
        let mut waiting = Vec::new();
        for leaf in self.inbound_leaves() {
            let token = self.take_token();
            waiting.push((token, leaf));
            let qos = self.config.subscribe_qos;
            self.act(Subscribe::new(link, token, topics.topic(leaf), qos));
        }
        self.is_subscribed = false;
        self.state =
            State::Subscribing { waiting, until: self.now.after(self.config.subscribe_timeout) };
    }

    pub(super) fn done(&mut self, token: Token) {
        self.outbox.confirmed(token);
        let State::Subscribing { waiting, .. } = &mut self.state else { return };
        waiting.retain(|(asked, _)| *asked != token);
        if waiting.is_empty() {
            self.is_subscribed = true;
            self.send_connect();
        }
    }

    pub(super) fn failed(&mut self, token: Token) {
        if let State::Subscribing { waiting, .. } = &self.state {
            let refused = waiting.iter().find(|(asked, _)| *asked == token).map(|(_, leaf)| *leaf);
            if let Some(leaf) = refused {
                self.block(Blocked::Subscription { leaf });
            }
            return;
        }
        self.publish_failed(token);
    }

    pub(super) fn send_connect(&mut self) {
        let Some(registration) = &self.registration else { return };
        if let Some(ready_at) = self.outbox.connect_at(self.now) {
            self.state = State::Backoff { until: ready_at };
            return;
        }
        let (account, client_id) =
            (registration.aws_account_id.clone(), registration.client_id.as_str().into());
        let (legacy, order) = (self.config.legacy, self.config.order);
        self.channel = Some(Channel::new(Direction::ToDevice, &registration.secret, legacy, order));
        self.outbox.clear();
        self.connects = self.connects.saturating_add(1);
        let id = self.new_id();
        let connect: Connect = Connect {
            message_id: id.clone(),
            aws_account_id: Some(account),
            client_id: Some(client_id),
        };
        self.state = State::Connecting {
            id,
            until: self.now.after(self.config.ack_timeout),
            remembered: None,
        };
        self.publish(Leaf::ConnectionFromClient, Message::Connect(connect).encode());
    }

    /// What came on `connection/fromservice`.
    pub(super) fn connection_message(&mut self, payload: &[u8]) {
        // What is malformed is ignored: a timer keeps running where something is awaited (rows 18, 40).
        match Message::decode(Direction::ToDevice, payload) {
            Ok(Message::Acknowledge(acknowledge)) => self.acknowledged(acknowledge),
            Ok(Message::Disconnect(disconnect)) => self.disconnected(&disconnect),
            _ => {}
        }
    }

    fn acknowledged(&mut self, acknowledge: Acknowledge) {
        let State::Connecting { id, .. } = &self.state else { return };
        if *id != acknowledge.connect_message_id {
            return;
        }
        let cause = DisconnectCause::Refused(acknowledge.code.clone());
        match acknowledge.code.advice() {
            Advice::Proceed => self.accepted(),
            Advice::CorrectAccountId => self.block(Blocked::AccountId),
            Advice::CorrectClientId => self.block(Blocked::ClientId),
            Advice::UpgradeVersion => self.need(RegistrationNeed::ApiVersion, cause),
            Advice::Register => self.need(RegistrationNeed::Secret, cause),
            _ => self.retry(cause),
        }
    }

    fn accepted(&mut self) {
        self.connected_at = self.now;
        let taken = self.registration.as_ref().and_then(|known| known.capabilities_digest);
        if taken == Some(self.config.capabilities.digest()) {
            return self.ready();
        }
        self.forget_capabilities();
        let id = self.new_id();
        let until = self.now.after(self.config.capability_timeout);
        self.state = State::AwaitCapsAck { id: id.clone(), until };
        self.publish_capabilities(&id);
    }

    fn disconnected(&mut self, disconnect: &Disconnect) {
        let code = disconnect.code.clone();
        let need = match code.as_ref().map(DisconnectCode::advice) {
            Some(Advice::Register) => Some(RegistrationNeed::Secret),
            Some(Advice::UpgradeVersion) => Some(RegistrationNeed::ApiVersion),
            _ => None,
        };
        if let State::Connecting { remembered, .. } = &mut self.state {
            // It is about the connection before this one.
            *remembered = need.or(*remembered);
            return;
        }
        if !self.state.is_connected() {
            return;
        }
        let cause = DisconnectCause::Service(code);
        match need {
            Some(need) => self.need(need, cause),
            None => self.retry(cause),
        }
    }

    /// Waits, and then sends another `Connect`. There is no connection any more.
    pub(super) fn retry(&mut self, cause: DisconnectCause) {
        self.leave();
        self.tell_disconnected(cause);
        let delay = backoff(self.config.backoff_base, self.connects, self.random.next_u64());
        self.state = State::Backoff { until: self.now.after(delay) };
        self.tell(Event::Retrying(Retrying { connects: self.connects, delay }));
    }

    pub(super) fn need(&mut self, need: RegistrationNeed, cause: DisconnectCause) {
        self.leave();
        self.tell_disconnected(cause);
        if need == RegistrationNeed::ApiVersion {
            self.unsubscribe();
        }
        // A restart must not connect with it either (row 38).
        self.registration = None;
        self.tell(Event::Erase);
        self.state = State::NeedsRegistration(need);
        self.tell(Event::RegistrationNeeded(need));
    }

    pub(super) fn block(&mut self, blocked: Blocked) {
        self.leave();
        self.state = State::Blocked(blocked.clone());
        self.tell(Event::Blocked(blocked));
    }

    pub(super) fn state_is_over(&mut self) {
        match &mut self.state {
            State::Registering(registering) => {
                let registering = registering.clone();
                self.ask(registering);
            }
            State::Subscribing { .. } => self.retry(DisconnectCause::NoSubscriptions),
            State::Connecting { remembered, .. } => match *remembered {
                Some(need) => self.need(need, DisconnectCause::NoAnswer),
                None => self.retry(DisconnectCause::NoAnswer),
            },
            State::Backoff { .. } if self.is_subscribed => self.send_connect(),
            State::Backoff { .. } => self.subscribe(),
            State::AwaitCapsAck { .. } => {
                let description = Some("no capability acknowledgement");
                self.send_disconnect(DisconnectCode::GoingOffline, description);
                self.retry(DisconnectCause::NoCapabilityAnswer);
            }
            State::Ready { stable_at } => {
                *stable_at = None;
                self.connects = 0;
                self.is_previous_tried = false;
            }
            _ => {}
        }
    }

    /// Begins the time in which everything is allowed.
    pub(super) fn ready(&mut self) {
        let stable_at = self.now.after(self.config.stable_after);
        self.state = State::Ready { stable_at: Some(stable_at) };
        self.synchronize_state();
        self.flush();
        self.tell(Event::Connected);
    }
}
