//! The last outcome of an automation and the failures of skills, out of all that were told.

use smart_properties::order::Verdict;

use super::newest::{Published, newest, verdict};

/// All completions of one automation, with how bad each is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Automation {
    completions: Vec<(Published, u8)>,
}

impl Automation {
    pub(crate) fn tell(&mut self, published: Published, severity: u8) -> Verdict {
        let verdict = verdict(&self.published(), published);
        self.completions.push((published, severity));
        verdict
    }

    /// Of those that nothing tells apart from the newest the worst counts.
    pub(crate) fn severity(&self) -> Option<u8> {
        let last = newest(&self.published())?;
        let as_new = |(one, _): &&(Published, u8)| (one.at, one.sns) == (last.at, last.sns);
        self.completions.iter().filter(as_new).map(|(_, severity)| *severity).max()
    }

    fn published(&self) -> Vec<Published> {
        self.completions.iter().map(|(published, _)| *published).collect()
    }
}

/// Failures by moment, event and what is counted together: the newest, as many as there is room for.
#[derive(Clone, Debug)]
pub(crate) struct Failures<K> {
    capacity: usize,
    all: Vec<(u8, String, K)>,
}

impl<K: Clone + Ord> Failures<K> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, all: Vec::new() }
    }

    pub(crate) fn tell(&mut self, at: u8, event_id: &str, key: &K) {
        self.all.push((at, event_id.into(), key.clone()));
        self.all.sort();
        self.all.dedup();
        let too_many = self.all.len().saturating_sub(self.capacity);
        self.all.drain(..too_many);
    }

    pub(crate) fn forget_before(&mut self, moment: u8) {
        self.all.retain(|(at, ..)| *at >= moment);
    }

    /// In the window of so many seconds that ends at a moment.
    pub(crate) fn count(&self, key: &K, until: u8, window: u8) -> usize {
        let from = until.saturating_sub(window);
        self.all.iter().filter(|(at, _, of)| of == key && (from..=until).contains(at)).count()
    }
}
