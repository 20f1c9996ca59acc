//! Assigning roles and revoking them.

use alloc::{format, string::String, vec::Vec};

use serde::Serialize;

use crate::{Method, PrincipalId, Request, RoleId, request::Target};

/// Assigns a role. Status 400 also means that it is assigned already.
///
/// With `propagate` the role reaches the units below only later, which the assignment event tells.
///
/// ```
/// use smart_properties::{PrincipalId, RoleId, call};
///
/// let (role, principal) = (RoleId::new("amzn1.alexa.role.did.R1")?, PrincipalId::new("amzn1.account.P1")?);
/// let request = call::assign_role(&role, &principal, true);
/// assert_eq!(request.path_and_query(), "/v1/roles/amzn1.alexa.role.did.R1/assignments");
/// assert_eq!(request.body(), Some(r#"{"principalId":"amzn1.account.P1","propagate":true}"#));
///
/// let request = call::revoke_role(&role, &principal, false);
/// assert!(request.path_and_query().ends_with("?principalId=amzn1.account.P1&propagate=false"));
/// # Ok::<(), smart_properties::IdError>(())
/// ```
#[must_use]
pub fn assign_role(role: &RoleId<'_>, principal: &PrincipalId<'_>, propagate: bool) -> Request {
    assign(role, principal, propagate, None)
}

/// The same for some time. The form of `expires_at` is not documented, so it is sent as it is.
#[must_use]
pub fn assign_role_until(
    role: &RoleId<'_>,
    principal: &PrincipalId<'_>,
    propagate: bool,
    expires_at: &str,
) -> Request {
    assign(role, principal, propagate, Some(expires_at))
}

/// Revokes a role. With `propagate` the units below follow later, which the revocation event tells: until then it is
/// not known to be revoked there.
#[must_use]
pub fn revoke_role(role: &RoleId<'_>, principal: &PrincipalId<'_>, propagate: bool) -> Request {
    let target = Target::new(path(role))
        .query("principalId", principal.as_str())
        .query("propagate", if propagate { "true" } else { "false" });
    Request::new(Method::Delete, target)
}

/// Assigns a role to many. The service answers 202 and works in the background: nothing holds before the events.
#[must_use]
pub fn batch_assign_roles(role: &RoleId<'_>, batch: &RoleBatch) -> Request {
    batch.request(format!("{}/batchAssign", path(role)))
}

/// Revokes a role from many. The service answers 202 and works in the background: nothing holds before the events.
#[must_use]
pub fn batch_revoke_roles(role: &RoleId<'_>, batch: &RoleBatch) -> Request {
    batch.request(format!("{}/batchRevoke", path(role)))
}

/// One of many whose role changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "all that an item says")]
pub struct BatchItem {
    /// Whose role.
    pub principal: PrincipalId<'static>,
    /// Whether the units below follow.
    pub propagate: bool,
}

/// 1 to 50 whose role changes. Their `itemId`s count from 0. One that is not valid fails them all.
///
/// ```
/// use smart_properties::{PrincipalId, RoleId, call::{self, BatchItem, RoleBatch}};
///
/// let principal = PrincipalId::new("amzn1.account.P1")?;
/// let batch = RoleBatch::new([BatchItem { principal, propagate: false }])?;
/// let request = call::batch_assign_roles(&RoleId::new("amzn1.alexa.role.did.R1")?, &batch);
/// assert!(request.path_and_query().ends_with("/assignments/batchAssign"));
/// assert_eq!(
///     request.body(),
///     Some(r#"{"items":[{"itemId":0,"principalId":"amzn1.account.P1","propagate":false}]}"#),
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleBatch {
    items: Vec<BatchItem>,
}

/// Why there is no such batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// It has no items.
    #[error("the batch has no items")]
    Empty,
    /// It has more than the service takes.
    #[error("the batch has more than {MAX_ITEMS} items: split it")]
    TooMany,
}

impl RoleBatch {
    /// These change.
    ///
    /// # Errors
    /// There are none, or more than 50.
    pub fn new(items: impl IntoIterator<Item = BatchItem>) -> Result<Self, BatchError> {
        let items: Vec<_> = items.into_iter().take(MAX_ITEMS + 1).collect();
        match items.len() {
            0 => Err(BatchError::Empty),
            1..=MAX_ITEMS => Ok(Self { items }),
            _ => Err(BatchError::TooMany),
        }
    }

    fn request(&self, path: String) -> Request {
        let items = self.items.iter().enumerate().map(|(item_id, item)| ItemBody {
            item_id,
            principal_id: item.principal.as_str(),
            propagate: item.propagate,
        });
        let items: Vec<_> = items.collect();
        Request::new(Method::Post, Target::new(path)).with_json(&BatchBody { items: &items })
    }
}

fn assign(
    role: &RoleId<'_>,
    principal: &PrincipalId<'_>,
    propagate: bool,
    expires_at: Option<&str>,
) -> Request {
    let body = Body { principal_id: principal.as_str(), propagate, expires_at };
    Request::new(Method::Post, Target::new(path(role))).with_json(&body)
}

fn path(role: &RoleId<'_>) -> String {
    format!("/v1/roles/{role}/assignments")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    principal_id: &'a str,
    propagate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'a str>,
}

#[derive(Serialize)]
struct BatchBody<'a> {
    items: &'a [ItemBody<'a>],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemBody<'a> {
    item_id: usize,
    principal_id: &'a str,
    propagate: bool,
}

const MAX_ITEMS: usize = 50;
