//! The vault: bound to places, keys that change, a file that only its owner reads.

use std::os::unix::fs::PermissionsExt;

use super::*;

const PLACE: Place = Place { column: "secret.sealed", row: 7 };

#[test]
fn what_is_sealed_opens_in_its_place_alone() {
    let vault = Vault::fleeting();
    let sealed = vault.seal(PLACE, b"swordfish").unwrap();
    assert_eq!(vault.open(PLACE, &sealed.bytes).unwrap().as_slice(), b"swordfish");
    assert_eq!(Some(sealed.key), vault.current());
    assert!(!sealed.bytes.windows(9).any(|part| part == b"swordfish"));
    assert_ne!(sealed.bytes, vault.seal(PLACE, b"swordfish").unwrap().bytes, "each time under another nonce");
    for place in [Place { row: 8, ..PLACE }, Place { column: "data_source.sealed", ..PLACE }] {
        assert!(matches!(vault.open(place, &sealed.bytes), Err(VaultError::Damaged)));
    }
}

#[test]
fn every_changed_bit_is_noticed() {
    let vault = Vault::fleeting();
    let sealed = vault.seal(PLACE, b"x").unwrap().bytes;
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        vault.open(PLACE, &changed).unwrap_err();
        vault.open(PLACE, &sealed[..at]).unwrap_err();
    }
    let stranger = Vault::fleeting().open(PLACE, &sealed);
    assert!(matches!(stranger, Err(VaultError::UnknownKey(key)) if Some(key) == vault.current()));
}

#[test]
fn a_key_file_is_its_owners_and_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Vault::find(None, folder.path()).unwrap().is_none());
    let early = Vault::absent(folder.path());
    assert!(matches!(early.seal(PLACE, b"kept"), Err(VaultError::Missing)));
    assert!(matches!(early.renew(), Err(VaultError::Missing)));
    let vault = Vault::create(folder.path()).unwrap();
    let sealed = vault.seal(PLACE, b"kept").unwrap().bytes;
    let file = folder.path().join(FILE);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let again = Vault::find(None, folder.path()).unwrap().unwrap();
    assert_eq!(again.open(PLACE, &sealed).unwrap().as_slice(), b"kept");
    assert_eq!(early.open(PLACE, &sealed).unwrap().as_slice(), b"kept");
    Vault::create(folder.path()).unwrap_err();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");

    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = Vault::find(None, folder.path()).unwrap_err().to_string();
    assert!(refused.contains("chmod 600"), "{refused}");
    assert!(!refused.contains(&folder.path().display().to_string()), "{refused}");
}

#[test]
fn a_new_key_reaches_who_has_the_file_open() {
    let folder = tempfile::tempdir().unwrap();
    let server = Vault::create(folder.path()).unwrap();
    let old = server.seal(PLACE, b"old").unwrap();
    let command = Vault::find(None, folder.path()).unwrap().unwrap();
    let renewed = command.renew().unwrap();
    assert_ne!(renewed, old.key);
    let new = command.seal(PLACE, b"new").unwrap();
    assert_eq!(
        server.open(PLACE, &new.bytes).unwrap().as_slice(),
        b"new",
        "it looks for the key that it does not know"
    );
    assert_eq!(server.seal(PLACE, b"x").unwrap().key, renewed, "and seals with the new one");
    assert_eq!(server.open(PLACE, &old.bytes).unwrap().as_slice(), b"old");

    assert_eq!(command.forget(&[old.key]).unwrap(), 0, "what is in use stays");
    assert_eq!(command.forget(&[]).unwrap(), 1);
    let late = Vault::find(None, folder.path()).unwrap().unwrap();
    assert!(matches!(late.open(PLACE, &old.bytes), Err(VaultError::UnknownKey(_))));
    assert_eq!(late.open(PLACE, &new.bytes).unwrap().as_slice(), b"new");
}

#[test]
fn keys_of_the_environment_come_first_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (Key::random(), Key::random());
    let text = format!("{}, {}", one.text().as_str(), other.text().as_str());
    let vault = Vault::find(Some(&text), folder.path()).unwrap().unwrap();
    assert_eq!((vault.current(), vault.knows(&other.id())), (Some(one.id()), true));
    assert_eq!(vault.renew().unwrap(), one.id(), "whoever sets them changes them");
    assert_eq!(KeyId::parse(&one.id().to_string()), Some(one.id()));
    for wrong in ["abc", &"0".repeat(64), &"g".repeat(64), &one.text()[1..], ","] {
        let said = format!("{:?}", Vault::find(Some(wrong), folder.path()).unwrap_err());
        assert!(!said.contains(&one.text()[2..20]), "{said}");
    }
    assert!(!format!("{vault:?} {one:?} {:?}", Hidden::new("swordfish".into())).contains(&one.text()[..20]));
    assert_eq!(format!("{:?}", Hidden::new("swordfish".into())), "***");
}
