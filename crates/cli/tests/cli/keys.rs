//! The key, and stores that are not what they should be.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::world::{BACKENDS, World, refused, row, token};

fn key(world: &World, store: &str) -> PathBuf {
    let path = store.split_once(':').unwrap().1;
    world.path(format!("{path}.keys/key"))
}

#[test]
fn a_store_opens_only_with_its_own_sound_and_private_key() {
    for store in BACKENDS {
        let world = World::with(store, &[row(0)]);
        let (key, other) = (key(&world, store), World::new(store));
        let own = fs::read_to_string(&key).unwrap();
        let says = |word: &str| {
            let error = refused(&mut world.run(&["fsck"]));
            assert!(error.contains(word), "{store}: {error}");
            assert_eq!(world.check(&token(0)).0, 2);
        };
        fs::remove_file(&key).unwrap();
        says("put your copy of it there");
        assert!(!key.exists(), "no other key was made");
        let write = |text: &str, mode| {
            fs::write(&key, text).unwrap();
            fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        };
        write(
            &fs::read_to_string(crate::keys::key(&other, store)).unwrap(),
            0o600,
        );
        says("the key does not belong to this store");
        write(&own[..own.len() - 9], 0o600);
        says("line 3 of the key file");
        write("", 0o600);
        says("the key file holds no key");
        write(&own, 0o644);
        says("chmod go=");
        write(&own, 0o600);
        assert_eq!(world.check(&token(0)).0, 0, "nothing was lost");
    }
}

#[test]
fn what_is_no_store_of_ours_is_told_and_left_alone() {
    let world = World::empty(BACKENDS[0]);
    fs::create_dir(world.path("data")).unwrap();
    fs::set_permissions(world.path("data"), Permissions::from_mode(0o700)).unwrap();
    for contents in [
        &b"not a database, but long enough to look at it. "[..],
        &[7; 8192],
        b"",
    ] {
        let path = world.path("data/store.db");
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let setup = refused(&mut world.run(&["setup", "--org", "o", "--user", "u"]));
        assert!(setup.starts_with("Error: "), "{setup}");
        assert_eq!(fs::read(&path).unwrap(), contents);
    }
    let world = World::with(BACKENDS[0], &[row(0)]);
    let whole = fs::read(world.path("data/store.db")).unwrap();
    fs::write(world.path("data/store.db"), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(world.check(&token(0)).0, 2);
    refused(&mut world.run(&["fsck"]));
    fs::write(world.path("data/store.db"), &whole).unwrap();
    assert_eq!(world.check(&token(0)).0, 0);
}

#[test]
fn only_what_writes_makes_a_store() {
    for store in BACKENDS {
        let world = World::empty(store);
        let error = refused(&mut world.run(&["fsck"]));
        assert!(error.contains("setup"), "{error}");
        assert_eq!(world.check(&token(0)).0, 2);
        assert!(!world.path("data").exists());
    }
}

#[test]
fn a_folder_that_others_can_write_to_is_refused() {
    for store in BACKENDS {
        let world = World::new(store);
        let path = store.split_once(':').unwrap().1;
        let folder = match store.starts_with("sled") {
            true => world.path(path),
            false => world.path("data"),
        };
        fs::set_permissions(&folder, Permissions::from_mode(0o770)).unwrap();
        let error = refused(&mut world.run(&["fsck"]));
        assert!(error.contains("chmod go-w"), "{error}");
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        world.run(&["fsck"]).assert().success();
    }
}
