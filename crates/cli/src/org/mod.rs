//! `symbolon org`.

mod members;
mod organization_args;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon::{
    Id, NewOrganization, Organization, OrganizationEdit, Status, Timestamp, Transition,
};

use self::organization_args::OrganizationArgs;
use crate::error::Failure;
use crate::global::Global;
use crate::lookup::Lookup;
use crate::operator_access;
use crate::resource::{self, name_conflict};
use crate::table::{Row, TableOptions};

#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  symbolon org create --name my-org --store sqlite:tokens.db
  symbolon org list --store sqlite:tokens.db
  symbolon org members add my-org --member me --owner --store sqlite:tokens.db

The store must be named on the command line. You need read access to its key."
)]
pub(crate) struct OrgArgs {
    #[command(subcommand)]
    command: OrgCommand,
}

#[derive(Debug, Subcommand)]
enum OrgCommand {
    /// Create an organization
    Create(CreateArgs),
    /// List organizations
    #[command(visible_aliases = ["find", "ls"])]
    List(ListArgs),
    /// Update the name or description of an organization
    Update(UpdateArgs),
    /// Delete an organization permanently and revoke its tokens
    Delete(DeleteArgs),
    /// Manage the members of an organization
    Members(members::MembersArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  symbolon org create --name my-org --store sqlite:tokens.db")]
struct CreateArgs {
    /// Name of the organization
    #[arg(long, short)]
    name: String,
    /// Description of the organization
    #[arg(long, short, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon org list --store sqlite:tokens.db
  symbolon org list --name my-org --json --store sqlite:tokens.db")]
struct ListArgs {
    /// List only the organization with this ID
    #[arg(long, short)]
    id: Option<Id>,
    /// List only the organization with this name
    #[arg(long, short)]
    name: Option<String>,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  symbolon org update my-org --name our-org --store sqlite:tokens.db")]
struct UpdateArgs {
    #[command(flatten)]
    organization: OrganizationArgs,
    /// New name
    #[arg(long, short, required_unless_present = "description")]
    name: Option<String>,
    /// New description
    #[arg(long, short, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  symbolon org delete my-org --store sqlite:tokens.db

The name can be used again, but not the ID. Tokens of the organization stop
working at once. The record stays as a tombstone until `symbolon purge` removes
it.")]
struct DeleteArgs {
    #[command(flatten)]
    organization: OrganizationArgs,
    #[command(flatten)]
    table: TableOptions,
}

pub(crate) fn run(global: &Global, args: &OrgArgs) -> Result<ExitCode, Failure> {
    let engine = operator_access::open(global)?;
    let lookup = Lookup::new(&engine);
    let root = &lookup.root;
    match &args.command {
        OrgCommand::Create(args) => {
            let (name, description) = (&args.name, &args.description);
            let made = root.organizations().create(NewOrganization {
                description: description.into(),
                ..NewOrganization::named(name)
            });
            let made = made.map_err(|error| name_conflict(error, name))?;
            args.table.print_one(&OrganizationOutput::from(made))
        }
        OrgCommand::List(args) => {
            let found = resource::list(root, args.id, args.name.as_deref())?.into_iter();
            args.table.print(found.map(|one: Organization| Ok(OrganizationOutput::from(one))))
        }
        OrgCommand::Update(args) => {
            let edit = OrganizationEdit {
                name: args.name.clone(),
                description: args.description.clone(),
                ..OrganizationEdit::default()
            };
            let found = args.organization.find(&lookup)?;
            let changed = resource::edit(root, &found, edit)?;
            args.table.print_one(&OrganizationOutput::from(changed))
        }
        OrgCommand::Delete(args) => {
            let edit = OrganizationEdit {
                transition: Some(Transition::Revoke),
                ..OrganizationEdit::default()
            };
            let found = args.organization.find(&lookup)?;
            let deleted = resource::edit(root, &found, edit)?;
            args.table.print_deleted(&OrganizationOutput::from(deleted))
        }
        OrgCommand::Members(args) => members::run(&lookup, args),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Printed form of an organization.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OrganizationOutput {
    id: Id,
    name: String,
    description: String,
    status: Status,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Organization> for OrganizationOutput {
    fn from(one: Organization) -> Self {
        Self {
            id: one.id,
            name: one.name,
            description: one.description,
            status: one.status,
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

impl Row for OrganizationOutput {
    const HEADER: &[&str] = &["ID", "Name", "Status", "Description"];

    fn cells(&self) -> Vec<String> {
        let status = self.status.as_str().to_owned();
        let description = self.description.clone();
        vec![self.id.to_string(), self.name.clone(), status, description]
    }
}
