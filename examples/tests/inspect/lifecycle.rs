//! `lifecycle`: the vectors of the specification as feeds, and feeds that nobody has seen before.

use std::iter;

use data_encoding::HEXUPPER;
use iot_lifecycle::{EventKind, history::History};
use iot_sansio::UnixMillis;
use serde_json::{Value, json};

use super::{START, feed, kinds, run};

#[test]
fn every_vector_gives_its_outputs_and_its_final_state_as_a_feed() {
    let mut ids = Vec::new();
    for line in include_str!("../../../iot-lifecycle/tests/vectors/presence.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let steps = vector["steps"].as_array().unwrap();
        let options = options(&vector["config"]);
        let options: Vec<&str> =
            iter::once("lifecycle").chain(options.iter().map(|o| &**o)).collect();
        let (status, output) = run(&options, feed(steps.iter().filter_map(fed)));
        assert_eq!(status, 0, "{id}: {output:?}");
        assert_eq!(told(&output), expected(&vector["out"]), "{id}: outputs");
        assert_eq!(
            output.last().unwrap()["final"],
            final_state(&vector["final"]),
            "{id}: final state"
        );
        assert_times(id, &output);
        ids.push(id.to_owned());
    }
    let expected: Vec<String> = (1..=40).map(|number| format!("T{number:02}")).collect();
    assert_eq!(ids, expected);
}

fn options(config: &Value) -> Vec<String> {
    let theta = config["th"].as_u64().map(|theta| format!("--theta-ms={theta}"));
    let waits = config["waits"].as_object().into_iter().flatten();
    theta
        .into_iter()
        .chain(waits.map(|(reason, wait)| format!("--wait-for={reason}={wait}")))
        .collect()
}

/// The line for a step; none for a timer, which is the tracker's own business.
fn fed(step: &Value) -> Option<Value> {
    let shifted = |at: usize| START + step[at].as_i64().unwrap();
    let event = |kind: &str, rest: Value| {
        let mut payload = json!({ "clientId": "dev-1", "eventType": kind });
        payload.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({ "now": shifted(1), "payload": payload })
    };
    let connection = || {
        json!({
            "timestamp": shifted(4), "versionNumber": step[2], "sessionIdentifier": step[3],
            "disconnectReason": step[5],
        })
    };
    match step[0].as_str().unwrap() {
        "c" => Some(event("connected", connection())),
        "d" => Some(event("disconnected", connection())),
        "cf" => Some(event("connect_failed", json!({ "timestamp": shifted(2) }))),
        "lwt" => Some(json!({ "now": shifted(1), "lwt": "dev-1" })),
        "timer" => None,
        other => panic!("unknown step {other}"),
    }
}

/// The outputs of a vector, without tokens and `timer_ignored`.
fn expected(out: &Value) -> Vec<Value> {
    let told = |out: &Value| match out[0].as_str().unwrap() {
        "transition" => json!({ "transition": { "from": out[1], "to": out[2] } }),
        "arm" => json!({ "arm": { "at": START + out[1].as_i64().unwrap() } }),
        "cancel" => json!({ "cancel": true }),
        "note" => json!({ "note": out[1] }),
        other => panic!("unknown output {other}"),
    };
    let out = out.as_array().unwrap().iter().filter(|out| out[1] != "timer_ignored");
    out.map(told).collect()
}

/// The outputs of one client, without their time.
fn told(output: &[Value]) -> Vec<Value> {
    let told = output.iter().filter(|line| line.get("final").is_none()).map(|line| {
        let mut line = line.as_object().unwrap().clone();
        assert!(line.remove("now").unwrap().is_i64());
        assert_eq!(line.remove("clientId").unwrap(), "dev-1");
        Value::from(line)
    });
    told.collect()
}

fn final_state(state: &Value) -> Value {
    json!({
        "clientId": "dev-1", "published": state["published"], "head": state["head"], "version": state["v"],
        "session": state["s"], "timestamp": START + state["t"].as_i64().unwrap(),
    })
}

/// Times do not go backwards, and a wait that is not cancelled ends exactly when it said.
fn assert_times(id: &str, output: &[Value]) {
    let mut newest = i64::MIN;
    let mut wait = None;
    for line in output.iter().filter(|line| line.get("final").is_none()) {
        let now = line["now"].as_i64().unwrap();
        assert!(now >= newest, "{id}: {line}");
        newest = now;
        if line.get("cancel").is_some() {
            wait = None;
        } else if let Some(arm) = line.get("arm") {
            wait = arm["at"].as_i64();
        } else if line["transition"]["to"] == "offline" {
            assert_eq!(wait.take().unwrap_or(now), now, "{id}: {line}");
        }
    }
    assert_eq!(wait, None, "{id}: a wait never ended");
}

