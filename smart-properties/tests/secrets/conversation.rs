//! SNS's own side, from the first subscription to the last, and whoever listens.

use core::fmt::Debug;

use iot_sansio::{Machine as _, MonoTime, Output, WallClock};
use smart_properties::{
    service::{
        Attacker, Config, Endpoint, Event as Told, Forgery, Form, Occurrence, Publication, Topic,
        transport::{Action, Answered, Deliver, Failed, Input, Visited},
    },
    sns::{Classifier, Headers, Via},
};

use crate::{
    BODY, StandIn, TOKEN, WALL, arn, check_for, completion, explains_itself, keeps_quiet,
    subscribe_url, unit,
};

#[test]
fn a_whole_conversation_keeps_quiet() {
    let clock = WallClock::new(MonoTime::ORIGIN, WALL);
    let config = Config::new(arn());
    keeps_quiet(&config);
    let mut talk = Talk {
        topic: Topic::new(config, StandIn, clock),
        sent: Vec::new(),
        secrets: Vec::new(),
        told: Vec::new(),
    };
    let now = MonoTime::ORIGIN;
    let http = Endpoint::Http("https://receiver.example/sns".into());
    let queue = Endpoint::Queue("arn:aws:sqs:us-east-1:123456789012:q".into());
    let function = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let subscription = talk.topic.subscribe(now, http, Form::Envelope).unwrap();
    talk.topic.subscribe(now, queue, Form::Raw).unwrap();
    talk.topic.subscribe(now, Endpoint::Function(function.into()), Form::Envelope).unwrap();
    talk.carry_all();
    let (url, token) = talk.secrets[0].clone();
    explains_itself(talk.topic.confirm(now, TOKEN));
    for visited in ["https://canary.example/", &subscribe_url()] {
        keeps_quiet(&Input::from(Visited::new(visited)));
        explains_itself(talk.topic.handle_input(now, Visited::new(visited).into()));
    }
    let visited = Input::from(Visited::new(&url));
    check_for(&format!("{visited:?}"), &token);
    talk.topic.handle_input(now, visited).unwrap();
    talk.carry_all();

    let publication = Publication::new(completion()).with_subject(BODY).delivered_twice();
    keeps_quiet(&publication);
    talk.topic.publish(now, &publication).unwrap();
    explains_itself(talk.topic.publish(now, &Publication::new(BODY).with_subject("canary\n")));
    explains_itself(talk.topic.publish(now, &Publication::new(BODY.repeat(30_000))));
    talk.print();
    talk.carry_all();
    let room = unit();
    let occurrence = Occurrence::new("a-1", "2024-05-01T10:00:00Z");
    keeps_quiet(&occurrence);
    talk.topic
        .publish(now, &Publication::new(occurrence.activation(&room, None).unwrap()))
        .unwrap();
    talk.carry_all();
    talk.topic.unsubscribe(now, &subscription).unwrap();
    explains_itself(talk.topic.unsubscribe(now, &subscription));
    talk.carry_all();
    assert_eq!(talk.secrets.len(), 2, "one token to subscribe, and one to do so again");

    let attacker = Attacker::new(StandIn, BODY);
    keeps_quiet(&attacker);
    for seen in &talk.sent {
        for forgery in Forgery::ALL {
            if let Some(forged) = attacker.forge(seen, forgery) {
                talk.check(&forged);
                let headers = Headers::from_pairs(forged.headers());
                match Classifier::new(Via::Http).classify(&forged.body, &headers) {
                    Ok(inbound) => talk.check(&inbound),
                    refused => explains_itself(refused),
                }
            }
        }
    }
    for name in ["Confirmed", "AttemptFailed", "Delivered", "GivenUp"] {
        assert!(talk.told.iter().any(|told| told.starts_with(name)), "{name}: {:?}", talk.told);
    }
}

/// A topic, and what it has sent and told.
struct Talk {
    topic: Topic<StandIn>,
    sent: Vec<Deliver>,
    /// The URLs and tokens that it made up.
    secrets: Vec<(String, String)>,
    told: Vec<String>,
}

impl Talk {
    fn carry_all(&mut self) {
        let now = MonoTime::ORIGIN;
        loop {
            self.print();
            match self.topic.poll_output() {
                Output::Action(Action::Deliver(deliver)) => {
                    self.learn(&deliver);
                    self.check(&Action::Deliver(deliver.clone()));
                    let first = deliver.attempt.number == 1;
                    // Each way that a delivery can end, one after the other.
                    let input = match self.sent.len() % 4 {
                        1 if first => Failed::new(deliver.attempt).into(),
                        2 => Answered::new(deliver.attempt, 403).into(),
                        _ => Answered::new(deliver.attempt, 200).into(),
                    };
                    keeps_quiet(&input);
                    self.sent.push(deliver);
                    self.topic.handle_input(now, input).unwrap();
                }
                Output::Action(other) => panic!("not known here: {other:?}"),
                Output::Event(event) => {
                    self.check(&event);
                    let (Told::Confirmed { .. }
                    | Told::AttemptFailed { .. }
                    | Told::Delivered(_)
                    | Told::GivenUp { .. }) = &event
                    else {
                        panic!("not known here: {event:?}")
                    };
                    self.told.push(format!("{event:?}"));
                }
                Output::Idle(_) => return,
            }
        }
    }

    /// Takes the token out of a confirmation.
    fn learn(&mut self, deliver: &Deliver) {
        let Ok(body) = serde_json::from_slice::<serde_json::Value>(&deliver.body) else { return };
        if let (Some(url), Some(token)) = (body["SubscribeURL"].as_str(), body["Token"].as_str()) {
            self.secrets.push((url.into(), token.into()));
        }
    }

    fn print(&self) {
        self.check(&self.topic);
    }

    fn check(&self, value: &dyn Debug) {
        keeps_quiet(value);
        let printed = format!("{value:?}");
        self.secrets.iter().for_each(|(_, token)| check_for(&printed, &token[..32]));
    }
}
