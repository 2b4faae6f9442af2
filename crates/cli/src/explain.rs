//! `symbolon explain`.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use symbolon::{
    Action, Caller, Explanation, Field, Id, NotInForceReason, OwnerState, Request, ResourceType,
};

use crate::arguments::Global;
use crate::error::Failure;
use crate::lookup::{Lookup, unknown};
use crate::output::{self, BAD, BOLD, GOOD};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon explain --id 11ac5b2783f554b6 --action read --type buckets \\
    --org my-org --resource-name telegraf
  symbolon explain --id 11ac5b2783f554b6 --action write --type tasks --json

No token is needed; the key of the store is.
Exits with 0 if it is allowed, 1 if it is denied, and 2 on an error.")]
pub(crate) struct ExplainArgs {
    /// The id of the authorization
    #[arg(long, short)]
    id: Id,
    /// What shall be done: `read` or `write`
    #[arg(long)]
    action: Action,
    /// To what type of resource, such as `buckets`
    #[arg(long = "type", value_name = "TYPE")]
    kind: ResourceType,
    /// To which resource, by its id
    #[arg(long, value_name = "ID")]
    resource_id: Option<Id>,
    /// To which database, bucket, user or organization, by its name
    #[arg(long, value_name = "NAME", conflicts_with = "resource_id")]
    resource_name: Option<String>,
    /// The organization of the resource: its id or name
    #[arg(long)]
    org: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(global: &Global, args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let schema = crate::open::schema();
    schema.check_request(args.action, args.kind)?;
    if args.resource_id.is_some() && schema.is_by_name(args.kind) {
        let reason = format!(
            "{} are named by their name; use `--resource-name`",
            args.kind
        );
        return Err(Failure::Argument("resource-id", reason));
    }
    let engine = global.open()?;
    let lookup = Lookup::new(&engine);
    let request = request(args, &lookup, schema.is_by_name(args.kind))?;
    let told = lookup.issuer.explain(&Caller::Root, args.id, &request);
    let told = told.map_err(|error| unknown(error, Field::Authorization, &args.id.to_string()))?;
    if args.json {
        output::print_json(&json(&told))?;
    } else {
        output::print(text(&told, &request))?;
    }
    Ok(ExitCode::from(u8::from(told.decision.is_err())))
}

fn request<'a>(
    args: &'a ExplainArgs,
    lookup: &Lookup,
    by_name: bool,
) -> Result<Request<'a>, Failure> {
    let mut request = Request::new(args.action, args.kind);
    let org = args.org.as_deref().map(|org| match org.parse() {
        Ok(id) => Ok(id),
        Err(_) => lookup.organization(org).map(|one| one.id),
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
            let reason = format!("say with `--org` of which organization the bucket `{name}` is");
            return Err(Failure::Argument("resource-name", reason));
        }
        (ResourceType::USERS, _) => lookup.user_named(name)?.id,
        (ResourceType::ORGANIZATIONS, _) => lookup.organization_named(name)?.id,
        (kind, _) => {
            let reason = format!("{kind} are named by their id; use `--resource-id`");
            return Err(Failure::Argument("resource-name", reason));
        }
    };
    Ok(request.id(id))
}

/// Nearest permissions that are printed; an operator has dozens.
const SHOWN: usize = 8;

fn text(told: &Explanation, request: &Request<'_>) -> String {
    let line = |what: &str, value: &str| format!("  {BOLD}{what:13}{BOLD:#}  {value}\n");
    let id = format!(
        "{}  {}",
        told.authorization.id, told.authorization.description
    );
    let id = line("Authorization", id.trim_end());
    let covering = told.authorization.permissions.covering(request);
    let covering = covering.map(|one| line("Permission", &one.to_string()));
    let covering = covering.unwrap_or_default();
    let denied = match &told.decision {
        Ok(_) => return format!("{GOOD}allow{GOOD:#}\n{id}{covering}"),
        Err(denied) => denied,
    };
    let reason = line("Reason", denied.reason());
    let mut text = format!("{BAD}deny{BAD:#}\n{id}{reason}{covering}\n");
    for reason in &told.reasons {
        text.push_str(&format!("{}.\n", sentence(reason)));
    }
    let near = &told.nearest;
    if !near.is_empty() {
        let spaced = if told.reasons.is_empty() { "" } else { "\n" };
        text.push_str(&format!(
            "{spaced}No permission covers {request}. Nearest:\n"
        ));
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
            OwnerState::Inactive => "is switched off",
            _ => "is not in the store, or its record is not genuine",
        };
        format!("Its {what} {state}")
    };
    match reason {
        NotInForceReason::Revoked(at) => format!("It is revoked since {at}"),
        NotInForceReason::Inactive => "It is switched off".to_owned(),
        NotInForceReason::Expired(at) => format!("It expired at {at}"),
        NotInForceReason::User(state) => owner("user", *state),
        NotInForceReason::Organization(state) => owner("organization", *state),
        _ => "It is not in force".to_owned(),
    }
}

fn json(told: &Explanation) -> Value {
    let permission = told.decision.as_ref().ok().map(ToString::to_string);
    let reason = told.decision.as_ref().err().map(|denied| denied.reason());
    let reasons: Vec<Value> = told.reasons.iter().map(reason_json).collect();
    let nearest = told.nearest.iter().map(|(permission, why)| {
        let why: Vec<_> = why.iter().map(|one| one.as_str()).collect();
        json!({ "permission": permission.to_string(), "why": why })
    });
    let nearest: Vec<Value> = nearest.collect();
    json!({
        "allow": told.decision.is_ok(),
        "id": told.authorization.id,
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
