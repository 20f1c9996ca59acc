//! `amqp-auth`, the platform's side.

use alloc::{boxed::Box, format};
use core::{error::Error, time::Duration};

use amqp_auth::{
    Consumer, Credential, Policy, SignMethod, Signer,
    platform::{
        Account, Config, Event, MessageId, MessageIdForm, Platform, Push,
        server::{
            Action, Attached, Closed, Connected, Credit, Detached, Input, Opened, Role, SaslInit,
            Settled,
        },
    },
};
use iot_sansio::{
    Machine as _, MonoTime, Output, UnixMillis, WallClock,
    amqp::{Connection, DeliveryId, Outcome, SaslCode, Transport, Value},
};

const NOW: MonoTime = MonoTime::ORIGIN;
const START: UnixMillis = UnixMillis::new(1_700_000_000_000);
const ONE: Connection = Connection::new(1);

pub(crate) fn logins() -> Result<(), Box<dyn Error>> {
    let mut platform = platform();
    let consumer = Consumer::new("client-01", "G")?;
    let credential = Credential::key("LTAI5tEXAMPLEKEY00000001", "secret");
    let login = Signer::new(&consumer, &credential, SignMethod::HmacSha256)?.login(START)?;
    let (user_name, password) = (login.user_name().as_bytes(), login.password().as_bytes());
    let inputs: [Input<'_>; 8] = [
        Connected::new(ONE, Transport::Tls).into(),
        SaslInit::new(ONE, user_name, password).into(),
        Opened::new(ONE, Some(Duration::from_secs(60))).into(),
        Attached::new(ONE, 1, Role::Receiver).into(),
        Credit::new(ONE, 10).into(),
        Settled::new(DeliveryId::new(ONE, 1), Outcome::Accepted).into(),
        Detached::new(ONE, 1).into(),
        Closed::new(ONE).into(),
    ];
    for input in inputs {
        let _ = format!("{input:?}");
        platform.handle_input(NOW, input)?;
        drain(&mut platform);
    }
    Ok(())
}

pub(crate) fn messages() -> Result<(), Box<dyn Error>> {
    let mut platform = platform();
    let push = Push::new("/a/b/user/c", b"body")
        .with_generate_time(START.get())
        .with_qos(1)
        .with_property("k", Value::Boolean(true));
    let _ = format!("{push:?}");
    let id = platform.push(NOW, "G", push)?;
    platform.duplicate(NOW, id)?;
    let _ = (format!("{id}"), MessageId::new(id.get()) == id, platform.pending().len());
    platform.handle_timeout(MonoTime::MAX);
    drain(&mut platform);
    Ok(())
}

pub(crate) fn faults() -> Result<(), Box<dyn Error>> {
    let mut platform = platform();
    platform.set_wall_clock(NOW, START);
    platform.refuse_logins(NOW, 1, SaslCode::SYS_TEMP)?;
    platform.lose_settlements(NOW, 1)?;
    platform.stall(NOW, true)?;
    platform.abort(NOW, ONE)?;
    platform.close(NOW, ONE, "amqp:connection:forced", "")?;
    platform.abort_all(NOW)?;
    platform.close_all(NOW, "amqp:connection:forced", "")?;
    let _ = (platform.connections(), platform.is_finished());
    Ok(())
}

fn platform() -> Platform {
    let temporary = Account::new("STS.EXAMPLEKEY0000000000002", "secret")
        .with_security_token("token", START)
        .with_instance_id("iot-060a0example");
    let config = Config::default()
        .with_policy(Policy::strict())
        .with_account(Account::new("LTAI5tEXAMPLEKEY00000001", "secret").with_group("G"))
        .with_account(temporary)
        .with_auth_timeout(Duration::from_secs(15))
        .with_link_timeout(Duration::from_secs(15))
        .with_idle_timeout(Duration::from_secs(60))
        .with_ack_timeout(Duration::from_secs(30))
        .with_retry_interval(Duration::from_secs(60))
        .with_retention(Duration::from_secs(86_400))
        .with_message_id_form(MessageIdForm::Long)
        .with_max_logins_per_minute(100)
        .with_max_connections(10)
        .with_max_messages(10)
        .with_max_message_size(1_024)
        .with_max_queued(10)
        .with_seed(7);
    Platform::new(config, WallClock::new(NOW, START))
}

fn drain(platform: &mut Platform) {
    loop {
        let told = match platform.poll_output() {
            Output::Action(Action::Deliver(deliver)) => format!("{:?}", deliver.message),
            Output::Action(action) => format!("{:?}", action.connection()),
            Output::Event(Event::Disconnected { reason, .. }) => format!("{reason}"),
            Output::Event(event) => format!("{event:?}"),
            Output::Idle(_) => return,
        };
        let _ = told;
    }
}
