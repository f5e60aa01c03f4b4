//! Pages of other sites, open in the same browser, change nothing: each server function that is registered, and each other
//! door that takes a POST, refuses them before it does anything.

use crate::{
    on_both_databases,
    scene::{Actor, NOTE, People, request},
    support::Database,
    table::{DOORS, Door, How},
};
use app::{model::error::ApiError, ports::WorkspacesPort};
use leptos::server_fn::axum::server_fn_paths;

on_both_databases!(no_door_lets_another_site_change_anything);

/// What browsers say of a request that a page of another site has made.
const FROM_ELSEWHERE: [(&str, &str); 4] = [
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("origin", "https://evil.example"),
    ("origin", "null"),
];

fn changes(door: &Door) -> bool {
    !matches!(door.how, How::Page | How::Get)
}

async fn no_door_lets_another_site_change_anything(database: Database) {
    let people = People::new(database).await;
    let scene = people.scene().await;
    let functions: Vec<&str> = server_fn_paths().map(|(path, _)| path).collect();
    assert!(functions.len() > 40, "the server functions are not registered here: {functions:?}");
    for function in &functions {
        assert!(
            DOORS.iter().filter(|door| changes(door)).any(|door| door.path == *function),
            "{function} is not asked"
        );
    }
    let mut asked = 0;
    for door in DOORS.iter().filter(|door| changes(door)) {
        // Somebody who would be let in: otherwise the refusal would say nothing.
        let browser = people.browser_for(door);
        for (name, value) in FROM_ELSEWHERE {
            let answer = browser.send(request(&browser, door, &scene).header(name, value)).await;
            assert_eq!(answer.status, 403, "{} with {name}: {value}: {answer:?}", door.path);
            if !answer.is_page() {
                assert_eq!(answer.json::<ApiError>(), ApiError::NotAllowed, "{}", door.path);
            }
            assert!(answer.header("set-cookie").is_none(), "{}", door.path);
            asked += 1;
        }
    }
    assert!(asked >= 4 * functions.len());
    // Everything is as it was, and nobody was signed out.
    let (services, owner) = (&people.app.services, &people.owner);
    let notes = services.workspaces.notes(owner, &scene.workspace, None).await.unwrap();
    assert_eq!(notes.items.len(), 1);
    assert!(notes.items[0].text.contains(NOTE), "{notes:?}");
    assert_eq!(services.workspaces.files(owner, &scene.workspace, None).await.unwrap().items.len(), 1);
    assert_eq!(services.workspaces.list(owner, None).await.unwrap().items.len(), 1);
    for actor in [Actor::Owner, Actor::Administrator] {
        assert_eq!(people.browser(actor).get("/state").await.status, 200, "{actor:?}");
    }
    people.app.stop().await;
}
