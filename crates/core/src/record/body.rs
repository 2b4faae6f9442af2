//! Bodies of records, kind by kind. The columns and the unique key are not repeated in the body.

use super::bytes::{Reader, Writer};
use super::integrity_error::IntegrityError;
use super::permission_set_cache::KnownSets;
use super::{
    Entity, Kind, Record, RecordKey, SET_UP, SETTINGS, SetUp, Settings, SetupState, StoreId,
};
use crate::authorization::{Authorization, Creator};
use crate::id::Id;
use crate::key::KeyId;
use crate::owner::{
    Bucket, Membership, Organization, PasswordFingerprint, PasswordHash, Role, User,
};
use crate::permission::{Action, Permission, PermissionSet, Resource, ResourceType, Target};
use crate::session::{Session, SessionDigest, SessionOwner};
use crate::status::Status;
use crate::token::{
    Credential, ForeignHash, TokenDigest, UNIQUE_KEYED, UNIQUE_SHA256, UNIQUE_SHA512,
};

/// Returns the newest format version of the record with this key. Version, key id and MAC are in
/// the same place in all versions.
pub(super) fn newest_version(key: RecordKey) -> u8 {
    match key {
        SETTINGS => 2,
        _ => 1,
    }
}

// Optional fields of an authorization, one bit each.
const HAS_CREATOR: u8 = 1;
const HAS_ROTATED: u8 = 2;
const HAS_EXPIRY: u8 = 4;
const HAS_REVOKED: u8 = 8;
const HAS_KEYED: u8 = 16;
/// The creator is a user rather than an authorization.
const CREATOR_IS_USER: u8 = 32;
/// The token that was hashed contains the id of the authorization.
const IS_NATIVE: u8 = 64;
const KNOWN: u8 =
    HAS_CREATOR | HAS_ROTATED | HAS_EXPIRY | HAS_REVOKED | HAS_KEYED | CREATOR_IS_USER | IS_NATIVE;

pub(super) fn write(w: &mut Writer, entity: &Entity) {
    match entity {
        Entity::Authorization(authorization, credential) => {
            write_authorization(w, authorization, credential);
        }
        Entity::User(user) => write_user(w, user),
        Entity::Organization(organization) => {
            w.text(&organization.name);
            w.text(&organization.description);
            w.time(organization.created_at);
            w.time(organization.updated_at);
        }
        Entity::Bucket(bucket) => {
            w.text(&bucket.name);
            w.time(bucket.created_at);
            w.time(bucket.updated_at);
        }
        Entity::Settings(settings) => {
            w.fixed(&settings.store.0);
            w.text(settings.prefix.as_str());
            w.count(settings.keys.len());
            for key in &settings.keys {
                w.fixed(&key.0.to_be_bytes());
            }
            w.time(settings.created_at);
            match settings.setup {
                SetupState::Unrecorded => {}
                SetupState::Open => w.byte(1),
                SetupState::Closed => w.byte(2),
                SetupState::Done => w.byte(3),
            }
        }
        Entity::SetUp(set_up) => {
            w.id(set_up.organization);
            w.id(set_up.user);
            w.time(set_up.at);
        }
        Entity::Session(session, hash) => write_session(w, session, hash),
    }
}

