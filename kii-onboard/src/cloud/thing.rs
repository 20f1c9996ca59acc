//! The things that a cloud knows.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    string::String,
};
use core::time::Duration;

use iot_sansio::{MonoTime, Secret, mqtt::Link};

use crate::{
    AppId, Json, MqttEndpoint, MqttTopic, VendorThingId, command::CommandObject, onboarding::Owner,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Thing {
    pub(super) app: AppId,
    pub(super) vendor_id: VendorThingId,
    pub(super) password: Secret,
    /// The tokens that count, newest last.
    tokens: VecDeque<Secret>,
    /// None for an end node, which uses the connection of its gateway.
    pub(super) endpoint: Option<Endpoint>,
    /// Of an end node.
    pub(super) gateway: Option<String>,
    pub(super) owners: BTreeSet<Owner>,
    pub(super) thing_type: Option<String>,
    pub(super) firmware_version: Option<String>,
    /// What its gateway said of it.
    pub(super) is_connected: bool,
    /// An object.
    pub(super) state: Option<Json>,
    /// Newest last.
    commands: VecDeque<CommandObject>,
    /// Its connection to the second broker.
    pub(super) link: Option<Link>,
}

/// Where a thing connects, and until when it may.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    pub(super) mqtt: MqttEndpoint,
    pub(super) expires_at: Option<MonoTime>,
}

impl Thing {
    pub(super) fn new(app: AppId, vendor_id: VendorThingId, password: Secret) -> Self {
        Self {
            app,
            vendor_id,
            password,
            tokens: VecDeque::new(),
            endpoint: None,
            gateway: None,
            owners: BTreeSet::new(),
            thing_type: None,
            firmware_version: None,
            is_connected: false,
            state: None,
            commands: VecDeque::new(),
            link: None,
        }
    }

    pub(super) fn add_token(&mut self, token: Secret) {
        if self.tokens.len() >= MAX_TOKENS {
            self.tokens.pop_front();
        }
        self.tokens.push_back(token);
    }

    pub(super) fn has_token(&self, token: &Secret) -> bool {
        self.tokens.contains(token)
    }

    pub(super) fn commands(&self) -> impl Iterator<Item = &CommandObject> {
        self.commands.iter()
    }

    pub(super) fn command(&self, id: &str) -> Option<&CommandObject> {
        self.commands().find(|object| object.command.id == id)
    }

    pub(super) fn command_mut(&mut self, id: &str) -> Option<&mut CommandObject> {
        self.commands.iter_mut().find(|object| object.command.id == id)
    }

    pub(super) fn add_command(&mut self, object: CommandObject, limit: usize) {
        while self.commands.len() >= limit {
            self.commands.pop_front();
        }
        self.commands.push_back(object);
    }
}

impl Endpoint {
    pub(super) fn is_expired(&self, now: MonoTime) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// How long it still holds; none is for ever.
    pub(super) fn left(&self, now: MonoTime) -> Option<Duration> {
        self.expires_at.map(|expires_at| expires_at.since(now))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Things {
    by_id: BTreeMap<String, Thing>,
    by_vendor_id: BTreeMap<(AppId, VendorThingId), String>,
    by_topic: BTreeMap<MqttTopic, String>,
}

impl Things {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Thing)> {
        self.by_id.iter().map(|(id, thing)| (id.as_str(), thing))
    }

    pub(super) fn get(&self, id: &str) -> Option<&Thing> {
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Thing> {
        self.by_id.get_mut(id)
    }

    /// The thing with this id, if it belongs to this application.
    pub(super) fn of_app(&self, app: &AppId, id: &str) -> Option<&Thing> {
        self.get(id).filter(|thing| thing.app == *app)
    }

    pub(super) fn id_of(&self, app: &AppId, vendor_id: &VendorThingId) -> Option<&str> {
        self.by_vendor_id.get(&(app.clone(), vendor_id.clone())).map(String::as_str)
    }

    /// The id of the thing with this client id on the second broker.
    pub(super) fn id_at(&self, client_id: &str) -> Option<&str> {
        let topic = MqttTopic::new(client_id).ok()?;
        self.by_topic.get(&topic).map(String::as_str)
    }

    pub(super) fn add(&mut self, id: &str, thing: Thing) {
        self.by_vendor_id.insert((thing.app.clone(), thing.vendor_id.clone()), id.into());
        self.by_id.insert(id.into(), thing);
    }

    /// Gives a thing another endpoint. The old one is not known any more.
    pub(super) fn set_endpoint(&mut self, id: &str, endpoint: Endpoint) {
        let Some(thing) = self.by_id.get_mut(id) else { return };
        if let Some(old) = &thing.endpoint {
            self.by_topic.remove(&old.mqtt.mqtt_topic);
        }
        self.by_topic.insert(endpoint.mqtt.mqtt_topic.clone(), id.into());
        thing.endpoint = Some(endpoint);
    }
}

/// How many tokens of a thing count: those of its last onboardings, as an answer may have been lost.
const MAX_TOKENS: usize = 8;
