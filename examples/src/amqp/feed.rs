//! Status messages of many devices, in no order, with a truth to compare with.

use std::collections::BTreeMap;

use amqp_auth::{platform::Push, status::Status};
use fastrand::Rng;
use iot_sansio::UnixMillis;
use jiff::{Timestamp, civil::DateTime, tz::Offset};
use serde_json::json;

/// The product of all devices here.
pub const PRODUCT_KEY: &str = "a1Example01";
/// The device of the vendor's example.
pub const EXAMPLE_DEVICE: &str = "meter-7";

/// What many devices did, as it is pushed: shuffled, and some of it twice under different ids.
pub struct Feed {
    /// In the order of the pushes.
    pub messages: Vec<Push>,
    /// How many of them say what another one says.
    pub repeated: usize,
    truth: BTreeMap<String, Status>,
}

impl Feed {
    /// The same seed makes the same feed.
    ///
    /// # Errors
    /// Never: its times are ones of our days.
    pub fn new(seed: u64, devices: usize) -> Result<Self, jiff::Error> {
        let mut rng = Rng::with_seed(seed);
        let (mut messages, mut truth) = (Vec::new(), BTreeMap::new());
        for number in 1..=devices {
            let device = format!("meter-{number:04}");
            let mut at = BEGIN + rng.i64(0..SECONDS_APART * 1_000);
            let mut status = Status::Online;
            for _ in 0..rng.usize(MESSAGES) {
                messages.push(push(&device, UnixMillis::new(at), status)?);
                truth.insert(device.clone(), status);
                at += rng.i64(1..SECONDS_APART * 1_000);
                status = opposite(status);
            }
        }
        let repeated: Vec<_> = messages.iter().filter(|_| rng.u8(..10) == 0).cloned().collect();
        let count = repeated.len();
        messages.extend(repeated);
        rng.shuffle(&mut messages);
        Ok(Self { messages, repeated: count, truth })
    }

    /// How many devices there are.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.truth.len()
    }

    /// How many devices somebody is wrong about.
    pub fn errors(&self, status: impl Fn(&str) -> Option<Status>) -> usize {
        self.truth.iter().filter(|(device, truth)| status(device) != Some(**truth)).count()
    }
}

/// The example of the vendor's documentation, in the order in which it is received.
///
/// # Errors
/// Never: its times are ones of our days.
pub fn out_of_order() -> Result<[Push; 3], jiff::Error> {
    let online = UnixMillis::new(1_535_680_948_195); // 10:02:28.195 in China
    let minute = std::time::Duration::from_secs(60);
    Ok([
        push(EXAMPLE_DEVICE, online, Status::Online)?,
        push(EXAMPLE_DEVICE, online.before(minute), Status::Offline)?,
        push(EXAMPLE_DEVICE, online.after(minute), Status::Offline)?,
    ])
}

/// A status message as the platform writes it.
fn push(device: &str, at: UnixMillis, status: Status) -> Result<Push, jiff::Error> {
    let utc = Timestamp::from_millisecond(at.get())?;
    let body = json!({
        "status": status.as_str(),
        "iotId": format!("iot-id-of-{device}"),
        "productKey": PRODUCT_KEY,
        "deviceName": device,
        "time": in_china(at)?.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string(),
        "utcTime": utc.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        "clientIp": "192.0.2.7",
    });
    let topic = format!("/as/mqtt/status/{PRODUCT_KEY}/{device}");
    Ok(Push::new(topic, body.to_string()).with_qos(1))
}

/// The time of day where the platform is, as its messages write it.
///
/// # Errors
/// The year is not one of four digits.
pub fn local_time(at: UnixMillis) -> Result<String, jiff::Error> {
    Ok(in_china(at)?.strftime("%H:%M:%S.%3f").to_string())
}

fn in_china(at: UnixMillis) -> Result<DateTime, jiff::Error> {
    Ok(Offset::from_seconds(CHINA)?.to_datetime(Timestamp::from_millisecond(at.get())?))
}

fn opposite(status: Status) -> Status {
    match status {
        Status::Online => Status::Offline,
        Status::Offline => Status::Online,
    }
}

/// In milliseconds since the Unix epoch.
const BEGIN: i64 = 1_700_000_000_000;
const SECONDS_APART: i64 = 3_600;
/// Of one device.
const MESSAGES: std::ops::RangeInclusive<usize> = 1..=7;
/// East of UTC, in seconds.
const CHINA: i32 = 8 * 60 * 60;
