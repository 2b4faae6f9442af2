//! Options for the permissions of a new authorization, generated from the schema.

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use symbolon::{Action, Id, Permission, ResourceType, Schema, Target};

use crate::error::Failure;
use crate::lookup::Lookup;
use crate::open;

/// The requested permissions, in the order in which InfluxDB's command line sends them.
#[derive(Debug, Clone)]
pub(super) struct PermissionOptions(Vec<PermissionOption>);

#[derive(Debug, Clone)]
enum PermissionOption {
    Operator,
    AllAccess,
    /// One bucket, by its id or name.
    Bucket(Action, String),
    /// One database, by its name; `*` means every database.
    Database(Action, String),
    /// Every resource of a type.
    Type(Permission),
    Written(Permission),
}

const HEADING: &str = "Permissions";
const TYPES_HEADING: &str = "Permissions by resource type";
/// Types for which InfluxDB's command line grants the resources of all organizations.
const UNSCOPED: [ResourceType; 2] = [ResourceType::ORGANIZATIONS, ResourceType::USERS];
/// Spellings of InfluxDB's documentation that its command line does not accept.
const ALIASES: [(&str, &str); 2] = [("dbrp", "dbrps"), ("users", "user")];

/// The option for one action on every resource of a type.
struct TypeOption {
    permission: Permission,
    name: String,
    alias: Option<String>,
}

impl TypeOption {
    /// Returns an option for each action and each resource type that has ids.
    fn all() -> impl Iterator<Item = Self> {
        let schema = open::schema();
        let granted = schema.everything().into_iter();
        granted.filter(move |one| !schema.is_by_name(one.resource.kind)).map(|permission| {
            let kind = permission.resource.kind.as_str();
            let alias = ALIASES.into_iter().find(|(name, _)| *name == kind);
            let name = |kind: &str| format!("{}-{kind}", permission.action);
            Self { name: name(kind), alias: alias.map(|(_, alias)| name(alias)), permission }
        })
    }

    fn arg(self) -> Arg {
        let Permission { action, resource } = self.permission;
        let (verb, kind) = (capital(action), resource.kind);
        let whose = match UNSCOPED.contains(&kind) {
            true => "of all organizations",
            false => "of the organization",
        };
        Arg::new(self.name.clone())
            .long(self.name)
            .aliases(self.alias)
            .action(ArgAction::SetTrue)
            .hide_short_help(true)
            .help_heading(TYPES_HEADING)
            .help(format!("{verb} all {kind} {whose}"))
    }
}

fn capital(action: Action) -> &'static str {
    match action {
        Action::READ => "Read",
        _ => "Write",
    }
}

/// Creates a repeatable option for each action.
fn named(what: &str, value: &'static str, help: &str) -> [Arg; 2] {
    [Action::READ, Action::WRITE].map(|action| {
        let name = format!("{action}-{what}");
        Arg::new(name.clone())
            .long(name)
            .value_name(value)
            .action(ArgAction::Append)
            .value_parser(NonEmptyStringValueParser::new())
            .help_heading(HEADING)
            .help(format!("{} {help}", capital(action)))
    })
}

fn whole(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help_heading(HEADING).help(help)
}

