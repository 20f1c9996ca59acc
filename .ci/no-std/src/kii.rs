//! `kii-onboard`: frames, topics, brokers, and onboarding.

use alloc::{boxed::Box, format};
use core::{error::Error, time::Duration};

use iot_sansio::MonoTime;
use kii_onboard::{
    ApiError, App, AppId, AppKey, DefaultBroker, ErrorCode, Json, KeepAlive, Location,
    MqttEndpoint, MqttTopic, Pings, Ports, RequestId, Stage, StatusClass, TransportKind,
    VendorThingId,
    frame::{Limits, Method, REQUEST_ID, Request, Response, Status},
    onboarding::{
        EndNodeOnboarded, EndNodeOnboarding, LayoutPosition, Onboarded, Onboarding, Owner,
        ThingOnboarding, ThingRef,
    },
    topic::{BOOT_CLIENT_ID, Resource, Topic, Topics},
};

pub(crate) fn frames() -> Result<(), Box<dyn Error>> {
    let limits = Limits::DEFAULT.with_max_payload(1_024).with_max_head(512).with_max_headers(8);
    for method in Method::ALL {
        let payload = Request::encode(method, [(REQUEST_ID, "1")], b"{}")?;
        let request = Request::decode(&payload)?;
        let _ = Request::decode_within(&payload, limits)?;
        let _ = format!("{request:?} {method} {:?}", request.headers.get("content-type"));
        let _ = (request.headers.iter().count(), request.headers.media_type());
    }
    let status = Status::new(204).unwrap_or(Status::OK);
    let payload = Response::encode(status, [(REQUEST_ID, "1")], b"")?;
    let response = Response::decode_within(&payload, limits)?.to_owned();
    let response = response.as_response();
    let _ = (response.headers.request_id(), status.get(), status.is_success());
    match Response::decode(b"204\r\nNoColon\r\n\r\n") {
        Ok(response) => drop(format!("{response:?}")),
        Err(error) => drop(format!("{error}")),
    }
    Ok(())
}

pub(crate) fn topics() -> Result<(), Box<dyn Error>> {
    let app_id = AppId::new("app01")?;
    let boot = Topics::boot(&app_id);
    let _ = (boot.onboardings(), BOOT_CLIENT_ID);
    let topics = Topics::api(&app_id, &MqttTopic::new("TT")?);
    let topic = topics.build(Resource::States { thing_id: "th.1" })?;
    match topics.classify(&topic) {
        Topic::Api(resource) => drop(format!("{resource}")),
        other => drop(format!("{other:?}")),
    }
    let _ = Resource::parse("things/th.1/thing-type");
    Ok(())
}

pub(crate) fn brokers() -> Result<(), Box<dyn Error>> {
    let app = App::new("app01", "key01")?;
    let _ = (AppKey::new("key01")? == app.key, app.user_name(), app.password());
    for location in Location::ALL {
        let broker = DefaultBroker::from(location).with_port(TransportKind::Tcp, 1884);
        for kind in TransportKind::ALL {
            let _ = (kind.transport("/mqtt"), broker.ports.get(kind)?, kind.member());
            let _ = format!("{kind} {} {:?}", location.host(), DefaultBroker::new("h.example"));
        }
    }
    let none = Ports::default().with(TransportKind::Wss, None).get(TransportKind::Wss);
    let _ = none.map_err(|unavailable| format!("{unavailable}"));
    Ok(())
}

pub(crate) fn keep_alive() {
    let (keep_alive, now) = (KeepAlive::new(Duration::from_secs(60)), MonoTime::ORIGIN);
    let _ = (keep_alive.period(), keep_alive.is_dead(now, now), keep_alive.alive_until(now));
    let mut pings = Pings::new(keep_alive, now);
    pings.sent(now);
    let _ = (pings.due(), pings.poll(now));
    pings.answered();
}

pub(crate) fn onboarding() -> Result<(), Box<dyn Error>> {
    let properties = Json::new("{}")?;
    let owner = Owner::parse("user:u-1")?;
    let _ = format!("{owner} {:?} {} {:?}", owner.kind(), owner.id(), Owner::group("g-1")?);
    let thing = ThingOnboarding::with_vendor_thing_id(vendor_id()?, "p1")?
        .with_thing_type("lamp")?
        .with_thing_properties(properties.clone())?
        .with_firmware_version("1.0")?
        .with_layout_position(LayoutPosition::Gateway)
        .with_data_grouping_interval("15_MINUTES")?
        .owned_by(owner.clone(), "token")?;
    let _ = (thing.id(), thing.password(), thing.owner(), thing.owner_token(), thing.thing_type());
    let _ = (thing.thing_properties(), thing.firmware_version(), thing.data_grouping_interval());
    let _ = thing.layout_position().map(|position| format!("{position}"));
    let known = ThingOnboarding::with_thing_id("th.1", "p1")?;
    let node = EndNodeOnboarding::with_gateway_thing_id(
        "th.1",
        vendor_id()?,
        "p1",
        owner.clone(),
        "token",
    )?;
    let node = node.with_thing_type("bulb")?.with_thing_properties(properties)?;
    let node = node.with_firmware_version("1.0")?;
    let _ = (node.gateway(), node.id(), node.password(), node.owner(), node.owner_token());
    let _ = (node.thing_type(), node.thing_properties(), node.firmware_version());
    let gateway = vendor_id()?;
    let other = EndNodeOnboarding::with_gateway_vendor_thing_id(
        gateway,
        vendor_id()?,
        "p1",
        owner,
        "token",
    )?;
    let _ = matches!(other.gateway(), ThingRef::Vendor(_));
    let all = [
        Onboarding::Thing(thing),
        Onboarding::Thing(known),
        Onboarding::EndNode(node),
        Onboarding::EndNode(other),
    ];
    for onboarding in all {
        let payload = onboarding.encode(Some(&RequestId::new("1")?))?;
        let _ = Onboarding::decode(&Request::decode(&payload)?)? == onboarding;
        let _ = (onboarding.content_type(), onboarding.body(), onboarding.owner_token());
    }
    Ok(())
}

pub(crate) fn answers() -> Result<(), Box<dyn Error>> {
    let _ = Onboarded::decode(&onboarded()?.encode())?;
    let _ = EndNodeOnboarded::decode(&EndNodeOnboarded::new("th.2", "token").encode())?;
    if let Err(error) = Onboarded::decode(b"{}") {
        drop(format!("{error}"));
    }
    let response = Response::decode(b"400\r\n\r\n{\"invalidFields\":{\"thingPassword\":\"\"}}")?;
    let error = ApiError::decode(&response);
    let _ = format!("{error} {error:?} {}", error.advice());
    let _ = (error.body(), error.class(), error.is_retryable());
    let _ = StatusClass::of(response.status) == StatusClass::Permanent;
    let _ = ErrorCode::ALL.iter().map(ErrorCode::as_str).map(ErrorCode::from).count();
    let _ = format!("{} {}", ErrorCode::WrongPassword, Stage::Boot);
    Ok(())
}

pub(crate) fn onboarded() -> Result<Onboarded, Box<dyn Error>> {
    let endpoint = MqttEndpoint::new("broker2.example", "user", "pw", MqttTopic::new("TT")?);
    Ok(Onboarded::new("th.1", "token").with_endpoint(endpoint))
}

pub(crate) fn vendor_id() -> Result<VendorThingId, Box<dyn Error>> {
    Ok(VendorThingId::new("v1")?)
}
