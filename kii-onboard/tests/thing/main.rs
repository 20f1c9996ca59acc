//! The thing: the traces of the specification, the rows of its table, its contract.

mod calls;
mod contract;
mod model;
mod onboarding;
mod reconnect;
mod run;
mod traces;
