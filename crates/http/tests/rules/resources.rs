//! The records that a request can name: of the caller's organization, of another one, deleted ones,
//! and ones that never existed.

use symbolon::Id;

use crate::fixture::{Realm, World};

/// The place of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    /// Optional.
    Query,
    Body,
    OptionalBody,
}

impl Place {
    pub(crate) fn is_body(self) -> bool {
        matches!(self, Self::Body | Self::OptionalBody)
    }

    fn is_optional(self) -> bool {
        matches!(self, Self::Query | Self::OptionalBody)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Authorization,
    Token,
    DatabaseToken,
    User,
    UserName,
    Organization,
    OrganizationName,
    Bucket,
    BucketName,
    /// The id after which a list continues: that of an authorization in every list.
    After,
}

impl Kind {
    fn is_text(self) -> bool {
        matches!(
            self,
            Self::Token | Self::UserName | Self::OrganizationName | Self::BucketName
        )
    }
}

/// A parameter that names a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) place: Place,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// A record, or the lack of one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Thing<'w> {
    Absent,
    Of(&'w Realm),
    /// A deleted record of the caller's organization.
    Deleted,
    /// An authorization of a deleted user.
    Orphan,
    /// An authorization of a deleted organization.
    Stray,
    /// A record of the caller's organization that the other API created.
    OtherFace,
    Unknown,
    Malformed,
}

impl PartialEq for Thing<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Of(a), Self::Of(b)) => a.org == b.org,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Thing<'_> {
    fn realm(&self) -> Option<&Realm> {
        match self {
            Self::Of(realm) => Some(realm),
            _ => None,
        }
    }

    /// Returns organization and id if the record exists, as do the next three.
    pub(crate) fn authorization(&self) -> Option<(Id, Id)> {
        self.realm().map(|one| (one.org, one.authorization))
    }

    pub(crate) fn bucket(&self) -> Option<(Id, Id)> {
        self.realm().map(|one| (one.org, one.bucket))
    }

    /// An organization belongs to itself.
    pub(crate) fn organization(&self) -> Option<(Id, Id)> {
        self.realm().map(|one| (one.org, one.org))
    }

    pub(crate) fn user(&self) -> Option<Id> {
        self.realm().map(|one| one.user)
    }

    /// Returns the id of an organization that the request names, whether or not it exists.
    pub(crate) fn org(&self, world: &World) -> Option<Id> {
        match self {
            Self::Of(realm) => Some(realm.org),
            Self::Deleted => Some(world.deleted.org),
            Self::Unknown => Some(unknown(Kind::Organization)),
            _ => None,
        }
    }

    /// Returns the id of a user that the request names, whether or not it exists.
    pub(crate) fn any_user(&self, world: &World) -> Option<Id> {
        match self {
            Self::Of(realm) => Some(realm.user),
            Self::Deleted => Some(world.deleted.user),
            Self::Unknown => Some(unknown(Kind::User)),
            _ => None,
        }
    }

    /// Returns the id of a database token that the request names, whether or not it exists.
    pub(crate) fn spelled_id(&self, world: &World) -> Option<Id> {
        match self {
            Self::Of(realm) => Some(realm.database_token),
            Self::Deleted => Some(world.deleted.database_token),
            Self::OtherFace => Some(world.own.authorization),
            Self::Unknown => Some(unknown(Kind::DatabaseToken)),
            _ => None,
        }
    }
}

/// Returns an id that no record has.
fn unknown(kind: Kind) -> Id {
    Id::new(0x0fed_cba9_8765_4321 + kind as u64).unwrap()
}

/// A slot with the record that it names.
#[derive(Debug, Clone)]
pub(crate) struct Filled<'w> {
    pub(crate) slot: Slot,
    pub(crate) thing: Thing<'w>,
    pub(crate) text: String,
}

impl Slot {
    /// Returns every record that the slot can name.
    pub(crate) fn things<'w>(&self, world: &'w World) -> Vec<Thing<'w>> {
        let mut all = vec![
            Thing::Of(&world.own),
            Thing::Of(&world.other),
            Thing::Unknown,
            Thing::Deleted,
        ];
        if self.kind == Kind::Authorization {
            all.extend([Thing::Orphan, Thing::Stray]);
        }
        if matches!(self.kind, Kind::Authorization | Kind::DatabaseToken) {
            all.push(Thing::OtherFace);
        }
        if !self.kind.is_text() {
            all.push(Thing::Malformed);
        }
        if self.place.is_optional() {
            all.push(Thing::Absent);
        }
        all
    }

    /// Returns the record that the slot names while another slot is varied.
    pub(crate) fn usual<'w>(&self, world: &'w World) -> Thing<'w> {
        if self.place.is_optional() {
            Thing::Absent
        } else {
            Thing::Of(&world.own)
        }
    }

    pub(crate) fn fill<'w>(self, thing: Thing<'w>, world: &World) -> Filled<'w> {
        let text = match thing {
            Thing::Absent => String::new(),
            Thing::Malformed if self.kind == Kind::DatabaseToken => "no-uuid".to_owned(),
            Thing::Malformed => "00000000000000zz".to_owned(),
            Thing::Of(realm) => self.of(realm),
            Thing::Deleted => self.of(&world.deleted),
            Thing::Orphan => world.orphan.to_string(),
            Thing::Stray => world.stray.to_string(),
            Thing::OtherFace => match self.kind {
                Kind::DatabaseToken => world.own.authorization.to_uuid().to_string(),
                _ => world.own.database_token.to_string(),
            },
            Thing::Unknown => self.unknown(),
        };
        Filled {
            slot: self,
            thing,
            text,
        }
    }

    fn of(&self, realm: &Realm) -> String {
        match self.kind {
            Kind::Authorization | Kind::After => realm.authorization.to_string(),
            Kind::Token => realm.token.clone(),
            Kind::DatabaseToken => realm.database_token.to_uuid().to_string(),
            Kind::User => realm.user.to_string(),
            Kind::UserName => realm.user_name.clone(),
            Kind::Organization => realm.org.to_string(),
            Kind::OrganizationName => realm.org_name.clone(),
            Kind::Bucket => realm.bucket.to_string(),
            Kind::BucketName => realm.bucket_name.clone(),
        }
    }

    /// Returns a text of the same length as that of an existing record.
    fn unknown(&self) -> String {
        match self.kind {
            Kind::Token => {
                let other = symbolon::Token::generate(symbolon::Prefix::default(), Id::MAX);
                other.unwrap().reveal().to_owned()
            }
            Kind::UserName => "user-x".to_owned(),
            Kind::OrganizationName => "organization-x".to_owned(),
            Kind::BucketName => "bucket-x".to_owned(),
            Kind::DatabaseToken => unknown(self.kind).to_uuid().to_string(),
            kind => unknown(kind).to_string(),
        }
    }
}
