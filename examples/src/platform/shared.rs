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
use tokio::{
    sync::{Notify, broadcast, mpsc},
    time::{Instant, sleep_until},
};

pub(super) struct Shared {
    origin: Instant,
    state: Mutex<State>,
    /// Tells that the deadline is another one.
    changed: Notify,
}

struct State {
    machine: Platform,
    deadline: Option<MonoTime>,
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
        let state = State { machine, deadline: None, clients: HashMap::new(), teller };
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
        let told = command(&mut state.machine, self.now());
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
        let _ = state.machine.handle_input(self.now(), input.into());
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
        let _ = state.machine.handle_input(self.now(), credit.into());
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
