//! Those who ask, and what they ask for.

use crate::{
    support::{Answer, Browser, Database, PASSWORD, TestApp},
    table::{Door, How},
};
use app::{
    model::workspace::WorkspaceRole,
    ports::{Principal, WorkspaceMembersPort, WorkspacesPort},
};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, header::ACCEPT};
use server::config::Config;

/// What is in the note and in the file of a scene.
pub const NOTE: &str = "nobody else's business";
pub const MISSING: &str = "0198f000-0000-7000-8000-000000000000";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Not signed in.
    Nobody,
    /// A member of the organization who is in no workspace.
    Outsider,
    /// The owner of another workspace.
    Elsewhere,
    Reader,
    Editor,
    Owner,
    /// Of the organization; no member of the workspace.
    Administrator,
}

impl Actor {
    pub const ALL: [Self; 7] =
        [Self::Nobody, Self::Outsider, Self::Elsewhere, Self::Reader, Self::Editor, Self::Owner, Self::Administrator];
}

/// The people of a deployment, each with a browser.
pub struct People {
    pub app: TestApp,
    pub outsider: Principal,
    pub elsewhere: Principal,
    pub reader: Principal,
    pub editor: Principal,
    pub owner: Principal,
    /// One more owner, so that the other may go.
    pub companion: Principal,
    browsers: Vec<(Actor, Browser)>,
    /// The scene of another workspace.
    pub other: Option<Scene>,
}

/// A workspace with something in it.
#[derive(Clone, Debug)]
pub struct Scene {
    pub workspace: String,
    pub note: String,
    pub file: String,
    /// A member who is none of those who ask.
    pub user: String,
    /// Somebody who could be added.
    pub email: String,
}

impl People {
    pub async fn new(database: Database) -> Self {
        Self::with(database, |_| {}).await
    }

    /// The same in a deployment whose configuration is changed by `change` first.
    pub async fn with(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::start_with(database, change).await;
        let mut browsers = vec![(Actor::Nobody, app.browser()), (Actor::Administrator, app.signed_in().await)];
        let mut person = async |actor: Option<Actor>, name: &str| {
            let email = format!("{name}@example.com");
            let principal = app.add_member(&email).await;
            if let Some(actor) = actor {
                let mut browser = app.browser();
                let answer = browser.sign_in(&email, PASSWORD).await;
                assert!(answer.status.is_success(), "{answer:?}");
                browsers.push((actor, browser));
            }
            principal
        };
        let outsider = person(Some(Actor::Outsider), "outsider").await;
        let elsewhere = person(Some(Actor::Elsewhere), "elsewhere").await;
        let reader = person(Some(Actor::Reader), "reader").await;
        let editor = person(Some(Actor::Editor), "editor").await;
        let owner = person(Some(Actor::Owner), "owner").await;
        let companion = person(None, "companion").await;
        let mut people = Self { app, outsider, elsewhere, reader, editor, owner, companion, browsers, other: None };
        let other = people.filled(&people.elsewhere.clone()).await;
        people.other = Some(other);
        people
    }

    /// A browser of somebody whose the door is, and who is answered as the table says.
    pub fn browser_for(&self, door: &Door) -> Browser {
        let welcome = [Actor::Owner, Actor::Administrator].into_iter().find(|actor| door.expected(*actor) == door.good);
        self.browser(welcome.unwrap_or_else(|| panic!("nobody is let in at {}", door.path)))
    }

    pub fn browser(&self, actor: Actor) -> Browser {
        self.browsers.iter().find(|(who, _)| *who == actor).unwrap().1.clone()
    }

    /// A new workspace of the owner's, with its members.
    pub async fn scene(&self) -> Scene {
        let scene = self.filled(&self.owner).await;
        let members = [
            (&self.reader, WorkspaceRole::Reader),
            (&self.editor, WorkspaceRole::Editor),
            (&self.companion, WorkspaceRole::Owner),
        ];
        for (person, role) in members {
            self.app.services.workspaces.add_member(&self.owner, &scene.workspace, &person.email, role).await.unwrap();
        }
        scene
    }

    /// A new workspace of one person's.
    pub async fn filled(&self, owner: &Principal) -> Scene {
        let services = &self.app.services;
        let workspace = services.workspaces.create(owner, "Harbour survey", "").await.unwrap().id;
        let note = services.workspaces.create_note(owner, &workspace, NOTE).await.unwrap().id;
        let mut upload = services.files.begin_upload(owner, &workspace, "a.txt", "text/plain", Some(5)).await.unwrap();
        upload.write(Bytes::from_static(b"hello")).await.unwrap();
        let file = upload.finish().await.unwrap().id;
        Scene { workspace, note, file, user: self.companion.user_id.clone(), email: self.outsider.email.clone() }
    }

    /// Asks at a door.
    pub async fn ask(&self, actor: Actor, door: &Door, scene: &Scene) -> Answer {
        let mut browser = self.browser(actor);
        if door.how == How::LastCall && actor != Actor::Nobody {
            let email = self.email(actor);
            browser = self.app.browser();
            assert!(browser.sign_in(&email, PASSWORD).await.status.is_success());
        }
        // A stream of events has no end, so only its head is read.
        let request = request(&browser, door, scene);
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let is_stream = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream { Vec::new() } else { response.bytes().await.unwrap().to_vec() };
        Answer { status, headers, body }
    }

    fn email(&self, actor: Actor) -> String {
        let of = |person: &Principal| person.email.clone();
        match actor {
            Actor::Nobody => String::new(),
            Actor::Outsider => of(&self.outsider),
            Actor::Elsewhere => of(&self.elsewhere),
            Actor::Reader => of(&self.reader),
            Actor::Editor => of(&self.editor),
            Actor::Owner => of(&self.owner),
            Actor::Administrator => crate::support::ADMIN.to_owned(),
        }
    }
}

impl Scene {
    /// Text with the things of the scene in it.
    pub fn filled(&self, text: &str) -> String {
        let things = [
            ("{workspace}", self.workspace.as_str()),
            ("{id}", &self.workspace),
            ("{note}", &self.note),
            ("{file}", &self.file),
            ("{user}", &self.user),
            ("{email}", &self.email),
            ("{job}", MISSING),
            ("{token}", "none"),
            ("{format}", "json"),
            ("{folder}", "pkg"),
        ];
        things.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, &encoded_if_odd(value)))
    }
}

/// Ids and addresses go as they are; what is neither must not become another path.
fn encoded_if_odd(value: &str) -> String {
    let is_plain = value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c));
    if is_plain { value.to_owned() } else { utf8_percent_encode(value, NON_ALPHANUMERIC).to_string() }
}

/// The request, not sent yet.
pub fn request(browser: &Browser, door: &Door, scene: &Scene) -> RequestBuilder {
    let path = scene.filled(door.path);
    let fields: Vec<(&str, String)> = door.fields.iter().map(|(name, value)| (*name, scene.filled(value))).collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    match door.how {
        How::Page => browser.request(Method::GET, &path).header(ACCEPT, "text/html"),
        How::Get => browser.request(Method::GET, &with_query(&path, &fields)),
        How::Post => browser.request(Method::POST, &with_query(&path, &fields)),
        How::Upload => browser.upload(&scene.filled("{workspace}"), "b.txt").body("hello"),
        How::Call | How::LastCall => browser.form(&path, &fields).header(ACCEPT, "application/json"),
    }
}

fn with_query(path: &str, fields: &[(&str, &str)]) -> String {
    let query: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}
