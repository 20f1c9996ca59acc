//! One run of a machine through a script.

use alloc::{format, string::String, vec::Vec};
use core::{
    fmt::{Debug, Display},
    mem,
};

use super::{Contract, Rule, Violation};
use crate::{ActionOf, Machine, MonoTime, Output};

/// One step of a script.
pub(super) struct Step<'s, S> {
    pub(super) index: usize,
    pub(super) now: MonoTime,
    step: &'s S,
}

impl<S> Clone for Step<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Step<'_, S> {}

impl<'s, S> Step<'s, S> {
    pub(super) fn of(script: &'s [(MonoTime, S)]) -> impl Iterator<Item = Self> {
        let numbered = script.iter().enumerate();
        numbered.map(|(index, &(now, ref step))| Self { index, now, step })
    }

    /// The same step at another time.
    pub(super) const fn at(self, now: MonoTime) -> Self {
        Self { now, ..self }
    }

    /// Each step with what it did in a run of them all; the run's start is left out.
    pub(super) fn with_records<'r, R>(
        steps: &'r [Self],
        run: &'r [R],
    ) -> impl Iterator<Item = (&'r Self, &'r R)> {
        steps.iter().zip(run.iter().skip(1))
    }
}

/// What one step did.
#[derive(Debug, PartialEq)]
pub(super) struct Record<A, E, T> {
    pub(super) step: usize,
    /// The error as `Debug` prints it.
    pub(super) refused: Option<String>,
    pub(super) outputs: Vec<Output<A, E>>,
    pub(super) deadline: Option<MonoTime>,
    pub(super) finished: bool,
    state: T,
}

impl<A, E, T> Record<A, E, T> {
    fn outputs_with_step(&self) -> impl Iterator<Item = (usize, &Output<A, E>)> {
        self.outputs.iter().map(|output| (self.step, output))
    }
}

/// What was there at the start, then what each step did.
pub(super) type Run<M, T> = Vec<RecordOf<M, T>>;

type RecordOf<M, T> = Record<ActionOf<M>, <M as Machine>::Event, T>;

/// What a drain yields, without its end.
type Outputs<M> = Vec<Output<ActionOf<M>, <M as Machine>::Event>>;

/// A machine on its way through a script. What concerns one step alone is checked here.
pub(super) struct Trial<'c, 'a, M: Machine, S, T, R> {
    contract: &'c Contract<'a, M, S, T, R>,
    pub(super) machine: M,
    /// Whether the terminal event has come in this life.
    ended: bool,
}

