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
use tokio::sync::{broadcast, mpsc};

use crate::service::Timer;

/// Actions that may wait for a client that takes nothing; then it is cut.
const ACTIONS: usize = 1024;

pub(super) struct Shared {
    timer: Timer,
    state: Mutex<State>,
}

struct State {
    machine: Cloud,
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
        let state = State { machine, last_link, clients, teller };
        Self { timer: Timer::new(), state: Mutex::new(state) }
    }

    /// Calls the machine when it is time, for ever.
    pub(super) async fn keep_time(&self) {
        self.timer.keep(|| self.command(|machine, now| machine.handle_timeout(now))).await;
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
        let told = command(&mut state.machine, self.timer.now());
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
                    self.timer.set(deadline);
                    return;
                }
            }
        }
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
