//! Logins and messages against AMQP programs that nobody here wrote, on either side of the connection.

mod attempt;
mod client;
mod rabbitmq;
mod verifier;

use std::time::Duration;

use iot_sansio::UnixMillis;

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(60);

/// Messages in each test; their bodies are their numbers.
const MESSAGES: usize = 5;
const TOPIC: &str = "/pk1/dn1/user/update";
const GENERATE_TIME: UnixMillis = UnixMillis::new(1_700_000_000_000);

fn message_id(number: usize) -> String {
    format!("135112345678901234{number}")
}

const GROUP: &str = "DEFAULT_GROUP";
const KEY_ID: &str = "LTAI5tEXAMPLEKEY00000001";
const KEY_SECRET: &str = "ExampleSecretKey00000000000001";
const STS_ID: &str = "STS.EXAMPLEKEY00000002";
const STS_SECRET: &str = "ExampleSecretKey00000000000002";
/// With what careless code would change. Short, as `fe2o3-amqp` has SASL frames of 512 bytes.
const STS_TOKEN: &str = "CAIS+Example/Token==";
const UNKNOWN_ID: &str = "LTAI5tEXAMPLEKEY00000009";
