//! Redis: one script call an event, on one key a client.
//!
//! `EVALSHA` with the client's key as `KEYS[1]` and [`arguments`] as `ARGV[1]` to `ARGV[6]`; the answer is 1 when the
//! hash at the key was written, 0 when the event was stale or repeated. An optional seventh argument is for how many
//! milliseconds a client that went offline is kept; without it, for ever.
//!
//! Numbers are texts whose bytes sort as the numbers do, since a script's own lose 64-bit precision: 20 digits with
//! leading zeros, which any parser of decimals reads back, or `-` and 19 digits of the number plus 2⁶³ when negative.
//!
//! ```
//! use iot_lifecycle::{Head, HeadKind, Order, store::redis};
//! use iot_sansio::UnixMillis;
//!
//! let head = Head {
//!     kind: HeadKind::Connect, version: 4, session: None, timestamp: UnixMillis::new(1_573_002_230_757),
//! };
//! let [v, t, ..] = redis::arguments(&head, Order::default().theta());
//! assert_eq!((v.as_str(), t.as_str()), ("00000000000000000004", "00000001573002230757"));
//! assert!(redis::SCRIPT.contains("redis.call('HSET', KEYS[1]"));
//! ```

use alloc::{
    format,
    string::{String, ToString as _},
};
use core::time::Duration;

use super::Write;
use crate::Head;

/// Writes the head in `ARGV` to the hash at `KEYS[1]` if it is newer. It compares byte by byte itself, because the
/// operators of the language follow the locale of the server.
pub const SCRIPT: &str = "\
local v, t, k, s = unpack(redis.call('HMGET', KEYS[1], 'v', 't', 'k', 's'))
local new_v, new_t, new_k, new_s, hi, lo, keep = unpack(ARGV)

local function below(x, y)
  for i = 1, math.min(#x, #y) do
    local a, b = x:byte(i), y:byte(i)
    if a ~= b then return a < b end
  end
  return #x < #y
end

local newer
if not v then
  newer = true
elseif below(v, new_v) then
  newer = not below(hi, t)
elseif v ~= new_v then
  newer = below(t, lo)
elseif s == '' or new_s == '' then
  newer = below(t, lo) or (not below(hi, t) and below(k, new_k))
elseif s == new_s then
  newer = below(k, new_k)
elseif t ~= new_t then
  newer = below(t, new_t)
elseif k ~= new_k then
  newer = below(new_k, k)
else
  newer = below(s, new_s)
end
if not newer then return 0 end

redis.call('HSET', KEYS[1], 'v', new_v, 't', new_t, 'k', new_k, 's', new_s)
if keep and new_k == '1' then
  redis.call('PEXPIRE', KEYS[1], keep)
else
  redis.call('PERSIST', KEYS[1])
end
return 1";

/// `ARGV` of [`SCRIPT`] in order: version, timestamp, kind, session, timestamp plus Θ, timestamp minus Θ.
#[must_use]
pub fn arguments(head: &Head<'_>, theta: Duration) -> [String; 6] {
    let write = Write::new(head, theta);
    [
        sortable(write.version),
        sortable(write.timestamp),
        write.kind.to_string(),
        write.session,
        sortable(write.hi),
        sortable(write.lo),
    ]
}

/// A text of 20 bytes that sorts as the number does; `-` is below every digit.
fn sortable(number: i64) -> String {
    if number < 0 {
        format!("-{:019}", number.wrapping_sub(i64::MIN))
    } else {
        format!("{number:020}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_of_the_range_have_twenty_bytes() {
        assert_eq!(sortable(i64::MIN), "-0000000000000000000");
        assert_eq!(sortable(-1), "-9223372036854775807");
        assert_eq!(sortable(0), "00000000000000000000");
        assert_eq!(sortable(i64::MAX), "09223372036854775807");
    }

    proptest! {
        #[test]
        fn texts_sort_as_their_numbers_do(one: i64, two: i64) {
            prop_assert_eq!(sortable(one).cmp(&sortable(two)), one.cmp(&two));
        }
    }
}
