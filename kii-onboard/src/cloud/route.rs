//! What each request does (specification, section 15.4): states, the attributes of things, and end nodes.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::str;

use super::{
    Cloud, Event,
    answer::{Answer, Failure, Outcome},
    fault::Effect,
    request::{Caller, Principal},
    thing::Thing,
};
use crate::{
    ErrorCode, Json,
    call::{EndNode, EndNodes, MAX_STATE, media_type::TRAIT_STATES},
    frame::{Method, Request, Status},
    id::check_name,
    json::Value,
    topic::Resource,
};

impl Cloud {
    /// Carries out a request of a known path and method, of a caller who may ask for it.
    pub(super) fn carry_out(
        &mut self,
        caller: &Caller,
        principal: &Principal,
        resource: Resource<'_>,
        request: &Request<'_>,
        effects: &[Effect],
    ) -> Outcome {
        let is_get = request.method == Method::Get;
        match resource {
            Resource::Onboardings => self.onboard(caller, principal, request, effects),
            Resource::States { thing_id } => match request.method {
                Method::Get => self.state_of(thing_id),
                Method::Patch => self.patch_state(thing_id, request),
                _ => self.put_state(thing_id, request),
            },
            Resource::AliasState { thing_id, alias } if is_get => self.alias_state(thing_id, alias),
            Resource::AliasState { thing_id, alias } => {
                self.put_alias_state(thing_id, alias, request)
            }
            Resource::BulkStates { thing_id } => self.upload_states(thing_id, request),
            Resource::Commands { thing_id } if is_get => self.list_commands(thing_id),
            Resource::Commands { thing_id } => self.create_command(thing_id, request),
            Resource::Command { thing_id, command_id } => self.get_command(thing_id, command_id),
            Resource::ActionResults { thing_id, command_id } => {
                self.report_results(thing_id, command_id, request)
            }
            Resource::FirmwareVersion { thing_id } if is_get => {
                let code = ErrorCode::ThingWithoutFirmwareVersion;
                self.attribute(thing_id, FIRMWARE_VERSION, code, |thing| &thing.firmware_version)
            }
            Resource::FirmwareVersion { thing_id } => {
                let firmware_version =
                    self.set_attribute(thing_id, FIRMWARE_VERSION, request, |thing| {
                        &mut thing.firmware_version
                    })?;
                let thing_id = thing_id.into();
                self.tell(Event::FirmwareVersionSet { thing_id, firmware_version });
                Ok(Answer::empty(Status::NO_CONTENT))
            }
            Resource::ThingType { thing_id } if is_get => {
                let code = ErrorCode::ThingWithoutThingType;
                self.attribute(thing_id, THING_TYPE, code, |thing| &thing.thing_type)
            }
            Resource::ThingType { thing_id } => {
                let thing_type = self
                    .set_attribute(thing_id, THING_TYPE, request, |thing| &mut thing.thing_type)?;
                self.tell(Event::ThingTypeSet { thing_id: thing_id.into(), thing_type });
                Ok(Answer::empty(Status::NO_CONTENT))
            }
            Resource::EndNodes { gateway_id } => Ok(self.list_end_nodes(gateway_id)),
            Resource::EndNodeConnection { gateway_id, thing_id } => {
                self.connect_end_node(gateway_id, thing_id, request)
            }
            Resource::Other(_) => Err(Failure::no_thing()),
        }
    }

    fn state_of(&self, thing_id: &str) -> Outcome {
        let state = self.things.get(thing_id).and_then(|thing| thing.state.as_ref());
        let state = state.ok_or_else(no_state)?;
        Ok(Answer::new(Status::OK, state.as_str().into()))
    }

    fn put_state(&mut self, thing_id: &str, request: &Request<'_>) -> Outcome {
        let state = object(request)?;
        let members = members(state)?;
        let media_type = request.headers.media_type().unwrap_or_default();
        if media_type.eq_ignore_ascii_case(TRAIT_STATES) {
            check_traits(&members)?;
        }
        self.store_state(thing_id, state.json())
    }

    fn patch_state(&mut self, thing_id: &str, request: &Request<'_>) -> Outcome {
        let patch = members(object(request)?)?;
        check_traits(&patch)?;
        let state = self.things.get(thing_id).and_then(|thing| thing.state.as_ref());
        let state = merged(Value::of(state.ok_or_else(no_state)?), patch)?;
        self.store_state(thing_id, state)
    }

    fn put_alias_state(&mut self, thing_id: &str, alias: &str, request: &Request<'_>) -> Outcome {
        let set = Members::from([(alias.into(), object(request)?)]);
        let state = self.things.get(thing_id).and_then(|thing| thing.state.clone());
        let state = match &state {
            Some(state) => merged(Value::of(state), set)?,
            None => merged(Value::parse(b"{}").map_err(|_| bad_body())?, set)?,
        };
        self.store_state(thing_id, state)
    }

    fn alias_state(&self, thing_id: &str, alias: &str) -> Outcome {
        let state = self.things.get(thing_id).and_then(|thing| thing.state.as_ref());
        let [state] = Value::of(state.ok_or_else(no_state)?).members([alias]);
        let state = state.ok_or_else(no_state)?.json();
        Ok(Answer::new(Status::OK, state.as_str().into()))
    }