/// Reads the body of a record; `None` if its kind is unknown.
///
/// With `sets`, the permissions of an authorization are read into `sets` instead, as
/// [`KnownSets::last`].
pub(super) fn read(
    r: &mut Reader<'_>,
    record: &Record,
    version: u8,
    sets: Option<&mut KnownSets>,
) -> Result<Option<Entity>, IntegrityError> {
    let status = || record.columns.status.ok_or(IntegrityError::Body);
    let id = record.key.id;
    Ok(Some(match record.key.kind {
        Kind::AUTHORIZATION => read_authorization(r, record, status()?, sets)?,
        Kind::USER => Entity::User(read_user(r, id, status()?)?),
        Kind::ORGANIZATION => Entity::Organization(Organization {
            id,
            name: r.text()?.into(),
            description: r.text()?.into(),
            status: status()?,
            created_at: r.time()?,
            updated_at: r.time()?,
        }),
        Kind::BUCKET => Entity::Bucket(Bucket {
            id,
            organization: record.columns.organization.ok_or(IntegrityError::Body)?,
            name: r.text()?.into(),
            status: status()?,
            created_at: r.time()?,
            updated_at: r.time()?,
        }),
        Kind::SETTING if record.key == SETTINGS => Entity::Settings(Settings {
            store: StoreId(r.array()?),
            prefix: r.text()?.parse().map_err(|_| IntegrityError::Body)?,
            keys: list(r, |r| Ok(KeyId(u32::from_be_bytes(r.array()?))))?,
            created_at: r.time()?,
            setup: match version {
                1 => SetupState::Unrecorded,
                _ => match r.byte()? {
                    1 => SetupState::Open,
                    2 => SetupState::Closed,
                    3 => SetupState::Done,
                    _ => return Err(IntegrityError::Body),
                },
            },
        }),
        Kind::SETTING if record.key == SET_UP => {
            Entity::SetUp(SetUp { organization: r.id()?, user: r.id()?, at: r.time()? })
        }
        Kind::SESSION => read_session(r, record, status()?)?,
        _ => return Ok(None),
    }))
}

fn list<'a, T>(
    r: &mut Reader<'a>,
    mut item: impl FnMut(&mut Reader<'a>) -> Result<T, IntegrityError>,
) -> Result<Vec<T>, IntegrityError> {
    let count = r.count()?;
    (0..count).map(|_| item(r)).collect()
}

fn write_authorization(w: &mut Writer, authorization: &Authorization, credential: &Credential) {
    let has = |there: bool, bit| if there { bit } else { 0 };
    let keyed = credential.keyed();
    w.byte(
        has(authorization.created_by.is_some(), HAS_CREATOR)
            | has(authorization.rotated_from.is_some(), HAS_ROTATED)
            | has(authorization.expires_at.is_some(), HAS_EXPIRY)
            | has(authorization.revoked_at.is_some(), HAS_REVOKED)
            | has(keyed.is_some(), HAS_KEYED)
            | has(matches!(authorization.created_by, Some(Creator::User(_))), CREATOR_IS_USER)
            | has(matches!(credential, Credential::Native(..)), IS_NATIVE),
    );
    if let Some((key, hash)) = keyed {
        w.fixed(&key.0.to_be_bytes());
        // Without a foreign hash, the keyed hash is the unique key.
        if credential.foreign_hash().is_some() {
            w.fixed(&hash.0);
        }
    }
    let creator = authorization.created_by.map(|creator| match creator {
        Creator::Authorization(id) | Creator::User(id) => id,
    });
    let ids = [creator, authorization.rotated_from];
    ids.into_iter().flatten().for_each(|id| w.id(id));
    w.time(authorization.created_at);
    w.time(authorization.updated_at);
    let times = [authorization.expires_at, authorization.revoked_at];
    times.into_iter().flatten().for_each(|time| w.time(time));
    w.text(&authorization.description);
    write_permissions(w, &authorization.permissions);
}

fn read_authorization(
    r: &mut Reader<'_>,
    record: &Record,
    status: Status,
    sets: Option<&mut KnownSets>,
) -> Result<Entity, IntegrityError> {
    let columns = &record.columns;
    let has = r.byte()?;
    if has & !KNOWN != 0 || has & (HAS_CREATOR | CREATOR_IS_USER) == CREATOR_IS_USER {
        return Err(IntegrityError::Body);
    }
    let when = |bit, r: &mut Reader<'_>| (has & bit != 0).then(|| r.time()).transpose();
    let which = |bit, r: &mut Reader<'_>| (has & bit != 0).then(|| r.id()).transpose();
    let credential = read_credential(r, has & HAS_KEYED != 0, record.unique.as_deref())?;
    let credential = match credential {
        Credential::Keyed(key, hash) if has & IS_NATIVE != 0 => Credential::Native(key, hash),
        _ if has & IS_NATIVE != 0 => return Err(IntegrityError::Body),
        credential => credential,
    };
    let creator = match has & CREATOR_IS_USER {
        0 => Creator::Authorization,
        _ => Creator::User,
    };
    let created_by = which(HAS_CREATOR, r)?.map(creator);
    let rotated_from = which(HAS_ROTATED, r)?;
    let created_at = r.time()?;
    let updated_at = r.time()?;
    let expires_at = when(HAS_EXPIRY, r)?;
    let revoked_at = when(HAS_REVOKED, r)?;
    let authorization = Authorization {
        id: record.key.id,
        organization: columns.organization.ok_or(IntegrityError::Body)?,
        user: columns.user,
        created_by,
        origin: columns.origin.ok_or(IntegrityError::Body)?,
        rotated_from,
        description: r.text()?.into(),
        permissions: match sets {
            Some(sets) => sets.take(r, read_permissions).map(|()| Default::default())?,
            None => read_permissions(r)?,
        },
        status,
        expires_at,
        created_at,
        updated_at,
        revoked_at,
        last_used: None,
    };
    Ok(Entity::Authorization(authorization, credential))
}

