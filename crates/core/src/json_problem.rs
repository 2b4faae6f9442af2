//! Errors of JSON input, without the input.

use std::fmt;

use crate::id::InvalidId;
use crate::name::InvalidName;
use crate::permission::{ID_AND_NAME, InvalidPermission};
use crate::time::InvalidTime;

/// The part of an error of `serde_json` that can be shown and logged.
///
/// An error may quote the input, which may be a secret in the wrong field. Only texts on a list
/// are shown, so a new message of a library reveals nothing.
///
/// ```
/// use symbolon::JsonProblem;
///
/// let error = serde_json::from_str::<u8>("\"secret\"").unwrap_err();
/// assert!(error.to_string().contains("secret"));
/// assert_eq!(JsonProblem::of(&error).to_string(), "invalid type, expected u8");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonProblem {
    /// The input is not JSON, or ends early.
    Syntax(String),
    /// A field is missing or given twice.
    Field(String),
    /// A value has another type or form.
    Value(String),
}

/// Starts of messages about fields. The name that follows is that of a field of a struct.
const FIELD: [&str; 2] = ["missing field ", "duplicate field "];
/// Starts of messages that continue with the input, and end with what is expected instead.
const VALUE: [&str; 5] =
    ["invalid type", "invalid value", "invalid length", "unknown variant", "unknown field"];

/// Ends of messages in which nothing is expected, so that the input comes last.
const NOTHING: [&str; 2] = [", there are no variants", ", there are no fields"];

impl JsonProblem {
    /// Returns the part of `error` that quotes no input, without its position.
    pub fn of(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        // The last occurrence, because the input may contain any text.
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        if !error.is_data() {
            return Self::Syntax(text.to_owned());
        }
        if FIELD.iter().any(|start| text.starts_with(start)) {
            return Self::Field(text.to_owned());
        }
        if own_texts().iter().any(|own| own == text) {
            return Self::Value(text.to_owned());
        }
        let start = VALUE.into_iter().find(|start| text.starts_with(start));
        let expected = text.rfind(", expected ").and_then(|at| text.get(at..));
        let expected = expected.filter(|_| !NOTHING.iter().any(|end| text.ends_with(end)));
        Self::Value(match (start, expected) {
            (Some(start), Some(expected)) => format!("{start}{expected}"),
            (Some(start), None) => start.to_owned(),
            (None, _) => "invalid value".to_owned(),
        })
    }
}

/// Returns the texts of this crate's own types, none of which quotes the input.
fn own_texts() -> [String; 7] {
    [
        InvalidId::Length.to_string(),
        InvalidId::Digits.to_string(),
        InvalidTime::Form.to_string(),
        InvalidTime::Range.to_string(),
        InvalidName.to_string(),
        InvalidPermission.to_string(),
        ID_AND_NAME.to_owned(),
    ]
}

impl fmt::Display for JsonProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(text) | Self::Field(text) | Self::Value(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Form {
        kind: Kind,
        id: Option<crate::Id>,
        at: Option<crate::Timestamp>,
        custom: Option<Custom>,
    }

    #[derive(Debug)]
    struct Custom;

    impl<'de> Deserialize<'de> for Custom {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            Err(serde::de::Error::custom(format!("`{text}` at line 1, expected secret")))
        }
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct NoFields {}

    #[derive(Debug, Deserialize)]
    enum NoVariants {}

    fn problem(json: &str) -> JsonProblem {
        JsonProblem::of(&serde_json::from_str::<Form>(json).unwrap_err())
    }

    #[test]
    fn problems_do_not_quote_the_input() {
        for json in [
            r#"{"kind":"a secret, expected elsewhere at line 7"}"#,
            r#"{"kind":"x, expected a secret at line 7"}"#,
            r#""a secret""#,
            r#"{"kind":{"a secret":1}}"#,
            r#"{"a secret":1}"#,
            r#"{"kind":"one","id":"a secret"}"#,
            r#"{"kind":"one","at":"a secret"}"#,
            r#"{"kind":"one","custom":"a secret"}"#,
            r#"{"kind":"one"} a secret"#,
            "a secret",
        ] {
            let text = problem(json).to_string();
            assert!(!text.contains("secret"), "{json}: {text}");
        }
        let input = r#"{"x, expected a secret":1}"#;
        let error = serde_json::from_str::<NoFields>(input).unwrap_err();
        assert_eq!(JsonProblem::of(&error).to_string(), "unknown field");
        let error = serde_json::from_str::<NoVariants>(input).unwrap_err();
        assert_eq!(JsonProblem::of(&error).to_string(), "unknown variant");
    }

    #[test]
    fn problems_say_what_is_expected() {
        let value = |text: &str| JsonProblem::Value(text.into());
        let field = |text: &str| JsonProblem::Field(text.into());
        assert_eq!(problem(r#"{"kind":"two"}"#), value("unknown variant, expected `one`"));
        assert_eq!(problem("{}"), field("missing field `kind`"));
        let twice = problem(r#"{"kind":"one","kind":"one"}"#);
        assert_eq!(twice, field("duplicate field `kind`"));
        let id = problem(r#"{"kind":"one","id":"x"}"#);
        assert_eq!(id, value(&InvalidId::Length.to_string()));
        assert!(matches!(problem("{"), JsonProblem::Syntax(text) if text.starts_with("EOF")));
    }
}
