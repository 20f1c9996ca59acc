//! Calls every entry point of the published crates without std. It is checked and linked, never run.

#![no_std]

extern crate alloc;

// Named, so that their dependencies are loaded even where nothing of them is called.
extern crate aia_proto as _;
extern crate amqp_auth as _;
extern crate iot_lifecycle as _;
extern crate iot_sansio as _;
extern crate kii_onboard as _;
extern crate smart_properties as _;

mod aia;
mod aia_machines;
mod amqp;
mod amqp_messages;
mod amqp_platform;
mod kii;
mod kii_calls;
mod kii_cloud;
mod lifecycle;
mod sansio;
mod smart_properties;
mod smart_properties_calls;
mod smart_properties_gates;
mod smart_properties_service;
mod smart_properties_sns;

use alloc::boxed::Box;
use core::{
    alloc::{GlobalAlloc, Layout},
    error::Error,
    panic::PanicInfo,
    ptr,
};

/// The root from which everything is reached.
#[unsafe(no_mangle)]
pub extern "C" fn no_std_proof() -> bool {
    call_all().is_ok()
}

fn call_all() -> Result<(), Box<dyn Error>> {
    sansio::time();
    sansio::secret()?;
    sansio::actions();
    sansio::backoff_and_pump();
    sansio::simulator()?;
    sansio::contract()?;
    aia::topics()?;
    aia::connection_messages()?;
    aia::registrations()?;
    aia::protection()?;
    aia::order()?;
    aia_machines::devices()?;
    aia_machines::services()?;
    amqp::logins()?;
    amqp::verification()?;
    amqp::sasl()?;
    amqp::places()?;
    amqp_messages::messages()?;
    amqp_messages::bodies()?;
    amqp_messages::dedupe()?;
    amqp_messages::status()?;
    amqp_platform::logins()?;
    amqp_platform::messages()?;
    amqp_platform::faults()?;
    kii::frames()?;
    kii::topics()?;
    kii::brokers()?;
    kii::keep_alive();
    kii::onboarding()?;
    kii::answers()?;
    kii_calls::calls()?;
    kii_calls::commands()?;
    kii_calls::things()?;
    kii_cloud::connections()?;
    kii_cloud::things()?;
    kii_cloud::faults()?;
    lifecycle::topics()?;
    lifecycle::events()?;
    lifecycle::envelopes()?;
    lifecycle::order()?;
    lifecycle::presence()?;
    lifecycle::fleet()?;
    lifecycle::subscriptions()?;
    lifecycle::stores();
    lifecycle::histories();
    smart_properties::ids()?;
    smart_properties::events()?;
    smart_properties::order();
    smart_properties::dedupe()?;
    smart_properties::policies()?;
    smart_properties_sns::envelopes()?;
    smart_properties_sns::verification()?;
    smart_properties_sns::subscribers()?;
    smart_properties_gates::units()?;
    smart_properties_gates::roles()?;
    smart_properties_gates::devices()?;
    smart_properties_gates::outcomes()?;
    smart_properties_calls::requests()?;
    smart_properties_calls::answers()?;
    smart_properties_calls::calls()?;
    smart_properties_service::topics()?;
    Ok(())
}

/// Where std has one, it clashes with this.
struct NoMemory;

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;

// SAFETY: null says that there is no memory; so nothing is ever given back.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _memory: *mut u8, _layout: Layout) {}
}

/// Where std has one, it clashes with this.
#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
