//! The machine, asked by all connections.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use iot_sansio::{Machine as _, MonoTime, Output, mqtt::Link};
use kii_onboard::cloud::{
    Cloud, Event,
    server::{Action, Closed, Input},
};
use tokio::{
    sync::{Notify, broadcast, mpsc},
    time::{Instant, sleep_until},
};

/// Actions that may wait for a client that takes nothing; then it is cut.
const ACTIONS: usize = 1024;

pub(super) struct Shared {
    origin: Instant,
    state: Mutex<State>,
    /// Tells that the deadline is another one.
    changed: Notify,
}

struct State {
    machine: Cloud,
    deadline: Option<MonoTime>,
    last_link: Link,
    clients: HashMap<Link, mpsc::Sender<Action>>,
    teller: broadcast::Sender<Event>,
}

/// A connection that the machine knows. Dropping it tells the machine that it is gone.
pub(super) struct Session {
    pub(super) link: Link,
    pub(super) actions: mpsc::Receiver<Action>,
    pub(super) shared: Arc<Shared>,
}

impl Shared {
    pub(super) fn new(machine: Cloud, teller: broadcast::Sender<Event>) -> Self {
        let (last_link, clients) = (Link::new(0), HashMap::new());
        let state = State { machine, deadline: None, last_link, clients, teller };
        Self { origin: Instant::now(), state: Mutex::new(state), changed: Notify::new() }
    }

    /// Calls the machine when it is time, for ever.
    pub(super) async fn keep_time(&self) {
        loop {
            let deadline = self.lock().deadline;
            let deadline = deadline.and_then(|time| self.origin.checked_add(time.since_origin()));
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(deadline.unwrap_or(self.origin)), if deadline.is_some() => {
                    self.command(|machine, now| machine.handle_timeout(now));
                }
            }
        }
    }

    /// Numbers a new connection.
    pub(super) fn register(self: &Arc<Self>) -> Session {
        let (sender, actions) = mpsc::channel(ACTIONS);
        let mut state = self.lock();
        let link = state.last_link.next();
        state.last_link = link;
        state.clients.insert(link, sender);
        drop(state);
        Session { link, actions, shared: Arc::clone(self) }
    }

    pub(super) fn command<T>(&self, command: impl FnOnce(&mut Cloud, MonoTime) -> T) -> T {
        let mut state = self.lock();
        let told = command(&mut state.machine, self.now());
        self.drain(&mut state);
        told
    }

    /// Hands out all that the machine says.
    fn drain(&self, state: &mut State) {
        loop {
            match state.machine.poll_output() {
                Output::Action(action) => {
                    let link = action.link();
                    // Otherwise the connection is just ending.
                    if let Some(client) = state.clients.get(&link)
                        && client.try_send(action).is_err()
                    {
                        // What waits is still said, then the connection ends.
                        state.clients.remove(&link);
                    }
                }
                Output::Event(event) => {
                    // Nobody has to listen.
                    let _ = state.teller.send(event);
                }
                Output::Idle(deadline) => {
                    if state.deadline != deadline {
                        state.deadline = deadline;
                        self.changed.notify_one();
                    }
                    return;
                }
            }
        }
    }

    fn now(&self) -> MonoTime {
        MonoTime::from_instants(self.origin.into_std(), Instant::now().into_std())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Tells the machine what the client said.
    pub(super) fn tell<'a>(&self, input: impl Into<Input<'a>>) {
        // Refused only when its queue is full, and it is drained each time.
        let _ = self.shared.command(|machine, now| machine.handle_input(now, input.into()));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.lock().clients.remove(&self.link);
        self.tell(Closed::new(self.link));
    }
}
