//! The few pictures. All are decoration: what they mean is said in words beside them or in a label.

use leptos::prelude::*;

/// The shield mark of Keystead.
pub const SHIELD: &str = r#"<path stroke-width="1.8" d="M12 2.6 20.3 6v6.1c0 4.5-3.3 7.7-8.3 9.2-5-1.5-8.3-4.7-8.3-9.200V6z"/><circle stroke-width="1.8" cx="12" cy="9.8" r="2.4"/><path stroke-width="1.8" d="M12 12.500v4"/>"#;
/// Four tiles.
pub const TILES: &str = r#"<rect x="3.5" y="3.5" width="7" height="7" rx="1.5"/><rect x="13.5" y="3.5" width="7" height="7" rx="1.5"/><rect x="3.5" y="13.5" width="7" height="7" rx="1.5"/><rect x="13.5" y="13.5" width="7" height="7" rx="1.5"/>"#;
/// A gear.
pub const GEAR: &str = r#"<circle cx="12" cy="12" r="3"/><path d="m10.4 3-.500 2.3-1.7.700-2-1.200L4 7l1.3 1.9-.700 1.800L2.3 11v2.300l2.3.500.7 1.700L4 17.500l2.2 2 2-1.2 1.7.700.5 2.300h3.200l.500-2.3 1.7-.700 2 1.2 2.2-2-1.3-2 .700-1.7 2.3-.500V11l-2.3-.300-.700-1.800L20 7l-2.2-2.2-2 1.2-1.7-.700-.500-2.300z"/>"#;
/// A door with an arrow leaving.
pub const EXIT: &str = r#"<path d="M14 4.500H6.500v15H14M10.5 12H20m-3.5-3.500L20 12l-3.5 3.5"/>"#;
/// Two sheets.
pub const COPY: &str = r#"<rect x="8.5" y="8.5" width="11" height="11" rx="2"/><path d="M15.5 5.500a2 2 0 0 0-2-2h-8a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2"/>"#;
/// A closed padlock.
pub const PADLOCK: &str =
    r#"<rect x="4.5" y="10.5" width="15" height="10" rx="2"/><path d="M8 10.500V7.500a4 4 0 0 1 8 0v3"/>"#;
/// A triangle with an exclamation mark.
pub const WARNING: &str = r#"<path d="M12 4 21 19.500H3z"/><path d="M12 10v4.500m0 2v.5"/>"#;
/// A question mark in a circle.
pub const QUESTION: &str = r#"<circle cx="12" cy="12" r="8.5"/><path d="M9.500 9.700a2.500 2.500 0 1 1 3.600 2.200c-.700.400-1.100.900-1.100 1.700m0 2.600v.300"/>"#;
/// Two people.
pub const PEOPLE: &str = r#"<circle cx="9" cy="8" r="3.5"/><path d="M2.500 19.500c.5-4 3-6 6.500-6s6 2 6.500 6M15.500 4.800a3.500 3.500 0 0 1 0 6.400m2 2.800c2.300.700 3.700 2.600 4 5.500"/>"#;
/// A cross.
pub const CROSS: &str = r#"<path d="m6.5 6.5 11 11m0-11-11 11"/>"#;

/// One of the pictures above, drawn with the colour of the text around it.
#[component]
pub fn Icon(paths: &'static str) -> impl IntoView {
    view! {
        <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linejoin="round" aria-hidden="true"
            inner_html=paths>
        </svg>
    }
}
