//! InfluxDB's `/api/v2`.

mod api_index;
mod authorizations;
mod buckets;
mod links;
mod me;
mod members;
mod organizations;
mod resource;
mod sessions;
mod setup;
mod status;
mod system;
mod users;

use crate::api::Operations;

pub(crate) use setup::SET_UP_CODE;

/// Returns the operations of every path.
pub(crate) fn routes() -> Vec<Operations> {
    let groups = [
        authorizations::routes(),
        users::routes(),
        me::routes(),
        organizations::routes(),
        members::routes(),
        buckets::routes(),
        setup::routes(),
        sessions::routes(),
        api_index::routes(),
        system::routes(),
    ];
    groups.into_iter().flatten().collect()
}
