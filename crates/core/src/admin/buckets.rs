//! Registering, reading and deleting the names of buckets of the database.

use super::{Admin, List, ListOptions, Tombstones};
use crate::admin_error::AdminError;
use crate::change::Transaction;
use crate::field::Field;
use crate::id::Id;
use crate::journal::Operation;
use crate::owner::{Bucket, OwnerState};
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
/// ```
/// # use std::sync::Arc;
/// # use symbolon::{Engine, MemoryStore, Options, Schema, StoreKey};
/// # let options = Options::new(Schema::influxdb_v2());
/// # let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
/// use symbolon::{Caller, NewBucket, NewOrganization};
///
/// let root = engine.admin(Caller::Root);
/// let organization = root.organizations().create(NewOrganization::named("my-org"))?.id;
/// let bucket = root.buckets().create(NewBucket { organization, name: "data".into() })?;
/// assert_eq!(root.buckets().find(organization, "data")?, bucket);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Buckets<'a>(pub(super) &'a Admin);

impl Buckets<'_> {
    /// Registers the name of a bucket of the database.
    ///
    /// # Errors
    ///
    /// [`AdminError::Exists`] for a name that is taken, [`AdminError::Invalid`],
    /// [`AdminError::Forbidden`], [`AdminError::Caller`], [`AdminError::Store`],
    /// [`AdminError::Journal`]; [`AdminError::NotFound`] if the organization does not exist.
    pub fn create(&self, new: NewBucket) -> Result<Bucket, AdminError> {
        check_label(Field::BucketName, &new.name)?;
        let organization = new.organization;
        self.0.change(Operation::RegisterBucket, |change, authorized| {
            let request = Request::new(Action::WRITE, ResourceType::BUCKETS);
            authorized.must(&request.organization(organization))?;
            if change.organization(organization)?.status == Status::Revoked {
                return Err(AdminError::NotFound(Field::Organization));
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
    /// [`AdminError::NotFound`] if it does not exist, or the caller belongs to another organization
    /// and may not read it; [`AdminError::Forbidden`] if the caller belongs to its organization but
    /// may not read it.
    pub fn get(&self, id: Id) -> Result<Bucket, AdminError> {
        self.0.change_on(Operation::Read, RecordKey::new(Kind::BUCKET, id), |change, authorized| {
            let found = change.bucket(id)?;
            self.check_present(change, &found)?;
            let kind = ResourceType::BUCKETS;
            authorized.require_on(Action::READ, kind, found.organization, id, Field::Bucket)?;
            Ok(found)
        })
    }

    /// Returns the registered bucket with this name in its organization.
    ///
    /// # Errors
    ///
    /// [`AdminError::NotFound`] if it does not exist or the caller may not read it.
    pub fn find(&self, organization: Id, name: &str) -> Result<Bucket, AdminError> {
        let authorized = self.0.authorized()?;
        let found = self.0.changes.find_named(Kind::BUCKET, &bucket_key(organization, name))?;
        let Some(Entity::Bucket(found)) = found else {
            return Err(AdminError::NotFound(Field::Bucket));
        };
        let request = Request::new(Action::READ, ResourceType::BUCKETS)
            .organization(organization)
            .id(found.id);
        if !authorized.may(&request) {
            return Err(AdminError::NotFound(Field::Bucket));
        }
        let mut change = Transaction::new(&self.0.changes.shared);
        self.check_present(&mut change, &found)?;
        Ok(found)
    }

    /// Returns the registered buckets of one organization, or of all, that the caller may read,
    /// ordered by id.
    pub fn list(&self, organization: Option<Id>, options: ListOptions) -> List<Bucket> {
        let query = Query { organization, ..options.of(Kind::BUCKET) };
        List::new(self.0, Ok(Some(query)), options.limit, |change, authorized, entity, _| {
            let Entity::Bucket(one) = entity else {
                return Ok(None);
            };
            let request = Request::new(Action::READ, ResourceType::BUCKETS)
                .organization(one.organization)
                .id(one.id);
            let is_present = authorized.may(&request) && !is_deleted(change, &one)?;
            Ok(is_present.then_some(one))
        })
    }

    /// Deletes the registered name of a bucket.
    ///
    /// # Errors
    ///
    /// [`AdminError::NotFound`], [`AdminError::Forbidden`], [`AdminError::Caller`],
    /// [`AdminError::Store`].
    pub fn delete(&self, id: Id) -> Result<Bucket, AdminError> {
        self.0.change_on(
            Operation::UnregisterBucket,
            RecordKey::new(Kind::BUCKET, id),
            |change, authorized| {
                let mut bucket = change.bucket(id)?;
                self.check_present(change, &bucket)?;
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

    /// Fails with [`AdminError::NotFound`] for a bucket that is deleted or whose organization is,
    /// unless tombstones are shown.
    fn check_present(
        &self,
        change: &mut Transaction<'_>,
        bucket: &Bucket,
    ) -> Result<(), AdminError> {
        match self.0.tombstones == Tombstones::NotFound && is_deleted(change, bucket)? {
            true => Err(AdminError::NotFound(Field::Bucket)),
            false => Ok(()),
        }
    }
}

fn is_deleted(change: &mut Transaction<'_>, bucket: &Bucket) -> Result<bool, AdminError> {
    Ok(bucket.status == Status::Revoked
        || change.organization_state(bucket.organization)? == OwnerState::Deleted)
}
