//! SASL PLAIN, as bytes: for stacks and gateways that want them (specification, section 5).

/// The length of a sasl-init frame with a user name and a password of these lengths, in bytes.
#[must_use]
pub const fn init_len(user_name: usize, password: usize) -> usize {
    let response = user_name + password + 2;
    let items = MECHANISM_LEN + response + if response <= 255 { 2 } else { 5 };
    let list_header = if items < 255 { 3 } else { 9 };
    FRAME_HEADER_LEN + DESCRIPTOR_LEN + list_header + items
}

/// The longest frame that every AMQP stack takes before `open`, in bytes (AMQP 1.0, 2.4.1).
pub const MIN_MAX_FRAME_SIZE: usize = 512;

/// Size, data offset, type and channel.
const FRAME_HEADER_LEN: usize = 8;
/// `00 53` and the code of the performative.
const DESCRIPTOR_LEN: usize = 3;
/// `PLAIN` as a symbol.
const MECHANISM_LEN: usize = 7;
