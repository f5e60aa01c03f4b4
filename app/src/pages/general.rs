//! General settings: what the organization is called, where its deployment runs, and on which servers.
//!
//! Forms are plain ones; of all this only the part that brings the servers up to date is compiled for the browser.

use crate::{
    api::organization::{RenameOrganization, read_general},
    components::{
        current::KeepCurrent,
        form::{FieldNote, returned_error},
        moment::Moment,
        opened::opened,
    },
    format,
    model::{
        error::ApiError,
        identity::{Deployment, Frame},
        organization::{General, ServerLine, ServerState},
    },
    problem,
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn GeneralPage() -> impl IntoView {
    let general = OnceResource::new(read_general());
    view! {
        {super::tab_title("Organization Settings")}
        {opened(general, None, |general, frame| view! { <Cards general frame/> }.into_any())}
    }
}

#[component]
fn Cards(general: General, frame: Frame) -> impl IntoView {
    let place = frame.deployment;
    let failed = problem::returned().or_else(returned_error::<RenameOrganization>);
    let is_done = problem::typed("done").as_deref() == Some("name") && failed.is_none();
    view! {
        <div>
            <h2>"General"</h2>
            <p class="lede">"What your organization is called, and where its data is served from."</p>
        </div>
        {is_done.then(|| view! { <p class="notice good" role="status">"The new name is saved."</p> })}
        <Name name=place.organization.clone() may_change=general.may_change failed/>
        <Place place/>
        <div data-part="servers">
            <Servers general/>
        </div>
        <KeepCurrent/>
    }
}

/// The organization's name, and the form that changes it.
#[component]
fn Name(name: String, may_change: bool, failed: Option<ApiError>) -> impl IntoView {
    let is_wrong = failed.is_some();
    let typed = problem::typed("name").filter(|_| is_wrong);
    let inside = if may_change {
        view! {
            <form class="body" method="post" action=RenameOrganization::PATH>
                <div class="field">
                    <label for="organization-name">"Name"</label>
                    <input
                        class="input"
                        id="organization-name"
                        name="name"
                        required
                        maxlength="120"
                        autocomplete="organization"
                        value=typed.unwrap_or(name)
                        aria-invalid=is_wrong.then_some("true")
                        aria-describedby="organization-name-hint organization-name-error"
                    />
                    <p class="hint" id="organization-name-hint">
                        "Everybody sees it, also on the sign-in page and in invitations."
                    </p>
                    <FieldNote id="organization-name-error" error=failed/>
                </div>
                <div class="row">
                    <button class="button primary" type="submit">
                        "Save"
                    </button>
                </div>
            </form>
        }
        .into_any()
    } else {
        view! {
            <div class="body">
                <p class="wrap">
                    <strong>{name}</strong>
                </p>
                <p class="small soft">"Only administrators can change the name."</p>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="organization">
            <header>
                <h3 id="organization">"Organization"</h3>
            </header>
            {inside}
        </section>
    }
}

#[component]
fn Place(place: Deployment) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="deployment">
            <header>
                <h3 id="deployment">"Deployment"</h3>
            </header>
            <div class="body">
                <dl class="facts">
                    <dt>"Deployment id"</dt>
                    <dd class="mono wrap">{place.id}</dd>
                    <dt>"AWS region"</dt>
                    <dd class="mono">{place.region}</dd>
                    <dt>"Largest file"</dt>
                    <dd>{format::bytes(place.max_file_bytes)}</dd>
                    <dt>"Version"</dt>
                    <dd class="mono">{place.version}</dd>
                </dl>
                <p class="small soft">"Your operator sets these."</p>
            </div>
        </section>
    }
}

/// How many servers there are; for administrators also which, and how each stands to the key.
#[component]
fn Servers(general: General) -> impl IntoView {
    let are_any = |state: ServerState| general.lines.iter().any(|line| line.state == state);
    let (class, badge) = if general.servers.locked > 0 {
        ("badge bad", "Access has ended")
    } else if are_any(ServerState::Suspect) {
        ("badge warn", "Key in doubt")
    } else if are_any(ServerState::Silent) {
        ("badge warn", "One or more are silent")
    } else {
        ("badge good", "In order")
    };
    let standing = general.servers.standing().unwrap_or_else(|| "No server is known".to_owned());
    let versions = general.lines.iter().filter(|line| line.state != ServerState::Silent).map(|line| &line.version);
    let are_mixed = versions.clone().any(|version| Some(version) != versions.clone().next());
    let lines = general.lines.into_iter().map(|line| view! { <Line line/> }).collect_view();
    view! {
        <section class="card" aria-labelledby="servers">
            <header>
                <h3 id="servers">"Servers"</h3>
                <span class=class>{badge}</span>
            </header>
            <div class="body">
                <p>{standing} "."</p>
                {are_mixed
                    .then(|| {
                        view! {
                            <p class="notice warn">
                                "The servers run different versions. That is right only while they are being updated."
                            </p>
                        }
                    })}
            </div>
            {general.may_change.then(|| view! { <ul class="people" aria-label="List of servers">{lines}</ul> })}
        </section>
    }
}

#[component]
fn Line(line: ServerLine) -> impl IntoView {
    let (class, word) = match line.state {
        ServerState::Open => ("badge good", "With the key"),
        ServerState::Suspect => ("badge warn", "Key in doubt"),
        ServerState::Locked => ("badge bad", "Access ended"),
        ServerState::Silent => ("badge warn", "Silent"),
    };
    let heard = format::seconds(line.heard_ms_ago / 1_000);
    let is_silent = line.state == ServerState::Silent;
    let verified = match line.verified_at {
        Some(at) => view! { "Last key check passed: " <Moment at seconds=true/> }.into_any(),
        None => "No key check has passed yet".into_any(),
    };
    view! {
        <li>
            <div class="who-is">
                <p class="wrap">
                    <strong>{line.name}</strong>
                    {line.is_this.then_some(" (shows this page)")}
                </p>
                <p class="small soft">"Version " <span class="mono">{line.version}</span></p>
            </div>
            <div>
                <p class="row">
                    <span class=class>{word}</span>
                </p>
                <p class="small soft">
                    {if is_silent {
                        "It has stopped, or cannot reach the database.".into_any()
                    } else {
                        view! { "Since " <Moment at=line.since seconds=true/> }.into_any()
                    }}
                </p>
            </div>
            <div class="small soft">
                <p>"Last heard " {heard} " ago"</p>
                <p>{verified}</p>
                <p>"Running since " <Moment at=line.started_at/></p>
            </div>
        </li>
    }
}
