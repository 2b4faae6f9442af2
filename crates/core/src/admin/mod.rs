//! Administration on behalf of a caller: every operation checks what the caller may do.

mod authorization_inputs;
mod authorization_list;
mod authorizations;
mod backup;
mod buckets;
mod explain;
mod list;
mod names;
mod organizations;
mod sessions;
mod sign_in;
mod users;

use std::fmt;
use std::sync::Arc;

use crate::admin_error::AdminError;
use crate::authorization::Authorization;
use crate::caller::Caller;
use crate::change::{AuditContext, Authorized, Changes, Transaction};
use crate::field::Field;
use crate::id::Id;
use crate::journal::Operation;
use crate::permission::Request;
use crate::record::RecordKey;
use crate::status::{AlreadyRevoked, Status};

pub use authorization_inputs::{AuthorizationEdit, IfUnchanged, NewAuthorization, Rotation};
pub use authorization_list::{AuthorizationFilter, RevokedInList};
pub use authorizations::Authorizations;
pub use buckets::{Buckets, NewBucket};
pub use explain::{Explanation, NotInForceReason};
pub use list::{List, ListOptions};
pub use names::Names;
pub use organizations::{NewOrganization, OrganizationEdit, Organizations};
pub use sessions::Sessions;
pub use sign_in::SignIn;
pub use users::{NewUser, UserEdit, Users};

pub(crate) use authorizations::check_organization;

/// Reads and changes the store on behalf of one caller. Every operation checks what the caller may
/// do, and the commit verifies that the caller's own records are unchanged, so that a token revoked
/// elsewhere a moment ago changes nothing.
///
/// Every call blocks: it reads the store, and a change waits for its disk. Call it on a thread for
/// blocking work.
///
/// # Consistency
///
/// When a change returns `Ok`, it is on disk, and every check of this engine that starts afterwards
/// sees it. After [`AdminError::Store`] with
/// [`StoreError::Backend`](crate::StoreError::Backend) it is unknown whether it was written. After
/// any other error, nothing was changed. Concurrent changes share commits.
///
/// # Errors
///
/// Each method lists the errors of its own rule. Besides, every method fails with
/// [`AdminError::Caller`] if the caller is refused, with [`AdminError::Tampered`] if a record that
/// it needs is tampered, and with [`AdminError::Store`] if the store fails. Every change can also
/// fail with [`AdminError::Journal`], [`AdminError::Contended`], [`AdminError::TooLarge`] and
/// [`AdminError::Random`].
///
/// ```
/// # use std::sync::Arc;
/// # use symbolon::{Engine, MemoryStore, Options, Schema, StoreKey};
/// # let options = Options::new(Schema::influxdb_v2());
/// # let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
/// use symbolon::{Action, Caller, NewAuthorization, NewOrganization, Permission, ResourceType};
///
/// let root = engine.admin(Caller::Root);
/// let org = root.organizations().create(NewOrganization::named("my-org"))?.id;
/// let write = Permission::new(Action::WRITE, ResourceType::AUTHORIZATIONS).organization(org);
/// let (token, _) = root.authorizations().create(NewAuthorization::new(org, [write]))?;
///
/// // The bearer of the token may revoke tokens of its organization, but create no organization.
/// let caller = engine.verifier().authenticate(token.reveal()).unwrap().caller();
/// let bearer = engine.admin(caller);
/// assert!(bearer.organizations().create(NewOrganization::named("other")).is_err());
/// # Ok::<(), symbolon::AdminError>(())
/// ```
#[derive(Clone)]
pub struct Admin {
    changes: Arc<Changes>,
    caller: Caller,
    tombstones: Tombstones,
}

/// Treatment of records that were revoked or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tombstones {
    /// Like records that never existed.
    NotFound,
    Shown,
}

impl Tombstones {
    /// Returns true if a record with this status is found.
    fn shows(self, status: Status) -> bool {
        status != Status::Revoked || self == Self::Shown
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Admin");
        text.field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Admin {
    pub(crate) fn new(changes: Arc<Changes>, caller: Caller) -> Self {
        Self { changes, caller, tombstones: Tombstones::NotFound }
    }

    /// Returns the same administration with tombstones: revoked authorizations and deleted users,
    /// organizations and buckets are found by their ids until they are purged. Otherwise they are
    /// [`AdminError::NotFound`]. Lists are not affected.
    #[must_use]
    pub fn with_tombstones(self) -> Self {
        Self { tombstones: Tombstones::Shown, ..self }
    }

    /// Returns the caller.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// Returns the authorizations.
    pub fn authorizations(&self) -> Authorizations<'_> {
        Authorizations::new(self)
    }

    /// Returns the users.
    pub fn users(&self) -> Users<'_> {
        Users(self)
    }

