//! Memory of a fleet, and what decoding, encoding, signing and verifying allocate.
//!
//! Heap is counted as requested by the program, without what the system's allocator adds; resident memory has that too.

use std::{fs, mem};

use allocation_counter::measure;
use benches::{
    aia, amqp, is_measuring, kii,
    lifecycle::{self, Feed},
    smart_properties,
};
use iot_lifecycle::fleet::{ClientKey, HashedId};

fn main() {
    for (what, allocations, run) in [
        ("aia: seal", 0, aia::seal as fn(usize)),
        ("aia: open", 0, aia::open),
        ("aia: message out of order", 0, aia::resequence),
        ("lifecycle: decode", 0, lifecycle::decode),
        ("lifecycle: encode", 0, lifecycle::encode),
        ("lifecycle: serde_json from_str", 0, lifecycle::decode_plain),
        ("lifecycle: serde_json to_writer", 0, lifecycle::encode_plain),
        // User name and password.
        ("amqp: login", 2, amqp::login),
        ("amqp: sign", 0, amqp::sign),
        ("amqp: verify", 0, amqp::verify_received),
        ("kii: decode", 0, kii::decode),
        ("kii: encode", 1, kii::encode),
        ("smart: envelope and event", 10, smart_properties::decode),
        ("smart: two passes of serde_json", 9, smart_properties::decode_plain),
        ("smart: event alone", 2, smart_properties::decode_event),
    ] {
        let [few, many] = [1, 101].map(|times| measure(|| run(times)).count_total);
        println!("{what}: {} allocations in 100 operations", many - few);
        assert_eq!(many - few, 100 * allocations, "{what}");
    }
    let clients = if is_measuring() { 1_000_000 } else { 1_000 };
    bytes_per_client::<Box<str>>("kept ids", clients, 130.0);
    bytes_per_client::<HashedId>("hashed ids", clients, 90.0);
}

fn bytes_per_client<K: ClientKey>(keys: &str, clients: usize, figure: f64) {
    let feed = Feed::new(clients);
    let before = resident_bytes();
    let mut fleet = None;
    let heap = measure(|| fleet = Some(lifecycle::fleet::<K>(&feed)));
    // The system may have taken more back by then than the fleet needs.
    let grown = |(after, before): (u64, u64)| after.saturating_sub(before);
    let resident = resident_bytes().zip(before).map(grown);

    let live = heap.bytes_current as f64;
    let bytes = live / clients as f64;
    let peak = heap.bytes_max as f64 / live;
    let met = |met| if met { "met" } else { "MISSED" };
    println!("lifecycle: memory of {clients} clients, {keys}:");
    println!("  live heap  {bytes:6.1} bytes a client, at most {figure}: {}", met(bytes <= figure));
    println!("  peak heap  {peak:6.3} of live, at most 1.1: {}", met(peak <= 1.1));
    match resident {
        Some(resident) => {
            println!("  resident   {:6.1} bytes a client", resident as f64 / clients as f64);
        }
        None => println!("  resident   not known on this system"),
    }
    // Else the next fleet would live in the memory of this one, and the process would not grow.
    mem::forget(fleet);
}

/// The resident memory of this process, on Linux.
fn resident_bytes() -> Option<u64> {
    let pages = fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split(' ').nth(1)?.parse::<u64>().ok()? * 4096)
}
