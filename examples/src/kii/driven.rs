//! A lamp that is a thing of the cloud, with its MQTT client.

use std::{collections::VecDeque, mem, time::Duration};

use kii_onboard::{
    Json,
    call::{Answer, Call},
    command::{Action, ActionResult, ActionResults, Actions},
    onboarding::Onboarded,
    thing::{CallFailure, Cause, Config, Event, FailReason, Ignored, Thing},
};
use serde_json::{Value, json};

use crate::{
    kii_cloud::KiiCloud,
    lifecycle::Failure,
    mqtt_adapter::{Adapter, Stepped},
};

pub(super) struct Driven {
    thing: Thing,
    adapter: Adapter,
    events: VecDeque<Event>,
    /// What the last onboarding told.
    pub(super) onboarded: Option<Onboarded>,
    is_on: bool,
}

/// What a thing told until it was ready.
#[derive(Debug, Default)]
pub struct Way {
    /// How often it was onboarded.
    pub onboardings: usize,
    /// Why it had to try again, each time.
    pub causes: Vec<Cause>,
    /// Whether it noticed that its endpoint had expired.
    pub has_expired: bool,
}

/// How a call went that was not just answered.
#[derive(Debug)]
pub struct Unanswered {
    /// What was left alone meanwhile.
    pub ignored: Vec<Ignored>,
    /// Why there is no answer.
    pub cause: CallFailure,
}

impl Driven {
    pub(super) fn new(cloud: &KiiCloud, config: Config, seed: u64) -> Result<Self, Failure> {
        Ok(Self {
            thing: Thing::new(config, seed)?,
            adapter: Adapter::new().with_tls(cloud.client_tls()?),
            events: VecDeque::new(),
            onboarded: None,
            is_on: false,
        })
    }

    pub(super) fn start(&mut self) -> Result<(), Failure> {
        Ok(self.thing.start(self.adapter.now())?)
    }

    pub(super) fn restore(&mut self, saved: &[u8], age: Duration) -> Result<(), Failure> {
        let onboarded = Onboarded::decode(saved)?;
        self.onboarded = Some(onboarded.clone());
        Ok(self.thing.restore(self.adapter.now(), onboarded, age)?)
    }

    pub(super) fn thing_id(&self) -> Result<&str, Failure> {
        Ok(&self.onboarded.as_ref().ok_or("it was never onboarded")?.thing_id)
    }

    /// Waits until calls can be made.
    pub(super) async fn ready(&mut self) -> Result<Way, Failure> {
        let mut way = Way::default();
        loop {
            match self.event().await? {
                Event::Onboarded(onboarded) => {
                    self.onboarded = Some(*onboarded);
                    way.onboardings += 1;
                }
                Event::Retrying(retrying) => way.causes.push(retrying.cause),
                Event::EndpointExpired => way.has_expired = true,
                Event::Ready => return Ok(way),
                other => return Err(format!("unexpected: {other:?}").into()),
            }
        }
    }

    /// Waits until the thing gives up.
    pub(super) async fn failed(&mut self) -> Result<FailReason, Failure> {
        match self.event().await? {
            Event::Failed(reason) => Ok(reason),
            other => Err(format!("unexpected: {other:?}").into()),
        }
    }

    /// Uploads whether it is on, and waits for the answer.
    pub(super) async fn upload_state(&mut self) -> Result<Answer, Failure> {
        let call = self.state()?;
        self.call(&call).await?.map_err(|unanswered| format!("{unanswered:?}").into())
    }

    pub(super) fn state(&self) -> Result<Call, Failure> {
        let state = Json::new(&json!({ "power": self.is_on }).to_string())?;
        Ok(Call::put_state(self.thing_id()?, &state)?)
    }

    /// Waits for the next command, does what it says, reports the results and uploads the state.
    pub(super) async fn obey(&mut self) -> Result<(), Failure> {
        let command = match self.event().await? {
            Event::Command(command) => command,
            other => return Err(format!("unexpected: {other:?}").into()),
        };
        let Actions::Plain(actions) = &command.actions else {
            return Err("a command for another kind of thing".into());
        };
        let results: Vec<_> = actions.iter().map(|action| self.run(action)).collect();
        let results = ActionResults::new(&command.actions, results)?;
        let report = Call::report_results(self.thing_id()?, &command.id, &results)?;
        self.call(&report).await?.map_err(|unanswered| format!("{unanswered:?}"))?;
        self.upload_state().await?;
        Ok(())
    }

    fn run(&mut self, action: &Action) -> ActionResult {
        let value = serde_json::from_str::<Value>(action.value.as_str()).unwrap_or_default();
        match (action.name.as_str(), value["power"].as_bool()) {
            ("turnPower", Some(power)) => {
                self.is_on = power;
                ActionResult::succeeded()
            }
            _ => ActionResult::failed("this lamp cannot do that"),
        }
    }

    /// Makes a call and waits for what comes of it. What else comes is kept for later.
    pub(super) async fn call(
        &mut self,
        call: &Call,
    ) -> Result<Result<Answer, Unanswered>, Failure> {
        let id = self.thing.call(self.adapter.now(), call)?;
        let (mut aside, mut ignored) = (VecDeque::new(), Vec::new());
        let outcome = loop {
            match self.event().await? {
                Event::Response(response) if response.call == id => break Ok(response.answer()?),
                Event::CallFailed(failed) if failed.call == id => {
                    break Err(Unanswered {
                        ignored: mem::take(&mut ignored),
                        cause: failed.cause,
                    });
                }
                Event::Ignored(message) => ignored.push(message),
                other => aside.push_back(other),
            }
        };
        aside.append(&mut self.events);
        self.events = aside;
        Ok(outcome)
    }

    /// Stops the thing, and says DISCONNECT.
    pub(super) async fn stop(mut self) -> Result<(), Failure> {
        self.thing.stop(self.adapter.now())?;
        loop {
            if matches!(self.event().await?, Event::Stopped) {
                self.adapter.close().await;
                return Ok(());
            }
        }
    }

    /// The next event. Cancel safe.
    async fn event(&mut self) -> Result<Event, Failure> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let tell = |event| self.events.push_back(event);
            let stepped = self.adapter.step(&mut self.thing, tell).await?;
            if matches!(stepped, Stepped::Finished) && self.events.is_empty() {
                return Err("the thing has ended".into());
            }
        }
    }
}
