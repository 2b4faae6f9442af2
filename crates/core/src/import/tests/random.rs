//! No input makes the parser panic or repeat a token.

use proptest::prelude::*;

use super::*;

fn all_messages(input: &[u8]) -> String {
    match ImportFile::read(input) {
        Err(error) => error.to_string(),
        Ok(file) => {
            let plan = Plan::new(file, &engine().maintenance(), &Defaults::default()).unwrap();
            let message: Vec<_> = plan.bad().iter().map(ToString::to_string).collect();
            message.join("\n") + &format!("{plan:?}")
        }
    }
}

/// Generates values for a field; some are valid.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(format!("\"{RAW}\"")),
        Just(format!("[\"{RAW}\"]")),
        Just(format!("{{\"{RAW}\":\"{RAW}\"}}")),
        Just(format!("[{{\"action\":\"{RAW}\",\"resource\":{{\"type\":\"{RAW}\"}}}}]")),
        Just("[\"read:buckets\"]".to_owned()),
        Just("\"0000000000000a01\"".to_owned()),
        Just("null".to_owned()),
        Just("1e999".to_owned()),
        Just("{\"a\":[]}".to_owned()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ]
}

const KEYS: [&str; 16] = [
    "id",
    "name",
    "description",
    "status",
    "token",
    "hashedToken",
    "orgID",
    "org",
    "userID",
    "user",
    "userName",
    "permissions",
    "createdAt",
    "updatedAt",
    "expiresAt",
    "other",
];

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
        all_messages(&bytes);
    }

    #[test]
    fn damaged_files_neither_panic_nor_leak_tokens(at in any::<prop::sample::Index>(), byte: u8) {
        let tokens = [format!(r#""token":"{RAW}""#), format!(r#""token":"{RAW}x""#)];
        let json = rows(&tokens.map(|token| row(&token)));
        let mut bytes = json.into_bytes();
        *at.get_mut(&mut bytes) = byte;
        prop_assert!(!all_messages(&bytes).contains(&RAW[..20]));
    }

    #[test]
    fn misplaced_tokens_are_not_echoed(
        list in prop::sample::select(vec!["orgs", "users", "buckets", "authorizations"]),
        fields in proptest::collection::vec((prop::sample::select(KEYS.to_vec()), value()), 0..8),
    ) {
        let field = |(key, value): &(&str, String)| format!("\"{key}\":{value}");
        let fields: Vec<_> = fields.iter().map(field).collect();
        let json = format!("{{\"{list}\":[{{{}}}]}}", fields.join(","));
        let message = all_messages(json.as_bytes());
        // Descriptions and names may be shown, so a token in one of them is not secret.
        let quoted = fields.iter().any(|field| {
            let shown = ["name", "description", "org", "user", "userName"];
            shown.iter().any(|key| field.starts_with(&format!("\"{key}\"")))
        });
        prop_assert!(quoted || !message.contains(RAW), "{}", message);
    }
}
