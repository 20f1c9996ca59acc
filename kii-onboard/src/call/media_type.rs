//! The media types of bodies (specification, section 12).

/// Of bodies for things without traits, and of some others.
pub(crate) const JSON: &str = "application/json";
pub(crate) const TRAIT_STATES: &str = "application/vnd.kii.MultipleTraitState+json";
pub(crate) const TRAIT_STATE: &str = "application/vnd.kii.TraitState+json";
pub(crate) const TRAIT_PATCH: &str = "application/vnd.kii.MultipleTraitStatePatch+json";
pub(crate) const BULK: &str = "application/vnd.kii.StateBulkUploadRequest+json";
pub(crate) const BULK_PATCH: &str = "application/vnd.kii.StatePatchBulkUploadRequest+json";
pub(crate) const SET_FIRMWARE: &str = "application/vnd.kii.ThingFirmwareVersionUpdateRequest+json";
pub(crate) const SET_TYPE: &str = "application/vnd.kii.ThingTypeUpdateRequest+json";
/// A command for a thing with traits.
pub(crate) const NEW_TRAIT_COMMAND: &str = "application/vnd.kii.CommandCreationRequest+json";
/// What became of a command for a thing with traits.
pub(crate) const TRAIT_RESULTS: &str = "application/vnd.kii.CommandResultsUpdateRequest+json";
