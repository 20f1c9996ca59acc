//! Instants as status messages write them (specification, section 8.2).

use alloc::borrow::Cow;

use iot_sansio::UnixMillis;
use jiff::{
    RoundMode, Unit,
    civil::{DateTime, DateTimeRound},
    tz::Offset,
};

/// Reads `YYYY-MM-DD HH:MM:SS[.f]`, which is local time at this offset, or `YYYY-MM-DDTHH:MM:SS[.f]Z`.
///
/// `f` is 1 to 9 digits, truncated to milliseconds; blanks before the dot are dropped.
pub(super) fn parse(text: &str, local: Offset) -> Option<UnixMillis> {
    let (date_time, fraction) = text.split_at_checked(SHAPE.len())?;
    let (offset, fraction) = match date_time.as_bytes().get(SEPARATOR) {
        Some(b'T') => (Offset::UTC, fraction.strip_suffix('Z')?),
        _ => (local, fraction),
    };
    if !has_shape(date_time.as_bytes()) {
        return None;
    }
    let trimmed = fraction.trim_start_matches(' ');
    if !trimmed.is_empty() && !is_fraction(trimmed) {
        return None;
    }
    let text = match fraction.len() - trimmed.len() {
        0 => Cow::Borrowed(text.strip_suffix('Z').unwrap_or(text)),
        _ => Cow::Owned([date_time, trimmed].concat()),
    };
    let civil: DateTime = text.parse().ok()?;
    // Toward the past: the digits behind the milliseconds are cut off, before 1970 too.
    let to_millis = DateTimeRound::new().smallest(Unit::Millisecond).mode(RoundMode::Trunc);
    let timestamp = offset.to_timestamp(civil.round(to_millis).ok()?).ok()?;
    Some(UnixMillis::new(timestamp.as_millisecond()))
}

/// jiff reads more than the two formats.
fn has_shape(date_time: &[u8]) -> bool {
    date_time.iter().zip(SHAPE).enumerate().all(|(index, (byte, shape))| match shape {
        b'0' => byte.is_ascii_digit(),
        _ if index == SEPARATOR => matches!(byte, b' ' | b'T'),
        _ => byte == shape,
    })
}

fn is_fraction(text: &str) -> bool {
    text.strip_prefix('.').is_some_and(|digits| {
        (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

const SHAPE: &[u8] = b"0000-00-00 00:00:00";
const SEPARATOR: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn china(text: &str) -> Option<i64> {
        parse(text, Offset::constant(8)).map(UnixMillis::get)
    }

    #[test]
    fn both_formats_are_read_and_the_fraction_is_cut() {
        assert_eq!(china("2018-08-31 10:02:28.195"), Some(1_535_680_948_195));
        assert_eq!(china("2018-08-31T02:02:28.195Z"), Some(1_535_680_948_195));
        assert_eq!(china("2018-08-31 10:02:28  .195"), Some(1_535_680_948_195));
        assert_eq!(china("2018-08-31T02:02:28 .195Z"), Some(1_535_680_948_195));
        assert_eq!(china("2018-08-31 10:02:28"), Some(1_535_680_948_000));
        assert_eq!(china("2018-08-31T02:02:28Z"), Some(1_535_680_948_000));
        assert_eq!(china("2018-08-31 10:02:28.1"), Some(1_535_680_948_100));
        assert_eq!(china("2018-08-31 10:02:28.195999999"), Some(1_535_680_948_195));
        assert_eq!(china("1969-12-31T23:59:59.999999999Z"), Some(-1));
        assert_eq!(china("1970-01-01 07:59:59.0005"), Some(-1_000));
    }

    #[test]
    fn nothing_else_is() {
        for text in [
            "",
            "2018-08-31",
            "2018-08-31T10:02:28",
            "2018-08-31 10:02:28Z",
            "2018-08-31T02:02:28+00:00",
            "2018-08-31 10:02:28.",
            "2018-08-31 10:02:28.1234567890",
            "2018-08-31 10:02:28,195",
            "2018-08-31 10:02:28. 195",
            "2018-08-31 10:02:28.195 ",
            " 2018-08-31 10:02:28",
            "2018-8-31 10:02:28.195",
            "2018-02-30 10:02:28",
            "2018-08-31 24:00:00",
            "+018-08-31 10:02:28",
            "2018-08-31 10:02:28[Asia/Shanghai]",
            "2018-08-31 10:02:2\u{00e9}",
        ] {
            assert_eq!(china(text), None, "{text:?}");
        }
    }
}
