//! Where the identifiers of an event stand, as data: what a first event from the live service shows changes this file
//! and no type (specification sections 2.3 and 2.4). No name in here needs an escape.

/// Where to look for one identifier.
pub(crate) struct Pointers {
    /// Where the documentation says it stands. A whole result is read by the form in `event/ordinary.rs`.
    pub(super) documented: &'static [&'static str],
    /// Where it probably stands.
    pub(super) candidates: &'static [&'static str],
    /// Whether it may be harvested, that is, found in any other place.
    pub(super) harvest: bool,
    /// Where another thing of the same kind stands, which is never harvested in its place.
    pub(super) elsewhere: &'static [&'static str],
}

impl Pointers {
    const fn documented(documented: &'static [&'static str]) -> Self {
        Self { documented, candidates: &[], harvest: true, elsewhere: &[] }
    }

    const fn candidates(candidates: &'static [&'static str]) -> Self {
        Self { documented: &[], candidates, harvest: true, elsewhere: &[] }
    }
}

/// `Alexa.Enterprise.Subscription.Activation`
pub(crate) mod activation {
    use super::Pointers;

    pub(crate) const UNIT: Pointers = Pointers {
        elsewhere: PARENT.candidates,
        ..Pointers::candidates(&["/header/entities/unit/id", "/payload/unit/id"])
    };
    /// Not harvested: a unit that is the only one in the event is the one that the event is about.
    pub(crate) const PARENT: Pointers =
        Pointers { harvest: false, ..Pointers::candidates(&["/header/entities/unit/parent/id"]) };
}

/// `Alexa.Automation.Execution.Completion`
pub(crate) mod completion {
    use super::Pointers;

    pub(crate) const AUTOMATION: Pointers = Pointers::documented(&["/payload/automation/id"]);
    pub(crate) const UNIT: Pointers = Pointers::documented(&["/header/entities/unit/id"]);
}

/// `Alexa.Skill.Interaction.Failure`
pub(crate) mod skill_failure {
    use super::Pointers;

    pub(crate) const SKILL: Pointers =
        Pointers::candidates(&["/header/entities/skill/id", "/payload/skill/id"]);
    pub(crate) const UNIT: Pointers = Pointers::candidates(&["/header/entities/unit/id"]);
    pub(crate) const ENDPOINT: Pointers =
        Pointers::candidates(&["/header/entities/endpoint/id", "/payload/endpoint/id"]);
    /// The first string counts.
    pub(crate) const REASON: &[&str] =
        &["/payload/error/type", "/payload/errors/0/type", "/payload/result/errors/0/type"];
}

/// `Alexa.Role.Management.Assignment` and `Alexa.Role.Management.Revocation`
pub(crate) mod role_change {
    use super::Pointers;

    pub(crate) const UNIT: Pointers =
        Pointers::candidates(&["/header/entities/resource/resourceId", "/header/entities/unit/id"]);
    pub(crate) const ROLE: Pointers =
        Pointers::candidates(&["/payload/role/id", "/payload/roleId"]);
    pub(crate) const PRINCIPAL: Pointers =
        Pointers::candidates(&["/payload/principal/id", "/payload/principalId"]);
}

/// `Alexa.Endpoint.Lifecycle.SetupCompletion`
pub(crate) mod setup_completion {
    use super::Pointers;

    pub(crate) const ENDPOINT: Pointers = Pointers::candidates(&[
        "/payload/endpoint/id",
        "/header/entities/endpoint/id",
        "/payload/endpointId",
    ]);
}
