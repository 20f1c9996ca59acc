//! One connection, on either broker.

use alloc::string::String;
use core::time::Duration;

use iot_sansio::MonoTime;

use super::server::Connect;
use crate::{AppId, KeepAlive, MqttTopic, Stage, topic::Topics};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Connection {
    pub(super) app: AppId,
    pub(super) client: Client,
    keep_alive: KeepAlive,
    pub(super) last_received: MonoTime,
}

/// Who is connected, and so to which broker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// Anybody with the key of the application.
    Anonymous,
    Thing {
        thing_id: String,
        mqtt_topic: MqttTopic,
        is_subscribed: bool,
    },
}

impl Connection {
    /// One that was accepted just now.
    pub(super) const fn new(
        app: AppId,
        client: Client,
        connect: &Connect<'_>,
        now: MonoTime,
    ) -> Self {
        Self { app, client, keep_alive: connect.keep_alive, last_received: now }
    }

    pub(super) const fn stage(&self) -> Stage {
        match self.client {
            Client::Anonymous => Stage::Boot,
            Client::Thing { .. } => Stage::Api,
        }
    }

    pub(super) fn thing_id(&self) -> Option<&str> {
        match &self.client {
            Client::Anonymous => None,
            Client::Thing { thing_id, .. } => Some(thing_id),
        }
    }

    pub(super) fn topics(&self) -> Topics {
        match &self.client {
            Client::Anonymous => Topics::boot(&self.app),
            Client::Thing { mqtt_topic, .. } => Topics::api(&self.app, mqtt_topic),
        }
    }

    /// The first moment at which it is given up for its silence.
    pub(super) fn dead_at(&self) -> Option<MonoTime> {
        let until = self.keep_alive.alive_until(self.last_received)?;
        let after = until.after(TICK);
        // At the end of time no moment follows.
        (until < after).then_some(after)
    }
}

/// The least step of time.
const TICK: Duration = Duration::from_nanos(1);
