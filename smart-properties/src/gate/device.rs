//! Devices: set up, then associated with a unit (specification section 9.5).

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};
use core::time::Duration;

use super::{ActiveUnit, Blocked, GateConfig, GateError, Permit, ReadyEndpoint, Units};
use crate::{
    EndpointId, UnitId,
    event::SetupCompletion,
    order::{LastWriter, OrderKey, Verdict},
};

/// The devices of an organization, each on its way from the setup to its unit.
///
/// ```text
///            setup event            unit named and active               answer 200
///  Unseen ───────────────► SetUp ───────────────────────► Associating ─────────────► Associated
///                            ▲                                 │                         │
///                            └─────────────────────────────────┘                         │
///                            ▲     answer 4xx, 5xx                                       │
///                            └───────────────────────────────────────────────────────────┘
///                                  another unit named, or the same after a setup event that is newer
/// ```
///
/// The setup event does not name a unit: which device belongs into which room is the caller's to say. A device may get
/// another ID as it is associated; it goes by either from then on.
///
/// ```
/// use smart_properties::{EndpointId, UnitId, gate::{Blocked, Devices, Permit, Units}};
///
/// let (mut devices, units) = (Devices::default(), Units::default());
/// let echo = EndpointId::new("amzn1.alexa.endpoint.EP9")?;
/// devices.set_target(&echo, &UnitId::new("amzn1.alexa.unit.did.ROOM402")?, &units)?;
/// assert_eq!(devices.permits(&echo, &units), Permit::Blocked(Blocked::NotSetUp));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Devices {
    config: GateConfig,
    devices: BTreeMap<EndpointId<'static>, Device>,
    /// The ID that a device goes by, of the one that it had before it was associated.
    former: BTreeMap<EndpointId<'static>, EndpointId<'static>>,
    /// The devices of each unit that was named for some.
    targets: BTreeMap<UnitId<'static>, BTreeSet<EndpointId<'static>>>,
}

/// How far a device is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviceState {
    /// No setup event has come.
    #[default]
    Unseen,
    /// It is registered and online, and can be associated.
    SetUp,
    /// The call that associates it is under way.
    Associating {
        /// With which unit.
        unit: UnitId<'static>,
    },
    /// It has its unit.
    Associated {
        /// Which one.
        unit: UnitId<'static>,
    },
}

