//! The contract kit: it finds each way to break the contract, and finds nothing on machines that keep it.

extern crate alloc;

mod peer;

use alloc::collections::VecDeque;
use core::{cell::Cell, time::Duration};

use iot_sansio::{
    InputOf, Machine, MonoTime, Output, Vocabulary,
    mqtt::{CloseReason, Closed, Done, Failed, Input, Link, Message, Opened, Token},
    sim::{Contract, OwnedInput, Rule, Violation},
};
use peer::Peer;
use proptest::prelude::*;

/// Text goes in, text comes out.
enum Plain {}

impl Vocabulary for Plain {
    type Input<'a> = &'a str;
    type Action = String;
}

/// Says what it hears. `wait` sets an alarm, `refuse` is refused, `end` ends it.
struct Parrot {
    flaw: Flaw,
    life: u32,
    secret: &'static str,
    now: MonoTime,
    alarm: Option<MonoTime>,
    hidden: u32,
    ended: bool,
    queue: VecDeque<Output<String, Event>>,
}

/// How a parrot breaks the contract.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    RefusalMovesTime,
    RefusalQueues,
    RefusalHidesAChange,
    TimeGoesBack,
    FiresEarly,
    InputSkipsWhatIsDue,
    AlarmNeverMoves,
    MergesUndrained,
    QueueIsUnbounded,
    EndsTwice,
    EndsSilently,
    TalksAfterItsEnd,
    RefusesAfterItsEnd,
    AlarmOutlivesIt,
    IsNeverFinished,
    DrainsForEver,
    RemembersOtherLives,
    PrintsItsSecret,
    SaysItsSecret,
    SaysItsSecretInBytes,
    RefusesWithItsSecret,
    RefusalPrintsItsSecret,
    PrintsItsSecretInAnotherLife,
    SaysItsSecretUndrained,
}

#[derive(Clone, Debug, PartialEq)]
enum Event {
    Rang,
    Bytes(Vec<u8>),
    Ended,
}

#[derive(Clone, Debug, PartialEq)]
struct Refused(String);

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "refused: {}", self.0)
    }
}

impl core::error::Error for Refused {}

impl Parrot {
    const CAPACITY: usize = 6;

    fn new(flaw: Flaw, life: u32) -> Self {
        Self {
            flaw,
            life,
            secret: "canary",
            now: MonoTime::ORIGIN,
            alarm: None,
            hidden: 0,
            ended: false,
            queue: VecDeque::new(),
        }
    }

    /// Most of it, but neither the queue nor what it hides.
    fn state(&self) -> (MonoTime, Option<MonoTime>, bool, &'static str) {
        let prints = match self.flaw {
            Flaw::PrintsItsSecret => true,
            Flaw::RefusalPrintsItsSecret => self.hidden > 0,
            Flaw::PrintsItsSecretInAnotherLife => self.life > 1,
            _ => false,
        };
        let shown = if prints { self.secret } else { "" };
        (self.now, self.alarm, self.ended, shown)
    }

    fn feed(&mut self, now: MonoTime, step: &&str) -> Result<(), Refused> {
        if *step != "restart" {
            return self.handle_input(now, step);
        }
        if !self.ended {
            return Err(Refused("running".into()));
        }
        (self.ended, self.now) = (false, self.now.max(now));
        Ok(())
    }

    fn refuse(&mut self, now: MonoTime) -> Result<(), Refused> {
        match self.flaw {
            Flaw::RefusalMovesTime => self.now = self.now.max(now),
            Flaw::RefusalQueues => self.say("refused"),
            Flaw::RefusalHidesAChange | Flaw::RefusalPrintsItsSecret => self.hidden += 1,
            Flaw::RefusesWithItsSecret => return Err(Refused(self.secret.into())),
            _ => {}
        }
        Err(Refused("asked for".into()))
    }

