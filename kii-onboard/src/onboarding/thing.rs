//! The onboarding of a thing.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};

use iot_sansio::Secret;

use super::{
    field::{Field as _, FieldFault, InvalidField, Name, Password, Properties, ThingId, Token},
    layout_position::LayoutPosition,
    members::Members,
    owner::{OWNER, Owner},
};
use crate::{
    Json, VendorThingId,
    json::{Member, Object, Value},
};

/// The onboarding of a thing: the first four variants of specification, section 8.
///
/// The id and the owner choose the variant. With the cloud's own id and an owner, `layoutPosition` is the only optional
/// member: the others are refused, whichever is told first.
///
/// ```
/// use kii_onboard::{Json, VendorThingId, onboarding::{Onboarding, Owner, ThingOnboarding}};
///
/// let thing = ThingOnboarding::with_vendor_thing_id(VendorThingId::new("v1")?, "p1")?
///     .with_thing_type("lamp")?
///     .with_thing_properties(Json::new(r#"{"floor":2}"#)?)?;
/// assert_eq!(
///     Onboarding::Thing(thing).body(),
///     br#"{"vendorThingID":"v1","thingPassword":"p1","thingType":"lamp","thingProperties":{"floor":2}}"#
/// );
///
/// let owned = ThingOnboarding::with_thing_id("th.1", "p1")?.owned_by(Owner::user("u-1")?, "token")?;
/// assert!(owned.with_thing_type("lamp").is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ThingOnboarding {
    id: ThingRef,
    password: Secret,
    owner: Option<(Owner, Secret)>,
    thing_type: Option<String>,
    thing_properties: Option<Json>,
    firmware_version: Option<String>,
    layout_position: Option<LayoutPosition>,
    data_grouping_interval: Option<String>,
}

/// How a thing is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a thing has these two ids")]
pub enum ThingRef {
    /// By the id that its maker gave it.
    Vendor(VendorThingId),
    /// By the id that the cloud gave it.
    Thing(String),
}

impl ThingOnboarding {
    /// The thing with this id of its maker. The password of the first onboarding becomes the thing's.
    ///
    /// # Errors
    /// The password is empty, or not UTF-8.
    pub fn with_vendor_thing_id(
        id: VendorThingId,
        password: impl Into<Secret>,
    ) -> Result<Self, InvalidField> {
        Self::new(ThingRef::Vendor(id), password.into())
    }

