//! What is measured, and what it is measured against: one file a crate. `README.md` has the figures.

pub mod aia;
pub mod amqp;
pub mod kii;
pub mod lifecycle;
pub mod smart_properties;

/// Whether cargo asks for measurements (`cargo bench`), or only whether everything runs (`cargo test --benches`).
#[must_use]
pub fn is_measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}
