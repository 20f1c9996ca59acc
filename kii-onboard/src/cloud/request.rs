//! What every request goes through (specification, section 15.3).

use alloc::{string::String, vec::Vec};
use iot_sansio::{Secret, mqtt::Link};

use super::{
    Cloud, Disconnect, Event,
    answer::{Answer, Failure, Outcome},
    default_broker,
    fault::Effect,
    second_broker,
    server::{Close, Deliver, Publish},
    thing::Thing,
};
use crate::{
    AppId, ErrorCode, Stage,
    call::media_type::{
        BULK, BULK_PATCH, JSON, NEW_TRAIT_COMMAND, SET_FIRMWARE, SET_TYPE, TRAIT_PATCH,
        TRAIT_RESULTS, TRAIT_STATE, TRAIT_STATES,
    },
    frame::{DecodeError, Method, Request, Status},
    json::Value,
    onboarding::{Owner, bearer},
    topic::Resource,
};

/// Where a request comes from.
pub(super) struct Caller {
    pub(super) app: AppId,
    /// The thing whose connection it is; none on the default broker.
    thing_id: Option<String>,
}

/// Whose token a request has.
#[derive(PartialEq)]
pub(super) enum Principal {
    /// Nobody's: the default broker asks for none.
    Anonymous,
    /// That of the thing with this id.
    Thing(String),
    /// That of this owner.
    Owner(Owner),
}

impl Cloud {
    pub(super) fn publish(&mut self, publish: Publish<'_>) {
        let Publish { link, topic, payload } = publish;
        let Some(connection) = self.connections.get(&link) else { return };
        let (stage, topics) = (connection.stage(), connection.topics());
        let thing_id = connection.thing_id().map(String::from);
        let caller = Caller { app: connection.app.clone(), thing_id };
        let named = match stage {
            Stage::Boot => default_broker::resource(&topics, topic),
            Stage::Api => second_broker::resource(&topics, topic),
        };
        let Some((path, resource)) = named else {
            self.misdirected = self.misdirected.saturating_add(1);
            return self.tell(Event::Misdirected { link, topic: topic.into() });
        };
        let request = Request::decode(payload);
        let method = request.as_ref().ok().map(|request| request.method);
        let effects = self.faults.on_request(stage, method, path);
        if effects.is_some() {
            self.tell(Event::Faulted { link });
        }
        let effects = effects.unwrap_or_default();
        if effects.contains(&Effect::CloseBefore) {
            return self.close_connection(link, Disconnect::Fault);
        }
        let commanded = effects.iter().find_map(|effect| match effect {
            Effect::Status(status, body) => Some(Answer::new(*status, body.clone())),
            _ => None,
        });
        let answer = commanded.unwrap_or_else(|| {
            let outcome = self.handle(&caller, resource, &request, &effects);
            outcome.unwrap_or_else(Failure::into_answer)
        });
        let request_id = request.as_ref().ok().and_then(|request| request.headers.request_id());
        self.reply(
            link,
            topic,
            &answer.payload(request_id, self.config.seed_headers, &effects),
            &effects,
        );
        self.tell(Event::Answered { link, method, path: path.into(), status: answer.status });
        if resource == Resource::Onboardings {
            self.close_replaced();
        }
    }

    /// Checks a request, in the order of the specification, and carries it out.
    fn handle(
        &mut self,
        caller: &Caller,
        resource: Resource<'_>,
        request: &Result<Request<'_>, DecodeError>,
        effects: &[Effect],
    ) -> Outcome {
        let request = request.as_ref().map_err(|_| {
            let message = "The payload is not a request";
            Failure::new(Status::BAD_REQUEST, ErrorCode::InvalidInputData, message)
        })?;
        if let Resource::Other(_) = resource {
            let message = "There is no such path";
            return Err(Failure::new(Status::NOT_FOUND, ErrorCode::TargetNotFound, message));
        }
        let body = body_of(resource, request.method)
            .ok_or_else(|| Failure::bare(Status::METHOD_NOT_ALLOWED))?;
        let principal = self.principal(caller, request)?;
        if let Some(thing_id) = subject(resource) {
            let thing = self.things.of_app(&caller.app, thing_id).ok_or_else(Failure::no_thing)?;
            if !self.may_use(&principal, thing_id, thing) {
                return Err(Failure::wrong_token());
            }
        }
        if let Some(media_types) = body {
            if Value::parse(request.body).is_err() {
                let message = "The body is not JSON";
                return Err(Failure::new(Status::BAD_REQUEST, ErrorCode::InvalidJson, message));
            }
            let media_type = request.headers.media_type().unwrap_or_default();
            let is_any = media_types == ANY;
            if !is_any && !media_types.iter().any(|known| known.eq_ignore_ascii_case(media_type)) {
                return Err(Failure::bare(Status::UNSUPPORTED_MEDIA_TYPE));
            }
        }
        self.carry_out(caller, &principal, resource, request, effects)
    }