    /// The thing with this id of the cloud, which must be registered already.
    ///
    /// # Errors
    /// The id is empty, has more than 1,024 characters, or one of `/ + #` or a control; the password is empty, or not
    /// UTF-8.
    pub fn with_thing_id(
        id: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Result<Self, InvalidField> {
        let ThingId(id) = named(THING_ID, ThingId::from_text(&id.into()))?;
        Self::new(ThingRef::Thing(id), password.into())
    }

    /// The same on behalf of an owner, whose access token this is.
    ///
    /// # Errors
    /// The token is empty, has more than 4,096 characters, or one that is not printable ASCII; the thing is named by
    /// the cloud's id, and has a member that is then not taken.
    pub fn owned_by(
        mut self,
        owner: Owner,
        owner_token: impl Into<Secret>,
    ) -> Result<Self, InvalidField> {
        let Token(token) = named(OWNER_TOKEN, Token::new(&owner_token.into()))?;
        self.owner = Some((owner, token));
        self.checked()
    }

    /// With a type, which a registered thing keeps: 1 to 100 of `A-Z a-z 0-9 . _ -`.
    ///
    /// # Errors
    /// It is no such name; this variant does not take it.
    pub fn with_thing_type(mut self, thing_type: &str) -> Result<Self, InvalidField> {
        self.thing_type = Some(named(THING_TYPE, Name::from_text(thing_type))?.0);
        self.checked()
    }

    /// With custom fields: an object of at most 63 KB.
    ///
    /// # Errors
    /// It is not an object, or too large; this variant does not take it.
    pub fn with_thing_properties(mut self, properties: Json) -> Result<Self, InvalidField> {
        self.thing_properties = Some(named(THING_PROPERTIES, Properties::new(properties))?.0);
        self.checked()
    }

    /// With the version of its firmware: 1 to 100 of `A-Z a-z 0-9 . _ -`.
    ///
    /// # Errors
    /// It is no such name; this variant does not take it.
    pub fn with_firmware_version(mut self, version: &str) -> Result<Self, InvalidField> {
        self.firmware_version = Some(named(FIRMWARE_VERSION, Name::from_text(version))?.0);
        self.checked()
    }

    /// With the place where it stands among others.
    #[must_use]
    pub const fn with_layout_position(mut self, position: LayoutPosition) -> Self {
        self.layout_position = Some(position);
        self
    }

    /// With the interval by which its data is grouped, such as `15_MINUTES`: 1 to 100 of `A-Z a-z 0-9 . _ -`.
    ///
    /// # Errors
    /// It is no such name; this variant does not take it.
    pub fn with_data_grouping_interval(mut self, interval: &str) -> Result<Self, InvalidField> {
        self.data_grouping_interval =
            Some(named(DATA_GROUPING_INTERVAL, Name::from_text(interval))?.0);
        self.checked()
    }

    /// How the thing is named.
    #[must_use]
    pub const fn id(&self) -> &ThingRef {
        &self.id
    }

    /// The thing's password.
    #[must_use]
    pub const fn password(&self) -> &Secret {
        &self.password
    }

    /// The owner on whose behalf it is.
    #[must_use]
    pub const fn owner(&self) -> Option<&Owner> {
        match &self.owner {
            Some((owner, _)) => Some(owner),
            None => None,
        }
    }

    /// The owner's access token.
    #[must_use]
    pub const fn owner_token(&self) -> Option<&Secret> {
        match &self.owner {
            Some((_, token)) => Some(token),
            None => None,
        }
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

    /// Where it stands among others.
    #[must_use]
    pub const fn layout_position(&self) -> Option<LayoutPosition> {
        self.layout_position
    }

    /// The interval by which its data is grouped.
    #[must_use]
    pub fn data_grouping_interval(&self) -> Option<&str> {
        self.data_grouping_interval.as_deref()
    }

    fn new(id: ThingRef, password: Secret) -> Result<Self, InvalidField> {
        let Password(password) = named(THING_PASSWORD, Password::new(password))?;
        Ok(Self {
            id,
            password,
            owner: None,
            thing_type: None,
            thing_properties: None,
            firmware_version: None,
            layout_position: None,
            data_grouping_interval: None,
        })
    }

    /// Refuses what the variant has no member for.
    fn checked(self) -> Result<Self, InvalidField> {
        if self.takes_all_options() {
            return Ok(self);
        }
        let others = [
            (THING_TYPE, self.thing_type.is_some()),
            (THING_PROPERTIES, self.thing_properties.is_some()),
            (FIRMWARE_VERSION, self.firmware_version.is_some()),
            (DATA_GROUPING_INTERVAL, self.data_grouping_interval.is_some()),
        ];
        match others.into_iter().find(|(_, is_told)| *is_told) {
            Some((field, _)) => Err(InvalidField { field, fault: FieldFault::NotTaken }),
            None => Ok(self),
        }
    }

    const fn takes_all_options(&self) -> bool {
        matches!((&self.id, &self.owner), (ThingRef::Vendor(_), _) | (_, None))
    }

    pub(super) const fn content_type(&self) -> &'static str {
        match (&self.id, &self.owner) {
            (ThingRef::Vendor(_), None) => VENDOR_BY_THING,
            (ThingRef::Thing(_), None) => THING_BY_THING,
            (ThingRef::Vendor(_), Some(_)) => VENDOR_BY_OWNER,
            (ThingRef::Thing(_), Some(_)) => THING_BY_OWNER,
        }
    }

    pub(super) fn body(&self) -> Vec<u8> {
        let owner = self.owner().map(|owner| owner.to_string());
        let mut body = Object::new();
        match &self.id {
            ThingRef::Vendor(id) => body.push(VENDOR_THING_ID, Member::Text(id.as_str())),
            ThingRef::Thing(id) => body.push(THING_ID, Member::Text(id)),
        }
        body.push_text(THING_PASSWORD, self.password.expose_str().ok());
        body.push_text(OWNER, owner.as_deref());
        body.push_text(THING_TYPE, self.thing_type());
        body.push_json(THING_PROPERTIES, self.thing_properties());
        body.push_text(FIRMWARE_VERSION, self.firmware_version());
        body.push_text(LAYOUT_POSITION, self.layout_position.map(LayoutPosition::as_str));
        body.push_text(DATA_GROUPING_INTERVAL, self.data_grouping_interval());
        body.to_vec()
    }

    /// Reads the body of one of the four variants; with the owner's token, one of the two on an owner's behalf.
    pub(super) fn read(
        body: Value<'_>,
        is_vendor: bool,
        owner_token: Option<Secret>,
    ) -> Result<Self, Vec<InvalidField>> {
        let mut members = Members::new(body);
        let id = if is_vendor {
            members.required(VENDOR_THING_ID).map(ThingRef::Vendor)
        } else {
            members.required(THING_ID).map(|ThingId(id)| ThingRef::Thing(id))
        };
        let password = members.required(THING_PASSWORD);
        let owner = owner_token.map(|token| Some((members.required(OWNER)?, token)));
        let takes_all_options = is_vendor || owner.is_none();
        let name = |members: &mut Members<'_>, field| {
            let Name(name) = takes_all_options.then(|| members.optional(field)).flatten()?;
            Some(name)
        };
        let thing_type = name(&mut members, THING_TYPE);
        let properties = takes_all_options.then(|| members.optional(THING_PROPERTIES)).flatten();
        let firmware_version = name(&mut members, FIRMWARE_VERSION);
        let layout_position = members.optional(LAYOUT_POSITION);
        let data_grouping_interval = name(&mut members, DATA_GROUPING_INTERVAL);
        let read = || {
            let Password(password) = password?;
            Some(Self {
                id: id?,
                password,
                owner: match owner {
                    Some(owner) => Some(owner?),
                    None => None,
                },
                thing_type,
                thing_properties: properties.map(|Properties(json)| json),
                firmware_version,
                layout_position,
                data_grouping_interval,
            })
        };
        members.finish(read())
    }
}

