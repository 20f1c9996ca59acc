//! What the tests of the platform share: its accounts, and logins for them.

use amqp_auth::{
    Consumer, Credential, Login, SignMethod, Signer,
    platform::{Account, Config},
};
use iot_sansio::{MonoTime, UnixMillis, WallClock};

pub(crate) const START: UnixMillis = UnixMillis::new(1_573_489_088_171);
pub(crate) const CLOCK: WallClock = WallClock::new(MonoTime::ORIGIN, START);

pub(crate) const KEY: &str = "LTAI5tEXAMPLEKEY00000001";
pub(crate) const TEMPORARY_KEY: &str = "STS.EXAMPLEKEY0000000000002";
/// Nothing may print them.
pub(crate) const SECRET: &str = "canary-secret-01";
pub(crate) const TEMPORARY_SECRET: &str = "canary-secret-02";
pub(crate) const TOKEN: &str = "canary-token-003";

pub(crate) const INSTANCE: &str = "iot-060a0example";
/// When the token expires, in milliseconds after the start.
pub(crate) const TOKEN_LIFE: i64 = 3_600_000;

/// A platform with a key for the groups G and H, and a temporary one for the group S in an instance.
pub(crate) fn config() -> Config {
    let expiry = UnixMillis::new(START.get() + TOKEN_LIFE);
    let temporary = Account::new(TEMPORARY_KEY, TEMPORARY_SECRET)
        .with_security_token(TOKEN, expiry)
        .with_group("S")
        .with_instance_id(INSTANCE);
    Config::default()
        .with_account(Account::new(KEY, SECRET).with_group("G").with_group("H"))
        .with_account(temporary)
        .with_seed(7)
}

/// A login with the key, `millis` after the start.
pub(crate) fn login(group: &str, millis: i64) -> Login {
    signed(&Consumer::new("client-01", group).unwrap(), &Credential::key(KEY, SECRET), millis)
}

/// A login with the temporary key and this token.
pub(crate) fn temporary_login(token: &str, millis: i64) -> Login {
    let consumer = Consumer::new("client-02", "S").unwrap().with_instance_id(INSTANCE).unwrap();
    let credential = Credential::sts(TEMPORARY_KEY, TEMPORARY_SECRET, token, None);
    signed(&consumer, &credential, millis)
}

pub(crate) fn signed(consumer: &Consumer, credential: &Credential, millis: i64) -> Login {
    let signer = Signer::new(consumer, credential, SignMethod::HmacSha256).unwrap();
    signer.login(UnixMillis::new(START.get() + millis)).unwrap()
}
