//! Lamps at the embedded cloud: onboarded at once, commanded, cut off, refused, led astray and restored.

mod driven;

use std::time::Duration;

use futures_util::future::try_join_all;
use iot_sansio::{Jitter, mqtt::ConnackCode};
use kii_onboard::{
    ApiError, App, Json, Stage, VendorThingId,
    call::Answer,
    cloud::{self as machine, Effect, Fault, Requests},
    command::{Action, ActionResults, CommandState, NewCommand},
    frame::Status,
    onboarding::{Owner, ThingOnboarding},
    thing::{Config, FailReason},
};
use serde_json::json;

use self::driven::Driven;
pub use self::driven::{Unanswered, Way};
use crate::{kii_cloud::KiiCloud, lifecycle::Failure};

/// Some lamps and their cloud; its methods are the scenes, in this order.
pub struct Lamps {
    app: App,
    cloud: KiiCloud,
    lamps: Vec<Driven>,
    seed: u64,
}

/// How the lamps came in.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// What each lamp told.
    pub ways: Vec<Way>,
    /// How many things the cloud knows after that.
    pub things: usize,
    /// How many onboardings it has carried out.
    pub onboardings: usize,
    /// How many connections named `anonymous` were open at the same moment.
    pub most_anonymous: usize,
    /// How many first states were stored.
    pub states: usize,
}

/// What became of a command to every lamp.
#[derive(Debug, Default)]
pub struct Commanded {
    /// Commands of which all actions have a result.
    pub done: usize,
    /// Actions that were done, and such as the lamps cannot do.
    pub results: [usize; 2],
    /// Lamps that the cloud shows as on.
    pub on: usize,
}

/// How the lamps came back after the brokers had stopped.
#[derive(Debug, Default)]
pub struct Restarted {
    /// What each lamp told.
    pub ways: Vec<Way>,
    /// Commands that could not be delivered meanwhile.
    pub send_failed: usize,
}

/// How an endpoint came to its end.
#[derive(Debug)]
pub struct Expired {
    /// What the lamp told until it was ready again.
    pub way: Way,
    /// Whether the second broker knows it under another topic now.
    pub is_another: bool,
}

/// How a lamp with a wrong password was refused, and what came of the right one.
#[derive(Debug)]
pub struct Refused {
    /// What the cloud said.
    pub error: ApiError,
    /// What the lamp told with the right password.
    pub corrected: Way,
}

/// How a response on a wrong topic was left alone.
#[derive(Debug)]
pub struct Astray {
    /// What came of the call.
    pub unanswered: Unanswered,
    /// The same call once more.
    pub again: Answer,
}

/// How a lamp went on after a reboot.
#[derive(Debug)]
pub struct Restored {
    /// What the new one told.
    pub way: Way,
    /// How many bytes it had been given.
    pub saved: usize,
    /// What its first call was answered.
    pub answer: Answer,
}

