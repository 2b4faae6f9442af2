//! Importing organizations, users, buckets and authorizations, which keep their ids, in groups.

use super::Maintenance;
use crate::admin::check_organization;
use crate::admin_error::AdminError;
use crate::authorization::Authorization;
use crate::caller::Caller;
use crate::change::{AuditContext, Transaction};
use crate::field::Field;
use crate::id::Id;
use crate::invalid_value::InvalidValue;
use crate::journal::{Operation, mark};
use crate::owner::{Bucket, Organization, User};
use crate::record::{Entity, Kind, MAX_RECORD, RecordKey, SetUp};
use crate::status::Status;
use crate::store::Limits;
use crate::text_limits::{check_description, check_label};
use crate::time::Timestamp;
use crate::token::{Credential, ForeignHash, Prefix, Token, TokenDigest, TokenShape};

/// An item to import.
#[derive(Debug)]
pub enum ImportItem {
    /// An organization.
    Organization(Organization),
    /// A user.
    User(User),
    /// A registered name of a bucket.
    Bucket(Bucket),
    /// An authorization with the text of its token.
    Authorization(Authorization, Token),
    /// An authorization with a hash of its token that another program stored.
    Hashed(Authorization, ForeignHash),
    /// An authorization with the credential from an export of a store with the same key.
    Stored(Authorization, Credential),
    /// The set-up of the exported store, so that the store cannot be set up again.
    SetUp {
        /// The first organization.
        organization: Id,
        /// The first user.
        user: Id,
        /// Time of the set-up.
        at: Timestamp,
    },
}

/// Action for items that the journal lists as revoked or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfRevoked {
    /// Refuse them with [`AdminError::PreviouslyRevoked`].
    #[default]
    Refuse,
    /// Import them as they are, which may reactivate them.
    Revive,
}

/// Items that are looked up in the store before a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StoreLookup {
    /// Items that the index contains, and those of kinds that it never contains.
    IfKnown,
    Always,
}

impl ImportItem {
    /// Returns the key of the record, if the index contains records of its kind.
    fn indexed(&self) -> Option<RecordKey> {
        Some(match self {
            Self::Organization(one) => RecordKey::new(Kind::ORGANIZATION, one.id),
            Self::User(one) => RecordKey::new(Kind::USER, one.id),
            Self::Authorization(one, _) | Self::Hashed(one, _) | Self::Stored(one, _) => {
                RecordKey::new(Kind::AUTHORIZATION, one.id)
            }
            Self::Bucket(_) | Self::SetUp { .. } => return None,
        })
    }
}

/// Result of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Number of items that were written.
    pub new: usize,
    /// Number of items whose id exists already; they were left unchanged.
    pub known: usize,
}

impl Maintenance {
    /// Checks whether `item` can be imported. Returns true if its id exists already, so that an
    /// import would leave it unchanged.
    ///
    /// # Errors
    ///
    /// Those of [`Maintenance::import`], and [`AdminError::PreviouslyRevoked`] with
    /// [`IfRevoked::Refuse`].
    pub fn check_import(
        &self,
        item: &ImportItem,
        if_revoked: IfRevoked,
    ) -> Result<bool, AdminError> {
        let entity = self.sized(item)?;
        let known =
            self.is_known(&mut Transaction::new(&self.changes.shared), item, StoreLookup::Always)?;
        if !known {
            self.check_ended(item, &entity, if_revoked)?;
        }
        Ok(known)
    }

    /// Checks that an empty store would accept `item`.
    pub(crate) fn check_item(
        &self,
        item: &ImportItem,
        if_revoked: IfRevoked,
    ) -> Result<(), AdminError> {
        let entity = self.sized(item)?;
        self.check_ended(item, &entity, if_revoked)
    }

    fn sized(&self, item: &ImportItem) -> Result<Entity, AdminError> {
        let entity = self.plan(item)?;
        let record = self.changes.shared.sealer.seal(&entity, 1);
        let fits = record.size() <= MAX_RECORD;
        fits.then_some(entity).ok_or(AdminError::TooLarge)
    }

    /// Returns true if the store contains no authorization, user or organization.
    pub(crate) fn is_store_empty(&self) -> bool {
        self.changes.shared.checks.index.len() == 0
    }

    /// Returns an unused id.
    pub(crate) fn fresh_id(&self) -> Id {
        self.changes.shared.next_id()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.changes.shared.checks.clock.now()
    }

    pub(crate) fn prefix(&self) -> Prefix {
        self.changes.shared.checks.prefix
    }

    pub(crate) fn limits(&self) -> Limits {
        self.changes.shared.store.limits()
    }

