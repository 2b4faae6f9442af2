//! Looking up names given on the command line, and names of ids in lists.

use symbolon::{Admin, AdminError, Caller, Engine, Field, Id, Names, Organization, Status, User};

use crate::error::Failure;

/// Looks up names and ids as the operator.
pub(crate) struct Lookup {
    /// The administration of the store.
    pub(crate) root: Admin,
    /// Names of ids, of deleted users and organizations too.
    pub(crate) names: Names,
}

impl Lookup {
    pub(crate) fn new(engine: &Engine) -> Self {
        let root = engine.admin(Caller::Root).with_tombstones();
        Self { names: root.names(), root }
    }

    /// Returns the organization with this id or name, unless it is deleted. An id takes precedence.
    pub(crate) fn organization(&self, text: &str) -> Result<Organization, Failure> {
        let by_id = |id| self.root.organizations().get(id);
        match find(text, by_id, |one| one.status)? {
            Some(found) => Ok(found),
            None => self.organization_named(text),
        }
    }

    /// Returns the organization with this name, unless it is deleted.
    pub(crate) fn organization_named(&self, name: &str) -> Result<Organization, Failure> {
        let found = self.root.organizations().find(name);
        found.map_err(|error| unknown(error, Field::Organization, name))
    }

    /// Returns the user with this id or name, unless it is deleted. An id takes precedence.
    pub(crate) fn user(&self, text: &str) -> Result<User, Failure> {
        let by_id = |id| self.root.users().get(id);
        match find(text, by_id, |one| one.status)? {
            Some(found) => Ok(found),
            None => self.user_named(text),
        }
    }

    /// Returns the user with this name, unless it is deleted.
    pub(crate) fn user_named(&self, name: &str) -> Result<User, Failure> {
        let found = self.root.users().find(name);
        found.map_err(|error| unknown(error, Field::User, name))
    }

    /// Returns a bucket id: `text` itself if it is an id, or that of the registered bucket.
    pub(crate) fn bucket(&self, organization: Id, text: &str) -> Result<Id, Failure> {
        match text.parse() {
            Ok(id) => Ok(id),
            Err(_) => self.bucket_named(organization, text),
        }
    }

    /// Returns the id of the registered bucket with this name.
    pub(crate) fn bucket_named(&self, organization: Id, name: &str) -> Result<Id, Failure> {
        let found = self.root.buckets().find(organization, name);
        found.map(|bucket| bucket.id).map_err(|error| match error {
            AdminError::NotFound(Field::Bucket) => Failure::NoBucket(name.to_owned()),
            error => error.into(),
        })
    }
}

/// Converts an error, adding `name` if `field` is what was not found.
pub(crate) fn unknown(error: AdminError, field: Field, name: &str) -> Failure {
    let list = match (error, field) {
        (AdminError::NotFound(found), _) if found != field => {
            return AdminError::NotFound(found).into();
        }
        (AdminError::NotFound(_), Field::Authorization) => "auth",
        (AdminError::NotFound(_), Field::User) => "user",
        (AdminError::NotFound(_), Field::Organization) => "org",
        (error, _) => return error.into(),
    };
    Failure::NotListed { what: field, name: name.to_owned(), list }
}

/// Converts an error, adding `name` if that name is already in use.
pub(crate) fn taken(error: AdminError, name: &str) -> Failure {
    let what = match error {
        AdminError::Exists(Field::UserName) => "user",
        AdminError::Exists(Field::OrganizationName) => "organization",
        error => return error.into(),
    };
    let name = name.to_owned();
    Failure::Taken { what, name }
}

/// Looks up `text` as an id. Returns `None` if it is not an id, unknown or deleted.
fn find<T>(
    text: &str,
    by_id: impl FnOnce(Id) -> Result<T, AdminError>,
    status: impl FnOnce(&T) -> Status,
) -> Result<Option<T>, AdminError> {
    match text.parse().map(by_id) {
        Ok(Ok(found)) => Ok(Some(found).filter(|found| status(found) != Status::Revoked)),
        Err(_) | Ok(Err(AdminError::NotFound(_))) => Ok(None),
        Ok(Err(error)) => Err(error),
    }
}
