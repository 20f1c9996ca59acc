//! Prints what an AMQP server-side subscription of Alibaba Cloud IoT Platform delivers, on `fe2o3-amqp`.
//!
//! Copy it into your project together with `src/tls.rs`, `src/amqp_adapter.rs` and its folder. Stop it with Ctrl-C.
//!
//! The AccessKey comes from the environment, as the vendor's tools name it: `ALIBABA_CLOUD_ACCESS_KEY_ID`,
//! `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and, for a temporary one, `ALIBABA_CLOUD_SECURITY_TOKEN`.

use std::{
    env::{self, VarError},
    error::Error,
    path::PathBuf,
    pin::pin,
    time::SystemTime,
};

use amqp_auth::{
    Consumer, Credential, Endpoint,
    message::Class,
    session::{Config, Event, Received, Session},
    status::{self, Change, StatusTracker},
};
use clap::Parser;
use examples::{
    amqp_adapter::{Adapter, Stepped},
    tls,
};
use iot_sansio::WallClock;
use tokio::signal::ctrl_c;

/// Prints what an AMQP server-side subscription of Alibaba Cloud IoT Platform delivers
#[derive(Parser)]
struct Arguments {
    /// Such as amqps://iot-060a0example.amqp.iothub.aliyuncs.com
    endpoint: Endpoint,
    /// Id of the consumer group
    group: String,
    /// Id of the instance, where the console shows one
    #[arg(long)]
    instance: Option<String>,
    /// Client id; each connection needs one of its own
    #[arg(long, default_value = "amqp-fe2o3")]
    client: String,
    /// Trust these certificates (PEM) and not the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let consumer = Consumer::new(arguments.client, arguments.group)?
        .with_instance_id(arguments.instance.unwrap_or_default())?;
    let mut adapter = Adapter::new(tls::client(arguments.ca.as_deref())?);
    let clock = WallClock::new(adapter.now(), SystemTime::now().into());
    let config = Config::new(arguments.endpoint, consumer);
    let mut session = Session::new(config, clock, getrandom::u64()?);
    let mut tracker = StatusTracker::new(status::Config::default());
    let mut events = Vec::new();
    let (mut interrupted, mut stopping) = (pin!(ctrl_c()), false);
    session.start(adapter.now())?;
    loop {
        tokio::select! {
            biased;
            _ = &mut interrupted => {
                if stopping {
                    break;
                }
                interrupted.set(ctrl_c());
                session.stop(adapter.now())?;
                stopping = true;
            }
            stepped = adapter.step(&mut session, |event| events.push(event)) => match stepped {
                Ok(Stepped::Finished) => break,
                Ok(Stepped::Closed(_, Some(error))) => println!("no connection: {error}"),
                Ok(_) => {}
                Err(refused) => println!("refused: {refused}"),
            },
        }
        for event in events.drain(..) {
            let now = adapter.now();
            match event {
                // For every attempt: a key that was changed is taken up, and the clock may have been set.
                Event::CredentialWanted(_) => {
                    session.set_wall_clock(now, SystemTime::now().into());
                    session.provide(now, credential()?)?;
                }
                Event::Message(received) => {
                    process(&received, &mut tracker);
                    // Only now. What is still in work when the session stops comes again.
                    if !stopping {
                        session.accept(now, received.id)?;
                    }
                }
                Event::Connected(_) => println!("connected"),
                Event::Disconnected(disconnected) => println!("{:?}", disconnected.cause),
                Event::RetryAt(retry) => println!("again in {:.1?}", retry.at.since(now)),
                other => println!("{other:?}"),
            }
        }
    }
    adapter.close().await;
    Ok(())
}

fn process(received: &Received, tracker: &mut StatusTracker) {
    let topic = received.message.topic();
    println!("{}: {} bytes", topic.class(), received.message.payload.len());
    if topic.class() != Class::DeviceStatus {
        return;
    }
    match tracker.apply(&received.message) {
        Ok(update) => {
            if let Change::Changed { to, .. } = update.change {
                println!("{} is {}", topic.device_name().unwrap_or_default(), to.as_str());
            }
        }
        Err(error) => println!("not applied: {error}"),
    }
}

fn credential() -> Result<Credential, Box<dyn Error>> {
    let needed = |name| variable(name)?.ok_or_else(|| format!("{name} is not set"));
    let id = needed("ALIBABA_CLOUD_ACCESS_KEY_ID")?;
    let secret = needed("ALIBABA_CLOUD_ACCESS_KEY_SECRET")?;
    Ok(match variable("ALIBABA_CLOUD_SECURITY_TOKEN")? {
        Some(token) => Credential::sts(id, secret, token, None),
        None => Credential::key(id, secret),
    })
}

/// Its own error would show what is not UTF-8.
fn variable(name: &str) -> Result<Option<String>, String> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!("{name} is not UTF-8")),
    }
}
