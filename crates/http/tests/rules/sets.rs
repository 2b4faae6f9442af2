//! The named permission sets of InfluxDB, implemented independently of the product.

use symbolon::{Action, Id, Permission, ResourceType, Role, Schema};

pub(crate) fn permissions<T: AsRef<str>>(texts: &[T]) -> Vec<Permission> {
    let parsed = texts.iter().map(|text| text.as_ref().parse());
    parsed.map(Result::unwrap).collect()
}

/// Returns InfluxDB's *all access*: one organization and the user's own record.
pub(crate) fn all_access(org: Id, user: Id) -> Vec<Permission> {
    let unscoped = [ResourceType::ORGANIZATIONS, ResourceType::USERS];
    let all = operator().into_iter();
    let others = all.filter(|one| !unscoped.contains(&one.resource.kind));
    let others = others.map(|one| one.organization(org));
    let own = permissions(&[format!("read:orgs/{org}")]).into_iter();
    own.chain(own_record(user)).chain(others).collect()
}

/// Returns the operator's set: 44 entries without a scope, on every type but `instance`.
pub(crate) fn operator() -> Vec<Permission> {
    let all = Schema::influxdb_operator();
    assert_eq!(all.len(), 44);
    assert!(all.iter().all(|one| one.resource.organization.is_none()));
    all
}

/// Returns the permissions of a role: reading every type of InfluxDB in the organization, and for
/// an owner writing them.
pub(crate) fn role(org: Id, role: Role) -> impl Iterator<Item = Permission> {
    let all = operator().into_iter().map(move |one| match one.resource.kind {
        ResourceType::ORGANIZATIONS => one.id(org),
        _ => one.organization(org),
    });
    all.filter(move |one| role == Role::Owner || one.action == Action::READ)
}

fn own_record(user: Id) -> Vec<Permission> {
    permissions(&[format!("read:users/{user}"), format!("write:users/{user}")])
}

/// Returns the permissions of a session: those of the role, and of the user on its own record.
pub(crate) fn session(org: Id, user: Id, of: Role) -> Vec<Permission> {
    role(org, of).chain(own_record(user)).collect()
}
