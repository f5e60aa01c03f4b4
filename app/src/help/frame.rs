//! The document around a page of the guide: the way to the content, and the way back to the product.

use super::{HELP, Reader};
use crate::{
    components::icon::{Icon, SHIELD},
    return_path,
};
use leptos::prelude::*;

const PRODUCT: &str = "/settings/data-encryption";

/// A whole document. It is interactive as it arrives, and says so like every other page.
#[component]
pub fn Document(title: &'static str, reader: Reader, children: Children) -> impl IntoView {
    let (back, label) = if reader.is_signed_in {
        (PRODUCT.to_owned(), "Data Encryption")
    } else {
        (return_path::sign_in_for(PRODUCT), "Sign in")
    };
    view! {
        <!DOCTYPE html>
        <html lang="en" data-hydrated="true">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{title} " · Keystead"</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=reader.style/>
            </head>
            <body>
                <a class="skip" href="#content">
                    "Skip to content"
                </a>
                <div class="guide">
                    <header class="guide-head">
                        <a class="brand nav-item" href="/workspaces">
                            <Icon paths=SHIELD/>
                            <span>"Keystead"</span>
                        </a>
                        <nav class="row" aria-label="Main">
                            <a class="nav-item" href=HELP>
                                "Help"
                            </a>
                            <a class="button" href=back>
                                {label}
                            </a>
                        </nav>
                    </header>
                    <main class="guide-page" id="content" tabindex="-1">
                        {children()}
                    </main>
                </div>
            </body>
        </html>
    }
}
