//! Instructions for each operation, as a ratio to what the operation is built on.
//!
//! It runs itself under callgrind, row by row, with n and with 2n operations: the difference is that of n operations,
//! without what comes before them. Counts repeat to the last digit or nearly so; they do not see cache misses.

use std::{
    env,
    process::{Command, ExitCode},
};

use benches::{aia, amqp, is_measuring, kii, lifecycle, smart_properties};
use iot_lifecycle::fleet::HashedId;

struct Row {
    name: &'static str,
    figure: Figure,
    /// So many operations; twice as many in a second run.
    times: usize,
    ours: fn(usize),
    baseline: fn(usize),
}

enum Figure {
    /// At most this much of the baseline.
    AtMost(f64),
    /// Why there is none.
    None(&'static str),
}

const ROWS: &[Row] = &[
    Row {
        name: "aia: seal 1 KiB / AES-GCM in place",
        figure: Figure::AtMost(1.05),
        times: 2_000,
        ours: aia::seal,
        baseline: aia::encrypt,
    },
    Row {
        name: "aia: open 1 KiB / AES-GCM in place",
        figure: Figure::AtMost(1.05),
        times: 2_000,
        ours: aia::open,
        baseline: aia::decrypt,
    },
    Row {
        name: "aia: message out of order / in order",
        figure: Figure::None("what a resequencer costs: see the README"),
        times: 2_000,
        ours: aia::resequence,
        baseline: aia::pass_in_order,
    },
    Row {
        name: "amqp: login, key prepared / HMAC, base64",
        figure: Figure::AtMost(1.25),
        times: 2_000,
        ours: amqp::login,
        baseline: amqp::bare_prepared,
    },
    Row {
        name: "amqp: sign, key prepared / HMAC, base64",
        figure: Figure::AtMost(1.10),
        times: 2_000,
        ours: amqp::sign,
        baseline: amqp::bare_prepared,
    },
    Row {
        name: "amqp: verify, fresh key / HMAC, base64",
        figure: Figure::AtMost(1.25),
        times: 2_000,
        ours: amqp::verify_received,
        baseline: amqp::bare_fresh,
    },
    Row {
        name: "kii: decode / httparse on HTTP",
        figure: Figure::AtMost(1.00),
        times: 2_000,
        ours: kii::decode,
        baseline: kii::decode_http,
    },
    Row {
        name: "kii: decode, all headers / httparse",
        figure: Figure::None("httparse has them split: see the README"),
        times: 2_000,
        ours: kii::decode_all,
        baseline: kii::decode_http,
    },
    Row {
        name: "lifecycle: decode / serde_json from_str",
        figure: Figure::AtMost(1.05),
        times: 2_000,
        ours: lifecycle::decode,
        baseline: lifecycle::decode_plain,
    },
    Row {
        name: "lifecycle: encode / serde_json to_writer",
        figure: Figure::AtMost(1.05),
        times: 2_000,
        ours: lifecycle::encode,
        baseline: lifecycle::encode_plain,
    },
    Row {
        name: "lifecycle: apply, kept ids / HashMap",
        figure: Figure::None(CACHE),
        times: 50_000,
        ours: |events| lifecycle::apply_to_fleet::<Box<str>>(CLIENTS, events),
        baseline: |events| lifecycle::get_and_insert_in_table::<Box<str>>(CLIENTS, events),
    },
    Row {
        name: "lifecycle: apply, hashed ids / HashMap",
        figure: Figure::None(CACHE),
        times: 50_000,
        ours: |events| lifecycle::apply_to_fleet::<HashedId>(CLIENTS, events),
        baseline: |events| lifecycle::get_and_insert_in_table::<HashedId>(CLIENTS, events),
    },
    Row {
        name: "smart: envelope and event / two serde_json",
        figure: Figure::AtMost(1.15),
        times: 2_000,
        ours: smart_properties::decode,
        baseline: smart_properties::decode_plain,
    },
    Row {
        name: "smart: event alone / serde_json",
        figure: Figure::None("the part of the second pass: see the README"),
        times: 2_000,
        ours: smart_properties::decode_event,
        baseline: smart_properties::decode_event_plain,
    },
];

const CACHE: &str = "cache misses decide: see `--bench apply`";

/// Filling a fleet takes most of the time under callgrind, and counts hardly depend on its size.
const CLIENTS: usize = 100_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [flag, place, side, times] = &arguments[..] {
        if flag == ROW {
            let row = &ROWS[place.parse::<usize>().expect("the place of a row")];
            let run = if side == OURS { row.ours } else { row.baseline };
            run(times.parse().expect("a number"));
            return ExitCode::SUCCESS;
        }
    }
    if !is_measuring() {
        println!("instructions: counted by `cargo bench -p benches --bench instructions`");
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("instructions: valgrind is missing, nothing is counted");
        return ExitCode::SUCCESS;
    }
    println!("{:42}      ours  baseline  ratio  at most", "instructions for one operation");
    let mut all_met = true;
    for (place, Row { name, figure, times, .. }) in ROWS.iter().enumerate() {
        let [ours, baseline] = [OURS, BASELINE].map(|side| {
            let run = |times: usize| count(&[ROW, &place.to_string(), side, &times.to_string()]);
            run(2 * times).saturating_sub(run(*times)) as f64 / *times as f64
        });
        let ratio = ours / baseline;
        let figure = match figure {
            Figure::AtMost(figure) if ratio <= *figure => format!("{figure:8.2}  met"),
            Figure::AtMost(figure) => {
                all_met = false;
                format!("{figure:8.2}  MISSED")
            }
            Figure::None(why) => format!("       -  {why}"),
        };
        println!("{name:42} {ours:9.1} {baseline:9.1} {ratio:6.3} {figure}");
    }
    if all_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The instructions of this program with these arguments.
fn count(arguments: &[&str]) -> u64 {
    let program = env::current_exe().expect("this program has a path");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .output()
        .expect("valgrind runs");
    let report = String::from_utf8_lossy(&run.stderr);
    let collected = report.lines().find_map(|line| line.split_once("Collected :"));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    count.unwrap_or_else(|| panic!("callgrind counted nothing:\n{report}"))
}

const ROW: &str = "--row";
const OURS: &str = "ours";
const BASELINE: &str = "baseline";
