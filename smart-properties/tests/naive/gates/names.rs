//! Few things, by numbers.

use iot_sansio::UnixMillis;
use smart_properties::{
    AutomationId, EndpointId, Instant, PrincipalId, RoleId, UnitId, gate::RoleKey, order::OrderKey,
};

use super::newest::Published;

pub(crate) fn unit_id(name: u8) -> UnitId<'static> {
    UnitId::new(format!("amzn1.alexa.unit.did.U{name}")).expect("a unit")
}

pub(crate) fn endpoint_id(name: u8) -> EndpointId<'static> {
    EndpointId::new(format!("amzn1.alexa.endpoint.E{name}")).expect("an endpoint")
}

pub(crate) fn automation_id(name: u8) -> AutomationId<'static> {
    AutomationId::new(format!("amzn1.alexa.automation.A{name}")).expect("an automation")
}

pub(crate) fn skill_id(name: u8) -> String {
    format!("amzn1.ask.skill.{name}")
}

pub(crate) fn role_key(name: u8) -> RoleKey {
    let role = RoleId::new(ROLE).expect("a role");
    RoleKey::new(&role, &PrincipalId::new(PRINCIPAL).expect("a principal"), &unit_id(name))
}

pub(crate) fn instant(seconds: u8) -> Instant {
    Instant::from(UnixMillis::new(1_000 * i64::from(seconds)))
}

pub(crate) fn order(published: Published) -> OrderKey {
    OrderKey::new(Some(instant(published.at)), published.sns.map(instant))
}

/// What one of our identifiers ends with.
pub(crate) fn number_of(id: &str) -> u8 {
    id.bytes().last().map_or(0, |digit| digit - b'0')
}

/// One more than there is room for.
pub(crate) const NAMES: u8 = 4;
pub(crate) const ROLE: &str = "amzn1.alexa.role.did.R1";
pub(crate) const PRINCIPAL: &str = "amzn1.account.P1";
