//! Onboarding, as the cloud does it (specification, section 15.4).

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};
use core::time::Duration;

use serde::Serialize;

use super::{
    Cloud, Disconnect, Event,
    answer::{Answer, Failure, Outcome},
    connection::{Client, Connection},
    fault::Effect,
    request::{Caller, Principal},
    thing::{Endpoint, Thing},
};
use crate::{
    AppId, ErrorCode, MqttEndpoint,
    frame::{Request, Status},
    onboarding::{
        EndNodeOnboarded, EndNodeOnboarding, Onboarded, Onboarding, OnboardingError, Owner,
        ThingOnboarding, ThingRef,
    },
};

impl Cloud {
    pub(super) fn onboard(
        &mut self,
        caller: &Caller,
        principal: &Principal,
        request: &Request<'_>,
        effects: &[Effect],
    ) -> Outcome {
        match Onboarding::decode(request).map_err(failure)? {
            Onboarding::Thing(thing) => self.onboard_thing(caller, principal, &thing, effects),
            Onboarding::EndNode(end_node) => self.onboard_end_node(caller, principal, &end_node),
        }
    }

    fn onboard_thing(
        &mut self,
        caller: &Caller,
        principal: &Principal,
        asked: &ThingOnboarding,
        effects: &[Effect],
    ) -> Outcome {
        if let Some(owner) = asked.owner() {
            check_owner(principal, owner)?;
        }
        let (thing_id, is_new) = match self.known_thing(&caller.app, asked.id()) {
            Some((thing_id, thing)) => {
                if thing.gateway.is_some() {
                    return Err(belongs_to_gateway());
                }
                if thing.password != *asked.password() {
                    return Err(Failure::wrong_password());
                }
                (thing_id, false)
            }
            None => {
                let ThingRef::Vendor(vendor_id) = asked.id() else {
                    return Err(Failure::no_thing());
                };
                let app = caller.app.clone();
                let mut thing = Thing::new(app, vendor_id.clone(), asked.password().clone());
                thing.thing_type = asked.thing_type().map(String::from);
                thing.firmware_version = asked.firmware_version().map(String::from);
                (self.add_thing(thing)?, true)
            }
        };
        let endpoint = self.renew_endpoint(&thing_id, effects)?;
        let token = self.ids.token();
        if let Some(thing) = self.things.get_mut(&thing_id) {
            thing.add_token(token.as_str().into());
            thing.owners.extend(asked.owner().cloned());
        }
        let body = match effects.contains(&Effect::NoEndpoint) {
            true => without_endpoint(&token, &thing_id),
            false => Onboarded::new(&*thing_id, &*token).with_endpoint(endpoint).encode(),
        };
        self.tell(Event::Onboarded { thing_id, is_new });
        Ok(Answer::new(Status::OK, body))
    }

    fn onboard_end_node(
        &mut self,
        caller: &Caller,
        principal: &Principal,
        asked: &EndNodeOnboarding,
    ) -> Outcome {
        check_owner(principal, asked.owner())?;
        let gateway = self.known_thing(&caller.app, asked.gateway());
        let (gateway_id, _) = gateway.ok_or_else(Failure::no_thing)?;
        let asked_id = ThingRef::Vendor(asked.id().clone());
        let (thing_id, is_new) = match self.known_thing(&caller.app, &asked_id) {
            Some((thing_id, thing)) => {
                match &thing.gateway {
                    Some(known) if *known == gateway_id => {}
                    Some(_) => return Err(belongs_to_gateway()),
                    None => {
                        let code = ErrorCode::ThingAlreadyExists;
                        let message = "The thing has a connection of its own";
                        return Err(Failure::new(Status::CONFLICT, code, message));
                    }
                }
                if thing.password != *asked.password() {
                    return Err(Failure::wrong_password());
                }
                (thing_id, false)
            }
            None => {
                let app = caller.app.clone();
                let mut thing = Thing::new(app, asked.id().clone(), asked.password().clone());
                thing.thing_type = asked.thing_type().map(String::from);
                thing.firmware_version = asked.firmware_version().map(String::from);
                thing.gateway = Some(gateway_id.clone());
                (self.add_thing(thing)?, true)
            }
        };
        let token = self.ids.token();
        if let Some(thing) = self.things.get_mut(&thing_id) {
            thing.add_token(token.as_str().into());
            thing.owners.insert(asked.owner().clone());
        }
        let body = EndNodeOnboarded::new(&*thing_id, &*token).encode();
        self.tell(Event::EndNodeOnboarded { thing_id, gateway_id, is_new });
        Ok(Answer::new(Status::OK, body))
    }

    fn known_thing(&self, app: &AppId, id: &ThingRef) -> Option<(String, &Thing)> {
        let id = match id {
            ThingRef::Vendor(id) => self.things.id_of(app, id)?,
            ThingRef::Thing(id) => id,
        };
        Some((id.into(), self.things.of_app(app, id)?))
    }

