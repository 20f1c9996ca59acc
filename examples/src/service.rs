//! What the embedded services have in common: the time of a machine that all connections ask, and what it tells.

use std::sync::{Mutex, MutexGuard, PoisonError};

use iot_sansio::MonoTime;
use tokio::{
    sync::{
        Notify,
        broadcast::{self, error::RecvError},
    },
    time::{Instant, sleep_until},
};

/// Events that may wait to be asked for.
const EVENTS: usize = 4096;

/// The time of a machine, and when it is to be called.
pub(crate) struct Timer {
    origin: Instant,
    deadline: Mutex<Option<MonoTime>>,
    /// Tells that the deadline is another one.
    changed: Notify,
}

impl Timer {
    /// It starts now, and nothing is to be called.
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), deadline: Mutex::new(None), changed: Notify::new() }
    }

    pub(crate) fn now(&self) -> MonoTime {
        MonoTime::from_instants(self.origin.into_std(), Instant::now().into_std())
    }

    /// The machine is to be called at this time.
    pub(crate) fn set(&self, deadline: Option<MonoTime>) {
        let mut last = self.lock();
        if *last != deadline {
            *last = deadline;
            self.changed.notify_one();
        }
    }

    /// Calls when it is time, for ever.
    pub(crate) async fn keep(&self, call: impl Fn()) {
        loop {
            let deadline = *self.lock();
            let deadline = deadline.and_then(|time| self.origin.checked_add(time.since_origin()));
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(deadline.unwrap_or(self.origin)), if deadline.is_some() => call(),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<MonoTime>> {
        self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a machine tells, for whoever asks.
pub(crate) struct Events<E> {
    receiver: broadcast::Receiver<E>,
    missed: u64,
}

impl<E: Clone> Events<E> {
    /// None yet, and where to tell them.
    pub(crate) fn new() -> (broadcast::Sender<E>, Self) {
        let (teller, receiver) = broadcast::channel(EVENTS);
        (teller, Self { receiver, missed: 0 })
    }

    /// The next one. Of more than 4,096 that wait, the oldest are dropped and counted. Cancel safe.
    pub(crate) async fn next(&mut self) -> E {
        loop {
            match self.receiver.recv().await {
                Ok(event) => return event,
                Err(RecvError::Lagged(dropped)) => self.missed += dropped,
                // Whoever tells is kept beside this.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// How many were dropped before the last one that was taken.
    pub(crate) fn missed(&self) -> u64 {
        self.missed
    }
}
