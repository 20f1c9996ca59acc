//! Who connects.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};

use crate::{BuildError, Field, user_name::MAX_PARAMS};

/// Who connects, and for which consumer group: all of a user name that stays the same and is not signed.
///
/// ```
/// use amqp_auth::{BuildError, Consumer};
///
/// let consumer = Consumer::new("client-01", "DEFAULT_GROUP")?.with_instance_id("iot-060a0example")?;
/// assert_eq!(consumer.with_suffix(3)?.client_id(), "client-01-3");
/// assert_eq!(Consumer::new("c|d", "G"), Err(BuildError::ClientIdForbiddenChar { index: 1, ch: '|' }));
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Consumer {
    client_id: String,
    instance_id: Option<String>,
    group_id: String,
    extensions: Vec<(String, String)>,
}

impl Consumer {
    /// A client of 1 to 64 characters, for the consumer group with this id.
    ///
    /// The client id is never trimmed. Each connection needs one of its own: see [`with_suffix`](Self::with_suffix).
    ///
    /// # Errors
    /// The client id is empty, too long or holds what cannot be expressed; so does the group id.
    pub fn new(
        client_id: impl Into<String>,
        consumer_group_id: impl Into<String>,
    ) -> Result<Self, BuildError> {
        let (client_id, group_id) = (client_id.into(), consumer_group_id.into());
        check_client_id(&client_id)?;
        check_value(Field::ConsumerGroupId, &group_id)?;
        Ok(Self { client_id, instance_id: None, group_id, extensions: Vec::new() })
    }

    /// Sets the id of the instance, which the platform needs wherever its console shows one; by default, and with an
    /// empty id, the login names none.
    ///
    /// # Errors
    /// The id holds something besides `A-Z a-z 0-9 _ -`: quotes and blanks among them.
    pub fn with_instance_id(self, instance_id: impl Into<String>) -> Result<Self, BuildError> {
        let id = instance_id.into();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        match id.bytes().position(|byte| !is_allowed(byte)) {
            Some(index) => Err(BuildError::ForbiddenChar { field: Field::IotInstanceId, index }),
            None => Ok(Self { instance_id: (!id.is_empty()).then_some(id), ..self }),
        }
    }

    /// Adds a parameter that this crate does not know at the end of the user name, up to 57 of them; by default there is
    /// none, and no signature covers it.
    ///
    /// `encode=base64` is one: the platform then encodes the bodies it pushes. It is documented for the STOMP clients
    /// of the platform; what it does over AMQP is not.
    ///
    /// # Errors
    /// The key is not of letters and digits, belongs to a parameter, or was given before; the value is empty or holds
    /// what cannot be expressed; there are too many.
    pub fn with_extension(
        mut self,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Self, BuildError> {
        let (key, value) = (key.into(), value.into());
        if key.is_empty() {
            return Err(BuildError::Empty { field: Field::Extension });
        }
        if let Some(index) = key.bytes().position(|byte| !byte.is_ascii_alphanumeric()) {
            return Err(BuildError::ForbiddenChar { field: Field::Extension, index });
        }
        if Field::from_key(&key).is_some() || self.extensions.iter().any(|(known, _)| *known == key)
        {
            return Err(BuildError::DuplicateKey { key });
        }
        check_value(Field::Extension, &value)?;
        if self.extensions.len() == MAX_EXTENSIONS {
            return Err(BuildError::TooManyExtensions);
        }
        self.extensions.push((key, value));
        Ok(self)
    }

    /// Adds `-` and a number to the client id, for one of several connections, each of which needs a client id of its
    /// own.
    ///
    /// The platform pushes up to 1,000 messages/s a connection, and the vendor's sample advises one connection for every
    /// 500 messages/s: 3 for 1,200. Its pages disagree on how many there may be: 128 consumers a group by one, 64 by
    /// others, which say 128 connections a client (specification, section 12 and Q6). Stay within 64; whoever goes
    /// beyond tries it out first.
    ///
    /// # Errors
    /// With the suffix the client id has more than 64 characters.
    pub fn with_suffix(mut self, number: u32) -> Result<Self, BuildError> {
        self.client_id.push('-');
        self.client_id.push_str(&number.to_string());
        check_client_id(&self.client_id)?;
        Ok(self)
    }

    /// The client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The id of the instance, if there is one.
    #[must_use]
    pub fn instance_id(&self) -> Option<&str> {
        self.instance_id.as_deref()
    }

    /// The id of the consumer group.
    #[must_use]
    pub fn consumer_group_id(&self) -> &str {
        &self.group_id
    }

    /// The parameters that this crate does not know, in their order.
    pub fn extensions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.extensions.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

fn check_client_id(client_id: &str) -> Result<(), BuildError> {
    if client_id.is_empty() {
        return Err(BuildError::ClientIdEmpty);
    }
    let chars = client_id.chars().count();
    if chars > MAX_CLIENT_ID_CHARS {
        return Err(BuildError::ClientIdTooLong { chars });
    }
    let forbidden = |(_, ch): &(usize, char)| *ch == '|' || ch.is_control();
    match client_id.char_indices().find(forbidden) {
        Some((index, ch)) => Err(BuildError::ClientIdForbiddenChar { index, ch }),
        None => Ok(()),
    }
}

/// What a value of a parameter must be: there is no escape mechanism.
pub(crate) fn check_value(field: Field, value: &str) -> Result<(), BuildError> {
    if value.is_empty() {
        return Err(BuildError::Empty { field });
    }
    match value.find(|ch: char| matches!(ch, ',' | '|') || ch.is_control()) {
        Some(index) => Err(BuildError::ForbiddenChar { field, index }),
        None => Ok(()),
    }
}

/// The limit of the platform (specification, section 3.2), in Unicode scalar values.
pub(crate) const MAX_CLIENT_ID_CHARS: usize = 64;
/// With the seven parameters that are known, as many as are read.
pub(crate) const MAX_EXTENSIONS: usize = MAX_PARAMS - 7;
