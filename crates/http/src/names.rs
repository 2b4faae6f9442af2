//! Names that replies show for ids. Each is looked up once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use symbolon::{Bucket, Caller, Engine, Error, Id, Permission, ResourceType, Status, Target, User};

/// A cache of the names of users, organizations and buckets.
///
/// A caller that may read an authorization also sees the names of its user, its organization and
/// the resources of its permissions.
#[derive(Debug)]
pub(crate) struct Names<'e> {
    engine: &'e Engine,
    users: HashMap<Id, Option<User>>,
    organizations: HashMap<Id, Option<String>>,
    buckets: HashMap<Id, Option<Bucket>>,
}

impl<'e> Names<'e> {
    pub(crate) fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            users: HashMap::new(),
            organizations: HashMap::new(),
            buckets: HashMap::new(),
        }
    }

    /// Returns the name of a user, or `None` if it is deleted or unknown.
    pub(crate) fn user(&mut self, id: Id) -> Result<Option<&str>, Error> {
        Ok(self.known_user(id)?.map(|user| user.name.as_str()))
    }

    /// Returns the name of an organization, or `None` if it is deleted or unknown.
    pub(crate) fn organization(&mut self, id: Id) -> Result<Option<&str>, Error> {
        let found = match self.organizations.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = self.engine.admin(Caller::Root).organizations().get(id);
                let found = absent_is_none(found)?.filter(|one| one.status != Status::Revoked);
                unknown.insert(found.map(|one| one.name))
            }
        };
        Ok(found.as_deref())
    }

    /// Returns the name of the single user, organization or bucket that a permission is for.
    ///
    /// For a permission limited to an organization, resources outside of it are not named: a caller
    /// that holds a whole type in an organization may grant any id of this type, even of a resource
    /// that it may not read.
    pub(crate) fn of_resource(&mut self, permission: &Permission) -> Result<Option<&str>, Error> {
        let resource = &permission.resource;
        let Target::Id(id) = resource.target else {
            return Ok(None);
        };
        let is_inside = |of: Id| resource.organization.is_none_or(|named| named == of);
        Ok(match resource.kind {
            ResourceType::USERS => {
                let belongs = |user: &&User| match resource.organization {
                    Some(organization) => user.role_in(organization).is_some(),
                    None => true,
                };
                let found = self.known_user(id)?.filter(belongs);
                found.map(|user| user.name.as_str())
            }
            ResourceType::ORGANIZATIONS if is_inside(id) => self.organization(id)?,
            ResourceType::BUCKETS => {
                let found = self.bucket(id)?.filter(|one| is_inside(one.organization));
                found.map(|one| one.name.as_str())
            }
            _ => None,
        })
    }

    fn known_user(&mut self, id: Id) -> Result<Option<&User>, Error> {
        Ok(match self.users.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = absent_is_none(self.engine.admin(Caller::Root).users().get(id))?;
                unknown.insert(found.filter(|one| one.status != Status::Revoked))
            }
        }
        .as_ref())
    }

    fn bucket(&mut self, id: Id) -> Result<Option<&Bucket>, Error> {
        Ok(match self.buckets.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = absent_is_none(self.engine.admin(Caller::Root).buckets().get(id))?;
                unknown.insert(found.filter(|one| one.status != Status::Revoked))
            }
        }
        .as_ref())
    }
}

/// Returns true if the caller may see that an organization exists: the one of its token, and those
/// that it may read.
pub(crate) fn sees_organization(engine: &Engine, caller: &Caller, id: Id) -> Result<bool, Error> {
    if let Caller::Authorization(caller) = caller
        && engine
            .admin(Caller::Root)
            .authorizations()
            .get(caller.id())?
            .organization
            == id
    {
        return Ok(true);
    }
    match engine.admin(*caller).organizations().get(id) {
        Err(Error::NotFound(_) | Error::Forbidden(_)) => Ok(false),
        found => found.map(|_| true),
    }
}

/// Converts [`Error::NotFound`] to `None`.
pub(crate) fn absent_is_none<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(one) => Ok(Some(one)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
