//! Which events go where: the requests about subscriptions (specification sections 7.2 and 7.3).

use core::num::NonZeroU32;

use serde::Serialize;

use super::{IdempotencyToken, Selection, configuration::page, selection::Entities};
use crate::{
    EventType, Method, NextToken, Request, SubscriptionConfigurationId, SubscriptionId, UnitId,
    request::Target,
};

/// A subscription to be created: which events go to the topics of a configuration.
///
/// ```
/// use smart_properties::{SubscriptionConfigurationId, UnitId};
/// use smart_properties::messenger::{CreateSubscription, Selection};
///
/// let configuration =
///     SubscriptionConfigurationId::new("amzn1.alexa.aem.subscription.configuration.123")?;
/// let room = UnitId::new("amzn1.alexa.unit.did.ROOM401")?;
/// let create =
///     CreateSubscription::new(configuration, Selection::AutomationCompletion { unit: room });
/// let request = create.request();
/// assert_eq!(request.path_and_query(), "/v1/eventMessenger/subscriptions");
/// assert_eq!(request.body(), Some(concat!(
///     r#"{"subscriptionConfigurationId":"amzn1.alexa.aem.subscription.configuration.123","#,
///     r#""eventType":{"namespace":"Alexa.Automation.Execution","name":"Completion"},"#,
///     r#""entities":{"unit":{"type":"Unit","id":"amzn1.alexa.unit.did.ROOM401"}}}"#,
/// )));
/// # Ok::<(), smart_properties::IdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateSubscription {
    configuration: SubscriptionConfigurationId<'static>,
    selection: Selection<'static>,
    idempotency_token: Option<IdempotencyToken>,
    event_header_version: Option<EventHeaderVersion>,
    duration_seconds: Option<NonZeroU32>,
}

/// The form of events that is asked for with the member `eventHeaderVersion`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventHeaderVersion {
    /// `V2`, the only value ever seen.
    V2,
}

impl CreateSubscription {
    /// These events go to the topics of this configuration.
    #[must_use]
    pub fn new(configuration: SubscriptionConfigurationId<'_>, selection: Selection<'_>) -> Self {
        Self {
            configuration: configuration.into_owned(),
            selection: selection.into_owned(),
            idempotency_token: None,
            event_header_version: None,
            duration_seconds: None,
        }
    }

    /// Adds the member `idempotencyToken`, which Amazon's command line client sends only for the namespace
    /// `Alexa.Enterprise.Endpoint.Activity`.
    #[must_use]
    pub fn with_idempotency_token(mut self, token: IdempotencyToken) -> Self {
        self.idempotency_token = Some(token);
        self
    }

    /// Adds the member `eventHeaderVersion`, which Amazon's command line client sends only for the namespace
    /// `Alexa.Enterprise.Endpoint.Activity`. What it does is not documented.
    #[must_use]
    pub const fn with_event_header_version(mut self, version: EventHeaderVersion) -> Self {
        self.event_header_version = Some(version);
        self
    }

    /// Adds the member `subscriptionDurationInSeconds`, which Amazon's command line client sends only for the namespace
    /// `Alexa.Enterprise.Endpoint.Activity`, as 3600. What it does is not documented.
    #[must_use]
    pub const fn with_duration_seconds(mut self, seconds: NonZeroU32) -> Self {
        self.duration_seconds = Some(seconds);
        self
    }

    pub(super) fn in_configuration(&self, configuration: &SubscriptionConfigurationId<'_>) -> Self {
        Self { configuration: configuration.clone().into_owned(), ..self.clone() }
    }

    /// Where the events go.
    #[must_use]
    pub const fn configuration(&self) -> &SubscriptionConfigurationId<'static> {
        &self.configuration
    }

    /// Which events.
    #[must_use]
    pub const fn selection(&self) -> &Selection<'static> {
        &self.selection
    }

    /// The request. Its answer is read by [`Created::read`](crate::Created::read).
    #[must_use]
    pub fn request(&self) -> Request {
        Request::new(Method::Post, Target::new(PATH)).with_json(&Body {
            idempotency_token: self.idempotency_token.as_ref().map(IdempotencyToken::as_str),
            subscription_configuration_id: self.configuration.as_str(),
            event_type: Names {
                namespace: self.selection.namespace(),
                name: self.selection.name(),
            },
            entities: Entities(&self.selection),
            event_header_version: self.event_header_version.map(EventHeaderVersion::as_str),
            subscription_duration_in_seconds: self.duration_seconds,
        })
    }
}

