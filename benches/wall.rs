//! Time, as criterion measures it: to see how cost grows, and what a change does. No figure is checked here.

use ::smart_properties::Event;
use benches::{
    aia, amqp, is_measuring, kii,
    lifecycle::{self, Feed, TableKey},
    smart_properties,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use iot_lifecycle::{Decoder, fleet::HashedId};

criterion_main!(lifecycle, aia_proto, amqp_auth, kii_onboard, smart_properties_events);
criterion_group!(lifecycle, decode, encode, growth, apply);
criterion_group!(aia_proto, messages);
criterion_group!(amqp_auth, logins);
criterion_group!(kii_onboard, frames);
criterion_group!(smart_properties_events, notifications, harvest);

/// A thousand at a time, as with encoding, because each call first makes what it works on.
fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lifecycle/decode_1000");
    group.throughput(Throughput::Bytes(1_000 * lifecycle::DISCONNECT.len() as u64));
    group.bench_function("ours", |bencher| bencher.iter(|| lifecycle::decode(1_000)));
    group.bench_function("serde_json", |bencher| bencher.iter(|| lifecycle::decode_plain(1_000)));
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lifecycle/encode_1000");
    group.throughput(Throughput::Bytes(1_000 * lifecycle::DISCONNECT.len() as u64));
    group.bench_function("ours", |bencher| bencher.iter(|| lifecycle::encode(1_000)));
    group.bench_function("serde_json", |bencher| bencher.iter(|| lifecycle::encode_plain(1_000)));
}

/// Bytes a second must not fall with the length of the payload.
fn growth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lifecycle/decode_subscribed");
    for filters in [8, 64, 512, 4_096] {
        let payload = lifecycle::subscribed(filters);
        let decoder = Decoder::lenient();
        assert!(decoder.decode(payload.as_bytes()).is_ok());
        group.throughput(Throughput::Bytes(payload.len() as u64));
        group.bench_with_input(
            BenchmarkId::from_parameter(filters),
            &payload,
            |bencher, payload| {
                bencher.iter(|| decoder.decode(payload.as_bytes()));
            },
        );
    }
}

fn apply(criterion: &mut Criterion) {
    apply_with::<Box<str>>(criterion, "lifecycle/apply, kept ids");
    apply_with::<HashedId>(criterion, "lifecycle/apply, hashed ids");
}

/// Events a second must not fall with the number of clients but for cache misses, which the hash table has too.
fn apply_with<K: TableKey>(criterion: &mut Criterion, name: &str) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    let sizes: &[usize] = if is_measuring() { &[10_000, 100_000, 1_000_000] } else { &[100] };
    for clients in sizes {
        let mut feed = Feed::new(*clients);
        let mut fleet = lifecycle::fleet::<K>(&feed);
        group.bench_function(BenchmarkId::new("fleet", clients), |bencher| {
            bencher.iter(|| lifecycle::apply(&mut fleet, feed.advance()));
        });
        let mut feed = Feed::new(*clients);
        let mut table = lifecycle::table::<K>(&feed);
        group.bench_function(BenchmarkId::new("HashMap", clients), |bencher| {
            bencher.iter(|| lifecycle::get_and_insert(&mut table, feed.advance()));
        });
    }
}

/// A thousand at a time, because each call first prepares the key.
fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("aia/message_1000");
    group.throughput(Throughput::Bytes(1_000 * aia::BODY_LEN as u64));
    for (name, run) in [
        ("seal", aia::seal as fn(usize)),
        ("AES-GCM, encrypt in place", aia::encrypt),
        ("open", aia::open),
        ("AES-GCM, decrypt in place", aia::decrypt),
        ("out of order", aia::resequence),
        ("in order", aia::pass_in_order),
    ] {
        group.bench_function(name, |bencher| bencher.iter(|| run(1_000)));
    }
}

/// A thousand at a time, because each call first makes what it works on.
fn logins(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("amqp/login_1000");
    group.throughput(Throughput::Elements(1_000));
    for (name, run) in [
        ("login", amqp::login as fn(usize)),
        ("sign", amqp::sign),
        ("HMAC and base64, key prepared", amqp::bare_prepared),
        ("verify", amqp::verify_received),
        ("HMAC and base64, fresh key", amqp::bare_fresh),
    ] {
        group.bench_function(name, |bencher| bencher.iter(|| run(1_000)));
    }
}

/// A thousand at a time, as the others are.
fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kii/frame_1000");
    group.throughput(Throughput::Bytes(1_000 * kii::RESPONSE.len() as u64));
    group.bench_function("decode", |bencher| bencher.iter(|| kii::decode(1_000)));
    group.bench_function("httparse on HTTP", |bencher| bencher.iter(|| kii::decode_http(1_000)));
    group.bench_function("encode", |bencher| bencher.iter(|| kii::encode(1_000)));
}

/// A thousand at a time, as the others are.
fn notifications(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("smart/notification_1000");
    group.throughput(Throughput::Bytes(1_000 * smart_properties::notification().len() as u64));
    for (name, run) in [
        ("ours", smart_properties::decode as fn(usize)),
        ("two passes of serde_json", smart_properties::decode_plain),
        ("event alone", smart_properties::decode_event),
        ("event alone, serde_json", smart_properties::decode_event_plain),
    ] {
        group.bench_function(name, |bencher| bencher.iter(|| run(1_000)));
    }
}

/// Bytes a second must not fall with the length of an event in which an identifier has to be looked for.
fn harvest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("smart/harvest");
    for members in [8, 64, 512, 4_096] {
        let event = smart_properties::activation(members);
        group.throughput(Throughput::Bytes(event.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(members), &event, |bencher, event| {
            bencher.iter(|| Event::decode(event.as_bytes()).map(|event| event.body()));
        });
    }
}
