use std::sync::Arc;

use super::{Counts, Defaults, ImportError, ImportFile, Plan};
use crate::{
    Authorization, Caller, Engine, ForeignHash, Id, ListOptions, MemoryStore, Options, Schema,
    StoreKey,
};

mod bad_rows;
mod forms;
mod owners;
mod random;

pub(super) const RAW: &str =
    "AjN92ZtKa2w_mWjUdf8AJzygbWJo16T5B_pf_iWJQE5cyE3YwenMZ0v-0I3IrXA_f2eH6cfIpv53iCUOR3NMPA==";
pub(super) const OTHER: &str = "0123456789abcdef0123456789abcdef";

fn engine() -> Engine {
    let schema = Schema::influxdb_v2().and(Schema::databases());
    let (store, key) = (Arc::new(MemoryStore::new()), StoreKey::from_bytes([7; 32]));
    Engine::create(store, key, Options::new(schema)).unwrap()
}

fn plan_in(engine: &Engine, json: &str) -> Plan {
    plan_for(engine, json, &Defaults::default())
}

fn plan_for(engine: &Engine, json: &str, defaults: &Defaults) -> Plan {
    let file = ImportFile::read(json.as_bytes()).unwrap();
    Plan::new(file, &engine.maintenance(), defaults).unwrap()
}

/// Imports a file without invalid rows into an empty store.
fn import(json: &str) -> (Engine, Counts) {
    let engine = engine();
    let counts = import_into(&engine, json);
    (engine, counts)
}

fn import_into(engine: &Engine, json: &str) -> Counts {
    let plan = plan_in(engine, json);
    assert_eq!(plan.bad(), &[]);
    let planned = plan.new_items();
    let written = plan.write(&engine.maintenance(), &mut |_| ()).unwrap();
    assert_eq!(written, planned);
    written
}

/// Returns the invalid rows of a file, formatted.
fn bad(json: &str) -> Vec<String> {
    let plan = plan_in(&engine(), json);
    plan.bad().iter().map(ToString::to_string).collect()
}

fn refused(input: &[u8]) -> String {
    ImportFile::read(input).unwrap_err().to_string()
}

fn stored(engine: &Engine, id: &str) -> Authorization {
    let id: Id = id.parse().unwrap();
    engine.admin(Caller::Root).with_tombstones().authorizations().get(id).unwrap()
}

/// Returns an authorization with an id, an organization, permissions and these fields.
fn row(fields: &str) -> String {
    format!(
        r#"{{"id":"0000000000000a01","orgID":"0000000000000b01","permissions":[{{"action":"read",
        "resource":{{"type":"buckets"}}}}],{fields}}}"#
    )
}

fn rows(rows: &[String]) -> String {
    format!(r#"{{"authorizations":[{}]}}"#, rows.join(","))
}

/// Hashes a token in both ways of InfluxDB 2.9.
fn hashes(token: &str) -> [String; 2] {
    use base64::Engine as _;
    let of = |variant: &str, foreign_hash: ForeignHash| {
        let digest = base64::engine::general_purpose::URL_SAFE.encode(foreign_hash.digest());
        format!("$influxdb2-{variant}${digest}")
    };
    let text = token.as_bytes();
    [of("sha256", ForeignHash::sha256(text)), of("sha512", ForeignHash::sha512(text))]
}
