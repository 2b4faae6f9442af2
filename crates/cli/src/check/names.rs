//! Resolving the names in a request to ids.

use std::collections::HashMap;

use symbolon::store::Revision;
use symbolon::{
    Action, Admin, AdminError, Allowed, Caller, Denied, Engine, Id, Request, ResourceType, Schema,
    Verifier,
};

/// A request in which ids may be names.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamedRequest<'a> {
    pub(super) action: Action,
    pub(super) kind: ResourceType,
    pub(super) id: Option<&'a str>,
    pub(super) org: Option<&'a str>,
}

/// A name that could not be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    Organization,
    Resource,
}

/// Checks requests with names. Caches resolved names until the store changes.
pub(super) struct Checker<'e> {
    engine: &'e Engine,
    verifier: Verifier,
    root: Admin,
    known: NameCache,
}

#[derive(Default)]
struct NameCache {
    /// Revision of the store when the names were looked up.
    at: Revision,
    organizations: HashMap<Box<str>, Option<Id>>,
    users: HashMap<Box<str>, Option<Id>>,
    buckets: HashMap<Id, HashMap<Box<str>, Option<Id>>>,
    count: usize,
}

/// Maximum number of cached names, which bounds memory if requests keep using new names.
const REMEMBERED: usize = 10_000;

impl<'e> Checker<'e> {
    pub(super) fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            verifier: engine.verifier(),
            root: engine.admin(Caller::Root).with_tombstones(),
            known: NameCache::default(),
        }
    }

    pub(super) fn schema(&self) -> &'e Schema {
        self.engine.schema()
    }

    /// Checks the token. No permission covers an unknown name; a token that is refused anyway is
    /// refused for its own reason.
    pub(super) fn decide(
        &mut self,
        token: &[u8],
        asked: &NamedRequest<'_>,
    ) -> Result<Allowed, Denied> {
        match self.request(asked) {
            Ok(Ok(request)) => self.verifier.explain(token, &request),
            Ok(Err(_)) => {
                let grant = self.verifier.authenticate(token)?;
                Err(Denied::Forbidden(grant.id()))
            }
            Err(_) => Err(Denied::Unavailable),
        }
    }

    /// Returns the request with its names resolved to ids.
    pub(super) fn request<'a>(
        &mut self,
        asked: &NamedRequest<'a>,
    ) -> Result<Result<Request<'a>, Unknown>, AdminError> {
        // Read before the lookups, so that the cached names are at least as new as `at`.
        let now = self.engine.caught_up();
        if self.known.at != now || self.known.count > REMEMBERED {
            self.known = NameCache { at: now, ..NameCache::default() };
        }
        let mut request = Request::new(asked.action, asked.kind);
        let mut organization = None;
        if let Some(text) = asked.org {
            organization = match text.parse() {
                Ok(id) => Some(id),
                Err(_) => self.organization(text)?,
            };
            match organization {
                Some(id) => request = request.organization(id),
                None => return Ok(Err(Unknown::Organization)),
            }
        }
        let Some(text) = asked.id else {
            return Ok(Ok(request));
        };
        if self.schema().is_by_name(asked.kind) {
            return Ok(Ok(request.name(text)));
        }
        let id = match (text.parse(), asked.kind) {
            (Ok(id), _) => Some(id),
            (_, ResourceType::BUCKETS) => match organization {
                Some(organization) => self.bucket(organization, text)?,
                None => None,
            },
            (_, ResourceType::USERS) => self.user(text)?,
            (_, ResourceType::ORGANIZATIONS) => self.organization(text)?,
            _ => None,
        };
        Ok(id.map(|id| request.id(id)).ok_or(Unknown::Resource))
    }

    fn organization(&mut self, name: &str) -> Result<Option<Id>, AdminError> {
        let known = &mut self.known;
        remember(&mut known.organizations, &mut known.count, name, || {
            let found = self.root.organizations().find(name);
            found.map(|organization| organization.id)
        })
    }

    fn user(&mut self, name: &str) -> Result<Option<Id>, AdminError> {
        let known = &mut self.known;
        remember(&mut known.users, &mut known.count, name, || {
            self.root.users().find(name).map(|user| user.id)
        })
    }

    fn bucket(&mut self, organization: Id, name: &str) -> Result<Option<Id>, AdminError> {
        let known = &mut self.known;
        let buckets = known.buckets.entry(organization).or_default();
        remember(buckets, &mut known.count, name, || {
            let found = self.root.buckets().find(organization, name);
            found.map(|bucket| bucket.id)
        })
    }
}

fn remember(
    known: &mut HashMap<Box<str>, Option<Id>>,
    count: &mut usize,
    name: &str,
    look: impl FnOnce() -> Result<Id, AdminError>,
) -> Result<Option<Id>, AdminError> {
    if let Some(found) = known.get(name) {
        return Ok(*found);
    }
    let found = match look() {
        Ok(id) => Some(id),
        Err(AdminError::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    known.insert(name.into(), found);
    *count += 1;
    Ok(found)
}
