//! What names and descriptions may hold.

use crate::error::{Error, Field};

/// The longest name of a user, organization, bucket or named resource, in bytes.
pub const MAX_LABEL: usize = 255;
/// The longest description, in bytes.
pub const MAX_DESCRIPTION: usize = 4096;

/// A description may be empty; it is at most [`MAX_DESCRIPTION`] bytes without control characters.
pub(crate) fn check_description(text: &str) -> Result<(), Error> {
    check(Field::Description, text, MAX_DESCRIPTION)
}

/// A name is 1 to [`MAX_LABEL`] bytes without control characters.
pub(crate) fn check_label(field: Field, text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::Invalid(field, "is empty".into()));
    }
    check(field, text, MAX_LABEL)
}

fn check(field: Field, text: &str, longest: usize) -> Result<(), Error> {
    if text.len() > longest {
        let reason = format!("has {} bytes; at most {longest} are taken", text.len());
        return Err(Error::Invalid(field, reason));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => {
            let reason = format!(
                "holds the control character U+{:04X}; take it out",
                u32::from(c)
            );
            Err(Error::Invalid(field, reason))
        }
        None => Ok(()),
    }
}
