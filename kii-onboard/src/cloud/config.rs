//! What a cloud is told before it begins.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use iot_sansio::Secret;

use crate::{App, Ports, onboarding::Owner};

/// The settings of a [`Cloud`](super::Cloud).
///
/// ```
/// use core::time::Duration;
/// use kii_onboard::{App, Ports, TransportKind, cloud::Config};
///
/// // The second broker of a test, on a port of its own, whose endpoints last a minute.
/// let config = Config::new(App::new("app01", "key01")?, "127.0.0.1")
///     .with_ports(Ports::default().with(TransportKind::Tcp, Some(41_883)))
///     .with_ttl(Some(Duration::from_secs(60)));
/// # Ok::<(), kii_onboard::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    pub(super) apps: Vec<App>,
    pub(super) owners: Vec<(Owner, Secret)>,
    pub(super) host: String,
    pub(super) ports: Ports,
    pub(super) ttl: Option<Duration>,
    pub(super) seed_headers: bool,
    pub(super) max_connections: usize,
    pub(super) max_things: usize,
    pub(super) max_commands: usize,
    pub(super) max_faults: usize,
    pub(super) max_queued: usize,
    pub(super) seed: u64,
}

impl Config {
    /// This application, whose things are sent to a second broker on this host, with the documented ports, for 2,147,483,647
    /// seconds. 1,000 connections, 10,000 things, 100 commands of each, 100 faults, 1,024 outputs.
    #[must_use]
    pub fn new(app: App, host: impl Into<String>) -> Self {
        Self {
            apps: Vec::from([app]),
            owners: Vec::new(),
            host: host.into(),
            ports: Ports::DEFAULT,
            ttl: Some(Duration::from_secs(USUAL_TTL)),
            seed_headers: false,
            max_connections: 1_000,
            max_things: 10_000,
            max_commands: 100,
            max_faults: 100,
            max_queued: 1_024,
            seed: 0,
        }
    }

    /// Adds another application: of two with the same id the first counts.
    #[must_use]
    pub fn with_app(mut self, app: App) -> Self {
        self.apps.push(app);
        self
    }

    /// Adds an owner of things, of which there is none by default, in every application: who onboards for one shows this
    /// token. With several tokens each counts.
    #[must_use]
    pub fn with_owner(mut self, owner: Owner, token: impl Into<Secret>) -> Self {
        self.owners.push((owner, token.into()));
        self
    }

    /// Sets the ports of the second broker, the documented ones by default.
    #[must_use]
    pub fn with_ports(self, ports: Ports) -> Self {
        Self { ports, ..self }
    }

    /// Sets how long an endpoint holds, in whole seconds, 2,147,483,647 by default as it is seen; none is for ever, and
    /// leaves `ttl` out.
    #[must_use]
    pub fn with_ttl(self, ttl: Option<Duration>) -> Self {
        Self { ttl, ..self }
    }

    /// Sets whether answers have the header lines that the seed page shows, by default not: a thing must not mind them.
    #[must_use]
    pub fn with_seed_headers(self, seed_headers: bool) -> Self {
        Self { seed_headers, ..self }
    }

    /// Sets how many connections there may be at most, of both brokers together, 1,000 by default: one more is refused with
    /// code 3.
    #[must_use]
    pub fn with_max_connections(self, max_connections: usize) -> Self {
        Self { max_connections, ..self }
    }

    /// Sets how many things there may be at most, end nodes included, 10,000 by default: one more is answered by 503.
    #[must_use]
    pub fn with_max_things(self, max_things: usize) -> Self {
        Self { max_things, ..self }
    }

    /// Sets how many commands of each thing are kept, 1 at least and 100 by default: for one more the oldest is forgotten.
    #[must_use]
    pub fn with_max_commands(self, max_commands: usize) -> Self {
        Self { max_commands: max_commands.max(1), ..self }
    }

    /// Sets how many faults may wait for their turn, 100 by default: one more is refused.
    #[must_use]
    pub fn with_max_faults(self, max_faults: usize) -> Self {
        Self { max_faults, ..self }
    }

    /// Sets the number of queued outputs from which on inputs and commands are refused, 1 at least and 1,024 by default.
    ///
    /// What one of them says, and what ends or comes late by itself, may come on top. As many answers may be late.
    #[must_use]
    pub fn with_max_queued(self, max_queued: usize) -> Self {
        Self { max_queued: max_queued.max(1), ..self }
    }

    /// Sets the seed of all that the cloud makes up, 0 by default: with the same one all is the same.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}

const USUAL_TTL: u64 = 2_147_483_647;
