//! A topic, a receiver, the lines between them, and somebody who forges.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use iot_sansio::{
    Machine as _, MonoTime, Output, UnixMillis,
    sim::{Faults, Line},
};
use smart_properties::{
    gate::Level,
    service::{
        Attacker, Event, Failure, Forgery, Form, GivenUp, MessageId, Publication, ServiceError,
        Topic,
        transport::{Action, Answered, Attempt, Deliver, Failed, Visited},
    },
    sns::Answer,
};

use super::{
    Sum,
    receiver::{Origin, Receiver, Reply},
    truth::{Fact, ROOMS, Truth, room},
};
use crate::peer::{CLOCK, StandIn, config, http};

/// A request on its way.
#[derive(Clone)]
struct Post {
    origin: Origin,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

pub(super) struct World {
    now: MonoTime,
    rng: Rng,
    signer: StandIn,
    topic: Topic<StandIn>,
    receiver: Receiver,
    posts: Line<Post>,
    answers: Line<(Attempt, u16)>,
    visits: Line<String>,
    attacker: Attacker<StandIn>,
    /// What the attacker saw, and when.
    seen: Vec<(UnixMillis, Deliver)>,
    /// When the rooms will have been created.
    creations: Vec<(MonoTime, usize)>,
    truth: Truth,
    numbered: u32,
    /// What was published, and what became of its deliveries.
    messages: BTreeMap<MessageId, (String, Vec<Result<(), GivenUp>>)>,
    /// What a forgery, a replay or nothing was answered.
    forged: BTreeMap<String, usize>,
    replayed: usize,
    too_old: usize,
    late: usize,
    no_certificate: usize,
}

impl World {
    pub(super) fn new(seed: u64, faults: Faults) -> Self {
        let mut rng = Rng::with_seed(seed);
        let signer = StandIn::of_sns();
        let lie = Fact::Active(0).text("lie", CLOCK.at(MonoTime::ORIGIN));
        let lie = lie.replace("ROOM0", "LIE");
        let creations = (0..ROOMS).map(|room| (MonoTime::from_millis(rng.u64(..300_000)), room));
        Self {
            now: MonoTime::ORIGIN,
            topic: Topic::new(config().with_seed(seed), signer.clone(), CLOCK),
            signer,
            receiver: Receiver::new(seed),
            posts: Line::new(faults, seed + 1),
            answers: Line::new(faults, seed + 2),
            visits: Line::new(faults, seed + 3),
            attacker: Attacker::new(StandIn::of_attacker(), lie),
            seen: Vec::new(),
            creations: creations.collect(),
            truth: Truth::default(),
            numbered: 0,
            messages: BTreeMap::new(),
            forged: BTreeMap::new(),
            replayed: 0,
            too_old: 0,
            late: 0,
            no_certificate: 0,
            rng,
        }
    }

    /// A little of everything, then some time.
    pub(super) fn round(&mut self) {
        let is_subscribed = self.topic.subscriptions().next().is_some();
        if !is_subscribed && self.topic.open_deliveries() == 0 {
            self.topic.subscribe(self.now, http(1), Form::Envelope).unwrap();
            self.drain();
        }
        if is_subscribed && self.rng.u8(..) < 3 {
            let subscription = self.topic.subscriptions().next().unwrap().clone();
            self.topic.unsubscribe(self.now, &subscription).unwrap();
            self.drain();
        } else if is_subscribed {
            for _ in 0..self.rng.usize(..6) {
                self.publish();
            }
        }
        for _ in 0..self.rng.usize(..4) {
            self.attack();
        }
        if self.rng.u8(..) < 40 {
            self.signer.rotate();
        }
        // Now and then longer than a replay is young.
        let millis = match self.rng.u8(..) {
            0..3 => 80 * 60_000,
            3..60 => self.rng.u64(..60_000),
            _ => self.rng.u64(..9_000),
        };
        self.run_until(self.now.after(Duration::from_millis(millis)));
    }

    /// From here on nothing goes wrong.
    pub(super) fn calm_down(&mut self) {
        self.posts.set_faults(Faults::none());
        self.answers.set_faults(Faults::none());
        self.visits.set_faults(Faults::none());
        self.receiver.is_troubled = false;
        self.run_until(self.now.after(Duration::from_secs(3_600)));
    }

    fn wall(&self) -> UnixMillis {
        CLOCK.at(self.now)
    }

