//! Which call of the API one is.

/// Which call of the API one is: an answer does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CallKind {
    /// Register the state of a thing without traits.
    PutState,
    /// Register the state of a thing with traits.
    PutTraitState,
    /// Register the state of one trait.
    PutAliasState,
    /// Change a part of the state of a thing with traits.
    PatchState,
    /// Register many states at once.
    BulkStates,
    /// Change parts of many states at once.
    BulkPatchStates,
    /// Ask for the state.
    GetState,
    /// Ask for the state of one trait.
    GetAliasState,
    /// Ask for all commands.
    ListCommands,
    /// Ask for one command.
    GetCommand,
    /// Send a command, as an owner.
    SendCommand,
    /// Tell what became of a command.
    ReportResults,
    /// Ask for the version of the firmware.
    GetFirmwareVersion,
    /// Tell the version of the firmware.
    SetFirmwareVersion,
    /// Ask for the type of the thing.
    GetThingType,
    /// Tell the type of the thing.
    SetThingType,
    /// Tell whether an end node is online, as its gateway.
    SetEndNodeConnection,
    /// Ask for the end nodes of a gateway.
    ListEndNodes,
    /// Onboard a thing.
    Onboard,
    /// Onboard an end node.
    OnboardEndNode,
    /// Any other request.
    Custom,
}
