//! The contract of machines, checked.

mod trial;

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::{
    error::Error,
    fmt::{self, Debug, Display},
    time::Duration,
};

use fastrand::Rng;

use self::trial::{Run, Step, Trial, same_outputs, same_records, verdict};
use crate::{ActionOf, Machine, MonoTime};

/// Checks that a machine keeps P2 to P10 of [the contract](crate::Machine) while it runs a script.
///
/// A script is a list of the machine's own steps `S`, inputs and commands alike, each with its time, which may go
/// backwards. The kit makes the machine as often as it needs to and runs the script on each in another way: with times
/// put right, with time told early, drained late, not drained at all. Give it scripts that a generator made.
///
/// What it cannot see stays with its users: P1, and memory other than the queue of outputs.
///
/// ```
/// use iot_sansio::{InputOf, Machine, MonoTime, Output, mqtt::{Action, Mqtt}, sim::Contract};
///
/// /// Tells how many inputs it has taken, one event an input.
/// #[derive(Clone, Debug, Default, PartialEq)]
/// struct Counter { taken: u32, told: u32 }
///
/// #[derive(Debug, PartialEq)]
/// struct Full;
/// # impl core::fmt::Display for Full {
/// #     fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result { f.write_str("full") }
/// # }
/// # impl core::error::Error for Full {}
///
/// impl Machine for Counter {
///     type Vocabulary = Mqtt;
///     type Event = u32;
///     type Error = Full;
///
///     fn handle_input(&mut self, _now: MonoTime, _input: InputOf<'_, Self>) -> Result<(), Full> {
///         if self.taken == self.told + 8 { return Err(Full) }
///         self.taken += 1;
///         Ok(())
///     }
///     fn handle_timeout(&mut self, _now: MonoTime) {}
///     fn poll_output(&mut self) -> Output<Action, u32> {
///         if self.told == self.taken { return Output::Idle(None) }
///         self.told += 1;
///         Output::Event(self.told)
///     }
///     fn is_finished(&self) -> bool { false }
/// }
///
/// use iot_sansio::{mqtt::{Link, Opened}, sim::OwnedInput};
///
/// let contract = Contract::new(
///     Counter::default,
///     |counter, now, step: &OwnedInput| counter.handle_input(now, step.as_input()),
///     Counter::clone,
///     8,
/// );
/// let opened = OwnedInput::Opened(Opened::new(Link::new(1), false));
/// let script: Vec<_> = (0..20).map(|i| (MonoTime::from_millis(i), opened.clone())).collect();
/// contract.check(&script)?;
/// # Ok::<(), iot_sansio::sim::Violation>(())
/// ```
pub struct Contract<'a, M: Machine, S, T, R> {
    make: Box<dyn Fn() -> M + 'a>,
    feed: Box<Feed<'a, M, S, R>>,
    state: Box<dyn Fn(&M) -> T + 'a>,
    is_terminal: Box<Is<'a, M::Event>>,
    is_command: Box<Is<'a, S>>,
    queue_bound: usize,
    canaries: Vec<Canary>,
    seed: u64,
}

type Feed<'a, M, S, R> = dyn Fn(&mut M, MonoTime, &S) -> Result<(), R> + 'a;

type Is<'a, X> = dyn Fn(&X) -> bool + 'a;

/// A secret as `Debug` may show it: as text, and as the numbers of its bytes.
struct Canary {
    text: String,
    numbers: String,
}

/// A rule of the contract, by its number in [the table](crate::Machine).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// `Err` means refused: the machine is as before, and nothing is queued.
    P2,
    /// A `now` that goes backwards counts as the newest seen.
    P3,
    /// Early timeouts do nothing, inputs first fire what is due, passed deadlines move.
    P4,
    /// When outputs are drained does not change what comes.
    P5,
    /// The queue keeps to its bound.
    P6,
    /// One terminal event, then silence.
    P7,
    /// A drain ends.
    P8,
    /// The same steps give the same outputs and states.
    P9,
    /// No secret is printed.
    P10,
}

