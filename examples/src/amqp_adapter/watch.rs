//! What is learned from the frames of the peer, and what the stack is spared.

use std::{collections::HashSet, time::Duration};

use fe2o3_amqp::types::{
    definitions::{AmqpError, Error},
    performatives::Performative,
};

use super::wire::{self, Seen, Verdict};

/// What the stack does not tell, and what it cannot bear.
pub(super) struct Watch {
    /// `idle-time-out` of our own `open`.
    own_idle_timeout: Duration,
    pub(super) idle_timeout: Option<Duration>,
    /// Name of the one link there may be.
    pub(super) link: String,
    /// Handles of the peer's links that were refused and are not detached yet.
    refused: HashSet<u32>,
    /// Of the transfers that are coming in.
    delivery: u32,
    /// Ids of deliveries that came settled, until the stack hands them out.
    pub(super) settled: HashSet<u32>,
}

impl Watch {
    pub(super) fn new(own_idle_timeout: Duration) -> Self {
        Self {
            own_idle_timeout,
            idle_timeout: None,
            link: String::new(),
            refused: HashSet::new(),
            delivery: 0,
            settled: HashSet::new(),
        }
    }

    pub(super) fn see(&mut self, seen: Seen) -> Verdict {
        let drop_if = |refused| if refused { Verdict::Answer(Vec::new()) } else { Verdict::Pass };
        if let Seen::Frame(Some(performative)) = seen {
            match *performative {
                Performative::Open(open) => {
                    let millis = open.idle_time_out.filter(|&millis| millis > 0);
                    self.idle_timeout = millis.map(|millis| Duration::from_millis(millis.into()));
                    // A service may count on what we name ourselves. Half: a frame takes its time.
                    let longest = self.own_idle_timeout;
                    let interval = self.idle_timeout.map_or(longest, |peer| peer.min(longest)) / 2;
                    return Verdict::PassAndBeat(interval.max(Duration::from_millis(1)));
                }
                Performative::Attach(attach) if attach.name != self.link => {
                    self.refused.insert(attach.handle.0);
                    if self.refused.len() > wire::MAX_REFUSED {
                        return Verdict::Break(wire::TOO_MANY_LINKS);
                    }
                    let text = "this client has one receiver, which it attaches itself".to_string();
                    let error = Error::new(AmqpError::NotImplemented, text, None);
                    return Verdict::Answer(wire::refuse(attach, error));
                }
                Performative::Detach(detach) => {
                    return drop_if(self.refused.remove(&detach.handle.0));
                }
                Performative::Flow(flow) => {
                    return drop_if(
                        flow.handle.is_some_and(|handle| self.refused.contains(&handle.0)),
                    );
                }
                Performative::Transfer(transfer) => {
                    if self.refused.contains(&transfer.handle.0) {
                        return drop_if(true);
                    }
                    self.delivery = transfer.delivery_id.unwrap_or(self.delivery);
                    if transfer.aborted {
                        self.settled.remove(&self.delivery);
                    } else if transfer.settled == Some(true) {
                        self.settled.insert(self.delivery);
                    }
                }
                _ => {}
            }
        }
        Verdict::Pass
    }
}
