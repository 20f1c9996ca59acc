//! The crates at work: real peers on loopback, in one process, with nothing to install.
//!
//! A chapter a protocol, then a summary; the exit status says whether everything was as it should be.

mod aia;
mod amqp;
mod kii;
mod lifecycle;
mod smart_properties;

use std::{process::ExitCode, time::Instant};

use clap::{Parser, value_parser};
use console::style;

/// The crates at work: real peers on loopback, in one process, with nothing to install.
#[derive(Parser)]
struct Arguments {
    /// Where the randomness comes from; the same seed tells the same story, but for what depends on real time
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many devices
    #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u32).range(100..=10_000))]
    devices: u32,
}

/// Something that must hold when a chapter is over.
struct Check {
    what: String,
    holds: bool,
}

impl Check {
    fn new(what: impl Into<String>, holds: bool) -> Self {
        Self { what: what.into(), holds }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let begin = Instant::now();
    let chapters = [
        ("lifecycle", lifecycle::tell(&arguments).await),
        ("amqp", amqp::tell(&arguments).await),
        ("kii", kii::tell(&arguments).await),
        ("aia", aia::tell(&arguments).await),
        ("smart-properties", smart_properties::tell(&arguments).await),
    ];

    heading("Summary");
    let mut failed = 0;
    for (chapter, told) in chapters {
        let broken = |error| vec![Check::new(format!("the chapter ended early: {error}"), false)];
        for check in told.unwrap_or_else(broken) {
            let mark = if check.holds { style("✓").green() } else { style("✗").red() };
            println!("  {mark} {chapter}: {}", check.what);
            failed += usize::from(!check.holds);
        }
    }
    println!("\n  {:.1} s, seed {}\n", begin.elapsed().as_secs_f64(), arguments.seed);
    if failed == 0 {
        return ExitCode::SUCCESS;
    }
    println!("  {}\n", style(format!("{failed} not as it should be")).red().bold());
    ExitCode::FAILURE
}

fn heading(text: &str) {
    println!("\n{}\n", style(format!("── {text} ──")).bold());
}
