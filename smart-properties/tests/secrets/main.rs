//! Nothing that can be printed shows a token, the URL that holds it, a signature, or the text of a message or a body:
//! neither as text nor as the numbers of its bytes.

mod conversation;

use core::{
    fmt::{Debug, Display},
    num::NonZeroUsize,
};

use iot_sansio::{MonoTime, UnixMillis};
use serde_json::json;
use smart_properties::{
    AnswerError, BaseUrl, Body, Created, Event, EventKind, EventType, Page, PrincipalId, Resource,
    Response, RoleId, SkillId, SubscriptionConfigurationId, TopicArn, UnitId,
    call::{self, BatchItem, RoleBatch},
    dedupe,
    event::EventBuilder,
    gate::{Automations, Devices, Level, Roles, SkillFailures, UnitEffect, Units},
    id::{Subscription, SubscriptionConfiguration},
    messenger::{
        CreateConfiguration, CreateSubscription, IdempotencyToken, ListConfigurations,
        ListSubscriptions, RawEntities, RawSelection, Replacement, RoleScope, Selection,
        SetupScope,
    },
    order::OrderKey,
    policy::{AlexaStatement, QueueArn},
    service::Signer,
    sns::{
        Admitted, Certificate, Classifier, Content, ControlError, Delivery, Digest, Envelope,
        Headers, Inbound, RawPolicy, Ring, RsaPublicKey, RsaVerify, Subscriber, Verified, Verifier,
        Via,
    },
};

const CANARY: &str = "canary";
const TOKEN: &str = "canary-token";
const BODY: &str = "canary-body";
/// Looks random and is valid base64; its decoded bytes are looked for, too.
const SIGNATURE: &str = "canarycanarycanary==";
const ARN: &str = "arn:aws:sns:us-east-1:123456789012:asp-events";
const ID: &str = "aaaaaaaa-0001-5000-8000-000000000001";
const TIME: &str = "2024-05-01T10:00:00.000Z";
const WALL: UnixMillis = UnixMillis::new(1_714_557_600_000);
const CERTIFICATE_URL: &str = "https://sns.us-east-1.amazonaws.com/\
    SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";
const CERTIFICATE: &[u8] = include_bytes!("../vectors/certificates/C-GOOD.pem");

fn check(printed: &str) {
    check_for(printed, CANARY);
}

/// Looks for a part of a secret, as text, as decimal numbers and in hexadecimal ones.
fn check_for(printed: &str, secret: &str) {
    let compact: String = printed.chars().filter(|ch| !ch.is_whitespace()).collect();
    let numbers = secret.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(",");
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for canary in [secret, &numbers, &hex] {
        assert!(!printed.contains(canary) && !compact.contains(canary), "{printed}");
    }
}

fn keeps_quiet(value: &dyn Debug) {
    check(&format!("{value:?}"));
    check(&format!("{value:#?}"));
}

fn explains_itself<T>(result: Result<T, impl Debug + Display>) {
    let Err(error) = result else { panic!("no error") };
    check(&error.to_string());
    keeps_quiet(&error);
}

fn arn() -> TopicArn {
    TopicArn::new(ARN).unwrap()
}

fn unit() -> UnitId<'static> {
    UnitId::new("amzn1.alexa.unit.did.ROOM401").unwrap()
}

fn configuration() -> SubscriptionConfigurationId<'static> {
    SubscriptionConfigurationId::new("amzn1.alexa.aem.subscription.configuration.1").unwrap()
}

fn subscribe_url() -> String {
    let host = "https://sns.us-east-1.amazonaws.com";
    format!("{host}/?Action=ConfirmSubscription&TopicArn={ARN}&Token={TOKEN}")
}

/// What the vectors call E-01, with a canary wherever people may write.
fn completion() -> String {
    EventBuilder::new(EventKind::Completion.event_type().unwrap(), "e-1")
        .with_timestamp("2024-05-01T10:00:00Z")
        .with_entities(json!({ "unit": { "id": unit().as_str(), "name": BODY } }).to_string())
        .with_header_member("note", json!(BODY).to_string())
        .with_payload(
            json!({
                "automation": { "id": "amzn1.alexa.automation.AUTO1", "name": BODY },
                "result": { "status": "FAILURE", "errors": [
                    { "type": "ENDPOINT_NOT_FOUND", "message": BODY, "id": "amzn1.alexa.endpoint.EP1" },
                ]},
            })
            .to_string(),
        )
        .encode()
        .unwrap()
}