impl Args for PermissionOptions {
    fn augment_args(command: Command) -> Command {
        let some = named("bucket", "BUCKET", "a bucket, given by its ID or registered name")
            .into_iter()
            .chain(named("database", "NAME", "a database; `*` means every database"))
            .chain(TypeOption::all().map(TypeOption::arg))
            .chain([Arg::new("permission")
                .long("permission")
                .value_name("PERMISSION")
                .action(ArgAction::Append)
                .value_parser(str::parse::<Permission>)
                .help_heading(HEADING)
                .help("Permission in text form: `read:tasks`, `read:orgs/ORG_ID/buckets/ID`")]);
        let operator = "Grant all permissions in all organizations";
        let all = "Grant all permissions in the organization, and on users only for --user";
        command.arg(whole("operator", operator)).arg(whole("all-access", all)).args(some)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for PermissionOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut options = Vec::new();
        for (name, option) in
            [("operator", PermissionOption::Operator), ("all-access", PermissionOption::AllAccess)]
        {
            if matches.get_flag(name) {
                options.push(option);
            }
        }
        type Named = fn(Action, String) -> PermissionOption;
        for (what, option) in [
            ("bucket", PermissionOption::Bucket as Named),
            ("database", PermissionOption::Database),
        ] {
            for action in [Action::READ, Action::WRITE] {
                let given = matches.get_many::<String>(&format!("{action}-{what}"));
                options
                    .extend(given.into_iter().flatten().map(|name| option(action, name.clone())));
            }
        }
        let types = TypeOption::all().filter(|one| matches.get_flag(&one.name));
        options.extend(types.map(|one| PermissionOption::Type(one.permission)));
        let written = matches.get_many::<Permission>("permission");
        options.extend(written.into_iter().flatten().cloned().map(PermissionOption::Written));
        // Checked here, because an error of the parser would list every other option.
        if let (Some(PermissionOption::Operator | PermissionOption::AllAccess), 2..) =
            (options.first(), options.len())
        {
            let text = "`--operator` and `--all-access` cannot be combined with other permissions";
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, text));
        }
        Ok(Self(options))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl PermissionOptions {
    /// Returns the permissions for an authorization of this organization and user.
    pub(super) fn resolve(
        &self,
        lookup: &Lookup,
        organization: Id,
        user: Option<Id>,
    ) -> Result<Vec<Permission>, Failure> {
        if self.0.is_empty() {
            return Err(Failure::NoPermission);
        }
        let mut permissions = Vec::new();
        for option in &self.0 {
            match option {
                PermissionOption::Operator => permissions.extend(Schema::influxdb_operator()),
                PermissionOption::AllAccess => {
                    permissions.extend(Schema::influxdb_all_access(organization, user));
                }
                PermissionOption::Bucket(action, text) => {
                    let bucket = lookup.bucket(organization, text)?;
                    let one = Permission::new(*action, ResourceType::BUCKETS);
                    permissions.push(one.organization(organization).id(bucket));
                }
                PermissionOption::Database(action, name) => {
                    let one = Permission::new(*action, ResourceType::DATABASES);
                    permissions.push(one.organization(organization).name(name));
                }
                PermissionOption::Type(one) if UNSCOPED.contains(&one.resource.kind) => {
                    permissions.push(one.clone());
                }
                PermissionOption::Type(one) => {
                    permissions.push(one.clone().organization(organization))
                }
                PermissionOption::Written(one) => permissions.push(one.clone()),
            }
        }
        Ok(permissions)
    }
}

/// Returns `true` if all permissions are on databases by name, as those of a database token.
pub(super) fn is_of_databases(permissions: &[Permission]) -> bool {
    permissions.iter().all(|one| {
        one.resource.kind == ResourceType::DATABASES
            && !matches!(one.resource.target, Target::Id(_))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<PermissionOptions, clap::Error> {
        let command = PermissionOptions::augment_args(Command::new("x").no_binary_name(true));
        PermissionOptions::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }

    /// The options in the source of `influx auth create`.
    #[test]
    fn all_options_of_influx_auth_create_are_accepted() {
        for kind in "authorizations buckets dashboards orgs tasks telegrafs users user variables \
                     secrets labels views documents notificationRules notificationEndpoints \
                     checks dbrp dbrps annotations sources scrapers notebooks remotes \
                     replications flows functions subscriptions"
            .split_whitespace()
        {
            for action in ["read", "write"] {
                let option = format!("--{action}-{kind}");
                assert_eq!(parse(&[&option]).unwrap().0.len(), 1, "{option}");
            }
        }
        assert!(parse(&["--read-instance"]).is_err());
        assert!(parse(&["--read-databases"]).is_err());
    }

    #[test]
    fn operator_and_all_access_conflict_with_other_grants() {
        for whole in ["--operator", "--all-access"] {
            assert_eq!(parse(&[whole]).unwrap().0.len(), 1);
            for more in [
                "--read-bucket=a",
                "--write-database=a",
                "--write-tasks",
                "--permission=read:tasks",
            ] {
                assert!(parse(&[whole, more]).is_err(), "{whole} {more}");
            }
        }
        assert!(parse(&["--operator", "--all-access"]).is_err());
        let both = parse(&["--read-bucket=a", "--read-bucket=b", "--write-bucket=a"]);
        assert_eq!(both.unwrap().0.len(), 3);
    }
}
