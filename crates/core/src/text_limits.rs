//! Limits of names and descriptions.

use crate::admin_error::AdminError;
use crate::field::Field;
use crate::invalid_value::InvalidValue;
pub use crate::name::MAX_LABEL;

/// Maximum length of a description in bytes.
pub const MAX_DESCRIPTION: usize = 4096;

/// Checks a description: at most [`MAX_DESCRIPTION`] bytes without control characters; may be
/// empty.
pub(crate) fn check_description(text: &str) -> Result<(), AdminError> {
    check(Field::Description, text, MAX_DESCRIPTION)
}

/// Checks a name: 1 to [`MAX_LABEL`] bytes without control characters.
pub(crate) fn check_label(field: Field, text: &str) -> Result<(), AdminError> {
    if text.is_empty() {
        return Err(AdminError::Invalid(field, InvalidValue::Empty));
    }
    check(field, text, MAX_LABEL)
}

fn check(field: Field, text: &str, longest: usize) -> Result<(), AdminError> {
    if text.len() > longest {
        let reason = InvalidValue::TooLong { length: text.len(), maximum: longest };
        return Err(AdminError::Invalid(field, reason));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(AdminError::Invalid(field, InvalidValue::ControlCharacter(c))),
        None => Ok(()),
    }
}