impl EventHeaderVersion {
    const fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "V2",
        }
    }

    pub(super) fn of(text: &str) -> Option<Self> {
        [Self::V2].into_iter().find(|known| known.as_str() == text)
    }
}

/// Reads one subscription. Its answer is read by [`Resource::read`](crate::Resource::read).
#[must_use]
pub fn get_subscription(id: &SubscriptionId<'_>) -> Request {
    Request::new(Method::Get, one(id))
}

/// Deletes one subscription. Whether it succeeded, [`Response::success`](crate::Response::success) tells.
#[must_use]
pub fn delete_subscription(id: &SubscriptionId<'_>) -> Request {
    Request::new(Method::Delete, one(id))
}

/// Which subscriptions to list. Without a filter the service decides; how filters combine is not documented.
///
/// ```
/// use smart_properties::{UnitId, messenger::ListSubscriptions};
///
/// let room = UnitId::new("amzn1.alexa.unit.did.ROOM401")?;
/// let request = ListSubscriptions::default().of_caller().for_unit(room).request();
/// assert_eq!(request.path_and_query(), concat!(
///     "/v1/eventMessenger/subscriptions",
///     "?owner=~caller&entities.unit.id=amzn1.alexa.unit.did.ROOM401&entities.unit.type=Unit",
/// ));
/// # Ok::<(), smart_properties::IdError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ListSubscriptions {
    of_caller: bool,
    unit: Option<UnitId<'static>>,
    parent: Option<UnitId<'static>>,
    event_type: Option<EventType<'static>>,
    max_results: Option<u32>,
    next_token: Option<NextToken<'static>>,
}

impl ListSubscriptions {
    /// Those that the access token's customer created.
    #[must_use]
    pub const fn of_caller(mut self) -> Self {
        self.of_caller = true;
        self
    }

    /// Those about this unit: both members of the pair that this takes.
    #[must_use]
    pub fn for_unit(mut self, unit: UnitId<'_>) -> Self {
        self.unit = Some(unit.into_owned());
        self
    }

    /// Those about units below this one, which subscriptions to activations are.
    #[must_use]
    pub fn below(mut self, parent: UnitId<'_>) -> Self {
        self.parent = Some(parent.into_owned());
        self
    }

    /// Those of this event type.
    #[must_use]
    pub fn of_type(mut self, event_type: EventType<'_>) -> Self {
        self.event_type = Some(event_type.into_owned());
        self
    }

    /// At most so many a page. What the service allows is not documented.
    #[must_use]
    pub const fn with_max_results(mut self, max_results: u32) -> Self {
        self.max_results = Some(max_results);
        self
    }

    /// The page behind the one that ended with this token.
    #[must_use]
    pub fn after(mut self, token: NextToken<'_>) -> Self {
        self.next_token = Some(token.into_owned());
        self
    }

    /// The request. Its answer is read by [`Page::read`](crate::Page::read).
    #[must_use]
    pub fn request(&self) -> Request {
        let unit_type = |unit: &Option<UnitId<'_>>| unit.as_ref().map(|_| "Unit");
        let event_type = self.event_type.as_ref();
        let target = Target::new(PATH)
            .maybe_query("owner", self.of_caller.then_some("~caller"))
            .maybe_query("entities.unit.id", self.unit.as_ref().map(UnitId::as_str))
            .maybe_query("entities.unit.type", unit_type(&self.unit))
            .maybe_query("entities.unit.parent.id", self.parent.as_ref().map(UnitId::as_str))
            .maybe_query("entities.unit.parent.type", unit_type(&self.parent))
            .maybe_query("eventType.namespace", event_type.map(EventType::namespace))
            .maybe_query("eventType.name", event_type.map(EventType::name));
        Request::new(Method::Get, page(target, self.max_results, self.next_token.as_ref()))
    }
}

fn one(id: &SubscriptionId<'_>) -> Target {
    Target::new(alloc::format!("{PATH}/{id}"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_token: Option<&'a str>,
    subscription_configuration_id: &'a str,
    event_type: Names<'a>,
    entities: Entities<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_header_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_duration_in_seconds: Option<NonZeroU32>,
}

#[derive(Serialize)]
struct Names<'a> {
    namespace: &'a str,
    name: &'a str,
}

const PATH: &str = "/v1/eventMessenger/subscriptions";