    fn publish(&mut self) {
        let fact = Fact::random(&mut self.rng);
        // It happened up to eight seconds ago; the seconds before the start are of the same day.
        let at = self.wall().before(Duration::from_millis(self.rng.u64(..8_000)));
        let again = self.rng.u8(..) < 50 && fact != Fact::Text;
        let published = self.wall();
        if !self.truth.happened(fact, at, published, again) {
            return;
        }
        self.numbered += 1;
        let text = fact.text(&format!("event-{}", self.numbered), at);
        self.truth.add(text.clone(), fact, at, published);
        let mut publication = Publication::new(&*text);
        if self.rng.bool() && fact != Fact::Text {
            publication = publication.with_subject("Alexa event");
        }
        if self.rng.u8(..) < 20 {
            publication = publication.delivered_twice();
        }
        for _ in 0..=usize::from(again) {
            let message_id = self.topic.publish(self.now, &publication).unwrap();
            self.messages.insert(message_id, (text.clone(), Vec::new()));
            self.drain();
        }
        let pause = Duration::from_millis(self.rng.u64(..1_500));
        self.run_until(self.now.after(pause));
    }

    fn attack(&mut self) {
        if self.seen.is_empty() {
            return;
        }
        let (at, seen) = self.seen[self.rng.usize(..self.seen.len())].clone();
        let forgery = Forgery::ALL[self.rng.usize(..Forgery::ALL.len())];
        let post = if self.rng.u8(..) < 80 {
            Post { origin: Origin::Replayed(at), headers: seen.headers, body: seen.body }
        } else {
            let Some(forged) = self.attacker.forge(&seen, forgery) else { return };
            Post { origin: Origin::Forged(forgery), headers: forged.headers, body: forged.body }
        };
        self.posts.send(self.now, post);
    }

    fn run_until(&mut self, end: MonoTime) {
        while let Some(next) = self.next_instant().filter(|next| *next <= end) {
            assert!(next >= self.now, "time goes forward");
            self.now = next;
            self.step();
        }
        self.now = end;
        self.topic.handle_timeout(end);
        self.drain();
    }

    fn next_instant(&mut self) -> Option<MonoTime> {
        let topic = match self.topic.poll_output() {
            Output::Idle(deadline) => deadline,
            output => panic!("not drained: {output:?}"),
        };
        let lines =
            [self.posts.next_arrival(), self.answers.next_arrival(), self.visits.next_arrival()];
        let creation = self.creations.iter().map(|(at, _)| *at).min();
        let own = [topic, self.receiver.next(), creation];
        own.into_iter().chain(lines).flatten().min().map(|next| next.max(self.now))
    }

    fn step(&mut self) {
        let (now, wall) = (self.now, self.wall());
        self.topic.handle_timeout(now);
        self.drain();
        let (due, later) =
            std::mem::take(&mut self.creations).into_iter().partition(|(at, _)| *at <= now);
        self.creations = later;
        for (_, number) in due {
            let _ = self.receiver.gates.units.created(now, &room(number), Level::Deeper).unwrap();
        }
        while let Some(Post { origin, headers, body }) = self.posts.receive(now) {
            let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
            self.receiver.receive(now, wall, origin, headers, &body);
        }
        self.receiver.pass(now, wall);
        for reply in std::mem::take(&mut self.receiver.replies) {
            self.answer(reply);
        }
        for url in std::mem::take(&mut self.receiver.visits) {
            self.visits.send(now, url);
        }
        while let Some((attempt, status)) = self.answers.receive(now) {
            self.topic.handle_input(now, Answered::new(attempt, status).into()).unwrap();
            self.drain();
        }
        while let Some(url) = self.visits.receive(now) {
            // A replay of an old request asks for what is confirmed or gone.
            let visited = self.topic.handle_input(now, Visited::new(&url).into());
            assert!(matches!(visited, Ok(()) | Err(ServiceError::UnknownToken)), "{visited:?}");
            self.drain();
        }
    }

