//! Whether what is to be created is already there (specification section 7.4).

use alloc::{borrow::Cow, vec::Vec};

use serde_json::Value as Json;

use super::{CreateConfiguration, CreateSubscription, configuration::SNS};
use crate::{
    Id, Page, Resource,
    id::{IdKind, Subscription, SubscriptionConfiguration},
    json::{JsonType, Malformed, elements},
    response::member,
};

/// What a page of a list says about something that is to be created.
///
/// A create that timed out may have happened. Before it is sent again, list, and ask every page:
///
/// ```
/// use smart_properties::{Page, Response, TopicArn, id::SubscriptionConfiguration};
/// use smart_properties::messenger::{CreateConfiguration, Existing};
///
/// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let create = CreateConfiguration::new([topic])?;
/// let body = br#"{"results":[{"id":"amzn1.alexa.aem.subscription.configuration.123",
///     "deliveryChannels":[{"id":"arn:aws:sns:us-east-1:123456789012:asp-events","type":"SNS"}]}]}"#;
/// let page = Page::<SubscriptionConfiguration>::read(&Response::new(200, body))?;
/// let Existing::Found(id) = create.find_in(&page) else { panic!("it is there") };
/// assert_eq!(id.as_str(), "amzn1.alexa.aem.subscription.configuration.123");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Existing<'a, K> {
    /// It is there: do not create it again.
    Found(Id<'a, K>),
    /// It is not on this page: ask the next one, and create it when there is none.
    NotFound,
    /// It is not among those that say enough. The members of lists are not documented: get each of these, and ask
    /// [`is`](CreateConfiguration::is) of what comes back; where `unreadable` is not zero, even that may not find it.
    Unclear {
        /// Those that do not say enough.
        ids: Vec<Id<'a, K>>,
        /// How many results have no ID that can be read.
        unreadable: usize,
    },
}

impl CreateConfiguration {
    /// Whether a page lists a configuration with the same topics.
    #[must_use]
    pub fn find_in<'a>(
        &self,
        page: &Page<'a, SubscriptionConfiguration>,
    ) -> Existing<'a, SubscriptionConfiguration> {
        find(page, |resource| self.is(resource))
    }

    /// Whether this configuration has the same topics, in any order; none where it does not say.
    #[must_use]
    pub fn is(&self, resource: &Resource<'_, SubscriptionConfiguration>) -> Option<bool> {
        let mut theirs = channels(resource)?;
        let ours =
            self.topics().iter().map(|topic| (Cow::Borrowed(SNS), Cow::Borrowed(topic.as_str())));
        let mut ours: Vec<_> = ours.collect();
        for list in [&mut ours, &mut theirs] {
            list.sort_unstable();
            list.dedup();
        }
        Some(ours == theirs)
    }
}

impl CreateSubscription {
    /// Whether a page lists a subscription of the same configuration with the same event type and entities.
    #[must_use]
    pub fn find_in<'a>(&self, page: &Page<'a, Subscription>) -> Existing<'a, Subscription> {
        find(page, |resource| self.is(resource))
    }

    /// Whether this subscription has the same configuration, event type and entities; none where it does not say. The
    /// order of members does not count.
    #[must_use]
    pub fn is(&self, resource: &Resource<'_, Subscription>) -> Option<bool> {
        let configuration = resource.value("subscriptionConfigurationId")?.string()?;
        let event_type = resource.member("eventType")?;
        let text = |name| member(event_type, name)?.string();
        let (namespace, name) = (text("namespace")?, text("name")?);
        let entities: Json = serde_json::from_str(resource.member("entities")?).ok()?;
        let ours: Json = serde_json::from_str(&self.selection().entities()).ok()?;
        let selection = self.selection();
        Some(
            configuration == self.configuration().as_str()
                && namespace == selection.namespace()
                && name == selection.name()
                && entities == ours,
        )
    }
}

fn find<'a, K: IdKind>(
    page: &Page<'a, K>,
    is: impl Fn(&Resource<'a, K>) -> Option<bool>,
) -> Existing<'a, K> {
    let (mut ids, mut unreadable) = (Vec::new(), 0);
    for result in page.results() {
        let Ok(resource) = result else {
            unreadable += 1;
            continue;
        };
        match is(resource) {
            Some(true) => return Existing::Found(resource.id().clone()),
            Some(false) => {}
            None => ids.push(resource.id().clone()),
        }
    }
    if ids.is_empty() && unreadable == 0 {
        Existing::NotFound
    } else {
        Existing::Unclear { ids, unreadable }
    }
}

/// Type and ID of each channel.
fn channels<'a>(
    resource: &Resource<'a, SubscriptionConfiguration>,
) -> Option<Vec<(Cow<'a, str>, Cow<'a, str>)>> {
    let list =
        resource.value("deliveryChannels").filter(|list| list.json_type() == JsonType::Array)?;
    let mut channels = Vec::new();
    let mut complete = true;
    elements(list.raw, |channel| -> Result<(), Malformed> {
        let text = |name| member(channel.raw, name)?.string();
        match (text("type"), text("id")) {
            (Some(kind), Some(id)) => channels.push((kind, id)),
            _ => complete = false,
        }
        Ok(())
    })
    .ok()?;
    complete.then_some(channels)
}
