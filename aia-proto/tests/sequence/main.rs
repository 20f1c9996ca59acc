//! Messages in order: the vectors of the specification, and agreement with a slow reference.

mod agreement;
#[path = "../naive/sequence.rs"]
mod naive;
mod vectors;
