//! What a page shows in place of data: locked, not there, not allowed.

use crate::{
    api::session::read_frame,
    components::{
        icon::{Icon, PADLOCK},
        moment::Moment,
        more::{More, Section},
        redirect::{GoToSignIn, page_status},
    },
    model::{error::ApiError, identity::Frame, lock::LockFace},
};
use leptos::{
    prelude::*,
    serde::{Serialize, de::DeserializeOwned},
};

/// The frame of the page being rendered: read once, used by all its parts.
#[derive(Clone, Copy)]
pub struct PageFrame(pub OnceResource<Result<Frame, ApiError>>);

impl PageFrame {
    /// Begins to read it, and provides it to everything inside.
    pub fn provide() -> Self {
        let frame = Self(OnceResource::new(read_frame()));
        provide_context(frame);
        frame
    }

    pub fn here() -> Self {
        expect_context::<Self>()
    }
}

/// Shows what `data` holds together with the frame; or why it cannot be shown, under the heading `untitled` if the page has
/// none of its own.
pub fn opened<T, Show>(
    data: OnceResource<Result<T, ApiError>>,
    untitled: Option<&'static str>,
    show: Show,
) -> impl IntoView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    Show: Fn(T, Frame) -> AnyView + Copy + Send + Sync + 'static,
{
    let PageFrame(frame) = PageFrame::here();
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match (data.await, frame.await) {
                    (Ok(data), Ok(frame)) => show(data, frame),
                    (Err(error), _) | (_, Err(error)) => {
                        view! {
                            {untitled.map(|title| view! { <h1>{title}</h1> })}
                            <Refusal error/>
                        }
                        .into_any()
                    }
                }
            })}
        </Suspense>
    }
}

/// Why there is no data.
#[component]
pub fn Refusal(error: ApiError) -> impl IntoView {
    match error {
        ApiError::SignedOut => view! { <GoToSignIn/> }.into_any(),
        ApiError::Locked(face) => view! { <Locked face=*face/> }.into_any(),
        error => {
            if matches!(error, ApiError::NotFound | ApiError::NotAllowed) {
                page_status(error.status());
            }
            view! {
                <section class="card" data-refused="true">
                    <div class="empty">
                        <h2>{if error == ApiError::NotFound { "Not found" } else { "This could not be shown" }}</h2>
                        <p class="lede">{error.message()}</p>
                        <div class="row">
                            <a class="button" href="">
                                "Try again"
                            </a>
                            <a class="button" href="/workspaces">
                                "Workspaces"
                            </a>
                        </div>
                    </div>
                </section>
            }
            .into_any()
        }
    }
}

/// The locked face: who or what locked the data, since when, and how access returns. `workspace` is the id of the one that is
/// locked alone.
#[component]
pub fn Locked(face: LockFace, #[prop(optional)] workspace: Option<String>) -> impl IntoView {
    view! {
        <section class="card" data-locked=face.part.word()>
            <div class="empty">
                <Icon paths=PADLOCK/>
                <h2>{face.headline()}</h2>
                <p class="lede">{face.reason()} {face.cause.kept()}</p>
                <p class="lede">{face.remedy()}</p>
                {face
                    .deletion_at
                    .map(|at| {
                        view! {
                            <p class="lede">
                                "AWS deletes the key on " <Moment at/>
                                ". After that, nothing that is stored here can ever be read again."
                            </p>
                        }
                    })}
                {workspace
                    .map(|id| {
                        view! {
                            <p class="small soft">"Scope in the key policy: " <span class="mono wrap">{id}</span></p>
                        }
                    })}
                <p class="small soft">
                    "Locked since " <Moment at=face.since seconds=true/>
                    {face.code.map(|code| view! { " · " <span class="mono">{code}</span> })}
                </p>
                <a class="button" href="/settings/data-encryption">
                    "Open Data Encryption"
                </a>
                <More about=Section::States/>
            </div>
        </section>
    }
}
