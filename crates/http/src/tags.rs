//! Groups of operations in the OpenAPI document.

pub(crate) const AUTHORIZATIONS: &str = "authorizations";
pub(crate) const BUCKETS: &str = "buckets";
pub(crate) const DATABASE_TOKENS: &str = "database tokens";
pub(crate) const ORGANIZATIONS: &str = "organizations";
pub(crate) const SESSIONS: &str = "sessions";
pub(crate) const SETUP: &str = "setup";
pub(crate) const SYSTEM: &str = "system";
pub(crate) const USERS: &str = "users";
