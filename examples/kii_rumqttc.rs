//! A lamp at Kii Cloud, on `rumqttc`: it onboards, uploads its state and does what it is told.
//!
//! Copy it into your project together with `src/mqtt_adapter.rs`. Stop it with Ctrl-C.
//!
//! The secrets come from the environment: `KII_APP_KEY` and `KII_THING_PASSWORD`. What onboarding told, secrets as
//! well, is kept in a file, whose age tells how long ago that was: so the next run needs no onboarding.

use std::{
    env::{self, VarError},
    error::Error,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use examples::mqtt_adapter::{Adapter, Stepped};
use kii_onboard::{
    App, DefaultBroker, Json, TransportKind, VendorThingId,
    call::Call,
    command::{Action, ActionResult, ActionResults, Actions, Command},
    onboarding::{Onboarded, ThingOnboarding},
    thing::{Config, Event, Thing},
};
use tokio::signal::ctrl_c;
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

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
    let app = App::new(&arguments.app, &variable("KII_APP_KEY")?)?;
    let lamp = VendorThingId::new(arguments.lamp)?;
    let password = variable("KII_THING_PASSWORD")?;
    let onboarding = ThingOnboarding::with_vendor_thing_id(lamp, password)?;
    let broker = DefaultBroker::new(arguments.host).with_port(TransportKind::Tls, arguments.port);
    let mut thing = Thing::new(Config::new(app, broker, onboarding), getrandom::u64()?)?;
    let mut adapter = Adapter::new().with_tls(Arc::new(tls(arguments.ca)?));
    let mut lamp = Lamp { thing_id: String::new(), is_on: false };
    match load(&arguments.saved)? {
        Some((onboarded, age)) => {
            lamp.thing_id.clone_from(&onboarded.thing_id);
            thing.restore(adapter.now(), onboarded, age)?;
        }
        None => thing.start(adapter.now())?,
    }
    let mut events = Vec::new();
    let (mut is_stopping, mut is_over) = (false, false);
    while !is_over {
        tokio::select! {
            biased;
            _ = ctrl_c() => {
                if is_stopping {
                    break;
                }
                thing.stop(adapter.now())?;
                is_stopping = true;
            }
            stepped = adapter.step(&mut thing, |event| events.push(event)) => match stepped {
                // What it said last comes below.
                Ok(Stepped::Finished) => is_over = true,
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
    adapter.close().await;
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
        let results = match &command.actions {
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
        let value: serde_json::Value = action.value.as_str().parse().unwrap_or_default();
        match (action.name.as_str(), value["power"].as_bool()) {
            ("turnPower", Some(power)) => {
                self.is_on = power;
                ActionResult::succeeded()
            }
            _ => ActionResult::failed("this lamp cannot do that"),
        }
    }

    fn state(&self) -> Result<Call, Box<dyn Error>> {
        let state = Json::new(&serde_json::json!({ "power": self.is_on }).to_string())?;
        Ok(Call::put_state(&self.thing_id, &state)?)
    }
}

/// Beside the file first: what stands there is whole at any time. Nobody else may read it.
fn save(file: &PathBuf, onboarded: &Onboarded) -> Result<(), Box<dyn Error>> {
    let new = file.with_extension("new");
    let mut options = OpenOptions::new();
    let mut writer = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    writer.write_all(&onboarded.encode())?;
    writer.sync_all()?;
    Ok(fs::rename(new, file)?)
}

fn load(file: &PathBuf) -> Result<Option<(Onboarded, Duration)>, Box<dyn Error>> {
    match fs::read(file) {
        Ok(bytes) => {
            // Of a clock that was set back nothing is known.
            let age = fs::metadata(file)?.modified()?.elapsed().unwrap_or_default();
            Ok(Some((Onboarded::decode(&bytes)?, age)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Its own error would show what is not UTF-8.
fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| match error {
        VarError::NotPresent => format!("{name} is not set"),
        VarError::NotUnicode(_) => format!("{name} is not UTF-8"),
    })
}

fn tls(ca: Option<PathBuf>) -> Result<ClientConfig, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(file) => {
            for certificate in CertificateDer::pem_file_iter(file)? {
                roots.add(certificate?)?;
            }
        }
        None => {
            // One that cannot be read is no reason to do without the others.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
