//! `aia-open` and `aia-seal` against Node's crypto. The crate itself is compared on far more messages in `aia_peers`.

use data_encoding::HEXLOWER;
use examples::peers::Script;
use fastrand::Rng;
use serde_json::{Value, json};

use super::{feed, run};

#[tokio::test]
async fn node_opens_and_seals_as_we_do() {
    let Some(mut node) = Script::node("aia_crypto.js") else { return };
    let mut random = Rng::with_seed(5);
    let mut bytes = |len: usize| {
        let bytes: Vec<u8> = (0..len).map(|_| random.u8(..)).collect();
        HEXLOWER.encode(&bytes)
    };
    let (mut to_open, mut told) = (Vec::new(), Vec::new());
    for case in 0..CASES {
        let key = bytes(if case % 2 == 0 { 16 } else { 32 });
        let (iv, body) = (bytes(12), bytes(case % 50));
        let sequence = [0, u32::MAX, 7][case % 3];
        let message = json!({ "key": key, "iv": iv, "sequence": sequence, "body": body });
        let sealed = ask(&mut node, json!({ "seal": message })).await;
        let sealed = sealed.as_str().unwrap();
        let to_seal =
            json!({ "keyHex": key, "ivHex": iv, "sequence": sequence, "payloadHex": body });
        assert_eq!(run(&["aia-seal"], feed([to_seal])).1[0]["ok"]["messageHex"], sealed);

        let other = format!("{}{}", bytes(4), &sealed[8..]);
        let messages = [sealed, &sealed[2..], &sealed[..2 * (case % 40)], &other];
        let opened = ask(&mut node, json!({ "open": { "key": key, "messages": messages } })).await;
        told.extend(opened.as_array().unwrap().clone());
        to_open.extend(messages.map(|message| json!({ "keyHex": key, "payloadHex": message })));
    }
    let (_, output) = run(&["aia-open"], feed(to_open));
    assert_eq!(output.len(), told.len());
    for (answer, told) in output.iter().zip(&told) {
        assert_eq!(&as_node_tells(answer), told, "{answer}");
    }
    for kind in ["TooShort", "BadTag", "Tampered"] {
        let refused = |told: &&Value| told.as_str().is_some_and(|told| told.starts_with(kind));
        assert!(told.iter().filter(refused).count() > CASES / 4, "{kind}");
    }
}

async fn ask(node: &mut Script, question: Value) -> Value {
    node.tell(&question.to_string()).await;
    serde_json::from_str(&node.line().await.expect("it runs")).expect("JSON")
}

fn as_node_tells(answer: &Value) -> Value {
    let (ok, error) = (&answer["ok"], &answer["error"]);
    match error["kind"].as_str() {
        None => {
            let text = ok["body"].as_str().map(|body| HEXLOWER.encode(body.as_bytes()));
            let body = text.map_or_else(|| ok["bodyHex"].clone(), Value::from);
            json!({ "sequence": ok["sequence"], "body": body })
        }
        Some("Tampered") => format!("Tampered {} {}", error["outer"], error["inner"]).into(),
        Some(kind) => kind.into(),
    }
}

const CASES: usize = 120;
