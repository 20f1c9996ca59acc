//! A lamp at Kii Cloud, on `rumqttc`: it onboards, uploads its state and does what it is told.
//!
//! Copy it into your project together with `src/mqtt_adapter.rs` and `src/tls.rs`. Stop it with Ctrl-C.
//!
//! The secrets come from the environment: `KII_APP_KEY` and `KII_THING_PASSWORD`. What onboarding told, secrets as
//! well, is kept in a file that nobody else may read. Its age tells how long ago that was: so the next run needs no
//! onboarding.

use std::{
    env,
    error::Error,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use clap::Parser;
use examples::{
    mqtt_adapter::{Adapter, Stepped},
    tls,
};
use kii_onboard::{
    App, DefaultBroker, Json, TransportKind, VendorThingId,
    call::Call,
    command::{Action, ActionResult, ActionResults, Actions, Command},
    onboarding::{Onboarded, ThingOnboarding},
    thing::{Config, Event, Thing},
};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::signal::ctrl_c;

/// A lamp at Kii Cloud, that onboards, uploads its state and does what it is told
#[derive(Parser)]
struct Arguments {
    /// Id of the application
    app: String,
    /// What its maker calls the lamp
    lamp: String,
    /// Where to keep what onboarding told
    #[arg(value_name = "ENDPOINT.json")]
    saved: PathBuf,
    /// Host of the default broker
    #[arg(long, default_value = "mqtt-jp.kii.com")]
    host: String,
    /// Port of the default broker, for TLS
    #[arg(long, default_value_t = 8883)]
    port: u16,
    /// Trust these certificates (PEM) and not the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    // The error of `env` itself would show what is not UTF-8.
    let key = env::var("KII_APP_KEY").map_err(|_| "set KII_APP_KEY")?;
    let password = env::var("KII_THING_PASSWORD").map_err(|_| "set KII_THING_PASSWORD")?;
    let app = App::new(&arguments.app, &key)?;
    let name = VendorThingId::new(arguments.lamp)?;
    let onboarding = ThingOnboarding::with_vendor_thing_id(name, password)?;
    let broker = DefaultBroker::new(arguments.host).with_port(TransportKind::Tls, arguments.port);
    let mut thing = Thing::new(Config::new(app, broker, onboarding), getrandom::u64()?)?;
    let mut adapter = Adapter::new().with_tls(tls::client(arguments.ca.as_deref())?);
    let mut lamp = Lamp { thing_id: String::new(), is_on: false };
    match load(&arguments.saved)? {
        Some((onboarded, age)) => {
            lamp.thing_id.clone_from(&onboarded.thing_id);
            thing.restore(adapter.now(), onboarded, age)?;
        }
        None => thing.start(adapter.now())?,
    }
    let mut events = Vec::new();
    let mut interrupted = pin!(ctrl_c());
    loop {
        tokio::select! {
            biased;
            _ = &mut interrupted => {
                thing.stop(adapter.now())?;
                interrupted.set(ctrl_c());
            }
            stepped = adapter.step(&mut thing, |event| events.push(event)) => match stepped {
                Ok(Stepped::Finished) => break,
                Ok(Stepped::Closed(_, Some(error))) => println!("no connection: {error}"),
                Ok(_) => {}
                Err(refused) => println!("refused: {refused}"),
            },
        }
        for event in events.drain(..) {
            let mut calls = Vec::new();
            match event {
                Event::Onboarded(onboarded) => {
                    println!("onboarded as {}", onboarded.thing_id);
                    save(&arguments.saved, &onboarded)?;
                    lamp.thing_id = onboarded.thing_id;
                }
                Event::Ready => calls.push(lamp.state()?),
                Event::Command(command) => calls.extend(lamp.run(&command)?),
                Event::Response(response) => match response.answer() {
                    Ok(answer) => println!("{:?}: {answer:?}", response.kind),
                    Err(error) => println!("{:?}: {error}", response.kind),
                },
                Event::Retrying(next) => println!("{}, again in {:.1?}", next.cause, next.delay),
                Event::Failed(reason) => return Err(reason.to_string().into()),
                other => println!("{other:?}"),
            }
            for call in calls {
                // The connection may be gone: the state is told again after the next one, these results are not.
                if let Err(error) = thing.call(adapter.now(), &call) {
                    println!("not called: {error}");
                }
            }
        }
    }
    tokio::select! {
        () = adapter.close() => {}
        // A dead peer delays that: the second time it ends at once.
        _ = &mut interrupted => {}
    }
    Ok(())
}

struct Lamp {
    /// What the cloud calls it.
    thing_id: String,
    is_on: bool,
}

impl Lamp {
    /// Does the actions in their order, and tells their results and the new state.
    fn run(&mut self, command: &Command) -> Result<[Call; 2], Box<dyn Error>> {
        let results: Vec<_> = match &command.actions {
            Actions::Plain(actions) => actions.iter().map(|action| self.act(action)).collect(),
            Actions::Trait(_) => {
                vec![ActionResult::failed("this lamp knows no traits"); command.actions.len()]
            }
        };
        let results = ActionResults::new(&command.actions, results)?;
        let report = Call::report_results(&self.thing_id, &command.id, &results)?;
        Ok([report, self.state()?])
    }

    fn act(&mut self, action: &Action) -> ActionResult {
        println!("{}: {}", action.name, action.value.as_str());
        let value: Value = action.value.as_str().parse().unwrap_or_default();
        let ("turnPower", Some(power)) = (action.name.as_str(), value["power"].as_bool()) else {
            return ActionResult::failed("this lamp cannot do that");
        };
        self.is_on = power;
        ActionResult::succeeded()
    }

    fn state(&self) -> Result<Call, Box<dyn Error>> {
        let state = Json::new(&json!({ "power": self.is_on }).to_string())?;
        Ok(Call::put_state(&self.thing_id, &state)?)
    }
}

/// Beside the file first, where nobody else may read it: what stands there is whole at any time.
fn save(file: &Path, onboarded: &Onboarded) -> Result<(), Box<dyn Error>> {
    let mut new = NamedTempFile::new_in(Path::new(".").join(file).parent().ok_or("no folder")?)?;
    new.write_all(&onboarded.encode())?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}

fn load(file: &Path) -> Result<Option<(Onboarded, Duration)>, Box<dyn Error>> {
    if !file.try_exists()? {
        return Ok(None);
    }
    // Of a clock that was set back nothing is known.
    let age = fs::metadata(file)?.modified()?.elapsed().unwrap_or_default();
    Ok(Some((Onboarded::decode(&fs::read(file)?)?, age)))
}
