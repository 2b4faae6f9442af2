//! The records that a request can name: of the caller's organization, of another one, deleted ones,
//! and ones that never existed.

use symbolon::{Id, ResourceType};

use crate::fixture::World;

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

/// A parameter that names a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) place: Place,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// One record of each kind, all in one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Realm {
    pub(crate) org: Id,
    pub(crate) user: Id,
    pub(crate) authorization: Id,
    pub(crate) token: String,
    pub(crate) database_token: Id,
    pub(crate) bucket: Id,
    /// Distinguishes the names of realms, which have the same length.
    pub(crate) letter: char,
}

impl Realm {
    fn id(&self, kind: Kind) -> Id {
        match kind {
            Kind::Authorization | Kind::Token | Kind::After => self.authorization,
            Kind::DatabaseToken => self.database_token,
            Kind::User | Kind::UserName => self.user,
            Kind::Organization | Kind::OrganizationName => self.org,
            Kind::Bucket | Kind::BucketName => self.bucket,
        }
    }

    /// Returns how a request names the record.
    pub(crate) fn text(&self, kind: Kind) -> String {
        match kind {
            Kind::Token => self.token.clone(),
            Kind::DatabaseToken => self.database_token.to_uuid().to_string(),
            Kind::UserName => format!("user-{}", self.letter),
            Kind::OrganizationName => format!("organization-{}", self.letter),
            Kind::BucketName => format!("bucket-{}", self.letter),
            kind => self.id(kind).to_string(),
        }
    }
}

/// A record, or the lack of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A slot with the record that it names.
#[derive(Debug, Clone)]
pub(crate) struct Filled<'w> {
    pub(crate) slot: Slot,
    pub(crate) thing: Thing<'w>,
    pub(crate) text: String,
}

impl Filled<'_> {
    /// Returns the id of the record if it exists.
    pub(crate) fn id(&self) -> Option<Id> {
        self.at().map(|(_, id)| id)
    }

    /// Returns organization and id of the record if it exists. An organization belongs to itself.
    pub(crate) fn at(&self) -> Option<(Id, Id)> {
        match self.thing {
            Thing::Of(realm) => Some((realm.org, realm.id(self.slot.kind))),
            _ => None,
        }
    }

    /// Returns the id that the request names, whether or not the record exists.
    pub(crate) fn spelled_id(&self, world: &World) -> Option<Id> {
        let kind = self.slot.kind;
        match self.thing {
            Thing::Of(realm) => Some(realm.id(kind)),
            Thing::Deleted => Some(world.deleted.id(kind)),
            Thing::Unknown => Some(world.unknown.id(kind)),
            Thing::OtherFace => Some(world.own.authorization),
            _ => None,
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        self.thing == Thing::Absent
    }

    /// Returns the type of the record in permissions.
    pub(crate) fn resource_type(&self) -> ResourceType {
        match self.slot.kind {
            Kind::User | Kind::UserName => ResourceType::USERS,
            Kind::Organization | Kind::OrganizationName => ResourceType::ORGANIZATIONS,
            Kind::Bucket | Kind::BucketName => ResourceType::BUCKETS,
            _ => ResourceType::AUTHORIZATIONS,
        }
    }
}

impl Slot {
    /// Returns every record that the slot can name.
    pub(crate) fn things<'w>(&self, world: &'w World) -> Vec<Thing<'w>> {
        use Kind::{Authorization, BucketName, DatabaseToken, OrganizationName, Token, UserName};
        let (own, other) = (Thing::Of(&world.own), Thing::Of(&world.other));
        let mut all = vec![own, other, Thing::Unknown, Thing::Deleted];
        if self.kind == Authorization {
            all.extend([Thing::Orphan, Thing::Stray]);
        }
        if matches!(self.kind, Authorization | DatabaseToken) {
            all.push(Thing::OtherFace);
        }
        if !matches!(self.kind, Token | UserName | OrganizationName | BucketName) {
            all.push(Thing::Malformed);
        }
        if self.place.is_optional() {
            all.push(Thing::Absent);
        }
        all
    }

    /// Returns the record that the slot names while another slot is varied.
    pub(crate) fn usual<'w>(&self, world: &'w World) -> Thing<'w> {
        let usual = Some(Thing::Of(&world.own)).filter(|_| !self.place.is_optional());
        usual.unwrap_or(Thing::Absent)
    }

    pub(crate) fn fill<'w>(self, thing: Thing<'w>, world: &World) -> Filled<'w> {
        let of_database = self.kind == Kind::DatabaseToken;
        let text = match thing {
            Thing::Absent => String::new(),
            Thing::Malformed if of_database => "no-uuid".to_owned(),
            Thing::Malformed => "00000000000000zz".to_owned(),
            Thing::Of(realm) => realm.text(self.kind),
            Thing::Deleted => world.deleted.text(self.kind),
            Thing::Unknown => world.unknown.text(self.kind),
            Thing::Orphan => world.orphan.to_string(),
            Thing::Stray => world.stray.to_string(),
            Thing::OtherFace if of_database => world.own.authorization.to_uuid().to_string(),
            Thing::OtherFace => world.own.database_token.to_string(),
        };
        Filled { slot: self, thing, text }
    }
}
