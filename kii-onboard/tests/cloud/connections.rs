//! Connections to either broker, row by row (specification, sections 15.1 and 15.2).

use core::time::Duration;

use iot_sansio::{
    Machine as _, MonoTime,
    mqtt::{Link, Token},
};
use kii_onboard::{
    App, KeepAlive, Stage,
    cloud::{
        CloudError, Disconnect, Effect, Event, Fault, Refusal, Requests,
        server::{
            Action, Close, Closed, Connect, Ping, Pong, Publish, Suback, Subscribe, Unsuback,
            Unsubscribe,
        },
    },
};

use crate::bench::{BOOT_ONBOARDINGS, Bench, at, by_thing, config, secs};

const ONE: Link = Link::new(1);
const TWO: Link = Link::new(2);
const TOKEN: Token = Token::new(9);

#[test]
fn anonymous_things_of_one_application_coexist() {
    let mut bench = Bench::new(config());
    for link in [ONE, TWO] {
        bench.enter_boot(link, KeepAlive::OFF);
        assert_eq!(bench.connack(link), None);
    }
    assert_eq!(bench.cloud.connections(Stage::Boot), [ONE, TWO]);
    let app_id = crate::bench::app().id;
    assert_eq!(bench.events[0], Event::Connected { link: ONE, stage: Stage::Boot, app_id });

    let payload = by_thing("v1", "p1").encode(None).unwrap();
    let delivered = bench.publish(TWO, BOOT_ONBOARDINGS, &payload);
    assert_eq!(delivered.len(), 1);
    assert_eq!((delivered[0].link, delivered[0].topic.as_str()), (TWO, BOOT_ONBOARDINGS));
}

#[test]
fn the_default_broker_knows_one_client_id_and_its_applications() {
    let good = App::new("app01", crate::bench::KEY).unwrap();
    let other = App::new("app02", "key02").unwrap();
    let wrong_key = App::new("app01", "key02").unwrap();
    let rows = [
        ("anonymous", Some(&good), None),
        ("Anonymous", Some(&good), Some(2)),
        ("", Some(&wrong_key), Some(2)),
        ("anonymous", Some(&other), Some(4)),
        ("anonymous", Some(&wrong_key), Some(4)),
        ("anonymous", None, Some(4)),
    ];
    let mut bench = Bench::new(config());
    for ((client_id, app, refused), number) in rows.into_iter().zip(1..) {
        let link = Link::new(number);
        let connect = Connect::new(link, Stage::Boot, client_id);
        match app {
            Some(app) => {
                let (user_name, password) = (app.user_name(), app.password());
                bench.feed(connect.with_credentials(&user_name, password.expose()));
            }
            None => bench.feed(connect),
        }
        assert_eq!(bench.connack(link), refused, "{client_id} {app:?}");
    }
    // A user name without the prefix, and one for no application.
    for user_name in ["app01", "type=oauth2&client_id=", "type=oauth2&client_id=app01 "] {
        let password = good.password();
        let connect = Connect::new(Link::new(20), Stage::Boot, "anonymous");
        bench.feed(connect.with_credentials(user_name, password.expose()));
        assert_eq!(bench.connack(Link::new(20)), Some(4), "{user_name}");
    }
    assert_eq!(bench.cloud.connections(Stage::Boot), [ONE]);
    use Refusal::{BadCredentials, UnknownClientId};
    let expected = [[UnknownClientId; 2].as_slice(), &[BadCredentials; 6]].concat();
    assert_eq!(bench.refusals(), expected);
}

#[test]
fn another_application_has_things_of_its_own() {
    let app02 = App::new("app02", "key02").unwrap();
    let mut bench = Bench::new(config().with_app(app02.clone()));
    let first = bench.onboard("v1");
    let (user_name, password) = (app02.user_name(), app02.password());
    let connect = Connect::new(ONE, Stage::Boot, "anonymous");
    bench.feed(connect.with_credentials(&user_name, password.expose()));
    let payload = by_thing("v1", "another password").encode(None).unwrap();
    assert!(bench.publish(ONE, BOOT_ONBOARDINGS, &payload).is_empty(), "the other's topic");
    assert_eq!(bench.cloud.misdirected(), 1);
    let topic = BOOT_ONBOARDINGS.replace("app01", "app02");
    assert_eq!(bench.publish(ONE, &topic, &payload).len(), 1);
    assert_eq!(bench.cloud.things().count(), 2);
    let vendor_id = kii_onboard::VendorThingId::new("v1").unwrap();
    assert_eq!(bench.cloud.thing_id(&crate::bench::app().id, &vendor_id), Some(&*first.thing_id));
}

