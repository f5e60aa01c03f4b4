//! An id of somebody else's, one that does not exist and one that is none have the same answer, to the byte, at every door
//! that takes ids. So nobody learns which ids exist.

use crate::{
    on_both_databases,
    scene::{Actor, MISSING, People, Scene},
    support::{Answer, Database},
    table::{DOORS, Door},
};
use app::ports::WorkspacesPort;

on_both_databases!(ids_that_are_not_yours_answer_as_if_they_were_none);

const NONE: [&str; 6] = ["x", "..", "' OR '1'='1", "00000000-0000-0000-0000-000000000000", "é", "%00"];

/// All that an answer says, without what differs each time.
fn said(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let changing = ["x-request-id", "date", "content-security-policy"];
    let headers = answer.headers.iter().filter(|(name, _)| !changing.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}"))).collect();
    // A page carries a nonce of its own; its status is enough.
    let body = if answer.is_page() { Vec::new() } else { answer.body.clone() };
    (answer.status.as_u16(), if answer.is_page() { Vec::new() } else { headers }, body)
}

fn uses(door: &Door, thing: &str) -> bool {
    door.fields.iter().any(|(_, value)| *value == thing)
        || (thing == "{workspace}" && door.path.contains("{id}"))
        || (thing == "{file}" && door.path.contains("{id}/files/{file}"))
}

async fn ids_that_are_not_yours_answer_as_if_they_were_none(database: Database) {
    let people = People::new(database).await;
    let own = people.scene().await;
    let other = people.other.clone().unwrap();
    let put = |thing: &str, id: &str| {
        let mut scene = own.clone();
        match thing {
            "{workspace}" => id.clone_into(&mut scene.workspace),
            "{note}" => id.clone_into(&mut scene.note),
            "{file}" => id.clone_into(&mut scene.file),
            _ => id.clone_into(&mut scene.user),
        }
        scene
    };
    let mut asked = 0;
    for door in DOORS.iter().filter(|door| door.is_in_a_workspace()) {
        let foreign: [(&str, &str); 4] = [
            ("{workspace}", &other.workspace),
            ("{note}", &other.note),
            ("{file}", &other.file),
            // Somebody of the organization who is no member of this workspace.
            ("{user}", &people.elsewhere.user_id),
        ];
        for (thing, id) in foreign.into_iter().filter(|(thing, _)| uses(door, thing)) {
            let missing = said(&people.ask(Actor::Owner, door, &put(thing, MISSING)).await);
            assert_eq!(missing.0, 404, "{thing} at {}", door.path);
            let scenes: Vec<Scene> = [id].iter().chain(&NONE).map(|id| put(thing, id)).collect();
            for scene in scenes {
                // An address that is none of ours any more has another page.
                let is_another =
                    door.path.contains("{id}") && [&scene.workspace, &scene.file].iter().any(|id| *id == "..");
                let answer = people.ask(Actor::Owner, door, &scene).await;
                if !is_another {
                    assert_eq!(said(&answer), missing, "{thing} at {}: {scene:?}", door.path);
                }
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "only {asked} were asked");
    // Nothing of anybody's was changed by it.
    let (services, owner) = (&people.app.services, &people.owner);
    assert_eq!(services.workspaces.notes(owner, &own.workspace, None).await.unwrap().items.len(), 1);
    assert_eq!(services.workspaces.notes(&people.elsewhere, &other.workspace, None).await.unwrap().items.len(), 1);
    people.app.stop().await;
}
