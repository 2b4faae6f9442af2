//! InfluxDB's `/api/v2`.

mod authorizations;
mod buckets;
mod links;
mod me;
mod members;
mod organizations;
mod set_up;
mod sign;
mod system;
mod things;
mod users;

use crate::routes::Operations;

pub(crate) use set_up::SET_UP_CODE;

/// Every path.
pub(crate) fn routes() -> Vec<Operations> {
    let groups = [
        authorizations::routes(),
        users::routes(),
        me::routes(),
        organizations::routes(),
        members::routes(),
        buckets::routes(),
        set_up::routes(),
        sign::routes(),
        links::routes(),
        system::routes(),
    ];
    groups.into_iter().flatten().collect()
}