#[test]
fn a_shuffled_history_ends_in_the_truth_about_every_device() {
    let history = History::new(20_231_114, 200, UnixMillis::new(START));
    let lines = history.feed().into_iter().zip(0..).map(|(event, index)| {
        let payload = event.encode();
        let mut line = json!({ "now": START + 10 * index });
        match index % 4 {
            0 => line["payloadHex"] = HEXUPPER.encode(&payload).into(),
            1 => line["payload"] = String::from_utf8(payload).unwrap().into(),
            _ => line["payload"] = serde_json::from_slice(&payload).unwrap(),
        }
        if index % 3 == 0 {
            let kind = event.kind.event_type();
            line["topic"] = format!("$aws/events/presence/{kind}/{}", event.client_id).into();
        }
        line
    });
    let (status, output) = run(&["lifecycle"], feed(lines));
    assert_eq!(status, 0);

    let finals: Vec<&Value> = output.iter().filter_map(|line| line.get("final")).collect();
    let mut devices: Vec<_> = history.devices().collect();
    devices.sort_by(|one, two| one.client_id.as_bytes().cmp(two.client_id.as_bytes()));
    assert_eq!(finals.len(), devices.len());
    for (last, device) in finals.into_iter().zip(devices) {
        let newest = &device.occurrences.last().unwrap().event;
        let (head, version) = match &newest.kind {
            EventKind::Connected(connected) => ("c", connected.version_number),
            EventKind::Disconnected(disconnected) => ("d", disconnected.version_number),
            other => panic!("{other:?}"),
        };
        let truth = json!({
            "clientId": device.client_id, "published": if device.connected { "online" } else { "offline" },
            "head": head, "version": version, "session": newest.session().map(String::from),
            "timestamp": newest.timestamp.get(),
        });
        assert_eq!(*last, truth);
    }
}

#[test]
fn deadlines_fire_in_order_before_the_line_that_is_past_them() {
    let gone = |now: i64, client: &str, wait: &str| {
        json!({ "now": START + now, "payload": {
            "clientId": client, "timestamp": START, "eventType": "disconnected", "versionNumber": 0,
            "disconnectReason": wait,
        }})
    };
    let lines = [
        gone(0, "b", "SLOW"),
        gone(50, "c", "QUICK"),
        gone(0, "a", "QUICK"),
        // One millisecond early, and exactly at the deadline of the two quick ones.
        json!({ "now": START + 149, "tick": true }),
        json!({ "now": START + 150, "lwt": "a" }),
    ];
    let waits =
        ["lifecycle", "--wait-for=QUICK=100", "--wait-for", "SLOW=200", "--wait-for=QUICK=100"];
    let (status, output) = run(&waits, feed(lines));
    assert_eq!(status, 0);
    let told = |now: i64, client: &str, name: &str, what: Value| json!({ "now": START + now, "clientId": client, name: what });
    let note = |now, client, note: &str| told(now, client, "note", note.into());
    let arm = |now, client, at: i64| told(now, client, "arm", json!({ "at": START + at }));
    let offline = |now, client| {
        told(now, client, "transition", json!({ "from": "unknown", "to": "offline" }))
    };
    let expected = [
        note(0, "b", "unmatched_disconnect"),
        arm(0, "b", 200),
        note(50, "c", "unmatched_disconnect"),
        arm(50, "c", 150),
        // Its time went back, so it counts as that of the line before.
        note(50, "a", "unmatched_disconnect"),
        arm(50, "a", 150),
        offline(150, "a"),
        offline(150, "c"),
        note(150, "a", "lwt_ignored"),
        offline(200, "b"),
    ];
    assert_eq!(output[..10], expected);
    let finals: Vec<_> = output[10..].iter().map(|line| &line["final"]["clientId"]).collect();
    assert_eq!(finals, ["a", "b", "c"]);
}

