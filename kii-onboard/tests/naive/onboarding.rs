//! Requests for onboarding said again, in no hurry: specification, section 8, over a `serde_json::Value`.

use kii_onboard::{
    frame::{Method, Request},
    onboarding::{Onboarding, OnboardingError},
};
use serde_json::{Map, Value};

/// What both readers found: what is sent on with its owner's token, or why it is refused.
#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    Taken { body: Value, owner_token: Option<String> },
    NotJson,
    UnknownMediaType,
    NoOwnerToken,
    Invalid(Vec<String>),
}

/// By the crate.
pub(crate) fn decode(media_type: &str, authorization: Option<&str>, body: &[u8]) -> Option<Found> {
    let headers = [("Content-Type", Some(media_type)), ("Authorization", authorization)];
    let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let payload = Request::encode(Method::Post, headers, body).ok()?;
    Some(match Onboarding::decode(&Request::decode(&payload).unwrap()) {
        Ok(onboarding) => {
            let again = onboarding.encode(None).unwrap();
            let again = Onboarding::decode(&Request::decode(&again).unwrap());
            assert_eq!(again.as_ref(), Ok(&onboarding));
            let token = onboarding.owner_token().map(|token| token.expose_str().unwrap().into());
            let body = serde_json::from_slice(&onboarding.body()).unwrap();
            Found::Taken { body, owner_token: token }
        }
        Err(OnboardingError::NotJson(_)) => Found::NotJson,
        Err(OnboardingError::UnknownMediaType) => Found::UnknownMediaType,
        Err(OnboardingError::NoOwnerToken) => Found::NoOwnerToken,
        Err(OnboardingError::InvalidFields(fields)) => {
            Found::Invalid(fields.iter().map(|invalid| invalid.field.to_owned()).collect())
        }
        Err(other) => panic!("{other}"),
    })
}

#[derive(Clone, Copy)]
enum Kind {
    Vendor,
    Thing,
    Password,
    Owner,
    Name,
    Properties,
    Position,
}

const PASSWORD: (&str, Kind) = ("thingPassword", Kind::Password);
const OWNER: (&str, Kind) = ("owner", Kind::Owner);
const A: [(&str, Kind); 5] = [
    ("thingType", Kind::Name),
    ("thingProperties", Kind::Properties),
    ("firmwareVersion", Kind::Name),
    ("layoutPosition", Kind::Position),
    ("dataGroupingInterval", Kind::Name),
];
const B: [(&str, Kind); 3] = [
    ("endNodeThingType", Kind::Name),
    ("endNodeThingProperties", Kind::Properties),
    ("endNodeFirmwareVersion", Kind::Name),
];

/// The same over a value; none is what is not JSON.
pub(crate) fn read(media_type: &str, authorization: Option<&str>, body: Option<&Value>) -> Found {
    let Some(body) = body else { return Found::NotJson };
    let media_type = media_type.split(';').next().unwrap().trim().to_lowercase();
    let variant = media_type.strip_prefix("application/vnd.kii.onboarding");
    let Some(variant) = variant.and_then(|rest| rest.strip_suffix("+json")) else {
        return Found::UnknownMediaType;
    };
    let node = [("endNodeVendorThingID", Kind::Vendor), ("endNodePassword", Kind::Password), OWNER];
    let (id, rest, optional): (_, &[_], &[_]) = match variant {
        "withvendorthingidbything" => (("vendorThingID", Kind::Vendor), &[PASSWORD], &A),
        "withthingidbything" => (("thingID", Kind::Thing), &[PASSWORD], &A),
        "withvendorthingidbyowner" => (("vendorThingID", Kind::Vendor), &[PASSWORD, OWNER], &A),
        "withthingidbyowner" => (("thingID", Kind::Thing), &[PASSWORD, OWNER], &A[3..4]),
        "endnodewithgatewaythingid" => (("gatewayThingID", Kind::Thing), &node, &B),
        "endnodewithgatewayvendorthingid" => (("gatewayVendorThingID", Kind::Vendor), &node, &B),
        _ => return Found::UnknownMediaType,
    };
    let mut owner_token = None;
    if rest.iter().any(|(name, _)| *name == "owner") {
        owner_token = authorization.and_then(token);
        if owner_token.is_none() {
            return Found::NoOwnerToken;
        }
    }
    let (mut taken, mut invalid) = (Map::new(), Vec::new());
    let required = [id].into_iter().chain(rest.iter().copied()).map(|member| (member, true));
    for ((name, kind), is_required) in required.chain(optional.iter().map(|one| (*one, false))) {
        match body.get(name).map(|value| held(kind, value)) {
            Some(Some(value)) => {
                taken.insert(name.into(), value);
            }
            None if !is_required => {}
            _ => invalid.push(name.into()),
        }
    }
    match invalid.is_empty() {
        true => Found::Taken { body: taken.into(), owner_token },
        false => Found::Invalid(invalid),
    }
}

fn token(authorization: &str) -> Option<String> {
    let words: Vec<_> = authorization.split(' ').filter(|word| !word.is_empty()).collect();
    match words[..] {
        [scheme, token] if scheme.to_lowercase() == "bearer" => {
            let is_printable = token.chars().all(|ch| ('!'..='~').contains(&ch));
            (is_printable && token.len() <= 4_096).then(|| token.to_owned())
        }
        _ => None,
    }
}

/// What is sent on; none when it cannot be taken.
fn held(kind: Kind, value: &Value) -> Option<Value> {
    if let Kind::Properties = kind {
        return value.is_object().then(|| value.clone());
    }
    let text = value.as_str()?;
    let len = text.chars().count();
    let is_name = text.chars().all(|ch| ch.is_ascii_alphanumeric() || "._-".contains(ch));
    let is_segment = !text.contains(['/', '+', '#']) && !text.chars().any(char::is_control);
    let (is_fit, sent) = match kind {
        Kind::Vendor => ((1..=200).contains(&len) && is_name, text.to_owned()),
        Kind::Name => ((1..=100).contains(&len) && is_name, text.to_owned()),
        Kind::Thing => ((1..=1_024).contains(&len) && is_segment, text.to_owned()),
        Kind::Password => (len > 0, text.to_owned()),
        Kind::Owner => {
            let (kind, id) = text.split_once(':')?;
            let kind = kind.to_lowercase();
            let is_kind = ["user", "group"].contains(&kind.as_str());
            let len = id.chars().count();
            (is_kind && (1..=200).contains(&len) && is_segment, format!("{kind}:{id}"))
        }
        Kind::Position => {
            let known = ["GATEWAY", "STANDALONE", "ENDNODE", "END_NODE"];
            (known.contains(&text), text.replace('_', ""))
        }
        Kind::Properties => return None,
    };
    is_fit.then(|| sent.into())
}
