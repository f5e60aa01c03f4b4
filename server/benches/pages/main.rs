//! The list of 50 workspaces, served to somebody signed in: what it costs to zero memory as it is freed ([`zeroing`]), and what
//! the page costs beside a plain handler ([`plain`]).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "a benchmark may panic, prints rounded figures, and measures real time"
)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod client;
mod plain;
mod zeroing;

use app::ports::WorkspacesPort;
use client::Client;
use support::{Database, TestApp};
use zeroing::Switched;

const WORKSPACES: usize = 50;
/// Connections that ask at once: more than there are processors.
const CLIENTS: usize = 4;

#[global_allocator]
static ALLOCATOR: Switched = Switched;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (app, cookie, handler) = runtime.block_on(async {
        let app = TestApp::start(Database::Sqlite).await;
        let who = app.administrator().await;
        for n in 0..WORKSPACES {
            let (name, about) = (format!("Workspace {n:03}"), format!("What workspace {n} is for, in a sentence."));
            app.services.workspaces.create(&who, &name, &about).await.unwrap();
        }
        let cookie = app.signed_in().await.cookie.unwrap();
        let handler = plain::serve(&app).await;
        (app, cookie, handler)
    });
    let connect = |count| {
        [(app.address, "/workspaces"), (handler, "/list")]
            .map(|(address, path)| Client::many(count, address, path, &cookie))
    };
    let [mut page, mut list] = connect(CLIENTS);
    for client in [&mut page[0], &mut list[0]] {
        let answer = String::from_utf8(client.get().to_vec()).unwrap();
        println!("The list of {WORKSPACES} workspaces: {} bytes", answer.len());
        assert_eq!((0..WORKSPACES).filter(|n| answer.contains(&format!("Workspace {n:03}"))).count(), WORKSPACES);
    }
    zeroing::measure(&mut page);
    plain::measure(&mut page, &mut list, connect);
    drop((page, list));
    runtime.block_on(app.stop());
}
