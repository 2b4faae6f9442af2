//! Looking up names given on the command line, and names of ids in lists.

use std::collections::HashMap;

use symbolon::{Admin, AdminError, Caller, Engine, Field, Id, Organization, Status, User};

use crate::error::Failure;

/// Looks up names and ids as the operator. Caches the names of ids.
pub(crate) struct Lookup {
    /// The administration of the store.
    pub(crate) root: Admin,
    users: HashMap<Id, Option<String>>,
    organizations: HashMap<Id, Option<String>>,
}

impl Lookup {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            root: engine.admin(Caller::Root).with_tombstones(),
            users: HashMap::new(),
            organizations: HashMap::new(),
        }
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

    /// Returns the name of the user with this id, if there is one.
    pub(crate) fn user_name(&mut self, id: Id) -> Result<Option<String>, AdminError> {
        let root = &self.root;
        remember(&mut self.users, id, || root.users().get(id).map(|one| one.name))
    }

    /// Returns the name of the organization with this id, if there is one.
    pub(crate) fn organization_name(&mut self, id: Id) -> Result<Option<String>, AdminError> {
        let root = &self.root;
        remember(&mut self.organizations, id, || root.organizations().get(id).map(|one| one.name))
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

fn remember(
    known: &mut HashMap<Id, Option<String>>,
    id: Id,
    look: impl FnOnce() -> Result<String, AdminError>,
) -> Result<Option<String>, AdminError> {
    if let Some(name) = known.get(&id) {
        return Ok(name.clone());
    }
    let name = match look() {
        Ok(name) => Some(name),
        // The name is only shown beside an id; `fsck` reports a tampered owner.
        Err(AdminError::NotFound(_) | AdminError::Tampered(_)) => None,
        Err(error) => return Err(error),
    };
    known.insert(id, name.clone());
    Ok(name)
}
