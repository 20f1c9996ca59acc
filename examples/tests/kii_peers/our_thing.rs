//! Our thing on a foreign client, as an application has it.

use std::time::Duration;

use iot_sansio::mqtt::ConnectOptions;
use kii_onboard::{
    Json,
    call::{Answer, Call},
    command::Command,
    onboarding::Onboarded,
    thing::{Config, Event, IgnoreReason, Thing},
};

use crate::{brokers::Brokers, mqtt_js::MqttJs};

pub(crate) const STATE: &str = r#"{"power":true,"presetTemperature":25}"#;

pub(crate) struct OurThing(MqttJs<Thing>);

impl OurThing {
    /// A thing that has been started.
    ///
    /// None when Node or MQTT.js is not installed: that is printed.
    pub(crate) async fn start(brokers: &Brokers, config: Config) -> Option<Self> {
        let mut thing = Self::idle(brokers, config).await?;
        thing.0.command(Thing::start).expect("it is idle");
        Some(thing)
    }

    /// A thing that goes on with what an earlier one had saved just now.
    pub(crate) async fn restore(brokers: &Brokers, config: Config, saved: &[u8]) -> Option<Self> {
        let onboarded = Onboarded::decode(saved).expect("what was encoded");
        let mut thing = Self::idle(brokers, config).await?;
        let restored =
            thing.0.command(|machine, now| machine.restore(now, onboarded, Duration::ZERO));
        restored.expect("it has an endpoint");
        Some(thing)
    }

    async fn idle(brokers: &Brokers, config: Config) -> Option<Self> {
        let thing = Thing::new(config, 0).expect("a good request");
        Some(Self(MqttJs::start(thing, brokers.ca_pem(), response_filters).await?))
    }

    pub(crate) async fn event(&mut self) -> Option<Event> {
        self.0.event().await
    }

    /// Its next onboarding, after its request has come back to it.
    pub(crate) async fn onboarded(&mut self) -> Onboarded {
        self.echo().await;
        match self.event().await {
            Some(Event::Onboarded(onboarded)) => *onboarded,
            other => panic!("it onboards: {other:?}"),
        }
    }

    pub(crate) async fn ready(&mut self) {
        assert_eq!(self.event().await, Some(Event::Ready));
    }

    /// Makes a call, which comes back to the thing before its answer.
    pub(crate) async fn call(&mut self, call: &Call) -> Answer {
        let id = self.0.command(|machine, now| machine.call(now, call)).expect("it is ready");
        self.echo().await;
        match self.event().await {
            Some(Event::Response(response)) => {
                assert_eq!((response.call, response.kind), (id, call.kind()));
                response.answer().expect("a success")
            }
            other => panic!("it is answered: {other:?}"),
        }
    }

    /// Uploads [`STATE`], the first one of the thing.
    pub(crate) async fn upload(&mut self, thing_id: &str) {
        let call = Call::put_state(thing_id, &json(STATE)).expect("a good state");
        assert_eq!(self.call(&call).await, Answer::StateStored { is_first: true });
    }

    pub(crate) async fn command(&mut self) -> Command {
        match self.event().await {
            Some(Event::Command(command)) => *command,
            other => panic!("a command comes: {other:?}"),
        }
    }

    pub(crate) async fn stop(mut self) {
        self.0.command(Thing::stop).expect("it runs");
        assert_eq!(self.event().await, Some(Event::Stopped));
        assert_eq!(self.event().await, None);
    }

    /// A request of its own, which an ordinary broker sends back to it.
    async fn echo(&mut self) {
        match self.event().await {
            Some(Event::Ignored(ignored)) => assert_eq!(ignored.why, IgnoreReason::Echo),
            other => panic!("its request comes back first: {other:?}"),
        }
    }
}

/// What an ordinary broker must be asked for before it delivers responses.
fn response_filters(options: &ConnectOptions) -> Vec<String> {
    vec![format!("p/{}/#", options.client_id)]
}

pub(crate) fn json(text: &str) -> Json {
    Json::new(text).expect("JSON")
}
