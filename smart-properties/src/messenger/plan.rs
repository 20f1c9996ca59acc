//! The subscriptions that building a tree of units needs (specification section 9.1).

use alloc::vec::Vec;

use super::{CreateSubscription, Selection};
use crate::{Request, SubscriptionConfigurationId, UnitId};

/// The subscriptions that tell of every unit that becomes active: one for each parent that will get children, as a
/// subscription to activations names the parent.
///
/// Create them before the children: an activation that nobody has subscribed to yet is not told.
///
/// ```
/// use smart_properties::{SubscriptionConfigurationId, UnitId, messenger::SubscriptionPlan};
///
/// let configuration =
///     SubscriptionConfigurationId::new("amzn1.alexa.aem.subscription.configuration.123")?;
/// let organization = UnitId::new("amzn1.alexa.unit.did.ORG")?;
/// let property = UnitId::new("amzn1.alexa.unit.did.PROP1")?;
/// // Properties become active below the organization, rooms below a property. Two rooms need one subscription.
/// let parents = [&organization, &property, &property];
/// let plan = SubscriptionPlan::for_tree(&configuration, parents);
/// assert_eq!(plan.requests().count(), 2);
/// # Ok::<(), smart_properties::IdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubscriptionPlan {
    subscriptions: Vec<CreateSubscription>,
}

impl SubscriptionPlan {
    /// One subscription a parent, in the order in which the parents first come.
    #[must_use]
    pub fn for_tree<'u>(
        configuration: &SubscriptionConfigurationId<'_>,
        parents: impl IntoIterator<Item = &'u UnitId<'u>>,
    ) -> Self {
        let mut seen = alloc::collections::BTreeSet::new();
        let subscriptions =
            parents.into_iter().filter(|parent| seen.insert(*parent)).map(|parent| {
                let selection = Selection::Activation { parent: parent.borrowed() };
                CreateSubscription::new(configuration.borrowed(), selection)
            });
        Self { subscriptions: subscriptions.collect() }
    }

    /// What is to be created.
    #[must_use]
    pub fn subscriptions(&self) -> &[CreateSubscription] {
        &self.subscriptions
    }

    /// The requests, in the same order.
    pub fn requests(&self) -> impl Iterator<Item = Request> + '_ {
        self.subscriptions.iter().map(CreateSubscription::request)
    }
}
