//! What is shown for an address that leads nowhere.

use crate::components::{
    icon::{Icon, SHIELD},
    redirect::page_status,
};
use leptos::prelude::*;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    page_status(404);
    view! {
        {super::tab_title("Not found")}
        <main class="gate">
            <section class="card">
                <div class="empty">
                    <Icon paths=SHIELD/>
                    <h1>"Page not found"</h1>
                    <p class="lede">"There is nothing at this address. It may have been deleted, or mistyped."</p>
                    <a class="button" href="/workspaces">
                        "Workspaces"
                    </a>
                </div>
            </section>
        </main>
    }
}
