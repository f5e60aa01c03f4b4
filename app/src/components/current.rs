//! Keeps a page current that only shows: its parts (`data-part`) are asked for again and exchanged in place. What people type
//! into must be in no such part, and neither must anything they press.

use crate::browser::{live_parts, watch};
use leptos::prelude::*;
use std::time::Duration;

/// As often as servers write their rows.
const EVERY: Duration = Duration::from_secs(5);

/// The island that does it. It shows nothing.
#[island]
pub fn KeepCurrent() -> impl IntoView {
    Effect::new(|_| watch::every(EVERY, live_parts::bring_up_to_date));
}
