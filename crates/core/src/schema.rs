//! Schemas: the actions and resource types of an embedder.

use crate::authorization::Origin;
use crate::id::Id;
use crate::name::MAX_LABEL;
use crate::permission::name_codes::INFLUXDB_TYPES;
use crate::permission::{Action, Permission, ResourceType, Target};

/// The actions and resource types of one server.
///
/// ```
/// use symbolon::{Action, ResourceType, Schema};
///
/// const TABLES: ResourceType = match ResourceType::new("tables") {
///     Ok(kind) => kind,
///     Err(_) => panic!(),
/// };
/// let schema = Schema::new([Action::READ, Action::WRITE]).by_id(TABLES);
/// assert!(schema.resource_types().any(|kind| kind == TABLES));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Schema {
    actions: Vec<Action>,
    types: Vec<(ResourceType, Match)>,
    empty: Vec<Origin>,
}

/// The way in which resources of a type are identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Id,
    Name,
    /// The type exists but can never be granted.
    Never,
}

/// The reason why a permission does not fit a [`Schema`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The set of permissions is empty.
    #[error("authorization must include permissions")]
    Empty,
    /// The schema does not have this action.
    #[error("unknown action `{action}`; expected one of {known}")]
    UnknownAction {
        /// The requested action.
        action: Action,
        /// Actions of the schema, comma-separated.
        known: String,
    },
    /// The schema does not have this resource type.
    #[error("unknown resource type `{kind}`; expected one of {known}")]
    UnknownType {
        /// The requested type.
        kind: ResourceType,
        /// Types of the schema, comma-separated.
        known: String,
    },
    /// The type exists but cannot be granted.
    #[error("resource type `{0}` cannot be granted")]
    NotGranted(ResourceType),
    /// The resources of this type have ids and a name was given, or the other way round.
    #[error("a resource of type `{kind}` is identified by its {by}")]
    WrongTarget {
        /// The type.
        kind: ResourceType,
        /// `id` or `name`.
        by: &'static str,
    },
    /// The name of a resource is empty, too long, `*`, or contains control characters.
    #[error("a resource name is 1 to 255 bytes without control characters, and not `*`")]
    Name,
}

/// Number of resource types that an operator has permissions on: those of InfluxDB OSS except
/// `instance`.
const OPERATOR_TYPES: usize = 22;

impl Schema {
    /// Creates a schema with these actions and no resource types.
    pub fn new(actions: impl IntoIterator<Item = Action>) -> Self {
        Self { actions: actions.into_iter().collect(), ..Self::default() }
    }

    /// Adds a resource type whose resources are identified by id.
    #[must_use]
    pub fn by_id(mut self, kind: ResourceType) -> Self {
        self.types.push((kind, Match::Id));
        self
    }

    /// Adds a resource type whose resources are identified by a name that is unique in their
    /// organization.
    #[must_use]
    pub fn by_name(mut self, kind: ResourceType) -> Self {
        self.types.push((kind, Match::Name));
        self
    }

    /// Allows authorizations of `origin` to have no permissions.
    #[must_use]
    pub fn allow_empty(mut self, origin: Origin) -> Self {
        self.empty.push(origin);
        self
    }

