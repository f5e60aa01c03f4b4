//! Markdown, shown safely: what comes out holds no script, no style, no form and no image from elsewhere.

use std::{collections::HashSet, sync::LazyLock};

/// What a note may show. Images are left out: one from elsewhere would tell its server who reads the note.
static SANITIZER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut builder = ammonia::Builder::default();
    let tags = [
        "a",
        "p",
        "br",
        "hr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "em",
        "strong",
        "del",
        "code",
        "pre",
        "blockquote",
        "ul",
        "ol",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    ];
    builder
        .tags(HashSet::from(tags))
        .generic_attributes(HashSet::new())
        .tag_attributes([("a", HashSet::from(["href"]))].into())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"));
    builder
});

/// Turns Markdown (`CommonMark` with tables and strikethrough) into HTML that is safe to put into a page.
pub fn to_safe_html(markdown: &str) -> String {
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};
    // Headings of a note are below those of the page, so that the outline stays right.
    let lowered =
        Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).map(|event| match event {
            Event::Start(Tag::Heading { level, .. }) => {
                Event::Start(Tag::Heading { level: below(level), id: None, classes: vec![], attrs: vec![] })
            }
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below(level))),
            other => other,
        });
    let mut unsafe_html = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut unsafe_html, lowered);
    SANITIZER.clean(&unsafe_html).to_string()
}

fn below(level: pulldown_cmark::HeadingLevel) -> pulldown_cmark::HeadingLevel {
    use pulldown_cmark::HeadingLevel::{H1, H2, H3, H4, H5, H6};
    match level {
        H1 => H3,
        H2 => H4,
        H3 => H5,
        H4 | H5 | H6 => H6,
    }
}

#[cfg(test)]
mod tests {
    use super::to_safe_html;

    #[test]
    fn formatting_stays() {
        let html =
            to_safe_html("# Plan\n\n*soon* **now** ~~never~~ `x`\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |");
        for expected in
            ["<h3>Plan</h3>", "<em>soon</em>", "<strong>now</strong>", "<del>never</del>", "<li>one</li>", "<td>2</td>"]
        {
            assert!(html.contains(expected), "{expected} in {html}");
        }
    }

    #[test]
    fn nothing_active_gets_through() {
        for attack in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "[x](javascript:alert(1))",
            "<a href=\"java\tscript:alert(1)\">x</a>",
            "<svg onload=alert(1)>",
            "<iframe src=https://example.com></iframe>",
            "<style>*{display:none}</style>",
            "<form action=https://example.com><input></form>",
            "![x](https://example.com/pixel.png)",
            "[x](/sign-out)",
            "<p style=\"position:fixed\" class=\"badge\" id=\"arn\">x</p>",
        ] {
            let html = to_safe_html(attack).to_lowercase();
            for bad in [
                "<script",
                "onerror",
                "javascript:",
                "onload",
                "<iframe",
                "<style",
                "<form",
                "<img",
                "href=\"/",
                "style=",
                "class=",
                "id=",
            ] {
                assert!(!html.contains(bad), "{attack} became {html}");
            }
        }
    }
}
