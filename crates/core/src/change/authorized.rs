//! The rights of a caller.

use super::transaction::Transaction;
use crate::admin_error::AdminError;
use crate::authorization::{Authorization, Creator};
use crate::caller::{AuthenticatedUser, BearerProof, Caller, TokenBearer, UserProof};
use crate::denied::Denied;
use crate::field::Field;
use crate::id::Id;
use crate::owner::{Membership, OwnerState, Role, User};
use crate::permission::{Action, BucketNames, Permission, PermissionSet, Request, ResourceType};
use crate::record::{Kind, RecordKey};
use crate::schema::Schema;
use crate::session::{Session, SessionDigest};
use crate::status::Status;

/// A caller whose record was read from the store and is guarded by the commit, so that a token
/// revoked elsewhere a moment ago changes nothing.
pub(crate) enum Authorized {
    Root,
    Authorization(Box<Authorization>),
    /// A user, and the permissions from its memberships in active organizations.
    User(Box<User>, PermissionSet),
}

impl Authorized {
    /// Reads and guards the records that the caller depends on: its authorization and the owners of
    /// it, or its user and organizations.
    pub(crate) fn read(caller: &Caller, change: &mut Transaction<'_>) -> Result<Self, AdminError> {
        match caller {
            Caller::Root => Ok(Self::Root),
            Caller::Authorization(bearer) => Self::of_token(*bearer, change),
            Caller::User(user) => Self::of_user(*user, change),
        }
    }

    fn of_token(bearer: TokenBearer, change: &mut Transaction<'_>) -> Result<Self, AdminError> {
        let id = bearer.id();
        let (held, credential) = change.authorization(id).map_err(unknown)?;
        change.guard(RecordKey::new(Kind::AUTHORIZATION, id))?;
        match bearer.proof {
            // Another record under this id, or a record of another store, has another token.
            BearerProof::Token(digest) if !change.is_found_by(&credential, digest) => {
                return Err(AdminError::Caller(Denied::Unknown));
            }
            BearerProof::Token(_) => {}
            BearerProof::Session(session) => {
                live_session(session, Caller::Authorization(bearer), change)?;
            }
        }
        let organization =
            guarded_state(RecordKey::new(Kind::ORGANIZATION, held.organization), change)?;
        let user = match held.user {
            Some(user) => guarded_state(RecordKey::new(Kind::USER, user), change)?,
            None => OwnerState::Active,
        };
        held.live(change.now(), user, organization)
            .map_err(|not_in_force| AdminError::Caller(Denied::not_in_force(not_in_force, id)))?;
        Ok(Self::Authorization(Box::new(held)))
    }

    fn of_user(
        caller: AuthenticatedUser,
        change: &mut Transaction<'_>,
    ) -> Result<Self, AdminError> {
        let id = caller.id();
        let user = change.user(id).map_err(unknown)?;
        change.guard(RecordKey::new(Kind::USER, id))?;
        let (given, key, refusal) = match caller.proof {
            UserProof::Password(given) => (Some(given), None, Denied::Unknown),
            UserProof::Session(session) => {
                let (session, digest) = live_session(session, Caller::User(caller), change)?;
                (session.password, Some(digest.key), Denied::Revoked(session.id))
            }
        };
        match user.status {
            Status::Active => {}
            Status::Inactive => return Err(AdminError::Caller(Denied::OwnerInactive(id))),
            Status::Revoked => return Err(AdminError::Caller(Denied::Unknown)),
        }
        let password = change.password_fingerprint(key, &user);
        if password.is_none() || password != given {
            return Err(AdminError::Caller(refusal));
        }
        let held = session_permissions(&user, |organization| {
            let key = RecordKey::new(Kind::ORGANIZATION, organization);
            Ok(guarded_state(key, change)? == OwnerState::Active)
        })?;
        Ok(Self::User(Box::new(user), held))
    }
}

