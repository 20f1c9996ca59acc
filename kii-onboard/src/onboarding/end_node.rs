//! The onboarding of an end node.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};

use iot_sansio::Secret;

use super::{
    field::{Field as _, InvalidField, Name, Password, Properties, ThingId, Token},
    members::Members,
    owner::{OWNER, Owner},
    thing::{OWNER_TOKEN, ThingRef, named},
};
use crate::{
    Json, VendorThingId,
    json::{Member, Object, Value},
};

/// The onboarding of an end node: the last two variants of specification, section 8. End nodes share the connection of
/// their gateway: the answer is an [`EndNodeOnboarded`](super::EndNodeOnboarded), without endpoint.
///
/// ```
/// use kii_onboard::{VendorThingId, onboarding::{EndNodeOnboarding, Onboarding, Owner}};
///
/// let (node, owner) = (VendorThingId::new("n1")?, Owner::user("u-1")?);
/// let node = EndNodeOnboarding::with_gateway_thing_id("th.1", node, "p1", owner, "token")?;
/// assert_eq!(
///     Onboarding::EndNode(node).body(),
///     br#"{"gatewayThingID":"th.1","endNodeVendorThingID":"n1","endNodePassword":"p1","owner":"user:u-1"}"#
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndNodeOnboarding {
    gateway: ThingRef,
    id: VendorThingId,
    password: Secret,
    owner: Owner,
    owner_token: Secret,
    thing_type: Option<String>,
    thing_properties: Option<Json>,
    firmware_version: Option<String>,
}

impl EndNodeOnboarding {
    /// The end node with this id of its maker, behind the gateway with this id of the cloud. The access token is the
    /// owner's.
    ///
    /// # Errors
    /// The gateway's id is empty, has more than 1,024 characters, or one of `/ + #` or a control; the password is
    /// empty, or not UTF-8; the token is empty, has more than 4,096 characters, or one that is not printable ASCII.
    pub fn with_gateway_thing_id(
        gateway: impl Into<String>,
        id: VendorThingId,
        password: impl Into<Secret>,
        owner: Owner,
        owner_token: impl Into<Secret>,
    ) -> Result<Self, InvalidField> {
        let ThingId(gateway) = named(GATEWAY_THING_ID, ThingId::from_text(&gateway.into()))?;
        Self::new(ThingRef::Thing(gateway), id, password.into(), owner, owner_token.into())
    }

    /// The end node with this id of its maker, behind the gateway with that id of its maker. The access token is the
    /// owner's.
    ///
    /// # Errors
    /// The password is empty, or not UTF-8; the token is empty, has more than 4,096 characters, or one that is not
    /// printable ASCII.
    pub fn with_gateway_vendor_thing_id(
        gateway: VendorThingId,
        id: VendorThingId,
        password: impl Into<Secret>,
        owner: Owner,
        owner_token: impl Into<Secret>,
    ) -> Result<Self, InvalidField> {
        Self::new(ThingRef::Vendor(gateway), id, password.into(), owner, owner_token.into())
    }

    /// With a type, which a registered thing keeps: 1 to 100 of `A-Z a-z 0-9 . _ -`.
    ///
    /// # Errors
    /// It is no such name.
    pub fn with_thing_type(mut self, thing_type: &str) -> Result<Self, InvalidField> {
        self.thing_type = Some(named(THING_TYPE, Name::from_text(thing_type))?.0);
        Ok(self)
    }

    /// With custom fields: an object of at most 63 KB.
    ///
    /// # Errors
    /// It is not an object, or too large.
    pub fn with_thing_properties(mut self, properties: Json) -> Result<Self, InvalidField> {
        self.thing_properties = Some(named(THING_PROPERTIES, Properties::new(properties))?.0);
        Ok(self)
    }

    /// With the version of its firmware: 1 to 100 of `A-Z a-z 0-9 . _ -`.
    ///
    /// # Errors
    /// It is no such name.
    pub fn with_firmware_version(mut self, version: &str) -> Result<Self, InvalidField> {
        self.firmware_version = Some(named(FIRMWARE_VERSION, Name::from_text(version))?.0);
        Ok(self)
    }

    /// How its gateway is named.
    #[must_use]
    pub const fn gateway(&self) -> &ThingRef {
        &self.gateway
    }

    /// The id that its maker gave it.
    #[must_use]
    pub const fn id(&self) -> &VendorThingId {
        &self.id
    }

