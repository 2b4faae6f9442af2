//! Registering, reading and deleting the names of buckets of the database.

use super::{Admin, ListOptions};
use crate::error::Error;
use crate::field::Field;
use crate::id::Id;
use crate::journal::Operation;
use crate::owner::Bucket;
use crate::permission::{Action, Request, ResourceType};
use crate::record::{Entity, Kind, RecordKey, bucket_key};
use crate::status::Status;
use crate::store::Query;
use crate::text_limits::check_label;

/// Properties of a bucket to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBucket {
    /// The organization that it belongs to.
    pub organization: Id,
    /// Its name, which no other bucket of the organization has.
    pub name: String,
}

/// The registered buckets that the caller of an [`Admin`] may read and change.
///
/// Each method fails with [`Error::Caller`] if the caller's own token or session is refused.
#[derive(Debug, Clone, Copy)]
pub struct Buckets<'a>(pub(super) &'a Admin);

impl Buckets<'_> {
    /// Registers the name of a bucket of the database.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] for a name that is taken, [`Error::Invalid`], [`Error::Forbidden`],
    /// [`Error::Caller`], [`Error::Store`], [`Error::Journal`];
    /// [`Error::NotFound`] if the organization does not exist.
    pub fn create(&self, new: &NewBucket) -> Result<Bucket, Error> {
        check_label(Field::BucketName, &new.name)?;
        let organization = new.organization;
        self.0
            .change(Operation::RegisterBucket, |change, authorized| {
                let request = Request::new(Action::WRITE, ResourceType::BUCKETS);
                authorized.must(&request.organization(organization))?;
                if change.organization(organization)?.status == Status::Revoked {
                    return Err(Error::NotFound(Field::Organization));
                }
                change.guard(RecordKey::new(Kind::ORGANIZATION, organization))?;
                let bucket = Bucket {
                    id: change.new_id(Kind::BUCKET),
                    organization,
                    name: new.name.clone(),
                    status: Status::Active,
                    created_at: change.now(),
                    updated_at: change.now(),
                };
                change.put(Entity::Bucket(bucket.clone()))?;
                Ok(bucket)
            })
    }

    /// Returns the registered bucket with this id.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist, or the caller belongs to another organization and
    /// may not read it; [`Error::Forbidden`] if the caller belongs to its organization but may not
    /// read it.
    pub fn get(&self, id: Id) -> Result<Bucket, Error> {
        self.0.change_on(
            Operation::Read,
            RecordKey::new(Kind::BUCKET, id),
            |change, authorized| {
                let found = change.bucket(id)?;
                self.0.check_present(found.status, Field::Bucket)?;
                let kind = ResourceType::BUCKETS;
                authorized.require_on(Action::READ, kind, found.organization, id, Field::Bucket)?;
                Ok(found)
            },
        )
    }

    /// Returns the registered bucket with this name in its organization.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist or the caller may not read it.
    pub fn find(&self, organization: Id, name: &str) -> Result<Bucket, Error> {
        let found = self
            .0
            .changes
            .find_named(Kind::BUCKET, &bucket_key(organization, name))?;
        let Some(Entity::Bucket(found)) = found else {
            return Err(Error::NotFound(Field::Bucket));
        };
        let request = Request::new(Action::READ, ResourceType::BUCKETS)
            .organization(organization)
            .id(found.id);
        self.0
            .authorized()?
            .may(&request)
            .then_some(found)
            .ok_or(Error::NotFound(Field::Bucket))
    }

    /// Returns the registered buckets of one organization, or of all, that the caller may read,
    /// ordered by id.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`], [`Error::Store`].
    pub fn list(
        &self,
        organization: Option<Id>,
        list_options: &ListOptions,
    ) -> Result<Vec<Bucket>, Error> {
        let query = Query {
            organization,
            ..list_options.of(Kind::BUCKET)
        };
        self.0
            .list(query, list_options.limit, |authorized, entity, _| {
                let Entity::Bucket(one) = entity else {
                    return None;
                };
                let request = Request::new(Action::READ, ResourceType::BUCKETS)
                    .organization(one.organization)
                    .id(one.id);
                (one.status != Status::Revoked && authorized.may(&request)).then_some(one)
            })
    }

    /// Deletes the registered name of a bucket.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Caller`], [`Error::Store`].
    pub fn delete(&self, id: Id) -> Result<Bucket, Error> {
        self.0.change_on(
            Operation::UnregisterBucket,
            RecordKey::new(Kind::BUCKET, id),
            |change, authorized| {
                let mut bucket = change.bucket(id)?;
                self.0.check_present(bucket.status, Field::Bucket)?;
                let kind = ResourceType::BUCKETS;
                authorized.require_on(
                    Action::WRITE,
                    kind,
                    bucket.organization,
                    id,
                    Field::Bucket,
                )?;
                if bucket.status != Status::Revoked {
                    bucket.status = Status::Revoked;
                    bucket.updated_at = change.now();
                    change.put(Entity::Bucket(bucket.clone()))?;
                }
                Ok(bucket)
            },
        )
    }
}
