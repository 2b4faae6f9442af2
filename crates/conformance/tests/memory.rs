//! The reference store keeps every rule.

mod exclusive {
    symbolon_conformance::suite!(|_: &std::path::Path| symbolon::MemoryStore::new());
}

mod shared {
    symbolon_conformance::suite!(|_: &std::path::Path| symbolon::MemoryStore::shared());
}
