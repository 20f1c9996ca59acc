//! What may be done now: reducers over events and answers of the API (specification section 9).
//!
//! Each keeps what it was told and answers at once; none waits, calls or looks at a clock. An event that does not say for
//! certain what it is about is refused and changes nothing. What only a gate can know is handed out as a value that has
//! no other source, and the calls that would be refused before take it as an argument.
//!
//! | gate | opens | told by |
//! | --- | --- | --- |
//! | [`Units`] | children, skills and devices of a unit | activation events, answers of calls |
//! | [`Roles`] | work on the units below a role's unit | role events, answers of calls |
//! | [`Devices`] | the association of a device | setup events, the units, answers of calls |
//! | [`Automations`] | nothing: it holds the last outcome of each | completion events |
//! | [`SkillFailures`] | nothing: it counts | skill failure events |

mod automation;
mod capability;
mod config;
mod device;
mod error;
mod permit;
mod role;
mod skill_failure;
mod unit;
mod units;

pub use automation::{Advice, Automations, AutomationsConfig, Outcome};
pub use capability::{ActiveUnit, PropagatedRole, ReadyEndpoint};
pub use config::GateConfig;
pub use device::{DeviceEffect, DeviceState, Devices};
pub use error::GateError;
pub use permit::{Blocked, Permit, Unclear};
pub use role::{RoleEffect, RoleExtent, RoleKey, RoleOperation, RoleRequest, Roles};
pub use skill_failure::{FailureClass, SkillFailureKey, SkillFailures, SkillFailuresConfig};
pub use unit::{Evidence, Level, Operation, UnitState};
pub use units::{UnitEffect, Units};
