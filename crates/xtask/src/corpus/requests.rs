//! The request stream: each line is meant for a category, and answered by the oracle, which must agree.

use serde::Serialize;

use super::ask::{covered, twisted};
use super::category::{Category, Form, Standing, Twist};
use super::oracle::{self, Decision, Oracle, Reason};
use super::permission::{Action, Permission, Request, ResourceType};
use super::rng::{Rng, Stream};
use super::text::TextKind;
use super::world::{Authorization, World};
use crate::Failure;

/// Draws for one line until the oracle agrees with its category; a category that never comes true is a mistake here.
const TRIES: u32 = 10_000;

/// One line of `requests.jsonl` and what belongs to it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) asked: Asked,
    pub(super) decision: Decision,
    pub(super) category: &'static str,
    /// The kind of the token, if the store holds it.
    pub(super) known: Option<TextKind>,
}

/// A request as it is written.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    token: String,
    action: Action,
    #[serde(rename = "type")]
    kind: ResourceType,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// An id or a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<String>,
}

/// Makes the lines of a request stream.
#[derive(Debug)]
pub(super) struct Requests<'w> {
    world: &'w World,
    oracle: Oracle<'w>,
    roster: Roster,
}

impl<'w> Requests<'w> {
    pub(super) fn new(world: &'w World) -> Result<Self, Failure> {
        Ok(Self {
            world,
            oracle: Oracle::new(world)?,
            roster: Roster::new(world),
        })
    }

    /// Line `number` of the stream, from 0.
    ///
    /// # Errors
    ///
    /// No request of its category was found.
    pub(super) fn line(&self, number: u64) -> Result<Line, Failure> {
        let rng = &mut Rng::new(self.world.seed, Stream::Line, number);
        let (category, name) = Category::of_line(number, rng);
        for _ in 0..TRIES {
            let Some(draft) = self.draft(rng, category) else {
                continue;
            };
            let decision = self.oracle.decide(&draft.text, &draft.request);
            if decision.reason() == category.reason() {
                let asked = self.spell(rng, draft.text, &draft.request);
                return Ok(Line {
                    asked,
                    decision,
                    category: name,
                    known: draft.known,
                });
            }
        }
        Err(format!("no request of category `{name}` was found").into())
    }

    fn draft(&self, rng: &mut Rng, category: Category) -> Option<Draft> {
        let row = self.row(rng, category)?;
        let request = self.request(rng, &row, category)?;
        Some(match category {
            Category::Unknown(stranger) => Draft {
                text: stranger.text(rng, self.world, &row),
                request,
                known: None,
            },
            Category::Malformed(flaw) => Draft {
                text: flaw.text(rng, &row),
                request,
                known: None,
            },
            _ => Draft {
                text: row.text,
                request,
                known: Some(row.kind),
            },
        })
    }

    /// An authorization to present, or to spoil.
    fn row(&self, rng: &mut Rng, category: Category) -> Option<Authorization<'w>> {
        let standing = match category {
            Category::Dead(standing) => standing,
            _ => Standing::Live,
        };
        let number = *rng.popular(self.roster.list(standing))?;
        Some(self.world.authorization(number))
    }

    /// What is asked. A token that is refused anyway mostly asks for what it was granted, so that taking it would show.
    fn request(
        &self,
        rng: &mut Rng,
        row: &Authorization<'_>,
        category: Category,
    ) -> Option<Request> {
        let grant = rng.pick(&row.permissions);
        match category {
            Category::Allow(form) => {
                let of_form = |grant: &&Permission| Form::of(grant) == form;
                let count = row.permissions.iter().filter(of_form).count() as u64;
                let mut grants = row.permissions.iter().filter(of_form);
                let grant = grants.nth(rng.below(count) as usize)?;
                Some(covered(rng, self.world, grant))
            }
            Category::Forbidden(twist) => twisted(rng, self.world, grant, twist),
            _ if rng.percent(20) => twisted(rng, self.world, grant, Twist::Action),
            _ => Some(covered(rng, self.world, grant)),
        }
    }

    /// The request as written: ids mostly in lower case, organizations also by name.
    fn spell(&self, rng: &mut Rng, token: String, request: &Request) -> Asked {
        let by_name = rng.percent(20);
        let name = request
            .org
            .filter(|_| by_name)
            .and_then(|org| self.world.org_with_id(org));
        let name = name.map(|org| org.name.clone());
        Asked {
            token,
            action: request.action,
            kind: request.kind,
            id: request.id.map(|id| spell_id(rng, id)),
            org: name.or_else(|| request.org.map(|org| spell_id(rng, org))),
        }
    }
}

fn spell_id(rng: &mut Rng, id: u64) -> String {
    if rng.percent(5) {
        format!("{id:016X}")
    } else {
        format!("{id:016x}")
    }
}

/// A line before the oracle has seen it.
#[derive(Debug)]
struct Draft {
    text: String,
    request: Request,
    known: Option<TextKind>,
}

/// The numbers of the authorizations by standing.
#[derive(Debug, Default)]
struct Roster {
    live: Vec<u32>,
    revoked: Vec<u32>,
    inactive: Vec<u32>,
    expired: Vec<u32>,
    user_inactive: Vec<u32>,
    org_inactive: Vec<u32>,
}

impl Roster {
    fn new(world: &World) -> Self {
        let mut roster = Self::default();
        for number in 0..world.authorizations {
            let row = world.authorization(number);
            let list = match oracle::standing(&row) {
                Some(Reason::Revoked) => &mut roster.revoked,
                Some(Reason::Inactive) => &mut roster.inactive,
                Some(Reason::Expired) => &mut roster.expired,
                Some(_) if row.org.active => &mut roster.user_inactive,
                Some(_) => &mut roster.org_inactive,
                None => &mut roster.live,
            };
            list.push(number);
        }
        roster
    }

    fn list(&self, standing: Standing) -> &[u32] {
        match standing {
            Standing::Live => &self.live,
            Standing::Revoked => &self.revoked,
            Standing::Inactive => &self.inactive,
            Standing::Expired => &self.expired,
            Standing::UserInactive => &self.user_inactive,
            Standing::OrgInactive => &self.org_inactive,
        }
    }
}