    fn say(&mut self, text: &str) {
        let text = match self.flaw {
            Flaw::RefusalHidesAChange => format!("{text}{}", self.hidden),
            Flaw::RemembersOtherLives => format!("{text}{}", self.life),
            Flaw::SaysItsSecret => format!("{text}{}", self.secret),
            Flaw::SaysItsSecretUndrained if !self.queue.is_empty() => self.secret.into(),
            Flaw::MergesUndrained if matches!(self.queue.back(), Some(Output::Action(_))) => return,
            _ => text.into(),
        };
        self.queue.push_back(Output::Action(text));
        if self.flaw == Flaw::SaysItsSecretInBytes {
            let bytes = Event::Bytes(self.secret.into());
            self.queue.push_back(Output::Event(bytes));
        }
    }

    fn ring(&mut self) {
        self.alarm = None;
        self.queue.push_back(Output::Event(Event::Rang));
    }

    fn end(&mut self) {
        self.ended = true;
        if self.flaw != Flaw::AlarmOutlivesIt {
            self.alarm = None;
        }
        if self.flaw != Flaw::EndsSilently {
            self.queue.push_back(Output::Event(Event::Ended));
        }
        if self.flaw == Flaw::EndsTwice {
            self.queue.push_back(Output::Event(Event::Ended));
        }
    }

    fn is_due(&self) -> bool {
        self.alarm.is_some_and(|alarm| alarm <= self.now)
    }
}

impl Machine for Parrot {
    type Vocabulary = Plain;
    type Event = Event;
    type Error = Refused;

    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), Refused> {
        if self.ended {
            match self.flaw {
                Flaw::TalksAfterItsEnd => self.say(input),
                Flaw::RefusesAfterItsEnd => return Err(Refused("over".into())),
                _ => {}
            }
            return Ok(());
        }
        if input == "refuse" {
            return self.refuse(now);
        }
        let full = self.queue.len() + 2 > Self::CAPACITY;
        if full && self.flaw != Flaw::QueueIsUnbounded {
            return Err(Refused("full".into()));
        }
        self.now = match self.flaw {
            Flaw::TimeGoesBack => now,
            _ => self.now.max(now),
        };
        if self.is_due() && self.flaw != Flaw::InputSkipsWhatIsDue {
            self.ring();
        }
        match input {
            "wait" => self.alarm = Some(self.now.after(Duration::from_millis(10))),
            "end" => self.end(),
            text => self.say(text),
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        if self.ended || self.queue.len() + 1 > Self::CAPACITY {
            return;
        }
        self.now = self.now.max(now);
        let early = self.flaw == Flaw::FiresEarly && self.alarm.is_some();
        if (self.is_due() || early) && self.flaw != Flaw::AlarmNeverMoves {
            self.ring();
        }
    }

    fn poll_output(&mut self) -> Output<String, Event> {
        if self.flaw == Flaw::DrainsForEver && self.alarm.is_some() {
            return Output::Action("again".into());
        }
        self.queue.pop_front().unwrap_or(Output::Idle(self.alarm))
    }

    fn is_finished(&self) -> bool {
        self.ended && self.queue.is_empty() && self.flaw != Flaw::IsNeverFinished
    }
}

fn check_parrot(flaw: Flaw, script: &[(MonoTime, &str)]) -> Result<(), Violation> {
    let lives = Cell::new(0);
    let make = || {
        lives.set(lives.get() + 1);
        Parrot::new(flaw, lives.get())
    };
    Contract::new(make, Parrot::feed, Parrot::state, Parrot::CAPACITY)
        .with_terminal(|event| *event == Event::Ended)
        .with_commands(|step| *step == "restart")
        .with_canaries(&["canary"])
        .check(script)
}

/// Every rule has something to break here.
fn script() -> Vec<(MonoTime, &'static str)> {
    let script = [
        (0, "a"),
        (5, "wait"),
        (3, "b"),
        (7, "refuse"),
        (6, "c"),
        (20, "d"),
        (20, "refuse"),
        (25, "e"),
        (22, "wait"),
        (24, "f"),
        (26, "g"),
        (27, "h"),
        (40, "wait"),
        (41, "end"),
        (42, "i"),
        (43, "restart"),
        (44, "j"),
        (45, "wait"),
    ];
    let in_millis = |(millis, step)| (MonoTime::from_millis(millis), step);
    script.map(in_millis).into()
}

