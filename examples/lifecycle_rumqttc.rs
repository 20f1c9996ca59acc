//! Prints who comes and goes, on `rumqttc`, and remembers it from one run to the next.
//!
//! Copy it into your project together with `src/mqtt_adapter.rs`. Stop it with Ctrl-C.
//!
//! It writes its snapshot every minute, unless the feed leaves it no pause, and when it is stopped. A crash takes back
//! what came since: the session that the broker keeps makes up only for what was not acknowledged yet, and the client
//! acknowledges by itself what it receives. Whoever is shown wrongly after that is so until the next event.

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{ErrorKind, Write as _},
    pin::pin,
    time::{Duration, SystemTime},
};

use examples::mqtt_adapter::{Adapter, Stepped};
use iot_lifecycle::fleet::{Config, Event, Fleet, HashKey};
use iot_sansio::{
    Backoff, Jitter, Machine as _, Output, WallClock,
    mqtt::{ConnectOptions, Link, Transport},
};
use tokio::{
    signal::ctrl_c,
    time::{Instant, sleep_until},
};

/// From one snapshot to the next.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [host, port, file] = &arguments[..] else {
        return Err("what is needed: HOST PORT SNAPSHOT.json".into());
    };
    // The broker keeps the session, and with it what happens while no connection is up.
    let options = ConnectOptions::new(host, port.parse()?, Transport::Tcp, "presence-tracker")
        .with_clean_session(false);
    let mut adapter = Adapter::new();
    let mut fleet = load(file, WallClock::new(adapter.now(), SystemTime::now().into()))?;
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), Jitter::Equal);
    let mut link = Link::new(1);
    let (mut reopen, mut stopping) = (Some(Instant::now()), false);
    let mut interrupted = pin!(ctrl_c());
    let mut save_at = Instant::now() + SAVE_INTERVAL;
    loop {
        tokio::select! {
            biased;
            _ = &mut interrupted => {
                if stopping || reopen.is_some() {
                    break;
                }
                interrupted.set(ctrl_c());
                adapter.disconnect(link);
                stopping = true;
            }
            // Not a sleep below: meanwhile the fleet's own waits go on.
            () = sleep_until(reopen.unwrap_or_else(Instant::now)), if reopen.is_some() => {
                reopen = None;
                adapter.open(link, &options);
            }
            stepped = adapter.step(&mut fleet, |event| {
                if matches!(event, Event::Subscribed { .. }) {
                    backoff.reset();
                }
                print(event);
            }) => match stepped {
                Ok(Stepped::Closed(..)) if stopping => break,
                Ok(Stepped::Closed(closed, _)) => {
                    let wait = backoff.next(getrandom::u64()?);
                    println!("no connection ({:?}), again in {wait:.1?}", closed.reason);
                    reopen = Some(Instant::now() + wait);
                    link = link.next();
                }
                Ok(_) => {}
                Err(refused) => println!("refused: {refused}"),
            },
            // After the step: once that one waits, the fleet is drained.
            () = sleep_until(save_at) => {
                if let Err(error) = save(file, &fleet) {
                    println!("not saved: {error}");
                }
                save_at = Instant::now() + SAVE_INTERVAL;
            }
        }
    }
    while let Output::Event(event) = fleet.poll_output() {
        print(event);
    }
    save(file, &fleet)
}

/// Beside the file first: what stands there is whole at any time.
fn save(file: &str, fleet: &Fleet<Box<str>>) -> Result<(), Box<dyn Error>> {
    let new = format!("{file}.new");
    let mut writer = File::create(&new)?;
    writer.write_all(&serde_json::to_vec(&fleet.snapshot())?)?;
    writer.sync_all()?;
    Ok(fs::rename(new, file)?)
}

fn load(file: &str, clock: WallClock) -> Result<Fleet<Box<str>>, Box<dyn Error>> {
    let mut hash_key = [0; 16];
    getrandom::fill(&mut hash_key)?;
    let (config, hash_key) = (Config::default(), HashKey::new(hash_key));
    match fs::read(file) {
        Ok(bytes) => Ok(Fleet::restore(serde_json::from_slice(&bytes)?, config, hash_key, clock)?),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Ok(Fleet::new(config, hash_key, clock))
        }
        Err(error) => Err(error.into()),
    }
}

fn print(event: Event<Box<str>>) {
    match event {
        Event::Presence(update) => {
            if let Some(transition) = update.step.transition {
                println!("{} is {}", update.client, transition.to);
            }
        }
        other => println!("{other:?}"),
    }
}
