//! Values in quotation marks, by the rules of each language.

use std::fmt::Write;

/// For a POSIX shell, which takes everything between two apostrophes as it is. A plain word needs none.
pub fn shell(text: &str) -> String {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// For YAML. Everything but printable ASCII is written as its number.
pub fn yaml(text: &str) -> String {
    quoted(text, |_| false)
}

/// For HCL: as YAML, but `$` and `%` could begin a template there.
pub fn hcl(text: &str) -> String {
    quoted(text, |character| matches!(character, '$' | '%'))
}

fn quoted(text: &str, is_special: impl Fn(char) -> bool) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' if !is_special(character) => quoted.push(character),
            // Writing to a string cannot fail.
            '\0'..='\u{ffff}' => _ = write!(quoted, "\\u{:04x}", u32::from(character)),
            _ => _ = write!(quoted, "\\U{:08x}", u32::from(character)),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_quotation_marks() {
        let hostile = "a'b\"c\\d\n${e}%{f}$$g`h`\u{7f}é😀";
        assert_eq!(shell(hostile), "'a'\\''b\"c\\d\n${e}%{f}$$g`h`\u{7f}é😀'");
        assert_eq!([shell("us-west-1"), shell("a b"), shell("")], ["us-west-1", "'a b'", "''"]);
        assert_eq!(yaml(hostile), r#""a'b\"c\\d\u000a${e}%{f}$$g`h`\u007f\u00e9\U0001f600""#);
        let of_hcl = r#""a'b\"c\\d\u000a\u0024{e}\u0025{f}\u0024\u0024g`h`\u007f\u00e9\U0001f600""#;
        assert_eq!(hcl(hostile), of_hcl);
    }
}
