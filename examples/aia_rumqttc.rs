//! A loudspeaker on AWS IoT that Alexa controls, on `rumqttc`: it registers, connects and does what it is told.
//!
//! Copy it into your project together with `src/mqtt_adapter.rs` and `src/tls.rs`. Stop it with Ctrl-C.
//!
//! A registration is an HTTP request, for which any client will do: the program writes its body beside the
//! registration, says what to run, and reads the answer. The token comes from the environment: `LWA_REFRESH_TOKEN`.
//! What must outlive a restart, secrets as well, is kept in a file that nobody else may read.

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write as _, stdin},
    path::{Path, PathBuf},
    pin::pin,
    thread,
    time::Duration,
};

use aia_proto::{
    ApiVersion, ClientId, Json,
    device::{Capabilities, Config, Device, Event, HttpRequest},
    registration::{Authentication, Registration},
};
use clap::Parser;
use examples::{
    mqtt_adapter::{Adapter, Stepped},
    tls,
};
use iot_sansio::{
    Backoff, Jitter, MonoTime, Secret,
    mqtt::{ConnectOptions, Link, Transport},
};
use tempfile::NamedTempFile;
use tokio::{
    signal::ctrl_c,
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// A loudspeaker on AWS IoT that Alexa controls
#[derive(Parser)]
struct Arguments {
    /// Id of the AWS account
    account: String,
    /// Client id of the loudspeaker
    client_id: String,
    /// Data endpoint of the account
    endpoint: String,
    /// Client id of the product at Login with Amazon
    lwa_client_id: String,
    /// Where to keep the registration
    #[arg(value_name = "REGISTRATION.json")]
    saved: PathBuf,
    /// Certificate of the loudspeaker and its private key (PEM)
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// Trust these certificates (PEM) and not the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Port of the endpoint
    #[arg(long, default_value_t = 8883)]
    port: u16,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let (host, client_id) = (&arguments.endpoint, ClientId::new(&arguments.client_id)?);
    let options = ConnectOptions::new(host, arguments.port, Transport::Tls, client_id.as_str());
    let capabilities = Capabilities::new(Json::new(CAPABILITIES)?)?;
    let config = Config::new(&arguments.account, client_id, host, capabilities);
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let mut device = Device::new(config, load(&arguments.saved)?, seed);
    let mut adapter = Adapter::new()
        .with_tls(tls::client_with_identity(arguments.ca.as_deref(), &arguments.identity)?);
    if device.registration().is_none() {
        register(&mut device, adapter.now(), &arguments.lwa_client_id)?;
    }
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), Jitter::Equal);
    let (mut link, mut reopen) = (Link::new(1), Some(Instant::now()));
    let (teller, mut answers) = mpsc::channel(1);
    let mut events = Vec::new();
    let mut interrupted = pin!(ctrl_c());
    loop {
        let mut saved = Ok(());
        tokio::select! {
            biased;
            _ = &mut interrupted => {
                device.disconnect(adapter.now())?;
                interrupted.set(ctrl_c());
            }
            () = sleep_until(reopen.unwrap_or_else(Instant::now)), if reopen.is_some() => {
                reopen = None;
                adapter.open(link, &options);
            }
            Some(answer) = answers.recv() => {
                let (body, status): (String, String) = answer?;
                let status = status.trim().parse()?;
                device.registration_answered(adapter.now(), status, body.as_bytes())?;
                // It holds the token.
                fs::remove_file(request_file(&arguments.saved))?;
            }
            stepped = adapter.step(&mut device, |event| match event {
                // Here, since what depends on it is sent next.
                Event::Save(it) => saved = save(&arguments.saved, &it.encode()),
                other => events.push(other),
            }) => match stepped {
                Ok(Stepped::Closed(closed, _)) => {
                    let wait = backoff.next(getrandom::u64()?);
                    println!("no connection ({:?}), again in {wait:.1?}", closed.reason);
                    (link, reopen) = (link.next(), Some(Instant::now() + wait));
                }
                Ok(Stepped::Finished) => break,
                Ok(_) => {}
                Err(refused) => println!("refused: {refused}"),
            },
        }
        saved?;
        for event in events.drain(..) {
            match event {
                Event::RegistrationWanted(request) => {
                    ask(&arguments.saved, &request)?;
                    let teller = teller.clone();
                    // Nothing waits for it at the end.
                    thread::spawn(move || teller.blocking_send(read_answer()));
                }
                Event::RegistrationRejected(error) => return Err(error.to_string().into()),
                Event::Connected => {
                    println!("connected");
                    backoff.reset();
                }
                Event::Directive(directive) => {
                    println!("{}", directive.name);
                    if directive.name == "SetVolume" {
                        let volume = directive.payload.as_ref();
                        // The connection may be gone since.
                        if let Err(error) =
                            device.send_event(adapter.now(), "VolumeChanged", volume)
                        {
                            println!("not told: {error}");
                        }
                    }
                }
                Event::Disconnected(disconnected) => println!("{}", disconnected.cause),
                Event::Blocked(blocked) => return Err(blocked.to_string().into()),
                Event::RegistrationNeeded(need) => {
                    println!("{need}");
                    register(&mut device, adapter.now(), &arguments.lwa_client_id)?;
                }
                other => println!("{other:?}"),
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

fn register(device: &mut Device, now: MonoTime, lwa: &str) -> Result<(), Box<dyn Error>> {
    // The error of `env` itself would show what is not UTF-8.
    let token = env::var("LWA_REFRESH_TOKEN").map_err(|_| "set LWA_REFRESH_TOKEN")?;
    Ok(device.register(now, Authentication::new(token, lwa), ApiVersion::V1)?)
}

/// Says how to make the request. Its body holds the token, so it is not printed.
fn ask(saved: &Path, request: &HttpRequest) -> Result<(), Box<dyn Error>> {
    let file = request_file(saved);
    save(&file, &request.body)?;
    println!(
        "run this, and enter the two lines that it prints:\n  \
         curl -sL --post301 --post302 -w '\\n%{{http_code}}\\n' --json @{} {}",
        file.display(),
        request.url
    );
    Ok(())
}

/// Body and status, a line each.
fn read_answer() -> io::Result<(String, String)> {
    let (mut body, mut status) = (String::new(), String::new());
    stdin().read_line(&mut body)?;
    stdin().read_line(&mut status)?;
    Ok((body, status))
}

fn request_file(saved: &Path) -> PathBuf {
    saved.with_extension("request")
}

/// Beside the file first, where nobody else may read it: what stands there is whole at any time.
fn save(file: &Path, content: &Secret) -> Result<(), Box<dyn Error>> {
    let mut new = NamedTempFile::new_in(Path::new(".").join(file).parent().ok_or("no folder")?)?;
    new.write_all(content.expose())?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}

fn load(file: &Path) -> Result<Option<Registration>, Box<dyn Error>> {
    if !file.try_exists()? {
        return Ok(None);
    }
    Ok(Some(Registration::decode(Secret::from(fs::read(file)?).expose())?))
}

const CAPABILITIES: &str = r#"[{"type":"AisInterface","interface":"Speaker","version":"1.0"},{"type":"AisInterface","interface":"System","version":"1.0"}]"#;
