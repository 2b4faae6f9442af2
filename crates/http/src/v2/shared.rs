//! Helpers for users, organizations and buckets.

use serde::Serialize;
use symbolon::{AdminError, Field};
use utoipa::ToSchema;

use crate::failure::{Code, Failure};

/// The path of an object or list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnLink)]
pub(super) struct OwnLink {
    #[serde(rename = "self")]
    pub(super) own: String,
}

impl OwnLink {
    pub(super) fn to(path: impl Into<String>) -> Self {
        Self { own: path.into() }
    }
}

/// Converts an error to InfluxDB's text for a name that is taken.
pub(super) fn taken(error: AdminError, name: &str) -> Failure {
    let what = match error {
        AdminError::Exists(Field::UserName) => "user",
        AdminError::Exists(Field::OrganizationName) => "organization",
        AdminError::Exists(Field::BucketName) => "bucket",
        error => return error.into(),
    };
    let message = format!("{what} with name {name} already exists");
    Failure::new(Code::Conflict, message)
}

/// Creates the failure with InfluxDB's text for an unknown organization, also if the caller may not
/// see it.
pub(super) fn unknown_organization(name: &str) -> Failure {
    let message = format!("organization name \"{name}\" not found");
    Failure::new(Code::NotFound, message)
}
