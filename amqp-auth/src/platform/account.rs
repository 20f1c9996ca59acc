//! Whom a platform knows.

use alloc::{string::String, vec::Vec};

use iot_sansio::{Secret, UnixMillis};

use crate::{Key, KeyStore, Unavailable, Verified};

/// An AccessKey, and what its holder may subscribe for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    access_key_id: String,
    access_key_secret: Secret,
    token: Option<Token>,
    groups: Vec<String>,
    instance_id: Option<String>,
}

/// What makes a key a temporary one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Token {
    security_token: Secret,
    expires_at: UnixMillis,
}

impl Account {
    /// An AccessKey that may subscribe for no group yet, where no instance is named.
    #[must_use]
    pub fn new(access_key_id: impl Into<String>, access_key_secret: impl Into<Secret>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            access_key_secret: access_key_secret.into(),
            token: None,
            groups: Vec::new(),
            instance_id: None,
        }
    }

    /// Makes it a temporary key, as the Security Token Service gives them: logins need this token, and are refused once it
    /// expires. By default a key is a lasting one.
    #[must_use]
    pub fn with_security_token(self, token: impl Into<Secret>, expires_at: UnixMillis) -> Self {
        Self { token: Some(Token { security_token: token.into(), expires_at }), ..self }
    }

    /// Adds a consumer group that it may subscribe for, by its id, of which there is none by default: logins for others are
    /// refused.
    #[must_use]
    pub fn with_group(mut self, consumer_group_id: impl Into<String>) -> Self {
        self.groups.push(consumer_group_id.into());
        self
    }

    /// Sets the instance that logins have to name, by default none: others are refused.
    #[must_use]
    pub fn with_instance_id(self, instance_id: impl Into<String>) -> Self {
        Self { instance_id: Some(instance_id.into()), ..self }
    }

    /// The groups it may subscribe for.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(String::as_str)
    }

    fn key(&self) -> Key<'_> {
        let secret = self.access_key_secret.expose();
        match &self.token {
            None => Key::new(secret),
            Some(token) => {
                // A token that is no text is nobody's: an empty one matches none.
                let security_token = token.security_token.expose_str().unwrap_or_default();
                Key::temporary(secret, security_token, Some(token.expires_at))
            }
        }
    }
}

/// The accounts as the verifier asks them.
pub(super) struct Keys<'a>(pub(super) &'a [Account]);

impl<'a> Keys<'a> {
    fn find(&self, access_key_id: &str) -> Option<&'a Account> {
        self.0.iter().find(|account| account.access_key_id == access_key_id)
    }
}

impl<'a> KeyStore<'a> for Keys<'a> {
    fn key(&self, auth_id: &str) -> Result<Option<Key<'a>>, Unavailable> {
        Ok(self.find(auth_id).map(Account::key))
    }

    fn is_authorized(&self, login: &Verified<'_>) -> bool {
        self.find(login.auth_id).is_some_and(|account| {
            account.instance_id.as_deref() == login.unsigned.instance_id
                && account.groups().any(|group| group == login.unsigned.consumer_group_id)
        })
    }
}
