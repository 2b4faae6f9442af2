//! The named permission sets of InfluxDB, implemented independently of the product.

use symbolon::{Action, Id, Permission, ResourceType, Role, Schema};

pub(crate) fn permissions<T: AsRef<str>>(texts: &[T]) -> Vec<Permission> {
    let parsed = texts.iter().map(|text| text.as_ref().parse());
    parsed.map(Result::unwrap).collect()
}

/// Returns InfluxDB's *all access*: one organization and the user's own record.
pub(crate) fn all_access(org: Id, user: Id) -> Vec<Permission> {
    let mut all = permissions(&[
        format!("read:orgs/{org}"),
        format!("read:users/{user}"),
        format!("write:users/{user}"),
    ]);
    let kinds = Schema::influxdb_operator().into_iter();
    let others = kinds.filter(|one| {
        ![ResourceType::ORGANIZATIONS, ResourceType::USERS].contains(&one.resource.kind)
    });
    all.extend(others.map(|one| one.organization(org)));
    all
}

/// Returns the operator's set: 44 entries without a scope, on every type but `instance`.
pub(crate) fn operator() -> Vec<Permission> {
    let all = Schema::influxdb_operator();
    assert_eq!(all.len(), 44);
    assert!(all.iter().all(|one| one.resource.organization.is_none()));
    all
}

/// Returns the permissions of a session: those of the role, and of the user on its own record.
pub(crate) fn session(org: Id, user: Id, role: Role) -> Vec<Permission> {
    let scoped = |one: Permission| match one.resource.kind {
        ResourceType::ORGANIZATIONS => one.id(org),
        _ => one.organization(org),
    };
    let all = operator().into_iter().map(scoped);
    let mut all: Vec<_> = all
        .filter(|one| role == Role::Owner || one.action == Action::READ)
        .collect();
    all.extend(permissions(&[
        format!("read:users/{user}"),
        format!("write:users/{user}"),
    ]));
    all
}