#[test]
fn what_says_nothing_of_presence_leads_to_notes_at_most() {
    let event = |kind: &str, rest: Value| {
        let mut payload = json!({
            "clientId": "dev-1", "timestamp": START + 900_000, "eventType": kind, "sessionIdentifier": "B",
        });
        payload.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({ "now": START + 900_000, "payload": payload })
    };
    let on_unknown_topic = |mut line: Value| {
        line["topic"] = "$aws/events/presence/hibernated/dev-1".into();
        line
    };
    let lines = [
        json!({ "now": START, "payload": {
            "clientId": "dev-1", "timestamp": START, "eventType": "connected", "versionNumber": 3,
            "sessionIdentifier": "0000000A-0000-0000-0000-00000000000a",
        }}),
        event("subscribed", json!({ "topics": ["a", "b"] })),
        event("unsubscribed", json!({ "topics": [] })),
        event("hibernated", json!({})),
        on_unknown_topic(event("hibernated", json!({}))),
        on_unknown_topic(event("hibernated", json!({ "eventType": null }))),
        event("connect_failed", json!({ "connectFailureReason": "AUTHORIZATION_FAILED" })),
        json!({ "now": START + 900_000, "lwt": "dev-1", "tick": null, "else": [{}] }),
        json!({ "now": START + 900_000, "lwt": "nobody", "tick": false }),
    ];
    let (status, output) = run(&["lifecycle"], feed(lines));
    assert_eq!(status, 0);
    let told: Vec<_> = output.iter().map(|line| (&line["clientId"], &line["note"])).collect();
    let (dev, nobody, none) = (json!("dev-1"), json!("nobody"), Value::Null);
    let (failed, hint, ignored) =
        (json!("connect_failed"), json!("lwt_hint"), json!("lwt_ignored"));
    assert_eq!(
        told,
        [(&dev, &none), (&dev, &failed), (&dev, &hint), (&nobody, &ignored), (&none, &none)]
    );
    // The only client with a head, its session in normal form.
    let last = &output.last().unwrap()["final"];
    assert_eq!(last["session"], "0000000a00000000000000000000000a");
}

#[test]
fn every_64_bit_time_has_a_place_and_the_output_is_exact() {
    let disconnected = |now: i64| {
        json!({ "now": now, "payload": {
            "clientId": "dev-1", "timestamp": now, "eventType": "disconnected", "versionNumber": i64::MAX,
        }})
    };
    let late = i64::MAX - 9_000;
    let (status, output) = run(&["lifecycle"], feed([disconnected(late)]));
    assert_eq!(status, 0);
    assert_eq!(output[1]["arm"]["at"], late + 5_000);
    assert_eq!(output[2]["now"], late + 5_000);
    assert_eq!(output[3]["final"]["version"], i64::MAX);
    assert_eq!(output[3]["final"]["timestamp"], late);

    let tick = |now: i64| json!({ "now": now, "tick": true });
    let mut other = disconnected(late);
    other["payload"]["clientId"] = "dev-2".into();
    // What goes back does not take the clock with it.
    let jumps = [tick(i64::MIN), disconnected(START), tick(late), tick(-5), other];
    let (status, output) = run(&["lifecycle"], feed(jumps));
    assert_eq!(status, 0);
    let times: Vec<_> = output.iter().filter_map(|line| line["now"].as_i64()).collect();
    assert_eq!(times, [START, START, START + 5_000, late, late, late + 5_000]);

    let longest = ["lifecycle", "--wait-ms=9000000000000", "--max-age-ms=18446744073709551615"];
    let (_, output) = run(&longest, feed([tick(START), disconnected(START)]));
    assert_eq!(output[1]["arm"]["at"], START + 9_000_000_000_000);
    assert_eq!(output[2]["now"], START + 9_000_000_000_000);
}

#[test]
fn time_is_refused_only_where_a_wait_could_end_at_a_wrong_moment() {
    let longest = 9_000_000_000_000;
    let disconnected = |now: i64, client: &str| {
        json!({ "now": now, "payload": {
            "clientId": client, "timestamp": now, "eventType": "disconnected", "versionNumber": 0,
        }})
    };
    let second = START + longest + 1;
    let tick = |now: i64| json!({ "now": now, "tick": true });
    let lines = [
        disconnected(START, "a"),
        disconnected(second, "b"),
        tick(second),
        // Somebody has waited for longer than the longest wait by now.
        tick(second + 1),
        disconnected(second + 2 * longest, "c"),
    ];
    let (status, output) = run(&["lifecycle", "--wait-ms=9000000000000"], feed(lines));
    assert_eq!(status, 1);
    let waits: Vec<_> = output.iter().filter_map(|line| line["arm"]["at"].as_i64()).collect();
    assert_eq!(waits, [START + longest, second + longest]);
    let refused: Vec<_> =
        output.iter().filter(|line| line.get("error").is_some()).cloned().collect();
    assert_eq!(kinds(&refused), ["4 BadInput now", "5 BadInput now"]);
    assert_eq!(output[output.len() - 4]["now"], second + longest);
}