#[test]
fn whatever_comes_before_connect_closes_a_connection() {
    let mut bench = Bench::new(config());
    bench.feed(Publish::new(Link::new(1), "t", b""));
    bench.feed(Subscribe::new(Link::new(2), TOKEN, "t"));
    bench.feed(Unsubscribe::new(Link::new(3), TOKEN, "t"));
    bench.feed(Ping::new(Link::new(4)));
    let closes: Vec<Action> = (1..5).map(|number| Close::new(Link::new(number)).into()).collect();
    assert_eq!(bench.actions, closes);
    // They are over now: nothing more is asked of them.
    bench.feed(Ping::new(Link::new(2)));
    bench.feed(Closed::new(Link::new(3)));
    assert_eq!((bench.actions.len(), bench.events.len()), (4, 0));
}

#[test]
fn a_second_connect_closes_a_connection() {
    let mut bench = Bench::new(config());
    bench.enter_boot(ONE, KeepAlive::OFF);
    bench.forget();
    bench.enter_boot(ONE, KeepAlive::OFF);
    assert_eq!(bench.actions, [Close::new(ONE).into()]);
    assert_eq!(bench.ends(), [(ONE, Disconnect::SecondConnect)]);
}

#[test]
fn the_default_broker_ignores_and_counts_other_topics() {
    let mut bench = Bench::new(config());
    bench.enter_boot(ONE, KeepAlive::OFF);
    let payload = by_thing("v1", "p1").encode(None).unwrap();
    let topics = [
        "p/anonymous/thing-if/apps/app01/targets/thing:th.1/states",
        "p/anonymous/thing-if/apps/app02/onboardings",
        "p/other/thing-if/apps/app01/onboardings",
        "p/anonymous/thing-if/apps/app01/onboardings?a=b",
        "p/anonymous/thing-if/apps/app01/",
        "anonymous",
        "",
    ];
    for (topic, count) in topics.into_iter().zip(1..) {
        assert!(bench.publish(ONE, topic, &payload).is_empty(), "{topic}");
        assert_eq!(bench.cloud.misdirected(), count);
        let told = Event::Misdirected { link: ONE, topic: topic.into() };
        assert_eq!(bench.events.last(), Some(&told));
    }
    assert_eq!(bench.cloud.connections(Stage::Boot), [ONE]);
    assert_eq!(bench.cloud.things().count(), 0);
}

#[test]
fn the_default_broker_grants_no_subscription_and_answers_pings() {
    let mut bench = Bench::new(config());
    bench.enter_boot(ONE, KeepAlive::OFF);
    bench.forget();
    bench.feed(Subscribe::new(ONE, TOKEN, BOOT_ONBOARDINGS));
    bench.feed(Unsubscribe::new(ONE, TOKEN, BOOT_ONBOARDINGS));
    bench.feed(Ping::new(ONE));
    let answers: [Action; 3] = [
        Suback::new(ONE, TOKEN, false).into(),
        Unsuback::new(ONE, TOKEN).into(),
        Pong::new(ONE).into(),
    ];
    assert_eq!(bench.actions, answers);
    bench.feed(Closed::new(ONE));
    assert_eq!(bench.ends(), [(ONE, Disconnect::Client)]);
    assert_eq!(bench.actions.len(), 3, "it is gone already");
}

#[test]
fn the_second_broker_checks_client_id_credentials_and_expiry() {
    let mut bench = Bench::new(config().with_ttl(Some(Duration::from_secs(60))));
    let (onboarded, other) = (bench.onboard("v1"), bench.onboard("v2"));
    let (endpoint, other) = (onboarded.endpoint.unwrap(), other.endpoint.unwrap());
    bench.forget();
    let topic = endpoint.mqtt_topic.as_str();
    let (user_name, password) = (endpoint.user_name.as_str(), endpoint.password.expose());
    let rows = [
        (0, "anonymous", user_name, password, Some(2)),
        (0, &topic[1..], user_name, password, Some(2)),
        (0, other.mqtt_topic.as_str(), user_name, password, Some(4)),
        (0, topic, other.user_name.as_str(), password, Some(4)),
        (0, topic, user_name, other.password.expose(), Some(4)),
        (59_999, topic, user_name, password, None),
        // Credentials are looked at first: who has none learns nothing.
        (60_000, topic, user_name, b"wrong", Some(4)),
        (60_000, topic, user_name, password, Some(5)),
    ];
    for ((millis, client_id, user_name, password, refused), number) in rows.into_iter().zip(1..) {
        bench.now = at(millis);
        let link = Link::new(number);
        let connect = Connect::new(link, Stage::Api, client_id);
        bench.feed(connect.with_credentials(user_name, password));
        assert_eq!(bench.connack(link), refused, "row {number}");
    }
    bench.feed(Connect::new(Link::new(9), Stage::Api, topic));
    assert_eq!(bench.connack(Link::new(9)), Some(4));
    let reasons = bench.refusals();
    assert_eq!(reasons[0], Refusal::UnknownClientId);
    assert_eq!(reasons[2], Refusal::BadCredentials);
    assert_eq!(reasons[6], Refusal::EndpointExpired);
}

