//! `symbolon auth list`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use symbolon::{Authorization, AuthorizationFilter, Field, Id, Status};

use super::authorization_output::AuthorizationOutput;
use crate::arguments::Global;
use crate::error::Failure;
use crate::lookup::{Lookup, unknown};
use crate::operator;
use crate::rows::Rows;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon auth list --store sqlite:tokens.db
  symbolon auth list --user me --status inactive --store sqlite:tokens.db
  symbolon auth list --org my-org --json --store sled:./tokens

Results are ordered by ID. To get the next page, pass the last ID of the current
one with --after.")]
pub(super) struct ListArgs {
    /// List only the authorization with this ID, regardless of its status
    #[arg(long, short)]
    id: Option<Id>,
    /// Filter by organization name or ID
    #[arg(long, short, value_name = "NAME")]
    org: Option<String>,
    /// Filter by organization ID
    #[arg(long, value_name = "ID", conflicts_with = "org")]
    org_id: Option<Id>,
    /// Filter by user name or ID
    #[arg(long, short, value_name = "NAME")]
    user: Option<String>,
    /// Filter by user ID
    #[arg(long, value_name = "ID", conflicts_with = "user")]
    user_id: Option<Id>,
    /// Filter by status: active, inactive or revoked
    #[arg(
        long, hide_possible_values = true,
        value_parser = PossibleValuesParser::new(["active", "inactive", "revoked"])
            .map(|text| status(&text))
    )]
    status: Option<Status>,
    /// Maximum number of results
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// List only IDs greater than ID
    #[arg(long, value_name = "ID")]
    after: Option<Id>,
    #[command(flatten)]
    rows: Rows,
}

fn status(text: &str) -> Status {
    match text {
        "active" => Status::Active,
        "inactive" => Status::Inactive,
        _ => Status::Revoked,
    }
}

/// Number of authorizations read per page.
const PAGE: usize = 500;

pub(super) fn run(global: &Global, args: &ListArgs) -> Result<(), Failure> {
    let engine = operator::open(global)?;
    let mut lookup = Lookup::new(&engine);
    let filter = filter(args, &lookup)?;
    if let Some(id) = args.id {
        let found = lookup.root.authorizations().get(id);
        let found = found.map_err(|error| unknown(error, Field::Authorization, &id.to_string()))?;
        let found = Some(found).filter(|one| wants(&filter, one));
        return args
            .rows
            .print(found.into_iter().map(|one| AuthorizationOutput::new(one, &mut lookup)));
    }
    let mut pages = AuthorizationPages {
        lookup,
        left: filter.limit.unwrap_or(usize::MAX),
        filter,
        page: Vec::new().into_iter(),
        done: false,
    };
    args.rows.print(std::iter::from_fn(|| pages.next().transpose()))
}

fn filter(args: &ListArgs, lookup: &Lookup) -> Result<AuthorizationFilter, Failure> {
    let organization = args.org.as_deref().map(|org| lookup.organization(org));
    let user = args.user.as_deref().map(|user| lookup.user(user));
    Ok(AuthorizationFilter {
        organization: organization.transpose()?.map(|one| one.id).or(args.org_id),
        user: user.transpose()?.map(|one| one.id).or(args.user_id),
        status: args.status,
        after: args.after,
        limit: args.limit,
        ..AuthorizationFilter::default()
    })
}

fn wants(filter: &AuthorizationFilter, one: &Authorization) -> bool {
    filter.organization.is_none_or(|id| id == one.organization)
        && filter.user.is_none_or(|id| one.user == Some(id))
        && filter.status.is_none_or(|status| status == one.status)
        && filter.after.is_none_or(|after| after < one.id)
        && filter.limit != Some(0)
}

/// Reads the authorizations that match a filter, page by page.
struct AuthorizationPages {
    lookup: Lookup,
    filter: AuthorizationFilter,
    left: usize,
    page: std::vec::IntoIter<Authorization>,
    done: bool,
}

impl AuthorizationPages {
    fn next(&mut self) -> Result<Option<AuthorizationOutput>, Failure> {
        if self.page.len() == 0 && !self.done {
            let limit = self.left.min(PAGE);
            self.filter.limit = Some(limit);
            let page = self.lookup.root.authorizations().list(&self.filter)?;
            self.left -= page.len().min(self.left);
            self.done = page.len() < limit || self.left == 0;
            self.filter.after = page.last().map(|last| last.id);
            self.page = page.into_iter();
        }
        let next = self.page.next();
        next.map(|one| AuthorizationOutput::new(one, &mut self.lookup)).transpose()
    }
}
