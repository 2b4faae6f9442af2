//! What holds for users, organizations and buckets alike.

use serde::Serialize;
use symbolon::{Error, Field, Status};
use utoipa::ToSchema;

use crate::failure::{Code, Failure};

/// Where this is found.
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

/// What has ended is not there: it is answered as what never was.
///
/// # Errors
///
/// [`Error::NotFound`].
pub(super) fn unless_ended(status: Status, field: Field) -> Result<(), Error> {
    match status {
        Status::Revoked => Err(Error::NotFound(field)),
        _ => Ok(()),
    }
}

/// InfluxDB's text for a name that is taken.
pub(super) fn taken(error: Error, name: &str) -> Failure {
    let what = match error {
        Error::Exists(Field::UserName) => "user",
        Error::Exists(Field::OrganizationName) => "organization",
        Error::Exists(Field::BucketName) => "bucket",
        error => return error.into(),
    };
    let message = format!("{what} with name {name} already exists");
    Failure::new(Code::Conflict, message)
}

/// InfluxDB's text for the name of an organization that the caller may not know of, or that is of none.
pub(super) fn unknown_organization(name: &str) -> Failure {
    let message = format!("organization name \"{name}\" not found");
    Failure::new(Code::NotFound, message)
}