    /// Returns the organizations.
    pub fn organizations(&self) -> Organizations<'_> {
        Organizations(self)
    }

    /// Returns the registered buckets.
    pub fn buckets(&self) -> Buckets<'_> {
        Buckets(self)
    }

    /// Returns the sessions.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(self)
    }

    /// Returns the authorization of the caller's own token; none for other callers.
    ///
    /// # Errors
    ///
    /// [`AdminError::Caller`] if it is not in force, [`AdminError::Store`].
    pub fn own_authorization(&self) -> Result<Option<Authorization>, AdminError> {
        match self.authorized()? {
            Authorized::Authorization(held) => Ok(Some(*held)),
            Authorized::Root | Authorized::User(..) => Ok(None),
        }
    }

    /// Returns the user of the caller: the one who signed in, or the one of its token, if any.
    ///
    /// # Errors
    ///
    /// [`AdminError::Caller`] if the caller is not in force, [`AdminError::Store`].
    pub fn own_user(&self) -> Result<Option<Id>, AdminError> {
        Ok(match self.authorized()? {
            Authorized::Root => None,
            Authorized::Authorization(held) => held.user,
            Authorized::User(user, _) => Some(user.id),
        })
    }

    /// Returns the names of ids that occur in what the caller may read; with tombstones, also names
    /// of what is deleted.
    pub fn names(&self) -> Names {
        Names::new(Arc::clone(&self.changes), self.tombstones)
    }

    /// Checks in the store that the caller is in force and may do what `request` says. Use it for
    /// users with a session, which a [`Verifier`](crate::Verifier) cannot check.
    ///
    /// # Errors
    ///
    /// [`AdminError::Forbidden`] if the caller may not, [`AdminError::Caller`] if it is not in
    /// force, [`AdminError::Store`].
    pub fn authorize(&self, request: &Request<'_>) -> Result<(), AdminError> {
        self.change(Operation::Read, |_, authorized| authorized.must(request))
    }

    /// Makes a change by `rule`, which gets the rights of the caller. Every change of an admin goes
    /// through this function or one of the next two.
    fn change<T>(
        &self,
        operation: Operation,
        rule: impl FnMut(&mut Transaction<'_>, &Authorized) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        self.change_in(AuditContext::new(&self.caller, operation), rule)
    }

    /// Makes a change that concerns the record `key`.
    fn change_on<T>(
        &self,
        operation: Operation,
        key: RecordKey,
        rule: impl FnMut(&mut Transaction<'_>, &Authorized) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let context = AuditContext::new(&self.caller, operation);
        self.change_in(context.on(key.kind, key.id), rule)
    }

    fn change_in<T>(
        &self,
        context: AuditContext,
        mut rule: impl FnMut(&mut Transaction<'_>, &Authorized) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        self.changes.change(context, |change| {
            let authorized = Authorized::read(&self.caller, change)?;
            rule(change, &authorized)
        })
    }

    /// Makes a change that depends on the same records again and again; see
    /// [`Changes::change_with_cache`].
    fn change_with_cache<T>(
        &self,
        operation: Operation,
        key: Option<RecordKey>,
        mut rule: impl FnMut(&mut Transaction<'_>, &Authorized) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let on = AuditContext::new(&self.caller, operation);
        let context = key.map_or(on, |key| on.on(key.kind, key.id));
        self.changes.change_with_cache(context, |change| {
            let authorized = Authorized::read(&self.caller, change)?;
            rule(change, &authorized)
        })
    }

    /// Fails with [`AdminError::NotFound`] for a tombstone, unless tombstones are shown.
    fn check_present(&self, status: Status, field: Field) -> Result<(), AdminError> {
        self.tombstones.shows(status).then_some(()).ok_or(AdminError::NotFound(field))
    }

    /// Reads the rights of the caller.
    fn authorized(&self) -> Result<Authorized, AdminError> {
        Authorized::read(&self.caller, &mut Transaction::new(&self.changes.shared))
    }
}

/// Refuses to create an object that is revoked or deleted from the start.
fn unless_revoked(status: Status) -> Result<(), AlreadyRevoked> {
    match status {
        Status::Revoked => Err(AlreadyRevoked),
        Status::Active | Status::Inactive => Ok(()),
    }
}
