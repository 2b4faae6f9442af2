//! The organization that a command names.

use clap::Args;
use symbolon::{Id, Organization};

use crate::error::Failure;
use crate::lookup::Lookup;
use crate::resource;

#[derive(Debug, Args)]
pub(super) struct OrganizationArgs {
    /// Name or ID of the organization
    #[arg(required_unless_present = "id")]
    org: Option<String>,
    /// ID of the organization, as an option
    #[arg(long, short, conflicts_with = "org")]
    id: Option<Id>,
}

impl OrganizationArgs {
    pub(super) fn find(&self, lookup: &Lookup) -> Result<Organization, Failure> {
        resource::find_selected(&lookup.root, self.id, self.org.as_deref())
    }
}