fn read_credential(
    r: &mut Reader<'_>,
    keyed: bool,
    unique: Option<&[u8]>,
) -> Result<Credential, IntegrityError> {
    let (tag, digest) = unique.and_then(<[u8]>::split_first).ok_or(IntegrityError::Body)?;
    let body = |_| IntegrityError::Body;
    let foreign_hash = match *tag {
        UNIQUE_KEYED if keyed => {
            let key = KeyId(u32::from_be_bytes(r.array()?));
            let hash = TokenDigest(digest.try_into().map_err(body)?);
            return Ok(Credential::Keyed(key, hash));
        }
        UNIQUE_SHA256 => ForeignHash::Sha256(digest.try_into().map_err(body)?),
        UNIQUE_SHA512 => ForeignHash::Sha512(digest.try_into().map_err(body)?),
        _ => return Err(IntegrityError::Body),
    };
    if !keyed {
        return Ok(Credential::Foreign(foreign_hash));
    }
    let key = KeyId(u32::from_be_bytes(r.array()?));
    Ok(Credential::ForeignAndKeyed(foreign_hash, key, TokenDigest(r.array()?)))
}

/// Writes the distinct names and organizations of the permissions, then the permissions as indices
/// into these lists.
fn write_permissions(w: &mut Writer, permissions: &[Permission]) {
    let mut names: Vec<&str> = Vec::new();
    let mut organizations: Vec<Id> = Vec::new();
    let mut list = Writer::default();
    list.count(permissions.len());
    for Permission { action, resource } in permissions {
        list.count(place(&mut names, action.as_str()));
        list.count(place(&mut names, resource.kind.as_str()));
        let organization = resource.organization;
        list.count(organization.map_or(0, |id| 1 + place(&mut organizations, id)));
        match &resource.target {
            Target::Any => list.byte(0),
            Target::Id(id) => {
                list.byte(1);
                list.id(*id);
            }
            Target::Name(name) => {
                list.byte(2);
                list.text(name);
            }
        }
    }
    w.count(names.len());
    names.iter().for_each(|name| w.text(name));
    w.count(organizations.len());
    organizations.iter().for_each(|id| w.id(*id));
    w.fixed(&list.0);
}

fn place<T: PartialEq>(known: &mut Vec<T>, wanted: T) -> usize {
    known.iter().position(|one| *one == wanted).unwrap_or_else(|| {
        known.push(wanted);
        known.len() - 1
    })
}

fn read_permissions(r: &mut Reader<'_>) -> Result<PermissionSet, IntegrityError> {
    let mut names = Listed::new(list(r, |r| r.text())?);
    let mut organizations = Listed::new(list(r, |r| r.id())?);
    let permission = |r: &mut Reader<'_>| {
        let action = Action::new(names.nth(r.number()?)?).map_err(|_| IntegrityError::Body)?;
        let kind = ResourceType::new(names.nth(r.number()?)?).map_err(|_| IntegrityError::Body)?;
        let organization = match r.number()? {
            0 => None,
            number => Some(organizations.nth(number - 1)?),
        };
        let target = match r.byte()? {
            0 => Target::Any,
            1 => Target::Id(r.id()?),
            2 => Target::Name(r.text()?.into()),
            _ => return Err(IntegrityError::Body),
        };
        let resource = Resource { kind, organization, target };
        Ok(Permission { action, resource })
    };
    let permissions = list(r, permission)?;
    names.end()?;
    organizations.end()?;
    Ok(permissions.into())
}

