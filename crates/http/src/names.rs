//! The names that replies show beside ids, looked up once each.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use symbolon::{Bucket, Caller, Engine, Error, Id, Permission, ResourceType, Status, Target, User};

/// What is called how. Whoever is shown an authorization is shown the names of its owners, and of what it is for.
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

    /// The name of a user; none if it is deleted or unknown.
    pub(crate) fn user(&mut self, id: Id) -> Result<Option<&str>, Error> {
        Ok(self.known_user(id)?.map(|user| user.name.as_str()))
    }

    /// The name of an organization; none if it is deleted or unknown.
    pub(crate) fn organization(&mut self, id: Id) -> Result<Option<&str>, Error> {
        let found = match self.organizations.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = self.engine.issuer().organization(&Caller::Root, id);
                let found = absent_is_none(found)?.filter(|one| one.status != Status::Revoked);
                unknown.insert(found.map(|one| one.name))
            }
        };
        Ok(found.as_deref())
    }

    /// The name of the one thing that a permission is for, of the types that have names here. One for an organization names
    /// nothing outside of it: whoever holds a whole type there may grant any id of that type, also one that it may know
    /// nothing of.
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
                let found = absent_is_none(self.engine.issuer().user(&Caller::Root, id))?;
                unknown.insert(found.filter(|one| one.status != Status::Revoked))
            }
        }
        .as_ref())
    }

    fn bucket(&mut self, id: Id) -> Result<Option<&Bucket>, Error> {
        Ok(match self.buckets.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = absent_is_none(self.engine.issuer().bucket(&Caller::Root, id))?;
                unknown.insert(found.filter(|one| one.status != Status::Revoked))
            }
        }
        .as_ref())
    }
}

/// Whether the caller may know of an organization by its name: that to which its token belongs, and those that it may read.
pub(crate) fn sees_organization(engine: &Engine, caller: &Caller, id: Id) -> Result<bool, Error> {
    let issuer = engine.issuer();
    if let Caller::Authorization(caller) = caller
        && issuer.authorization(&Caller::Root, *caller)?.organization == id
    {
        return Ok(true);
    }
    match issuer.organization(caller, id) {
        Err(Error::NotFound(_) | Error::Forbidden(_)) => Ok(false),
        found => found.map(|_| true),
    }
}

/// None for what is not there.
pub(crate) fn absent_is_none<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(one) => Ok(Some(one)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
