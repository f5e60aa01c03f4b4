//! Where one is signed in.

use crate::{
    api::account::{EndOtherSessions, EndSession},
    components::moment::{Ago, Moment},
    model::people::SessionEntry,
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn Card(sessions: Vec<SessionEntry>) -> impl IntoView {
    let others = sessions.iter().any(|session| !session.is_this);
    let rows = sessions.into_iter().map(|session| view! { <Row session/> }).collect_view();
    view! {
        <section class="card" aria-labelledby="sessions-title">
            <header>
                <h2 id="sessions-title">"Where you are signed in"</h2>
                {others
                    .then(|| {
                        view! {
                            <form method="post" action=EndOtherSessions::PATH>
                                <button class="button" type="submit">
                                    "Sign out everywhere else"
                                </button>
                            </form>
                        }
                    })}
            </header>
            <ul class="people" aria-labelledby="sessions-title">
                {rows}
            </ul>
        </section>
    }
}

#[component]
fn Row(session: SessionEntry) -> impl IntoView {
    let label = format!("End the session of {}", session.device);
    view! {
        <li>
            <div class="who-is">
                <p class="wrap">
                    <strong>{session.device}</strong>
                </p>
                <p class="small soft wrap">{session.address}</p>
            </div>
            <p class="small soft">
                "Since " <Moment at=session.since/> ", last used " <Ago at=session.last_seen_at/>
            </p>
            {if session.is_this {
                view! { <span class="badge good">"This session"</span> }.into_any()
            } else {
                view! {
                    <form method="post" action=EndSession::PATH>
                        <input type="hidden" name="session" value=session.id/>
                        <button class="button small" type="submit" aria-label=label>
                            "End"
                        </button>
                    </form>
                }
                    .into_any()
            }}
        </li>
    }
}
