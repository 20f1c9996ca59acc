//! Receives the events of Alexa Smart Properties from SNS, on `axum`, and prints what they permit.
//!
//! Copy it into your project together with `src/sns_endpoint.rs`, `src/https.rs`, `src/tls.rs` and, if you like,
//! `src/property.rs`. Stop it with Ctrl-C.
//!
//! SNS posts to a public URL: put a proxy in front of it that terminates TLS, subscribe `https://HOST/sns` to the
//! topic, and leave raw message delivery off. Each certificate of SNS is fetched once, with the roots of the system.
//!
//! What it remembers is in memory. After a restart a message may come that was handled before: the gates take no harm
//! from that, but they have to be told again what the API lists.

use std::{
    error::Error,
    fs::{File, OpenOptions},
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use clap::Parser;
use examples::{
    https::Https,
    property::{Effect, Property},
    sns_endpoint::{Endpoint, Handler, HandlerError, Report},
    tls,
};
use iot_sansio::MonoTime;
use smart_properties::{TopicArn, gate::GateError, sns::Fresh};
use tokio::{net::TcpListener, signal::ctrl_c};

/// Receives the events of Alexa Smart Properties from SNS, and prints what they permit.
#[derive(Parser)]
struct Arguments {
    /// Where to listen, for example 127.0.0.1:8080
    listen: SocketAddr,
    /// The topics to take messages of, by their ARNs
    #[arg(required = true)]
    topics: Vec<String>,
    /// Confirm subscriptions to them
    #[arg(long)]
    confirm: bool,
    /// Where to keep what no gate takes, a JSON text a line
    #[arg(long, default_value = "kept.jsonl")]
    kept: PathBuf,
    /// Where a stand-in for SNS listens
    #[arg(long, requires = "ca")]
    sns: Option<SocketAddr>,
    /// Whom to trust instead of the system's roots, a PEM file
    #[arg(long)]
    ca: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let topics = arguments.topics.iter().map(TopicArn::new).collect::<Result<Vec<_>, _>>()?;
    let mut https = Https::new(tls::client(arguments.ca.as_deref())?);
    if let Some(address) = arguments.sns {
        https = https.connecting_to(address);
    }
    let kept = OpenOptions::new().append(true).create(true).open(&arguments.kept)?;
    let printer =
        Printer { property: Mutex::default(), kept: Mutex::new(kept), origin: Instant::now() };
    let mut endpoint = Endpoint::new(topics, https, printer);
    if arguments.confirm {
        endpoint = endpoint.confirming();
    }
    let endpoint = Arc::new(endpoint);

    let listener = TcpListener::bind(arguments.listen).await?;
    println!("listening on http://{}/sns", listener.local_addr()?);
    let stop = async { drop(ctrl_c().await) };
    axum::serve(listener, Arc::clone(&endpoint).router("/sns"))
        .with_graceful_shutdown(stop)
        .await?;
    endpoint.idle().await;
    Ok(())
}

struct Printer {
    property: Mutex<Property>,
    kept: Mutex<File>,
    origin: Instant,
}

impl Handler for Printer {
    async fn handle(&self, message: &Fresh<'_>) -> Result<(), HandlerError> {
        let event = match message.event() {
            Ok(event) => event,
            Err(reason) => {
                println!("not an event: {reason}");
                return self.keep(message);
            }
        };
        println!("{} {}", event.event_type().full_name(), event.id());
        let now = MonoTime::from_instants(self.origin, Instant::now());
        let mut property = self.property.lock().unwrap_or_else(PoisonError::into_inner);
        let effects = match property.apply(now, &event, message.order(&event)) {
            Ok(effects) => effects,
            Err(GateError::Id(why)) => {
                println!("  needs attention: {why}");
                return self.keep(message);
            }
            Err(full) => return Err(full.into()),
        };
        for effect in &effects {
            println!("  {effect}");
            if let Some(request) = effect.call() {
                // Send it with an access token, and tell the gate what is answered.
                let body = request.body().unwrap_or_default();
                println!("  next: {} {} {body}", request.method(), request.url());
            }
            if matches!(effect, Effect::Unknown) {
                self.keep(message)?;
            }
        }
        Ok(())
    }

    fn told(&self, report: &Report) {
        println!("{}: {report}", report.status());
    }
}

impl Printer {
    fn keep(&self, message: &Fresh<'_>) -> Result<(), HandlerError> {
        let text = String::from_utf8_lossy(message.bytes());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(kept, "{}", serde_json::to_string(&text)?)?;
        Ok(kept.sync_data()?)
    }
}
