//! The vectors M-01 to M-22 of specification section 13.8.

use serde_json::Value;
use smart_properties::{
    AnswerError, ApiError, Created, ErrorBody, EventKind, EventType, IdError, Page, PrincipalId,
    Request, Response, SkillId, SubscriptionConfigurationId, SubscriptionId, TopicArn,
    TopicArnError, UnitId,
    id::{Subscription, SubscriptionConfiguration},
    messenger::{
        ChannelError, CreateConfiguration, CreateSubscription, IdempotencyToken, ListSubscriptions,
        Replacement, RoleScope, Selection, SetupScope, delete_subscription,
    },
};

#[test]
fn every_messenger_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/messenger.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        println!("{id}");
        match vector["op"].as_str().unwrap() {
            "configure" => configure(&vector),
            "created" => created(&vector),
            "subscribe" => subscribe(&vector),
            "list" => list(&vector),
            "pairs" => pairs(&vector),
            "page" => page(&vector),
            "error" => error(&vector),
            "delete" => {
                let subscription = SubscriptionId::new(text(&vector, "subscription")).unwrap();
                let request = delete_subscription(&subscription);
                assert_eq!(request.path_and_query(), text(&vector, "target"));
                assert_eq!((request.method().as_str(), request.body()), ("DELETE", None));
            }
            "refused" => {
                let refused = SubscriptionId::new(text(&vector, "subscription"));
                assert!(matches!(refused, Err(IdError::BadCharacter { .. })), "{refused:?}");
            }
            "replace" => replace(&vector),
            other => panic!("no operation {other}"),
        }
        if ids.last().is_none_or(|last| last != id) {
            ids.push(id.to_owned());
        }
    }
    let all: Vec<String> = (1..=22).map(|number| format!("M-{number:02}")).collect();
    assert_eq!(ids, all);
}

fn configure(vector: &Value) {
    let topics = vector["topics"].as_array().unwrap().iter();
    let topics: Result<Vec<_>, _> =
        topics.map(|topic| TopicArn::new(topic.as_str().unwrap())).collect();
    let create = match (topics, vector["error"].as_str()) {
        (Err(error), expected) => {
            assert_eq!((error, expected), (TopicArnError::NotSns, Some("NotSns")));
            return;
        }
        (Ok(topics), None) => CreateConfiguration::new(topics).unwrap(),
        (Ok(topics), Some(expected)) => {
            let error = CreateConfiguration::new(topics).unwrap_err();
            let name = match error {
                ChannelError::NoChannel => "NoChannel",
                ChannelError::FifoTopic => "FifoTopic",
                ChannelError::WrongPartition { .. } => "WrongPartition",
                _ => panic!("{error}"),
            };
            assert_eq!(name, expected);
            return;
        }
    };
    let create = match vector["token"].as_str() {
        Some(token) => create.with_idempotency_token(IdempotencyToken::new(token).unwrap()),
        None => create,
    };
    let request = create.request();
    let sent = (request.method().as_str(), request.path_and_query(), request.body());
    assert_eq!(sent, ("POST", text(vector, "target"), vector["body"].as_str()));
    assert_eq!(request.content_type(), Some("application/json"));
}

fn created(vector: &Value) {
    let location = [("Content-Type", "application/json"), ("location", text(vector, "location"))];
    let response = Response::new(201, text(vector, "body").as_bytes()).with_headers(location);
    let created = Created::<SubscriptionConfiguration>::read(&response);
    match vector["error"].as_str() {
        None => assert_eq!(created.unwrap().id().as_str(), text(vector, "created")),
        Some("IdMismatch") => assert_eq!(created, Err(AnswerError::IdMismatch)),
        Some("WrongKind") => {
            assert!(matches!(created, Err(AnswerError::WrongKind(IdError::WrongKind { .. }))))
        }
        Some(other) => panic!("no error {other}"),
    }
}

