//! `smart-properties`: requests of the Event Messenger API and of the others, and their answers.

use alloc::{boxed::Box, format};
use core::{error::Error, num::NonZeroU32};

use smart_properties::{
    ApiError, BaseUrl, Created, EndpointId, ErrorBody, EventType, Page, PrincipalId, Resource,
    Response, RoleId, SkillId, SubscriptionConfigurationId, SubscriptionId,
    call::{self, AssociatedEndpoint, BatchItem, RoleBatch},
    id::{Subscription, SubscriptionConfiguration},
    messenger::{
        self, CreateConfiguration, CreateSubscription, EventHeaderVersion, IdempotencyToken,
        ListConfigurations, ListSubscriptions, RawEntities, RawSelection, Replacement, RoleScope,
        Selection, SetupScope, SubscriptionPlan,
    },
};

use crate::smart_properties::{topic, unit};

pub(crate) fn requests() -> Result<(), Box<dyn Error>> {
    let token = IdempotencyToken::new("t-1")?;
    let create = CreateConfiguration::new([topic()?])?.with_idempotency_token(token.clone());
    let _ = (create.topics().len(), create.request().with_base(BaseUrl::new("https://a.example")?));
    let id = configuration()?;
    let request = messenger::get_configuration(&id);
    let _ = (request.method().as_str(), request.base().as_str(), request.path_and_query());
    let _ = (request.url(), request.body(), request.content_type(), format!("{request:?}"));
    let _ = (messenger::delete_configuration(&id), token.as_str());
    let _ = ListConfigurations::default().with_max_results(1).request();

    let entities = RawEntities::new("{}")?;
    let raw = RawSelection::new(EventType::new("Alexa.X", "Y")?, entities.clone());
    let _ =
        (raw.event_type(), raw.entities(), entities.clone().into_owned(), raw.clone().into_owned());
    for selection in [
        Selection::Activation { parent: unit()? },
        Selection::AutomationCompletion { unit: unit()? },
        Selection::SkillFailure { unit: unit()?, skill: SkillId::new("amzn1.ask.skill.1")? },
        Selection::RoleAssignment(RoleScope::Unit(unit()?)),
        Selection::RoleRevocation(RoleScope::Raw(entities)),
        Selection::SetupCompletion(SetupScope::User(PrincipalId::new("amzn1.account.P1")?)),
        Selection::Raw(raw),
    ] {
        let _ = (selection.namespace(), selection.name(), selection.entities());
        let create = CreateSubscription::new(id.borrowed(), selection.into_owned())
            .with_idempotency_token(token.clone())
            .with_event_header_version(EventHeaderVersion::V2)
            .with_duration_seconds(NonZeroU32::MIN);
        let _ = (create.configuration(), create.selection(), create.request());
    }
    let subscription = SubscriptionId::new("amzn1.alexa.aem.subscription.1")?;
    let _ = messenger::get_subscription(&subscription);
    let _ = messenger::delete_subscription(&subscription);
    let list = ListSubscriptions::default().of_caller().for_unit(unit()?).below(unit()?);
    let _ = list.of_type(EventType::new("Alexa.X", "Y")?).with_max_results(1).request();
    let plan = SubscriptionPlan::for_tree(&id, [&unit()?]);
    let _ = (plan.subscriptions().len(), plan.requests().count());
    Ok(())
}

pub(crate) fn answers() -> Result<(), Box<dyn Error>> {
    let response = Response::new(200, b"{}").with_headers([("Location", "x")]);
    let _ = (response.status(), response.location(), response.request_id(), response.body());
    let create = CreateConfiguration::new([topic()?])?;
    let page = Page::<SubscriptionConfiguration>::read(&response)?;
    let _ = (create.find_in(&page), page.results().len());
    if let Some(token) = page.next_token() {
        let _ = ListConfigurations::default().after(token.clone()).request();
        let _ = (token.as_str(), ListSubscriptions::default().after(token.clone()));
    }
    let configuration_read = Resource::<SubscriptionConfiguration>::read(&response)?;
    let _ = (configuration_read.id(), configuration_read.json(), configuration_read.member("x"));
    let _ = create.is(&configuration_read);
    let created = Created::<SubscriptionConfiguration>::read(&response)?;
    let _ = (created.id(), created.json(), created.clone().into_id());

    let mut replacement = Replacement::new(configuration()?, create);
    let page = Page::<Subscription>::read(&response)?;
    let selection = Selection::AutomationCompletion { unit: unit()? };
    let wanted = CreateSubscription::new(configuration()?, selection);
    let _ = format!("{:?}", wanted.find_in(&page));
    for result in page.into_results() {
        let subscription = result?;
        let _ = (wanted.is(&subscription), replacement.add(&subscription)?);
    }
    let _ = (replacement.create(), replacement.moves().count());
    let _ = replacement.created(created.id())?;
    if let Err(error) = Response::new(429, b"").success() {
        let _ = (error.status(), error.request_id(), error.retryable(), ApiError::WAITS);
        let _ = format!("{error} {}", matches!(error.body(), ErrorBody::Empty));
    }
    Ok(())
}

pub(crate) fn calls() -> Result<(), Box<dyn Error>> {
    let (role, principal) =
        (RoleId::new("amzn1.alexa.role.did.R1")?, PrincipalId::new("amzn1.account.P")?);
    let _ = call::create_property(&unit()?, "n");
    let _ = call::enable_subscription_skill(&unit()?, &SkillId::new("amzn1.ask.skill.1")?);
    let _ = call::assign_role(&role, &principal, true);
    let _ = call::assign_role_until(&role, &principal, true, "2024-05-01T10:00:00Z");
    let _ = call::revoke_role(&role, &principal, true);
    let batch = RoleBatch::new([BatchItem { principal, propagate: true }])?;
    let _ = (call::batch_assign_roles(&role, &batch), call::batch_revoke_roles(&role, &batch));
    let endpoint = EndpointId::new("amzn1.alexa.endpoint.EP9")?;
    let response = Response::new(200, b"{}");
    let _ = (call::return_device(&endpoint), AssociatedEndpoint::read(&response, &endpoint)?);
    let _ = (call::user_profile(), call::read_user_id(&response)?);
    Ok(())
}

fn configuration() -> Result<SubscriptionConfigurationId<'static>, Box<dyn Error>> {
    Ok(SubscriptionConfigurationId::new("amzn1.alexa.aem.subscription.configuration.1")?)
}
