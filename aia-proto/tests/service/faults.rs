//! Faults and replays.

use aia_proto::{
    Leaf,
    connection::AcknowledgeCode,
    protect::OpenError,
    service::{Event, Fault, ServiceError, State},
};

use crate::bench::{Bench, Peer, config, connect, established, id};

fn with_fault(fault: Fault) -> (Bench, Peer) {
    let (mut bench, peer) = Bench::active(config());
    bench.service.inject(bench.now, &id(), fault).unwrap();
    (bench, peer)
}

fn directives(bench: &mut Bench, count: usize) -> Vec<Vec<u8>> {
    for _ in 0..count {
        bench.service.send_directive(bench.now, &id(), "Any", None).unwrap();
    }
    bench.drain();
    bench.take(Leaf::Directive)
}

fn numbers(peer: &Peer, messages: Vec<Vec<u8>>) -> Vec<u32> {
    messages.into_iter().map(|message| peer.open(message).0).collect()
}

/// Row 8.
#[test]
fn a_connect_is_refused_with_any_code() {
    let mut bench = Bench::new(config());
    for code in [AcknowledgeCode::UnknownFailure, AcknowledgeCode::from("NEW")] {
        bench.service.inject(bench.now, &id(), Fault::Acknowledge(code)).unwrap();
    }
    for expected in ["Acknowledge UNKNOWN_FAILURE", "Acknowledge NEW"] {
        bench.clear_message(&connect("m-1"));
        assert_eq!(bench.answers(), [expected]);
        assert_eq!(bench.service.state(&id()), State::Idle);
    }
    bench.clear_message(&connect("m-1"));
    assert_eq!(bench.answers(), [established()]);
}

#[test]
fn a_refused_connect_uses_no_fault_up() {
    let mut bench = Bench::new(config());
    bench.service.inject(bench.now, &id(), Fault::LoseConnect).unwrap();
    let text = String::from_utf8(connect("m-1")).unwrap().replace("123456789012", "0");
    bench.clear_message(text.as_bytes());
    assert_eq!(bench.answers(), ["Acknowledge INVALID_ACCOUNT_ID"]);
    bench.clear_message(&connect("m-1"));
    assert_eq!(bench.published, []);
    assert_eq!(bench.events.last(), Some(&Event::Faulted { client_id: id() }));
    assert_eq!(bench.service.state(&id()), State::Idle);
}

/// The service's part in scenario 2 of section 14.10.
#[test]
fn a_lost_acknowledge_leaves_a_connection_that_the_next_one_replaces() {
    let mut bench = Bench::new(config());
    bench.service.inject(bench.now, &id(), Fault::LoseAcknowledge).unwrap();
    bench.clear_message(&connect("m-1"));
    assert_eq!((&bench.published[..], bench.service.state(&id())), (&[][..], State::Fresh));
    bench.clear_message(&connect("m-2"));
    assert_eq!(bench.answers(), [established()]);
}

#[test]
fn a_message_is_lost_doubled_changed_or_broken_once_on_its_topic() {
    let leaf = Leaf::Directive;
    let (mut bench, peer) = with_fault(Fault::Lose(leaf));
    bench.service.send_speaker(bench.now, &id(), b"s").unwrap();
    assert_eq!(numbers(&peer, directives(&mut bench, 3)), [1, 2]);
    assert_eq!(bench.take(Leaf::Speaker).len(), 1, "it is for directives only");

    let (mut bench, peer) = with_fault(Fault::Duplicate(leaf));
    let messages = directives(&mut bench, 2);
    assert_eq!(messages[0], messages[1]);
    assert_eq!(numbers(&peer, messages), [0, 0, 1]);

    let (mut bench, peer) = with_fault(Fault::Tamper(leaf));
    let mut messages = directives(&mut bench, 2);
    let opened = peer.cipher.open_in_place(&mut messages[0]);
    let Err(OpenError::Tampered { outer, inner }) = opened else { panic!("{opened:?}") };
    assert_eq!((outer.get(), inner.get()), (1, 0));
    assert_eq!(peer.open(messages.remove(1)).0, 1);

    let (mut bench, peer) = with_fault(Fault::Corrupt(leaf));
    let mut messages = directives(&mut bench, 2);
    assert_eq!(peer.cipher.open_in_place(&mut messages[0]), Err(OpenError::BadTag));
    assert_eq!(peer.open(messages.remove(1)).0, 1);
}

#[test]
fn a_replay_is_the_last_message_byte_for_byte_also_of_an_earlier_connection() {
    let (mut bench, _) = Bench::active(config());
    let nothing = Err(ServiceError::NothingSent { client_id: id() });
    assert_eq!(bench.service.replay(bench.now, &id(), Leaf::Directive), nothing);
    let last = directives(&mut bench, 2).remove(1);
    let replay = |bench: &mut Bench| {
        bench.service.replay(bench.now, &id(), Leaf::Directive).unwrap();
        bench.drain();
        bench.take(Leaf::Directive)
    };
    assert_eq!(replay(&mut bench), std::slice::from_ref(&last));
    bench.clear_message(&connect("m-2"));
    assert_eq!(replay(&mut bench), std::slice::from_ref(&last));
    // With its clear number raised.
    bench.service.inject(bench.now, &id(), Fault::Tamper(Leaf::Directive)).unwrap();
    let [raised] = &replay(&mut bench)[..] else { panic!() };
    assert_eq!((raised[0], &raised[1..]), (last[0] + 1, &last[1..]));
}

#[test]
fn faults_are_bounded_and_can_be_cleared() {
    let mut bench = Bench::new(config().with_max_faults(1));
    let fault = Fault::LoseConnect;
    bench.service.inject(bench.now, &id(), fault.clone()).unwrap();
    let full = Err(ServiceError::TooManyFaults { client_id: id(), limit: 1 });
    assert_eq!(bench.service.inject(bench.now, &id(), fault), full);
    bench.service.clear_faults(bench.now, &id()).unwrap();
    bench.clear_message(&connect("m-1"));
    assert_eq!(bench.answers(), [established()]);
}
