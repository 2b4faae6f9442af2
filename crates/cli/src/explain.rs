//! `symbolon explain`.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use symbolon::{
    Action, Explanation, Field, Id, NotInForceReason, Organization, OwnerState, Request,
    ResourceType, User,
};

use crate::error::Failure;
use crate::global::Global;
use crate::lookup::Lookup;
use crate::output::{self, BAD, BOLD, GOOD};
use crate::resource::unknown;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon explain --id 11ac5b2783f554b6 --action read --type buckets \\
    --org my-org --resource-name telegraf
  symbolon explain --id 11ac5b2783f554b6 --action write --type tasks --json

The command needs the key of the store, but no token.
The exit code is 0 if the action is allowed, 1 if it is denied, and 2 on an
error.")]
pub(crate) struct ExplainArgs {
    /// ID of the authorization
    #[arg(long, short)]
    id: Id,
    /// Action to check: `read` or `write`
    #[arg(long)]
    action: Action,
    /// Resource type, such as `buckets`
    #[arg(long = "type", value_name = "TYPE")]
    kind: ResourceType,
    /// ID of the resource
    #[arg(long, value_name = "ID")]
    resource_id: Option<Id>,
    /// Name of the database, bucket, user or organization
    #[arg(long, value_name = "NAME", conflicts_with = "resource_id")]
    resource_name: Option<String>,
    /// Name or ID of the resource's organization
    #[arg(long)]
    org: Option<String>,
    /// Print results as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(global: &Global, args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let schema = crate::open::schema();
    schema.check_request(args.action, args.kind)?;
    if args.resource_id.is_some() && schema.is_by_name(args.kind) {
        let reason = format!("{} are identified by name; use `--resource-name`", args.kind);
        return Err(Failure::Argument("resource-id", reason));
    }
    let engine = global.open()?;
    let lookup = Lookup::new(&engine);
    let request = request(args, &lookup, schema.is_by_name(args.kind))?;
    let explained = lookup.root.authorizations().explain(args.id, &request);
    let explanation =
        explained.map_err(|error| unknown(error, Field::Authorization, &args.id.to_string()))?;
    if args.json {
        output::print_json(&json(&explanation))?;
    } else {
        output::print(text(&explanation, &request))?;
    }
    Ok(ExitCode::from(u8::from(explanation.decision.is_err())))
}

fn request<'a>(
    args: &'a ExplainArgs,
    lookup: &Lookup,
    by_name: bool,
) -> Result<Request<'a>, Failure> {
    let mut request = Request::new(args.action, args.kind);
    let org = args.org.as_deref().map(|org| match org.parse() {
        Ok(id) => Ok(id),
        Err(_) => lookup.find::<Organization>(org).map(|one| one.id),
    });
    let org: Option<Id> = org.transpose()?;
    if let Some(org) = org {
        request = request.organization(org);
    }
    if let Some(id) = args.resource_id {
        return Ok(request.id(id));
    }
    let Some(name) = args.resource_name.as_deref() else {
        return Ok(request);
    };
    if by_name {
        return Ok(request.name(name));
    }
    let id = match (args.kind, org) {
        (ResourceType::BUCKETS, Some(org)) => lookup.bucket_named(org, name)?,
        (ResourceType::BUCKETS, None) => {
            let reason = format!("pass the organization of the bucket `{name}` with `--org`");
            return Err(Failure::Argument("resource-name", reason));
        }
        (ResourceType::USERS, _) => lookup.find_named::<User>(name)?.id,
        (ResourceType::ORGANIZATIONS, _) => lookup.find_named::<Organization>(name)?.id,
        (kind, _) => {
            let reason = format!("{kind} are identified by id; use `--resource-id`");
            return Err(Failure::Argument("resource-name", reason));
        }
    };
    Ok(request.id(id))
}

/// Maximum number of nearest permissions printed; an operator has dozens.
const SHOWN: usize = 8;

