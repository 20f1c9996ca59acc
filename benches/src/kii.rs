//! `kii-onboard`, beside httparse on what the same response is in HTTP.

use std::{hint::black_box, mem::MaybeUninit};

use kii_onboard::frame::{Response, Status};

/// The response to an onboarding, vector V03 of the specification: 540 bytes.
pub const RESPONSE: &str = concat!(
    "200\r\nAccept-Ranges:bytes\r\nAge:0\r\nCache-Control:max-age=0, no-cache, no-store\r\n",
    "Content-Type:application/json\r\nDate:Fri, 27 May 2016 05:44:17 GMT\r\n",
    "Connection:keep-alive\r\n\r\n",
    r#"{
  "accessToken" : "tok-0001",
  "thingID" : "th.0001",
  "mqttEndpoint" : {
    "installationID" : "inst0001",
    "username" : "app01-user01",
    "password" : "pw01",
    "mqttTopic" : "Tp1cTp1cTp1cTp1cTp1cTp1",
    "host" : "broker2.example.test",
    "portTCP" : 1883,
    "portSSL" : 8883,
    "portWS" : 12470,
    "portWSS" : 12473,
    "ttl" : 2147483647
  }
}"#,
);

const _: () = assert!(RESPONSE.len() == 540);

/// Decodes [`RESPONSE`] so many times.
///
/// # Panics
/// If it is refused, which a benchmark cannot go on without. So do the others.
pub fn decode(times: usize) {
    // On the heap, where a client's buffer is: what checking UTF-8 costs depends on alignment.
    let payload = RESPONSE.to_owned();
    let response = Response::decode(payload.as_bytes()).expect("a response");
    assert_eq!((response.headers.iter().count(), response.body.len()), (6, 370));
    for _ in 0..times {
        _ = black_box(&Response::decode(black_box(payload.as_bytes())));
    }
}

/// Decodes [`RESPONSE`] so many times, and goes through its headers.
///
/// # Panics
/// See [`decode`].
pub fn decode_all(times: usize) {
    let payload = RESPONSE.to_owned();
    for _ in 0..times {
        let response = Response::decode(black_box(payload.as_bytes())).expect("a response");
        response.headers.iter().for_each(|header| _ = black_box(header));
    }
}

/// Has httparse parse the same so many times, with the status line of HTTP.
///
/// # Panics
/// See [`decode`].
pub fn decode_http(times: usize) {
    let payload = RESPONSE.replacen("200", "HTTP/1.1 200 OK", 1);
    let parser = httparse::ParserConfig::default();
    let run = |payload: &[u8]| {
        // As many as ours takes; not initialised, which is httparse at its best.
        let mut headers = [const { MaybeUninit::uninit() }; 64];
        let mut response = httparse::Response::new(&mut []);
        let read = parser.parse_response_with_uninit_headers(&mut response, payload, &mut headers);
        black_box(&response);
        (read, response.headers.len())
    };
    assert_eq!(run(payload.as_bytes()), (Ok(httparse::Status::Complete(payload.len() - 370)), 6));
    for _ in 0..times {
        _ = black_box(run(black_box(payload.as_bytes())));
    }
}

/// Encodes [`RESPONSE`] so many times.
///
/// # Panics
/// See [`decode`].
pub fn encode(times: usize) {
    let response = Response::decode(RESPONSE.as_bytes()).expect("a response");
    let headers: Vec<_> = response.headers.iter().collect();
    let run = || {
        let headers = black_box(&headers).iter().copied();
        Response::encode(black_box(OK), headers, black_box(response.body))
    };
    assert_eq!(run().as_deref(), Ok(RESPONSE.as_bytes()));
    for _ in 0..times {
        _ = black_box(&run());
    }
}

const OK: Status = match Status::new(200) {
    Some(status) => status,
    None => panic!("a status"),
};