/// That an activation takes no unit and a skill failure needs a skill (M-10, M-11), the examples at `Selection` show:
/// they do not compile.
fn subscribe(vector: &Value) {
    let unit = || UnitId::new(text(vector, "unit")).unwrap();
    let selection = match text(vector, "event") {
        "AutomationCompletion" => Selection::AutomationCompletion { unit: unit() },
        "Activation" => {
            Selection::Activation { parent: UnitId::new(text(vector, "parent")).unwrap() }
        }
        "SkillFailure" => {
            let skill = SkillId::new(text(vector, "skill")).unwrap();
            Selection::SkillFailure { unit: unit(), skill }
        }
        "RoleAssignment" => Selection::RoleAssignment(RoleScope::Unit(unit())),
        "RoleRevocation" => Selection::RoleRevocation(RoleScope::Unit(unit())),
        "SetupCompletion" => Selection::SetupCompletion(match vector["user"].as_str() {
            Some(user) => SetupScope::User(PrincipalId::new(user).unwrap()),
            None => SetupScope::Unit(unit()),
        }),
        other => panic!("no event {other}"),
    };
    assert_eq!(selection.namespace(), text(vector, "namespace"));
    assert_eq!(selection.name(), text(vector, "name"));
    assert_eq!(selection.entities(), text(vector, "entities"));
    let event_type = EventType::new(selection.namespace(), selection.name()).unwrap();
    assert_ne!(event_type.kind(), EventKind::Unknown, "such events are read, too");
    let configuration = "amzn1.alexa.aem.subscription.configuration.123";
    let id = SubscriptionConfigurationId::new(configuration).unwrap();
    let body = format!(
        r#"{{"subscriptionConfigurationId":"{configuration}","eventType":{{"namespace":"{}","name":"{}"}},"entities":{}}}"#,
        text(vector, "namespace"),
        text(vector, "name"),
        text(vector, "entities"),
    );
    assert_eq!(CreateSubscription::new(id, selection).request().body(), Some(&*body));
}

fn list(vector: &Value) {
    let unit = UnitId::new(text(vector, "unit")).unwrap();
    let request = ListSubscriptions::default().for_unit(unit).of_caller().request();
    assert_eq!(request.path_and_query(), text(vector, "target"));
}

/// Whichever filters are set, an ID comes with its type.
fn pairs(vector: &Value) {
    let unit = || UnitId::new(text(vector, "unit")).unwrap();
    let parent = || UnitId::new(text(vector, "parent")).unwrap();
    for set in 0..4 {
        let mut list = ListSubscriptions::default();
        if set & 1 != 0 {
            list = list.for_unit(unit());
        }
        if set & 2 != 0 {
            list = list.below(parent());
        }
        let request = list.request();
        let query = request.path_and_query();
        for kind in ["entities.unit", "entities.unit.parent"] {
            let id = query.contains(&format!("{kind}.id="));
            assert_eq!(id, query.contains(&format!("{kind}.type=Unit")), "{query}");
        }
        assert_eq!(query.contains(".unit.id="), set & 1 != 0);
        assert_eq!(query.contains(".parent.id="), set & 2 != 0);
    }
}

fn page(vector: &Value) {
    let response = Response::new(200, text(vector, "body").as_bytes());
    let page = Page::<Subscription>::read(&response).unwrap();
    let results: Vec<_> = page.results().iter().map(|one| one.as_ref().unwrap().json()).collect();
    let expected = vector["results"].as_array().unwrap().iter();
    assert_eq!(results, expected.map(|json| json.as_str().unwrap()).collect::<Vec<_>>());
    match vector["next"].as_str() {
        None => assert_eq!(page.next_token(), None),
        Some(end) => {
            let next = page.next_token().unwrap().clone();
            let request = ListSubscriptions::default().of_caller().after(next).request();
            assert!(request.path_and_query().ends_with(end), "{}", request.path_and_query());
        }
    }
}

fn error(vector: &Value) {
    let status = vector["status"].as_u64().unwrap().try_into().unwrap();
    let response = Response::new(status, text(vector, "body").as_bytes());
    let error = response.success().unwrap_err();
    let body = match vector["json"].as_str() {
        Some(json) => ErrorBody::Json(json.into()),
        None => ErrorBody::Text(text(vector, "text").into()),
    };
    assert_eq!((error.status(), error.body()), (status, &body));
    assert_eq!(vector["retryable"], error.retryable());
    if error.retryable() {
        let waits = ApiError::WAITS.iter().map(|wait| Value::from(wait.as_secs()));
        assert_eq!(vector["waits"], waits.collect::<Value>());
    }
}

fn replace(vector: &Value) {
    let old = SubscriptionConfigurationId::new(text(vector, "old")).unwrap();
    let new = SubscriptionConfigurationId::new(text(vector, "new")).unwrap();
    let topics = vector["topics"].as_array().unwrap().iter();
    let topics = topics.map(|topic| TopicArn::new(topic.as_str().unwrap()).unwrap());
    let mut replacement = Replacement::new(old, CreateConfiguration::new(topics).unwrap());
    let response = Response::new(200, text(vector, "body").as_bytes());
    for subscription in Page::<Subscription>::read(&response).unwrap().into_results() {
        replacement.add(&subscription.unwrap()).unwrap();
    }
    let plain = |request: Request| {
        let (method, target) = (request.method().as_str(), request.path_and_query());
        Value::from(vec![Value::from(method), target.into(), request.body().into()])
    };
    let mut requests = vec![plain(replacement.create())];
    requests.extend(replacement.created(&new).unwrap().into_iter().map(plain));
    assert_eq!(vector["requests"], Value::from(requests));
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name].as_str().unwrap_or_else(|| panic!("no text {name}"))
}