/// How a machine broke the contract.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Violation {
    /// The rule it broke.
    pub rule: Rule,
    /// The index of the step at which it showed; the length of the script when it was after the last.
    pub step: usize,
    /// What was expected and what came, as `Debug` prints it; where that shows a secret, the rule is P10 instead, and
    /// this tells only where.
    pub details: String,
}

impl Violation {
    fn new(rule: Rule, step: usize, details: impl Into<String>) -> Self {
        let details = details.into();
        Self { rule, step, details }
    }
}

impl Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at step {}: {}", self.rule, self.step, self.details)
    }
}

impl Error for Violation {}

impl<'a, M: Machine, S, T, R> Contract<'a, M, S, T, R> {
    /// A machine as `make` gives it, which takes a step by `feed`, is compared by `state` (most often a clone of it),
    /// and queues at most `queue_bound` outputs while it is not drained.
    #[must_use]
    pub fn new(
        make: impl Fn() -> M + 'a,
        feed: impl Fn(&mut M, MonoTime, &S) -> Result<(), R> + 'a,
        state: impl Fn(&M) -> T + 'a,
        queue_bound: usize,
    ) -> Self {
        Self {
            make: Box::new(make),
            feed: Box::new(feed),
            state: Box::new(state),
            is_terminal: Box::new(|_| false),
            is_command: Box::new(|_| false),
            queue_bound,
            canaries: Vec::new(),
            seed: 0,
        }
    }

    /// With terminal events. Default: the machine never ends.
    #[must_use]
    pub fn with_terminal(self, is_terminal: impl Fn(&M::Event) -> bool + 'a) -> Self {
        Self { is_terminal: Box::new(is_terminal), ..self }
    }

    /// With steps that are commands: a machine that has ended may refuse them, or be started again by them. Default:
    /// all steps are inputs.
    #[must_use]
    pub fn with_commands(self, is_command: impl Fn(&S) -> bool + 'a) -> Self {
        Self { is_command: Box::new(is_command), ..self }
    }

    /// With secrets that nothing may print, neither as text nor as a list of bytes. Default: none.
    #[must_use]
    pub fn with_canaries(self, secrets: &[&str]) -> Self {
        let canary = |secret: &&str| Canary {
            text: (*secret).into(),
            numbers: format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).into(),
        };
        Self { canaries: secrets.iter().map(canary).collect(), ..self }
    }

    /// With another seed for the lazy drains. Default: 0.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}