#[test]
fn a_thing_is_online_while_it_has_a_connection() {
    let mut bench = Bench::new(config());
    let onboarded = bench.onboard("v1");
    let thing_id = onboarded.thing_id.clone();
    bench.forget();
    bench.enter_api(ONE, &onboarded, KeepAlive::OFF);
    assert!(bench.cloud.is_online(&thing_id));
    let online = Event::Online { thing_id: thing_id.clone(), link: ONE };
    assert_eq!(bench.events.last(), Some(&online));
    bench.feed(Closed::new(ONE));
    assert!(!bench.cloud.is_online(&thing_id));
    assert_eq!(bench.events.last(), Some(&Event::Offline { thing_id }));
}

#[test]
fn a_second_connection_of_a_thing_takes_over() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.enter_api(TWO, &peer.onboarded, KeepAlive::OFF);
    assert!(bench.actions.contains(&Close::new(ONE).into()));
    assert_eq!(bench.cloud.connections(Stage::Api), [TWO]);
    let is_offline = |event: &Event| matches!(event, Event::Offline { .. });
    assert!(!bench.events.iter().any(is_offline), "it was online all the time");
    assert_eq!(bench.ends(), [(ONE, Disconnect::TakenOver { by: TWO })]);
    // The end of the old one, late, changes nothing.
    bench.feed(Closed::new(ONE));
    assert!(bench.cloud.is_online(peer.thing_id()));
    // The subscription was the old one's.
    let push = kii_onboard::Json::new("{}").unwrap();
    bench.cloud.push(bench.now, peer.thing_id(), &push).unwrap();
    bench.drain();
    let lost = Event::PushLost { thing_id: peer.thing_id().into() };
    assert_eq!(bench.events.last(), Some(&lost));
}

#[test]
fn the_second_broker_grants_the_topic_of_pushes_alone() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let other = bench.thing(2, "v2");
    let (link, thing_id) = (peer.link, String::from(peer.thing_id()));
    for (filter, granted) in [
        (peer.push_topic(), true),
        (other.push_topic(), false),
        ("#", false),
        (&*peer.topic("onboardings"), false),
    ] {
        bench.forget();
        bench.feed(Subscribe::new(link, TOKEN, filter));
        assert_eq!(bench.actions, [Suback::new(link, TOKEN, granted).into()], "{filter}");
    }
    bench.forget();
    bench.feed(Unsubscribe::new(link, TOKEN, other.push_topic()));
    assert!(bench.events.is_empty(), "another topic ends no subscription");
    bench.feed(Unsubscribe::new(link, TOKEN, peer.push_topic()));
    let unsuback = Action::from(Unsuback::new(link, TOKEN));
    assert_eq!(bench.actions, [unsuback.clone(), unsuback]);
    assert_eq!(bench.events, [Event::Unsubscribed { thing_id: thing_id.clone(), link }]);
    let push = kii_onboard::Json::new("{}").unwrap();
    bench.cloud.push(bench.now, &thing_id, &push).unwrap();
    bench.drain();
    assert_eq!(bench.events.last(), Some(&Event::PushLost { thing_id }));
}

#[test]
fn the_second_broker_ignores_and_counts_other_topics_and_answers_pings() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let topics = [
        peer.push_topic().to_owned(),
        BOOT_ONBOARDINGS.to_owned(),
        peer.topic("onboardings").replace("app01", "app02"),
        peer.topic(""),
        peer.topic("a//b"),
    ];
    for (topic, count) in topics.iter().zip(1..) {
        assert!(bench.publish(peer.link, topic, b"GET\r\n\r\n").is_empty(), "{topic}");
        assert_eq!(bench.cloud.misdirected(), count);
    }
    bench.forget();
    bench.feed(Ping::new(peer.link));
    assert_eq!(bench.actions, [Pong::new(peer.link).into()]);
}

#[test]
fn a_client_is_dead_after_more_than_one_and_a_half_times_its_keep_alive() {
    let mut bench = Bench::new(config());
    let onboarded = bench.onboard("v1");
    bench.enter_boot(ONE, secs(60));
    bench.enter_api(TWO, &onboarded, secs(300));
    bench.forget();
    bench.tick(90_000);
    assert!(bench.events.is_empty());
    bench.tick(90_001);
    assert_eq!(bench.actions, [Close::new(ONE).into()]);
    assert_eq!(bench.ends(), [(ONE, Disconnect::Silent)]);
    // Any packet is a sign of life, also one that has no effect.
    bench.feed(Publish::new(TWO, "t", b""));
    bench.forget();
    bench.tick(540_001);
    assert!(bench.events.is_empty());
    bench.tick(540_002);
    let thing_id = onboarded.thing_id;
    assert_eq!(bench.events.last(), Some(&Event::Offline { thing_id }));
    assert_eq!(bench.ends(), [(TWO, Disconnect::Silent)]);
}