impl Lamps {
    /// Starts the cloud.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(seed: u64) -> Result<Self, Failure> {
        let app = App::new(APP_ID, APP_KEY)?;
        let config = machine::Config::new(app.clone(), HOST).with_seed(seed);
        let cloud = KiiCloud::start(config).await?;
        Ok(Self { app, cloud, lamps: Vec::new(), seed })
    }

    /// The cloud itself.
    #[must_use]
    pub fn cloud(&self) -> &KiiCloud {
        &self.cloud
    }

    /// Lets so many lamps in at once, and has each upload its state. The answer to one of their onboardings is lost,
    /// and another one comes too early.
    ///
    /// # Errors
    /// A lamp gives up.
    pub async fn onboard(&mut self, lamps: usize) -> Result<Arrivals, Failure> {
        let onboardings = Requests::any().ending("onboardings");
        let not_ready = json!({ "errorCode": "MQTT_ENDPOINT_NOT_READY", "message": "not ready" });
        let early = Effect::Status(Status::SERVICE_UNAVAILABLE, not_ready.to_string().into());
        self.fault(Fault::on_request(onboardings.clone(), [Effect::Drop]))?;
        self.fault(Fault::on_request(onboardings, [early]).skip(1))?;
        for number in 0..lamps {
            let mut lamp = self.lamp(&format!("lamp-{number}"), PASSWORD)?;
            lamp.start()?;
            self.lamps.push(lamp);
        }
        let ways = self.all_ready().await?;
        for lamp in &mut self.lamps {
            lamp.upload_state().await?;
        }
        let mut arrivals = Arrivals { ways, ..Arrivals::default() };
        let mut anonymous = 0;
        while arrivals.states < lamps {
            match self.cloud.event().await {
                machine::Event::Connected { stage: Stage::Boot, .. } => {
                    anonymous += 1;
                    arrivals.most_anonymous = arrivals.most_anonymous.max(anonymous);
                }
                machine::Event::Disconnected { stage: Stage::Boot, .. } => anonymous -= 1,
                machine::Event::Onboarded { is_new, .. } => {
                    arrivals.onboardings += 1;
                    arrivals.things += usize::from(is_new);
                }
                machine::Event::StateStored { is_first: true, .. } => arrivals.states += 1,
                _ => {}
            }
        }
        Ok(arrivals)
    }

    /// Sends every lamp a command of two actions, one of which it cannot do, and waits until all have reported.
    ///
    /// # Errors
    /// A lamp does not hear of it, or its report is refused.
    pub async fn command(&mut self) -> Result<Commanded, Failure> {
        let mut sent = Vec::new();
        for lamp in &self.lamps {
            let thing_id = lamp.thing_id()?.to_owned();
            let command_id = self.send_command(&thing_id)?;
            sent.push((thing_id, command_id));
        }
        try_join_all(self.lamps.iter_mut().map(Driven::obey)).await?;
        let mut commanded = Commanded::default();
        self.cloud.command(|machine, _| {
            for (thing_id, command_id) in &sent {
                let command = machine.command(thing_id, command_id);
                let Some(command) = command.filter(|it| it.state == CommandState::Done) else {
                    continue;
                };
                commanded.done += 1;
                if let Some(ActionResults::Plain(results)) = &command.action_results {
                    let done = results.iter().filter(|named| named.result.is_success()).count();
                    commanded.results[0] += done;
                    commanded.results[1] += results.len() - done;
                }
                let state = machine.state(thing_id).map(Json::as_str);
                commanded.on += usize::from(state == Some(r#"{"power":true}"#));
            }
        });
        Ok(commanded)
    }

    /// Stops both brokers and starts them again. Each lamp is sent a command before it is back. One of them is not
    /// taken back: its endpoint is refused.
    ///
    /// # Errors
    /// A lamp gives up.
    pub async fn restart(&mut self) -> Result<Restarted, Failure> {
        self.cloud.restart_brokers().await?;
        self.fault(Fault::refuse_connect(Stage::Api, ConnackCode::NOT_AUTHORIZED))?;
        for lamp in &self.lamps {
            self.send_command(lamp.thing_id()?)?;
        }
        let mut restarted = Restarted { ways: self.all_ready().await?, ..Restarted::default() };
        let mut back = 0;
        while back < self.lamps.len() {
            match self.cloud.event().await {
                machine::Event::CommandSendFailed { .. } => restarted.send_failed += 1,
                machine::Event::Subscribed { .. } => back += 1,
                _ => {}
            }
        }
        Ok(restarted)
    }

    /// Lets one more lamp in, whose endpoint expires after a second.
    ///
    /// # Errors
    /// The lamp gives up.
    pub async fn expire(&mut self) -> Result<Expired, Failure> {
        let onboardings = Requests::any().ending("onboardings");
        self.fault(Fault::on_request(onboardings, [Effect::Ttl(TTL)]))?;
        let mut lamp = self.lamp("short-lived", PASSWORD)?;
        lamp.start()?;
        lamp.ready().await?;
        let topic =
            |lamp: &Driven| lamp.onboarded.as_ref()?.endpoint.clone().map(|it| it.mqtt_topic);
        let before = topic(&lamp);
        let way = lamp.ready().await?;
        let expired = Expired { way, is_another: topic(&lamp) != before };
        lamp.stop().await?;
        Ok(expired)
    }

    /// Lets a lamp in that is known already, with another password than before; then with the right one.
    ///
    /// # Errors
    /// It is not refused, or not let in after that.
    pub async fn refuse(&mut self) -> Result<Refused, Failure> {
        let mut lamp = self.lamp("short-lived", "another password")?;
        lamp.start()?;
        let FailReason::OnboardRejected(error) = lamp.failed().await? else {
            return Err("it is refused for another reason".into());
        };
        let mut lamp = self.lamp("short-lived", PASSWORD)?;
        lamp.start()?;
        let corrected = lamp.ready().await?;
        lamp.stop().await?;
        Ok(Refused { error: *error, corrected })
    }

    /// Has one more lamp upload its state, and the cloud answer on a topic that is none of the lamp's.
    ///
    /// # Errors
    /// The call is answered all the same, or the second one is not.
    pub async fn lead_astray(&mut self) -> Result<Astray, Failure> {
        let states = Requests::any().at(Stage::Api).ending("/states");
        self.fault(Fault::on_request(states, [Effect::WrongTopic(WRONG_TOPIC.into())]))?;
        let config = self.config("astray", PASSWORD)?.with_request_timeout(REQUEST_TIMEOUT);
        let mut lamp = Driven::new(&self.cloud, config, self.seed)?;
        lamp.start()?;
        lamp.ready().await?;
        let Err(unanswered) = lamp.call(&lamp.state()?).await? else {
            return Err("it is answered all the same".into());
        };
        let again = lamp.upload_state().await?;
        lamp.stop().await?;
        Ok(Astray { unanswered, again })
    }

    /// Stops a lamp, and starts another one with nothing but what the first one saved.
    ///
    /// # Errors
    /// The new one gives up.
    pub async fn reboot(&mut self) -> Result<Restored, Failure> {
        let lamp = self.lamps.pop().ok_or("there are no lamps")?;
        let saved = lamp.onboarded.as_ref().ok_or("it was never onboarded")?.encode();
        lamp.stop().await?;
        let mut lamp = self.lamp(&format!("lamp-{}", self.lamps.len()), PASSWORD)?;
        lamp.restore(&saved, DOWN)?;
        let way = lamp.ready().await?;
        let restored = Restored { way, saved: saved.len(), answer: lamp.upload_state().await? };
        self.lamps.push(lamp);
        Ok(restored)
    }

    /// Stops all lamps.
    ///
    /// # Errors
    /// A lamp does not stop.
    pub async fn end(self) -> Result<(), Failure> {
        try_join_all(self.lamps.into_iter().map(Driven::stop)).await?;
        Ok(())
    }

    async fn all_ready(&mut self) -> Result<Vec<Way>, Failure> {
        try_join_all(self.lamps.iter_mut().map(Driven::ready)).await
    }

    fn lamp(&mut self, name: &str, password: &str) -> Result<Driven, Failure> {
        let config = self.config(name, password)?;
        self.seed = self.seed.wrapping_add(1);
        Driven::new(&self.cloud, config, self.seed)
    }

    fn config(&self, name: &str, password: &str) -> Result<Config, Failure> {
        let name = VendorThingId::new(name)?;
        let onboarding = ThingOnboarding::with_vendor_thing_id(name, password)?;
        Ok(Config::new(self.app.clone(), self.cloud.default_broker(), onboarding)
            .with_onboarding_timeout(ONBOARDING_TIMEOUT)
            .with_backoff(BACKOFF, MAX_BACKOFF, Jitter::Equal))
    }

    fn fault(&self, fault: Fault) -> Result<(), Failure> {
        Ok(self.cloud.command(|machine, now| machine.inject(now, fault))?)
    }

    fn send_command(&self, thing_id: &str) -> Result<String, Failure> {
        let on = Json::new(&json!({ "power": true }).to_string())?;
        let actions = [Action::new("turnPower", on.clone()), Action::new("makeCoffee", on)];
        let command = NewCommand::plain(Owner::user("u-1")?, "lamp", 1, actions)?;
        Ok(self.cloud.command(|machine, now| machine.send_command(now, thing_id, &command))?)
    }
}

const HOST: &str = "localhost";
const APP_ID: &str = "app01";
const APP_KEY: &str = "key01";
const PASSWORD: &str = "the lamp's own";
const WRONG_TOPIC: &str = "p/somebody/thing-if/apps/app01/news";

/// Of the endpoint that expires; such a short one is told on purpose.
pub const TTL: Duration = Duration::from_secs(1);
/// Of a lamp, for the answer to its onboarding; by default 30 s.
pub const ONBOARDING_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Of the lamp that is led astray, for the response to a call; by default 30 s.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// Of a lamp, before the second attempt; by default 1 s.
pub const BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(1);
/// How long the lamp was off that is restored.
const DOWN: Duration = Duration::from_secs(3_600);
