//! A topic against the contract, and what must hold of it whatever happens.

use core::time::Duration;
use std::collections::BTreeSet;

use iot_sansio::{Machine as _, MonoTime, UnixMillis, sim::Contract};
use proptest::prelude::*;
use smart_properties::{
    service::{
        Config, Endpoint, Event, Form, Publication, RetryPolicy, ServiceError, SubscriptionArn,
        Topic,
        transport::{Answered, Attempt, DeliveryId, Failed, Visited},
    },
    sns::SignatureVersion,
};

use crate::peer::{START, StandIn, config, drain, http, topic};

const BODY: &str = "canary-body-0004";
const MAX_SUBSCRIPTIONS: usize = 5;
const MAX_DELIVERIES: usize = 12;

/// A step of a topic: an input of its transport, or a command.
#[derive(Clone, Debug)]
enum Step {
    Answered(Attempt, u16),
    Failed(Attempt),
    /// The URL of the subscription that came so far down, or one that nobody knows.
    Visited(usize),
    Confirm(usize),
    Subscribe(Endpoint, Form),
    Unsubscribe(usize),
    Publish(Publication),
    SetWallClock(i64),
    Timeout,
}

fn small() -> Config {
    config()
        .with_max_subscriptions(MAX_SUBSCRIPTIONS)
        .with_max_deliveries(MAX_DELIVERIES)
        .with_signature_version(SignatureVersion::V1)
        .with_retries(RetryPolicy::http().with_delay(Duration::ZERO))
}

/// The names and tokens that a topic with this seed makes first.
struct Made {
    arns: Vec<SubscriptionArn>,
    urls: Vec<String>,
    tokens: Vec<String>,
}

fn made() -> Made {
    let mut topic = topic(config());
    let arns = (0..3)
        .map(|number| topic.subscribe(MonoTime::ORIGIN, http(number), Form::Envelope).unwrap());
    let arns = arns.collect();
    let (delivers, _) = drain(&mut topic);
    let member = |name: &str| {
        let values = delivers.iter().map(|deliver| {
            let body: serde_json::Value = serde_json::from_slice(&deliver.body).unwrap();
            body[name].as_str().unwrap().to_owned()
        });
        let mut values: Vec<_> = values.collect();
        values.push(format!("{}x", values[0]));
        values
    };
    Made { urls: member("SubscribeURL"), tokens: member("Token"), arns }
}

fn feed(
    made: &Made,
    topic: &mut Topic<StandIn>,
    now: MonoTime,
    step: &Step,
) -> Result<(), ServiceError> {
    match step {
        Step::Answered(attempt, status) => {
            topic.handle_input(now, Answered::new(*attempt, *status).into())
        }
        Step::Failed(attempt) => topic.handle_input(now, Failed::new(*attempt).into()),
        Step::Visited(index) => topic.handle_input(now, Visited::new(&made.urls[*index]).into()),
        Step::Confirm(index) => topic.confirm(now, &made.tokens[*index]).map(drop),
        Step::Subscribe(endpoint, form) => topic.subscribe(now, endpoint.clone(), *form).map(drop),
        Step::Unsubscribe(index) => topic.unsubscribe(now, &made.arns[*index]),
        Step::Publish(publication) => topic.publish(now, publication).map(drop),
        Step::SetWallClock(millis) => {
            topic.set_wall_clock(now, UnixMillis::new(START.get().saturating_add(*millis)));
            Ok(())
        }
        Step::Timeout => {
            topic.handle_timeout(now);
            Ok(())
        }
    }
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let delivery = (1_u64..20).prop_map(DeliveryId::new);
    let number = prop_oneof![6 => Just(1_u32), 2 => Just(2), 1 => 0_u32..6];
    (delivery, number).prop_map(|(delivery, number)| Attempt::new(delivery, number))
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    prop_oneof![
        6 => (0_u32..6).prop_map(http),
        1 => Just(Endpoint::Queue("arn:aws:sqs:us-east-1:123456789012:q".into())),
        1 => Just(Endpoint::Function("arn:aws:lambda:us-east-1:123456789012:function:f".into())),
    ]
}