    /// What was answered is what the specification has for it (section 6).
    fn answer(&mut self, reply: Reply) {
        let Reply { origin, answer, no_certificate } = reply;
        let is_refused = matches!(answer, Answer::Refuse | Answer::Malformed);
        self.no_certificate += usize::from(no_certificate);
        match origin {
            Origin::Sns(attempt) => {
                assert!(!is_refused, "{answer:?} to SNS");
                self.answers.send(self.now, (attempt, answer.status()));
            }
            Origin::Forged(forgery) => {
                assert!(is_refused || no_certificate, "{forgery:?} was answered {answer:?}");
                *self.forged.entry(format!("{forgery:?}")).or_default() += usize::from(is_refused);
            }
            Origin::Replayed(sent) => {
                let age = Duration::from_millis(self.wall().abs_diff(sent));
                self.replayed += 1;
                self.too_old += usize::from(is_refused);
                let limit = Duration::from_secs(75 * 60);
                if age < limit {
                    assert!(!is_refused, "{answer:?} after {age:?}");
                } else if age > limit + Duration::from_secs(300) {
                    assert!(is_refused || no_certificate, "{answer:?} after {age:?}");
                }
            }
        }
    }

    fn drain(&mut self) {
        loop {
            match self.topic.poll_output() {
                Output::Action(Action::Deliver(deliver)) => self.carry(deliver),
                Output::Action(other) => panic!("not expected here: {other:?}"),
                Output::Event(event) => self.note(event),
                Output::Idle(_) => return,
            }
        }
    }

    fn carry(&mut self, deliver: Deliver) {
        let wall = self.wall();
        let seen = (wall, deliver.clone());
        match self.seen.len() {
            ..300 => self.seen.push(seen),
            len => self.seen[self.rng.usize(..len)] = seen,
        }
        let attempt = deliver.attempt;
        let origin = Origin::Sns(attempt);
        let post = Post { origin, headers: deliver.headers, body: deliver.body };
        // What is lost is noticed at once or never.
        if !self.posts.send(self.now, post) && self.rng.bool() {
            self.topic.handle_input(self.now, Failed::new(attempt).into()).unwrap();
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::AttemptFailed { failure: Failure::Timeout, .. } => self.late += 1,
            Event::AttemptFailed { failure, .. } => {
                assert!(matches!(failure, Failure::Unreachable | Failure::Status(503)))
            }
            Event::Delivered(ended) => {
                if let Some((_, ends)) = self.messages.get_mut(&ended.message_id) {
                    ends.push(Ok(()));
                }
            }
            Event::GivenUp { ended, reason } => {
                assert!(!matches!(reason, GivenUp::Refused(_)), "{reason:?}");
                if let Some((_, ends)) = self.messages.get_mut(&ended.message_id) {
                    ends.push(Err(reason));
                }
            }
            Event::Confirmed { .. } => {}
            other => panic!("not expected here: {other:?}"),
        }
    }

    /// Every event was handled once or given up, nothing else was handled, nothing is left, and the gates say what is
    /// true.
    pub(super) fn check(&mut self, sum: &mut Sum) {
        assert_eq!(self.topic.open_deliveries(), 0);
        assert!(self.posts.is_empty() && self.answers.is_empty() && self.receiver.is_idle());
        let told: BTreeSet<_> = self.receiver.handled.iter().cloned().collect();
        assert_eq!(told.len(), self.receiver.handled.len(), "nothing is handled twice");
        let lie = told.iter().find(|text| !self.truth.is_true(text));
        assert_eq!(lie, None, "nothing is handled that was not published");
        for text in self.truth.texts() {
            let ends = self.messages.values().filter(|(published, _)| published == text);
            let mut ends = ends.flat_map(|(_, ends)| ends);
            let is_delivered = ends.clone().any(Result::is_ok);
            let is_handled = told.contains(text);
            assert!(is_handled || !is_delivered, "what was accepted was handled: {text}");
            let is_unsubscribed = ends.any(|end| *end == Err(GivenUp::Unsubscribed));
            sum.published += 1;
            sum.handled += usize::from(is_handled);
            sum.given_up += usize::from(!is_delivered);
            sum.unsubscribed += usize::from(is_unsubscribed);
        }
        for (text, ends) in self.messages.values() {
            assert!(!ends.is_empty(), "a message has no end: {text}");
        }
        sum.rooms += self.truth.check(&told, &self.receiver.gates);
        sum.failures += self.receiver.failures;
        sum.replayed += self.replayed;
        sum.too_old += self.too_old;
        sum.late += self.late;
        sum.no_certificate += self.no_certificate;
        for (forgery, times) in &self.forged {
            *sum.forged.entry(forgery.clone()).or_default() += times;
        }
    }
}