    /// Writes items in one commit, with their ids, times and status. An item whose id exists
    /// already is left unchanged. Owners must exist, or come before the items that belong to them.
    ///
    /// # Errors
    ///
    /// [`AdminError::Exists`] for an id, name or token that is taken; [`AdminError::Invalid`] or
    /// [`AdminError::Schema`] for values that are not accepted; [`AdminError::NotFound`] for an
    /// owner that does not exist; [`AdminError::PreviouslyRevoked`] for items that the journal
    /// lists as revoked or deleted; [`AdminError::TooLarge`] for too many items at once;
    /// [`AdminError::Store`] or [`AdminError::Journal`]. No item was written then, except that it
    /// is unknown after [`StoreError::Backend`](crate::StoreError::Backend).
    pub fn import(&self, items: &[ImportItem]) -> Result<ImportReport, AdminError> {
        self.import_with(items, IfRevoked::Refuse)
    }

    /// Does the same, with an action for items that the journal lists as revoked or deleted.
    ///
    /// # Errors
    ///
    /// Those of [`Maintenance::import`].
    pub fn import_with(
        &self,
        items: &[ImportItem],
        if_revoked: IfRevoked,
    ) -> Result<ImportReport, AdminError> {
        let audit_context = AuditContext::new(&Caller::Root, Operation::Import);
        let looks = self.changes.shared.recorder.is_on() && if_revoked == IfRevoked::Refuse;
        // Most items are new, and the commit verifies that they are. If it fails, each item is
        // looked up.
        let mut look = StoreLookup::IfKnown;
        self.changes.change(audit_context, |change| {
            let look = std::mem::replace(&mut look, StoreLookup::Always);
            if looks {
                // Records that another process revoked and purged are not in the store, nor in a
                // cached revocation list.
                self.changes.shared.recorder.purged(self.changes.shared.floor()?);
            }
            let mut imported = ImportReport::default();
            for item in items {
                if self.is_known(change, item, look)? {
                    imported.known += 1;
                } else {
                    let entity = self.plan(item)?;
                    self.check_ended(item, &entity, if_revoked)?;
                    need_owners(change, &entity)?;
                    if change.plans(entity.key()) {
                        return Err(AdminError::Exists(Field::Authorization));
                    }
                    change.put(entity)?;
                    imported.new += 1;
                }
            }
            Ok(imported)
        })
    }

    /// Checks that the item is itself revoked, or that the journal lists neither its id nor its
    /// token as revoked.
    pub(super) fn check_ended(
        &self,
        item: &ImportItem,
        entity: &Entity,
        if_revoked: IfRevoked,
    ) -> Result<(), AdminError> {
        if if_revoked == IfRevoked::Revive || entity.status() == Some(Status::Revoked) {
            return Ok(());
        }
        let key = entity.key();
        let ended = self.changes.shared.recorder.revocations()?;
        if ended.is_empty() {
            return Ok(());
        }
        if ended.revoked_from(key).is_some() {
            return Err(AdminError::PreviouslyRevoked(key));
        }
        let uniques: Vec<Box<[u8]>> = match item {
            ImportItem::Authorization(_, token) => {
                self.changes.all_keys(token.reveal().as_bytes()).collect()
            }
            ImportItem::Hashed(_, foreign_hash) => {
                vec![Credential::Foreign(*foreign_hash).unique_key().into()]
            }
            ImportItem::Stored(_, credential) => {
                let keyed = credential.keyed();
                let keyed = keyed.map(|(key, hash)| Credential::Keyed(key, hash));
                let all = [credential.foreign_hash().map(Credential::Foreign), keyed];
                let all = all.into_iter().flatten();
                all.map(|one| one.unique_key().into()).collect()
            }
            _ => Vec::new(),
        };
        let same = uniques.iter().find_map(|unique| ended.record_with_mark(mark(unique)));
        same.map_or(Ok(()), |key| Err(AdminError::PreviouslyRevoked(key)))
    }

    /// Checks an item by itself, and returns the entity to write.
    pub(super) fn plan(&self, item: &ImportItem) -> Result<Entity, AdminError> {
        match item {
            ImportItem::Organization(organization) => {
                check_label(Field::OrganizationName, &organization.name)?;
                check_description(&organization.description)?;
                Ok(Entity::Organization(organization.clone()))
            }
            ImportItem::User(user) => {
                check_label(Field::UserName, &user.name)?;
                Ok(Entity::User(user.clone()))
            }
            ImportItem::Bucket(bucket) => {
                check_label(Field::BucketName, &bucket.name)?;
                Ok(Entity::Bucket(bucket.clone()))
            }
            ImportItem::SetUp { organization, user, at } => {
                let (organization, user, at) = (*organization, *user, *at);
                Ok(Entity::SetUp(SetUp { organization, user, at }))
            }
            ImportItem::Authorization(authorization, _)
            | ImportItem::Hashed(authorization, _)
            | ImportItem::Stored(authorization, _) => {
                check_description(&authorization.description)?;
                let permissions = &authorization.permissions;
                self.changes.shared.schema.check(authorization.origin, permissions)?;
                check_organization(authorization.organization, permissions)?;
                let credential = self.credential(item)?;
                let credential =
                    credential.ok_or(AdminError::Invalid(Field::Token, InvalidValue::Missing))?;
                Ok(Entity::Authorization(authorization.clone(), credential))
            }
        }
    }