    /// Its password.
    #[must_use]
    pub const fn password(&self) -> &Secret {
        &self.password
    }

    /// The owner on whose behalf it is.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The owner's access token.
    #[must_use]
    pub const fn owner_token(&self) -> &Secret {
        &self.owner_token
    }

    /// Its type.
    #[must_use]
    pub fn thing_type(&self) -> Option<&str> {
        self.thing_type.as_deref()
    }

    /// Its custom fields.
    #[must_use]
    pub const fn thing_properties(&self) -> Option<&Json> {
        self.thing_properties.as_ref()
    }

    /// The version of its firmware.
    #[must_use]
    pub fn firmware_version(&self) -> Option<&str> {
        self.firmware_version.as_deref()
    }

    fn new(
        gateway: ThingRef,
        id: VendorThingId,
        password: Secret,
        owner: Owner,
        owner_token: Secret,
    ) -> Result<Self, InvalidField> {
        let Password(password) = named(PASSWORD, Password::new(password))?;
        let Token(owner_token) = named(OWNER_TOKEN, Token::new(&owner_token))?;
        let (thing_type, thing_properties, firmware_version) = (None, None, None);
        Ok(Self {
            gateway,
            id,
            password,
            owner,
            owner_token,
            thing_type,
            thing_properties,
            firmware_version,
        })
    }

    pub(super) const fn content_type(&self) -> &'static str {
        match self.gateway {
            ThingRef::Thing(_) => BY_GATEWAY_THING,
            ThingRef::Vendor(_) => BY_GATEWAY_VENDOR,
        }
    }

    pub(super) fn body(&self) -> Vec<u8> {
        let owner = self.owner.to_string();
        let mut body = Object::new();
        match &self.gateway {
            ThingRef::Thing(id) => body.push(GATEWAY_THING_ID, Member::Text(id)),
            ThingRef::Vendor(id) => body.push(GATEWAY_VENDOR_THING_ID, Member::Text(id.as_str())),
        }
        body.push(VENDOR_THING_ID, Member::Text(self.id.as_str()));
        body.push_text(PASSWORD, self.password.expose_str().ok());
        body.push(OWNER, Member::Text(&owner));
        body.push_text(THING_TYPE, self.thing_type());
        body.push_json(THING_PROPERTIES, self.thing_properties());
        body.push_text(FIRMWARE_VERSION, self.firmware_version());
        body.to_vec()
    }

    /// Reads the body of one of the two variants.
    pub(super) fn read(
        body: Value<'_>,
        is_vendor: bool,
        owner_token: Secret,
    ) -> Result<Self, Vec<InvalidField>> {
        let mut members = Members::new(body);
        let gateway = if is_vendor {
            members.required(GATEWAY_VENDOR_THING_ID).map(ThingRef::Vendor)
        } else {
            members.required(GATEWAY_THING_ID).map(|ThingId(id)| ThingRef::Thing(id))
        };
        let id = members.required(VENDOR_THING_ID);
        let password = members.required(PASSWORD);
        let owner = members.required(OWNER);
        let thing_type = members.optional(THING_TYPE).map(|Name(name)| name);
        let thing_properties = members.optional(THING_PROPERTIES).map(|Properties(json)| json);
        let firmware_version = members.optional(FIRMWARE_VERSION).map(|Name(name)| name);
        let read = || {
            let Password(password) = password?;
            Some(Self {
                gateway: gateway?,
                id: id?,
                password,
                owner: owner?,
                owner_token,
                thing_type,
                thing_properties,
                firmware_version,
            })
        };
        members.finish(read())
    }
}

pub(super) const BY_GATEWAY_THING: &str =
    "application/vnd.kii.OnboardingEndNodeWithGatewayThingID+json";
pub(super) const BY_GATEWAY_VENDOR: &str =
    "application/vnd.kii.OnboardingEndNodeWithGatewayVendorThingID+json";
const GATEWAY_THING_ID: &str = "gatewayThingID";
const GATEWAY_VENDOR_THING_ID: &str = "gatewayVendorThingID";
const VENDOR_THING_ID: &str = "endNodeVendorThingID";
const PASSWORD: &str = "endNodePassword";
const THING_TYPE: &str = "endNodeThingType";
const THING_PROPERTIES: &str = "endNodeThingProperties";
const FIRMWARE_VERSION: &str = "endNodeFirmwareVersion";