/// Returns the state of a user or organization, and guards its record; unknown if the record is
/// missing, tampered or rolled back.
fn guarded_state(key: RecordKey, change: &mut Transaction<'_>) -> Result<OwnerState, AdminError> {
    let state = match key.kind {
        Kind::USER => change.user_state(key.id)?,
        _ => change.organization_state(key.id)?,
    };
    match change.guard(key) {
        Ok(()) => Ok(state),
        Err(AdminError::Tampered(_)) => Ok(OwnerState::Unknown),
        Err(error) => Err(error),
    }
}

/// Returns a session of `caller` that is neither signed out nor expired, and guards it.
fn live_session(
    id: Id,
    caller: Caller,
    change: &mut Transaction<'_>,
) -> Result<(Session, SessionDigest), AdminError> {
    let (session, hash) = change.session(id).map_err(unknown)?;
    if session.caller() != caller {
        return Err(AdminError::Caller(Denied::Unknown));
    }
    if session.ended_at.is_some() {
        return Err(AdminError::Caller(Denied::Revoked(id)));
    }
    if session.expires_at <= change.now() {
        return Err(AdminError::Caller(Denied::Expired(id)));
    }
    change.guard(RecordKey::new(Kind::SESSION, id)).map_err(unknown)?;
    Ok((session, hash))
}

/// Returns the permissions of a user, not counting those of an operator. Only active
/// organizations give permissions.
fn session_permissions(
    user: &User,
    mut is_active: impl FnMut(Id) -> Result<bool, AdminError>,
) -> Result<PermissionSet, AdminError> {
    let mut held = Schema::influxdb_me(user.id);
    for membership in &user.memberships {
        if is_active(membership.organization)? {
            held.extend(role_permissions(*membership));
        }
    }
    Ok(held.into())
}

fn role_permissions(Membership { organization, role }: Membership) -> Vec<Permission> {
    match role {
        Role::Owner => Schema::influxdb_owner(organization),
        Role::Member => Schema::influxdb_member(organization),
    }
}

fn unknown(error: AdminError) -> AdminError {
    match error {
        AdminError::NotFound(_) => AdminError::Caller(Denied::Unknown),
        AdminError::Tampered(key) if key.kind == Kind::SESSION => {
            AdminError::Caller(Denied::Unknown)
        }
        other => other,
    }
}

impl Authorized {
    /// Returns the creator to record for what this caller creates; none for the embedding program.
    pub(crate) fn creator(&self) -> Option<Creator> {
        match self {
            Self::Root => None,
            Self::Authorization(held) => Some(Creator::Authorization(held.id)),
            Self::User(user, _) => Some(Creator::User(user.id)),
        }
    }

    /// Returns true if the caller is the bearer of the token of this authorization.
    pub(crate) fn is_authorization(&self, id: Id) -> bool {
        matches!(self, Self::Authorization(held) if held.id == id)
    }

    /// Returns the permissions of the caller; none if it may do everything.
    fn permissions(&self) -> Option<&PermissionSet> {
        match self {
            Self::Root => None,
            Self::Authorization(held) => Some(&held.permissions),
            Self::User(user, held) => (!user.operator).then_some(held),
        }
    }

    pub(crate) fn may(&self, request: &Request<'_>) -> bool {
        self.permissions().is_none_or(|held| held.covering(request).is_some())
    }

    /// Checks that the caller may do what `request` says.
    ///
    /// # Errors
    ///
    /// [`AdminError::Forbidden`] with the request that no permission covers.
    pub(crate) fn must(&self, request: &Request<'_>) -> Result<(), AdminError> {
        if self.may(request) {
            return Ok(());
        }
        Err(AdminError::Forbidden(request.permission()))
    }

