//! `symbolon user`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};
use symbolon::{Id, NewUser, Organization, Role, Status, Timestamp, Transition, User, UserEdit};

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
  symbolon user create --name me --store sqlite:tokens.db
  symbolon user list --store sqlite:tokens.db
  symbolon user inactive me --store sqlite:tokens.db

The store must be named on the command line. You need read access to its key."
)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Create a user
    Create(CreateArgs),
    /// List users
    #[command(visible_aliases = ["find", "ls"])]
    List(ListArgs),
    /// Rename a user
    Update(UpdateArgs),
    /// Delete a user permanently and revoke its tokens
    #[command(after_help = "\
Example:
  symbolon user delete me --store sqlite:tokens.db

The name can be used again, but not the ID. Tokens of the user stop working at
once. The record stays as a tombstone until `symbolon purge` removes it.")]
    Delete(ChangeArgs),
    /// Activate a user
    #[command(after_help = "\
Example:
  symbolon user active me --store sqlite:tokens.db")]
    Active(ChangeArgs),
    /// Deactivate a user; its tokens are refused until it is activated again
    #[command(after_help = "\
Example:
  symbolon user inactive me --store sqlite:tokens.db")]
    Inactive(ChangeArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon user create --name me --store sqlite:tokens.db
  symbolon user create --name me --org my-org --store sqlite:tokens.db")]
struct CreateArgs {
    /// Name of the user
    #[arg(long, short)]
    name: String,
    /// Add the user as a member of this organization, given by name or ID
    #[arg(long, short, value_name = "NAME")]
    org: Option<String>,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon user list --store sqlite:tokens.db
  symbolon user list --name me --json --store sqlite:tokens.db")]
struct ListArgs {
    /// List only the user with this ID
    #[arg(long, short)]
    id: Option<Id>,
    /// List only the user with this name
    #[arg(long, short)]
    name: Option<String>,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  symbolon user update me --name myself --store sqlite:tokens.db")]
struct UpdateArgs {
    #[command(flatten)]
    which: Which,
    /// New name
    #[arg(long, short)]
    name: String,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
struct ChangeArgs {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    table: TableOptions,
}

#[derive(Debug, Args)]
struct Which {
    /// Name or ID of the user
    #[arg(required_unless_present = "id")]
    user: Option<String>,
    /// ID of the user, as an option
    #[arg(long, short, conflicts_with = "user")]
    id: Option<Id>,
}

impl Which {
    fn find(&self, lookup: &Lookup) -> Result<User, Failure> {
        resource::find_selected(&lookup.root, self.id, self.user.as_deref())
    }
}

pub(crate) fn run(global: &Global, args: &UserArgs) -> Result<ExitCode, Failure> {
    let engine = operator_access::open(global)?;
    let lookup = Lookup::new(&engine);
    match &args.command {
        UserCommand::Create(args) => create(&lookup, args),
        UserCommand::List(args) => {
            let found = resource::list(&lookup.root, args.id, args.name.as_deref())?.into_iter();
            args.table.print(found.map(|user: User| Ok(UserOutput::from(user))))
        }
        UserCommand::Update(args) => {
            let edit = UserEdit { name: Some(args.name.clone()), ..UserEdit::default() };
            let user = args.which.find(&lookup)?;
            let changed = resource::edit(&lookup.root, &user, edit)?;
            args.table.print_one(&UserOutput::from(changed))
        }
        UserCommand::Delete(args) => {
            args.table.print_deleted(&args.change(&lookup, Transition::Revoke)?)
        }
        UserCommand::Active(args) => {
            args.table.print_one(&args.change(&lookup, Transition::Activate)?)
        }
        UserCommand::Inactive(args) => {
            args.table.print_one(&args.change(&lookup, Transition::Deactivate)?)
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

impl ChangeArgs {
    fn change(&self, lookup: &Lookup, transition: Transition) -> Result<UserOutput, Failure> {
        let edit = UserEdit { transition: Some(transition), ..UserEdit::default() };
        let user = self.which.find(lookup)?;
        resource::edit(&lookup.root, &user, edit).map(UserOutput::from)
    }
}

fn create(lookup: &Lookup, args: &CreateArgs) -> Result<(), Failure> {
    let org = args.org.as_deref().map(|org| lookup.find::<Organization>(org));
    let org = org.transpose()?;
    let root = &lookup.root;
    let made = root.users().create(NewUser::named(&args.name));
    let mut user = made.map_err(|error| name_conflict(error, &args.name))?;
    if let Some(org) = org {
        user = root.organizations().add_member(org.id, user.id, Role::Member)?;
    }
    args.table.print_one(&UserOutput::from(user))
}

/// Printed form of a user, without the hash of its password.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserOutput {
    id: Id,
    name: String,
    status: Status,
    operator: bool,
    memberships: Vec<Value>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<User> for UserOutput {
    fn from(user: User) -> Self {
        let memberships = user.memberships.iter();
        Self {
            memberships: memberships
                .map(|one| json!({ "orgID": one.organization, "role": one.role }))
                .collect(),
            id: user.id,
            name: user.name,
            status: user.status,
            operator: user.operator,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl Row for UserOutput {
    const HEADER: &[&str] = &["ID", "Name", "Status"];

    fn cells(&self) -> Vec<String> {
        let status = self.status.as_str().to_owned();
        vec![self.id.to_string(), self.name.clone(), status]
    }
}