/// A list that permissions refer to by index. Each item occurs once, in the order of its first use,
/// so that a set has exactly one encoding.
struct Listed<T> {
    items: Vec<T>,
    used: usize,
}

impl<T: Copy + PartialEq> Listed<T> {
    fn new(items: Vec<T>) -> Self {
        Self { items, used: 0 }
    }

    fn nth(&mut self, number: u64) -> Result<T, IntegrityError> {
        let at = usize::try_from(number).map_err(|_| IntegrityError::Body)?;
        let (used, _) = self.items.split_at_checked(self.used).unwrap_or_default();
        let item = *self.items.get(at).ok_or(IntegrityError::Body)?;
        if at > self.used || at == self.used && used.contains(&item) {
            return Err(IntegrityError::Body);
        }
        self.used = self.used.max(at + 1);
        Ok(item)
    }

    fn end(self) -> Result<(), IntegrityError> {
        let is_used = self.used == self.items.len();
        is_used.then_some(()).ok_or(IntegrityError::Body)
    }
}

fn write_user(w: &mut Writer, user: &User) {
    w.text(&user.name);
    w.byte(user.operator.into());
    w.count(user.memberships.len());
    for membership in &user.memberships {
        w.id(membership.organization);
        w.byte(match membership.role {
            Role::Owner => 1,
            Role::Member => 2,
        });
    }
    w.text(user.password_hash.as_ref().map_or("", PasswordHash::as_phc));
    w.time(user.created_at);
    w.time(user.updated_at);
}

fn read_user(r: &mut Reader<'_>, id: Id, status: Status) -> Result<User, IntegrityError> {
    let membership = |r: &mut Reader<'_>| {
        let organization = r.id()?;
        let role = match r.byte()? {
            1 => Role::Owner,
            2 => Role::Member,
            _ => return Err(IntegrityError::Body),
        };
        Ok(Membership { organization, role })
    };
    Ok(User {
        id,
        name: r.text()?.into(),
        status,
        operator: match r.byte()? {
            0 => false,
            1 => true,
            _ => return Err(IntegrityError::Body),
        },
        memberships: list(r, membership)?,
        password_hash: Some(r.text()?).filter(|phc| !phc.is_empty()).map(PasswordHash::from_phc),
        created_at: r.time()?,
        updated_at: r.time()?,
    })
}

const BY_USER: u8 = 1;
const BY_AUTHORIZATION: u8 = 2;

fn write_session(w: &mut Writer, session: &Session, SessionDigest { key, .. }: &SessionDigest) {
    w.fixed(&key.0.to_be_bytes());
    match (session.owner, session.password) {
        (SessionOwner::User(_), Some(PasswordFingerprint(mark))) => {
            w.byte(BY_USER);
            w.fixed(&mark);
        }
        (SessionOwner::Authorization(id), _) => {
            w.byte(BY_AUTHORIZATION);
            w.id(id);
        }
        // Every session of a user has a fingerprint.
        (SessionOwner::User(_), None) => w.byte(0),
    }
    w.time(session.created_at);
    w.time(session.expires_at);
    session.ended_at.iter().for_each(|time| w.time(*time));
}

fn read_session(
    r: &mut Reader<'_>,
    record: &Record,
    status: Status,
) -> Result<Entity, IntegrityError> {
    let unique = record.unique.as_deref();
    let Credential::Keyed(key, hash) = read_credential(r, true, unique)? else {
        return Err(IntegrityError::Body);
    };
    let (owner, password) = match (r.byte()?, record.columns.user) {
        (BY_USER, Some(user)) => (SessionOwner::User(user), Some(PasswordFingerprint(r.array()?))),
        (BY_AUTHORIZATION, None) => (SessionOwner::Authorization(r.id()?), None),
        _ => return Err(IntegrityError::Body),
    };
    let session = Session {
        id: record.key.id,
        owner,
        created_at: r.time()?,
        expires_at: r.time()?,
        ended_at: match status {
            Status::Active => None,
            Status::Revoked => Some(r.time()?),
            Status::Inactive => return Err(IntegrityError::Body),
        },
        password,
    };
    Ok(Entity::Session(session, SessionDigest { key, hash }))
}
