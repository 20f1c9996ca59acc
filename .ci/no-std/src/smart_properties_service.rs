//! `smart-properties`, SNS's side.

use alloc::{boxed::Box, format, string::String, vec, vec::Vec};
use core::{error::Error, time::Duration};

use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis, WallClock};
use smart_properties::{
    AutomationId,
    service::{
        Attacker, Config, Endpoint, Event, Forgery, Form, Occurrence, Publication, RetryPolicy,
        Signer, Topic,
        transport::{Action, Answered, Attempt, DeliveryId, Failed, Visited},
    },
    sns::{Digest, SignatureVersion},
};

use crate::smart_properties::{topic, unit};

const NOW: MonoTime = MonoTime::ORIGIN;

/// Signs with nothing.
#[derive(Clone, Debug)]
struct Nobody;

impl Signer for Nobody {
    fn sign(&self, _digest: Digest, _string_to_sign: &[u8]) -> Vec<u8> {
        vec![0; 256]
    }

    fn certificate_url(&self) -> &str {
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem"
    }
}

pub(crate) fn topics() -> Result<(), Box<dyn Error>> {
    let policy = RetryPolicy::http()
        .with_patience(Duration::from_secs(1))
        .with_retries(1)
        .with_delay(Duration::from_secs(1));
    let config = Config::new(topic()?)
        .with_signature_version(SignatureVersion::V1)
        .with_http_retries(policy)
        .with_queue_retries(RetryPolicy::queue())
        .with_confirmation_window(Duration::from_secs(60))
        .with_max_subscriptions(10)
        .with_max_deliveries(10)
        .with_max_queued(10)
        .with_seed(7);
    let mut topic = Topic::new(config, Nobody, WallClock::new(NOW, UnixMillis::new(0)));
    topic.set_wall_clock(NOW, UnixMillis::new(1));
    let endpoint = Endpoint::Http("https://receiver.example/sns".into());
    let subscription = topic.subscribe(NOW, endpoint, Form::Envelope)?;
    let _ = (topic.confirm(NOW, "token"), format!("{subscription} {topic:?}"));
    let text = Occurrence::new("a-1", "2024-05-01T10:00:00Z")
        .success(&unit()?, &AutomationId::new("amzn1.alexa.automation.AUTO1")?)?;
    let publication = Publication::new(text).with_subject("s").delivered_twice();
    let _ = format!("{}", topic.publish(NOW, &publication)?);
    let attempt = Attempt::new(DeliveryId::new(1), 1);
    topic.handle_input(NOW, Answered::new(attempt, 200).into())?;
    topic.handle_input(NOW, Failed::new(attempt).into())?;
    topic.handle_input(NOW, Visited::new("https://x.example").into())?;
    topic.handle_timeout(MonoTime::MAX);
    drain(&mut topic);
    let _ = (topic.subscriptions().count(), topic.open_deliveries(), topic.is_finished());
    topic.unsubscribe(NOW, &subscription)?;
    Ok(())
}

fn drain(topic: &mut Topic<Nobody>) {
    let attacker = Attacker::new(Nobody, "{}");
    loop {
        match topic.poll_output() {
            Output::Action(Action::Deliver(seen)) => {
                let _ = seen.headers().count() + seen.body.len();
                for forgery in Forgery::ALL {
                    let forged = attacker.forge(&seen, forgery);
                    let _ = forged.map(|forged| forged.headers().count());
                }
            }
            Output::Action(other) => drop(format!("{other:?}")),
            Output::Event(Event::Delivered(ended)) => drop(String::from(ended.message_id.as_str())),
            Output::Event(event) => drop(format!("{event:?}")),
            Output::Idle(_) => return,
        }
    }
}
