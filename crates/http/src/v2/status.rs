//! The status of a user or an authorization.

use serde::Serialize;
use symbolon::{Status, Transition};
use utoipa::ToSchema;

/// Status of a user or an authorization.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Status)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StatusForm {
    Active,
    Inactive,
}

impl From<Status> for StatusForm {
    /// Converts the status of a record that is not revoked: revoked records are never shown.
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            _ => Self::Inactive,
        }
    }
}

/// Parses a status; a missing or empty one is active.
pub(super) fn parse(text: Option<&str>) -> Option<Status> {
    match text.unwrap_or_default() {
        "" => Some(Status::Active),
        text => text.parse().ok().filter(|status| *status != Status::Revoked),
    }
}

/// Returns the change to this status.
pub(super) fn transition_to(status: Status) -> Transition {
    match status {
        Status::Active => Transition::Activate,
        _ => Transition::Deactivate,
    }
}