#[test]
fn a_sign_of_life_that_comes_too_late_does_not_count() {
    let mut bench = Bench::new(config());
    bench.enter_boot(ONE, secs(60));
    bench.forget();
    bench.now = at(90_001);
    bench.feed(Ping::new(ONE));
    assert_eq!(bench.actions, [Close::new(ONE).into()]);
    // Without a promise nobody is late.
    bench.enter_boot(TWO, KeepAlive::OFF);
    assert_eq!(bench.drain(), None);
}

#[test]
fn too_many_connections_are_refused_with_code_3() {
    let mut bench = Bench::new(config().with_max_connections(1));
    bench.enter_boot(ONE, KeepAlive::OFF);
    bench.forget();
    bench.enter_boot(TWO, KeepAlive::OFF);
    assert_eq!(bench.connack(TWO), Some(3));
    assert_eq!(bench.refusals(), [Refusal::TooManyConnections]);
}

#[test]
fn a_connection_is_closed_on_command_and_so_are_all_of_a_broker() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(3, "v1");
    for number in [4, 5, 6] {
        bench.enter_boot(Link::new(number), KeepAlive::OFF);
    }
    bench.forget();
    bench.cloud.close(bench.now, Link::new(5)).unwrap();
    bench.cloud.close(bench.now, Link::new(77)).unwrap();
    bench.drain();
    assert_eq!(bench.actions, [Close::new(Link::new(5)).into()]);
    bench.cloud.close_all(bench.now, Stage::Boot).unwrap();
    bench.drain();
    let ends = [5, 4, 6].map(|number| (Link::new(number), Disconnect::Closed));
    assert_eq!(bench.ends(), ends);
    assert_eq!(bench.cloud.connections(Stage::Api), [peer.link]);
}

#[test]
fn a_full_queue_refuses_inputs_and_commands_and_changes_nothing() {
    let mut bench = Bench::new(config().with_max_queued(2));
    let app = crate::bench::app();
    let (user_name, password) = (app.user_name(), app.password());
    let connect = |link| {
        Connect::new(link, Stage::Boot, "anonymous")
            .with_credentials(&user_name, password.expose())
            .with_keep_alive(secs(60))
    };
    bench.cloud.handle_input(at(0), connect(ONE).into()).unwrap();
    let before = bench.cloud.clone();
    let full = Err(CloudError::QueueFull { limit: 2 });
    assert_eq!(bench.cloud.handle_input(at(1), connect(TWO).into()), full);
    assert_eq!(bench.cloud.close_all(at(1), Stage::Boot), full);
    assert_eq!(bench.cloud, before);
    // Time cannot be refused.
    bench.tick(90_001);
    assert_eq!(bench.ends(), [(ONE, Disconnect::Silent)]);
}

#[test]
fn what_is_due_happens_in_its_order_however_late_the_cloud_is_told() {
    let mut bench = Bench::new(config());
    let onboarded = bench.onboard("v1");
    bench.enter_api(ONE, &onboarded, secs(60));
    let delay = Effect::Delay(Duration::from_secs(100));
    let fault = Fault::on_request(Requests::any(), [delay]);
    bench.cloud.inject(bench.now, fault).unwrap();
    let topic = onboarded.endpoint.as_ref().unwrap().mqtt_topic.as_str();
    let states =
        format!("p/{topic}/thing-if/apps/app01/targets/thing:{}/states", onboarded.thing_id);
    bench.feed(Publish::new(ONE, &states, b"GET\r\n\r\n"));
    bench.forget();
    // The client was dead before its answer was to come.
    bench.tick(1_000_000);
    assert_eq!(bench.actions, [Close::new(ONE).into()]);
}

#[test]
fn the_end_of_time_is_reached_without_going_round_in_circles() {
    let mut bench = Bench::new(config());
    bench.enter_boot(ONE, secs(60));
    bench.forget();
    bench.cloud.handle_timeout(MonoTime::MAX);
    bench.drain();
    assert_eq!(bench.ends(), [(ONE, Disconnect::Silent)]);
    bench.now = MonoTime::MAX;
    bench.enter_boot(TWO, secs(60));
    bench.feed(Ping::new(TWO));
    assert_eq!(bench.drain(), None);
    assert_eq!(bench.cloud.connections(Stage::Boot), [TWO]);
}
