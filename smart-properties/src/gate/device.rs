//! Devices: set up, then associated with a unit (specification section 9.5).

use alloc::{collections::BTreeMap, vec, vec::Vec};
use core::{num::NonZeroUsize, time::Duration};

use super::{ActiveUnit, Blocked, GateError, Permit, ReadyEndpoint, Units};
use crate::{
    EndpointId, UnitId,
    event::SetupCompletion,
    extract::Harvest,
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
    config: DevicesConfig,
    devices: BTreeMap<EndpointId<'static>, Device>,
    /// The ID that a device had before it was associated.
    former: BTreeMap<EndpointId<'static>, EndpointId<'static>>,
}

/// How many [`Devices`] are kept, and what they believe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DevicesConfig {
    capacity: NonZeroUsize,
    harvest: Harvest,
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
    /// Whether it was set up anew since it was associated.
    reset: bool,
}

impl Devices {
    /// No device is known.
    #[must_use]
    pub const fn new(config: DevicesConfig) -> Self {
        Self { config, devices: BTreeMap::new(), former: BTreeMap::new() }
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
        let verdict = device.set_up.observe(order, event_id);
        let newer = matches!(verdict, Verdict::Applied | Verdict::AppliedByTieBreak);
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
        let stays = matches!(&device.state, DeviceState::Associated { unit: has } if *has == unit);
        let under_way = matches!(device.state, DeviceState::Associating { .. });
        let unseen = device.state == DeviceState::Unseen;
        device.target = Some(unit);
        if unseen || under_way || (stays && !device.reset) {
            return Ok(None);
        }
        device.state = DeviceState::SetUp;
        Ok(device.associate(&id, units))
    }

    /// A unit has become active: what waits for it is associated.
    #[must_use]
    pub fn unblocked(&mut self, unit: &ActiveUnit) -> Vec<DeviceEffect> {
        let waits = |device: &Device| {
            device.state == DeviceState::SetUp && device.target.as_ref() == Some(unit.id())
        };
        let waiting = self.devices.iter_mut().filter(|(_, device)| waits(device));
        waiting.map(|(id, device)| device.begin(id, unit.clone())).collect()
    }

    /// The call that associates a device succeeded, and its answer has this ID for the device.
    #[must_use]
    pub fn associated(
        &mut self,
        endpoint: &EndpointId<'_>,
        answered: &EndpointId<'_>,
    ) -> Vec<DeviceEffect> {
        let (old, new) = (self.current(endpoint), answered.borrowed().into_owned());
        let Some(device) = self.devices.get_mut(&old) else { return Vec::new() };
        let DeviceState::Associating { unit } = &device.state else { return Vec::new() };
        device.state = DeviceState::Associated { unit: unit.clone() };
        device.reset = false;
        let mut effects = Vec::new();
        if old != new {
            self.rename(&old, &new);
            effects.push(DeviceEffect::EndpointRenamed { old, new: new.clone() });
        }
        effects.extend([DeviceEffect::KeepPowered(RESTART), DeviceEffect::ApplySettings(new)]);
        effects
    }

    /// The call that associates a device was answered with this status, or not at all.
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

    /// Tries the association of a device again.
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
        self.devices.remove(&id);
        self.former.retain(|_, current| *current != id);
    }

    /// One former ID a device is enough: a setup event that still has an older one is long past. A device that went by the
    /// new ID before is this one.
    fn rename(&mut self, old: &EndpointId<'static>, new: &EndpointId<'static>) {
        self.former.retain(|_, current| current != old && current != new);
        self.former.remove(new);
        self.former.insert(old.clone(), new.clone());
        if let Some(device) = self.devices.remove(old) {
            self.devices.insert(new.clone(), device);
        }
    }

    fn entry(
        &mut self,
        endpoint: &EndpointId<'_>,
    ) -> Result<(EndpointId<'static>, &mut Device), GateError> {
        let id = self.current(endpoint);
        let limit = self.config.capacity.get();
        if !self.devices.contains_key(&id) && self.devices.len() >= limit {
            return Err(GateError::Full { limit });
        }
        let device = self.devices.entry(id.clone()).or_default();
        Ok((id, device))
    }
}

impl Device {
    /// Begins the association if the device is set up and its unit is active.
    fn associate(&mut self, id: &EndpointId<'static>, units: &Units) -> Option<DeviceEffect> {
        let unit = units.active(self.target.as_ref()?).ok()?;
        (self.state == DeviceState::SetUp).then(|| self.begin(id, unit))
    }

    fn begin(&mut self, id: &EndpointId<'static>, unit: ActiveUnit) -> DeviceEffect {
        self.state = DeviceState::Associating { unit: unit.id().clone() };
        DeviceEffect::Associate { endpoint: ReadyEndpoint::new(id.clone()), unit }
    }
}

impl Default for Devices {
    fn default() -> Self {
        Self::new(DevicesConfig::default())
    }
}

impl DevicesConfig {
    /// Room for this many devices.
    #[must_use]
    pub const fn with_capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Whether an identifier counts that an event names where no table says it would.
    #[must_use]
    pub const fn with_harvest(mut self, harvest: Harvest) -> Self {
        self.harvest = harvest;
        self
    }
}

impl Default for DevicesConfig {
    fn default() -> Self {
        Self { capacity: super::DEFAULT_CAPACITY, harvest: Harvest::Refuse }
    }
}

/// How long a device needs to take over its unit (specification section 7.5).
const RESTART: Duration = Duration::from_secs(60);
