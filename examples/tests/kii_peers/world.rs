//! Our cloud behind the two brokers.

use std::{
    mem,
    sync::{Arc, Mutex},
};

use examples::{
    mqtt_adapter::{Adapter, Stepped},
    peers::Mosquitto,
};
use iot_sansio::MonoTime;
use kii_onboard::{
    cloud::{self, Cloud},
    frame::{Method, Status},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};

use crate::{
    HANG,
    bridge::{Bridge, Event},
    brokers::{Brokers, HOST},
};

pub(crate) struct World {
    pub(crate) brokers: Brokers,
    commands: mpsc::UnboundedSender<Command>,
    events: mpsc::UnboundedReceiver<Event<cloud::Event>>,
    /// What the cloud has answered since it was asked last.
    answered: Vec<Answered>,
    /// How many answers are still to come back to the bridge.
    away: usize,
    /// The bridge; ends with this.
    _task: JoinSet<()>,
}

/// A request that the cloud answered: method, path, status. No method is no request.
pub(crate) type Answered = (Option<Method>, String, Status);

type Command = Box<dyn FnOnce(&mut Cloud, MonoTime) + Send>;

impl World {
    /// Starts all of it, and waits until the cloud hears both brokers. The second broker refuses so many endpoints before
    /// it admits one.
    ///
    /// None when Mosquitto is not installed: that is printed.
    pub(crate) async fn start(refused_endpoints: usize) -> Option<Self> {
        let brokers = Brokers::start()?;
        let config = cloud::Config::new(brokers.app().clone(), HOST)
            .with_ports(brokers.second_ports())
            .with_seed_headers(true);
        let bridge = Bridge::new(Cloud::new(config), brokers.app(), brokers.cloud_options());

        let (commands, heard) = mpsc::unbounded_channel();
        let (teller, events) = mpsc::unbounded_channel();
        let mut task = JoinSet::new();
        task.spawn(serve(bridge, brokers.share_second(), refused_endpoints, heard, teller));
        let (answered, away) = (Vec::new(), 0);
        let mut world = Self { brokers, commands, events, answered, away, _task: task };
        while !matches!(world.next().await, Event::Ready) {}
        Some(world)
    }

    /// Commands the cloud.
    pub(crate) async fn command<T: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Cloud, MonoTime) -> T + Send + 'static,
    ) -> T {
        let (teller, told) = oneshot::channel();
        let command: Command = Box::new(move |cloud, now| {
            let _ = teller.send(command(cloud, now));
        });
        assert!(self.commands.send(command).is_ok(), "the bridge has ended");
        told.await.expect("the bridge goes on")
    }

    /// Waits until the cloud tells something of which `pick` makes something.
    pub(crate) async fn until<T>(&mut self, mut pick: impl FnMut(cloud::Event) -> Option<T>) -> T {
        loop {
            if let Event::Cloud(event) = self.next().await
                && let Some(picked) = pick(event)
            {
                return picked;
            }
        }
    }

    /// What the cloud has answered since this was asked last, as soon as so many answers are back at the bridge: had it
    /// taken one of them for a request, there would be more.
    pub(crate) async fn answered(&mut self, count: usize) -> Vec<Answered> {
        while self.answered.len() < count || self.away > 0 {
            self.next().await;
        }
        mem::take(&mut self.answered)
    }

    async fn next(&mut self) -> Event<cloud::Event> {
        let event = timeout(HANG, self.events.recv()).await.expect("no event in sight");
        let event = event.expect("the bridge goes on");
        match &event {
            Event::Cloud(cloud::Event::Answered { method, path, status, .. }) => {
                self.answered.push((*method, path.clone(), *status));
                self.away += 1;
            }
            Event::Echo => self.away -= 1,
            _ => {}
        }
        event
    }
}

/// Runs the bridge, which admits things to the second broker.
async fn serve(
    mut bridge: Bridge<Cloud>,
    second: Arc<Mutex<Mosquitto>>,
    mut refused_endpoints: usize,
    mut commands: mpsc::UnboundedReceiver<Command>,
    teller: mpsc::UnboundedSender<Event<cloud::Event>>,
) {
    let mut adapter = Adapter::new();
    loop {
        let on_event = |event| {
            if let Event::Issued(endpoint) = &event {
                let password = endpoint.password.expose_str().expect("a text");
                let refused = refused_endpoints > 0;
                refused_endpoints -= usize::from(refused);
                let password = if refused { "another password" } else { password };
                let mut second = second.lock().expect("nothing panics with it");
                second.admit(&endpoint.user_name, password).expect("a password file");
            }
            // Nobody listens any more when the test is over.
            let _ = teller.send(event);
        };
        tokio::select! {
            stepped = adapter.step(&mut bridge, on_event) => match stepped {
                Ok(Stepped::Running) => {}
                Ok(other) => panic!("the brokers go on: {other:?}"),
                Err(refused) => panic!("the cloud refuses an input: {refused}"),
            },
            Some(command) = commands.recv() => command(bridge.cloud(), adapter.now()),
        }
    }
}
