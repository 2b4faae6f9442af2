//! Invalid rows and their messages.

use super::*;

/// Returns the reason why an authorization with these fields is invalid.
fn reason(fields: &str) -> String {
    let message = bad(&rows(&[row(fields)]));
    assert_eq!(message.len(), 1, "{fields}: {message:?}");
    let reason = message[0].strip_prefix("authorizations[0] (id 0000000000000a01): ");
    reason.unwrap().to_owned()
}

#[test]
fn invalid_tokens_are_rejected() {
    let missing = "it has no token: give `token`, or its hash as `hashedToken`";
    for fields in [r#""x":1"#, r#""token":null"#, r#""token":"""#, r#""token":"redacted""#] {
        assert_eq!(reason(fields), missing);
    }
    for hash in hashes(OTHER) {
        let message = reason(&format!(r#""token":"{hash}""#));
        assert_eq!(message, "`token` is a stored hash; give it as `hashedToken`");
        let message = reason(&format!(r#""token":"{RAW}","hashedToken":"{hash}""#));
        assert!(message.starts_with("`token` and `hashedToken` do not match"), "{message}");
    }
    assert_eq!(reason(r#""token":7"#), "`token` is not a string");
    for short in [
        "short",
        "with\\u0000nul-0123456789abcdef0123456789",
        "Zoë0123456789abcdef0123456789abcdef",
    ] {
        let message = reason(&format!(r#""token":"{short}""#));
        assert!(
            message.starts_with("`token`: not a token: it is damaged, or not 32 to 255"),
            "{message}"
        );
    }
    assert!(
        reason(r#""hashedToken":"$influxdb2-sha1$AA==""#)
            .starts_with("`hashedToken`: a stored hash is")
    );
}

#[test]
fn invalid_fields_are_rejected() {
    let with = |fields: &str| reason(&format!(r#""token":"{RAW}",{fields}"#));
    assert_eq!(
        with(r#""status":"paused""#),
        "unknown status `paused`; expected `active`, `inactive` or `revoked`"
    );
    for time in ["1969-12-31T23:59:59Z", "2263-01-01T00:00:00Z", "9999-12-31T00:00:00Z"] {
        let message = with(&format!(r#""expiresAt":"{time}""#));
        assert!(message.starts_with("`expiresAt`: a time must be between 1970"), "{message}");
    }
    assert!(
        with(r#""expiresAt":"0001-01-01T00:00:00Z""#).starts_with("`expiresAt`: a time must be")
    );
    assert!(with(r#""createdAt":"yesterday""#).starts_with("`createdAt`: a time must have"));
    assert_eq!(with(r#""createdAt":5"#), "`createdAt` is not a string");
    assert_eq!(with(r#""userID":"77""#), "`userID`: id must have a length of 16 bytes");
    assert_eq!(with(r#""userID":"0000000000000000""#), "`userID`: invalid ID");
    assert_eq!(
        with(r#""description":"\u0007""#),
        "description contains the control character U+0007; remove it"
    );
    let long = format!(r#""description":"{}""#, "x".repeat(1 << 20));
    assert_eq!(with(&long), "description has 1048576 bytes; the maximum is 4096");
    assert_eq!(with(r#""description":"\ud800""#), "`description` is not a string");
    let twice = row(r#""status":null,"status":null"#);
    assert_eq!(bad(&rows(&[twice])), ["authorizations[0]: duplicate field `status`"]);
}

#[test]
fn invalid_ids_are_rejected() {
    let token = format!(r#""token":"{RAW}""#);
    for (id, message) in [
        ("", "authorizations[0]: `id` is missing"),
        (r#""id":"x","#, "authorizations[0]: `id`: id must have a length of 16 bytes"),
        (r#""id":"000000000000000g","#, "authorizations[0]: `id`: invalid ID"),
        (r#""id":12,"#, "authorizations[0]: `id` is not a string"),
    ] {
        let row = row(&token).replace(r#""id":"0000000000000a01","#, id);
        assert_eq!(bad(&rows(&[row])), [message]);
    }
    let not_rows = bad(&format!(r#"{{"authorizations":[7,null,[],"{RAW}"]}}"#));
    assert_eq!(not_rows.len(), 4);
    for (at, message) in not_rows.iter().enumerate() {
        assert_eq!(*message, format!("authorizations[{at}]: it is not an object"));
    }
    let array = r#"{"orgs":[["0000000000000b01","o"]]}"#;
    assert_eq!(bad(array), ["orgs[0]: it is not an object"]);
}

#[test]
fn invalid_export_fields_are_rejected() {
    let array = r#""createdBy":["0000000000000a02"]"#;
    let message = reason(&format!(r#""token":"{RAW}",{array}"#));
    assert!(message.starts_with("`createdBy` is not `{"), "{message}");
    let user =
        r#"{"id":"0000000000000c01","name":"u","memberships":[["0000000000000b01","owner"]]}"#;
    let message = bad(&format!(r#"{{"users":[{user}]}}"#));
    assert!(message[0].contains("`memberships` is not a list of `{"), "{message:?}");
    let set_up =
        r#"{"orgs":[],"setUp":["0000000000000b01","0000000000000c01","2026-01-01T00:00:00Z"]}"#;
    assert!(refused(set_up.as_bytes()).contains("`setUp` is not a single `{"));
}

#[test]
fn invalid_permissions_are_rejected() {
    let with = |permissions: &str| {
        let row = format!(
            r#"{{"id":"0000000000000a01","org":"o","token":"{RAW}","permissions":{permissions}}}"#
        );
        let message = bad(&rows(&[row]));
        assert_eq!(message.len(), 1, "{permissions}");
        message[0].split_once("): ").unwrap().1.to_owned()
    };
    assert_eq!(with("null"), "authorization must include permissions");
    assert_eq!(with("[]"), "authorization must include permissions");
    assert_eq!(with("{}"), "`permissions` is not an array");
    assert!(with(r#"["read:buckets","nonsense"]"#).starts_with("permissions[1]: it is neither"));
    assert!(with(&format!(r#"["{RAW}"]"#)).starts_with("permissions[0]: it is neither"));
    assert_eq!(
        with(r#"[{"resource":{"type":"buckets"}}]"#),
        "permissions[0]: missing field `action`"
    );
    for array in [
        r#"[["read",{"type":"buckets"}]]"#,
        r#"[{"action":"read","resource":["buckets"]}]"#,
        r#"[{"action":"read","resource":["buckets",null,null,null,null]}]"#,
    ] {
        assert!(with(array).starts_with("permissions[0]: it is neither"));
    }
    assert!(with(r#"["drop:buckets"]"#).starts_with("unknown action `drop`"));
    assert!(
        with(r#"["read:tables"]"#)
            .starts_with("unknown resource type `tables`; expected one of auth")
    );
    assert!(with(r#"["read:instance"]"#).contains("`instance` cannot be granted"));
    assert!(with(r#"["read:orgs/00000000000000ff/buckets"]"#).contains("is not for organization"));
}

#[test]
fn duplicates_are_reported_with_their_first_occurrence() {
    let second = |fields: &str| row(fields).replace("0a01", "0a02");
    let raw = format!(r#""token":"{RAW}""#);
    let other = format!(r#""token":"{OTHER}""#);
    assert_eq!(
        bad(&rows(&[row(&raw), row(&other)])),
        ["authorizations[1] (id 0000000000000a01): it has the same id as authorizations[0]"]
    );
    assert_eq!(
        bad(&rows(&[row(&other), second(&raw), second(&raw).replace("0a02", "0a03")])),
        ["authorizations[2] (id 0000000000000a03): it has the same token as authorizations[1]"]
    );
    for hash in hashes(RAW) {
        let hashed = format!(r#""hashedToken":"{hash}""#);
        for (first, other) in [(&hashed, &raw), (&raw, &hashed), (&hashed, &hashed)] {
            assert_eq!(
                bad(&rows(&[row(first), second(other)])),
                ["authorizations[1] (id 0000000000000a02): \
                     it has the same token as authorizations[0]"]
            );
        }
    }
    let owner = |id: &str, name: &str| format!(r#"{{"id":"{id}","name":"{name}"}}"#);
    let (a, b) = ("0000000000000b01", "0000000000000b02");
    let orgs = [owner(a, "x"), owner(a, "y"), owner(b, "x")].join(",");
    assert_eq!(
        bad(&format!(r#"{{"orgs":[{orgs}],"users":[{orgs}]}}"#)),
        [
            "orgs[1] (id 0000000000000b01): it has the same id as orgs[0]",
            "orgs[2] (id 0000000000000b02): it has the same name as orgs[0]",
            "users[1] (id 0000000000000b01): it has the same id as users[0]",
            "users[2] (id 0000000000000b02): it has the same name as users[0]",
        ]
    );
}

#[test]
fn a_file_of_an_unknown_format_is_rejected_as_a_whole() {
    let syntax = |input: &str| {
        let message = refused(input.as_bytes());
        assert!(message.starts_with("the input is not valid JSON: "), "{message}");
        message
    };
    assert!(syntax("{\"orgs\":[\n{\"id\":}]}").ends_with("at line 2 column 7"));
    assert!(syntax("").contains("EOF"));
    assert!(syntax("{\"orgs\":[]} x").contains("trailing characters"));
    assert!(syntax("{\"orgs\":[1,").contains("EOF"));
    assert!(matches!(ImportFile::read(&b"{\"orgs\":[\"\xff\"]}"[..]), Err(ImportError::Syntax(_))));
    let form = |input: &str, reason: &str| {
        let message = refused(input.as_bytes());
        assert!(message.starts_with("the input is not an import file: "), "{message}");
        assert!(message.contains(reason), "{message}");
        assert!(!message.contains(RAW), "{message}");
    };
    form("{}", "an object without any of the lists");
    form(r#"{"code":"unauthorized"}"#, "an object without any of the lists");
    form("[1]", "an array without authorizations");
    form(r#"[{"id":"0000000000000a01","name":"o"}]"#, "an array without authorizations");
    form(&format!("\"{RAW}\""), "neither an object nor an array");
    form("7", "neither an object nor an array");
    form("{\n\"orgs\":{}}", "`orgs` in line 2 is not an array");
    form(&format!(r#"{{"authorizations":"{RAW}"}}"#), "`authorizations` in line 1 is not an array");
    form(r#"{"orgs":[],"orgs":[]}"#, "`orgs` in line 1 occurs twice");
}

#[test]
fn read_errors_are_reported_as_read_errors() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("pulled out"))
        }
    }
    assert!(matches!(ImportFile::read(Broken), Err(ImportError::Read(_))));
    let short_digest = std::io::Read::chain(&b"{\"orgs\":["[..], Broken);
    assert!(matches!(ImportFile::read(short_digest), Err(ImportError::Read(_))));
}
