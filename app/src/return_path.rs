//! Where to go after signing in. The path comes from the address bar, so anybody could have written it: only a path of this
//! site is followed, never another site's address.

/// Where people land when no other place was asked for.
pub const HOME: &str = "/workspaces";

/// `wanted` if it is a path of this site, else [`HOME`].
pub fn checked(wanted: &str) -> &str {
    let mut bytes = wanted.bytes();
    let starts_here = bytes.next() == Some(b'/') && !matches!(bytes.next(), Some(b'/' | b'\\'));
    // Browsers read a backslash as a slash and drop tabs and line ends, so neither may be in it.
    let plain = wanted.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    // Never back to the sign-in page, nor into a route that is not a page.
    let path = wanted.split(['?', '#']).next().unwrap_or_default();
    let is_page = path == "/workspaces"
        || path == "/settings"
        || path == "/account"
        || path == "/account/two-factor"
        || path == "/account/confirmed"
        || path.starts_with("/workspaces/")
        || path.starts_with("/settings/");
    if starts_here && plain && is_page && wanted.len() <= 512 && !wanted.contains("..") { wanted } else { HOME }
}

/// The sign-in page that returns to `path` afterwards.
pub fn sign_in_for(path: &str) -> String {
    let path = checked(path);
    if path == HOME {
        return "/sign-in".to_owned();
    }
    let mut target = String::from("/sign-in?next=");
    encode(&mut target, path);
    target
}

/// Appends `text` as a value in a query.
pub fn encode(target: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            target.push(char::from(byte));
        } else {
            const HEX: [u8; 16] = *b"0123456789ABCDEF";
            target.push('%');
            target.push(char::from(HEX[usize::from(byte >> 4)]));
            target.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_site_are_followed() {
        for path in [
            "/workspaces",
            "/workspaces/0198-ab",
            "/workspaces?after=x",
            "/settings",
            "/account",
            "/settings/data-encryption?x=1#y",
        ] {
            assert_eq!(checked(path), path);
        }
    }

    #[test]
    fn everything_else_leads_home() {
        for path in [
            "",
            "/",
            "//evil.example/workspaces",
            "/\\evil.example/workspaces",
            "/workspaces\\..\\..",
            "/workspaces/../../x",
            "https://evil.example/workspaces",
            "workspaces",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/workspaces\r\nSet-Cookie: a=b",
            "/workspaces/é",
            "/sign-in",
            "/api/sign_out",
            "/workspacesevil",
            "/account/confirm?then=/account",
            "/accounts",
        ] {
            assert_eq!(checked(path), HOME, "{path:?}");
        }
        assert_eq!(checked(&format!("/workspaces/{}", "x".repeat(600))), HOME);
    }

    #[test]
    fn the_path_travels_encoded() {
        assert_eq!(sign_in_for("/settings/data-encryption"), "/sign-in?next=/settings/data-encryption");
        assert_eq!(sign_in_for("/workspaces?after=a&b"), "/sign-in?next=/workspaces%3Fafter%3Da%26b");
        assert_eq!(sign_in_for("/workspaces"), "/sign-in");
        assert_eq!(sign_in_for("//evil.example"), "/sign-in");
    }
}
