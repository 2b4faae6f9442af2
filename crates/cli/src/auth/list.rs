//! `symbolon auth list`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use symbolon::{
    Authorization, AuthorizationFilter, Field, Id, ListOptions, Organization, Status, User,
};

use super::authorization_output::AuthorizationOutput;
use crate::error::Failure;
use crate::global::Global;
use crate::lookup::Lookup;
use crate::operator_access;
use crate::resource::unknown;
use crate::table::TableOptions;

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
            .try_map(|text| text.parse::<Status>())
    )]
    status: Option<Status>,
    /// Maximum number of results
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// List only IDs greater than ID
    #[arg(long, value_name = "ID")]
    after: Option<Id>,
    #[command(flatten)]
    table: TableOptions,
}

pub(super) fn run(global: &Global, args: &ListArgs) -> Result<(), Failure> {
    let engine = operator_access::open(global)?;
    let mut lookup = Lookup::new(&engine);
    let filter = filter(args, &lookup)?;
    if let Some(id) = args.id {
        let found = lookup.root.authorizations().get(id);
        let found = found.map_err(|error| unknown(error, Field::Authorization, &id.to_string()))?;
        let found = Some(found).filter(|one| wants(&filter, options(args), one));
        return args.table.print(
            found
                .into_iter()
                .map(|one| AuthorizationOutput::new(one, &mut lookup.names).map_err(Failure::from)),
        );
    }
    let list = lookup.root.authorizations().list(&filter, options(args));
    args.table.print(list.map(|one| Ok(AuthorizationOutput::new(one?, &mut lookup.names)?)))
}

fn options(args: &ListArgs) -> ListOptions {
    ListOptions { after: args.after, limit: args.limit }
}

fn filter(args: &ListArgs, lookup: &Lookup) -> Result<AuthorizationFilter, Failure> {
    let organization = args.org.as_deref().map(|org| lookup.find::<Organization>(org));
    let user = args.user.as_deref().map(|user| lookup.find::<User>(user));
    Ok(AuthorizationFilter {
        organization: organization.transpose()?.map(|one| one.id).or(args.org_id),
        user: user.transpose()?.map(|one| one.id).or(args.user_id),
        status: args.status,
        ..AuthorizationFilter::default()
    })
}

fn wants(filter: &AuthorizationFilter, options: ListOptions, one: &Authorization) -> bool {
    filter.organization.is_none_or(|id| id == one.organization)
        && filter.user.is_none_or(|id| one.user == Some(id))
        && filter.status.is_none_or(|status| status == one.status)
        && options.after.is_none_or(|after| after < one.id)
        && options.limit != Some(0)
}
