//! The names that replies show beside ids, looked up once each.

use std::collections::HashMap;

use symbolon::{Caller, Engine, Error, Id, Permission, ResourceType, Span, Status, Target};

/// What is called how. Whoever is shown an authorization is shown the names of its owners, and of what it is for.
#[derive(Debug)]
pub(crate) struct Names<'e> {
    engine: &'e Engine,
    users: HashMap<Id, Option<String>>,
    organizations: HashMap<Id, Option<String>>,
    buckets: Option<HashMap<Id, String>>,
}

impl<'e> Names<'e> {
    pub(crate) fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            users: HashMap::new(),
            organizations: HashMap::new(),
            buckets: None,
        }
    }

    /// The name of a user; none if it is deleted or unknown.
    pub(crate) fn user(&mut self, id: Id) -> Result<Option<&str>, Error> {
        if !self.users.contains_key(&id) {
            let found = absent_is_none(self.engine.issuer().user(&Caller::Root, id))?;
            let name = found.filter(|one| one.status != Status::Revoked);
            self.users.insert(id, name.map(|one| one.name));
        }
        Ok(self.users.get(&id).and_then(Option::as_deref))
    }

    /// The name of an organization; none if it is deleted or unknown.
    pub(crate) fn organization(&mut self, id: Id) -> Result<Option<&str>, Error> {
        if !self.organizations.contains_key(&id) {
            let found = absent_is_none(self.engine.issuer().organization(&Caller::Root, id))?;
            let name = found.filter(|one| one.status != Status::Revoked);
            self.organizations.insert(id, name.map(|one| one.name));
        }
        Ok(self.organizations.get(&id).and_then(Option::as_deref))
    }

    /// The name of the one thing that a permission is for, of the types that have names here.
    pub(crate) fn of_resource(&mut self, permission: &Permission) -> Result<Option<&str>, Error> {
        let Target::Id(id) = permission.resource.target else {
            return Ok(None);
        };
        match permission.resource.kind {
            ResourceType::USERS => self.user(id),
            ResourceType::ORGANIZATIONS => self.organization(id),
            ResourceType::BUCKETS => self.bucket(id),
            _ => Ok(None),
        }
    }

    fn bucket(&mut self, id: Id) -> Result<Option<&str>, Error> {
        if self.buckets.is_none() {
            let issuer = self.engine.issuer();
            let all = issuer.buckets(&Caller::Root, None, &Span::default())?;
            let names = all.into_iter().map(|one| (one.id, one.name));
            self.buckets = Some(names.collect());
        }
        let found = self.buckets.as_ref().and_then(|names| names.get(&id));
        Ok(found.map(String::as_str))
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
