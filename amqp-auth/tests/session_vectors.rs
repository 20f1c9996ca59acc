//! The vectors of specification section 15.E, in the vocabulary of the session.
//!
//! A vector that only a stack can hold says so; `examples/tests` check those on the real stacks.

mod sessions;

use amqp_auth::{IdleTimeout, session::FailureClass};
use iot_sansio::{Machine as _, MonoTime, Output, amqp::Action};
use serde::Deserialize;
use sessions::{
    SEED, at, deadline, dialed, drain, feed, finish_attempt, key, retry_at, run, session, text,
    texts, token,
};
use std::{slice, time::Duration};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    id: String,
    #[serde(default, rename = "note")]
    _note: String,
    /// Why only a stack can hold it.
    stack: Option<String>,
    /// Each with its time in milliseconds.
    #[serde(default)]
    steps: Vec<String>,
    #[serde(default)]
    out: Vec<String>,
    /// Milliseconds, and whether they are an idle timeout.
    #[serde(default)]
    idle_timeouts: Vec<(u64, bool)>,
    /// How each attempt ends.
    #[serde(default)]
    failures: Vec<String>,
    /// Why credentials are wanted after them.
    #[serde(default)]
    reasons: Vec<String>,
    /// The bounds of each wait: with r = 0, and with r = 1.
    #[serde(default)]
    retries: Vec<(u64, u64)>,
    /// Class, n, r, and the wait that they give in milliseconds.
    #[serde(default)]
    waits: Vec<(String, usize, Chance, u64)>,
    restarts: Option<usize>,
    delayed_until: Option<u64>,
}

/// The random number of a vector.
#[derive(Deserialize)]
enum Chance {
    #[serde(rename = "r=0")]
    Least,
    #[serde(rename = "r=0.5")]
    Half,
}

#[test]
fn all_vectors_hold() {
    let lines = include_str!("vectors/session.jsonl").lines();
    let vectors: Vec<Vector> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected: Vec<_> = (1..=21).map(|number| format!("E{number:02}")).collect();
    assert_eq!(vectors.iter().map(|vector| vector.id.as_str()).collect::<Vec<_>>(), expected);
    for vector in &vectors {
        holds(vector);
    }
    let stack: Vec<_> = vectors.iter().filter(|vector| vector.stack.is_some()).collect();
    assert_eq!(stack.len(), 3, "E09 to E11");
}

fn holds(vector: &Vector) {
    let id = &vector.id;
    for &(millis, is_allowed) in &vector.idle_timeouts {
        let idle_timeout = IdleTimeout::new(Duration::from_millis(millis));
        assert_eq!(idle_timeout.is_ok(), is_allowed, "{id}: {millis}");
    }
    for (class, n, r, wait) in &vector.waits {
        let mut backoff = match class.as_str() {
            "normal" => FailureClass::Normal.backoff(),
            _ => FailureClass::Slow.backoff(),
        };
        for _ in 0..*n {
            backoff.next(0);
        }
        let random = match r {
            Chance::Least => 0,
            Chance::Half => 1 << 63,
        };
        let got = backoff.next(random);
        assert_eq!(got.as_millis(), u128::from(*wait), "{id}: {class} {n}");
    }
    if !vector.steps.is_empty() {
        steps(vector);
    }
    if !vector.failures.is_empty() {
        failures(vector);
    }
    if let (Some(restarts), Some(until)) = (vector.restarts, vector.delayed_until) {
        restart(id, restarts, at(until));
    }
}

