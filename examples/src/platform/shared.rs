//! The machine, asked by all connections.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use amqp_auth::platform::{
    Event, Platform,
    server::{Action, Attached, Credit, Input, Role},
};
use iot_sansio::{Machine as _, MonoTime, Output, amqp::Connection};
use tokio::sync::{broadcast, mpsc};

use crate::service::Timer;

pub(super) struct Shared {
    timer: Timer,
    state: Mutex<State>,
}

struct State {
    machine: Platform,
    clients: HashMap<Connection, Client>,
    teller: broadcast::Sender<Event>,
}

struct Client {
    actions: mpsc::UnboundedSender<Action>,
    /// Messages sent on its link, or about to be.
    sent: u32,
}

impl Shared {
    pub(super) fn new(machine: Platform, teller: broadcast::Sender<Event>) -> Self {
        let state = State { machine, clients: HashMap::new(), teller };
        Self { timer: Timer::new(), state: Mutex::new(state) }
    }

    /// Calls the machine when it is time, for ever.
    pub(super) async fn keep_time(&self) {
        self.timer.keep(|| self.command(|machine, now| machine.handle_timeout(now))).await;
    }

    pub(super) fn register(&self, connection: Connection) -> mpsc::UnboundedReceiver<Action> {
        let (actions, receiver) = mpsc::unbounded_channel();
        self.lock().clients.insert(connection, Client { actions, sent: 0 });
        receiver
    }

    pub(super) fn forget(&self, connection: Connection) {
        self.lock().clients.remove(&connection);
    }

    pub(super) fn command<T>(&self, command: impl FnOnce(&mut Platform, MonoTime) -> T) -> T {
        let mut state = self.lock();
        let told = command(&mut state.machine, self.timer.now());
        self.drain(&mut state, |_| true);
        told
    }

    pub(super) fn feed(&self, input: Input<'_>) {
        // Refused only when its queue is full, and it is drained each time.
        let _ = self.command(|machine, now| machine.handle_input(now, input));
    }

    /// What the machine says to a new link at once; nothing when it is stalled.
    pub(super) fn attach(&self, connection: Connection, link: u32, role: Role) -> Option<Action> {
        let mut state = self.lock();
        let input = Attached::new(connection, link, role);
        let _ = state.machine.handle_input(self.timer.now(), input.into());
        let mut answer = None;
        self.drain(&mut state, |action| {
            let about = match action {
                Action::Attach(attach) => Some((attach.connection, attach.link)),
                Action::Detach(detach) => Some((detach.connection, detach.link)),
                _ => None,
            };
            let other = about != Some((connection, link));
            if !other {
                answer = Some(action.clone());
            }
            other
        });
        if let (Some(Action::Attach(_)), Some(client)) =
            (&answer, state.clients.get_mut(&connection))
        {
            client.sent = 0;
        }
        answer
    }

    /// The client has seen `delivery_count` messages on its link, and takes `link_credit` more.
    pub(super) fn credit(&self, connection: Connection, delivery_count: u32, link_credit: u32) {
        let mut state = self.lock();
        let Some(client) = state.clients.get(&connection) else {
            return;
        };
        let on_the_way = client.sent.wrapping_sub(delivery_count);
        let credit = Credit::new(connection, link_credit.saturating_sub(on_the_way));
        let _ = state.machine.handle_input(self.timer.now(), credit.into());
        self.drain(&mut state, |_| true);
    }

    /// Hands out all that the machine says, but for the actions that `keep` does not want kept.
    fn drain(&self, state: &mut State, mut keep: impl FnMut(&Action) -> bool) {
        loop {
            match state.machine.poll_output() {
                Output::Action(action) if keep(&action) => {
                    if let Some(client) = state.clients.get_mut(&action.connection()) {
                        if matches!(action, Action::Deliver(_)) {
                            client.sent = client.sent.wrapping_add(1);
                        }
                        // Otherwise the connection is just ending.
                        let _ = client.actions.send(action);
                    }
                }
                Output::Action(_) => {}
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
