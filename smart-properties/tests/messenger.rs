//! Requests and answers beyond the vectors: what is sent, what answers may look like, and what is never printed.

use std::num::NonZeroU32;

use proptest::prelude::*;
use serde_json::{Value, json};
use smart_properties::{
    AnswerError, BaseUrl, Created, EndpointId, EventType, IdError, JsonType, Page, PrincipalId,
    Request, Resource, Response, RoleId, SkillId, SubscriptionConfigurationId, SubscriptionId,
    TopicArn, UnitId,
    call::{self, AssociatedEndpoint, BatchError, BatchItem, RoleBatch},
    id::{Subscription, SubscriptionConfiguration},
    messenger::{
        self, CreateConfiguration, CreateSubscription, EventHeaderVersion, Existing,
        IdempotencyToken, IdempotencyTokenError, ListConfigurations, ListSubscriptions,
        RawEntities, RawError, RawSelection, Replacement, ReplacementError, RoleScope, Selection,
        SetupScope, SubscriptionPlan,
    },
};

const CONFIGURATION: &str = "amzn1.alexa.aem.subscription.configuration.123";

fn configuration(body: &str) -> SubscriptionConfigurationId<'_> {
    SubscriptionConfigurationId::new(format!("amzn1.alexa.aem.subscription.configuration.{body}"))
        .unwrap()
}

fn unit(body: &str) -> UnitId<'static> {
    UnitId::new(format!("amzn1.alexa.unit.did.{body}")).unwrap()
}

fn topic(name: &str) -> TopicArn {
    TopicArn::new(format!("arn:aws:sns:us-east-1:123456789012:{name}")).unwrap()
}

fn ok(body: &str) -> Response<'_> {
    Response::new(200, body.as_bytes())
}

fn created(status: u16, location: Option<&str>, body: &[u8]) -> Result<String, AnswerError> {
    let headers = location.map(|location| ("LOCATION", location));
    let response = Response::new(status, body).with_headers(headers);
    Created::<SubscriptionConfiguration>::read(&response).map(|created| created.id().to_string())
}

