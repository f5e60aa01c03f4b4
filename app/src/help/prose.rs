//! Text with marks in it, so that whole paragraphs can be written as they are read: `*a label*` is strong, and what stands
//! between back quotes is code.

use leptos::prelude::*;

/// A paragraph.
pub fn said(text: &str) -> AnyView {
    view! { <p>{marked(text)}</p> }.into_any()
}

/// Several paragraphs.
pub fn all_said<'a>(paragraphs: impl IntoIterator<Item = &'a str>) -> Vec<AnyView> {
    paragraphs.into_iter().map(said).collect()
}

/// The items of a list.
pub fn items<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<AnyView> {
    texts.into_iter().map(|text| view! { <li>{marked(text)}</li> }.into_any()).collect()
}

/// The text inside a paragraph, a list item or a cell.
pub fn marked(text: &str) -> Vec<AnyView> {
    let mut views = Vec::new();
    let mut left = text;
    while let Some(at) = left.find(['*', '`']) {
        let (before, marked) = left.split_at(at);
        let (mark, marked) = marked.split_at(1);
        let Some((inside, after)) = marked.split_once(mark) else { break };
        push(&mut views, before);
        let inside = inside.to_owned();
        views.push(match mark {
            "*" => view! { <strong>{inside}</strong> }.into_any(),
            _ => view! { <code>{inside}</code> }.into_any(),
        });
        left = after;
    }
    push(&mut views, left);
    views
}

fn push(views: &mut Vec<AnyView>, text: &str) {
    if !text.is_empty() {
        views.push(text.to_owned().into_any());
    }
}

/// A link to a page of AWS.
pub fn aws(page: &'static str, label: &'static str) -> AnyView {
    view! { <a href=page>{label}</a> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        Owner::new().with(|| said(text).to_html()).replace("<!>", "")
    }

    #[test]
    fn marks_become_elements_and_all_else_is_text() {
        assert_eq!(html("Press *Activate Key* once."), "<p>Press <strong>Activate Key</strong> once.</p>");
        assert_eq!(html("`kms:Encrypt`, <b>"), "<p><code>kms:Encrypt</code>, &lt;b&gt;</p>");
        assert_eq!(html("2 * 3 and `never closed"), "<p>2 * 3 and `never closed</p>");
    }
}
