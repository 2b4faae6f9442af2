//! What a corpus holds, counted: `summary.json` and the lines printed at the end.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::category::Category;
use super::requests::Line;
use super::text::TextKind;
use super::world::World;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    pub(super) seed: u64,
    pub(super) orgs: usize,
    pub(super) users: usize,
    pub(super) authorizations: u32,
    pub(super) requests: u64,
    /// `allow` and each reason to refuse.
    pub(super) by_reason: BTreeMap<&'static str, u64>,
    pub(super) by_category: BTreeMap<&'static str, u64>,
    /// Requests whose token is in the store, by the kind of its text.
    pub(super) by_known_text: BTreeMap<TextKind, u64>,
}

impl Summary {
    pub(super) fn new(world: &World) -> Self {
        Self {
            seed: world.seed,
            orgs: world.orgs.len(),
            users: world.users.len(),
            authorizations: world.authorizations,
            requests: 0,
            by_reason: BTreeMap::new(),
            by_category: Category::TABLE
                .iter()
                .map(|&(_, name, _)| (name, 0))
                .collect(),
            by_known_text: TextKind::ALL.into_iter().map(|kind| (kind, 0)).collect(),
        }
    }

    pub(super) fn count(&mut self, line: &Line) {
        self.requests += 1;
        let reason = line
            .decision
            .reason()
            .map_or("allow", |reason| reason.name());
        *self.by_reason.entry(reason).or_default() += 1;
        *self.by_category.entry(line.category).or_default() += 1;
        if let Some(kind) = line.known {
            *self.by_known_text.entry(kind).or_default() += 1;
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "authorizations={} orgs={} users={} requests={}",
            self.authorizations, self.orgs, self.users, self.requests
        )?;
        for (reason, count) in &self.by_reason {
            write!(f, " {reason}={count}")?;
        }
        Ok(())
    }
}
