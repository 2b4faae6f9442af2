//! `symbolon auth active`, `inactive`, `delete` and `rotate`.

use std::time::Duration;

use clap::Args;
use symbolon::{Authorization, Field, Id, Rotation, Transition};

use super::authorization_output::AuthorizationOutput;
use super::create::TokenOutput;
use crate::duration::duration;
use crate::error::Failure;
use crate::global::Global;
use crate::lookup::Lookup;
use crate::operator_access;
use crate::resource::unknown;
use crate::table::TableOptions;

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  symbolon auth active --id 11ac5b2783f554b6 --store sqlite:tokens.db")]
pub(super) struct ActiveArgs {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  symbolon auth inactive --id 11ac5b2783f554b6 --store sqlite:tokens.db

Its token is refused until `symbolon auth active` activates it again.")]
pub(super) struct InactiveArgs {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  symbolon auth delete --id 11ac5b2783f554b6 --store sqlite:tokens.db

Deleting revokes the authorization permanently: its token never works again.
The record stays as a tombstone until `symbolon purge` removes it.")]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon auth rotate --id 11ac5b2783f554b6 --store sqlite:tokens.db
  symbolon auth rotate --id 11ac5b2783f554b6 --overlap 1h \\
    --write-token new.token --store sqlite:tokens.db

The new authorization has the owner, permissions, status and expiry of the old
one. The old one is revoked at once, or expires after the overlap.")]
pub(super) struct RotateArgs {
    #[command(flatten)]
    which: Which,
    /// Time that the old token keeps working, such as `10m`, `1h` or `7d`
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    overlap: Duration,
    /// Description of the new authorization [default: that of the old one]
    #[arg(long, short, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    output: TokenOutput,
}

/// An authorization given by its id, as an argument or as an option.
#[derive(Debug, Args)]
struct Which {
    /// ID of the authorization
    #[arg(value_name = "ID", required_unless_present = "id_option")]
    id: Option<Id>,
    /// ID of the authorization, as an option
    #[arg(id = "id_option", long = "id", short, value_name = "ID", conflicts_with = "id")]
    option: Option<Id>,
}

impl Which {
    fn id(&self) -> Result<Id, Failure> {
        let missing = || Failure::Argument("id", "is missing".into());
        self.option.or(self.id).ok_or_else(missing)
    }
}

pub(super) fn activate(global: &Global, args: &ActiveArgs) -> Result<(), Failure> {
    let (one, mut lookup) = change(global, &args.which, Transition::Activate)?;
    args.table.print_one(&AuthorizationOutput::new(one, &mut lookup.names)?)
}

pub(super) fn deactivate(global: &Global, args: &InactiveArgs) -> Result<(), Failure> {
    let (one, mut lookup) = change(global, &args.which, Transition::Deactivate)?;
    args.table.print_one(&AuthorizationOutput::new(one, &mut lookup.names)?)
}

pub(super) fn delete(global: &Global, args: &DeleteArgs) -> Result<(), Failure> {
    let (one, mut lookup) = change(global, &args.which, Transition::Revoke)?;
    args.table.print_deleted(&AuthorizationOutput::new(one, &mut lookup.names)?)
}

fn change(
    global: &Global,
    which: &Which,
    transition: Transition,
) -> Result<(Authorization, Lookup), Failure> {
    let engine = operator_access::open(global)?;
    let lookup = Lookup::new(&engine);
    let id = which.id()?;
    let changed = lookup.root.authorizations().edit(id, transition.into());
    let changed = changed.map_err(|error| unknown(error, Field::Authorization, &id.to_string()))?;
    Ok((changed, lookup))
}

pub(super) fn rotate(global: &Global, args: &RotateArgs) -> Result<(), Failure> {
    let engine = operator_access::open(global)?;
    let mut lookup = Lookup::new(&engine);
    let id = args.which.id()?;
    let rotation = Rotation { overlap: args.overlap, description: args.description.clone() };
    let done = format!("Rotated from {id}");
    args.output.make(&done, &mut lookup, |lookup| {
        let made = lookup.root.authorizations().rotate(id, rotation);
        made.map_err(|error| unknown(error, Field::Authorization, &id.to_string()))
    })
}
