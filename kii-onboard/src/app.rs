//! An application, as the default broker is told of it.

use alloc::{format, string::String};

use iot_sansio::Secret;

use crate::{AppId, AppKey, InvalidId};

/// An application's credentials, which all of its things share until they are onboarded.
///
/// ```
/// use kii_onboard::App;
///
/// let app = App::new("app01", "key01")?;
/// assert_eq!(app.user_name(), "type=oauth2&client_id=app01");
/// # Ok::<(), kii_onboard::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// Its key.
    pub key: AppKey,
}

impl App {
    /// The application with this id and key.
    ///
    /// # Errors
    /// One of them breaks its grammar (specification, section 3).
    pub fn new(id: &str, key: &str) -> Result<Self, InvalidId> {
        Ok(Self { id: AppId::new(id)?, key: AppKey::new(key)? })
    }

    /// The user name of its things on the default broker (seed page; specification, section 3).
    #[must_use]
    pub fn user_name(&self) -> String {
        format!("{USER_NAME_PREFIX}{}", self.id)
    }

    /// The password of its things on the default broker (seed page; specification, section 3).
    #[must_use]
    pub fn password(&self) -> Secret {
        [PASSWORD_PREFIX, self.key.expose()].concat().into()
    }
}

const USER_NAME_PREFIX: &str = "type=oauth2&client_id=";
const PASSWORD_PREFIX: &[u8] = b"client_secret=";
