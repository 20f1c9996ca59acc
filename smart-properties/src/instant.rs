//! Points in time as messages write them (specification sections 2.2 and 3).

#[cfg(feature = "sim")]
use alloc::string::String;
use core::time::Duration;

use iot_sansio::UnixMillis;
use jiff::Timestamp;

/// A point in time out of a message, to the nanosecond.
///
/// ```
/// use smart_properties::Instant;
///
/// let event = Instant::parse("2024-05-01T12:00:00+02:00");
/// assert_eq!(event, Instant::parse("2024-05-01T10:00:00Z"));
/// assert!(event < Instant::parse("2024-05-01T10:00:00.001Z"));
/// assert_eq!(Instant::parse("yesterday"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    nanos: i128,
}

impl Instant {
    /// Reads a date and time of RFC 3339: `YYYY-MM-DDThh:mm:ss`, any number of digits of a fraction, of which nine
    /// count, and `Z` or an offset of less than a day. A second of 60, a leap one, is the one before it. None for
    /// anything else, among it days that no calendar has, and for the last two days of the year 9999.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date_time, rest) = text.split_at_checked(SHAPE.len())?;
        let digits = match rest.strip_prefix('.') {
            Some(fraction) => fraction.bytes().take_while(u8::is_ascii_digit).count(),
            None => 0,
        };
        if !has_shape(date_time, SHAPE) {
            return None;
        }
        let (fraction, offset) = rest.split_at(if digits == 0 { 0 } else { digits + 1 });
        // jiff would take an hour of 24 and 25, too.
        let is_offset =
            has_shape(offset, OFFSET) && offset.get(1..3).is_some_and(|hour| hour < "24");
        if !matches!(offset, "Z" | "z") && !is_offset {
            return None;
        }
        let kept = fraction.get(..=MAX_DIGITS).unwrap_or(fraction);
        let timestamp: Timestamp = if kept.len() == fraction.len() {
            text.parse().ok()?
        } else {
            [date_time, kept, offset].concat().parse().ok()?
        };
        Some(Self { nanos: timestamp.as_nanosecond() })
    }

    /// The moment in whole milliseconds, rounded toward the past.
    #[must_use]
    pub fn unix_millis(self) -> UnixMillis {
        let millis = self.nanos.div_euclid(NANOS_PER_MILLI);
        UnixMillis::new(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    /// The moment this much earlier.
    pub(crate) const fn before(self, span: Duration) -> Self {
        #[expect(clippy::cast_possible_wrap, reason = "a span has less than 2^94 ns")]
        let nanos = span.as_nanos() as i128;
        Self { nanos: self.nanos.saturating_sub(nanos) }
    }
}

impl From<UnixMillis> for Instant {
    fn from(at: UnixMillis) -> Self {
        Self { nanos: i128::from(at.get()) * NANOS_PER_MILLI }
    }
}

/// As SNS writes it: `YYYY-MM-DDThh:mm:ss.sssZ`. None for years that do not have four digits.
#[cfg(feature = "sim")]
pub(crate) fn to_text(at: UnixMillis) -> Option<String> {
    let timestamp = Timestamp::from_millisecond(at.get()).ok()?;
    let text = alloc::format!("{timestamp:.3}");
    has_shape(text.get(..SHAPE.len())?, SHAPE).then_some(text)
}

/// jiff reads more than RFC 3339.
fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(byte, shape): (u8, u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't'),
        b'+' => matches!(byte, b'+' | b'-'),
        _ => byte == shape,
    };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

const SHAPE: &str = "0000-00-00T00:00:00";
const OFFSET: &str = "+00:00";
const MAX_DIGITS: usize = 9;
const NANOS_PER_MILLI: i128 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> Option<i128> {
        Instant::parse(text).map(|instant| instant.nanos)
    }

    #[test]
    fn the_forms_of_rfc_3339_are_read() {
        const SECOND: i128 = 1_714_557_600_000_000_000;
        assert_eq!(nanos("2024-05-01T10:00:00Z"), Some(SECOND));
        assert_eq!(nanos("2024-05-01t10:00:00z"), Some(SECOND));
        assert_eq!(nanos("2024-05-01T12:00:00.5+02:00"), Some(SECOND + 500_000_000));
        assert_eq!(nanos("2024-05-01T09:30:00-00:30"), Some(SECOND));
        assert_eq!(nanos("2024-05-01T10:00:00-00:00"), Some(SECOND));
        assert_eq!(nanos("2024-05-02T09:59:00+23:59"), Some(SECOND));
        assert_eq!(nanos("2016-12-31T23:59:60Z"), nanos("2016-12-31T23:59:59Z"));
        assert!(nanos("9999-12-30T21:59:59Z").is_some() && nanos("0000-01-01T00:00:00Z").is_some());
        assert_eq!(nanos("2024-05-01T10:00:00.123456789999999Z"), Some(SECOND + 123_456_789));
        assert_eq!(nanos("1969-12-31T23:59:59.9995Z"), Some(-500_000));
        let early = Instant::parse("1969-12-31T23:59:59.9995Z").unwrap();
        assert_eq!(early.unix_millis(), UnixMillis::new(-1));
    }

    #[test]
    fn nothing_else_is() {
        for text in [
            "",
            "yesterday",
            "2024-05-01",
            "2024-05-01T10:00:00",
            "2024-05-01 10:00:00Z",
            "2024-05-01T10:00:00.Z",
            "2024-05-01T10:00:00,5Z",
            "2024-05-01T10:00:00+0200",
            "2024-05-01T10:00:00+02",
            "2024-05-01T10:00:00+24:00",
            "2024-05-01T10:00:00-25:30",
            "2024-05-01T10:00:00+10:60",
            "2024-05-01T10:00:00Z[UTC]",
            "2024-02-30T10:00:00Z",
            "2024-05-01T24:00:00Z",
            "2024-05-01T10:00:61Z",
            "9999-12-31T00:00:00Z",
            "+002024-05-01T10:00:00Z",
            "2024-05-01T10:00:0\u{e9}Z",
            " 2024-05-01T10:00:00Z",
        ] {
            assert_eq!(nanos(text), None, "{text:?}");
        }
    }
}
