#![doc = include_str!("../README.md")]
#![no_std]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::expect_used,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod build_error;
mod consumer;
mod credential;
pub mod dedupe;
mod endpoint;
mod field;
mod idle_timeout;
mod mac;
pub mod message;
#[cfg(feature = "sim")]
pub mod platform;
pub mod sasl;
pub mod session;
mod sign;
mod stack;
pub mod status;
mod user_name;
mod verify;

pub use build_error::BuildError;
pub use consumer::Consumer;
pub use credential::{AuthMode, Credential, KeyCredential, StsCredential};
pub use endpoint::{Endpoint, EndpointError};
pub use field::Field;
pub use idle_timeout::{IdleOutOfRange, IdleTimeout};
pub use mac::{MAX_PASSWORD_LEN, SignMethod};
pub use sign::{Login, Report, Signer, UnsignedLogin, Warning};
pub use stack::Stack;
pub use user_name::{ParseError, UserName};
pub use verify::{Key, KeyStore, Policy, Unavailable, Unsigned, Verified, VerifyError, verify};
