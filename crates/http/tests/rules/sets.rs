//! The named permission sets of InfluxDB, from the oracle.

use symbolon::{Id, Permission, Role};
use symbolon_oracle as oracle;
use symbolon_oracle::roles;

use crate::reference::to_oracle_role;

/// Parses text forms of permissions.
pub(crate) fn permissions<T: AsRef<str>>(texts: &[T]) -> Vec<Permission> {
    let parsed = texts.iter().map(|text| text.as_ref().parse());
    parsed.map(Result::unwrap).collect()
}

fn from_oracle(all: &[oracle::Permission<'_>]) -> Vec<Permission> {
    permissions(&all.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// Returns the permissions of an operator.
pub(crate) fn operator() -> Vec<Permission> {
    from_oracle(&roles::operator())
}

/// Returns *all access* to one organization and to the user's own record.
pub(crate) fn all_access(org: Id, user: Id) -> Vec<Permission> {
    from_oracle(&roles::all_access(org.number(), Some(user.number())))
}

/// Returns the permissions of a role.
pub(crate) fn role(org: Id, role: Role) -> Vec<Permission> {
    from_oracle(&roles::role(org.number(), to_oracle_role(role)))
}

/// Returns the permissions of a session of a user with one role.
pub(crate) fn session(org: Id, user: Id, role: Role) -> Vec<Permission> {
    let membership = (org.number(), to_oracle_role(role));
    from_oracle(&roles::session(user.number(), [membership]))
}
