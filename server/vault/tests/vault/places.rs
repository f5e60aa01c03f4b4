//! A ciphertext opens in the place it was sealed for, and nowhere else.

use crate::support::{deployment, key};
use uuid::Uuid;
use vault::{OpenError, Opener, PREFIX_LEN, Place, Scope, SystemEntropy, open, seal};

#[test]
fn a_ciphertext_moved_anywhere_else_does_not_open() {
    let (here, elsewhere) = (deployment("acme"), deployment("acme-2"));
    let key = key(1, 1);
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let scope = Scope::Workspace(one);
    let home = Place { deployment: &here, scope, table: "notes", id: one, column: "body" };
    let others = [
        ("another deployment", Place { deployment: &elsewhere, ..home }),
        ("another workspace", Place { scope: Scope::Workspace(two), ..home }),
        ("the organization", Place { scope: Scope::Organization, ..home }),
        ("another table", Place { table: "files", ..home }),
        ("another row", Place { id: two, ..home }),
        ("another column", Place { column: "title", ..home }),
        ("an object", Place::object(&here, scope, one)),
        ("another split of table and column", Place { table: "notesb", column: "ody", ..home }),
    ];
    let sealed = seal(&key, &home, b"what it says", &SystemEntropy::new()).unwrap();
    assert_eq!(open(&key, &home, &sealed).unwrap().as_slice(), b"what it says");
    for (name, other) in others {
        assert_eq!(open(&key, &other, &sealed).unwrap_err(), OpenError::DoesNotBelongHere, "{name}");
        let opener = Opener::new(&key, &other, &sealed[..PREFIX_LEN], 12);
        assert_eq!(opener.err(), Some(OpenError::DoesNotBelongHere), "{name}");
        let back = seal(&key, &other, b"what it says", &SystemEntropy::new()).unwrap();
        assert_eq!(open(&key, &home, &back).unwrap_err(), OpenError::DoesNotBelongHere, "{name}");
    }
}

#[test]
fn an_older_object_cannot_stand_in_for_a_newer_one() {
    let (deployment, key) = (deployment("acme"), key(1, 1));
    let scope = Scope::Workspace(Uuid::from_u128(1));
    let older = Place::object(&deployment, scope, Uuid::from_u128(2));
    let newer = Place::object(&deployment, scope, Uuid::from_u128(3));
    let sealed = seal(&key, &older, b"version 1", &SystemEntropy::new()).unwrap();
    assert_eq!(open(&key, &newer, &sealed).unwrap_err(), OpenError::DoesNotBelongHere);
}
