//! Messages in order, the obvious way: a map of everything, by numbers that never wrap.

use std::{collections::BTreeMap, time::Duration};

use aia_proto::sequence::{
    Accepted, BeyondWindow, Config, Resequencer, SequenceNumber, Unexpected,
};
use iot_sansio::MonoTime;

/// What a [`Resequencer`] should do.
pub(crate) struct Naive {
    config: Config,
    /// Far from 0, so that nothing goes below it.
    expected: u64,
    /// What is not delivered: what is held, or that something came and was dropped.
    early: BTreeMap<u64, Option<(u32, usize)>>,
    gap_since: Option<MonoTime>,
    is_rewound: bool,
}

/// What a message did: its result, and what was delivered.
pub(crate) type Outcome = (Result<Accepted, Unexpected>, Vec<(SequenceNumber, u32)>);

impl Naive {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            expected: 1 << 40,
            early: BTreeMap::new(),
            gap_since: None,
            is_rewound: false,
        }
    }

    pub(crate) fn accept(&mut self, now: MonoTime, number: u32, item: u32, size: usize) -> Outcome {
        let number = self.unroll(number);
        if self.is_rewound && number != self.expected {
            return (Ok(Accepted::Rewound), Vec::new());
        }
        if number < self.expected {
            return (Ok(Accepted::Old), Vec::new());
        }
        if number == self.expected {
            self.is_rewound = false;
            self.early.insert(number, Some((item, size)));
            let delivered = self.deliver();
            self.gap_since = (!self.early.is_empty()).then_some(now);
            return (Ok(Accepted::InOrder), delivered);
        }
        (self.hold(now, number, item, size), Vec::new())
    }

    /// A message that came early.
    fn hold(
        &mut self,
        now: MonoTime,
        number: u64,
        item: u32,
        size: usize,
    ) -> Result<Accepted, Unexpected> {
        let Config { window, max_bytes, beyond, .. } = self.config;
        let copy = self.early.get(&number).copied().flatten();
        let others = self.early.iter().filter(|(other, _)| **other != number);
        let other_bytes: usize = others.filter_map(|(_, held)| held.map(|(_, size)| size)).sum();
        let (expected, named) = (wrap(self.expected), wrap(number));
        let refusal = if number - self.expected > u64::from(window) {
            Some(Unexpected::BeyondWindow { expected, number: named, window })
        } else if other_bytes + size > max_bytes {
            Some(Unexpected::BeyondBytes { expected, number: named, max_bytes })
        } else {
            None
        };
        match (refusal, beyond) {
            (Some(refusal), BeyondWindow::Refuse) => return Err(refusal),
            // An earlier copy stays.
            (Some(_), _) => _ = self.early.entry(number).or_default(),
            (None, _) => _ = self.early.insert(number, Some((item, size))),
        }
        self.gap_since = self.gap_since.or(Some(now));
        Ok(match (refusal, copy) {
            (Some(_), _) => Accepted::Beyond,
            (None, Some(_)) => Accepted::Replaced,
            (None, None) => Accepted::Held,
        })
    }

    fn deliver(&mut self) -> Vec<(SequenceNumber, u32)> {
        let mut delivered = Vec::new();
        while let Some(Some((item, _))) = self.early.get(&self.expected) {
            delivered.push((wrap(self.expected), *item));
            self.early.remove(&self.expected);
            self.expected += 1;
        }
        delivered
    }

    pub(crate) fn rewind(&mut self, number: u32) {
        self.expected = self.unroll(number);
        self.early.clear();
        self.gap_since = None;
        self.is_rewound = true;
    }

    /// The nearest number that wraps to this one; the later of two.
    fn unroll(&self, number: u32) -> u64 {
        let base = self.expected - self.expected % WRAP + u64::from(number);
        let candidates = [base - WRAP, base, base + WRAP];
        let nearest =
            candidates.into_iter().rev().min_by_key(|unrolled| unrolled.abs_diff(self.expected));
        nearest.unwrap_or(base)
    }

    pub(crate) fn expected(&self) -> SequenceNumber {
        wrap(self.expected)
    }

    pub(crate) fn deadline(&self) -> Option<MonoTime> {
        self.gap_since.map(|since| since.after(self.config.gap_time))
    }
}

fn wrap(unrolled: u64) -> SequenceNumber {
    #[expect(clippy::cast_possible_truncation, reason = "that is how numbers wrap")]
    SequenceNumber::new(unrolled as u32)
}

const WRAP: u64 = 1 << 32;

/// One step of a script. Numbers are told from the expected one on.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Accept { steps: i64, size: u8 },
    Wait { millis: u16 },
    Rewind { back: u8 },
}

/// Runs a script in both, from a number on, and compares all that can be seen.
pub(crate) fn agree(config: Config, begin: u32, steps: impl IntoIterator<Item = Step>) {
    let mut naive = Naive::new(config);
    let mut inbox = Resequencer::new(config);
    naive.rewind(begin);
    inbox.rewind(SequenceNumber::new(begin));
    let mut now = MonoTime::ORIGIN;
    for (item, step) in (0..).zip(steps) {
        match step {
            Step::Accept { steps, size } => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it wraps"
                )]
                let number = naive.expected().plus(steps as u32);
                let size = usize::from(size);
                let result = inbox.accept(now, number, item, size);
                let delivered = core::iter::from_fn(|| inbox.poll_delivery()).collect();
                assert_eq!((result, delivered), naive.accept(now, number.get(), item, size));
            }
            Step::Wait { millis } => now = now.after(Duration::from_millis(millis.into())),
            Step::Rewind { back } => {
                let number = naive.expected().plus(u32::from(back).wrapping_neg());
                naive.rewind(number.get());
                inbox.rewind(number);
            }
        }
        assert_eq!(inbox.expected(), naive.expected());
        assert_eq!(inbox.deadline(), naive.deadline());
        let is_due = naive.deadline().is_some_and(|deadline| deadline <= now);
        let late = Unexpected::GapTimeout { expected: naive.expected(), gap_time: config.gap_time };
        assert_eq!(inbox.expired(now), is_due.then_some(late));
    }
}
