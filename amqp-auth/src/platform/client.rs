//! One connection of a client.

use alloc::{collections::BTreeSet, string::String};

use iot_sansio::{
    MonoTime,
    amqp::{Connection, DeliveryId},
};

use super::MessageId;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client {
    /// The group it logged in for; empty before.
    pub(super) group: String,
    pub(super) phase: Phase,
    last_delivery: u64,
}

/// How far a client has come, and by when it must go on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    Connected {
        deadline: MonoTime,
    },
    LoggedIn {
        deadline: MonoTime,
        /// Whether its group logs in too often: then it is told so once it opens.
        excess: bool,
    },
    Open {
        deadline: MonoTime,
    },
    Linked(Link),
}

/// A receiver link.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Link {
    pub(super) number: u32,
    /// So many more messages may be sent.
    pub(super) credit: u32,
    /// What must not be sent to it again.
    pub(super) unwanted: BTreeSet<MessageId>,
}

impl Client {
    pub(super) fn new(deadline: MonoTime) -> Self {
        Self { group: String::new(), phase: Phase::Connected { deadline }, last_delivery: 0 }
    }

    pub(super) fn deadline(&self) -> Option<MonoTime> {
        match &self.phase {
            Phase::Connected { deadline }
            | Phase::LoggedIn { deadline, .. }
            | Phase::Open { deadline } => Some(*deadline),
            Phase::Linked(_) => None,
        }
    }

    pub(super) fn link_mut(&mut self) -> Option<&mut Link> {
        match &mut self.phase {
            Phase::Linked(link) => Some(link),
            _ => None,
        }
    }

    /// Whether a message for this group may be sent to it.
    pub(super) fn takes_from(&self, group: &str) -> bool {
        self.group == group && matches!(&self.phase, Phase::Linked(link) if link.credit > 0)
    }

    pub(super) fn wants(&self, message: MessageId) -> bool {
        matches!(&self.phase, Phase::Linked(link) if !link.unwanted.contains(&message))
    }

    /// Uses one credit, and names the delivery it is for.
    pub(super) fn next_delivery(&mut self, connection: Connection) -> DeliveryId {
        if let Some(link) = self.link_mut() {
            link.credit = link.credit.saturating_sub(1);
        }
        self.last_delivery = self.last_delivery.saturating_add(1);
        DeliveryId::new(connection, self.last_delivery)
    }
}
