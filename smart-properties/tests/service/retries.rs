//! When a delivery is tried again, and when it is given up (specification, section 6).

use core::time::Duration;

use iot_sansio::{Machine as _, MonoTime};
use smart_properties::service::{
    Config, Endpoint, Event, Failure, Form, GivenUp, Publication, RetryPolicy, Topic,
    transport::{Answered, Attempt, Deliver, DeliveryId, Failed},
};

use crate::peer::{StandIn, at, config, deadline, drain, topic};

/// A topic with one queue, and a message on its way to it.
///
/// A queue needs no confirmation.
fn published(config: Config) -> (Topic<StandIn>, Deliver) {
    let mut topic = topic(config);
    publish(&mut topic)
}

fn publish(topic: &mut Topic<StandIn>) -> (Topic<StandIn>, Deliver) {
    let queue = Endpoint::Queue("arn:aws:sqs:us-east-1:123456789012:q".into());
    topic.subscribe(at(0), queue, Form::Envelope).unwrap();
    topic.publish(at(0), &Publication::new("hello")).unwrap();
    let (mut delivers, _) = drain(topic);
    assert_eq!(delivers.len(), 1);
    (topic.clone(), delivers.remove(0))
}

fn answer(topic: &mut Topic<StandIn>, now: MonoTime, attempt: Attempt, status: u16) -> Vec<Event> {
    topic.handle_input(now, Answered::new(attempt, status).into()).unwrap();
    let (delivers, events) = drain(topic);
    assert_eq!(delivers, []);
    events
}

fn wait(topic: &mut Topic<StandIn>, now: MonoTime) -> (Vec<Deliver>, Vec<Event>) {
    topic.handle_timeout(now);
    drain(topic)
}

fn reason(events: &[Event]) -> Option<(GivenUp, u32)> {
    events.iter().find_map(|event| match event {
        Event::GivenUp { ended, reason } => Some((*reason, ended.attempts)),
        _ => None,
    })
}

#[test]
fn a_delivery_that_nobody_answers_is_tried_four_times_with_the_same_bytes() {
    let (mut topic, first) = published(config());
    let mut now = at(0);
    for number in 1..=3 {
        assert_eq!(deadline(&mut topic), Some(now.after(Duration::from_secs(15))));
        now = now.after(Duration::from_secs(15));
        let attempt = Attempt::new(first.attempt.delivery, number);
        let failed = Event::AttemptFailed { attempt, failure: Failure::Timeout };
        assert_eq!(wait(&mut topic, now), (vec![], vec![failed]));
        assert_eq!(deadline(&mut topic), Some(now.after(Duration::from_secs(20))));
        now = now.after(Duration::from_secs(20));
        let (delivers, events) = wait(&mut topic, now);
        let attempt = Attempt::new(first.attempt.delivery, number + 1);
        let [again] = &delivers[..] else { panic!("{delivers:?}") };
        assert_eq!(again.attempt, attempt);
        assert_eq!((&again.headers, &again.body), (&first.headers, &first.body));
        assert_eq!(events, []);
    }
    let (delivers, events) = wait(&mut topic, now.after(Duration::from_secs(15)));
    assert_eq!(delivers, []);
    assert_eq!(reason(&events), Some((GivenUp::Exhausted(Failure::Timeout), 4)));
    assert_eq!((deadline(&mut topic), topic.open_deliveries()), (None, 0));
}

#[test]
fn the_status_decides_what_follows() {
    for (status, expected) in [
        (199, None),
        (200, Some(Ok(()))),
        (299, Some(Ok(()))),
        (300, Some(Err(GivenUp::Refused(300)))),
        (400, Some(Err(GivenUp::Refused(400)))),
        (403, Some(Err(GivenUp::Refused(403)))),
        (499, Some(Err(GivenUp::Refused(499)))),
        (500, None),
        (503, None),
        (0, None),
    ] {
        let (mut topic, first) = published(config());
        let events = answer(&mut topic, at(1), first.attempt, status);
        match expected {
            Some(Ok(())) => assert!(matches!(&events[..], [Event::Delivered(_)]), "{status}"),
            Some(Err(given_up)) => assert_eq!(reason(&events), Some((given_up, 1))),
            None => {
                let failure = Failure::Status(status);
                assert_eq!(events, [Event::AttemptFailed { attempt: first.attempt, failure }]);
                assert_eq!(deadline(&mut topic), Some(at(21)), "{status}");
            }
        }
        let is_over = expected.is_some();
        assert_eq!(topic.open_deliveries(), usize::from(!is_over), "{status}");
    }
}

