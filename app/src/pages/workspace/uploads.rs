//! Files on their way to the server. At most two are sent at a time: a browser has six connections to a host, and the page
//! needs some of them for itself.

use super::Desk;
use crate::{
    browser::request,
    components::icon::{CROSS, Icon},
    format,
    live::Live,
    model::error::{ApiError, Invalid},
};
use leptos::{ev, prelude::*};
use web_sys::{File, FileList, XmlHttpRequest};

const AT_ONCE: usize = 2;

/// Where one file is.
#[derive(Clone, PartialEq)]
enum Stage {
    Waiting,
    /// How many bytes have left.
    Sending(u64),
    Failed(ApiError),
}

#[derive(Clone, Copy)]
struct Upload {
    number: usize,
    name: StoredValue<String>,
    bytes: u64,
    stage: RwSignal<Stage>,
    file: StoredValue<File, LocalStorage>,
    request: StoredValue<Option<XmlHttpRequest>, LocalStorage>,
}

/// The files on their way from one page.
#[derive(Clone, Copy)]
pub struct Uploads {
    list: RwSignal<Vec<Upload>>,
    counter: StoredValue<usize>,
    /// Said once for people who cannot see the list.
    announcement: RwSignal<String>,
    is_dragging: RwSignal<bool>,
    /// The largest file the server takes, in bytes.
    pub limit: StoredValue<u64>,
    /// Event handlers have no owner of their own; what they make lives as long as the page.
    owner: StoredValue<Option<Owner>>,
}

impl Uploads {
    pub fn new() -> Self {
        let uploads = Self {
            list: RwSignal::new(Vec::new()),
            counter: StoredValue::new(0),
            announcement: RwSignal::new(String::new()),
            is_dragging: RwSignal::new(false),
            limit: StoredValue::new(u64::MAX),
            owner: StoredValue::new(Owner::current()),
        };
        on_cleanup(move || {
            for upload in uploads.list.try_get_untracked().unwrap_or_default() {
                upload.abort();
            }
        });
        uploads
    }