    /// Returns the union of both schemas.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for action in other.actions {
            if !self.actions.contains(&action) {
                self.actions.push(action);
            }
        }
        for (kind, by) in other.types {
            if !self.types.iter().any(|(known, _)| *known == kind) {
                self.types.push((kind, by));
            }
        }
        self.empty.extend(other.empty);
        self
    }

    /// Returns the schema of InfluxDB v2: `read` and `write` on its 26 resource types, of which
    /// `instance` cannot be granted.
    ///
    /// The names are those of `influxdb/v2/authz.go`.
    pub fn influxdb_v2() -> Self {
        let types = INFLUXDB_TYPES.iter().filter_map(|name| {
            let kind = ResourceType::new(name).ok()?;
            let by = if kind == ResourceType::INSTANCE { Match::Never } else { Match::Id };
            Some((kind, by))
        });
        Self { types: types.collect(), ..Self::new([Action::READ, Action::WRITE]) }
    }

    /// Returns a schema for databases by name, as in InfluxDB 3 Clustered: `read` and `write` on
    /// `databases`. Tokens without permissions are allowed.
    pub fn databases() -> Self {
        Self::new([Action::READ, Action::WRITE])
            .by_name(ResourceType::DATABASES)
            .allow_empty(Origin::V0)
    }

    /// Returns the actions, in their order.
    pub fn actions(&self) -> impl Iterator<Item = Action> {
        self.actions.iter().copied()
    }

    /// Returns the resource types, in their order.
    pub fn resource_types(&self) -> impl Iterator<Item = ResourceType> {
        self.types.iter().map(|(kind, _)| *kind)
    }

    /// Returns permissions for every action on every resource type that can be granted, in all
    /// organizations.
    pub fn everything(&self) -> Vec<Permission> {
        let granted = self.types.iter().filter(|(_, by)| *by != Match::Never);
        let each = |(kind, _): &(ResourceType, Match)| {
            let kind = *kind;
            self.actions().map(move |action| Permission::new(action, kind))
        };
        granted.flat_map(each).collect()
    }

    /// Returns the permissions of an operator in InfluxDB: `read` and `write` on the 22 types of
    /// its open-source edition, in all organizations.
    pub fn influxdb_operator() -> Vec<Permission> {
        let kinds = INFLUXDB_TYPES.iter().take(OPERATOR_TYPES);
        let kinds = kinds.filter_map(|name| ResourceType::new(name).ok());
        let both = |kind| [Action::READ, Action::WRITE].map(|action| Permission::new(action, kind));
        kinds.flat_map(both).collect()
    }

    /// Returns InfluxDB's *all access* to an organization: `read` and `write` on the 22 types of
    /// its open-source edition within it. Of the type `orgs` this includes only the organization
    /// itself, of `users` only the given user.
    pub fn influxdb_all_access(organization: Id, user: Option<Id>) -> Vec<Permission> {
        let scoped = |one: Permission| match one.resource.kind {
            ResourceType::ORGANIZATIONS => Some(one.id(organization)),
            ResourceType::USERS => user.map(|user| one.id(user)),
            _ => Some(one.organization(organization)),
        };
        let all = Self::influxdb_operator().into_iter();
        all.filter_map(scoped).collect()
    }

    /// Returns the permissions of an organization owner in InfluxDB: `read` and `write` on the 22
    /// types of its open-source edition within the organization. Of the type `orgs` this includes
    /// only the organization itself.
    pub fn influxdb_owner(organization: Id) -> Vec<Permission> {
        let scoped = |one: Permission| match one.resource.kind {
            ResourceType::ORGANIZATIONS => one.id(organization),
            _ => one.organization(organization),
        };
        let all = Self::influxdb_operator().into_iter();
        all.map(scoped).collect()
    }

    /// Returns the permissions of an organization member in InfluxDB: all `read` permissions of an
    /// owner.
    pub fn influxdb_member(organization: Id) -> Vec<Permission> {
        let mut all = Self::influxdb_owner(organization);
        all.retain(|one| one.action == Action::READ);
        all
    }

    /// Returns the permissions of every user in InfluxDB: `read` and `write` on itself.
    pub fn influxdb_me(user: Id) -> Vec<Permission> {
        let itself = |action| Permission::new(action, ResourceType::USERS).id(user);
        [Action::READ, Action::WRITE].map(itself).into()
    }

    /// Checks that an authorization of `origin` can have these permissions.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] for the first permission that does not fit.
    pub fn check(&self, origin: Origin, permissions: &[Permission]) -> Result<(), SchemaError> {
        if permissions.is_empty() && !self.empty.contains(&origin) {
            return Err(SchemaError::Empty);
        }
        permissions.iter().try_for_each(|one| self.check_one(one))
    }

    /// Checks that a request can ask for `action` on `kind`.
    ///
    /// # Errors
    ///
    /// [`SchemaError::UnknownType`] or [`SchemaError::UnknownAction`].
    pub fn check_request(&self, action: Action, kind: ResourceType) -> Result<(), SchemaError> {
        self.known_type(kind)?;
        self.known_action(action)
    }

    /// Returns `true` if resources of `kind` are identified by name rather than by id.
    pub fn is_by_name(&self, kind: ResourceType) -> bool {
        self.types.contains(&(kind, Match::Name))
    }

    fn check_one(&self, permission: &Permission) -> Result<(), SchemaError> {
        let kind = permission.resource.kind;
        let by = self.known_type(kind)?;
        self.known_action(permission.action)?;
        match (by, &permission.resource.target) {
            (Match::Never, _) => Err(SchemaError::NotGranted(kind)),
            (_, Target::Any) | (Match::Id, Target::Id(_)) => Ok(()),
            (Match::Name, Target::Name(name)) => {
                let fits = (1..=MAX_LABEL).contains(&name.len());
                let plain = !name.chars().any(char::is_control) && **name != *"*";
                (fits && plain).then_some(()).ok_or(SchemaError::Name)
            }
            (Match::Id, Target::Name(_)) => Err(SchemaError::WrongTarget { kind, by: "id" }),
            (Match::Name, Target::Id(_)) => Err(SchemaError::WrongTarget { kind, by: "name" }),
        }
    }

    fn known_type(&self, kind: ResourceType) -> Result<Match, SchemaError> {
        let found = self.types.iter().find(|(known, _)| *known == kind);
        found
            .map(|(_, by)| *by)
            .ok_or_else(|| SchemaError::UnknownType { kind, known: list(self.resource_types()) })
    }

    fn known_action(&self, action: Action) -> Result<(), SchemaError> {
        if self.actions.contains(&action) {
            return Ok(());
        }
        let known = list(self.actions());
        Err(SchemaError::UnknownAction { action, known })
    }
}

