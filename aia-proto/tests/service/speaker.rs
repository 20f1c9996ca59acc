//! Rows 25 and 26.

use std::time::Duration;

use aia_proto::{
    Leaf,
    sequence::SequenceNumber,
    service::{End, Event, ExceptionCode, Fault, ServiceError, State},
};
use serde_json::{Value, json};

use crate::bench::{Bench, Peer, config, event, id};

const INTERVAL: Duration = Duration::from_millis(250);

fn state(state: &str, topic: &str, number: u64) -> Value {
    let message = json!({"topic": topic, "sequenceNumber": number});
    event("BufferStateChanged", &json!({"message": message, "state": state}))
}

fn streaming(config: aia_proto::service::Config, count: u8) -> (Bench, Peer) {
    let (mut bench, peer) = Bench::active(config);
    for byte in 0..count {
        bench.service.send_speaker(bench.now, &id(), &[byte]).unwrap();
    }
    bench.drain();
    (bench, peer)
}

/// Scenario 8 of section 14.10.
#[test]
fn a_device_without_room_gets_the_same_messages_again_in_its_time() {
    let (mut bench, mut peer) = streaming(config(), 45);
    let first = bench.take(Leaf::Speaker);
    bench.send_events(&mut peer, &[state("OVERRUN", "speaker", 42)]);
    let from = SequenceNumber::new(42);
    assert!(bench.events.contains(&Event::Redriving { client_id: id(), from }));
    assert_eq!(bench.take(Leaf::Speaker).len(), 0, "it has no room at once");
    // A new message waits for its turn.
    let number = bench.service.send_speaker(bench.now, &id(), &[45]).unwrap();
    bench.drain();
    assert_eq!((number.get(), bench.take(Leaf::Speaker).len()), (45, 0));

    let mut again = Vec::new();
    for byte in 42..=45 {
        let number = u32::from(byte);
        assert_eq!(bench.deadline, Some(bench.now.after(INTERVAL)));
        bench.sleep(INTERVAL);
        let [message] = &bench.take(Leaf::Speaker)[..] else { panic!("{number}") };
        assert_eq!(peer.open(message.clone()), (number, vec![byte]));
        again.push(message.clone());
    }
    assert_eq!(bench.deadline, None);
    for (old, new) in first[42..].iter().zip(&again) {
        assert_ne!(old[4..16], new[4..16], "an IV comes once");
    }
    // Then it goes on as before.
    bench.service.send_speaker(bench.now, &id(), &[46]).unwrap();
    bench.drain();
    assert_eq!(bench.opened(Leaf::Speaker, &peer), [(46, vec![46])]);
}

#[test]
fn the_topic_may_be_in_upper_case_and_other_states_change_nothing() {
    let (mut bench, mut peer) = streaming(config(), 3);
    bench.forget();
    let all = ["OVERRUN_WARNING", "UNDERRUN_WARNING", "UNDERRUN"];
    bench.send_events(&mut peer, &all.map(|name| state(name, "speaker", 1)));
    assert!(bench.events.iter().all(|event| matches!(event, Event::Received(_))));
    assert_eq!(bench.deadline, None);
    bench.send_events(&mut peer, &[state("OVERRUN", "SPEAKER", 1)]);
    assert!(bench.deadline.is_some());
}

#[test]
fn an_overrun_of_what_was_never_sent_is_malformed() {
    let (mut bench, mut peer) = streaming(config(), 3);
    bench.forget();
    let all = [
        state("OVERRUN", "speaker", 3),
        state("OVERRUN", "directive", 1),
        state("OVERRUN", "speaker", 1 << 32),
    ];
    bench.send_events(&mut peer, &all);
    assert_eq!(bench.exceptions(&peer), ["INVALID_REQUEST"; 3]);
    assert_eq!((bench.service.state(&id()), bench.deadline), (State::Active, None));
}

#[test]
fn an_overrun_of_what_is_not_kept_any_more_is_fatal() {
    let (mut bench, mut peer) = streaming(config().with_kept_speaker(2), 3);
    bench.forget();
    bench.send_events(&mut peer, &[state("OVERRUN", "speaker", 0)]);
    assert_eq!(bench.exceptions(&peer), ["INTERNAL_SERVICE", "Disconnect GOING_OFFLINE"]);
    let reason = End::Fatal(ExceptionCode::InternalService);
    assert_eq!(bench.events.last(), Some(&Event::Ended { client_id: id(), reason }));
}

#[test]
fn what_waits_is_never_pushed_out() {
    let (mut bench, mut peer) = streaming(config().with_kept_speaker(2), 2);
    bench.send_events(&mut peer, &[state("OVERRUN", "speaker", 0)]);
    bench.forget();
    let full = Err(ServiceError::SpeakerFull { client_id: id(), limit: 2 });
    assert_eq!(bench.service.send_speaker(bench.now, &id(), &[2]), full);
    bench.now = bench.now.after(INTERVAL);
    assert!(bench.service.send_speaker(bench.now, &id(), &[2]).is_ok());
    bench.sleep(INTERVAL * 2);
    let numbers = bench.opened(Leaf::Speaker, &peer).into_iter().map(|(number, _)| number);
    assert_eq!(numbers.collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn no_fault_strikes_what_is_sent_again() {
    let (mut bench, mut peer) = streaming(config(), 1);
    bench.service.inject(bench.now, &id(), Fault::Lose(Leaf::Speaker)).unwrap();
    bench.send_events(&mut peer, &[state("OVERRUN", "speaker", 0)]);
    bench.forget();
    bench.sleep(INTERVAL);
    assert_eq!(bench.take(Leaf::Speaker).len(), 1);
}
