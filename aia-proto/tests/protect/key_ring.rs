//! Rings of keys, against a search through every rotation whose numbers do not wrap.

use aia_proto::{
    Leaf,
    protect::{KeyRing, PushError, SharedSecret, Starts},
    sequence::SequenceNumber,
};
use proptest::{collection::vec, prelude::*};

/// The four topics that rotations concern.
const LEAVES: [Leaf; 4] = [Leaf::Directive, Leaf::Speaker, Leaf::Event, Leaf::Microphone];
const MARGIN: u64 = 32;
const MAX_KEYS: usize = 8;

/// Numbers in 64 bits, which never wrap, and every rotation there ever was.
struct Naive {
    /// The next number of each topic.
    next: [u64; 4],
    /// The last of them that has started counts.
    rotations: Vec<[u64; 4]>,
}

impl Naive {
    /// The place of a key: 0 is the first of the connection.
    fn key(&self, topic: usize, number: u64) -> usize {
        self.rotations
            .iter()
            .rposition(|starts| starts[topic] <= number)
            .map_or(0, |place| place + 1)
    }

    /// How many keys are in use: a key is not while every topic is a margin past the start of a later one.
    fn in_use(&self) -> usize {
        let settled = |topic: usize| {
            let passed = |starts: &[u64; 4]| starts[topic] + MARGIN <= self.next[topic];
            self.rotations.iter().rposition(passed).map_or(0, |place| place + 1)
        };
        let settled = (0..4).map(settled).min().unwrap_or(0);
        // The first is kept for the topics of `capabilities`.
        1 + self.rotations.len() - settled.saturating_sub(1)
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A topic goes on by so many messages.
    Advance(usize, u64),
    /// A rotation that starts so many messages after the next of each topic.
    Rotate([u64; 4]),
}

fn any_step() -> impl Strategy<Value = Step> {
    let steps = prop_oneof![4 => 0..10_u64, 4 => 0..100_u64, 1 => Just(1 << 30)];
    let ahead = prop_oneof![8 => 0..20_u64, 1 => 0..1_000_u64];
    let starts = [ahead.clone(), ahead.clone(), ahead.clone(), ahead];
    let advance = (0..4_usize, steps).prop_map(|(topic, steps)| Step::Advance(topic, steps));
    prop_oneof![3 => advance, 1 => starts.prop_map(Step::Rotate)]
}

fn secret(place: usize) -> SharedSecret {
    SharedSecret::from_bytes(&[u8::try_from(place).unwrap(); 32]).unwrap()
}

fn number(unrolled: u64) -> SequenceNumber {
    #[expect(clippy::cast_possible_truncation, reason = "that is how numbers wrap")]
    SequenceNumber::new(unrolled as u32)
}

proptest! {
    #[test]
    fn a_ring_gives_what_a_search_gives(
        begin in [0..1_u64 << 32, 0..1_u64 << 32, 0..1_u64 << 32, 0..1_u64 << 32],
        near_wrap: bool,
        steps in vec(any_step(), 0..60),
    ) {
        let begin = if near_wrap { begin.map(|number| (1 << 32) - number % 64) } else { begin };
        let mut naive = Naive { next: begin, rotations: Vec::new() };
        let mut ring = KeyRing::new(&secret(0)).with_max_keys(MAX_KEYS);
        for step in steps {
            match step {
                Step::Advance(topic, steps) => {
                    // Told of each message, as a machine does: here of enough of them.
                    for _ in 0..4 {
                        naive.next[topic] += steps / 4;
                        ring.advance(LEAVES[topic], number(naive.next[topic]));
                    }
                }
                Step::Rotate(ahead) => {
                    let start = |topic: usize| naive.next[topic] + ahead[topic];
                    let starts = [0, 1, 2, 3].map(start);
                    let [directive, speaker, event, microphone] = starts.map(number);
                    let told = Starts::new(directive, speaker, event).with_microphone(microphone);
                    let pushed = ring.push(&secret(naive.rotations.len() + 1), told);
                    if naive.in_use() < MAX_KEYS {
                        prop_assert_eq!(pushed, Ok(()));
                        naive.rotations.push(starts);
                    } else {
                        prop_assert_eq!(pushed, Err(PushError::Full { limit: MAX_KEYS }));
                    }
                }
            }
            prop_assert_eq!(ring.len(), naive.in_use());
            prop_assert_eq!(ring.newest(), &secret(naive.rotations.len()));
            for (topic, leaf) in LEAVES.into_iter().enumerate() {
                let next = naive.next[topic];
                // As far back and ahead as windows reach.
                for at in next.saturating_sub(MARGIN / 2).max(begin[topic])..next + MARGIN / 2 {
                    let found = ring.key(leaf, number(at)).secret();
                    prop_assert_eq!(found, &secret(naive.key(topic, at)), "{:?} {}", leaf, at);
                }
            }
            for leaf in [Leaf::CapabilitiesPublish, Leaf::CapabilitiesAcknowledge] {
                prop_assert_eq!(ring.key(leaf, number(naive.next[0])).secret(), &secret(0));
            }
        }
    }
}

/// Decision Q21: half of all numbers come after a start.
#[test]
fn a_start_reaches_half_way_round() {
    let mut ring = KeyRing::new(&secret(0));
    let start = number(u64::from(u32::MAX) - 5);
    ring.push(&secret(1), Starts::new(start, start, start)).unwrap();
    for (steps, place) in [(0, 1), ((1 << 31) - 1, 1), (1 << 31, 0), (u32::MAX, 0)] {
        let found = ring.key(Leaf::Directive, start.plus(steps)).secret();
        assert_eq!(found, &secret(place), "{steps} steps after the start");
    }
    // A topic that is past it takes no older key, however far it goes.
    ring.advance(Leaf::Directive, start.plus(1 << 31));
    ring.advance(Leaf::Directive, start.plus(31));
    assert_eq!(ring.key(Leaf::Directive, start.plus(1 << 31)).secret(), &secret(0));
    ring.advance(Leaf::Directive, start.plus((1 << 31) - 1));
    for steps in [0, (1 << 31) - 1, 1 << 31, u32::MAX] {
        assert_eq!(ring.key(Leaf::Directive, start.plus(steps)).secret(), &secret(1));
    }
}

#[test]
fn a_secret_of_another_length_is_refused() {
    let mut ring = KeyRing::new(&secret(0));
    let before = ring.clone();
    let starts = Starts::new(number(0), number(0), number(0));
    let short = SharedSecret::from_bytes(&[1; 16]).unwrap();
    assert_eq!(ring.push(&short, starts), Err(PushError::KeyLength { len: 16, expected: 32 }));
    assert_eq!(ring, before);
}

/// Nothing is sent on a topic without a start, so it must not keep old keys.
#[test]
fn a_topic_that_is_not_used_holds_nothing_back() {
    let mut ring = KeyRing::new(&secret(0)).with_margin(2);
    for rotation in 1..=200 {
        let start = u64::try_from(rotation).unwrap() * 10;
        ring.push(&secret(rotation), Starts::new(number(start), number(start), number(start)))
            .unwrap();
        for leaf in [Leaf::Directive, Leaf::Speaker, Leaf::Event] {
            ring.advance(leaf, number(start + 2));
        }
        assert_eq!(ring.len(), 2);
    }
}