/// What follows from what devices were told.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviceEffect {
    /// The device can be associated.
    Ready(ReadyEndpoint),
    /// Associate it: [`call::associate_device`](crate::call::associate_device), then tell the answer.
    Associate {
        /// The device.
        endpoint: ReadyEndpoint,
        /// Its unit.
        unit: ActiveUnit,
    },
    /// The device goes by another ID now.
    EndpointRenamed {
        /// What it was.
        old: EndpointId<'static>,
        /// What it is.
        new: EndpointId<'static>,
    },
    /// The device must stay powered for this long, and should be seen to restart.
    KeepPowered(Duration),
    /// Earlier settings are cleared: apply those of the unit now, not before.
    ApplySettings(EndpointId<'static>),
    /// The call failed and may work later.
    RetryLater(EndpointId<'static>),
    /// The call was refused: correct it, nothing happens by itself.
    NeedsAttention(EndpointId<'static>),
    /// A device that has its unit was set up anew: it was reset. Name its unit again to associate it again.
    SetUpAgain(EndpointId<'static>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Device {
    state: DeviceState,
    target: Option<UnitId<'static>>,
    set_up: LastWriter,
    /// Whether it was set up anew since the call that associates it.
    reset: bool,
    former: Option<EndpointId<'static>>,
}

impl Devices {
    /// No device is known.
    #[must_use]
    pub const fn new(config: GateConfig) -> Self {
        Self { config, devices: BTreeMap::new(), former: BTreeMap::new(), targets: BTreeMap::new() }
    }

    /// A setup event came, with this key and `eventId`.
    ///
    /// # Errors
    /// [`GateError::Id`] where the event does not say for certain which device it is about: it needs attention. And
    /// [`GateError::Full`].
    pub fn set_up(
        &mut self,
        setup: &SetupCompletion<'_>,
        order: OrderKey,
        event_id: &str,
        units: &Units,
    ) -> Result<Vec<DeviceEffect>, GateError> {
        let named = setup.endpoint.accept(self.config.harvest)?;
        let (id, device) = self.entry(named)?;
        let newer = device.observe(order, event_id);
        match device.state {
            DeviceState::Unseen => {
                device.state = DeviceState::SetUp;
                let mut effects = vec![DeviceEffect::Ready(ReadyEndpoint::new(id.clone()))];
                effects.extend(device.associate(&id, units));
                Ok(effects)
            }
            DeviceState::Associated { .. } if newer => {
                device.reset = true;
                Ok(vec![DeviceEffect::SetUpAgain(id)])
            }
            // Said once the answer has come: nothing tells which of the two happened first.
            DeviceState::Associating { .. } if newer => {
                device.reset = true;
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The caller says which unit a device belongs to, before or after it is set up.
    ///
    /// # Errors
    /// [`GateError::Full`]
    pub fn set_target(
        &mut self,
        endpoint: &EndpointId<'_>,
        unit: &UnitId<'_>,
        units: &Units,
    ) -> Result<Option<DeviceEffect>, GateError> {
        let unit = unit.borrowed().into_owned();
        let (id, device) = self.entry(endpoint)?;
        let before = device.target.replace(unit.clone());
        let effect = device.go_on(&id, units);
        self.retarget(&id, before.as_ref(), Some(&unit));
        Ok(effect)
    }

    /// A unit has become active: what waits for it, under whichever of its IDs, is associated.
    #[must_use]
    pub fn unblocked(&mut self, unit: &ActiveUnit, units: &Units) -> Vec<DeviceEffect> {
        let waiting = units.ids(unit.id()).filter_map(|name| self.targets.get(name)).flatten();
        let mut effects = Vec::new();
        for id in waiting {
            let device = self.devices.get_mut(id);
            effects.extend(device.and_then(|device| device.associate(id, units)));
        }
        effects
    }

    /// The call that associates a device succeeded, and its answer has this ID for the device. If another unit was named
    /// meanwhile, it goes on there.
    #[must_use]
    pub fn associated(
        &mut self,
        endpoint: &EndpointId<'_>,
        answered: &EndpointId<'_>,
        units: &Units,
    ) -> Vec<DeviceEffect> {
        let (old, new) = (self.current(endpoint), answered.borrowed().into_owned());
        let Some(device) = self.devices.get_mut(&old) else { return Vec::new() };
        let DeviceState::Associating { unit } = &device.state else { return Vec::new() };
        device.state = DeviceState::Associated { unit: unit.clone() };
        let mut effects = Vec::new();
        if old != new {
            self.rename(&old, &new);
            effects.push(DeviceEffect::EndpointRenamed { old, new: new.clone() });
        }
        effects.push(DeviceEffect::KeepPowered(RESTART));
        let Some(device) = self.devices.get_mut(&new) else { return effects };
        if device.is_at_target(units) {
            effects.push(DeviceEffect::ApplySettings(new.clone()));
            effects.extend(device.reset.then_some(DeviceEffect::SetUpAgain(new)));
        } else {
            effects.extend(device.go_on(&new, units));
        }
        effects
    }

    /// The call that associates a device was answered with this status, or not at all. What was not answered may have
    /// happened, and the device may have another ID since: look it up before it is [tried again](Self::retry).
    #[must_use]
    pub fn failed(
        &mut self,
        endpoint: &EndpointId<'_>,
        status: Option<u16>,
    ) -> Option<DeviceEffect> {
        let id = self.current(endpoint);
        let device = self.devices.get_mut(&id)?;
        if !matches!(device.state, DeviceState::Associating { .. }) {
            return None;
        }
        device.state = DeviceState::SetUp;
        Some(match status {
            None | Some(408 | 429 | 500..) => DeviceEffect::RetryLater(id),
            Some(_) => DeviceEffect::NeedsAttention(id),
        })
    }

    /// Tries the association of a device again, after it has [failed](Self::failed).
    #[must_use]
    pub fn retry(&mut self, endpoint: &EndpointId<'_>, units: &Units) -> Option<DeviceEffect> {
        let id = self.current(endpoint);
        let device = self.devices.get_mut(&id)?;
        device.associate(&id, units)
    }

    /// Whether a device may be associated with its unit now.
    pub fn permits(&self, endpoint: &EndpointId<'_>, units: &Units) -> Permit {
        let device = self.devices.get(&self.current(endpoint));
        match device.map(|device| (&device.state, &device.target)) {
            None | Some((DeviceState::Unseen, _)) => Permit::Blocked(Blocked::NotSetUp),
            Some((DeviceState::Associating { .. }, _)) => Permit::Blocked(Blocked::Associating),
            Some((DeviceState::Associated { .. }, _)) => Permit::Blocked(Blocked::Associated),
            Some((DeviceState::SetUp, None)) => Permit::Blocked(Blocked::NoTarget),
            Some((DeviceState::SetUp, Some(unit))) => match units.active(unit) {
                Ok(_) => Permit::Allowed,
                Err(permit) => permit,
            },
        }
    }

    /// How far a device is, by any ID that it had.
    #[must_use]
    pub fn state(&self, endpoint: &EndpointId<'_>) -> Option<&DeviceState> {
        self.devices.get(&self.current(endpoint)).map(|device| &device.state)
    }

    /// The ID that a device goes by now.
    #[must_use]
    pub fn current(&self, endpoint: &EndpointId<'_>) -> EndpointId<'static> {
        let endpoint = endpoint.borrowed().into_owned();
        self.former.get(&endpoint).cloned().unwrap_or(endpoint)
    }

    /// Forgets a device.
    pub fn forget(&mut self, endpoint: &EndpointId<'_>) {
        let id = self.current(endpoint);
        self.remove(&id);
    }

    /// One former ID a device is enough: a setup event that still has an older one is long past. A device that went by the
    /// new ID before is this one.
    fn rename(&mut self, old: &EndpointId<'static>, new: &EndpointId<'static>) {
        let Some(mut device) = self.remove(old) else { return };
        // The setup event under the new ID may have come first.
        if let Some(other) = self.remove(new) {
            let newest = other.set_up.newest().zip(other.set_up.newest_id());
            device.reset |= newest.is_some_and(|(key, id)| device.observe(key, id));
        }
        // What a device goes by now is no other one's former ID.
        let owner = self.former.remove(new).and_then(|owner| self.devices.get_mut(&owner));
        if let Some(owner) = owner {
            owner.former = None;
        }
        self.former.insert(old.clone(), new.clone());
        device.former = Some(old.clone());
        self.retarget(new, None, device.target.as_ref());
        self.devices.insert(new.clone(), device);
    }

    fn remove(&mut self, id: &EndpointId<'static>) -> Option<Device> {
        let device = self.devices.remove(id)?;
        if let Some(former) = &device.former {
            self.former.remove(former);
        }
        self.retarget(id, device.target.as_ref(), None);
        Some(device)
    }

    fn retarget(
        &mut self,
        id: &EndpointId<'static>,
        from: Option<&UnitId<'static>>,
        to: Option<&UnitId<'static>>,
    ) {
        if let Some((unit, devices)) =
            from.and_then(|unit| Some((unit, self.targets.get_mut(unit)?)))
        {
            devices.remove(id);
            if devices.is_empty() {
                self.targets.remove(unit);
            }
        }
        if let Some(unit) = to {
            self.targets.entry(unit.clone()).or_default().insert(id.clone());
        }
    }

    fn entry(
        &mut self,
        endpoint: &EndpointId<'_>,
    ) -> Result<(EndpointId<'static>, &mut Device), GateError> {
        let id = self.current(endpoint);
        if !self.devices.contains_key(&id) {
            self.config.check_room(self.devices.len())?;
        }
        let device = self.devices.entry(id.clone()).or_default();
        Ok((id, device))
    }
}

impl Device {
    /// Takes notice of a setup event. Whether it is newer than all before it.
    fn observe(&mut self, order: OrderKey, event_id: &str) -> bool {
        let verdict = self.set_up.observe(order, event_id);
        matches!(verdict, Verdict::Applied | Verdict::AppliedByTieBreak)
    }

    fn is_at_target(&self, units: &Units) -> bool {
        let DeviceState::Associated { unit } = &self.state else { return false };
        self.target.as_ref().is_some_and(|it| units.canonical(it) == units.canonical(unit))
    }

    /// Goes to the unit that was named, if it is not on its way yet, and not there.
    fn go_on(&mut self, id: &EndpointId<'static>, units: &Units) -> Option<DeviceEffect> {
        let is_busy = matches!(self.state, DeviceState::Unseen | DeviceState::Associating { .. });
        if is_busy || (self.is_at_target(units) && !self.reset) {
            return None;
        }
        self.state = DeviceState::SetUp;
        self.associate(id, units)
    }

    /// Begins the association if the device is set up and its unit is active.
    fn associate(&mut self, id: &EndpointId<'static>, units: &Units) -> Option<DeviceEffect> {
        let unit = units.active(self.target.as_ref()?).ok()?;
        if self.state != DeviceState::SetUp {
            return None;
        }
        self.reset = false;
        self.state = DeviceState::Associating { unit: unit.id().clone() };
        Some(DeviceEffect::Associate { endpoint: ReadyEndpoint::new(id.clone()), unit })
    }
}

impl Default for Devices {
    fn default() -> Self {
        Self::new(GateConfig::default())
    }
}

/// How long a device needs to take over its unit (specification section 7.5).
const RESTART: Duration = Duration::from_secs(60);