/// The fault of a field, under its name.
pub(super) fn named<T>(
    field: &'static str,
    made: Result<T, FieldFault>,
) -> Result<T, InvalidField> {
    made.map_err(|fault| InvalidField { field, fault })
}

pub(super) const VENDOR_BY_THING: &str =
    "application/vnd.kii.OnboardingWithVendorThingIDByThing+json";
pub(super) const THING_BY_THING: &str = "application/vnd.kii.OnboardingWithThingIDByThing+json";
pub(super) const VENDOR_BY_OWNER: &str =
    "application/vnd.kii.OnboardingWithVendorThingIDByOwner+json";
pub(super) const THING_BY_OWNER: &str = "application/vnd.kii.OnboardingWithThingIDByOwner+json";
const VENDOR_THING_ID: &str = "vendorThingID";
const THING_ID: &str = "thingID";
const THING_PASSWORD: &str = "thingPassword";
const THING_TYPE: &str = "thingType";
const THING_PROPERTIES: &str = "thingProperties";
const FIRMWARE_VERSION: &str = "firmwareVersion";
const LAYOUT_POSITION: &str = "layoutPosition";
const DATA_GROUPING_INTERVAL: &str = "dataGroupingInterval";
/// Not a member: it stands in a header.
pub(super) const OWNER_TOKEN: &str = "Authorization";