#[test]
fn a_broken_connection_is_a_failed_attempt() {
    let (mut topic, first) = published(config());
    topic.handle_input(at(3), Failed::new(first.attempt).into()).unwrap();
    let failure = Failure::Unreachable;
    let failed = Event::AttemptFailed { attempt: first.attempt, failure };
    assert_eq!(drain(&mut topic), (vec![], vec![failed]));
    let (delivers, _) = wait(&mut topic, at(23));
    assert_eq!(delivers.len(), 1);
    assert!(matches!(
        &answer(&mut topic, at(24), delivers[0].attempt, 200)[..],
        [Event::Delivered(ended)] if ended.attempts == 2
    ));
}

#[test]
fn an_answer_that_is_late_or_to_something_else_counts_for_nothing() {
    let (mut topic, first) = published(config());
    let before = topic.clone();
    for attempt in [
        Attempt::new(first.attempt.delivery, 0),
        Attempt::new(first.attempt.delivery, 2),
        Attempt::new(DeliveryId::new(first.attempt.delivery.get() + 1), 1),
    ] {
        assert_eq!(answer(&mut topic, at(0), attempt, 200), []);
        assert_eq!(topic, before);
    }
    // At the moment its time is up it has failed already.
    let events = answer(&mut topic, at(15), first.attempt, 200);
    let failure = Failure::Timeout;
    assert_eq!(events, [Event::AttemptFailed { attempt: first.attempt, failure }]);
    assert_eq!(answer(&mut topic, at(16), first.attempt, 200), []);
    assert_eq!(answer(&mut topic, at(17), first.attempt, 500), [], "and it fails once");
    let (delivers, _) = wait(&mut topic, at(35));
    assert_eq!(answer(&mut topic, at(36), first.attempt, 200), []);
    assert_eq!(answer(&mut topic, at(37), delivers[0].attempt, 200).len(), 1);
    assert_eq!(answer(&mut topic, at(38), delivers[0].attempt, 200), []);
}

#[test]
fn no_policy_takes_longer_than_an_hour() {
    let policy = RetryPolicy::http().with_retries(u32::MAX).with_delay(Duration::from_secs(1_000));
    let mut topic = topic(config().with_retries(policy));
    let (_, first) = publish(&mut topic);
    let (mut now, mut attempts) = (at(0), 1);
    while let Some(next) = deadline(&mut topic) {
        now = next;
        let (delivers, events) = wait(&mut topic, now);
        attempts += delivers.len();
        if let Some((reason, times)) = reason(&events) {
            assert_eq!(reason, GivenUp::Exhausted(Failure::Timeout));
            assert_eq!(usize::try_from(times), Ok(attempts));
        }
    }
    // At 0, 1015, 2030 and 3045 s; one more would be at 4060 s.
    assert_eq!((attempts, now), (4, at(3_060)));
    assert_eq!(first.attempt.number, 1);
}

#[test]
fn without_a_pause_the_next_attempt_comes_at_once() {
    let policy = RetryPolicy::http().with_delay(Duration::ZERO);
    let mut topic = topic(config().with_retries(policy));
    let (_, first) = publish(&mut topic);
    topic.handle_input(at(1), Answered::new(first.attempt, 500).into()).unwrap();
    let (delivers, events) = drain(&mut topic);
    assert_eq!((delivers.len(), events.len()), (1, 1));
    assert_eq!(delivers[0].attempt.number, 2);
}
