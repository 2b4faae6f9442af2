//! Printed form of an authorization, without its token.

use serde::Serialize;
use symbolon::{
    AdminError, Authorization, Clock, Id, Names, Permission, Status, SystemClock, Timestamp,
};

use crate::table::Row;

/// An authorization in the form of InfluxDB's replies. The JSON always has the same keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthorizationOutput {
    id: Id,
    description: String,
    status: Status,
    #[serde(rename = "orgID")]
    org_id: Id,
    org: Option<String>,
    #[serde(rename = "userID")]
    user_id: Option<Id>,
    user: Option<String>,
    permissions: Vec<Permission>,
    created_at: Timestamp,
    updated_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    rotated_from: Option<Id>,
    last_used_at: Option<Timestamp>,
}

impl AuthorizationOutput {
    pub(super) fn new(one: Authorization, names: &mut Names) -> Result<Self, AdminError> {
        let user = match one.user {
            Some(user) => names.user(user)?.map(str::to_owned),
            None => None,
        };
        Ok(Self {
            org: names.organization(one.organization)?.map(str::to_owned),
            user,
            ..Self::nameless(one)
        })
    }

    /// Converts an authorization without looking up the names of its owners.
    pub(super) fn nameless(one: Authorization) -> Self {
        Self {
            id: one.id,
            description: one.description,
            status: one.status,
            org_id: one.organization,
            org: None,
            user_id: one.user,
            user: None,
            permissions: one.permissions.to_vec(),
            created_at: one.created_at,
            updated_at: one.updated_at,
            expires_at: one.expires_at,
            revoked_at: one.revoked_at,
            rotated_from: one.rotated_from,
            last_used_at: one.last_used.map(Timestamp::from),
        }
    }

    /// Returns the lines of the text form: label and value.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let with = |id: Id, text: Option<&str>| format!("{id}  {}", text.unwrap_or_default());
        let mut lines = vec![
            ("Authorization", with(self.id, Some(&self.description))),
            ("Organization", with(self.org_id, self.org.as_deref())),
        ];
        if let Some(user) = self.user_id {
            lines.push(("User", with(user, self.user.as_deref())));
        }
        if self.status != Status::Active {
            lines.push(("Status", self.state().to_owned()));
        }
        if let Some(end) = self.expires_at {
            lines.push(("Expires", end.to_string()));
        }
        for (at, permission) in self.permissions.iter().enumerate() {
            let name = if at == 0 { "Permissions" } else { "" };
            lines.push((name, permission.to_string()));
        }
        lines
    }

    /// Returns the status, or `expired` for an active authorization that has expired.
    fn state(&self) -> &'static str {
        let now = SystemClock::default().now();
        match (self.status, self.expires_at) {
            (Status::Active, Some(end)) if end <= now => "expired",
            (status, _) => status.as_str(),
        }
    }
}

impl Row for AuthorizationOutput {
    const HEADER: &[&str] = &["ID", "Description", "Status", "User Name", "User ID", "Permissions"];

    fn cells(&self) -> Vec<String> {
        self.cells_with(self.permissions.len())
    }

    fn short_cells(&self) -> Vec<String> {
        self.cells_with(1)
    }
}

impl AuthorizationOutput {
    /// Returns the cells with at most `most` permissions.
    fn cells_with(&self, most: usize) -> Vec<String> {
        let permissions = self.permissions.iter().take(most);
        let mut permissions: Vec<String> = permissions.map(ToString::to_string).collect();
        if let more @ 1.. = self.permissions.len().saturating_sub(most) {
            permissions.push(format!("and {more} more"));
        }
        vec![
            self.id.to_string(),
            self.description.clone(),
            self.state().to_owned(),
            self.user.clone().unwrap_or_default(),
            self.user_id.map(|id| id.to_string()).unwrap_or_default(),
            format!("[{}]", permissions.join(" ")),
        ]
    }
}
