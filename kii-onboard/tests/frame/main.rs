//! Frames: the vectors of the specification, agreement with a slow reference, and what may be printed.

mod agreement;
#[path = "../naive/frame.rs"]
mod naive;
mod order;
mod round_trip;
mod secrets;
mod vectors;
