//! Every door is in the table, and answers everybody as the table says.

use crate::{
    on_both_databases,
    scene::{Actor, NOTE, People, request},
    support::Database,
    table::{DOORS, How},
};
use app::model::error::ApiError;
use leptos::server_fn::axum::server_fn_paths;
use reqwest::Method;
use server::http::{assets::Assets, pages, router::paths};
use std::collections::BTreeSet;

on_both_databases!(everybody_gets_at_each_door_what_the_table_says, a_door_has_no_other_methods);

/// As in the table, where the folder of the site's files has no name of its own.
fn known(path: &str) -> String {
    path.replace(Assets::load().folder(), "{folder}")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_is_in_the_table() {
    let mut found: BTreeSet<String> = paths(Assets::load().folder()).iter().map(|path| known(path)).collect();
    // What the application lists itself: pages and server functions.
    found.extend(pages::listed().iter().map(|route| route.path().to_owned()));
    let functions: Vec<(&str, http::Method)> = server_fn_paths().collect();
    assert!(functions.len() > 20, "the server functions are not registered here: {functions:?}");
    assert!(functions.iter().all(|(_, method)| *method == http::Method::POST), "{functions:?}");
    found.extend(functions.iter().map(|(path, _)| (*path).to_owned()));
    let listed: BTreeSet<String> = DOORS.iter().map(|door| door.path.to_owned()).collect();
    let missing: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(missing.is_empty(), "say in the table whose these doors are: {missing:?}");
    assert!(gone.is_empty(), "in the table, but no door any more: {gone:?}");
}

async fn everybody_gets_at_each_door_what_the_table_says(database: Database) {
    let people = People::new(database).await;
    let mut wrong = Vec::new();
    let shared = people.scene().await;
    for door in DOORS {
        for actor in Actor::ALL {
            // What was changed or deleted by the last one is there again for the next.
            let changes = door.is_in_a_workspace() && !matches!(door.how, How::Page | How::Get);
            let scene = if changes { people.scene().await } else { shared.clone() };
            let answer = people.ask(actor, door, &scene).await;
            let (expected, got) = (door.expected(actor), answer.status.as_u16());
            if got != expected {
                wrong.push(format!("{actor:?} at {} {:?}: {got} instead of {expected}", door.path, door.fields));
            }
            if expected == 404 && !answer.is_page() && door.is_in_a_workspace() {
                assert_eq!(answer.json::<ApiError>(), ApiError::NotFound, "{actor:?} at {}", door.path);
            }
            if got >= 400 {
                assert!(!String::from_utf8_lossy(&answer.body).contains(NOTE), "{actor:?} at {}", door.path);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    people.app.stop().await;
}

/// What is not in the table is not there, also not for an owner.
async fn a_door_has_no_other_methods(database: Database) {
    let people = People::new(database).await;
    let scene = people.scene().await;
    let browser = people.browser(Actor::Owner);
    for door in DOORS {
        let here: Vec<Method> = DOORS
            .iter()
            .filter(|other| other.path == door.path)
            .map(|other| if matches!(other.how, How::Page | How::Get) { Method::GET } else { Method::POST })
            .collect();
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if here.contains(&method) {
                continue;
            }
            let path = request(&browser, door, &scene).build().unwrap().url().path().to_owned();
            let answer = browser.send(browser.request(method.clone(), &path)).await;
            assert!([404, 405].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.status);
        }
    }
    people.app.stop().await;
}
