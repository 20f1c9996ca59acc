//! Changing a configuration, which has no update (specification section 7.2).

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    CreateConfiguration, CreateSubscription, EventHeaderVersion, RawEntities, RawSelection,
    Selection, configuration::delete_configuration, subscription::delete_subscription,
};
use crate::{
    EventType, JsonType, Request, Resource, SubscriptionConfigurationId, SubscriptionId,
    id::Subscription, response::member,
};

/// One configuration in place of another: create the new one, move the subscriptions, delete the old one.
///
/// While both exist an event may come twice, with the same event ID, which a deduplication drops; none is missed.
///
/// ```
/// use smart_properties::{Method, Page, Response, SubscriptionConfigurationId, TopicArn};
/// use smart_properties::{id::Subscription, messenger::{CreateConfiguration, Replacement}};
///
/// let old = SubscriptionConfigurationId::new("amzn1.alexa.aem.subscription.configuration.1")?;
/// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let mut replacement = Replacement::new(old, CreateConfiguration::new([topic])?);
///
/// // Every page of the list of subscriptions.
/// let body = br#"{"results":[{"id":"amzn1.alexa.aem.subscription.7",
///     "subscriptionConfigurationId":"amzn1.alexa.aem.subscription.configuration.1",
///     "eventType":{"namespace":"Alexa.Automation.Execution","name":"Completion"},
///     "entities":{"unit":{"type":"Unit","id":"amzn1.alexa.unit.did.ROOM401"}}}]}"#;
/// let page = Page::<Subscription>::read(&Response::new(200, body))?;
/// for subscription in page.into_results() {
///     replacement.add(&subscription?)?;
/// }
///
/// // Send this, read its answer, and go on with the ID that it gives.
/// assert_eq!(replacement.create().method(), Method::Post);
/// let new = SubscriptionConfigurationId::new("amzn1.alexa.aem.subscription.configuration.2")?;
/// let rest = replacement.created(&new)?;
/// let methods: Vec<_> = rest.iter().map(|request| request.method()).collect();
/// assert_eq!(methods, [Method::Post, Method::Delete, Method::Delete]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replacement {
    old: SubscriptionConfigurationId<'static>,
    new: CreateConfiguration,
    moves: BTreeMap<SubscriptionId<'static>, CreateSubscription>,
}

/// Why a configuration cannot be replaced.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ReplacementError {
    /// The subscription does not show a member, or not in a form that can be sent again.
    #[error(
        "subscription {id} does not show its {member} so that it can be created again: get it by its ID"
    )]
    Unclear {
        /// Which subscription.
        id: SubscriptionId<'static>,
        /// What is absent or not as it must be.
        member: &'static str,
    },
    /// The service says that the new configuration is the old one: deleting that would delete both.
    #[error("the new subscription configuration is the old one, so there is nothing to replace")]
    SameConfiguration,
}

impl Replacement {
    /// The old one, and what to create in its place.
    #[must_use]
    pub fn new(old: SubscriptionConfigurationId<'_>, new: CreateConfiguration) -> Self {
        Self { old: old.into_owned(), new, moves: BTreeMap::new() }
    }

    /// Looks at one subscription; true when it has to move. One that was added before is not added again.
    ///
    /// # Errors
    /// It does not show its configuration, event type or entities, or shows something that cannot be sent again.
    /// Lists may show less than a get.
    pub fn add(
        &mut self,
        subscription: &Resource<'_, Subscription>,
    ) -> Result<bool, ReplacementError> {
        let unclear = |member| ReplacementError::Unclear {
            id: subscription.id().clone().into_owned(),
            member,
        };
        let configuration = subscription
            .value("subscriptionConfigurationId")
            .and_then(|value| value.string())
            .ok_or_else(|| unclear("subscriptionConfigurationId"))?;
        if configuration != self.old.as_str() {
            return Ok(false);
        }
        let event_type = subscription.member("eventType").ok_or_else(|| unclear("eventType"))?;
        let text = |name| member(event_type, name)?.string();
        let names = text("namespace").zip(text("name"));
        let (namespace, name) = names.ok_or_else(|| unclear("eventType"))?;
        let entities = subscription.member("entities").and_then(|json| RawEntities::new(json).ok());
        let entities = entities.ok_or_else(|| unclear("entities"))?;
        let event_type = EventType::new(namespace, name).map_err(|_| unclear("eventType"))?;
        let selection = Selection::Raw(RawSelection::new(event_type, entities));
        let mut create = CreateSubscription::new(self.old.borrowed(), selection);
        let shown = |name| subscription.value(name).filter(|it| it.json_type() != JsonType::Null);
        if let Some(version) = shown("eventHeaderVersion") {
            let version = version.string().and_then(|text| EventHeaderVersion::of(&text));
            create = create
                .with_event_header_version(version.ok_or_else(|| unclear("eventHeaderVersion"))?);
        }
        if let Some(seconds) = shown("subscriptionDurationInSeconds") {
            let seconds =
                seconds.raw.parse().map_err(|_| unclear("subscriptionDurationInSeconds"))?;
            create = create.with_duration_seconds(seconds);
        }
        self.moves.entry(subscription.id().clone().into_owned()).or_insert(create);
        Ok(true)
    }

    /// The first request.
    #[must_use]
    pub fn create(&self) -> Request {
        self.new.request()
    }

    /// The subscriptions that move, in the order of their IDs.
    pub fn moves(&self) -> impl Iterator<Item = &SubscriptionId<'static>> {
        self.moves.keys()
    }

    /// What is created in their place, in the same order, where the new configuration has this ID. Of a create that was
    /// not answered, [`find_in`](CreateSubscription::find_in) tells whether it has happened.
    pub fn creates(
        &self,
        id: &SubscriptionConfigurationId<'_>,
    ) -> impl Iterator<Item = CreateSubscription> {
        self.moves.values().map(|create| create.in_configuration(id))
    }

    /// The other requests, once the first one was answered with this ID: create all subscriptions again, delete the old
    /// ones, delete the old configuration. Send each only after the one before has succeeded.
    ///
    /// # Errors
    /// It is the ID of the old configuration.
    pub fn created(
        &self,
        id: &SubscriptionConfigurationId<'_>,
    ) -> Result<Vec<Request>, ReplacementError> {
        if id.as_str() == self.old.as_str() {
            return Err(ReplacementError::SameConfiguration);
        }
        let mut requests: Vec<_> = self.creates(id).map(|create| create.request()).collect();
        requests.extend(self.moves().map(delete_subscription));
        requests.push(delete_configuration(&self.old));
        Ok(requests)
    }
}
