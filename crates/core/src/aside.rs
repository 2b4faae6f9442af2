//! What the index knows of an authorization beside its record.

use crate::id::Id;
use crate::index::{Found, Half, Handle, Start, View};
use crate::shared::Shared;
use crate::time::Minute;
use crate::token::Credential;

/// What the index knows of an authorization beside its record.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Aside {
    pub(crate) last_used: Option<Minute>,
    pub(crate) has_deleted_owner: bool,
}

impl Aside {
    fn or(self, other: Self) -> Self {
        Self {
            last_used: self.last_used.max(other.last_used),
            has_deleted_owner: self.has_deleted_owner || other.has_deleted_owner,
        }
    }
}

impl Shared {
    /// What the index knows of an authorization beside its record.
    pub(crate) fn aside(&self, id: Id, credential: &Credential) -> Aside {
        let look = |view: &View, start: Start, half: Half| {
            let aside = |found: Found<'_>| Aside {
                last_used: found.used(),
                has_deleted_owner: found.has_deleted_owner(),
            };
            let found = self.index.find(view, (start, half), |found| {
                (found.id() == Some(id)).then(|| aside(found))
            });
            found.flatten().unwrap_or_default()
        };
        self.index.read(|view| match self.handle(credential) {
            Handle::Id(half) => look(view, view.start(id.number()), half),
            Handle::Digests(halves) => {
                let each = halves.into_iter().flatten();
                each.map(|half| look(view, Start::of_half(half), half))
                    .fold(Aside::default(), Aside::or)
            }
        })
    }
}