/// Takes everything for signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Trusting;

impl RsaVerify for Trusting {
    fn verify(&self, key: &RsaPublicKey<'_>, _: Digest, message: &[u8], signature: &[u8]) -> bool {
        keeps_quiet(key);
        !message.is_empty() && !signature.is_empty()
    }
}

/// Signs with nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct StandIn;

impl Signer for StandIn {
    fn sign(&self, _: Digest, _: &[u8]) -> Vec<u8> {
        CANARY.bytes().cycle().take(256).collect()
    }

    fn certificate_url(&self) -> &str {
        CERTIFICATE_URL
    }
}

fn confirmation(arn: &TopicArn) -> Envelope<'_> {
    Envelope::subscription_confirmation(arn, ID, TIME, BODY, TOKEN, subscribe_url()).unwrap()
}

fn notification(arn: &TopicArn) -> Envelope<'_> {
    let envelope = Envelope::notification(arn, ID, TIME, completion()).unwrap();
    let unsubscribe = format!("https://sns.us-east-1.amazonaws.com/?{BODY}");
    envelope.with_subject(BODY).unwrap().with_unsubscribe_url(unsubscribe).unwrap()
}

fn verified(envelope: Envelope<'_>) -> Verified<'_> {
    let signature = "Y2FuYXJ5".repeat(42) + "Y2FuYQ==";
    let envelope = envelope.signed("2", signature, CERTIFICATE_URL);
    let verifier = Verifier::new(Via::Http, [arn()]);
    keeps_quiet(&verifier);
    let unverified = verifier.check(envelope).unwrap();
    keeps_quiet(&unverified);
    let certificate = Certificate::from_pem(CERTIFICATE).unwrap();
    unverified.verify(&certificate, &Trusting, WALL).unwrap()
}

#[test]
fn the_canaries_would_be_seen() {
    let arn = arn();
    for leak in [
        format!("{:?}", confirmation(&arn).token()),
        format!("{:?}", confirmation(&arn).encode()),
        format!("{:?}", verified(confirmation(&arn)).message()),
        format!("{:#?}", completion().as_bytes()),
        format!("{:?}", StandIn.sign(Digest::Sha256, b"")),
        format!("{:x?}", TOKEN.as_bytes()).replace(", ", ""),
    ] {
        assert!(std::panic::catch_unwind(|| check(&leak)).is_err(), "{leak}");
    }
}

#[test]
fn envelopes_keep_quiet() {
    let arn = arn();
    let unsubscribed =
        Envelope::unsubscribe_confirmation(&arn, ID, TIME, BODY, TOKEN, subscribe_url()).unwrap();
    for envelope in [confirmation(&arn), unsubscribed, notification(&arn)] {
        let envelope = envelope.signed("2", SIGNATURE, CERTIFICATE_URL);
        keeps_quiet(&envelope);
        keeps_quiet(&Delivery::Envelope(envelope.clone()));
        let (body, event) = (envelope.encode(), envelope.encode_lambda("arn:aws:sns:s"));
        let headers = Headers::from_pairs(envelope.headers());
        keeps_quiet(&headers);
        keeps_quiet(&Classifier::new(Via::Http).classify(&body, &headers).unwrap());
        let none = Headers::default();
        keeps_quiet(&Classifier::new(Via::LambdaEvent).classify(&event, &none).unwrap());
        let message = json!({ "eventSource": "aws:sqs", "messageId": "1",
            "body": String::from_utf8(body).unwrap() });
        let records = json!({ "Records": [message] }).to_string();
        keeps_quiet(&Classifier::new(Via::SqsBody).classify(records.as_bytes(), &none).unwrap());
    }
    let raw = Classifier::new(Via::SqsBody).classify(BODY.as_bytes(), &Headers::default()).unwrap();
    keeps_quiet(&raw);
    let Inbound::Raw(raw) = raw else { panic!("{raw:?}") };
    keeps_quiet(&Delivery::Raw(raw));
}

#[test]
fn what_cannot_be_read_keeps_quiet() {
    let arn = arn();
    let signed = confirmation(&arn).signed("2", SIGNATURE, CERTIFICATE_URL).encode();
    let body: serde_json::Value = serde_json::from_slice(&signed).unwrap();
    let (none, http) = (Headers::default(), Classifier::new(Via::Http));
    for member in body.as_object().unwrap().keys() {
        for value in [json!(["canary"]), json!("canary\n"), json!(null), json!({ "canary": 1 })] {
            let mut body = body.clone();
            body[member] = value;
            let body = body.to_string().into_bytes();
            match http.classify(&body, &none) {
                Ok(Inbound::Envelope(envelope)) => {
                    match Verifier::new(Via::Http, []).check(envelope) {
                        Ok(unverified) => keeps_quiet(&unverified),
                        refused => explains_itself(refused),
                    }
                }
                refused => explains_itself(refused),
            }
        }
    }
    for body in ["canary", "\"canary\"", r#"{"Type":"canary"}"#, r#"{"header":{},"payload":{}}"#] {
        explains_itself(http.classify(body.as_bytes(), &none));
        let records = json!({ "Records": [
            { "Sns": { "Type": body } },
            { "eventSource": "canary", "body": body },
            { "eventSource": "aws:sqs", "body": body, "messageId": "1" },
        ]});
        let lambda = Classifier::new(Via::LambdaEvent).with_raw_policy(RawPolicy::Reject);
        let records = records.to_string();
        let Inbound::Records(records) = lambda.classify(records.as_bytes(), &none).unwrap() else {
            panic!("no records")
        };
        records.into_iter().for_each(explains_itself);
    }
    let other = Headers::from_pairs([("x-amz-sns-message-id", ID), ("x-amz-sns-topic-arn", "x")]);
    explains_itself(http.classify(&signed, &other));
    explains_itself(Certificate::from_pem(b"canary"));
    explains_itself(Certificate::from_der(*b"canary"));
    explains_itself(TopicArn::new("canary"));
    explains_itself(QueueArn::new("canary"));
    explains_itself(UnitId::new("canary"));
    explains_itself(BaseUrl::new("https://canary:canary@host.example"));
    explains_itself(IdempotencyToken::new("canary "));
    explains_itself(RawEntities::new("canary"));
    explains_itself(RawEntities::new("\"canary\""));
    explains_itself(EventType::new("canary/", "x"));
    explains_itself(AlexaStatement::new(&arn).unwrap().merge(Some("{canary")));
}

#[test]
fn confirmations_keep_quiet() {
    let arn = arn();
    let question = verified(confirmation(&arn));
    keeps_quiet(&question);
    let content = question.content().unwrap();
    keeps_quiet(&content);
    let Content::Confirm(confirm) = content else { panic!("{content:?}") };
    assert_eq!((confirm.token(), confirm.url()), (TOKEN, &*subscribe_url()));
    keeps_quiet(&confirm);
    for url in [
        "https://canary.example/?Action=ConfirmSubscription".into(),
        subscribe_url().replace(TOKEN, "canary"),
        subscribe_url() + "&canary%20",
        subscribe_url().replace("/?", "/canary?"),
        "https://canary@sns.us-east-1.amazonaws.com/".into(),
    ] {
        let asked = Envelope::subscription_confirmation(&arn, ID, TIME, BODY, TOKEN, url).unwrap();
        let asked = verified(asked);
        let refused: Result<Content<'_>, ControlError> = asked.content();
        explains_itself(refused);
    }
}

#[test]
fn a_subscriber_keeps_quiet() {
    let arn = arn();
    let verifier = Verifier::new(Via::Http, [arn.clone()]);
    let config = dedupe::Config::new(NonZeroUsize::MIN, core::time::Duration::from_secs(1));
    keeps_quiet(&config);
    let mut subscriber = Subscriber::new(verifier, config, Trusting);
    let signature = "Y2FuYXJ5".repeat(42) + "Y2FuYQ==";
    for (number, envelope) in
        [notification(&arn), confirmation(&arn), notification(&arn)].into_iter().enumerate()
    {
        let envelope = envelope.signed("1", signature.clone(), CERTIFICATE_URL);
        let admit = |subscriber: &mut Subscriber<_>, envelope| {
            subscriber.admit(MonoTime::ORIGIN, WALL, Delivery::Envelope(envelope)).unwrap()
        };
        let mut admitted = admit(&mut subscriber, envelope);
        keeps_quiet(&admitted);
        if let Admitted::CertificateWanted { url, envelope } = admitted {
            subscriber.fetched(url, CERTIFICATE, WALL).unwrap();
            admitted = admit(&mut subscriber, envelope);
            keeps_quiet(&admitted);
        }
        keeps_quiet(&subscriber);
        match (number, &admitted) {
            (0, Admitted::Fresh(message)) => {
                keeps_quiet(&message.event().unwrap());
                subscriber.commit(MonoTime::ORIGIN, message);
            }
            (1, Admitted::Control(_)) | (2, Admitted::Seen(_)) => {}
            (_, other) => panic!("{other:?}"),
        }
        keeps_quiet(&subscriber);
    }
    let raw = Classifier::new(Via::SqsBody).classify(BODY.as_bytes(), &Headers::default());
    let Ok(Inbound::Raw(raw)) = raw else { panic!("{raw:?}") };
    let later = MonoTime::from_millis(5_000);
    let admitted = subscriber.admit(later, WALL, Delivery::Raw(raw)).unwrap();
    keeps_quiet(&admitted);
    let Admitted::Fresh(message) = admitted else { panic!("{admitted:?}") };
    explains_itself(message.event());
    let forged = notification(&arn).signed("2", signature, CERTIFICATE_URL);
    let mut strict = Subscriber::new(Verifier::new(Via::Http, [arn.clone()]), config, Ring);
    let url = Verifier::new(Via::Http, [arn.clone()]).check(forged.clone()).unwrap();
    strict.fetched(url.certificate_url().clone(), CERTIFICATE, WALL).unwrap();
    explains_itself(strict.admit(later, WALL, Delivery::Envelope(forged)));
    let unsigned = confirmation(&arn).signed("canary", "canary", "https://canary.example/");
    explains_itself(strict.admit(later, WALL, Delivery::Envelope(unsigned)));
}

#[test]
fn events_keep_quiet() {
    let text = completion();
    let builder = EventBuilder::new(EventKind::Completion.event_type().unwrap(), "e-1")
        .with_entities(json!({ "canary": {} }).to_string())
        .with_header_member("canary", "\"canary\"")
        .with_payload(json!({ "canary": BODY }).to_string());
    keeps_quiet(&builder);
    explains_itself(builder.with_payload("canary").encode());
    let event = Event::decode(text.as_bytes()).unwrap();
    keeps_quiet(&event);
    let body = event.body();
    keeps_quiet(&body);
    let Body::Completion(completion) = body else { panic!("{body:?}") };
    assert_eq!(completion.errors[0].message.as_deref(), Some(BODY), "it is there");
    let mut automations = Automations::default();
    let told = automations.completed(&completion, OrderKey::new(event.time(), None), event.id());
    let _ = told.unwrap();
    keeps_quiet(&automations);
    keeps_quiet(&completion.errors[0].clone().into_owned());
    for broken in [
        "canary".into(),
        "\"canary\"".into(),
        text.replace("\"2.0\"", "[\"canary\"]"),
        text.replace("\"e-1\"", "\"canary\\n\""),
        text.replace("Alexa.Automation.Execution", "canary/"),
        text.replace("\"payload\":{", "\"payload\":[{").replacen("}}}", "}]}}", 1),
    ] {
        explains_itself(Event::decode(broken.as_bytes()));
    }
}

#[test]
fn gates_keep_quiet() {
    let note = json!({ "note": BODY });
    let event = |kind: EventKind, entities: serde_json::Value| {
        EventBuilder::new(kind.event_type().unwrap(), "g-1")
            .with_timestamp("2024-05-01T10:00:00Z")
            .with_entities(entities.to_string())
            .with_payload(note.to_string())
            .encode()
            .unwrap()
    };
    let now = MonoTime::ORIGIN;
    let (mut units, mut roles) = (Units::default(), Roles::default());
    let (mut devices, mut failures) = (Devices::default(), SkillFailures::default());
    units.created(now, &unit(), Level::Property).unwrap();
    let named = json!({ "id": unit().as_str(), "name": BODY });
    let skill = json!({ "id": "amzn1.ask.skill.1", "name": BODY });
    for text in [
        event(EventKind::Activation, json!({ "unit": named })),
        event(EventKind::Failure, json!({ "skill": skill, "unit": named })),
        event(EventKind::Assignment, json!({ "unit": named })),
        event(EventKind::SetupCompletion, json!({ "endpoint": { "id": BODY } })),
    ] {
        let event = Event::decode(text.as_bytes()).unwrap();
        let order = OrderKey::new(event.time(), None);
        keeps_quiet(&event.body());
        match event.body() {
            Body::Activation(activation) => {
                let effect = units.activated(now, &activation, event.id()).unwrap();
                keeps_quiet(&effect);
                let Some(UnitEffect::Unblocked(unit)) = effect else { panic!("{effect:?}") };
                keeps_quiet(&call::create_child_unit(&unit, BODY));
            }
            Body::SkillFailure(failure) => {
                failures.failed(&failure, event.time().unwrap(), event.id()).unwrap();
            }
            Body::RoleAssignment(change) => {
                let operation = smart_properties::gate::RoleOperation::Assign;
                explains_itself(roles.event(operation, &change, order, event.id()));
            }
            Body::SetupCompletion(setup) => {
                explains_itself(devices.set_up(&setup, order, event.id(), &units));
            }
            other => panic!("{other:?}"),
        }
    }
    let parts: [&dyn Debug; 4] = [&units, &roles, &devices, &failures];
    parts.into_iter().for_each(keeps_quiet);
}

#[test]
fn requests_and_answers_keep_quiet() {
    let entities = RawEntities::new(json!({ "canary": BODY }).to_string()).unwrap();
    let event_type = EventType::new("Alexa.X", "Y").unwrap();
    let (role, principal) = (
        RoleId::new("amzn1.alexa.role.did.R1").unwrap(),
        PrincipalId::new("amzn1.account.P1").unwrap(),
    );
    keeps_quiet(&entities);
    for selection in [
        Selection::Raw(RawSelection::new(event_type, entities.clone())),
        Selection::RoleAssignment(RoleScope::Raw(entities.clone())),
        Selection::SetupCompletion(SetupScope::Raw(entities)),
    ] {
        assert!(selection.entities().contains(BODY));
        keeps_quiet(&selection);
        let create = CreateSubscription::new(configuration(), selection);
        keeps_quiet(&create);
        assert!(create.request().body().unwrap().contains(BODY));
        keeps_quiet(&create.request());
    }
    let batch = RoleBatch::new([BatchItem { principal: principal.clone(), propagate: true }]);
    for request in [
        CreateConfiguration::new([arn()]).unwrap().request(),
        call::create_property(&unit(), BODY),
        call::assign_role_until(&role, &principal, true, BODY),
        call::batch_assign_roles(&role, &batch.unwrap()),
        call::enable_subscription_skill(&unit(), &SkillId::new("amzn1.ask.skill.1").unwrap()),
    ] {
        keeps_quiet(&request);
    }

    let listed = json!({ "results": [
        { "id": "amzn1.alexa.aem.subscription.7", "name": BODY,
            "subscriptionConfigurationId": configuration().as_str(),
            "eventType": { "namespace": "Alexa.X", "name": "Y" }, "entities": { "canary": BODY } },
        { "id": "canary" },
    ], "paginationContext": { "nextToken": TOKEN } })
    .to_string();
    let response = Response::new(200, listed.as_bytes());
    keeps_quiet(&response);
    let page = Page::<Subscription>::read(&response).unwrap();
    keeps_quiet(&page);
    let next = page.next_token().unwrap().clone();
    assert_eq!(next.as_str(), TOKEN);
    keeps_quiet(&next);
    keeps_quiet(&ListSubscriptions::default().after(next.clone()));
    keeps_quiet(&ListSubscriptions::default().after(next.clone()).request());
    keeps_quiet(&ListConfigurations::default().after(next).request());
    let mut replacement =
        Replacement::new(configuration(), CreateConfiguration::new([arn()]).unwrap());
    for result in page.into_results() {
        match result {
            Ok(subscription) => {
                keeps_quiet(&subscription);
                assert_eq!(replacement.add(&subscription), Ok(true));
            }
            refused => explains_itself(refused),
        }
    }
    keeps_quiet(&replacement);

    let json = json!({ "id": configuration().as_str(), "canary": BODY }).to_string();
    let response = Response::new(201, json.as_bytes());
    keeps_quiet(&Created::<SubscriptionConfiguration>::read(&response).unwrap());
    keeps_quiet(&Resource::<SubscriptionConfiguration>::read(&response).unwrap());
    for (status, body) in [
        (400, json.as_str()),
        (500, BODY),
        (200, BODY),
        (200, "\"canary\""),
        (200, r#"{"id":["canary"]}"#),
        (200, r#"{"id":"canary"}"#),
    ] {
        let response = Response::new(status, body.as_bytes());
        let read: Result<_, AnswerError> = Resource::<Subscription>::read(&response);
        explains_itself(read);
        explains_itself(Created::<Subscription>::read(&response));
        explains_itself(Page::<Subscription>::read(&response));
        explains_itself(call::read_user_id(&response));
        if let Err(error) = response.success() {
            keeps_quiet(error.body());
        }
    }
}
