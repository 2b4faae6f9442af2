//! `symbolon org members`.

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon::{Id, Role, Status, User};

use super::organization_args::OrganizationArgs;
use crate::error::Failure;
use crate::lookup::Lookup;
use crate::table::{Row, TableOptions};

#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  symbolon org members add my-org --member me --store sqlite:tokens.db
  symbolon org members list my-org --store sqlite:tokens.db"
)]
pub(super) struct MembersArgs {
    #[command(subcommand)]
    command: MembersCommand,
}

#[derive(Debug, Subcommand)]
enum MembersCommand {
    /// Add a user as a member or an owner
    Add(AddArgs),
    /// Remove a user from the organization
    #[command(visible_alias = "rm")]
    Remove(RemoveArgs),
    /// List members and owners
    #[command(visible_aliases = ["find", "ls"])]
    List(ListArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon org members add my-org --member me --store sqlite:tokens.db
  symbolon org members add my-org --member me --owner --store sqlite:tokens.db

If the user belongs to the organization already, its role is replaced. Roles
apply to sessions; a token has its own permissions.")]
struct AddArgs {
    #[command(flatten)]
    organization: OrganizationArgs,
    /// Name or ID of the user
    #[arg(long, short, value_name = "USER")]
    member: String,
    /// Add the user as an owner
    #[arg(long)]
    owner: bool,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  symbolon org members remove my-org --member me --store sqlite:tokens.db")]
struct RemoveArgs {
    #[command(flatten)]
    organization: OrganizationArgs,
    /// Name or ID of the user
    #[arg(long, short, value_name = "USER")]
    member: String,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  symbolon org members list my-org --store sqlite:tokens.db")]
struct ListArgs {
    #[command(flatten)]
    organization: OrganizationArgs,
    #[command(flatten)]
    table: TableOptions,
}

pub(super) fn run(lookup: &Lookup, args: &MembersArgs) -> Result<(), Failure> {
    match &args.command {
        MembersCommand::Add(args) => add(lookup, args),
        MembersCommand::Remove(args) => remove(lookup, args),
        MembersCommand::List(args) => list(lookup, args),
    }
}

fn add(lookup: &Lookup, args: &AddArgs) -> Result<(), Failure> {
    let (org, user) = (args.organization.find(lookup)?, lookup.find::<User>(&args.member)?);
    let role = match args.owner {
        true => Role::Owner,
        false => Role::Member,
    };
    let user = lookup.root.organizations().add_member(org.id, user.id, role)?;
    args.table.print_one(&MemberOutput::new(user, role))
}

fn remove(lookup: &Lookup, args: &RemoveArgs) -> Result<(), Failure> {
    let (org, user) = (args.organization.find(lookup)?, lookup.find::<User>(&args.member)?);
    let Some(role) = user.role_in(org.id) else {
        let (user, org) = (user.name, org.name);
        return Err(Failure::NoMember { user, org });
    };
    let user = lookup.root.organizations().remove_member(org.id, user.id)?;
    args.table.print_deleted(&MemberOutput::new(user, role))
}

fn list(lookup: &Lookup, args: &ListArgs) -> Result<(), Failure> {
    let org = args.organization.find(lookup)?.id;
    let members = lookup.root.organizations().members(org)?.into_iter();
    args.table.print(members.map(|(user, role)| Ok(MemberOutput::new(user, role))))
}

/// Printed form of a member.
#[derive(Debug, Serialize)]
struct MemberOutput {
    id: Id,
    name: String,
    role: Role,
    status: Status,
}

impl MemberOutput {
    fn new(user: User, role: Role) -> Self {
        Self { id: user.id, name: user.name, role, status: user.status }
    }
}

impl Row for MemberOutput {
    const HEADER: &[&str] = &["ID", "Name", "User Type", "Status"];

    fn cells(&self) -> Vec<String> {
        let role = match self.role {
            Role::Owner => "owner",
            Role::Member => "member",
        };
        let status = self.status.as_str().to_owned();
        vec![self.id.to_string(), self.name.clone(), role.into(), status]
    }
}