    /// Checks that the caller may do `action` on an object of an organization. If the caller
    /// belongs to another organization and may not read the object, it gets `NotFound`, so that it
    /// does not learn whether the object exists.
    pub(crate) fn require_on(
        &self,
        action: Action,
        kind: ResourceType,
        organization: Id,
        id: Id,
        field: Field,
    ) -> Result<(), AdminError> {
        let request = |action| Request::new(action, kind).organization(organization).id(id);
        if self.may(&request(action)) {
            return Ok(());
        }
        if !self.is_of(organization) && !self.may(&request(Action::READ)) {
            return Err(AdminError::NotFound(field));
        }
        // An organization belongs to itself, so its id is named only once.
        let lacking = match kind {
            ResourceType::ORGANIZATIONS => Request::new(action, kind).id(id),
            _ => request(action),
        };
        Err(AdminError::Forbidden(lacking.permission()))
    }

    /// Returns true if the caller may do `action` on a user. Users belong to no organization, so
    /// only permissions for all organizations count. Otherwise a holder of `users` in one
    /// organization could reach every user by its id.
    pub(crate) fn may_on_user(&self, action: Action, id: Id) -> bool {
        let request = Request::new(action, ResourceType::USERS).id(id);
        let unscoped =
            |one: &Permission| one.resource.organization.is_none() && one.covers(&request);
        self.permissions().is_none_or(|held| held.iter().any(unscoped))
    }

    /// Checks [`Authorized::may_on_user`].
    ///
    /// # Errors
    ///
    /// [`AdminError::Forbidden`] with the request if the caller may not.
    pub(crate) fn require_on_user(&self, action: Action, id: Id) -> Result<(), AdminError> {
        if self.may_on_user(action, id) {
            return Ok(());
        }
        let request = Request::new(action, ResourceType::USERS).id(id);
        Err(AdminError::Forbidden(request.permission()))
    }

    /// Returns true if the caller may do `action` on an organization, which belongs to itself.
    pub(crate) fn may_on_organization(&self, action: Action, id: Id) -> bool {
        let request = Request::new(action, ResourceType::ORGANIZATIONS);
        self.may(&request.organization(id).id(id))
    }

    /// Returns true if the caller may know that an organization exists: it is that of its token, or
    /// it may read it, as every member of an active organization may.
    pub(crate) fn sees_organization(&self, id: Id) -> bool {
        let is_own = matches!(self, Self::Authorization(held) if held.organization == id);
        is_own || self.may_on_organization(Action::READ, id)
    }

    /// Checks that the caller may grant each of `permissions`.
    pub(crate) fn require_grantable(
        &self,
        permissions: &[Permission],
        buckets: &dyn BucketNames,
    ) -> Result<(), AdminError> {
        let Some(held) = self.permissions() else {
            return Ok(());
        };
        let missing = permissions.iter().find(|wanted| !held.includes(wanted, buckets));
        missing.map_or(Ok(()), |wanted| Err(AdminError::Exceeds(wanted.clone())))
    }

    /// Checks that the caller holds all permissions of a role that it gives to a user. Permissions
    /// on users are left out, because users belong to no organization.
    pub(crate) fn require_grantable_role(&self, membership: Membership) -> Result<(), AdminError> {
        let mut permissions = role_permissions(membership);
        permissions.retain(|one| one.resource.kind != ResourceType::USERS);
        self.require_grantable(&permissions, &())
    }

    /// Checks that the caller is the user or holds all its permissions. A caller that sets a
    /// password can sign in as the user.
    pub(crate) fn require_rights_of_user(&self, user: &User) -> Result<(), AdminError> {
        if matches!(self, Self::User(itself, _) if itself.id == user.id) {
            return Ok(());
        }
        if user.operator {
            self.require_grantable(&Schema::influxdb_operator(), &())?;
        }
        let mut memberships = user.memberships.iter();
        memberships.try_for_each(|one| self.require_grantable_role(*one))
    }

    fn is_of(&self, organization: Id) -> bool {
        match self {
            Self::Root => true,
            Self::Authorization(held) => held.organization == organization,
            Self::User(user, _) => user.role_in(organization).is_some(),
        }
    }
}
