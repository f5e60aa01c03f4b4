//! Files on their way to the server. At most two are sent at a time: a browser has six connections to a host, and the page
//! needs some of them for itself.

use crate::{
    browser::{live_parts, request},
    components::icon::{CROSS, Icon},
    format,
    model::error::{ApiError, Invalid},
};
use leptos::{ev, html, prelude::*};
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
struct Uploads {
    workspace: StoredValue<String>,
    /// The largest file the server takes, in bytes.
    limit: u64,
    list: RwSignal<Vec<Upload>>,
    /// Said once for people who cannot see the list.
    announcement: RwSignal<String>,
    counter: StoredValue<usize>,
    /// Event handlers have no owner of their own; what they make lives as long as the page.
    owner: StoredValue<Option<Owner>>,
}

impl Uploads {
    /// Takes files into the queue.
    fn add(self, files: Option<FileList>) {
        let Some((files, owner)) = files.zip(self.owner.get_value()) else { return };
        owner.with(|| {
            for file in (0..files.length()).filter_map(|at| files.item(at)) {
                self.add_one(file);
            }
        });
        self.pump();
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn add_one(self, file: File) {
        let bytes = file.size() as u64;
        let stage = if bytes > self.limit { Stage::Failed(Invalid::FileTooLarge.into()) } else { Stage::Waiting };
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
    fn pump(self) {
        let list = self.list.get_untracked();
        let sending = list.iter().filter(|upload| matches!(upload.stage.get_untracked(), Stage::Sending(_))).count();
        let waiting = list.iter().filter(|upload| upload.stage.get_untracked() == Stage::Waiting);
        for upload in waiting.take(AT_ONCE.saturating_sub(sending)) {
            self.start(*upload);
        }
    }

    fn start(self, upload: Upload) {
        upload.stage.set(Stage::Sending(0));
        let path = format!("/workspaces/{}/files", self.workspace.get_value());
        let progress = move |sent| upload.stage.set(Stage::Sending(sent));
        let ended = move |result: Result<(), ApiError>| {
            match result {
                Ok(()) => {
                    self.announcement.set(format!("Uploaded {}", upload.name.get_value()));
                    self.remove(upload);
                    // The list of files is the server's.
                    live_parts::bring_up_to_date();
                }
                Err(error) => upload.stage.set(Stage::Failed(error)),
            }
            self.pump();
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

    fn stop(self, upload: Upload) {
        if let Some(Some(request)) = upload.request.try_update_value(Option::take) {
            let _ = request.abort();
        }
        self.remove(upload);
        self.pump();
    }

    fn is_busy(self) -> bool {
        self.list.get_untracked().iter().any(|upload| !matches!(upload.stage.get_untracked(), Stage::Failed(_)))
    }
}

/// *Upload file*, dropping files anywhere on the page, and the files on their way.
#[island]
pub fn Uploader(workspace: String, limit: u64) -> impl IntoView {
    let uploads = Uploads {
        workspace: StoredValue::new(workspace),
        limit,
        list: RwSignal::new(Vec::new()),
        announcement: RwSignal::new(String::new()),
        counter: StoredValue::new(0),
        owner: StoredValue::new(Owner::current()),
    };
    let is_dragging = RwSignal::new(false);
    let input = NodeRef::<html::Input>::new();
    accept_drops(uploads, is_dragging);
    let choose = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let chosen = move |_| {
        if let Some(input) = input.get_untracked() {
            uploads.add(input.files());
            // So that the same file can be chosen once more.
            input.set_value("");
        }
    };
    view! {
        <div class="scripted">
            <label class="visually-hidden" for="file">
                "File"
            </label>
            <input class="visually-hidden" id="file" type="file" multiple tabindex="-1" node_ref=input on:change=chosen/>
            <button class="button primary" type="button" on:click=choose>
                "Upload file"
            </button>
        </div>
        <p class="visually-hidden" role="status">
            {move || uploads.announcement.get()}
        </p>
        <ul class="uploads">
            <For each=move || uploads.list.get() key=|upload| upload.number let:upload>
                <Line uploads upload/>
            </For>
        </ul>
        <div class="drop-hint" hidden=move || !is_dragging.get()>
            <p>"Drop files to upload them"</p>
        </div>
    }
}

/// Takes files that are dropped anywhere on the page, and asks before the page is left while files are being sent.
fn accept_drops(uploads: Uploads, is_dragging: RwSignal<bool>) {
    Effect::new(move |_| {
        let _ = window_event_listener(ev::dragover, move |event| {
            event.prevent_default();
            is_dragging.set(true);
        });
        let _ = window_event_listener(ev::dragleave, move |event| {
            // Leaving one element for another of the page is not leaving the page.
            if event.related_target().is_none() {
                is_dragging.set(false);
            }
        });
        let _ = window_event_listener(ev::drop, move |event| {
            event.prevent_default();
            is_dragging.set(false);
            uploads.add(event.data_transfer().and_then(|data| data.files()));
        });
        let _ = window_event_listener(ev::beforeunload, move |event| {
            if uploads.is_busy() {
                event.prevent_default();
            }
        });
    });
}

/// One file, with its own progress.
#[component]
fn Line(uploads: Uploads, upload: Upload) -> impl IntoView {
    let name = upload.name.get_value();
    let is_failed = move || matches!(upload.stage.get(), Stage::Failed(_));
    let sent = move || match upload.stage.get() {
        Stage::Sending(sent) => sent.min(upload.bytes),
        _ => 0,
    };
    let text = move || match upload.stage.get() {
        Stage::Waiting => "Waiting".to_owned(),
        Stage::Sending(sent) if sent >= upload.bytes => "Finishing".to_owned(),
        Stage::Sending(sent) => format!("{} %", format::percent(sent, upload.bytes)),
        Stage::Failed(ApiError::Invalid(Invalid::FileTooLarge)) => {
            let limit = format::bytes(uploads.limit);
            format!(
                "This file is too large. A file may have at most {limit}; this one has {}.",
                format::bytes(upload.bytes)
            )
        }
        Stage::Failed(error) => error.message().to_owned(),
    };
    let label = format!("Cancel {name}");
    let bar_label = format!("Progress of {name}");
    view! {
        <li>
            <span class="wrap">{name}</span>
            <span class="small soft">{format::bytes(upload.bytes)}</span>
            <progress
                aria-label=bar_label
                max=upload.bytes.max(1).to_string()
                value=move || sent().to_string()
                hidden=is_failed
            ></progress>
            <span
                class=move || if is_failed() { "small error" } else { "small soft num" }
                role=move || is_failed().then_some("alert")
            >
                {text}
            </span>
            <button
                class="icon-button"
                type="button"
                aria-label=label.clone()
                title=label
                on:click=move |_| uploads.stop(upload)
            >
                <Icon paths=CROSS/>
            </button>
        </li>
    }
}
