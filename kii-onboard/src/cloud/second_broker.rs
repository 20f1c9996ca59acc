//! The rules of the second broker (specification, section 15.2).

use alloc::{string::String, vec::Vec};

use iot_sansio::{Secret, mqtt::Link};

use super::{
    Cloud, Disconnect, Event, Refusal,
    connection::{Client, Connection},
    server::{Connect, Deliver, Suback, Subscribe, Unsuback, Unsubscribe},
};
use crate::topic::{Resource, Topics};

impl Cloud {
    /// Who comes with the credentials of an endpoint that holds.
    pub(super) fn accept_thing(&self, connect: &Connect<'_>) -> Result<Connection, Refusal> {
        let thing_id = self.things.id_at(connect.client_id).ok_or(Refusal::UnknownClientId)?;
        let thing = self.things.get(thing_id).ok_or(Refusal::UnknownClientId)?;
        let endpoint = thing.endpoint.as_ref().ok_or(Refusal::UnknownClientId)?;
        let password = connect.password.map(Secret::from);
        if connect.user_name != Some(&endpoint.mqtt.user_name)
            || password.as_ref() != Some(&endpoint.mqtt.password)
        {
            return Err(Refusal::BadCredentials);
        }
        if endpoint.is_expired(self.now) {
            return Err(Refusal::EndpointExpired);
        }
        let client = Client::Thing {
            thing_id: thing_id.into(),
            mqtt_topic: endpoint.mqtt.mqtt_topic.clone(),
            is_subscribed: false,
        };
        Ok(Connection::new(thing.app.clone(), client, connect, self.now))
    }

    /// Makes a connection that of its thing: an older one is closed, and the thing is online all the time.
    pub(super) fn take_over(&mut self, thing_id: String, link: Link) {
        let Some(thing) = self.things.get_mut(&thing_id) else { return };
        match thing.link.replace(link) {
            Some(older) => self.close_connection(older, Disconnect::TakenOver { by: link }),
            None => self.tell(Event::Online { thing_id, link }),
        }
    }

    /// Grants the one subscription that there is, if it is that; none at all on the default broker.
    pub(super) fn subscribe(&mut self, subscribe: Subscribe<'_>) {
        let Subscribe { link, token, filter } = subscribe;
        let subscribed = self.set_subscribed(link, filter, true);
        let suback = Suback::new(link, token, subscribed.is_some());
        let Some(thing_id) = subscribed else { return self.act(suback) };
        match self.faults.on_subscribe() {
            None => self.act(suback),
            Some(delay) => {
                self.tell(Event::Faulted { link });
                self.act_late(delay, suback);
            }
        }
        self.tell(Event::Subscribed { thing_id, link });
    }

    pub(super) fn unsubscribe(&mut self, unsubscribe: Unsubscribe<'_>) {
        let Unsubscribe { link, token, filter } = unsubscribe;
        let thing_id = self.set_subscribed(link, filter, false);
        self.act(Unsuback::new(link, token));
        if let Some(thing_id) = thing_id {
            self.tell(Event::Unsubscribed { thing_id, link });
        }
    }

    /// Gives the thing, if the filter is its topic of pushes.
    fn set_subscribed(&mut self, link: Link, filter: &str, subscribes: bool) -> Option<String> {
        match &mut self.connections.get_mut(&link)?.client {
            Client::Thing { thing_id, mqtt_topic, is_subscribed }
                if mqtt_topic.as_str() == filter =>
            {
                *is_subscribed = subscribes;
                Some(thing_id.clone())
            }
            _ => None,
        }
    }

    /// Sends a push down the connection of a thing, or of its gateway; none when nobody has subscribed there.
    pub(super) fn deliver_push(&mut self, thing_id: &str, payload: Vec<u8>) -> Option<Link> {
        let thing = self.things.get(thing_id)?;
        let listener = match &thing.gateway {
            Some(gateway) => self.things.get(gateway)?,
            None => thing,
        };
        let link = listener.link?;
        match &self.connections.get(&link)?.client {
            Client::Thing { mqtt_topic, is_subscribed: true, .. } => {
                let deliver = Deliver::new(link, mqtt_topic.as_str(), payload);
                self.act(deliver);
                Some(link)
            }
            _ => None,
        }
    }
}

/// What a topic names, with the whole path, query string included.
pub(super) fn resource<'t>(topics: &Topics, topic: &'t str) -> Option<(&'t str, Resource<'t>)> {
    let path = topics.path_of(topic)?;
    let bare = path.split_once('?').map_or(path, |(bare, _)| bare);
    Some((path, Resource::parse(bare)?))
}