    /// Gives the id of the new thing.
    fn add_thing(&mut self, thing: Thing) -> Result<String, Failure> {
        if self.things.len() >= self.config.max_things {
            let code = ErrorCode::ResourceTemporarilyUnavailable;
            let message = "There are as many things as may be";
            return Err(Failure::new(Status::SERVICE_UNAVAILABLE, code, message));
        }
        let id = self.ids.thing_id();
        self.things.add(&id, thing);
        Ok(id)
    }

    /// Closes connections with endpoints in whose place others have come: behind the answer, which may go down one of them.
    pub(super) fn close_replaced(&mut self) {
        let is_replaced = |connection: &Connection| match &connection.client {
            Client::Anonymous => false,
            Client::Thing { thing_id, mqtt_topic, .. } => {
                let endpoint = self.things.get(thing_id).and_then(|thing| thing.endpoint.as_ref());
                endpoint.is_some_and(|endpoint| endpoint.mqtt.mqtt_topic != *mqtt_topic)
            }
        };
        let replaced = self.connections.iter().filter(|(_, connection)| is_replaced(connection));
        let replaced: Vec<_> = replaced.map(|(link, _)| *link).collect();
        for link in replaced {
            self.close_connection(link, Disconnect::EndpointReplaced);
        }
    }

    /// The endpoint of a thing as it is told now: another one when less than a second is left of the old one.
    fn renew_endpoint(
        &mut self,
        thing_id: &str,
        effects: &[Effect],
    ) -> Result<MqttEndpoint, Failure> {
        let now = self.now;
        let thing = self.things.get(thing_id).ok_or_else(Failure::no_thing)?;
        let app = thing.app.clone();
        let kept = thing.endpoint.clone();
        let kept = kept.filter(|kept| kept.left(now).is_none_or(|left| left >= SECOND));
        let mut endpoint = match kept {
            Some(kept) => kept,
            None => self.new_endpoint(&app)?,
        };
        let ttl = effects.iter().find_map(|effect| match effect {
            Effect::Ttl(ttl) => Some(*ttl),
            _ => None,
        });
        if let Some(ttl) = ttl {
            endpoint.expires_at = Some(now.after(ttl));
        }
        let mut told = endpoint.mqtt.clone();
        told.ttl = endpoint.left(now).map(|left| Duration::from_secs(left.as_secs()));
        for effect in effects {
            if let Effect::NoPort(kind) = effect {
                told.ports = told.ports.with(*kind, None);
            }
        }
        self.things.set_endpoint(thing_id, endpoint);
        Ok(told)
    }

    fn new_endpoint(&mut self, app: &AppId) -> Result<Endpoint, Failure> {
        let user_name = self.ids.user_name(app);
        let password = self.ids.password();
        let mqtt_topic = self.ids.mqtt_topic().ok_or_else(|| {
            let message = "No topic could be made up";
            Failure::new(Status::INTERNAL_SERVER_ERROR, ErrorCode::UndefinedError, message)
        })?;
        let mut mqtt = MqttEndpoint::new(&*self.config.host, user_name, password, mqtt_topic);
        mqtt.installation_id = Some(self.ids.installation_id());
        mqtt.ports = self.config.ports;
        Ok(Endpoint { mqtt, expires_at: self.config.ttl.map(|ttl| self.now.after(ttl)) })
    }
}

/// Refuses who does not have the token of the owner.
fn check_owner(principal: &Principal, owner: &Owner) -> Result<(), Failure> {
    match principal {
        Principal::Owner(known) if known == owner => Ok(()),
        Principal::Anonymous => Err(Failure::unauthorized()),
        _ => Err(Failure::wrong_token()),
    }
}

fn failure(error: OnboardingError) -> Failure {
    match error {
        OnboardingError::InvalidFields(fields) => {
            Failure::fields(fields.iter().map(|invalid| (invalid.field, invalid.fault.to_string())))
        }
        OnboardingError::NoOwnerToken => Failure::unauthorized(),
        OnboardingError::UnknownMediaType => Failure::bare(Status::UNSUPPORTED_MEDIA_TYPE),
        // The others were refused before.
        _ => Failure::fields([("body", error.to_string())]),
    }
}

fn belongs_to_gateway() -> Failure {
    let code = ErrorCode::ThingEndNodeAlreadyBelongsToGateway;
    Failure::new(Status::CONFLICT, code, "It is an end node of a gateway")
}

/// The body of an answer with null for the endpoint.
fn without_endpoint(token: &str, thing_id: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "accessToken")]
        access_token: &'a str,
        #[serde(rename = "thingID")]
        thing_id: &'a str,
        #[serde(rename = "mqttEndpoint")]
        mqtt_endpoint: (),
    }
    let body = Body { access_token: token, thing_id, mqtt_endpoint: () };
    serde_json::to_vec(&body).unwrap_or_default()
}

const SECOND: Duration = Duration::from_secs(1);
