//! Passwords: Argon2id hashes and HTTP Basic authentication.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use symbolon::{AdminError, Field, InvalidValue, PasswordHash, RandomError};
use zeroize::Zeroizing;

use crate::login_attempts::HashingPermit;

const SHORTEST: usize = 8;
/// InfluxDB's limit, which is that of bcrypt.
const LONGEST: usize = 72;

/// Hashes a new password with the default parameters of the crate `argon2`, which OWASP recommends.
///
/// # Errors
///
/// [`AdminError::Invalid`] if the password is too short or too long, [`AdminError::Random`].
pub(crate) fn hash(password: &str, _: &HashingPermit) -> Result<PasswordHash, AdminError> {
    if !(SHORTEST..=LONGEST).contains(&password.len()) {
        let reason = InvalidValue::LengthNotWithin { minimum: SHORTEST, maximum: LONGEST };
        return Err(AdminError::Invalid(Field::Password, reason));
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    let hash = hash.map_err(|_| AdminError::Random(RandomError))?;
    Ok(PasswordHash::from_phc(hash.to_string()))
}

/// Returns true if `password` matches the hash `known`. Without a hash, returns false after the
/// same time.
pub(crate) fn verify(password: &str, known: Option<&PasswordHash>, _: &HashingPermit) -> bool {
    // Verified in place of a missing hash; a match does not count.
    const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdCE$\
                         6mcbQmTcEvT3QeLTWQtoFn7hIU/VxIcMsJSvSDCNwEA";
    let text = known.map_or(DUMMY, PasswordHash::as_phc);
    let Ok(hash) = phc::PasswordHash::new(text) else {
        return false;
    };
    let fits = Argon2::default().verify_password(password.as_bytes(), &hash);
    fits.is_ok() && known.is_some()
}

/// Returns the user name and password of `Authorization: Basic …`.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, Zeroizing<String>)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = Zeroizing::new(STANDARD.decode(rest.trim()).ok()?);
    let text = std::str::from_utf8(&bytes).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), Zeroizing::new(password.to_owned())))
}

/// Returns true if the request has a user name and password.
pub(crate) fn is_basic(headers: &HeaderMap) -> bool {
    basic(headers).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login_attempts::LoginAttempts;
    use crate::settings::PasswordLimit;

    #[tokio::test]
    async fn only_the_right_password_verifies() {
        let permit = LoginAttempts::new(PasswordLimit::default()).permit().await.unwrap();
        let known = hash("a good password", &permit).unwrap();
        assert!(verify("a good password", Some(&known), &permit));
        assert!(!verify("a good passwore", Some(&known), &permit));
        assert!(!verify("a good password", None, &permit));
        assert!(!verify("", Some(&PasswordHash::from_phc("garbage")), &permit));
        for bad in ["", "1234567", &"x".repeat(73)] {
            assert!(hash(bad, &permit).is_err(), "{bad}");
        }
    }
}
