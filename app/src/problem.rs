//! Addresses that bring back what was wrong with a plain form, and what was typed into it, where the framework's own way does not
//! reach. Anybody can write such an address, so all that is read from it is one of the closed set of errors.

use crate::{model::error::ApiError, return_path::encode};
use leptos::{prelude::*, serde_json};
use leptos_router::hooks::use_query_map;

const NAME: &str = "problem";

/// The address of `page` with what was typed, and with what was wrong.
pub fn address(page: &str, typed: &[(&str, &str)], problem: Option<&ApiError>) -> String {
    let problem = problem.and_then(|problem| serde_json::to_string(problem).ok());
    let values = typed.iter().copied().chain(problem.as_deref().map(|problem| (NAME, problem)));
    let mut address = page.to_owned();
    for (at, (name, value)) in values.enumerate() {
        address.push(if at == 0 { '?' } else { '&' });
        address.push_str(name);
        address.push('=');
        encode(&mut address, value);
    }
    address
}

/// What the address of the page being rendered says was wrong.
pub(crate) fn returned() -> Option<ApiError> {
    typed(NAME).and_then(|text| serde_json::from_str(&text).ok())
}

/// What the address says was typed into the field `name`.
pub(crate) fn typed(name: &str) -> Option<String> {
    use_query_map().with_untracked(|query| query.get(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_travels_encoded() {
        assert_eq!(address("/a", &[], None), "/a");
        assert_eq!(address("/a", &[("email", "a&b@c"), ("role", "member")], None), "/a?email=a%26b%40c&role=member");
        assert_eq!(address("/a", &[], Some(&ApiError::Busy)), "/a?problem=%22busy%22");
    }
}
