//! Driving machines through pointers and a pump.

extern crate alloc;

use alloc::collections::VecDeque;
use core::convert::Infallible;

use iot_sansio::{
    InputOf, Machine, MonoTime, Output, Pump, Pumped,
    mqtt::{Action, Close, Input, Link, Mqtt, Opened},
};
use proptest::prelude::*;

/// Yields a list of outputs.
#[derive(Clone, Debug, Default)]
struct List {
    outputs: VecDeque<Output<Action, u32>>,
    heard: usize,
    timeouts: usize,
    ends: bool,
}

impl Machine for List {
    type Vocabulary = Mqtt;
    type Event = u32;
    type Error = Infallible;

    fn handle_input(
        &mut self,
        _now: MonoTime,
        _input: InputOf<'_, Self>,
    ) -> Result<(), Infallible> {
        self.heard += 1;
        Ok(())
    }

    fn handle_timeout(&mut self, _now: MonoTime) {
        self.timeouts += 1;
    }

    fn poll_output(&mut self) -> Output<Action, u32> {
        self.outputs.pop_front().unwrap_or(Output::Idle(Some(DEADLINE)))
    }

    fn is_finished(&self) -> bool {
        self.ends && self.outputs.is_empty()
    }
}

const DEADLINE: MonoTime = MonoTime::from_millis(7);

fn action(number: u32) -> Action {
    Close::new(Link::new(number)).into()
}

/// Uses a machine as an adapter does that knows only the trait.
fn use_once<M: Machine<Vocabulary = Mqtt, Event = u32> + ?Sized>(
    machine: &mut M,
) -> Vec<Output<Action, u32>> {
    let opened = Input::from(Opened::new(Link::new(1), false));
    assert!(machine.handle_input(MonoTime::ORIGIN, opened).is_ok());
    machine.handle_timeout(MonoTime::ORIGIN);
    let first = machine.poll_output();
    assert!(machine.is_finished());
    vec![first, machine.poll_output()]
}

#[test]
fn a_machine_behind_a_pointer_is_the_machine() {
    let list = List { outputs: [Output::Event(1)].into(), ends: true, ..List::default() };
    let expected = [Output::Event(1), Output::Idle(Some(DEADLINE))];

    let mut direct = list.clone();
    assert_eq!(use_once::<&mut List>(&mut &mut direct), expected);
    assert_eq!((direct.heard, direct.timeouts), (1, 1));
    assert_eq!(use_once::<Box<List>>(&mut Box::new(list.clone())), expected);
    let mut dynamic: Box<dyn Machine<Vocabulary = Mqtt, Event = u32, Error = Infallible>> =
        Box::new(list);
    assert_eq!(use_once(&mut dynamic), expected);
}

proptest! {
    #[test]
    fn a_pump_keeps_order_and_loses_nothing_whatever_the_transport_refuses(
        outputs in prop::collection::vec(any::<bool>(), 0..40),
        mut takes in prop::collection::vec(any::<bool>(), 0..200),
        ends: bool,
    ) {
        let outputs: VecDeque<_> = outputs.iter().zip(0..).map(|(&is_action, number)| {
            if is_action { Output::Action(action(number)) } else { Output::Event(number) }
        }).collect();
        let mut list = List { outputs: outputs.clone(), ends, ..List::default() };
        let (mut pump, mut actions, mut events) = (Pump::new(), Vec::new(), Vec::new());
        let pumped = loop {
            let refusals = takes.len();
            let send = |action| {
                if takes.pop().unwrap_or(true) { actions.push(action); Ok(()) } else { Err(action) }
            };
            match pump.drain(&mut list, send, |event| events.push(event)) {
                Pumped::Blocked => prop_assert!(takes.len() < refusals),
                end => break end,
            }
            // What is behind the held action has not left the machine: nothing overtakes it.
            let out = actions.len() + events.len() + 1 + list.outputs.len();
            prop_assert_eq!(out, outputs.len());
        };
        prop_assert_eq!(pumped, if ends { Pumped::Finished } else { Pumped::Idle(Some(DEADLINE)) });
        let (mut actions, mut events) = (actions.into_iter(), events.into_iter());
        let arrived: VecDeque<_> = outputs.iter().map_while(|output| match output {
            Output::Action(_) => actions.next().map(Output::Action),
            _ => events.next().map(Output::Event),
        }).collect();
        prop_assert_eq!(arrived, outputs);
        prop_assert!(actions.next().is_none() && events.next().is_none());
    }
}

#[test]
fn a_machine_is_not_finished_while_the_transport_holds_its_last_action_up() {
    let mut list =
        List { outputs: [Output::Action(action(1))].into(), ends: true, ..List::default() };
    let mut pump = Pump::default();
    assert_eq!(pump.drain(&mut list, Err, |_| ()), Pumped::Blocked);
    assert!(list.is_finished());
    assert_eq!(pump.drain(&mut list, Err, |_| ()), Pumped::Blocked);
    let mut taken = Vec::new();
    let send = |action| {
        taken.push(action);
        Ok(())
    };
    assert_eq!(pump.drain(&mut list, send, |_| ()), Pumped::Finished);
    assert_eq!(taken, [action(1)]);
}