impl<'c, 'a, M: Machine, S, T, R> Trial<'c, 'a, M, S, T, R>
where
    ActionOf<M>: Debug + PartialEq,
    M::Event: Debug + PartialEq,
    T: Debug + PartialEq,
    R: Debug + Display,
{
    pub(super) fn new(contract: &'c Contract<'a, M, S, T, R>) -> Self {
        Self { contract, machine: (contract.make)(), ended: false }
    }

    /// Drains what the machine has to say before it is fed anything.
    pub(super) fn start(&mut self) -> Result<RecordOf<M, T>, Violation> {
        self.record(0, None, false)
    }

    /// Feeds a step and drains; the machine was drained before.
    pub(super) fn step(&mut self, step: &Step<'_, S>) -> Result<RecordOf<M, T>, Violation> {
        let command = (self.contract.is_command)(step.step);
        let refused = self.feed(step)?;
        match &refused {
            Some(error) if self.ended && !command => {
                let details = format!("after its terminal event it refused an input: {error}");
                return Err(Violation::new(Rule::P7, step.index, details));
            }
            None if command => self.ended &= self.machine.is_finished(),
            _ => {}
        }
        let may_restart = command && refused.is_none();
        let record = self.record(step.index, refused, may_restart)?;
        if record.refused.is_some() && !record.outputs.is_empty() {
            let details = format!("refused, but it yielded {:?}", record.outputs);
            return Err(Violation::new(Rule::P2, step.index, details));
        }
        Ok(record)
    }

    /// Feeds a step without draining; gives the error when it was refused.
    pub(super) fn feed(&mut self, step: &Step<'_, S>) -> Result<Option<String>, Violation> {
        let before = (self.contract.state)(&self.machine);
        let Err(error) = (self.contract.feed)(&mut self.machine, step.now, step.step) else {
            return Ok(None);
        };
        self.contract.keeps_secrets(step.index, "the Display of an error", &format!("{error}"))?;
        let error = format!("{error:?}");
        self.contract.keeps_secrets(step.index, "the Debug of an error", &error)?;
        let after = (self.contract.state)(&self.machine);
        if before != after {
            let details = format!("refused ({error}), but {before:?} became {after:?}");
            return Err(Violation::new(Rule::P2, step.index, details));
        }
        Ok(Some(error))
    }

    /// Drains, and checks that the machine ends as it should.
    pub(super) fn settle(
        &mut self,
        step: usize,
    ) -> Result<(Outputs<M>, Option<MonoTime>), Violation> {
        self.settle_life(step, false)
    }

    /// The same, after a command that may have started the machine again when what was due had just ended it.
    fn settle_life(
        &mut self,
        step: usize,
        mut may_restart: bool,
    ) -> Result<(Outputs<M>, Option<MonoTime>), Violation> {
        let (outputs, deadline) = self.drain(step)?;
        let violation = |details: String| Err(Violation::new(Rule::P7, step, details));
        for output in &outputs {
            if self.ended && !mem::take(&mut may_restart) {
                return violation(format!("after its terminal event it yielded {output:?}"));
            }
            self.ended =
                matches!(output, Output::Event(event) if (self.contract.is_terminal)(event));
        }
        let finished = self.machine.is_finished();
        match (self.ended, finished, deadline) {
            (true, true, None) | (false, false, _) => Ok((outputs, deadline)),
            (true, false, _) => violation("it told its terminal event and is not finished".into()),
            (false, true, _) => violation("it is finished without a terminal event".into()),
            (true, true, Some(at)) => {
                let at = at.since_origin();
                violation(format!("it is finished and has a deadline at {at:?}"))
            }
        }
    }

    /// Drains; gives the deadline too.
    pub(super) fn drain(
        &mut self,
        step: usize,
    ) -> Result<(Outputs<M>, Option<MonoTime>), Violation> {
        let bound = self.contract.queue_bound;
        let endless = bound.saturating_mul(16).saturating_add(1_024);
        let mut outputs = Vec::new();
        let deadline = loop {
            match self.machine.poll_output() {
                Output::Idle(deadline) => break deadline,
                output => outputs.push(output),
            }
            if outputs.len() > endless {
                let details = format!("a drain has not ended after {endless} outputs");
                return Err(Violation::new(Rule::P8, step, details));
            }
        };
        if outputs.len() > bound {
            let details = format!("at most {bound} outputs may queue, {} came", outputs.len());
            return Err(Violation::new(Rule::P6, step, details));
        }
        self.contract.keeps_secrets(step, "the Debug of an output", &format!("{outputs:?}"))?;
        Ok((outputs, deadline))
    }

    /// Drains at most this many outputs.
    pub(super) fn drain_some(&mut self, limit: usize) -> Outputs<M> {
        core::iter::from_fn(|| match self.machine.poll_output() {
            Output::Idle(_) => None,
            output => Some(output),
        })
        .take(limit)
        .collect()
    }

    /// Calls `handle_timeout` at every deadline up to `until`, within reason.
    pub(super) fn keep_deadlines(
        &mut self,
        step: usize,
        mut deadline: Option<MonoTime>,
        until: MonoTime,
    ) -> Result<(), Violation> {
        let (mut now, mut in_vain) = (MonoTime::ORIGIN, 0);
        for _ in 0..MAX_TIMEOUTS {
            let Some(due) = deadline.filter(|&due| due <= until) else {
                return Ok(());
            };
            now = now.max(due);
            self.machine.handle_timeout(now);
            let (outputs, next) = self.settle(step)?;
            let moved = !outputs.is_empty() || next.is_none_or(|next| next > now);
            in_vain = if moved { 0 } else { in_vain + 1 };
            if in_vain > MAX_TIMEOUTS_IN_VAIN {
                let due = due.since_origin();
                let details = format!("the deadline {due:?} has passed and does not move");
                return Err(Violation::new(Rule::P4, step, details));
            }
            deadline = next;
        }
        if deadline.is_some_and(|deadline| deadline <= now) {
            let now = now.since_origin();
            let details = format!("{MAX_TIMEOUTS} timeouts did not get past {now:?}");
            return Err(Violation::new(Rule::P4, step, details));
        }
        Ok(())
    }

    fn record(
        &mut self,
        step: usize,
        refused: Option<String>,
        may_restart: bool,
    ) -> Result<RecordOf<M, T>, Violation> {
        let (outputs, deadline) = self.settle_life(step, may_restart)?;
        let state = (self.contract.state)(&self.machine);
        self.contract.keeps_secrets(step, "the Debug of the machine", &format!("{state:?}"))?;
        Ok(Record { step, refused, outputs, deadline, finished: self.machine.is_finished(), state })
    }
}