#[test]
fn members_that_are_not_documented_are_sent_only_when_asked_for() {
    let unit = unit("ROOM401");
    let entities = RawEntities::new(r#" {"unit":{"type":"Unit","id":"u"}} "#).unwrap();
    let voice = EventType::new("Alexa.Enterprise.Endpoint.Activity", "Voice").unwrap();
    let activity = Selection::Raw(RawSelection::new(voice, entities));
    let create = CreateSubscription::new(configuration("1"), activity)
        .with_idempotency_token(IdempotencyToken::new("t").unwrap())
        .with_event_header_version(EventHeaderVersion::V2)
        .with_duration_seconds(NonZeroU32::new(3600).unwrap());
    let body = concat!(
        r#"{"idempotencyToken":"t","#,
        r#""subscriptionConfigurationId":"amzn1.alexa.aem.subscription.configuration.1","#,
        r#""eventType":{"namespace":"Alexa.Enterprise.Endpoint.Activity","name":"Voice"},"#,
        r#""entities":{"unit":{"type":"Unit","id":"u"}},"#,
        r#""eventHeaderVersion":"V2","subscriptionDurationInSeconds":3600}"#,
    );
    assert_eq!(create.request().body(), Some(body));
    let raw = r#"{"x":[1.0,1e2]}"#;
    for selection in [
        Selection::RoleAssignment(RoleScope::Raw(RawEntities::new(raw).unwrap())),
        Selection::SetupCompletion(SetupScope::Raw(RawEntities::new(raw).unwrap())),
    ] {
        assert_eq!(selection.entities(), raw, "as it is written");
    }
    let plain = CreateSubscription::new(configuration("1"), Selection::Activation { parent: unit });
    let request = plain.request();
    let body: Value = serde_json::from_str(request.body().unwrap()).unwrap();
    let names: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn queries_are_in_the_order_of_the_specification() {
    let page = Page::<Subscription>::read(&ok(
        r#"{"results":[],"paginationContext":{"nextToken":"\u00e9 ~&"}}"#,
    ));
    let next = page.unwrap().next_token().unwrap().clone();
    let list = ListSubscriptions::default()
        .after(next.clone())
        .with_max_results(5)
        .of_type(EventType::new("A.B", "C").unwrap())
        .below(unit("P"))
        .for_unit(unit("U"))
        .of_caller();
    let query = concat!(
        "?owner=~caller&entities.unit.id=amzn1.alexa.unit.did.U&entities.unit.type=Unit",
        "&entities.unit.parent.id=amzn1.alexa.unit.did.P&entities.unit.parent.type=Unit",
        "&eventType.namespace=A.B&eventType.name=C&maxResults=5&nextToken=%C3%A9%20~%26",
    );
    let request = list.request();
    assert_eq!(request.path_and_query(), format!("/v1/eventMessenger/subscriptions{query}"));
    assert_eq!((request.body(), request.content_type()), (None, None));
    let request = ListConfigurations::default().after(next).request();
    let query = "?owner=~caller&nextToken=%C3%A9%20~%26";
    assert_eq!(
        request.path_and_query(),
        format!("/v1/eventMessenger/subscriptionConfigurations{query}")
    );
    let plain = ListSubscriptions::default().request();
    assert_eq!(plain.path_and_query(), "/v1/eventMessenger/subscriptions");
}

#[test]
fn a_created_id_is_found_wherever_it_stands() {
    let found = |location, body: &[u8]| created(201, location, body);
    let id = CONFIGURATION;
    let with_id = format!(r#"{{"id":"{id}","x":[1]}}"#);
    assert_eq!(found(None, with_id.as_bytes()).unwrap(), id);
    assert_eq!(found(Some(""), with_id.as_bytes()).unwrap(), id);
    let url = format!("https://api.amazonalexa.com/v1/x/{id}/?a=b/c#d/e");
    let fragment = format!("/v1/x/{id}#d/e");
    for body in
        [&b""[..], b" ", b"not json", b"{}", b"[]", br#"{"id":null}"#, br#"{"id":7}"#, b"\xff"]
    {
        assert_eq!(found(Some(id), body).unwrap(), id);
        assert_eq!(found(Some(&url), body).unwrap(), id);
        assert_eq!(found(Some(&fragment), body).unwrap(), id);
    }
    assert_eq!(created(200, None, with_id.as_bytes()).unwrap(), id);
    assert_eq!(created(202, Some(id), b"").unwrap(), id);

    let missing = Err(AnswerError::Missing { member: "id" });
    assert_eq!(found(None, b""), missing);
    assert_eq!(found(Some(" "), b"\n"), missing);
    assert_eq!(found(None, b"{}"), missing);
    assert!(matches!(found(None, b"\xff"), Err(AnswerError::NotUtf8 { position: 0 })));
    assert!(matches!(found(None, b"{"), Err(AnswerError::Malformed { .. })));
    let wrong = |member, expected, found| Err(AnswerError::WrongType { member, expected, found });
    assert_eq!(found(None, b"[]"), wrong("the body", JsonType::Object, JsonType::Array));
    assert_eq!(found(None, br#"{"id":7}"#), wrong("id", JsonType::String, JsonType::Number));
    let twice = format!(r#"{{"id":"{id}","id":"{id}"}}"#);
    assert_eq!(found(None, twice.as_bytes()), Err(AnswerError::DuplicateMember { member: "id" }));
    assert!(matches!(
        found(Some("x"), b""),
        Err(AnswerError::WrongKind(IdError::WrongKind { .. }))
    ));
    assert!(
        matches!(created(409, Some(id), with_id.as_bytes()), Err(AnswerError::Api(error)) if error.status() == 409)
    );
}

#[test]
fn a_member_that_comes_twice_is_none() {
    let body = format!(r#"{{"id":"{CONFIGURATION}","state":1,"state":2,"x":3}}"#);
    let resource = Resource::<SubscriptionConfiguration>::read(&ok(&body)).unwrap();
    assert_eq!((resource.member("state"), resource.member("x")), (None, Some("3")));
}

#[test]
fn of_a_header_that_comes_twice_the_first_counts() {
    let headers = [
        ("LOCATION", "a"),
        ("location", "b"),
        ("x-amzn-RequestId", "c"),
        ("X-AMZN-REQUESTID", "d"),
    ];
    let response = Response::new(503, b"").with_headers(headers);
    assert_eq!((response.location(), response.request_id()), (Some("a"), Some("c")));
}

#[test]
fn answers_are_read_up_to_a_mebibyte() {
    let padded = |bytes: usize| {
        let body = format!(r#"{{"id":"{CONFIGURATION}"}}"#);
        body.clone() + &" ".repeat(bytes - body.len())
    };
    let max = 1024 * 1024;
    assert!(Resource::<SubscriptionConfiguration>::read(&ok(&padded(max))).is_ok());
    let body = padded(max + 1);
    let long = Resource::<SubscriptionConfiguration>::read(&ok(&body));
    assert_eq!(long, Err(AnswerError::TooLong { bytes: max + 1, max }));
    // An error keeps less, and never fails to be one.
    let long = "x".repeat(max);
    let error = Response::new(500, long.as_bytes()).success().unwrap_err();
    assert_eq!(*error.body(), smart_properties::ErrorBody::Text("x".repeat(64 * 1024)));
    let error = Response::new(500, b" \r\n").success().unwrap_err();
    assert_eq!(*error.body(), smart_properties::ErrorBody::Empty);
    let error = Response::new(500, b"a\xff").success().unwrap_err();
    assert_eq!(*error.body(), smart_properties::ErrorBody::Text("a\u{fffd}".into()));
}

#[test]
fn only_what_may_pass_is_retried() {
    let retryable = (100..600).filter(|status| {
        Response::new(*status, b"").success().is_err_and(|error| error.retryable())
    });
    assert_eq!(retryable.collect::<Vec<_>>(), [429, 500, 503]);
    let successes = (0..1000).filter(|status| Response::new(*status, b"").success().is_ok());
    assert_eq!(successes.collect::<Vec<_>>(), (200..300).collect::<Vec<_>>());
}

#[test]
fn one_bad_result_does_not_spoil_a_page() {
    let body = r#"{"results":[{"id":"amzn1.alexa.aem.subscription.1"},7,{"x":1},{"id":"x"}],"paginationContext":null}"#;
    let page = Page::<Subscription>::read(&ok(body)).unwrap();
    let read: Vec<_> = page.results().iter().map(Result::is_ok).collect();
    assert_eq!(read, [true, false, false, false]);
    assert_eq!(page.next_token(), None);
    let read = |body| Page::<Subscription>::read(&ok(body)).map(|page| page.next_token().is_some());
    assert_eq!(read(r#"{"results":[],"paginationContext":{}}"#), Ok(false));
    assert_eq!(read(r#"{"results":[],"paginationContext":{"nextToken":""}}"#), Ok(false));
    assert_eq!(read("{}"), Err(AnswerError::Missing { member: "results" }));
    let twice = |member| Err(AnswerError::DuplicateMember { member });
    assert_eq!(read(r#"{"results":[],"results":[]}"#), twice("results"));
    let context = r#"{"results":[],"paginationContext":{"nextToken":"a","nextToken":"b"}}"#;
    assert_eq!(read(context), twice("nextToken"));
    for body in [
        "[]",
        r#"{"results":{}}"#,
        r#"{"results":[],"paginationContext":7}"#,
        r#"{"results":[],"paginationContext":{"nextToken":7}}"#,
    ] {
        assert!(matches!(read(body), Err(AnswerError::WrongType { .. })), "{body}");
    }
}

#[test]
fn what_was_created_already_is_found_again() {
    let create = CreateConfiguration::new([topic("a"), topic("b")]).unwrap();
    let find = |results: Value| {
        let body = json!({ "results": results }).to_string();
        let page = Page::<SubscriptionConfiguration>::read(&ok(&body)).unwrap();
        match create.find_in(&page) {
            Existing::Found(id) => id.to_string(),
            Existing::NotFound => "not found".into(),
            Existing::Unclear { ids, unreadable } => format!("{} and {unreadable}", ids.len()),
            other => panic!("{other:?}"),
        }
    };
    let channel = |name: &str| json!({"id": topic(name).as_str(), "x": 1, "type": "SNS"});
    let of = |channels: Value| json!({"id": CONFIGURATION, "deliveryChannels": channels});
    assert_eq!(find(json!([])), "not found");
    assert_eq!(find(json!([of(json!([channel("b"), channel("a")]))])), CONFIGURATION);
    assert_eq!(find(json!([of(json!([channel("a")]))])), "not found");
    assert_eq!(find(json!([of(json!([channel("a"), channel("b"), channel("c")]))])), "not found");
    let other_type = json!({"id": topic("b").as_str(), "type": "SQS"});
    assert_eq!(find(json!([of(json!([channel("a"), other_type]))])), "not found");
    // What does not say enough may be it.
    assert_eq!(find(json!([of(json!(null)), {"id": CONFIGURATION}, of(json!([{}]))])), "3 and 0");
    assert_eq!(find(json!([7, of(json!([]))])), "0 and 1");
    assert_eq!(find(json!([7, of(json!([channel("a"), channel("b")]))])), CONFIGURATION);
}

#[test]
fn a_subscription_is_the_same_whatever_the_order_of_its_members() {
    let selection = Selection::AutomationCompletion { unit: unit("ROOM401") };
    let create = CreateSubscription::new(configuration("123"), selection);
    let is = |change: &dyn Fn(&mut Value)| {
        let mut resource = json!({
            "state": "x", "id": "amzn1.alexa.aem.subscription.1",
            "entities": {"unit": {"id": "amzn1.alexa.unit.did.ROOM401", "type": "Unit"}},
            "eventType": {"name": "Completion", "namespace": "Alexa.Automation.Execution"},
            "subscriptionConfigurationId": CONFIGURATION,
        });
        change(&mut resource);
        let body = resource.to_string();
        create.is(&Resource::read(&ok(&body)).unwrap())
    };
    assert_eq!(is(&|_| ()), Some(true));
    assert_eq!(
        is(&|one| one["entities"]["unit"]["id"] = "amzn1.alexa.unit.did.X".into()),
        Some(false)
    );
    assert_eq!(is(&|one| one["entities"]["skill"] = json!({})), Some(false));
    assert_eq!(is(&|one| one["eventType"]["name"] = "Failure".into()), Some(false));
    assert_eq!(is(&|one| one["eventType"]["namespace"] = "X".into()), Some(false));
    let other = "amzn1.alexa.aem.subscription.configuration.124";
    assert_eq!(is(&|one| one["subscriptionConfigurationId"] = other.into()), Some(false));
    for name in ["entities", "eventType", "subscriptionConfigurationId"] {
        let without = |one: &mut Value| {
            one.as_object_mut().unwrap().remove(name);
        };
        assert_eq!(is(&without), None, "{name}");
    }
    let body = json!({"results": [{"id": "amzn1.alexa.aem.subscription.1"}]}).to_string();
    let page = Page::<Subscription>::read(&ok(&body)).unwrap();
    assert!(
        matches!(create.find_in(&page), Existing::Unclear { ids, unreadable: 0 } if ids.len() == 1)
    );
}

#[test]
fn a_replacement_loses_nothing_and_never_deletes_what_it_made() {
    let create = CreateConfiguration::new([topic("a")]).unwrap();
    let mut replacement = Replacement::new(configuration("1"), create);
    let mut add = |change: &dyn Fn(&mut Value)| {
        let mut resource = json!({
            "id": "amzn1.alexa.aem.subscription.7",
            "subscriptionConfigurationId": "amzn1.alexa.aem.subscription.configuration.1",
            "eventType": {"namespace": "A.B", "name": "C"}, "entities": {"unit": {}},
            "eventHeaderVersion": "V2", "subscriptionDurationInSeconds": 3600,
        });
        change(&mut resource);
        let body = resource.to_string();
        replacement.add(&Resource::read(&ok(&body)).unwrap())
    };
    for name in ["subscriptionConfigurationId", "eventType", "entities"] {
        let error = add(&|one| one[name] = Value::Null).unwrap_err();
        assert!(
            matches!(error, ReplacementError::Unclear { member, .. } if member == name),
            "{error}"
        );
    }
    assert!(add(&|one| one["eventHeaderVersion"] = "V3".into()).is_err());
    assert!(add(&|one| one["subscriptionDurationInSeconds"] = json!(0)).is_err());
    let other = "amzn1.alexa.aem.subscription.configuration.2";
    assert_eq!(add(&|one| one["subscriptionConfigurationId"] = other.into()), Ok(false));
    assert_eq!(add(&|_| ()), Ok(true));
    assert_eq!(add(&|_| ()), Ok(true), "a page may come twice");
    let first = "amzn1.alexa.aem.subscription.6";
    let unset = |one: &mut Value| {
        one["id"] = first.into();
        one["eventHeaderVersion"] = Value::Null;
        one["subscriptionDurationInSeconds"] = Value::Null;
    };
    assert_eq!(add(&unset), Ok(true), "null says nothing");
    let moves: Vec<_> = replacement.moves().map(|id| id.as_str()).collect();
    assert_eq!(moves, [first, "amzn1.alexa.aem.subscription.7"]);
    let same = replacement.created(&configuration("1"));
    assert_eq!(same, Err(ReplacementError::SameConfiguration));
    let requests = replacement.created(&configuration("3")).unwrap();
    let methods: Vec<_> = requests.iter().map(|request| request.method().as_str()).collect();
    assert_eq!(methods, ["POST", "POST", "DELETE", "DELETE", "DELETE"]);
    for ((create, request), old) in
        replacement.creates(&configuration("3")).zip(&requests).zip(&requests[2..])
    {
        assert_eq!(create.request(), *request);
        assert_eq!(create.configuration(), &configuration("3"));
        assert!(moves.iter().any(|id| old.path_and_query().ends_with(id)));
    }
    assert!(requests[0].body().unwrap().ends_with(r#""entities":{"unit":{}}}"#));
    let body = requests[1].body().unwrap();
    assert!(
        body.ends_with(r#""eventHeaderVersion":"V2","subscriptionDurationInSeconds":3600}"#),
        "{body}"
    );
}

#[test]
fn a_plan_has_one_subscription_a_parent() {
    let parents = [unit("ORG"), unit("P2"), unit("P1"), unit("P2"), unit("ORG")];
    let plan = SubscriptionPlan::for_tree(&configuration("1"), &parents);
    let planned: Vec<_> = plan.subscriptions().iter().map(|one| one.selection().clone()).collect();
    let expected = ["ORG", "P2", "P1"].map(|parent| Selection::Activation { parent: unit(parent) });
    assert_eq!(planned, expected);
    assert_eq!(plan.requests().count(), 3);
}

#[test]
fn what_the_caller_writes_is_checked() {
    let json = |bytes: usize| format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes - 8));
    assert!(RawEntities::new(json(65_536)).is_ok());
    let long = RawError::TooLong { bytes: 65_537 };
    assert_eq!(RawEntities::new(json(65_537)), Err(long));
    assert_eq!(RawEntities::new("[]"), Err(RawError::NotAnObject { found: JsonType::Array }));
    for bad in ["", "{", "{} {}", "x"] {
        assert!(matches!(RawEntities::new(bad), Err(RawError::Malformed { .. })), "{bad}");
    }
    assert!(IdempotencyToken::new("!~".repeat(128)).is_ok());
    let long = IdempotencyTokenError::TooLong { bytes: 257 };
    assert_eq!(IdempotencyToken::new("x".repeat(257)), Err(long));
    assert_eq!(IdempotencyToken::new(""), Err(IdempotencyTokenError::Empty));
    let bad = IdempotencyTokenError::BadCharacter { position: 1 };
    assert_eq!(IdempotencyToken::new("a b"), Err(bad));
}

#[test]
fn batches_have_1_to_50_items() {
    let batch = |items: usize| {
        let item = |index| BatchItem {
            principal: PrincipalId::new(format!("amzn1.account.P{index}")).unwrap(),
            propagate: true,
        };
        RoleBatch::new((0..items).map(item))
    };
    assert_eq!(batch(0), Err(BatchError::Empty));
    assert_eq!(batch(51), Err(BatchError::TooMany));
    let role = RoleId::new("amzn1.alexa.role.did.R1").unwrap();
    let request = call::batch_revoke_roles(&role, &batch(50).unwrap());
    let target = "/v1/roles/amzn1.alexa.role.did.R1/assignments/batchRevoke";
    assert_eq!(request.path_and_query(), target);
    let body = request.body().unwrap();
    let last = r#"{"itemId":49,"principalId":"amzn1.account.P49","propagate":true}]}"#;
    assert!(body.ends_with(last), "{body}");
    let principal = PrincipalId::new("amzn1.account.P1").unwrap();
    let request = call::assign_role_until(&role, &principal, false, "2024-05-01T10:00:00Z");
    let body = r#"{"principalId":"amzn1.account.P1","propagate":false,"expiresAt":"2024-05-01T10:00:00Z"}"#;
    assert_eq!(request.body(), Some(body));
}

#[test]
fn the_id_after_an_association_is_read_from_wherever_it_stands() {
    let id = |body: &str| EndpointId::new(format!("amzn1.alexa.endpoint.{body}")).unwrap();
    let before = id("OLD");
    let read = |body: &str| AssociatedEndpoint::read(&ok(body), &before).unwrap();
    let (old, new) = ("amzn1.alexa.endpoint.OLD", "amzn1.alexa.endpoint.NEW");
    for body in [
        json!({"id": new, "previous": old}),
        json!({"endpointId": new, "id": "request-7", "other": "amzn1.alexa.endpoint.X"}),
        json!({"endpoint": {"id": new}, "id": old}),
        json!([{"x": [new]}]),
        json!({"a": {"b": new, "c": new}, "d": old}),
        json!(new),
    ] {
        assert_eq!(read(&body.to_string()), AssociatedEndpoint::Named(id("NEW")), "{body}");
    }
    assert_eq!(read(&json!({"id": old}).to_string()), AssociatedEndpoint::Named(before.clone()));
    for body in ["", " ", "null", "x", "{", "{}", r#"{"id":"x"}"#, r#"{"id":7}"#] {
        assert_eq!(read(body), AssociatedEndpoint::NotNamed, "{body}");
    }
    let several = json!({"a": "amzn1.alexa.endpoint.Y", "b": "amzn1.alexa.endpoint.X", "c": old});
    let ambiguous = AssociatedEndpoint::Ambiguous(vec![id("X"), id("Y")]);
    assert_eq!(read(&several.to_string()), ambiguous);

    let deep = |lists: usize| format!("{}{}", "[".repeat(lists), "]".repeat(lists));
    assert_eq!(read(&deep(33)), AssociatedEndpoint::NotNamed);
    let too_deep = AssociatedEndpoint::read(&ok(&deep(34_000)), &before);
    assert_eq!(too_deep, Err(AnswerError::TooDeep { max: 32 }));
    let refused = AssociatedEndpoint::read(&Response::new(400, b"{}"), &before);
    assert!(matches!(refused, Err(AnswerError::Api(_))));
}

#[test]
fn an_association_is_searched_32_levels_deep() {
    let before = EndpointId::new("amzn1.alexa.endpoint.EP9").unwrap();
    let read = |lists: usize| {
        let body =
            format!(r#"{}"amzn1.alexa.endpoint.EP77"{}"#, "[".repeat(lists), "]".repeat(lists));
        AssociatedEndpoint::read(&ok(&body), &before)
    };
    let named = EndpointId::new("amzn1.alexa.endpoint.EP77").unwrap();
    assert_eq!(read(32), Ok(AssociatedEndpoint::Named(named)));
    assert_eq!(read(33), Err(AnswerError::TooDeep { max: 32 }));
}

#[test]
fn nothing_that_was_sent_or_came_back_is_printed() {
    const CANARY: &str = "canary";
    let create = call::create_property(&unit("U"), CANARY);
    let list = ListSubscriptions::default();
    let body = format!(r#"{{"results":[],"paginationContext":{{"nextToken":"{CANARY}"}}}}"#);
    let page = Page::<Subscription>::read(&ok(&body)).unwrap();
    let list = list.after(page.next_token().unwrap().clone());
    let made = format!(r#"{{"id":"{CONFIGURATION}","x":"{CANARY}"}}"#);
    let response = ok(&made);
    let made = (
        Created::<SubscriptionConfiguration>::read(&response).unwrap(),
        Resource::<SubscriptionConfiguration>::read(&response).unwrap(),
    );
    let json = format!(r#"{{"message":"{CANARY}"}}"#);
    let errors = [CANARY, json.as_str()]
        .map(|body| Response::new(400, body.as_bytes()).success().unwrap_err());
    let profile = format!(r#"{{"name":"{CANARY}","user_id":7}}"#);
    let unread = call::read_user_id(&ok(&profile)).unwrap_err();
    let printed = format!(
        "{create:?} {:?} {page:?} {list:?} {made:?} {:?} {errors:?} {} {} {unread} {unread:?}",
        list.request(),
        ok(CANARY),
        errors[0],
        errors[1],
    );
    assert!(!printed.contains(CANARY), "{printed}");
    let error = Response::new(429, b"").with_headers([("X-Amzn-RequestId", "r\n1")]).success();
    let text = "the API answered 429 to request \"r\\n1\": wait and repeat, slower";
    assert_eq!(error.unwrap_err().to_string(), text);
}

fn id_body() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-]([A-Za-z0-9_-]|[.][A-Za-z0-9_-]){0,20}"
}

fn every_request(body: &str, text: &str) -> Vec<Request> {
    let id = |prefix: &str| format!("{prefix}{body}");
    let configuration = configuration(body);
    let subscription = SubscriptionId::new(id("amzn1.alexa.aem.subscription.")).unwrap();
    let endpoint = EndpointId::new(id("amzn1.alexa.endpoint.")).unwrap();
    let skill = SkillId::new(id("amzn1.ask.skill.")).unwrap();
    let role = RoleId::new(id("amzn1.alexa.role.did.")).unwrap();
    let principal = PrincipalId::new(id("amzn1.account.")).unwrap();
    let page = json!({"results": [], "paginationContext": {"nextToken": text}}).to_string();
    let page = Page::<Subscription>::read(&ok(&page)).unwrap();
    let mut list = ListSubscriptions::default().of_caller().below(unit(body)).for_unit(unit(body));
    if let Some(next) = page.next_token() {
        list = list.after(next.clone());
    }
    vec![
        messenger::get_configuration(&configuration),
        messenger::delete_configuration(&configuration),
        messenger::get_subscription(&subscription),
        messenger::delete_subscription(&subscription),
        list.request(),
        call::create_property(&unit(body), text),
        call::enable_subscription_skill(&unit(body), &skill),
        call::assign_role(&role, &principal, true),
        call::assign_role_until(&role, &principal, true, text),
        call::revoke_role(&role, &principal, true),
        call::return_device(&endpoint),
        call::user_profile(),
    ]
}

proptest! {
    #[test]
    fn a_target_holds_nothing_that_ends_a_line_or_a_segment(
        body in id_body(),
        text in prop_oneof![any::<String>(), "[/?#&=%.~ \r\n]{0,20}"],
    ) {
        prop_assume!(!body.starts_with("configuration."));
        for request in every_request(&body, &text) {
            let target = request.path_and_query();
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            prop_assert!(path.starts_with('/') && path.split('/').skip(1).all(|segment| {
                !segment.is_empty() && !matches!(segment, "." | "..") && segment.bytes().all(unreserved)
            }), "{target}");
            for member in query.split('&').filter(|member| !member.is_empty()) {
                let (_, value) = member.split_once('=').unwrap();
                prop_assert!(value.bytes().all(|byte| unreserved(byte) || byte == b'%'), "{target}");
            }
            prop_assert_eq!(request.url(), format!("{}{target}", request.base()));
            // Whatever text goes in comes out of the body again.
            if let Some(sent) = request.body() {
                prop_assert!(serde_json::from_str::<Value>(sent).is_ok(), "{sent}");
            }
            let moved = request.clone().with_base(BaseUrl::new("https://a.example:1").unwrap());
            prop_assert_eq!(moved.url(), format!("https://a.example:1{target}"));
        }
    }

    #[test]
    fn no_answer_is_too_strange(status in 190_u16..310, body in any::<Vec<u8>>(), location in any::<String>()) {
        let response = Response::new(status, &body).with_headers([("Location", &*location)]);
        let _ = Created::<Subscription>::read(&response);
        let _ = Resource::<Subscription>::read(&response);
        let _ = Page::<Subscription>::read(&response);
        let before = EndpointId::new("amzn1.alexa.endpoint.E").unwrap();
        let _ = AssociatedEndpoint::read(&response, &before);
        let _ = call::read_user_id(&response);
    }
}
