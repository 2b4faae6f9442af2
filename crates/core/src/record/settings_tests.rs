//! Version 2 of the settings, which contains the state of the set-up.

use super::tests::{forms, line, read_line, sealer, time};
use super::*;

#[test]
fn golden_settings_of_version_2_are_read_and_written_as_before() {
    let sealer = sealer();
    let states = [SetupState::Open, SetupState::Closed, SetupState::Done];
    let forms = states.map(|setup| {
        let settings = Settings {
            store: StoreId([9; 16]),
            prefix: Prefix::SYMBOLON,
            keys: vec![KeyId(1)],
            created_at: time("2026-11-22T11:23:04.123456789Z"),
            setup,
        };
        Entity::Settings(settings)
    });
    let written: Vec<_> = forms.iter().map(|form| line(&sealer.seal(form, 300))).collect();
    let golden: Vec<&str> = include_str!("golden-settings-v2.txt").lines().collect();
    assert_eq!(written, golden);
    for (line, form) in golden.iter().zip(forms) {
        assert_eq!(sealer.open(&read_line(line)), Ok(Some((form, 300))));
    }
}

#[test]
fn only_settings_have_a_version_2_and_only_known_states() {
    let sealer = sealer();
    for form in forms() {
        let mut record = sealer.seal(&form, 1);
        if record.key == SETTINGS {
            continue;
        }
        let body = record.bytes[..record.bytes.len() - 16].to_vec();
        record.bytes = seal::resealed(&sealer, &record, 2, &body);
        assert_eq!(sealer.open(&record), Err(IntegrityError::Version(2)));
    }
    let unrecorded = forms().into_iter().find(|form| form.key() == SETTINGS);
    let mut record = sealer.seal(&unrecorded.unwrap(), 1);
    let body = record.bytes[..record.bytes.len() - 16].to_vec();
    for state in [0, 4, 255] {
        let body = [body.as_slice(), &[state]].concat();
        record.bytes = seal::resealed(&sealer, &record, 2, &body);
        assert_eq!(sealer.open(&record), Err(IntegrityError::Body), "{state}");
    }
    record.bytes = seal::resealed(&sealer, &record, 2, &body);
    assert_eq!(sealer.open(&record), Err(IntegrityError::Body), "no state");
}