/// Whether two runs of the same steps did the same, step by step. States are left out: they hold the newest time.
pub(super) fn same_records<'r, A, E, T>(
    rule: Rule,
    what: &str,
    expected: impl Iterator<Item = &'r Record<A, E, T>>,
    got: &[Record<A, E, T>],
) -> Result<(), Violation>
where
    A: Debug + PartialEq + 'r,
    E: Debug + PartialEq + 'r,
    T: 'r,
{
    for (expected, got) in expected.zip(got) {
        let show = |record: &Record<A, E, T>| {
            let outputs = &record.outputs;
            format!(
                "{}, {outputs:?}, deadline {:?}, finished {}",
                verdict(&record.refused),
                record.deadline,
                record.finished
            )
        };
        let same = expected.refused == got.refused
            && expected.outputs == got.outputs
            && expected.deadline == got.deadline
            && expected.finished == got.finished;
        if !same {
            let (expected_text, got) = (show(expected), show(got));
            let details = format!("{expected_text}; {what}: {got}");
            return Err(Violation::new(rule, expected.step, details));
        }
    }
    Ok(())
}

/// Whether a run drained in another way yielded the same outputs in all.
pub(super) fn same_outputs<A, E, T>(
    rule: Rule,
    what: &str,
    expected: &[Record<A, E, T>],
    got: &[Output<A, E>],
) -> Result<(), Violation>
where
    A: Debug + PartialEq,
    E: Debug + PartialEq,
{
    let mut expected = expected.iter().flat_map(Record::outputs_with_step);
    let mut got = got.iter();
    let mut last = 0;
    loop {
        let (expected, got) = (expected.next(), got.next());
        if expected.is_none() && got.is_none() {
            return Ok(());
        }
        last = expected.map_or(last, |(step, _)| step);
        let expected = expected.map(|(_, output)| output);
        if expected != got {
            let details = format!("expected {expected:?}; {what}: {got:?}");
            return Err(Violation::new(rule, last, details));
        }
    }
}

pub(super) fn verdict(refused: &Option<String>) -> String {
    let refusal = |error| format!("refused ({error})");
    refused.as_ref().map_or_else(|| "accepted".into(), refusal)
}

/// How many deadlines in a row are kept.
const MAX_TIMEOUTS: u32 = 1_000;

/// How often in a row a passed deadline may stay where it is while nothing comes.
const MAX_TIMEOUTS_IN_VAIN: u32 = 64;
