//! The import file: InfluxDB v2's field names, one record a line, with the odd spellings that are legal.

use std::io::{self, Write};

use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde::Serialize;
use serde_json::{Value, json};

use super::permission::{Action, Permission, ResourceType};
use super::rng::{Rng, Stream};
use super::world::{Authorization, Status, World, created_millis};
use crate::Failure;

/// Writes the whole import file.
pub(super) fn write(world: &World, out: &mut impl Write) -> Result<(), Failure> {
    out.write_all(b"{\"orgs\":[")?;
    let orgs = world
        .orgs
        .iter()
        .map(|org| Owner::new(org.id, &org.name, org.active));
    write_rows(out, orgs)?;
    out.write_all(b"],\n\"users\":[")?;
    let users = world
        .users
        .iter()
        .map(|user| Owner::new(user.id, &user.name, user.active));
    write_rows(out, users)?;
    out.write_all(b"],\n\"buckets\":[")?;
    let buckets = world
        .orgs
        .iter()
        .flat_map(|org| org.buckets.map(|bucket| (org.id, bucket)));
    let names = [
        "telegraf",
        "metrics",
        "logs",
        "sensors/eu-1",
        "spot \"prices\"",
    ]
    .into_iter()
    .cycle();
    write_rows(
        out,
        buckets.zip(names).map(
            |((org, bucket), name)| json!({"id": hex(bucket), "name": name, "orgID": hex(org)}),
        ),
    )?;
    out.write_all(b"],\n\"authorizations\":[")?;
    write_rows(
        out,
        (0..world.authorizations).map(|number| Row::new(world, number)),
    )?;
    out.write_all(b"]}\n")?;
    Ok(())
}

fn write_rows<T: Serialize>(out: &mut impl Write, rows: impl Iterator<Item = T>) -> io::Result<()> {
    let mut separator: &[u8] = b"\n";
    for row in rows {
        out.write_all(separator)?;
        serde_json::to_writer(&mut *out, &row)?;
        separator = b",\n";
    }
    Ok(())
}

/// An organization or a user.
#[derive(Debug, Serialize)]
struct Owner<'w> {
    id: String,
    name: &'w str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

impl<'w> Owner<'w> {
    fn new(id: u64, name: &'w str, active: bool) -> Self {
        // "active" is also what a missing status means; both are written.
        let status = if active {
            (id >> 22 & 1 == 0).then_some("active")
        } else {
            Some("inactive")
        };
        Self {
            id: hex(id),
            name,
            status,
        }
    }
}

/// An authorization.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashed_token: Option<String>,
    status: Status,
    description: String,
    #[serde(rename = "orgID")]
    org_id: String,
    #[serde(rename = "userID", skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    permissions: Vec<Grant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// Keys that an import must pass over.
    #[serde(flatten)]
    extra: Option<Value>,
}

#[derive(Debug, Serialize)]
struct Grant {
    action: Action,
    resource: Resource,
}

#[derive(Debug, Serialize)]
struct Resource {
    #[serde(rename = "type")]
    kind: ResourceType,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "orgID", skip_serializing_if = "Option::is_none")]
    org_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<&'static str>,
}

impl Row {
    fn new(world: &World, number: u32) -> Self {
        let rng = &mut Rng::new(world.seed, Stream::Dress, u64::from(number));
        let mut row = Self::plain(rng, world.authorization(number), number);
        if rng.percent(3) {
            row.make_odd(rng);
        }
        row
    }

    fn plain(rng: &mut Rng, authorization: Authorization<'_>, number: u32) -> Self {
        let created = created_millis(number);
        let updated = created + rng.below(90 * 86_400_000) as i64;
        let hashed_token = authorization.kind.stored_hash(&authorization.text);
        Self {
            id: hex(authorization.id),
            token: hashed_token.is_none().then_some(authorization.text),
            hashed_token,
            status: authorization.status,
            description: description(rng, number),
            org_id: hex(authorization.org.id),
            user_id: authorization.user.map(|user| hex(user.id)),
            permissions: authorization.permissions.iter().map(Grant::new).collect(),
            created_at: time(created).filter(|_| rng.percent(90)),
            updated_at: time(updated).filter(|_| rng.percent(80)),
            expires_at: authorization
                .expires
                .and_then(|seconds| time(seconds * 1000)),
            extra: None,
        }
    }

    /// Spells the same authorization in a way that is rare, but legal.
    fn make_odd(&mut self, rng: &mut Rng) {
        match rng.below(6) {
            0 => "Zoë's “read\\write” token \u{1F511} \"2nd\"".clone_into(&mut self.description),
            1 => {
                for grant in &mut self.permissions {
                    grant.resource.name = Some("renamed since");
                    grant.resource.org = Some("another name");
                }
            }
            2 => {
                self.id.make_ascii_uppercase();
                self.org_id.make_ascii_uppercase();
                self.user_id
                    .iter_mut()
                    .for_each(|id| id.make_ascii_uppercase());
                let resources = self.permissions.iter_mut().map(|grant| &mut grant.resource);
                let ids = resources.flat_map(|resource| [&mut resource.id, &mut resource.org_id]);
                ids.flatten().for_each(|id| id.make_ascii_uppercase());
            }
            3 => {
                let offset = if rng.percent(50) { 0 } else { -5 * 3600 };
                for date in [
                    &mut self.created_at,
                    &mut self.updated_at,
                    &mut self.expires_at,
                ] {
                    *date = date.take().and_then(|date| with_offset(&date, offset));
                }
            }
            4 => {
                self.extra = Some(json!({
                    "org": "a name", "user": "a name", "rotated": {"by": [1, null, {"deep": true}]},
                    "links": {"self": format!("/api/v2/authorizations/{}", self.id)},
                }));
            }
            _ => self.description.clear(),
        }
    }
}

impl Grant {
    fn new(permission: &Permission) -> Self {
        let resource = Resource {
            kind: permission.kind,
            id: permission.id.map(hex),
            org_id: permission.org.map(hex),
            name: None,
            org: None,
        };
        Self {
            action: permission.action,
            resource,
        }
    }
}

fn description(rng: &mut Rng, number: u32) -> String {
    let purposes = [
        "telegraf on host",
        "dashboard",
        "CI job",
        "read-only for team",
        "gateway",
    ];
    format!("{} {number}", rng.pick(&purposes))
}

fn hex(id: u64) -> String {
    format!("{id:016x}")
}

/// RFC 3339 with `Z`, as InfluxDB writes it.
fn time(millis: i64) -> Option<String> {
    let moment = DateTime::from_timestamp_millis(millis)?;
    Some(moment.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// The same moment with microseconds and an offset in seconds, as Python writes it.
fn with_offset(date: &str, offset: i32) -> Option<String> {
    let moment = DateTime::parse_from_rfc3339(date).ok()?;
    let moment = moment.with_timezone(&FixedOffset::east_opt(offset)?);
    Some(moment.to_rfc3339_opts(SecondsFormat::Micros, false))
}