#[test]
fn each_way_to_break_the_contract_is_named_by_its_rule() {
    for (flaw, rule) in [
        (Flaw::RefusalMovesTime, Rule::P2),
        (Flaw::RefusalQueues, Rule::P2),
        (Flaw::RefusalHidesAChange, Rule::P2),
        (Flaw::TimeGoesBack, Rule::P3),
        (Flaw::FiresEarly, Rule::P4),
        (Flaw::InputSkipsWhatIsDue, Rule::P4),
        (Flaw::AlarmNeverMoves, Rule::P4),
        (Flaw::MergesUndrained, Rule::P5),
        (Flaw::QueueIsUnbounded, Rule::P6),
        (Flaw::EndsTwice, Rule::P7),
        (Flaw::EndsSilently, Rule::P7),
        (Flaw::TalksAfterItsEnd, Rule::P7),
        (Flaw::RefusesAfterItsEnd, Rule::P7),
        (Flaw::AlarmOutlivesIt, Rule::P7),
        (Flaw::IsNeverFinished, Rule::P7),
        (Flaw::DrainsForEver, Rule::P8),
        (Flaw::RemembersOtherLives, Rule::P9),
        (Flaw::PrintsItsSecret, Rule::P10),
        (Flaw::SaysItsSecret, Rule::P10),
        (Flaw::SaysItsSecretInBytes, Rule::P10),
        (Flaw::RefusesWithItsSecret, Rule::P10),
        (Flaw::RefusalPrintsItsSecret, Rule::P10),
        (Flaw::PrintsItsSecretInAnotherLife, Rule::P10),
        (Flaw::SaysItsSecretUndrained, Rule::P10),
    ] {
        let violation = check_parrot(flaw, &script()).expect_err(&format!("{flaw:?}"));
        assert_eq!(violation.rule, rule, "{flaw:?}: {violation}");
    }
}

#[test]
fn a_violation_tells_the_step_and_both_sides() {
    let violation = check_parrot(Flaw::TimeGoesBack, &script()).expect_err("flawed");
    assert_eq!(violation.step, 8, "the step whose alarm is at another time: {violation}");
    assert!(violation.to_string().starts_with("P3 at step 8: "));
    assert!(violation.details.contains("with the newest time"));
}

#[test]
fn a_violation_does_not_print_the_secret_it_found() {
    for flaw in [
        Flaw::PrintsItsSecret,
        Flaw::SaysItsSecret,
        Flaw::SaysItsSecretInBytes,
        Flaw::RefusesWithItsSecret,
        // These break another rule first, in what is printed of it.
        Flaw::RefusalPrintsItsSecret,
        Flaw::PrintsItsSecretInAnotherLife,
        Flaw::SaysItsSecretUndrained,
    ] {
        let violation = check_parrot(flaw, &script()).expect_err(&format!("{flaw:?}"));
        let printed = format!("{violation} {violation:?}");
        assert!(!printed.contains("canary"), "{flaw:?}: {printed}");
        assert!(!printed.contains("99, 97, 110"), "{flaw:?}: {printed}");
    }
}

#[test]
fn an_empty_script_breaks_nothing() {
    assert_eq!(check_parrot(Flaw::None, &[]), Ok(()));
}

/// What a peer may meet.
#[derive(Clone, Debug)]
enum Step {
    Input(OwnedInput),
    Restart,
}

fn feed(peer: &mut Peer, now: MonoTime, step: &Step) -> Result<(), peer::Refused> {
    match step {
        Step::Input(input) => peer.handle_input(now, input.as_input()),
        Step::Restart => peer.restart(now),
    }
}

fn check_peer(script: &[(MonoTime, Step)]) -> Result<(), Violation> {
    let make = || Peer::new("left", "right", b"xyz", "canary");
    Contract::new(make, feed, Peer::clone, peer::CAPACITY)
        .with_terminal(|event| *event == peer::Event::Ended)
        .with_commands(|step| matches!(step, Step::Restart))
        .with_canaries(&["canary"])
        .with_seed(7)
        .check(script)
}

