//! Import files, from reading to the contents of the store.

use std::sync::Arc;

use symbolon::import::{Counts, Defaults, ImportFile, OwnerName, Plan};
use symbolon::{Engine, ManualClock, MemoryStore, Options, Schema, StoreKey, Timestamp};

/// A file without bad rows is imported completely and without an error, a second import changes
/// nothing, and the store is consistent after any file.
pub fn import_file(data: &[u8]) -> bool {
    let Ok(file) = ImportFile::read(data) else {
        return false;
    };
    let engine = engine();
    let maintenance = engine.maintenance();
    let rows = file.authorizations();
    let plan = Plan::new(file, &maintenance, &defaults()).unwrap();
    let good = plan.bad().is_empty();
    let planned = plan.new_items();
    assert_eq!(plan.known(), Counts::default());
    assert!(!good || planned.authorizations == rows);
    let written = plan.write(&maintenance, &mut |_| ()).unwrap();
    assert_eq!(written, planned);
    let known = planned.authorizations + planned.organizations + planned.users;
    assert_eq!(engine.len(), known);

    if good {
        let again = Plan::new(ImportFile::read(data).unwrap(), &maintenance, &defaults()).unwrap();
        assert_eq!(again.bad(), &[]);
        assert_eq!(again.known().authorizations, rows);
        assert_eq!(again.new_items(), Counts::default());
        assert_eq!(again.write(&maintenance, &mut |_| ()).unwrap(), Counts::default());
        assert_eq!(engine.len(), known);
    }
    assert_eq!(maintenance.fsck(&mut |_| {}).unwrap().problems, []);
    good && planned.total() > 0
}

fn defaults() -> Defaults {
    Defaults { organization: Some(OwnerName::Name("default".into())), ..Defaults::default() }
}

fn engine() -> Engine {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut options = Options::new(Schema::influxdb_v2().and(Schema::databases()));
    options.clock = Arc::new(ManualClock::at(now));
    let store = Arc::new(MemoryStore::new());
    Engine::create(store, StoreKey::from_bytes([7; 32]), options).unwrap()
}