fn text(explanation: &Explanation, request: &Request<'_>) -> String {
    let line = |what: &str, value: &str| format!("  {BOLD}{what:13}{BOLD:#}  {value}\n");
    let id = format!("{}  {}", explanation.authorization.id, explanation.authorization.description);
    let id = line("Authorization", id.trim_end());
    let covering = explanation.authorization.permissions.covering(request);
    let covering = covering.map(|one| line("Permission", &one.to_string()));
    let covering = covering.unwrap_or_default();
    let denied = match &explanation.decision {
        Ok(_) => return format!("{GOOD}allow{GOOD:#}\n{id}{covering}"),
        Err(denied) => denied,
    };
    let reason = line("Reason", denied.reason());
    let mut text = format!("{BAD}deny{BAD:#}\n{id}{reason}{covering}\n");
    for reason in &explanation.reasons {
        text.push_str(&format!("{}.\n", sentence(reason)));
    }
    let near = &explanation.nearest;
    if !near.is_empty() {
        let spaced = if explanation.reasons.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{spaced}No permission covers {request}. Nearest:\n"));
        let mut table = output::table(&[]);
        for (permission, why) in near.iter().take(SHOWN) {
            let why: Vec<_> = why.iter().map(ToString::to_string).collect();
            table.add_row([permission.to_string(), why.join("; ")]);
        }
        for line in output::lines(&table).lines() {
            text.push_str(&format!("  {line}\n"));
        }
        if near.len() > SHOWN {
            let more = output::number(near.len() - SHOWN);
            text.push_str(&format!("  and {more} more like these\n"));
        }
    } else if covering.is_empty() {
        text.push_str("It has no permissions.\n");
    }
    text
}

fn sentence(reason: &NotInForceReason) -> String {
    let owner = |what: &str, state: OwnerState| {
        let state = match state {
            OwnerState::Deleted => "is deleted",
            OwnerState::Inactive => "is inactive",
            _ => "is unknown, or its record was tampered with",
        };
        format!("Its {what} {state}")
    };
    match reason {
        NotInForceReason::Revoked(at) => format!("It was revoked at {at}"),
        NotInForceReason::Inactive => "It is inactive".to_owned(),
        NotInForceReason::Expired(at) => format!("It expired at {at}"),
        NotInForceReason::User(state) => owner("user", *state),
        NotInForceReason::Organization(state) => owner("organization", *state),
        _ => "It is not in force".to_owned(),
    }
}

fn json(explanation: &Explanation) -> Value {
    let permission = explanation.decision.as_ref().ok().map(ToString::to_string);
    let reason = explanation.decision.as_ref().err().map(|denied| denied.reason());
    let reasons: Vec<Value> = explanation.reasons.iter().map(reason_json).collect();
    let nearest = explanation.nearest.iter().map(|(permission, why)| {
        let why: Vec<_> = why.iter().map(|one| one.as_str()).collect();
        json!({ "permission": permission.to_string(), "why": why })
    });
    let nearest: Vec<Value> = nearest.collect();
    json!({
        "allow": explanation.decision.is_ok(),
        "id": explanation.authorization.id,
        "permission": permission,
        "reason": reason,
        "reasons": reasons,
        "nearest": nearest,
    })
}

fn reason_json(reason: &NotInForceReason) -> Value {
    let owner = |what: &str, state: OwnerState| {
        let state = match state {
            OwnerState::Deleted => "deleted",
            OwnerState::Inactive => "inactive",
            _ => "unknown",
        };
        json!({ "reason": format!("{what}_{state}") })
    };
    match reason {
        NotInForceReason::Revoked(at) => json!({ "reason": "revoked", "at": at }),
        NotInForceReason::Inactive => json!({ "reason": "inactive" }),
        NotInForceReason::Expired(at) => json!({ "reason": "expired", "at": at }),
        NotInForceReason::User(state) => owner("user", *state),
        NotInForceReason::Organization(state) => owner("organization", *state),
        _ => json!({ "reason": "unknown" }),
    }
}