    fn credential(&self, item: &ImportItem) -> Result<Option<Credential>, AdminError> {
        Ok(Some(match item {
            ImportItem::Authorization(authorization, token) => {
                let shape = self.check_token(authorization.id, token)?;
                let secret = self.changes.shared.sealer.key().current();
                let hash = TokenDigest::keyed(&secret.hash, token.reveal().as_bytes());
                match shape {
                    TokenShape::Native(_) => Credential::Native(secret.id, hash),
                    TokenShape::Other => Credential::Keyed(secret.id, hash),
                }
            }
            ImportItem::Hashed(_, foreign_hash) => Credential::Foreign(*foreign_hash),
            ImportItem::Stored(_, credential) => {
                self.check_key(credential)?;
                *credential
            }
            _ => return Ok(None),
        }))
    }

    /// Checks that the store has the key of a keyed hash, which is useless without it.
    fn check_key(&self, credential: &Credential) -> Result<(), AdminError> {
        let key = self.changes.shared.sealer.key();
        match credential.keyed() {
            Some((needed, _)) if key.named(needed).is_none() => {
                let reason = InvalidValue::UnknownKey { needed, held: key.ids().collect() };
                Err(AdminError::Invalid(Field::Token, reason))
            }
            _ => Ok(()),
        }
    }

    /// Checks that a token in the format of this store contains the id of its authorization.
    fn check_token(&self, id: Id, token: &Token) -> Result<TokenShape, AdminError> {
        let shape = TokenShape::of(self.changes.shared.checks.prefix, token.reveal().as_bytes());
        match shape
            .map_err(|error| AdminError::Invalid(Field::Token, InvalidValue::Malformed(error)))?
        {
            TokenShape::Native(own) if own != id => {
                Err(AdminError::Invalid(Field::Token, InvalidValue::OfAuthorization(own)))
            }
            shape => Ok(shape),
        }
    }

    /// Returns true if the id of `item` exists with the same token, or as the same kind of record.
    fn is_known(
        &self,
        change: &mut Transaction<'_>,
        item: &ImportItem,
        look: StoreLookup,
    ) -> Result<bool, AdminError> {
        if look == StoreLookup::IfKnown
            && item.indexed().is_some_and(|key| change.assume_absent(key))
        {
            // The commit verifies the record's own unique key, so only the others are looked up.
            self.check_unique(item, 1)?;
            return Ok(false);
        }
        let known = match item {
            ImportItem::Organization(one) => found(change.organization(one.id))?.is_some(),
            ImportItem::User(one) => found(change.user(one.id))?.is_some(),
            ImportItem::Bucket(one) => found(change.bucket(one.id))?.is_some(),
            ImportItem::SetUp { .. } => change.has_set_up_record()?,
            ImportItem::Authorization(one, _)
            | ImportItem::Hashed(one, _)
            | ImportItem::Stored(one, _) => match found(change.authorization(one.id))? {
                Some((_, held)) if self.is_same_token(&held, item)? => true,
                Some(_) => return Err(AdminError::Exists(Field::Authorization)),
                None => false,
            },
        };
        if !known {
            self.check_unique(item, 0)?;
        }
        Ok(known)
    }

    fn is_same_token(&self, held: &Credential, item: &ImportItem) -> Result<bool, AdminError> {
        if let ImportItem::Authorization(_, token) = item {
            let text = token.reveal().as_bytes();
            // The record may have been imported with a hash, or hashed under a previous key.
            if held.foreign_hash().is_some_and(|foreign_hash| foreign_hash.is_of(text)) {
                return Ok(true);
            }
            if let Some((key, hash)) = held.keyed() {
                let secret = self.changes.shared.sealer.key().named(key);
                return Ok(
                    secret.is_some_and(|secret| TokenDigest::keyed(&secret.hash, text) == hash)
                );
            }
        }
        let credential = self.credential(item)?;
        let is_same = |one: Credential| {
            one.foreign_hash().is_some() && one.foreign_hash() == held.foreign_hash()
                || one.keyed().is_some() && one.keyed() == held.keyed()
        };
        Ok(credential.is_some_and(is_same))
    }
}

/// Checks that the owners of an item exist or are part of the same import.
fn need_owners(change: &mut Transaction<'_>, entity: &Entity) -> Result<(), AdminError> {
    let (organization, user) = match entity {
        Entity::Authorization(one, _) => (one.organization, one.user),
        Entity::Bucket(one) => (one.organization, None),
        _ => return Ok(()),
    };
    if !change.has_owner(RecordKey::new(Kind::ORGANIZATION, organization))? {
        return Err(AdminError::NotFound(Field::Organization));
    }
    match user {
        Some(user) if !change.has_owner(RecordKey::new(Kind::USER, user))? => {
            Err(AdminError::NotFound(Field::User))
        }
        _ => Ok(()),
    }
}

fn found<T>(read: Result<T, AdminError>) -> Result<Option<T>, AdminError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(AdminError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
