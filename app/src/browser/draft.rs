//! Keeps what a person is writing while the page around it is loaded again: in this tab only, until it is saved or the person
//! signs out.

use web_sys::Storage;

/// Text that is being written, and the revision that it goes on top of.
pub struct Draft {
    pub rev: i64,
    pub text: String,
}

fn storage() -> Option<Storage> {
    web_sys::window().and_then(|window| window.session_storage().ok().flatten())
}

/// What was being written under this key.
pub fn read(key: &str) -> Option<Draft> {
    let stored = storage()?.get_item(key).ok().flatten()?;
    let (rev, text) = stored.split_once('\n')?;
    Some(Draft { rev: rev.parse().ok()?, text: text.to_owned() })
}

/// Keeps it. If the browser has no room, the text is still in the page.
pub fn keep(key: &str, rev: i64, text: &str) {
    if let Some(storage) = storage() {
        let mut stored = rev.to_string();
        stored.push('\n');
        stored.push_str(text);
        let _ = storage.set_item(key, &stored);
    }
}

/// Forgets it.
pub fn forget(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}

/// Forgets everything, when nobody is signed in any more.
pub fn forget_all() {
    if let Some(storage) = storage() {
        let _ = storage.clear();
    }
}
