//! What an uploader calls a file: never trusted, and checked before it is stored.

use super::failure::Failure;
use app::model::{error::Invalid, workspace::limits};

/// What a file is when the uploader did not say, or said something that is no media type.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// A name as it is stored: the last part of what may be a path, without control characters.
pub fn checked_name(name: &str) -> Result<&str, Failure> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).trim();
    if name.is_empty() || name == "." || name == ".." || name.chars().any(char::is_control) {
        Err(Failure::Refused(Invalid::FileNameMissing.into()))
    } else if name.len() > limits::FILE_NAME_BYTES {
        Err(Failure::Refused(Invalid::FileNameTooLong.into()))
    } else {
        Ok(name)
    }
}

/// The type without its parameters, if it is one.
pub fn checked_media_type(media_type: &str) -> String {
    let known = media_type.parse::<mime::Mime>().ok().filter(|_| media_type.len() <= 127);
    known.map_or_else(|| UNKNOWN_TYPE.to_owned(), |known| known.essence_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_a_path() {
        for (given, kept) in [("a.txt", "a.txt"), (" C:\\x\\b.txt ", "b.txt"), ("../../etc/passwd", "passwd")] {
            assert_eq!(checked_name(given).ok(), Some(kept));
        }
        for wrong in ["", " ", "..", "a/", "a\0b", "a\nb"] {
            assert!(checked_name(wrong).is_err(), "{wrong:?}");
        }
        assert!(checked_name(&"x".repeat(256)).is_err());
    }

    #[test]
    fn a_type_is_kept_only_if_it_is_one() {
        assert_eq!(checked_media_type("text/plain; charset=utf-8"), "text/plain");
        for wrong in ["", "x", "text/plain\r\nX: y", &format!("a/{}", "b".repeat(200))] {
            assert_eq!(checked_media_type(wrong), UNKNOWN_TYPE, "{wrong:?}");
        }
    }
}
