//! The named permission sets of InfluxDB (R21 in `docs/influxdb.md`).

use crate::permission::Permission;

/// The actions of InfluxDB.
pub const ACTIONS: [&str; 2] = ["read", "write"];

/// The resource types that InfluxDB's open-source server can grant, in its order: all of its types
/// but `instance`.
#[rustfmt::skip]
pub const TYPES: [&str; 22] = [
    "authorizations", "buckets", "dashboards", "orgs", "sources", "tasks", "telegrafs", "users",
    "variables", "scrapers", "secrets", "labels", "views", "documents", "notificationRules",
    "notificationEndpoints", "checks", "dbrp", "notebooks", "annotations", "remotes",
    "replications",
];

/// The resource types that only InfluxDB Cloud has.
pub const CLOUD_TYPES: [&str; 3] = ["flows", "functions", "subscriptions"];

/// Role of a user in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// May read and write everything in the organization.
    Owner,
    /// May read the organization.
    Member,
}

/// Returns the permissions of an operator: reading and writing every type in all organizations.
pub fn operator() -> Vec<Permission<'static>> {
    let both = |kind| ACTIONS.map(|action| Permission::new(action, kind));
    TYPES.into_iter().flat_map(both).collect()
}

/// Returns the permissions of an owner: those of an operator within the organization. Of the type
/// `orgs` this includes only the organization itself.
pub fn owner(organization: u64) -> Vec<Permission<'static>> {
    let scoped = |one: Permission<'static>| match one.kind {
        "orgs" => one.id(organization),
        _ => one.organization(organization),
    };
    operator().into_iter().map(scoped).collect()
}

/// Returns the permissions of a member: those of an owner to read.
pub fn member(organization: u64) -> Vec<Permission<'static>> {
    owner(organization).into_iter().filter(|one| one.action == "read").collect()
}

/// Returns the permissions of a role.
pub fn role(organization: u64, role: Role) -> Vec<Permission<'static>> {
    match role {
        Role::Owner => owner(organization),
        Role::Member => member(organization),
    }
}

/// Returns the permissions of every user: reading and writing itself.
pub fn me(user: u64) -> Vec<Permission<'static>> {
    ACTIONS.map(|action| Permission::new(action, "users").id(user)).into()
}

/// Returns *all access* to an organization: the permissions of an owner, but of the type `users`
/// only the given user.
pub fn all_access(organization: u64, user: Option<u64>) -> Vec<Permission<'static>> {
    let of_users = |one: Permission<'static>| match one.kind {
        "users" => user.map(|user| Permission::new(one.action, "users").id(user)),
        _ => Some(one),
    };
    owner(organization).into_iter().filter_map(of_users).collect()
}

/// Returns the permissions of a signed-in user that is not an operator: those on itself, and those
/// of its roles in active organizations (R44).
pub fn session(
    user: u64,
    memberships: impl IntoIterator<Item = (u64, Role)>,
) -> Vec<Permission<'static>> {
    let roles = memberships.into_iter().flat_map(|(organization, of)| role(organization, of));
    me(user).into_iter().chain(roles).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(all: &[Permission<'_>], kinds: &[&str]) -> Vec<String> {
        let named = all.iter().filter(|one| kinds.contains(&one.kind));
        named.map(ToString::to_string).collect()
    }

    #[test]
    fn an_operator_has_44_permissions_in_all_organizations() {
        let all = operator();
        assert_eq!(all.len(), 44);
        assert!(all.iter().all(|one| *one == Permission::new(one.action, one.kind)));
        assert!(all.iter().all(|one| one.kind != "instance"));
        assert_eq!(
            texts(&all, &["buckets", "orgs"]),
            ["read:buckets", "write:buckets", "read:orgs", "write:orgs"]
        );
    }

    #[test]
    fn an_owner_may_read_and_write_one_organization() {
        let all = owner(1);
        assert_eq!(all.len(), 44);
        assert_eq!(
            texts(&all, &["buckets", "orgs", "users"]),
            [
                "read:orgs/0000000000000001/buckets",
                "write:orgs/0000000000000001/buckets",
                "read:orgs/0000000000000001",
                "write:orgs/0000000000000001",
                "read:orgs/0000000000000001/users",
                "write:orgs/0000000000000001/users",
            ]
        );
    }

    #[test]
    fn a_member_may_only_read() {
        assert_eq!(member(1).len(), 22);
        assert_eq!(
            texts(&member(1), &["buckets", "orgs"]),
            ["read:orgs/0000000000000001/buckets", "read:orgs/0000000000000001"]
        );
    }

    #[test]
    fn all_access_includes_only_the_given_user() {
        assert_eq!(all_access(1, None).len(), 42);
        assert_eq!(all_access(1, Some(2)).len(), 44);
        assert_eq!(texts(&all_access(1, None), &["users"]), [""; 0]);
        assert_eq!(
            texts(&all_access(1, Some(2)), &["orgs", "users"]),
            [
                "read:orgs/0000000000000001",
                "write:orgs/0000000000000001",
                "read:users/0000000000000002",
                "write:users/0000000000000002",
            ]
        );
    }

    #[test]
    fn a_session_has_the_permissions_of_all_roles_and_of_the_user() {
        let all = session(9, [(1, Role::Owner), (2, Role::Member)]);
        assert_eq!(all.len(), 2 + 44 + 22);
        assert_eq!(
            texts(&all, &["users"])[..2],
            ["read:users/0000000000000009", "write:users/0000000000000009"]
        );
        assert!(all.contains(&Permission::new("write", "tasks").organization(1)));
        assert!(!all.contains(&Permission::new("write", "tasks").organization(2)));
        assert!(session(9, []) == me(9));
    }
}
