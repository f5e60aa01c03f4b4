//! Pages with a card and nothing else, without scripts: what is said when the interface cannot be shown, or has nothing to do.

/// A whole page.
///
/// `title`, which is also its heading, and `body` are HTML: what is not ours has to be [`escaped`] before. `folder` is where the
/// style sheet is.
pub(super) fn bare_page(folder: &str, title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Keystead</title>\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\
         <link rel=\"stylesheet\" href=\"/{folder}/keystead.css\"></head>\
         <body><main class=\"gate\"><section class=\"card\"><div class=\"body\">\
         <div class=\"brand\"><span>Keystead</span></div>\
         <h1>{title}</h1>{body}\
         </div></section></main></body></html>"
    )
}

/// Text as it may stand between tags, or in an attribute within double quotes.
pub(super) fn escaped(text: &str) -> std::borrow::Cow<'_, str> {
    html_escape::encode_double_quoted_attribute(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_what_it_stands_in() {
        assert_eq!(escaped("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
