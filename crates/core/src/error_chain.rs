//! Errors with their sources as one line.

use std::error::Error as StdError;
use std::fmt;

/// Displays an error and its sources as one line: `error: cause: cause`.
///
/// ```
/// use symbolon::{AdminError, ErrorChain, StoreError};
///
/// let error = AdminError::from(StoreError::Full);
/// let text = ErrorChain(&error).to_string();
/// assert!(text.starts_with("the store could not be read or written: no space is left"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ErrorChain<'e>(pub &'e (dyn StdError + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
