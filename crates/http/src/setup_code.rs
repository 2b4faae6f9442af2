//! Code that set-up over HTTP requires.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Minimum length of a set-up code, in characters.
const SHORTEST: usize = 16;
/// Maximum length of a set-up code, in characters.
const LONGEST: usize = 255;

/// Secret that a client sends in the header `X-Symbolon-Setup-Code` to set up the server over HTTP.
///
/// A web page of another origin cannot send this header, because the server never allows it in the
/// reply to a preflight request.
///
/// ```
/// use symbolon_http::{Settings, SetupCode};
///
/// let mut settings = Settings::default();
/// assert!(settings.setup_code.is_none(), "set-up is closed unless a code is set");
/// settings.setup_code = Some(SetupCode::new("correct-horse-battery-staple")?);
/// # Ok::<(), symbolon_http::InvalidSetupCode>(())
/// ```
#[derive(Clone)]
pub struct SetupCode(Zeroizing<String>);

/// Text that is not accepted as a set-up code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a set-up code has {SHORTEST} to {LONGEST} printable ASCII characters without spaces")]
pub struct InvalidSetupCode;

impl SetupCode {
    /// Creates a set-up code from 16 to 255 printable ASCII characters without spaces.
    ///
    /// # Errors
    ///
    /// [`InvalidSetupCode`] for any other text.
    pub fn new(text: &str) -> Result<Self, InvalidSetupCode> {
        let fits = (SHORTEST..=LONGEST).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(InvalidSetupCode)
        }
    }

    /// Returns the text of the code.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns true if `given` is this code. The time does not depend on where the texts differ.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        given.ct_eq(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for SetupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupCode")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_long_and_unprintable_codes_are_refused() {
        for text in ["", "fifteen-letters", " sixteen-letters", "sixteen-letters\n"] {
            assert_eq!(SetupCode::new(text).err(), Some(InvalidSetupCode), "{text:?}");
        }
        for length in [16, 255] {
            assert!(SetupCode::new(&"x".repeat(length)).is_ok(), "{length}");
        }
        assert!(SetupCode::new(&"x".repeat(256)).is_err());
    }

    #[test]
    fn only_the_whole_code_is_accepted_and_debug_hides_it() {
        let code = SetupCode::new("the-right-set-up-code").unwrap();
        assert!(code.is(b"the-right-set-up-code"));
        for wrong in ["", "the-right-set-up-cod", "the-right-set-up-code ", "THE-RIGHT-SET-UP-CODE"]
        {
            assert!(!code.is(wrong.as_bytes()), "{wrong:?}");
        }
        assert_eq!(format!("{code:?}"), "SetupCode");
    }
}