    /// Takes files into the queue.
    pub fn add(self, desk: Desk, files: Option<FileList>) {
        let Some((files, owner)) = files.zip(self.owner.get_value()) else { return };
        owner.with(|| {
            for file in (0..files.length()).filter_map(|at| files.item(at)) {
                self.add_one(file);
            }
        });
        self.pump(desk);
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn add_one(self, file: File) {
        let bytes = file.size() as u64;
        let stage =
            if bytes > self.limit.get_value() { Stage::Failed(Invalid::FileTooLarge.into()) } else { Stage::Waiting };
        let number = self.counter.get_value();
        self.counter.set_value(number + 1);
        let upload = Upload {
            number,
            name: StoredValue::new(file.name()),
            bytes,
            stage: RwSignal::new(stage),
            file: StoredValue::new_local(file),
            request: StoredValue::new_local(None),
        };
        self.list.update(|list| list.push(upload));
    }

    /// Begins to send as many as may be sent at once.
    fn pump(self, desk: Desk) {
        let list = self.list.get_untracked();
        let sending = list.iter().filter(|upload| matches!(upload.stage.get_untracked(), Stage::Sending(_))).count();
        let waiting = list.iter().filter(|upload| upload.stage.get_untracked() == Stage::Waiting);
        for upload in waiting.take(AT_ONCE.saturating_sub(sending)) {
            self.start(desk, *upload);
        }
    }

    fn start(self, desk: Desk, upload: Upload) {
        upload.stage.set(Stage::Sending(0));
        let path = format!("/workspaces/{}/files", desk.id.get_untracked());
        let progress = move |sent| upload.stage.set(Stage::Sending(sent));
        let ended = move |result: Result<_, ApiError>| {
            match result {
                Ok(entry) => {
                    self.announcement.set(format!("Uploaded {}", upload.name.get_value()));
                    self.remove(upload);
                    desk.files.update(|files| files.insert(0, entry));
                }
                Err(error) => upload.stage.set(Stage::Failed(error)),
            }
            self.pump(desk);
        };
        let begun = upload.file.with_value(|file| request::upload(&path, file, progress, ended));
        match begun {
            Ok(request) => upload.request.set_value(Some(request)),
            Err(_) => upload.stage.set(Stage::Failed(ApiError::Connection)),
        }
    }

    fn remove(self, upload: Upload) {
        self.list.update(|list| list.retain(|other| other.number != upload.number));
    }
}

impl Upload {
    fn abort(self) {
        if let Some(Some(request)) = self.request.try_update_value(Option::take) {
            let _ = request.abort();
        }
    }
}

/// Takes files that are dropped anywhere on the page, and asks before the page is left while files are being sent.
pub fn accept_drops(desk: Desk) {
    let is_dragging = desk.uploads.is_dragging;
    let live = Live::here();
    Effect::new(move |_| {
        let over = window_event_listener(ev::dragover, move |event| {
            event.prevent_default();
            is_dragging.set(true);
        });
        let leave = window_event_listener(ev::dragleave, move |event| {
            // Leaving one element for another of the page is not leaving the page.
            if event.related_target().is_none() {
                is_dragging.set(false);
            }
        });
        let drop = window_event_listener(ev::drop, move |event| {
            event.prevent_default();
            is_dragging.set(false);
            if !live.is_locked.get_untracked() {
                desk.uploads.add(desk, event.data_transfer().and_then(|data| data.files()));
            }
        });
        let unload = window_event_listener(ev::beforeunload, move |event| {
            let list = desk.uploads.list.get_untracked();
            if list.iter().any(|upload| !matches!(upload.stage.get_untracked(), Stage::Failed(_))) {
                event.prevent_default();
            }
        });
        on_cleanup(move || {
            over.remove();
            leave.remove();
            drop.remove();
            unload.remove();
        });
    });
}

/// Shown while files are being dragged over the page.
#[component]
pub fn DropHint(desk: Desk) -> impl IntoView {
    view! {
        <div class="drop-hint" aria-hidden="true" hidden=move || !desk.uploads.is_dragging.get()>
            <p>"Drop files to upload them"</p>
        </div>
    }
}

/// The files on their way, each with its own progress.
#[component]
pub fn UploadList(desk: Desk) -> impl IntoView {
    let uploads = desk.uploads;
    view! {
        <p class="visually-hidden" role="status">
            {move || uploads.announcement.get()}
        </p>
        <ul class="uploads">
            <For each=move || uploads.list.get() key=|upload| upload.number let:upload>
                <Line desk upload/>
            </For>
        </ul>
    }
}

#[component]
fn Line(desk: Desk, upload: Upload) -> impl IntoView {
    let name = upload.name.get_value();
    let is_failed = Memo::new(move |_| matches!(upload.stage.get(), Stage::Failed(_)));
    let sent = move || match upload.stage.get() {
        Stage::Sending(sent) => sent.min(upload.bytes),
        _ => 0,
    };
    let text = move || match upload.stage.get() {
        Stage::Waiting => "Waiting".to_owned(),
        Stage::Sending(sent) if sent >= upload.bytes => "Finishing".to_owned(),
        Stage::Sending(sent) => format!("{} %", format::percent(sent, upload.bytes)),
        Stage::Failed(ApiError::Invalid(Invalid::FileTooLarge)) => {
            let limit = format::bytes(desk.uploads.limit.get_value());
            format!(
                "This file is too large. A file may have at most {limit}; this one has {}.",
                format::bytes(upload.bytes)
            )
        }
        Stage::Failed(error) => error.message().to_owned(),
    };
    let stop = move |_| {
        upload.abort();
        desk.uploads.remove(upload);
        desk.uploads.pump(desk);
    };
    let label = format!("Cancel {name}");
    let bar_label = format!("Progress of {name}");
    let max = upload.bytes.max(1).to_string();
    view! {
        <li>
            <span class="wrap">{name}</span>
            <span class="small soft">{format::bytes(upload.bytes)}</span>
            <Show when=move || !is_failed.get()>
                <progress aria-label=bar_label.clone() max=max.clone() value=move || sent().to_string()></progress>
            </Show>
            <span
                class=move || if is_failed.get() { "small error" } else { "small soft num" }
                role=move || if is_failed.get() { Some("alert") } else { None }
            >
                {text}
            </span>
            <button class="icon-button" type="button" aria-label=label.clone() title=label on:click=stop>
                <Icon paths=CROSS/>
            </button>
        </li>
    }
}
