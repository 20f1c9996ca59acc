//! What a device can do, as it tells the service.

use alloc::{string::String, vec::Vec};

use sha2::{Digest as _, Sha256};

use crate::{Json, json::Value};

/// The full set of capability objects, as the JSON array of the specification's section 7. Of each object only the name of
/// its interface is looked at: their types come with the capabilities themselves.
///
/// ```
/// use aia_proto::{Json, device::Capabilities};
///
/// let set = Json::new(r#"[{"type":"AisInterface","interface":"System","version":"1.0"}]"#)?;
/// let capabilities = Capabilities::new(set)?;
/// assert!(capabilities.has("System") && !capabilities.has("Speaker"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Capabilities {
    set: Json,
    interfaces: Vec<String>,
}

/// Why a JSON value is no set of capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CapabilitiesError {
    /// It is not an array.
    #[error("a set of capabilities is an array of objects")]
    NotAnArray,
    /// An element does not name its interface.
    #[error("capability {index} does not name its `interface`")]
    NoInterface {
        /// Which one, from 0.
        index: usize,
    },
    /// It has no `System`.
    #[error("the capability `System` is missing: it is mandatory")]
    NoSystem,
}

impl Capabilities {
    /// Takes the full set.
    ///
    /// # Errors
    /// It is not an array of objects that name their interfaces, or `System` is not among them.
    pub fn new(set: Json) -> Result<Self, CapabilitiesError> {
        let objects = Value::of(&set).elements().ok_or(CapabilitiesError::NotAnArray)?;
        let named = objects.into_iter().enumerate().map(|(index, object)| {
            let [interface] = object.members(["interface"]);
            let interface = interface.and_then(Value::text);
            interface.map(String::from).ok_or(CapabilitiesError::NoInterface { index })
        });
        let interfaces = named.collect::<Result<Vec<_>, _>>()?;
        let capabilities = Self { set, interfaces };
        match capabilities.has(SYSTEM) {
            true => Ok(capabilities),
            false => Err(CapabilitiesError::NoSystem),
        }
    }

    /// Whether this interface is among them.
    #[must_use]
    pub fn has(&self, interface: &str) -> bool {
        self.interfaces.iter().any(|known| known == interface)
    }

    pub(crate) fn as_json(&self) -> &Json {
        &self.set
    }

    /// SHA-256 of the set as it is written: whether the service has taken just this one.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.set.as_str()).into()
    }
}

const SYSTEM: &str = "System";
pub(crate) const SPEAKER: &str = "Speaker";
pub(super) const MICROPHONE: &str = "Microphone";