/// Runs a script and compares all that comes out, and between which bounds each retry lies.
fn steps(vector: &Vector) {
    let id = &vector.id;
    let mut session = session();
    let mut connection = None;
    let (mut out, mut retries) = (Vec::new(), Vec::new());
    for step in &vector.steps {
        let words: Vec<_> = step.split(' ').collect();
        let (millis, words) = (words[0].parse::<u64>().unwrap(), &words[1..]);
        let now = at(millis);
        let refused = match words[0] {
            "running" => {
                connection = Some(run(&mut session, now));
                Ok(())
            }
            "start" => session.start(now),
            "tick" => {
                session.handle_timeout(now);
                Ok(())
            }
            "credential" => match words.get(1) {
                Some(left) => {
                    let left: u64 = left.parse().unwrap();
                    session.provide(now, token(i64::try_from(millis + left).unwrap()))
                }
                None => session.provide(now, key()),
            },
            "open_receiver" => session.open_receiver(),
            "open_sender" => session.open_sender(),
            _ => {
                feed(&mut session, now, connection.expect("a connection"), words);
                Ok(())
            }
        };
        if let Err(error) = refused {
            out.push(format!("{millis} refused {error:?}"));
        }
        for output in drain(&mut session) {
            if let Output::Action(Action::Dial(dial)) = &output {
                connection = Some(dial.connection);
            }
            retries.extend(retry_at(slice::from_ref(&output)).map(|at| (now, at)));
            out.push(format!("{millis} {}", text(&output)));
        }
    }
    assert_eq!(out, vector.out, "{id}");
    if !vector.retries.is_empty() {
        lie_within(id, &retries, &vector.retries);
    }
}

/// Runs attempts that end as the vector says.
fn failures(vector: &Vector) {
    let id = &vector.id;
    let mut session = session();
    let mut now = at(0);
    let mut retries = Vec::new();
    // What chance takes from each wait, drawn as the session draws it.
    let class =
        if vector.reasons == ["rejected"] { FailureClass::Slow } else { FailureClass::Normal };
    let (mut rng, mut backoff) = (fastrand::Rng::with_seed(SEED), class.backoff());
    session.start(now).unwrap();
    assert_eq!(texts(&mut session), ["want attempt"]);
    for failure in &vector.failures {
        if failure == "stable" {
            backoff.reset();
        }
        session.provide(now, key()).unwrap();
        let outputs = if failure == "stable" {
            let connection = finish_attempt(&mut session, now);
            now = now.after(Duration::from_secs(60));
            feed(&mut session, now, connection, &["closed", "lost"]);
            drain(&mut session)
        } else {
            let connection = dialed(&mut session);
            if failure != "lost" {
                feed(&mut session, now, connection, &["connected", "tls"]);
            }
            let words: Vec<_> = ["closed"].into_iter().chain(failure.split(' ')).collect();
            feed(&mut session, now, connection, &words);
            drain(&mut session)
        };
        let retry = retry_at(&outputs).unwrap();
        retries.push((now, retry));
        assert_eq!(retry.since(now), backoff.next(rng.u64(..)), "{id}");
        assert_eq!(deadline(&mut session), Some(retry), "{id}");
        now = retry;
        session.handle_timeout(now);
        assert_eq!(texts(&mut session), [format!("want {}", vector.reasons[0])], "{id}");
    }
    lie_within(id, &retries, &vector.retries);
}

fn lie_within(id: &str, retries: &[(MonoTime, MonoTime)], bounds: &[(u64, u64)]) {
    assert_eq!(retries.len(), bounds.len(), "{id}");
    for ((from, to), (least, most)) in retries.iter().zip(bounds) {
        let wait = to.since(*from);
        let within = Duration::from_millis(*least)..=Duration::from_millis(*most);
        assert!(within.contains(&wait), "{id}: {wait:?} is not in {within:?}");
    }
}

/// Starts and stops so often at one moment: the last attempt has to wait.
fn restart(id: &str, restarts: usize, until: MonoTime) {
    let mut session = session();
    for _ in 1..restarts {
        session.start(at(0)).unwrap();
        assert_eq!(texts(&mut session), ["want attempt"], "{id}");
        session.stop(at(0)).unwrap();
        assert_eq!(texts(&mut session), ["stopped Requested"], "{id}");
    }
    session.start(at(0)).unwrap();
    assert_eq!(texts(&mut session), ["retry"], "{id}");
    assert_eq!(deadline(&mut session), Some(until), "{id}");
    session.handle_timeout(until);
    assert_eq!(texts(&mut session), ["want attempt"], "{id}");
}