    fn store_state(&mut self, thing_id: &str, state: Json) -> Outcome {
        let size = state.as_str().len();
        if size > MAX_STATE {
            let rule = format!("{size} bytes, at most {MAX_STATE} are stored");
            return Err(Failure::fields([("state", rule)]));
        }
        let thing = self.things.get_mut(thing_id).ok_or_else(Failure::no_thing)?;
        let is_first = thing.state.replace(state).is_none();
        self.tell(Event::StateStored { thing_id: thing_id.into(), is_first });
        Ok(Answer::empty(if is_first { Status::CREATED } else { Status::NO_CONTENT }))
    }

    fn upload_states(&mut self, thing_id: &str, request: &Request<'_>) -> Outcome {
        object(request)?;
        let size = request.body.len();
        self.tell(Event::BulkUploaded { thing_id: thing_id.into(), size });
        Ok(Answer::empty(Status::NO_CONTENT))
    }

    fn attribute(
        &self,
        thing_id: &str,
        name: &'static str,
        missing: ErrorCode,
        of: impl FnOnce(&Thing) -> &Option<String>,
    ) -> Outcome {
        let thing = self.things.get(thing_id).ok_or_else(Failure::no_thing)?;
        match of(thing) {
            Some(value) => Ok(Answer::json(Status::OK, &BTreeMap::from([(name, value)]))),
            None => Err(Failure::new(Status::NOT_FOUND, missing, "It was never set")),
        }
    }

    /// Gives the new value.
    fn set_attribute(
        &mut self,
        thing_id: &str,
        name: &'static str,
        request: &Request<'_>,
        of: impl FnOnce(&mut Thing) -> &mut Option<String>,
    ) -> Result<String, Failure> {
        let [value] = object(request)?.members([name]);
        let value = value.and_then(Value::owned_text);
        let value = value.ok_or_else(|| Failure::fields([(name, "a text")]))?;
        check_name(&value).map_err(|rule| Failure::fields([(name, rule.to_string())]))?;
        let thing = self.things.get_mut(thing_id).ok_or_else(Failure::no_thing)?;
        *of(thing) = Some(value.clone());
        Ok(value)
    }

    fn list_end_nodes(&self, gateway_id: &str) -> Answer {
        let of_gateway =
            self.things.iter().filter(|(_, thing)| thing.gateway.as_deref() == Some(gateway_id));
        let end_nodes = of_gateway
            .map(|(thing_id, thing)| EndNode::new(thing_id, Some(thing.vendor_id.to_string())));
        Answer::new(Status::OK, EndNodes::new(end_nodes, None).encode())
    }

    fn connect_end_node(
        &mut self,
        gateway_id: &str,
        thing_id: &str,
        request: &Request<'_>,
    ) -> Outcome {
        let [online] = object(request)?.members(["online"]);
        let online = online.and_then(Value::boolean);
        let online = online.ok_or_else(|| Failure::fields([("online", "true or false")]))?;
        let end_node = self.things.get_mut(thing_id);
        let end_node = end_node.filter(|thing| thing.gateway.as_deref() == Some(gateway_id));
        let end_node = end_node.ok_or_else(|| {
            let code = ErrorCode::ThingEndNodeDoesNotBelongToGateway;
            Failure::new(Status::NOT_FOUND, code, "The gateway has no such end node")
        })?;
        end_node.is_connected = online;
        let (gateway_id, thing_id) = (gateway_id.into(), thing_id.into());
        self.tell(Event::EndNodeConnection { gateway_id, thing_id, online });
        Ok(Answer::empty(Status::NO_CONTENT))
    }
}

/// The object that a body has to be.
fn object<'a>(request: &Request<'a>) -> Result<Value<'a>, Failure> {
    Value::parse(request.body).ok().filter(|body| body.is_object()).ok_or_else(bad_body)
}

/// The members of an object; of a name that is there twice the last one counts.
fn members(object: Value<'_>) -> Result<Members<'_>, Failure> {
    let (mut members, mut has_texts) = (Members::new(), true);
    object.each_member(|name, value| match str::from_utf8(name) {
        Ok(name) => drop(members.insert(name.into(), value)),
        Err(_) => has_texts = false,
    });
    if has_texts { Ok(members) } else { Err(bad_body()) }
}

type Members<'a> = BTreeMap<String, Value<'a>>;

/// Refuses states of traits that are no objects.
fn check_traits(members: &Members<'_>) -> Result<(), Failure> {
    let bad = members.iter().filter(|(_, value)| !value.is_object());
    let bad: Vec<_> = bad.map(|(name, _)| (name.as_str(), "an object")).collect();
    if bad.is_empty() { Ok(()) } else { Err(Failure::fields(bad)) }
}

/// A state with these members set.
fn merged(state: Value<'_>, set: Members<'_>) -> Result<Json, Failure> {
    let mut all = members(state)?;
    all.extend(set);
    let all: BTreeMap<_, _> = all.iter().map(|(name, value)| (name, value.json())).collect();
    let all: BTreeMap<_, _> = all.iter().map(|(name, json)| (name, json.as_raw())).collect();
    let text = serde_json::to_string(&all).map_err(|_| bad_body())?;
    Json::new(&text).map_err(|_| bad_body())
}

fn no_state() -> Failure {
    Failure::new(Status::NOT_FOUND, ErrorCode::StateNotFound, "No state is stored")
}

fn bad_body() -> Failure {
    Failure::fields([("body", "an object")])
}

const FIRMWARE_VERSION: &str = "firmwareVersion";
const THING_TYPE: &str = "thingType";
