//! Turns the dates that the server wrote into how long ago they were.

use super::page;
use crate::format;

/// Brings every such date on the page up to date.
pub fn refresh() {
    let now = page::now();
    for element in page::all("time[data-ago]") {
        let then = element.get_attribute("data-ago").and_then(|text| text.parse().ok());
        let date = element.get_attribute("title");
        if let Some(text) = then.and_then(|then| format::ago(now, then)).or(date) {
            element.set_text_content(Some(&text));
        }
    }
}
