//! One change at a time, over HTTP, with what is known of it afterwards written into the model.

use super::model::{
    Key, Kind, Model, State, file_content, file_name, note_text, workspace_description, workspace_name,
};
use crate::support::Browser;
use bytes::Bytes;
use reqwest::{Body, RequestBuilder, header::LOCATION};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// How long an answer may take. Longer than any outage here.
const TIME: Duration = Duration::from_secs(40);
/// A piece of a slow upload.
const PIECE: usize = 512 * 1024;

/// How an upload is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Whole, with its length said first.
    AtOnce,
    /// In pieces, with so long between two of them.
    Slow(Duration),
    /// As slow, and broken off before the end.
    BrokenOff(Duration),
}

/// What became of a call.
pub enum Answer {
    /// It was acknowledged. The body, and where it leads.
    Done(serde_json::Value, Option<String>),
    /// The server said that it did not do it.
    Refused,
    /// It may have happened.
    Lost,
}

/// Whoever calls a server, with the model of what it must hold.
#[derive(Clone)]
pub struct Caller {
    pub browser: Browser,
    model: Arc<Mutex<Model>>,
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
    wrong: Arc<Mutex<Option<String>>>,
}

impl Caller {
    pub fn new(browser: Browser) -> Self {
        Self { browser, model: Arc::default(), counts: Arc::default(), wrong: Arc::default() }
    }

    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap()
    }

    /// The first thing that a client found wrong.
    pub fn wrong(&self) -> Option<String> {
        self.wrong.lock().unwrap().clone()
    }

    pub fn is_wrong(&self, what: String) {
        self.wrong.lock().unwrap().get_or_insert(what);
    }

    /// How often each thing happened.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.lock().unwrap().clone()
    }

    pub fn count(&self, what: &str, by: u64) {
        *self.counts.lock().unwrap().entry(what.to_owned()).or_default() += by;
    }

    /// Calls a server function.
    pub async fn call(&self, function: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.browser.form(&format!("/api/{function}"), fields).header("accept", "application/json");
        self.send(function, request).await
    }

    async fn send(&self, what: &str, request: RequestBuilder) -> Answer {
        let answer = self.try_send(what, request).await;
        let word = match &answer {
            Answer::Done(..) => "acknowledged",
            Answer::Refused => "refused",
            Answer::Lost => "lost",
        };
        self.count(&format!("{what} {word}"), 1);
        answer
    }

    async fn try_send(&self, what: &str, request: RequestBuilder) -> Answer {
        let Ok(answer) = request.timeout(TIME).send().await else { return Answer::Lost };
        let status = answer.status();
        let leads = answer.headers().get(LOCATION).and_then(|place| place.to_str().ok()).map(str::to_owned);
        let Ok(body) = answer.text().await else { return Answer::Lost };
        if status.is_success() || status.is_redirection() {
            return Answer::Done(serde_json::from_str(&body).unwrap_or_default(), leads);
        }
        match status.as_u16() {
            // What each client acts upon is there, nobody else changes it, and all of it is allowed.
            400 | 401 | 403 | 404 | 409 | 412 | 422 => {
                self.is_wrong(format!("{what} of something acknowledged was refused: {status} {body}"));
                Answer::Refused
            }
            423 => Answer::Refused,
            _ => Answer::Lost,
        }
    }

    /// Sends a change that leads to `state`, and notes in the model what became of it. Gives the answer if it was done.
    async fn change(&self, key: Key, state: State, what: &str, request: RequestBuilder) -> Option<serde_json::Value> {
        self.model().begins(key, state);
        match self.send(what, request).await {
            Answer::Done(body, leads) => {
                let mut model = self.model();
                model.happened(key, state);
                if let Some(item) = model.item(key) {
                    let stored = body.get("stored").unwrap_or(&body);
                    if let Some(id) = stored["id"].as_str().or(leads.as_deref().and_then(last_part)) {
                        item.id = Some(id.to_owned());
                    }
                    item.rev = stored["rev"].as_i64().unwrap_or(item.rev);
                }
                Some(body)
            }
            Answer::Refused => {
                self.model().refused(key, state);
                None
            }
            Answer::Lost => None,
        }
    }

    fn form(&self, function: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.browser.form(&format!("/api/{function}"), fields).header("accept", "application/json")
    }

    /// How the server calls the workspace that an item is in.
    fn workspace_id(&self, key: Key) -> Option<String> {
        self.model().item(Key { kind: Kind::Workspace, token: key.workspace, ..key })?.id.clone()
    }

    /// How the server calls an item, its revision, and the version that comes after the one it is in.
    fn next(&self, key: Key) -> Option<(String, i64, u32)> {
        let mut model = self.model();
        let item = model.item(key)?;
        Some((item.id.clone()?, item.rev, item.version()? + 1))
    }

    pub async fn create_workspace(&self) -> Key {
        let key = self.model().invent(Kind::Workspace, 0, 0);
        let (name, description) = (workspace_name(key.token, 1), workspace_description(key.token, 1));
        let request = self.form("create_workspace", &[("name", &name), ("description", &description)]);
        if self.change(key, Some(1), "create_workspace", request).await.is_some()
            && let Some(item) = self.model().item(key)
        {
            item.rev = 1;
        }
        key
    }

    pub async fn rename_workspace(&self, key: Key) {
        let Some((id, rev, version)) = self.next(key) else { return };
        let (name, description) = (workspace_name(key.token, version), workspace_description(key.token, version));
        let fields =
            [("workspace", id.as_str()), ("rev", &rev.to_string()), ("name", &name), ("description", &description)];
        let request = self.form("update_workspace", &fields);
        let answer = self.change(key, Some(version), "update_workspace", request).await;
        self.must_be_stored("update_workspace", answer);
    }

    pub async fn delete_workspace(&self, key: Key) {
        let Some(id) = self.workspace_id(key) else { return };
        let request = self.form("delete_workspace", &[("workspace", &id)]);
        self.change(key, None, "delete_workspace", request).await;
    }

    pub async fn create_note(&self, workspace: Key) {
        let Some(id) = self.workspace_id(workspace) else { return };
        let key = self.model().invent(Kind::Note, workspace.workspace, 0);
        let text = note_text(key.token, 1);
        let request = self.form("create_note", &[("workspace", &id), ("text", &text)]);
        self.change(key, Some(1), "create_note", request).await;
    }

    pub async fn update_note(&self, key: Key) {
        let (Some(workspace), Some((id, rev, version))) = (self.workspace_id(key), self.next(key)) else { return };
        let text = note_text(key.token, version);
        let fields = [("workspace", workspace.as_str()), ("note", &id), ("rev", &rev.to_string()), ("text", &text)];
        let answer = self.change(key, Some(version), "update_note", self.form("update_note", &fields)).await;
        self.must_be_stored("update_note", answer);
    }

    pub async fn delete_note(&self, key: Key) {
        let (Some(workspace), Some((id, ..))) = (self.workspace_id(key), self.next(key)) else { return };
        let request = self.form("delete_note", &[("workspace", &workspace), ("note", &id)]);
        self.change(key, None, "delete_note", request).await;
    }

    pub async fn rename_file(&self, key: Key) {
        let (Some(workspace), Some((id, _, version))) = (self.workspace_id(key), self.next(key)) else { return };
        let name = file_name(key.token, version);
        let request = self.form("rename_file", &[("workspace", &workspace), ("file", &id), ("name", &name)]);
        self.change(key, Some(version), "rename_file", request).await;
    }

    pub async fn delete_file(&self, key: Key) {
        let (Some(workspace), Some((id, ..))) = (self.workspace_id(key), self.next(key)) else { return };
        let request = self.form("delete_file", &[("workspace", &workspace), ("file", &id)]);
        self.change(key, None, "delete_file", request).await;
    }

    /// Uploads a file. One that is broken off must not be there afterwards, so the model never hears of it.
    pub async fn upload(&self, workspace: Key, size: usize, pace: Pace) {
        let Some((key, request)) = self.uploading(workspace, size, pace) else { return };
        if matches!(pace, Pace::BrokenOff(_)) {
            self.model().remove(key);
            match request.timeout(TIME).send().await {
                Ok(answer) if answer.status().is_success() => {
                    self.is_wrong("an upload that was broken off was acknowledged".to_owned());
                }
                _ => self.count("upload broken off", 1),
            }
            return;
        }
        self.change(key, Some(1), if size > 8 << 20 { "large upload" } else { "upload" }, request).await;
    }

    fn uploading(&self, workspace: Key, size: usize, pace: Pace) -> Option<(Key, RequestBuilder)> {
        let id = self.workspace_id(workspace)?;
        let key = self.model().invent(Kind::File, workspace.workspace, size);
        let content = Bytes::from(file_content(key.token, size));
        let body = match pace {
            Pace::AtOnce => Body::from(content),
            Pace::Slow(pause) => in_pieces(content, pause, false),
            Pace::BrokenOff(pause) => in_pieces(content, pause, true),
        };
        Some((key, self.browser.upload(&id, &file_name(key.token, 1)).body(body)))
    }

    /// Uploads into a workspace while it is being deleted. Either may come first; nothing may be left of the file if the
    /// workspace is gone.
    pub async fn delete_workspace_under_an_upload(&self, workspace: Key, size: usize, pause: Duration) {
        let Some((key, request)) = self.uploading(workspace, size, Pace::Slow(pause)) else { return };
        self.model().begins(key, Some(1));
        let (_, ()) = tokio::join!(request.timeout(TIME).send(), self.delete_workspace(workspace));
        self.count("upload into a workspace that is deleted", 1);
    }

    /// Nobody else changes what a client changes, so there can be no conflict.
    fn must_be_stored(&self, what: &str, answer: Option<serde_json::Value>) {
        if let Some(answer) = answer
            && answer.get("stored").is_none()
        {
            self.is_wrong(format!("{what} met a change of somebody else's: {answer}"));
        }
    }
}

fn last_part(place: &str) -> Option<&str> {
    place.rsplit('/').next()
}

fn in_pieces(content: Bytes, pause: Duration, break_off: bool) -> Body {
    let pieces = futures::stream::unfold(content, move |mut left| async move {
        tokio::time::sleep(pause).await;
        if left.len() <= PIECE && break_off {
            return Some((Err(std::io::Error::other("broken off, as planned")), Bytes::new()));
        }
        if left.is_empty() {
            return None;
        }
        let piece = left.split_to(PIECE.min(left.len()));
        Some((Ok(piece), left))
    });
    Body::wrap_stream(pieces)
}
