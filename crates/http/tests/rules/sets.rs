//! The named sets of B3, written once more.

use symbolon::{Action, Id, Permission, ResourceType, Role, Schema};

pub(crate) fn permissions(texts: &[String]) -> Vec<Permission> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// What B3 calls *all access*.
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

/// Operator: read and write on all types but `instance`, unscoped, 44 entries (B3).
pub(crate) fn operator() -> Vec<Permission> {
    let all = Schema::influxdb_operator();
    assert_eq!(all.len(), 44);
    assert!(all.iter().all(|one| one.resource.organization.is_none()));
    all
}

/// Owner(org) and Me(user), or of the former only what is read.
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