impl<M: Machine, S, T, R> Contract<'_, M, S, T, R>
where
    ActionOf<M>: Debug + PartialEq,
    M::Event: Debug + PartialEq,
    T: Debug + PartialEq,
    R: Debug + Display,
{
    /// Runs the script in every way.
    ///
    /// # Errors
    /// The first rule that was broken, and where.
    pub fn check(&self, script: &[(MonoTime, S)]) -> Result<(), Violation> {
        self.run(script).map_err(|violation| {
            let Violation { rule, step, details } = &violation;
            let place = format!("what broke {rule:?}");
            // The same rules hold for what is told of a violation: it may be the first to print a state.
            self.keeps_secrets(*step, &place, details).err().unwrap_or(violation)
        })
    }

    fn run(&self, script: &[(MonoTime, S)]) -> Result<(), Violation> {
        let steps: Vec<_> = Step::of(script).collect();
        let expected = self.eager(&steps)?;
        self.repeats_itself(&steps, &expected)?;
        self.refusals_leave_no_trace(&steps, &expected)?;
        let steps = self.time_never_goes_back(&steps, &expected)?;
        self.due_comes_first(&steps, &expected)?;
        self.early_is_nothing(&steps, &expected)?;
        self.deadlines_move(&steps)?;
        self.laziness_changes_nothing(&steps, &expected)?;
        self.the_queue_is_bounded(&steps)
    }

    /// Drains after every step; P2, P6, P7, P8 and P10 are checked on the way.
    fn eager(&self, steps: &[Step<'_, S>]) -> Result<Run<M, T>, Violation> {
        let mut trial = Trial::new(self);
        let mut run = Vec::from([trial.start()?]);
        for step in steps {
            run.push(trial.step(step)?);
        }
        Ok(run)
    }

    fn repeats_itself(&self, steps: &[Step<'_, S>], expected: &Run<M, T>) -> Result<(), Violation> {
        let again = self.eager(steps)?;
        for (first, second) in expected.iter().zip(&again) {
            if first != second {
                let details = format!("first {first:?}, then {second:?}");
                return Err(Violation::new(Rule::P9, first.step, details));
            }
        }
        Ok(())
    }

    /// P2: without the refused steps all else is the same.
    fn refusals_leave_no_trace(
        &self,
        steps: &[Step<'_, S>],
        expected: &Run<M, T>,
    ) -> Result<(), Violation> {
        let accepted: Vec<_> = Step::with_records(steps, expected)
            .filter(|(_, record)| record.refused.is_none())
            .map(|(step, _)| *step)
            .collect();
        let without = self.eager(&accepted)?;
        let expected = expected.iter().filter(|record| record.refused.is_none());
        same_records(Rule::P2, "without the refused steps", expected, &without)
    }

    /// P3: with each time replaced by the newest that was accepted all is the same. Gives those steps.
    ///
    /// A machine that has ended ignores inputs, and may ignore their times too.
    fn time_never_goes_back<'s>(
        &self,
        steps: &[Step<'s, S>],
        expected: &Run<M, T>,
    ) -> Result<Vec<Step<'s, S>>, Violation> {
        let (mut newest, mut was_finished) = (MonoTime::ORIGIN, false);
        let mut forward = Vec::new();
        for (step, record) in Step::with_records(steps, expected) {
            let now = step.now.max(newest);
            let ignored = was_finished && record.finished && record.outputs.is_empty();
            if record.refused.is_none() && !ignored {
                newest = now;
            }
            was_finished = record.finished;
            forward.push(step.at(now));
        }
        let got = self.eager(&forward)?;
        let what = "with the newest time instead of one that goes back";
        same_records(Rule::P3, what, expected.iter(), &got)?;
        Ok(forward)
    }

    /// P4: a timeout at the time of an accepted step, just before it, changes nothing.
    fn due_comes_first(
        &self,
        steps: &[Step<'_, S>],
        expected: &Run<M, T>,
    ) -> Result<(), Violation> {
        let mut trial = Trial::new(self);
        let mut outputs = trial.start()?.outputs;
        for (step, record) in Step::with_records(steps, expected) {
            if record.refused.is_none() {
                trial.machine.handle_timeout(step.now);
                outputs.extend(trial.settle(step.index)?.0);
            }
            let got = trial.step(step)?;
            if got.refused != record.refused {
                let (expected, got) = (verdict(&record.refused), verdict(&got.refused));
                let details = format!("{expected}, but just after a timeout {got}");
                return Err(Violation::new(Rule::P4, step.index, details));
            }
            outputs.extend(got.outputs);
        }
        let what = "with a timeout before each step";
        same_outputs(Rule::P4, what, expected, &outputs)
    }

    /// P4: a timeout before the deadline yields nothing, and the run goes on as without it.
    fn early_is_nothing(
        &self,
        steps: &[Step<'_, S>],
        expected: &Run<M, T>,
    ) -> Result<(), Violation> {
        let mut trial = Trial::new(self);
        let mut outputs = trial.start()?.outputs;
        for (step, rest) in steps.iter().zip(1..) {
            let record = trial.step(step)?;
            outputs.extend(record.outputs);
            // Told a time after one of the steps to come, the machine would take that step at another time.
            let steps_to_come = steps.iter().skip(rest).map(|step| step.now);
            let end = steps_to_come.min().unwrap_or(MonoTime::MAX);
            let due = record.deadline.is_some_and(|deadline| deadline <= step.now);
            if record.refused.is_some() || due || end < step.now {
                continue;
            }
            let end = record.deadline.map_or(end, |deadline| end.min(before(deadline)));
            for early in [step.now, halfway(step.now, end), end] {
                trial.machine.handle_timeout(early);
                let (yielded, deadline) = trial.settle(step.index)?;
                if !yielded.is_empty() || deadline != record.deadline {
                    let early = early.since_origin();
                    let details = format!(
                        "deadline {:?}, but a timeout at {early:?} made it {deadline:?} and yielded {yielded:?}",
                        record.deadline
                    );
                    return Err(Violation::new(Rule::P4, step.index, details));
                }
            }
        }
        same_outputs(Rule::P4, "with early timeouts", expected, &outputs)
    }

    /// P4: whoever keeps every deadline gets on; also after the script.
    fn deadlines_move(&self, steps: &[Step<'_, S>]) -> Result<(), Violation> {
        let mut trial = Trial::new(self);
        let mut deadline = trial.start()?.deadline;
        for step in steps {
            trial.keep_deadlines(step.index, deadline, step.now)?;
            deadline = trial.step(step)?.deadline;
        }
        trial.keep_deadlines(steps.len(), deadline, MonoTime::MAX)
    }

    /// P5: drained only when that is needed, or at a whim, the same outputs come.
    fn laziness_changes_nothing(
        &self,
        steps: &[Step<'_, S>],
        expected: &Run<M, T>,
    ) -> Result<(), Violation> {
        let mut rng = Rng::with_seed(self.seed);
        for whimsical in [false, true, true, true] {
            let mut trial = Trial::new(self);
            let mut outputs = Vec::new();
            for (step, record) in Step::with_records(steps, expected) {
                let mut refused = trial.feed(step)?;
                if refused.is_some() && record.refused.is_none() {
                    // Its queue may be full: made room, it must take the step.
                    outputs.extend(trial.drain(step.index)?.0);
                    trial.machine.handle_timeout(step.now);
                    outputs.extend(trial.drain(step.index)?.0);
                    refused = trial.feed(step)?;
                }
                if refused.is_some() != record.refused.is_some() {
                    let (eager, lazy) = (verdict(&record.refused), verdict(&refused));
                    let details =
                        format!("drained after every step {eager}, drained lazily {lazy}");
                    return Err(Violation::new(Rule::P5, step.index, details));
                }
                if whimsical && rng.bool() {
                    outputs.extend(trial.drain_some(rng.usize(1..4)));
                }
            }
            outputs.extend(trial.drain(steps.len())?.0);
            same_outputs(Rule::P5, "drained lazily", expected, &outputs)?;
        }
        Ok(())
    }

    /// P6: over and over, never drained. Time goes on from round to round, so that deadlines pass too.
    fn the_queue_is_bounded(&self, steps: &[Step<'_, S>]) -> Result<(), Violation> {
        let Some(last) = steps.last() else {
            return Ok(());
        };
        let mut trial = Trial::new(self);
        let undrained = self.queue_bound.saturating_mul(4).min(MAX_UNDRAINED);
        let mut shift = Duration::ZERO;
        for _ in 0..=undrained.div_ceil(steps.len()) {
            for step in steps {
                let now = step.now.after(shift);
                trial.machine.handle_timeout(now);
                trial.feed(&step.at(now))?;
            }
            shift = shift.saturating_add(last.now.since_origin() + HOUR);
        }
        trial.drain(steps.len()).map(|_| ())
    }

    fn keeps_secrets(&self, step: usize, place: &str, text: &str) -> Result<(), Violation> {
        for (number, canary) in self.canaries.iter().enumerate() {
            if text.contains(&canary.text) || text.contains(&canary.numbers) {
                let details = format!("{place} shows secret {number}");
                return Err(Violation::new(Rule::P10, step, details));
            }
        }
        Ok(())
    }
}

/// The last moment before `time`.
fn before(time: MonoTime) -> MonoTime {
    MonoTime::from_origin(time.since(MonoTime::from_origin(Duration::from_nanos(1))))
}

fn halfway(from: MonoTime, to: MonoTime) -> MonoTime {
    from.after(to.since(from) / 2)
}

const HOUR: Duration = Duration::from_secs(3_600);

/// How many steps at most are fed without a drain to see whether a queue is bounded.
const MAX_UNDRAINED: usize = 4_096;
