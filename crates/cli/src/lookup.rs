//! Looking up names given on the command line, and names of ids in lists.

use symbolon::{Admin, AdminError, Caller, Engine, Field, Id, Names};

use crate::error::Failure;
use crate::resource::{self, Resource};

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

    /// Returns the user or organization with this id or name, unless it is deleted. An id takes
    /// precedence.
    pub(crate) fn find<R: Resource>(&self, text: &str) -> Result<R, Failure> {
        resource::find(&self.root, text)
    }

    /// Returns the user or organization with this name, unless it is deleted.
    pub(crate) fn find_named<R: Resource>(&self, name: &str) -> Result<R, Failure> {
        resource::find_named(&self.root, name)
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