fn list(names: impl Iterator<Item = impl ToString>) -> String {
    names.map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_oracle::{Role, roles};

    fn check(origin: Origin, permissions: &[&str]) -> Result<(), SchemaError> {
        let schema = Schema::influxdb_v2().and(Schema::databases());
        let permissions: Vec<_> = permissions.iter().map(|text| text.parse().unwrap()).collect();
        schema.check(origin, &permissions)
    }

    #[test]
    fn the_presets_match_influxdb() {
        assert_eq!(Schema::influxdb_operator().len(), 44);
        assert_eq!(Schema::influxdb_v2().resource_types().count(), 26);
        assert_eq!(Schema::influxdb_v2().everything().len(), 50);
        assert_eq!(
            check(Origin::V2, &["read:buckets", "write:orgs/0000000000000001/databases/x"]),
            Ok(())
        );
    }

    #[test]
    fn the_presets_equal_those_of_the_oracle() {
        fn texts<T: ToString>(all: impl IntoIterator<Item = T>) -> Vec<String> {
            all.into_iter().map(|one| one.to_string()).collect()
        }
        let (organization, user) = (Id::new(5).unwrap(), Id::new(7).unwrap());
        for (preset, expected) in [
            (Schema::influxdb_operator(), roles::operator()),
            (Schema::influxdb_owner(organization), roles::role(5, Role::Owner)),
            (Schema::influxdb_member(organization), roles::role(5, Role::Member)),
            (Schema::influxdb_me(user), roles::me(7)),
            (Schema::influxdb_all_access(organization, Some(user)), roles::all_access(5, Some(7))),
            (Schema::influxdb_all_access(organization, None), roles::all_access(5, None)),
        ] {
            assert_eq!(texts(preset), texts(expected));
        }
    }

    #[test]
    fn unknown_words_and_wrong_targets_are_rejected() {
        assert_eq!(check(Origin::V2, &[]), Err(SchemaError::Empty));
        assert_eq!(check(Origin::Embedder, &[]), Err(SchemaError::Empty));
        assert_eq!(check(Origin::V0, &[]), Ok(()));
        assert_eq!(
            check(Origin::V2, &["read:instance"]),
            Err(SchemaError::NotGranted(ResourceType::INSTANCE))
        );
        let unknown = |text| check(Origin::V2, &[text]).unwrap_err().to_string();
        assert!(
            unknown("read:tables")
                .starts_with("unknown resource type `tables`; expected one of auth")
        );
        assert_eq!(unknown("drop:buckets"), "unknown action `drop`; expected one of read, write");
        let named = Permission::new(Action::READ, ResourceType::BUCKETS).name("x");
        let schema = Schema::influxdb_v2();
        assert!(matches!(
            schema.check(Origin::V2, &[named]),
            Err(SchemaError::WrongTarget { by: "id", .. })
        ));
        let long = Permission::new(Action::READ, ResourceType::DATABASES).name(&"x".repeat(256));
        assert_eq!(Schema::databases().check(Origin::V0, &[long]), Err(SchemaError::Name));
    }
}
