//! The rules of the default broker (specification, section 15.1).

use iot_sansio::Secret;

use super::{
    Cloud, Refusal,
    connection::{Client, Connection},
    server::Connect,
};
use crate::topic::{BOOT_CLIENT_ID, Resource, Topic, Topics};

impl Cloud {
    /// Who comes with the id and the key of an application. Any number may, all with the same client id.
    pub(super) fn accept_anonymous(&self, connect: &Connect<'_>) -> Result<Connection, Refusal> {
        if connect.client_id != BOOT_CLIENT_ID {
            return Err(Refusal::UnknownClientId);
        }
        let user_name = connect.user_name.ok_or(Refusal::BadCredentials)?;
        let password = Secret::from(connect.password.ok_or(Refusal::BadCredentials)?);
        let app = self.config.apps.iter().find(|app| app.user_name() == user_name);
        let app = app.filter(|app| app.password() == password).ok_or(Refusal::BadCredentials)?;
        Ok(Connection::new(app.id.clone(), Client::Anonymous, connect, self.now))
    }
}

/// What a topic names: onboarding, or nothing.
pub(super) fn resource<'t>(topics: &Topics, topic: &'t str) -> Option<(&'t str, Resource<'t>)> {
    match topics.classify(topic) {
        Topic::Onboarding => Some((topics.path_of(topic)?, Resource::Onboardings)),
        _ => None,
    }
}