fn peer_step() -> impl Strategy<Value = Step> {
    let input = |input: Input<'_>| Step::Input(input.into());
    let link = || (1_u32..3).prop_map(Link::new);
    let token = || (0_u64..6).prop_map(Token::new);
    let frame = (0_u8..3, 0_u8..4, any::<u8>());
    prop_oneof![
        1 => Just(Step::Restart),
        2 => link().prop_map(move |link| input(Opened::new(link, false).into())),
        1 => link().prop_map(move |link| input(Closed::new(link, CloseReason::Lost).into())),
        3 => (link(), token()).prop_map(move |(link, token)| input(Done::new(link, token).into())),
        1 => (link(), token()).prop_map(move |(link, token)| input(Failed::new(link, token).into())),
        6 => (link(), frame).prop_map(move |(link, (kind, number, item))| {
            let frame = Peer::frame(kind, number, item, b"canary");
            input(Message::new(link, "right", &frame).into())
        }),
        1 => (link(), any::<Vec<u8>>()).prop_map(move |(link, payload)| {
            input(Message::new(link, "right", &payload).into())
        }),
    ]
}

fn steps_of<S: Clone + core::fmt::Debug>(
    step: impl Strategy<Value = S>,
) -> impl Strategy<Value = Vec<(MonoTime, S)>> {
    let time = (0_u64..30_000).prop_map(MonoTime::from_millis);
    proptest::collection::vec((time, step), 0..40)
}

proptest! {
    #[test]
    fn a_parrot_without_flaws_breaks_nothing(
        script in steps_of(prop_oneof!["[a-c]", Just("wait".into()), Just("refuse".into()), Just("end".into()),
            Just("restart".into())]),
    ) {
        let script: Vec<_> = script.iter().map(|(now, step): &(_, String)| (*now, step.as_str())).collect();
        prop_assert_eq!(check_parrot(Flaw::None, &script), Ok(()));
    }

    #[test]
    fn an_honest_peer_breaks_nothing(mut script in steps_of(peer_step()), in_order: bool) {
        if in_order {
            script.sort_by_key(|(now, _)| *now);
        }
        prop_assert_eq!(check_peer(&script), Ok(()));
    }
}

#[test]
fn an_honest_peer_breaks_nothing_on_its_way_to_the_end_and_back() {
    let (link, seconds) = (Link::new(1), |seconds: u64| MonoTime::from_millis(seconds * 1_000));
    let message = |kind, number| {
        let frame = Peer::frame(kind, number, b'!', b"canary");
        Step::Input(Input::from(Message::new(link, "right", &frame)).into())
    };
    let input = |input: Input<'_>| Step::Input(input.into());
    let script = [
        (seconds(0), input(Opened::new(link, false).into())),
        (seconds(1), input(Failed::new(link, Token::new(1)).into())),
        (seconds(6), input(Done::new(link, Token::new(2)).into())),
        (seconds(9), message(peer::ACKNOWLEDGED, 0)),
        (seconds(9), message(peer::ITEM, 0)),
        (seconds(8), message(peer::LAST_ITEM, 1)),
        (seconds(10), message(peer::ACKNOWLEDGED, 1)),
        (seconds(10), Step::Restart),
        (seconds(20), message(peer::ACKNOWLEDGED, 2)),
        (seconds(100), message(peer::ITEM, 0)),
        (seconds(101), Step::Restart),
        (seconds(102), input(Opened::new(link, true).into())),
    ];
    assert_eq!(check_peer(&script), Ok(()));
    let mut peer = Peer::new("left", "right", b"xyz", "canary");
    for (now, step) in &script[..10] {
        let _ = feed(&mut peer, *now, step);
        while !matches!(peer.poll_output(), Output::Idle(_)) {}
    }
    assert!(peer.is_finished(), "the script reaches the end: {peer:?}");
}