    /// Whose token it is: that of the connection's thing, of one of its end nodes, or of an owner.
    fn principal(&self, caller: &Caller, request: &Request<'_>) -> Result<Principal, Failure> {
        let Some(own) = &caller.thing_id else { return Ok(Principal::Anonymous) };
        let token = Secret::from(bearer(request.headers).ok_or_else(Failure::unauthorized)?);
        let mut owners = self.config.owners.iter();
        if let Some((owner, _)) = owners.find(|(_, known)| *known == token) {
            return Ok(Principal::Owner(owner.clone()));
        }
        let is_here = |id: &str, thing: &Thing| id == own || thing.gateway.as_ref() == Some(own);
        let mut things = self.things.iter();
        let thing = things.find(|(id, thing)| is_here(id, thing) && thing.has_token(&token));
        thing.map(|(id, _)| Principal::Thing(id.into())).ok_or_else(Failure::wrong_token)
    }

    /// Whether a token is good for a thing: for itself, for the end nodes of a gateway, for all that an owner owns.
    fn may_use(&self, principal: &Principal, thing_id: &str, thing: &Thing) -> bool {
        let gateway = thing.gateway.as_deref();
        match principal {
            Principal::Anonymous => false,
            Principal::Thing(id) => id == thing_id || gateway == Some(id),
            Principal::Owner(owner) => {
                let of_gateway = gateway.and_then(|id| self.things.get(id));
                core::iter::once(thing).chain(of_gateway).any(|thing| thing.owners.contains(owner))
            }
        }
    }

    /// Sends an answer down the link that asked, as the effects of a fault have it.
    fn reply(&mut self, link: Link, topic: &str, payload: &[u8], effects: &[Effect]) {
        let topic = effects
            .iter()
            .find_map(|effect| match effect {
                Effect::WrongTopic(wrong) => Some(wrong.as_str()),
                _ => None,
            })
            .unwrap_or(topic);
        let has = |effect: &Effect| effects.contains(effect);
        let copies = match (has(&Effect::Drop), has(&Effect::Duplicate)) {
            (true, _) => 0,
            (false, true) => 2,
            (false, false) => 1,
        };
        let delay = effects.iter().find_map(|effect| match effect {
            Effect::Delay(delay) => Some(*delay),
            _ => None,
        });
        let delivers = (0..copies).map(|_| Deliver::new(link, topic, payload).into());
        let close = has(&Effect::CloseAfter).then(|| Close::new(link).into());
        let actions: Vec<_> = delivers.chain(close).collect();
        for action in actions {
            match delay {
                Some(delay) => self.act_late(delay, action),
                None => self.carry(action),
            }
        }
    }
}

/// The thing that a request is about.
fn subject(resource: Resource<'_>) -> Option<&str> {
    match resource {
        Resource::States { thing_id }
        | Resource::AliasState { thing_id, .. }
        | Resource::BulkStates { thing_id }
        | Resource::Commands { thing_id }
        | Resource::Command { thing_id, .. }
        | Resource::ActionResults { thing_id, .. }
        | Resource::FirmwareVersion { thing_id }
        | Resource::ThingType { thing_id } => Some(thing_id),
        Resource::EndNodes { gateway_id } | Resource::EndNodeConnection { gateway_id, .. } => {
            Some(gateway_id)
        }
        Resource::Onboardings | Resource::Other(_) => None,
    }
}

/// The media types of the body that a request has to have, if any; none at all when the path does not know the method.
fn body_of(resource: Resource<'_>, method: Method) -> Option<Option<&'static [&'static str]>> {
    Some(match (resource, method) {
        (Resource::Onboardings, Method::Post) => Some(ANY),
        (Resource::States { .. }, Method::Put) => Some(&[JSON, TRAIT_STATES]),
        (Resource::States { .. }, Method::Patch) => Some(&[TRAIT_PATCH]),
        (Resource::AliasState { .. }, Method::Put) => Some(&[TRAIT_STATE]),
        (Resource::BulkStates { .. }, Method::Post) => Some(&[BULK, BULK_PATCH]),
        (Resource::Commands { .. }, Method::Post) => Some(&[JSON, NEW_TRAIT_COMMAND]),
        (Resource::ActionResults { .. }, Method::Put) => Some(&[JSON, TRAIT_RESULTS]),
        (Resource::FirmwareVersion { .. }, Method::Put) => Some(&[SET_FIRMWARE]),
        (Resource::ThingType { .. }, Method::Put) => Some(&[SET_TYPE]),
        (Resource::EndNodeConnection { .. }, Method::Put) => Some(&[JSON]),
        (
            Resource::States { .. }
            | Resource::AliasState { .. }
            | Resource::Commands { .. }
            | Resource::Command { .. }
            | Resource::FirmwareVersion { .. }
            | Resource::ThingType { .. }
            | Resource::EndNodes { .. },
            Method::Get,
        ) => None,
        _ => return None,
    })
}

/// Onboarding chooses its variant by the media type, and knows them all.
const ANY: &[&str] = &[];
