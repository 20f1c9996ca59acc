//! Logins and messages against AMQP programs that nobody here wrote, on either side of the connection.

mod attempt;
mod client;
mod foreign_clients;
mod rabbitmq;
mod rhea_server;
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
const INSTANCE: &str = "iot-060a0example";
const KEY_ID: &str = "LTAI5tEXAMPLEKEY00000001";
const KEY_SECRET: &str = "ExampleSecretKey00000000000001";
const STS_ID: &str = "STS.EXAMPLEKEY00000002";
const STS_SECRET: &str = "ExampleSecretKey00000000000002";
/// With what careless code would change, and as long as tokens are: SASL frames of 512 bytes do not hold it.
const STS_TOKEN: &str = concat!(
    "CAIS+Example/Token+of+the+usual+length/",
    "00+EXAMPLE/Token/Example+01+EXAMPLE/Token/Example+02+EXAMPLE/Token/Example+03+EXAMPLE/Token/Example+",
    "04+EXAMPLE/Token/Example+05+EXAMPLE/Token/Example+06+EXAMPLE/Token/Example+07+EXAMPLE/Token/Example+",
    "08+EXAMPLE/Token/Example+09+EXAMPLE/Token/Example+10+EXAMPLE/Token/Example+11+EXAMPLE/Token/Example+",
    "12+EXAMPLE/Token/Example+13+EXAMPLE/Token/Example+14+EXAMPLE/Token/Example+15+EXAMPLE/Token/Example+",
    "16+EXAMPLE/Token/Example+17+EXAMPLE/Token/Example+18+EXAMPLE/Token/Example+19+EXAMPLE/Token/Example+",
    "20+EXAMPLE/Token/Example+21+EXAMPLE/Token/Example+22+EXAMPLE/Token/Example+23+EXAMPLE/Token/Example+",
    "==",
);
const UNKNOWN_ID: &str = "LTAI5tEXAMPLEKEY00000009";
