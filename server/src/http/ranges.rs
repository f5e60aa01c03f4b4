//! `Range` and `If-Range` (RFC 9110 §14), as far as a file of known length needs them.
//!
//! One range is answered with that part. Several, or a header that is not understood, are answered with the whole file, as
//! the specification allows.

use axum::http::{HeaderMap, HeaderValue, header};
use std::ops::Range;

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// These bytes; never empty.
    Only(Range<u64>),
    /// The range begins behind the end of the file.
    Unsatisfiable,
}

/// Which part of a file of `len` bytes a request asks for. `etag` is the file's own, with its quotes.
pub fn part(request: &HeaderMap, len: u64, etag: &HeaderValue) -> Part {
    // A date, which is what else `If-Range` can be, matches nothing: we have given none.
    if request.get(header::IF_RANGE).is_some_and(|condition| condition != etag) {
        return Part::Whole;
    }
    let range = request.get(header::RANGE).and_then(|range| range.to_str().ok());
    range.and_then(|range| range.strip_prefix("bytes=")).and_then(|range| one(range.trim(), len)).unwrap_or(Part::Whole)
}

fn one(range: &str, len: u64) -> Option<Part> {
    let (first, last) = range.split_once('-')?;
    if first.is_empty() {
        let suffix = number(last)?;
        return Some(if suffix == 0 || len == 0 {
            Part::Unsatisfiable
        } else {
            Part::Only(len.saturating_sub(suffix)..len)
        });
    }
    let first = number(first)?;
    let end = if last.is_empty() { len } else { number(last)?.checked_add(1)?.min(len) };
    if !last.is_empty() && number(last)? < first {
        return None;
    }
    Some(if first < len { Part::Only(first..end) } else { Part::Unsatisfiable })
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: HeaderValue = HeaderValue::from_static("\"a\"");

    fn asked(range: &'static str, len: u64) -> Part {
        part(&HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))]), len, &TAG)
    }

    #[test]
    fn one_range_is_understood_in_each_of_its_forms() {
        assert_eq!(asked("bytes=0-0", 10), Part::Only(0..1));
        assert_eq!(asked("bytes=2-5", 10), Part::Only(2..6));
        assert_eq!(asked("bytes=2-", 10), Part::Only(2..10));
        assert_eq!(asked("bytes=2-99", 10), Part::Only(2..10));
        assert_eq!(asked("bytes=-3", 10), Part::Only(7..10));
        assert_eq!(asked("bytes=-30", 10), Part::Only(0..10));
    }

    #[test]
    fn a_range_behind_the_end_cannot_be_satisfied() {
        assert_eq!(asked("bytes=10-", 10), Part::Unsatisfiable);
        assert_eq!(asked("bytes=10-12", 10), Part::Unsatisfiable);
        assert_eq!(asked("bytes=-0", 10), Part::Unsatisfiable);
        assert_eq!(asked("bytes=0-0", 0), Part::Unsatisfiable);
        assert_eq!(asked("bytes=-1", 0), Part::Unsatisfiable);
    }

    #[test]
    fn what_is_not_one_range_gets_the_whole_file() {
        for range in [
            "bytes=0-1,3-4",
            "bytes=5-2",
            "bytes=x-",
            "bytes=+1-2",
            "bytes=-",
            "items=0-1",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(asked(range, 10), Part::Whole, "{range}");
        }
        assert_eq!(part(&HeaderMap::new(), 10, &TAG), Part::Whole);
    }

    #[test]
    fn a_part_of_another_version_is_not_sent() {
        let mut request = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static("bytes=0-1"))]);
        request.insert(header::IF_RANGE, HeaderValue::from_static("\"b\""));
        assert_eq!(part(&request, 10, &TAG), Part::Whole);
        request.insert(header::IF_RANGE, HeaderValue::from_static("W/\"a\""));
        assert_eq!(part(&request, 10, &TAG), Part::Whole);
        request.insert(header::IF_RANGE, TAG);
        assert_eq!(part(&request, 10, &TAG), Part::Only(0..2));
    }
}
