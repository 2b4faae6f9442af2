//! InfluxDB's `/api/v2`.

mod authorizations;
mod buckets;
mod links;
mod me;
mod members;
mod organizations;
mod own_link;
mod sessions;
mod set_up;
mod system;
mod users;

use crate::routes::Operations;

pub(crate) use set_up::SET_UP_CODE;

/// Returns the operations of every path.
pub(crate) fn routes() -> Vec<Operations> {
    let groups = [
        authorizations::routes(),
        users::routes(),
        me::routes(),
        organizations::routes(),
        members::routes(),
        buckets::routes(),
        set_up::routes(),
        sessions::routes(),
        links::routes(),
        system::routes(),
    ];
    groups.into_iter().flatten().collect()
}
