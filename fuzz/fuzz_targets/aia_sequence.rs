//! Scripts for a resequencer, around the wrap and the edges of its window, against a map of everything.

#![no_main]

use aia_proto::sequence::{BeyondWindow, Config};
use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[path = "../../aia-proto/tests/naive/sequence.rs"]
mod naive;

fuzz_target!(|script: Script| {
    let config = Config::default()
        .with_window(script.window.get())
        .with_max_bytes(script.max_bytes.into())
        .with_beyond(if script.drops { BeyondWindow::Drop } else { BeyondWindow::Refuse });
    naive::agree(config, script.begin, script.acts.into_iter().map(Act::step));
});

#[derive(Arbitrary, Debug)]
struct Script {
    begin: u32,
    window: Window,
    max_bytes: u16,
    drops: bool,
    acts: Vec<Act>,
}

#[derive(Arbitrary, Debug)]
enum Window {
    Small(u8),
    Any(u32),
}

#[derive(Arbitrary, Debug)]
enum Act {
    Next {
        size: u8,
    },
    Near {
        steps: i8,
        size: u8,
    },
    /// Where old and future numbers meet.
    Far {
        steps: i8,
        size: u8,
    },
    Any {
        number: u32,
        size: u8,
    },
    Wait {
        millis: u16,
    },
    Rewind {
        back: u8,
    },
}

impl Window {
    const fn get(&self) -> u32 {
        match self {
            Self::Small(window) => *window as u32,
            Self::Any(window) => *window,
        }
    }
}

impl Act {
    fn step(self) -> naive::Step {
        let (steps, size) = match self {
            Self::Next { size } => (0, size),
            Self::Near { steps, size } => (steps.into(), size),
            Self::Far { steps, size } => ((1 << 31) + i64::from(steps), size),
            Self::Any { number, size } => (number.into(), size),
            Self::Wait { millis } => return naive::Step::Wait { millis },
            Self::Rewind { back } => return naive::Step::Rewind { back },
        };
        naive::Step::Accept { steps, size }
    }
}
