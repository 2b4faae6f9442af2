//! The field or object that an error refers to.

use std::fmt;

/// The field or object that an [`AdminError`](crate::AdminError) refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// An authorization.
    Authorization,
    /// A user.
    User,
    /// An organization.
    Organization,
    /// A bucket.
    Bucket,
    /// The text of a token.
    Token,
    /// A session.
    Session,
    /// A description.
    Description,
    /// The name of a user.
    UserName,
    /// The name of an organization.
    OrganizationName,
    /// The name of a bucket.
    BucketName,
    /// The time of expiry.
    Expiry,
    /// The permissions.
    Permissions,
    /// A password.
    Password,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorization => "authorization",
            Self::User => "user",
            Self::Organization => "organization",
            Self::Bucket => "bucket",
            Self::Token => "token",
            Self::Session => "session",
            Self::Description => "description",
            Self::UserName => "user name",
            Self::OrganizationName => "organization name",
            Self::BucketName => "bucket name",
            Self::Expiry => "expiry",
            Self::Permissions => "permissions",
            Self::Password => "password",
        })
    }
}
