//! What may be done now: reducers over events and answers of the API (specification section 9).

mod capability;

pub use capability::{ActiveUnit, PropagatedRole, ReadyEndpoint};
