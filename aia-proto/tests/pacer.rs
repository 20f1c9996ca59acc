//! The pace of a topic: the vector of specification section 14.9, and that nothing is lost or split.

use std::time::Duration;

use aia_proto::pacer::{Batch, BatchError, Pacer};
use iot_sansio::MonoTime;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

/// A topic as a machine has it: what is due is sent, everything else waits.
struct Outbox {
    pacer: Pacer,
    batch: Batch<String>,
    sent: Vec<Value>,
}

impl Outbox {
    fn new(max_message: usize) -> Self {
        Self { pacer: Pacer::default(), batch: Batch::new(max_message, 1_000), sent: Vec::new() }
    }

    fn run(&mut self, now: MonoTime) {
        if !self.batch.is_empty() && self.pacer.is_ready(now) {
            self.sent.push(json!([now.as_millis(), self.batch.take()]));
            self.pacer.sent(now);
        }
    }
}

#[test]
fn every_topic_keeps_its_pace() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/pacer.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let mut outbox = Outbox::new(usize::try_from(vector["max"].as_u64().unwrap()).unwrap());
        for millis in 0..200 {
            for chunk in vector["submit"].as_array().unwrap() {
                if chunk[0] == millis {
                    let text = chunk[1].as_str().unwrap();
                    outbox.batch.push(text.to_owned(), text.len()).unwrap();
                }
            }
            outbox.run(MonoTime::from_millis(millis));
        }
        assert_eq!(Value::Array(outbox.sent), vector["sent"], "{}", vector["id"]);
        ids.push(vector["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids, ["event", "microphone", "too-large-together"]);
}

proptest! {
    #[test]
    fn nothing_is_lost_split_or_hurried(
        chunks in vec((0..120_u64, 1..20_usize), 0..40),
        max_message in 20..60_usize,
    ) {
        let mut batch = Batch::new(max_message, usize::MAX);
        let mut pacer = Pacer::new(Duration::from_millis(50));
        let (mut now, mut last, mut sent) = (MonoTime::ORIGIN, None, Vec::new());
        for (place, (gap, size)) in chunks.iter().enumerate() {
            now = now.after(Duration::from_millis(*gap));
            batch.push((place, *size), *size).unwrap();
            if pacer.is_ready(now) {
                prop_assert!(last.is_none_or(|last| now.since(last) >= Duration::from_millis(50)));
                let taken = batch.take();
                prop_assert!(!taken.is_empty());
                prop_assert!(taken.iter().map(|(_, size)| size).sum::<usize>() <= max_message);
                sent.extend(taken);
                pacer.sent(now);
                last = Some(now);
            }
        }
        while !batch.is_empty() {
            sent.extend(batch.take());
        }
        prop_assert_eq!(batch.take(), []);
        let expected: Vec<_> = chunks.iter().map(|(_, size)| *size).enumerate().collect();
        prop_assert_eq!(sent, expected);
    }
}

#[test]
fn what_fits_nowhere_is_refused() {
    let mut batch = Batch::new(10, 15);
    assert_eq!(batch.push("a", 11), Err(BatchError::TooLarge { size: 11, limit: 10 }));
    assert_eq!(batch.push("b", 10), Ok(()));
    assert_eq!(batch.push("c", 6), Err(BatchError::Full { size: 6, limit: 15 }));
    assert_eq!(batch.push("d", 5), Ok(()));
    assert_eq!(batch.take(), ["b"]);
    assert_eq!(batch.push("e", 5), Ok(()));
    assert_eq!(batch.take(), ["d", "e"]);
    assert!(batch.is_empty());
}
