//! Protection of messages: the vectors of the specification, agreement with AES-GCM called directly, and what may be
//! printed.

mod key_ring;
#[path = "../naive/protect.rs"]
mod naive;
mod round_trip;
mod secrets;
mod vectors;
