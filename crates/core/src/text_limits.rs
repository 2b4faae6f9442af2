//! Limits of names and descriptions.

use crate::error::Error;
use crate::field::Field;
pub use crate::name::MAX_LABEL;

/// Maximum length of a description in bytes.
pub const MAX_DESCRIPTION: usize = 4096;

/// Checks a description: at most [`MAX_DESCRIPTION`] bytes without control characters; may be
/// empty.
pub(crate) fn check_description(text: &str) -> Result<(), Error> {
    check(Field::Description, text, MAX_DESCRIPTION)
}

/// Checks a name: 1 to [`MAX_LABEL`] bytes without control characters.
pub(crate) fn check_label(field: Field, text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::Invalid(field, "is empty".into()));
    }
    check(field, text, MAX_LABEL)
}

fn check(field: Field, text: &str, longest: usize) -> Result<(), Error> {
    if text.len() > longest {
        let reason = format!("has {} bytes; the maximum is {longest}", text.len());
        return Err(Error::Invalid(field, reason));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => {
            let reason =
                format!("contains the control character U+{:04X}; remove it", u32::from(c));
            Err(Error::Invalid(field, reason))
        }
        None => Ok(()),
    }
}
