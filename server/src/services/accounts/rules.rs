//! What an e-mail address, a name and a password must be.
//!
//! A password is judged by its length and by how well known it is, never by the kinds of letters in it. The list of common ones
//! in `common_passwords.txt` has the 10,000 most frequent and all longer ones of the frequency list that the project zxcvbn
//! (Dropbox, MIT licence) counted in published leaks; lower case, in order of the alphabet.

use super::CreateUserError;
use std::{collections::HashSet, sync::LazyLock};

/// The shortest password that may be set, in characters.
pub const PASSWORD_MIN_CHARS: usize = 12;
/// The longest password that may be set, in characters.
pub const PASSWORD_MAX_CHARS: usize = 128;
/// The longest e-mail address, in bytes (RFC 5321 §4.5.3.1.3).
pub const EMAIL_MAX_BYTES: usize = 254;
/// Whoever repeats so few characters, or adds so few to something common, has no secret of their own.
const LITTLE: usize = 4;

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// An address as it is stored and compared.
pub fn normalized(email: &str) -> String {
    email.trim().to_lowercase().replace('\0', "\u{fffd}")
}

/// Checks what a user or the configuration gives as an e-mail address: the shape only, nobody is written to.
///
/// # Errors
/// [`CreateUserError::EmailInvalid`].
pub fn check_email(email: &str) -> Result<(), CreateUserError> {
    let email = email.trim();
    let plain = email.len() <= EMAIL_MAX_BYTES && !email.chars().any(|c| c.is_whitespace() || c.is_control());
    match email.split_once('@') {
        Some((person, host)) if plain && !person.is_empty() && !host.is_empty() && !host.contains('@') => Ok(()),
        _ => Err(CreateUserError::EmailInvalid),
    }
}

/// Checks a password that is to be set, by what can be said of it without knowing whose it is.
///
/// # Errors
/// Too short, too long, or one that many have.
pub fn check_password(password: &str) -> Result<(), CreateUserError> {
    check_own_password(password, &[])
}

/// The same, for somebody of whom these words are known, such as their e-mail address.
///
/// # Errors
/// Too short, too long, or one that is easily guessed.
pub fn check_own_password(password: &str, known: &[&str]) -> Result<(), CreateUserError> {
    let length = password.chars().count();
    if length < PASSWORD_MIN_CHARS {
        return Err(CreateUserError::PasswordTooShort);
    }
    if length > PASSWORD_MAX_CHARS {
        return Err(CreateUserError::PasswordTooLong);
    }
    if is_easily_guessed(&password.to_lowercase(), known) {
        return Err(CreateUserError::PasswordCommon);
    }
    Ok(())
}

fn is_easily_guessed(password: &str, known: &[&str]) -> bool {
    let core = password.trim_matches(|c: char| !c.is_alphabetic());
    let words = known.iter().flat_map(|word| {
        let word = word.trim().to_lowercase();
        let person = word.split('@').next().unwrap_or_default().to_owned();
        [word, person]
    });
    is_common(password)
        || is_common(core)
        || is_sequence(password)
        || words.into_iter().any(|word| !word.is_empty() && is_mostly(password, &word))
        || is_mostly(password, "keystead")
}

/// Whether it is in the list, or something short or in the list again and again.
fn is_common(text: &str) -> bool {
    if COMMON.contains(text) {
        return true;
    }
    let letters: Vec<char> = text.chars().collect();
    (1..=letters.len() / 2).any(|length| {
        let unit: String = letters[..length].iter().collect();
        letters.chunks(length).all(|chunk| unit.starts_with(&chunk.iter().collect::<String>()))
            && (length <= LITTLE || COMMON.contains(unit.as_str()))
    })
}

/// Whether each character follows the one before it, upwards or downwards.
fn is_sequence(text: &str) -> bool {
    let letters: Vec<u32> = text.chars().map(u32::from).collect();
    let up = letters.windows(2).filter(|pair| pair[0] + 1 == pair[1]).count();
    let down = letters.windows(2).filter(|pair| pair[1] + 1 == pair[0]).count();
    // 9 is followed by 0, so a step may be missing.
    up.max(down) + 2 >= letters.len()
}

/// Whether little is left of it without the word: a few characters, or a year and some signs.
fn is_mostly(password: &str, word: &str) -> bool {
    if !password.contains(word) {
        return false;
    }
    let rest = password.replace(word, "");
    let length = rest.chars().count();
    length <= LITTLE || (length <= 2 * LITTLE && !rest.contains(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_many_have_are_refused_whatever_was_added() {
        for password in [
            "123456789012",
            "abcdefghijkl",
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "passwordpassword",
            "Password12345!",
            "1qaz2wsx3edc",
            "!!!dragon!!!!!!!",
            "keystead2026",
            "LeaveMeAlone",
        ] {
            assert!(matches!(check_password(password), Err(CreateUserError::PasswordCommon)), "{password}");
        }
        let own = check_own_password("grace.hopper2026", &["grace.hopper@example.com", "Grace Hopper"]);
        assert!(matches!(own, Err(CreateUserError::PasswordCommon)));
        let own = check_own_password("grace2026!!!", &["grace@example.com", "Grace"]);
        assert!(matches!(own, Err(CreateUserError::PasswordCommon)));
    }

    #[test]
    fn any_other_of_twelve_to_128_characters_may_be_set() {
        for password in ["correct horse battery", "vbnqpwoeiruty", "drei Fässer Öl", "            x            y"] {
            assert!(check_password(password).is_ok(), "{password}");
        }
        assert!(matches!(check_password("elf Zeichen"), Err(CreateUserError::PasswordTooShort)));
        let longest = "long passphrase ".repeat(8);
        assert!(matches!(check_password(&format!("{longest}x")), Err(CreateUserError::PasswordTooLong)));
        assert!(check_own_password("zwölf Äpfel!", &["", " "]).is_ok());
    }
}