#[test]
fn the_options_bound_what_is_admitted() {
    let connected = |timestamp: i64| {
        json!({ "now": START, "payload": {
            "clientId": "dev-1", "timestamp": START + timestamp, "eventType": "connected", "versionNumber": 0,
        }})
    };
    let notes = |options: &[&str], timestamp| {
        let options: Vec<&str> = iter::once("lifecycle").chain(options.iter().copied()).collect();
        let (_, output) = run(&options, feed([connected(timestamp)]));
        output[0]["note"].as_str().map(str::to_owned)
    };
    for (options, oldest, latest) in [
        (&[][..], -345_600_000, 300_000),
        // The bound on the future does not follow theta.
        (&["--theta-ms", "10"], -345_600_000, 300_000),
        (&["--max-age-ms", "7", "--max-future-ms", "5"], -7, 5),
        (&["--max-age-ms=0", "--max-future-ms=0"], 0, 0),
    ] {
        assert_eq!(notes(options, oldest - 1).as_deref(), Some("too_old"), "{options:?}");
        assert_eq!(notes(options, oldest), None, "{options:?}");
        assert_eq!(notes(options, latest), None, "{options:?}");
        assert_eq!(notes(options, latest + 1).as_deref(), Some("future"), "{options:?}");
    }
}

#[test]
fn a_refused_line_changes_nothing_but_the_time() {
    let line = |now: i64, payload: Value| json!({ "now": START + now, "payload": payload });
    let event = |kind: &str, version: Value| json!({ "clientId": "dev-1", "timestamp": START, "eventType": kind, "versionNumber": version });
    let mut contradicting = line(5_000, event("connected", json!(1)));
    contradicting["topic"] = "$aws/events/presence/connected/dev-2".into();
    let mut of_unknown_kind = line(5_000, event("connected", json!(1)));
    of_unknown_kind["topic"] = "$aws/events/presence/hibernated/dev-1".into();
    let lines = [
        line(0, event("disconnected", json!(0))),
        line(4_999, event("connected", Value::Null)),
        contradicting,
        line(5_000, json!({})),
        json!({ "now": START + 5_000, "lwt": "dev-1", "tick": true }),
        of_unknown_kind,
        line(5_001, event("connected", json!(1))),
    ];
    let (status, output) = run(&["lifecycle"], feed(lines));
    assert_eq!(status, 1);
    let kinds: Vec<_> = output.iter().map(|line| (&line["line"], &line["error"]["kind"])).collect();
    let none = (&Value::Null, &Value::Null);
    assert_eq!(kinds[..2], [none, none]);
    assert_eq!(kinds[2], (&json!(2), &json!("MissingVersion")));
    // The wait ends when the third line says that it is time, although that line is refused.
    assert_eq!(output[3]["transition"]["to"], "offline");
    assert_eq!(kinds[4], (&json!(3), &json!("ClientIdMismatch")));
    assert_eq!(kinds[5], (&json!(4), &json!("MissingField")));
    assert_eq!(kinds[6], (&json!(5), &json!("BadInput")));
    assert_eq!(kinds[7], (&json!(6), &json!("UnknownKind")));
    assert_eq!(output[8]["transition"], json!({ "from": "offline", "to": "online" }));
    assert_eq!(output.len(), 10);
}

#[test]
fn a_line_of_a_feed_says_what_time_it_is_and_one_thing_more() {
    let cases = [
        (r#"{"tick":true}"#, "BadInput now"),
        (r#"{"now":null,"tick":true}"#, "BadInput now"),
        (r#"{"now":"1","tick":true}"#, "BadInput now"),
        (r#"{"now":1.5,"tick":true}"#, "BadInput now"),
        (r#"{"now":9223372036854775808,"tick":true}"#, "BadInput now"),
        (r#"{"now":1}"#, "BadInput payload"),
        (r#"{"now":1,"tick":false}"#, "BadInput payload"),
        (r#"{"now":1,"tick":"yes"}"#, "BadInput tick"),
        (r#"{"now":1,"lwt":7}"#, "BadInput lwt"),
        (r#"{"now":1,"lwt":"d","tick":true}"#, "BadInput"),
        (r#"{"now":1,"payload":{},"tick":true}"#, "BadInput"),
        (r#"{"now":1,"payload":{},"lwt":"d"}"#, "BadInput"),
        (r#"{"now":1,"payload":{}}"#, "MissingField clientId"),
        (
            r#"{"now":1,"payload":{"clientId":"d","timestamp":1700000000000,"eventType":"connected"}}"#,
            "MissingVersion versionNumber",
        ),
    ];
    let input = cases.map(|(line, _)| line).join("\n");
    let (status, output) = run(&["lifecycle"], &input);
    assert_eq!(status, 1);
    let expected: Vec<_> =
        cases.iter().zip(1..).map(|((_, kind), line)| format!("{line} {kind}")).collect();
    assert_eq!(kinds(&output), expected);

    let session = format!(
        r#"{{"now":1,"payload":{{"clientId":"d","timestamp":{START},"eventType":"connected","versionNumber":0,"sessionIdentifier":"{}"}}}}"#,
        "s".repeat(1_025)
    );
    let (_, output) = run(&["lifecycle"], &session);
    assert_eq!(kinds(&output), ["1 SessionTooLong sessionIdentifier"]);
}
