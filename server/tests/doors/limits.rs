//! How much may be sent: every server function, and every other form, says so when it is too much, whether it was announced
//! or not.

use crate::{
    on_both_databases,
    scene::{NOTE, People},
    support::{Browser, Database},
    table::{DOORS, Door, How},
};
use app::{
    model::error::{ApiError, Invalid},
    ports::WorkspacesPort,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

on_both_databases!(every_form_says_when_it_is_sent_too_much);

/// One byte more than may be sent.
const TOO_MUCH: usize = 1024 * 1024 + 1;

fn takes_a_form(door: &Door) -> bool {
    matches!(door.how, How::Call | How::LastCall)
}

fn expected(door: &Door) -> ApiError {
    let is_note = door.path.ends_with("_note");
    if is_note { Invalid::NoteTooLong.into() } else { Invalid::TooMuch.into() }
}

/// The answer to a request with this header about its length, and with this much of its body, which is read to the end of
/// the connection.
async fn asked(people: &People, browser: &Browser, path: &str, length: &str, body: &[u8]) -> String {
    let mut connection = TcpStream::connect(people.app.address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nCookie: {}\r\n{length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        people.app.address,
        browser.cookie.as_deref().unwrap_or_default(),
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    timeout(crate::support::PATIENCE, connection.read_to_end(&mut answer))
        .await
        .expect("an answer and its end")
        .unwrap();
    String::from_utf8(answer).unwrap()
}

async fn every_form_says_when_it_is_sent_too_much(database: Database) {
    let people = People::new(database).await;
    let scene = people.scene().await;
    let piece = [format!("{TOO_MUCH:x}\r\n").as_bytes(), &vec![b'a'; TOO_MUCH]].concat();
    for door in DOORS.iter().filter(|door| takes_a_form(door)) {
        let browser = people.browser_for(door);
        let told = serde_json::to_string(&expected(door)).unwrap();
        // Announced, and none of it sent: the answer must not wait for it.
        let length = format!("Content-Length: {TOO_MUCH}");
        let answer = asked(&people, &browser, door.path, &length, &[]).await;
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.ends_with(&told), "{}: {answer}", door.path);
        // In a piece of which nobody says that it is the last.
        let answer = asked(&people, &browser, door.path, "Transfer-Encoding: chunked", &piece).await;
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains(&told), "{}: {answer}", door.path);
    }
    let (services, owner) = (&people.app.services, &people.owner);
    let notes = services.workspaces.notes(owner, &scene.workspace, None).await.unwrap();
    assert!(notes.items.len() == 1 && notes.items[0].text.contains(NOTE), "{notes:?}");
    people.app.stop().await;
}
