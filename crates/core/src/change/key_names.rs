//! The ids of the secrets that the settings of a store name.

use super::{AuditContext, Changes};
use crate::admin_error::AdminError;
use crate::caller::Caller;
use crate::journal::Operation;
use crate::record::Entity;

impl Changes {
    /// Writes the ids of all secrets of the key to the settings of the store.
    pub(crate) fn name_keys(&self) -> Result<(), AdminError> {
        let audit_context = AuditContext::new(&Caller::Root, Operation::Reseal);
        self.change(audit_context, |change| {
            let mut settings = change.settings()?;
            let keys: Vec<_> = self.shared.sealer.key().ids().collect();
            if settings.keys != keys {
                settings.keys = keys;
                change.put(Entity::Settings(settings))?;
            }
            Ok(())
        })
    }
}