fn publication() -> impl Strategy<Value = Publication> {
    let subject = prop::sample::select(&["", "Alexa event", "two\nlines"][..]);
    (prop::option::weighted(0.4, subject), any::<bool>()).prop_map(|(subject, twice)| {
        let publication = Publication::new(BODY);
        let publication = match subject {
            Some(subject) => publication.with_subject(subject),
            None => publication,
        };
        if twice { publication.delivered_twice() } else { publication }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop::sample::select(&[200_u16, 200, 204, 302, 400, 403, 500, 503][..]);
    let form = prop::sample::select(&[Form::Envelope, Form::Raw][..]);
    let clock = prop_oneof![-90_000_i64..90_000, Just(i64::MAX)];
    prop_oneof![
        10 => (attempt(), status).prop_map(|(attempt, status)| Step::Answered(attempt, status)),
        3 => attempt().prop_map(Step::Failed),
        5 => (0_usize..4).prop_map(Step::Visited),
        2 => (0_usize..4).prop_map(Step::Confirm),
        5 => (endpoint(), form).prop_map(|(endpoint, form)| Step::Subscribe(endpoint, form)),
        2 => (0_usize..3).prop_map(Step::Unsubscribe),
        8 => publication().prop_map(Step::Publish),
        1 => clock.prop_map(Step::SetWallClock),
        2 => Just(Step::Timeout),
    ]
}

/// Most scripts begin with three subscriptions of HTTP, whose tokens are known. Times go on by little or much, and now
/// and then back.
fn script() -> impl Strategy<Value = Vec<(MonoTime, Step)>> {
    let pause =
        prop_oneof![6 => 0_u64..3_000, 1 => Just(15_000), 1 => Just(20_000), 1 => 0_u64..99_000];
    let moves = prop::collection::vec((pause, any::<bool>(), step()), 1..50);
    let subscribed = prop::bool::weighted(0.9);
    (subscribed, moves).prop_map(|(subscribed, moves)| {
        let first = (0..3).filter(|_| subscribed).flat_map(|number| {
            [Step::Subscribe(http(number), Form::Envelope), Step::Visited(number as usize)]
        });
        // All are made before one is visited, so that tokens are the ones that are known.
        let (subscribes, visits): (Vec<_>, Vec<_>) =
            first.partition(|step| matches!(step, Step::Subscribe(..)));
        let first = subscribes.into_iter().chain(visits.into_iter().take(2));
        let mut now = 0;
        let mut script: Vec<_> = first.map(|step| (MonoTime::ORIGIN, step)).collect();
        for (pause, goes_back, step) in moves {
            now += pause;
            let then = if goes_back && pause % 7 == 0 { now / 2 } else { now };
            script.push((MonoTime::from_millis(then), step));
        }
        script
    })
}

fn check(script: &[(MonoTime, Step)], max_queued: usize, seed: u64) -> Result<(), String> {
    let made = made();
    let config = small().with_max_queued(max_queued);
    // Beyond the limit come what is due before a step, and what it says; and both once more while it is drained.
    let bound = max_queued + 2 * (3 * MAX_DELIVERIES + MAX_SUBSCRIPTIONS);
    let tokens: Vec<_> = made.tokens.iter().map(String::as_str).chain([BODY]).collect();
    let feed = |it: &mut Topic<StandIn>, now, step: &Step| feed(&made, it, now, step);
    Contract::new(|| topic(config.clone()), feed, Topic::clone, bound)
        .with_canaries(&tokens)
        .with_seed(seed)
        .check(script)
        .map_err(|violation| violation.to_string())
}

proptest! {
    // A long queue takes long to fill.
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_topic_keeps_the_contract(script in script(), seed: u64) {
        prop_assert_eq!(check(&script, 250, seed), Ok(()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_topic_whose_queue_is_often_full_keeps_the_contract(
        mut script in script(),
        max_queued in 1_usize..40,
        seed: u64,
    ) {
        // Time that passes cannot be refused: what a full queue holds back happens later then.
        script.retain(|(_, step)| !matches!(step, Step::Timeout | Step::SetWallClock(_)));
        prop_assert_eq!(check(&script, max_queued, seed), Ok(()));
    }

}

proptest! {
    /// And attempts are counted without a gap, and none comes after the end.
    #[test]
    fn every_delivery_ends_once(script in script()) {
        let made = made();
        let mut topic = topic(small());
        let (mut open, mut over) = (BTreeSet::new(), BTreeSet::new());
        let end = script.iter().map(|(now, _)| *now).max().unwrap_or_default();
        let mut last = std::collections::BTreeMap::new();
        let later = (1..200).map(|minute| (end.after(Duration::from_secs(60 * minute)), Step::Timeout));
        for (now, step) in script.into_iter().chain(later) {
            // A refusal leaves no trace, which the contract proves.
            let _ = feed(&made, &mut topic, now, &step);
            let (delivers, events) = drain(&mut topic);
            for deliver in delivers {
                let Attempt { delivery, number, .. } = deliver.attempt;
                prop_assert!(!over.contains(&delivery), "{delivery:?} after its end");
                let before = last.insert(delivery, number).unwrap_or(0);
                prop_assert_eq!(before + 1, number);
                open.insert(delivery);
            }
            for event in events {
                if let Event::Delivered(ended) | Event::GivenUp { ended, .. } = event {
                    prop_assert!(open.remove(&ended.delivery), "{ended:?} ended twice, or before it began");
                    prop_assert_eq!(last.get(&ended.delivery), Some(&ended.attempts));
                    over.insert(ended.delivery);
                }
            }
            prop_assert_eq!(topic.open_deliveries(), open.len());
        }
        prop_assert!(open.is_empty(), "{open:?} never ended");
    }
}
