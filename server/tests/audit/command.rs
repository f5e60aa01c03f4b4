//! `keystead audit verify` as an operator runs it, with its exit codes; and what other commands note.

use crate::{
    on_both_databases,
    scene::{all, attack, pairs, told},
    support::{Database, Ground, program::Program},
};
use server::store::Store;
use std::{process::Output, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

on_both_databases!(verify_says_by_its_exit_code_what_it_found, commands_that_change_something_are_noted);

fn verify(program: &Program, arguments: &[&str]) -> Output {
    program.command().args(["audit", "verify"]).args(arguments).output().unwrap()
}

fn code(output: &Output, expected: i32) -> String {
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(expected), "{told}");
    told
}

async fn started(ground: &Arc<Ground>) -> Program {
    Program::start_on(ground, "log", &[("KEYSTEAD_OBJECTS", "file:objects")]).await
}

async fn verify_says_by_its_exit_code_what_it_found(database: Database) {
    let ground = Ground::new(database).await;
    let mut program = started(&ground).await;
    let mut browser = program.signed_in().await;
    browser.call("create_workspace", &[("name", "Survey"), ("description", "")]).await;
    let arn = ground.keys.create().await;
    browser.call("test_key", &[("arn", &arn)]).await;
    // The head is signed within seconds after that, and told to the log.
    let until = Instant::now() + Duration::from_mins(1);
    while !program.logged().contains("audit_head_signed") {
        assert!(Instant::now() < until, "{}", program.logged());
        sleep(Duration::from_millis(200)).await;
    }
    sleep(Duration::from_secs(4)).await;
    program.kill();

    let told = code(&verify(&program, &[]), 0);
    assert!(told.contains("INTACT") && told.contains("KMS confirms"), "{told}");
    let log = program.path("log");
    let told = code(&verify(&program, &["--head", log.to_str().unwrap()]), 0);
    assert!(told.contains("from outside fits"), "{told}");
    let store = Store::connect(&ground.url).await.unwrap();
    let entries = all(&store).await;
    let last = entries.last().unwrap();
    let hash = hex::encode(&last.hash);
    let head = format!("{}:{hash}", last.sequence);
    code(&verify(&program, &["--head", &head]), 0);
    code(&verify(&program, &["--head", "no such file"]), 1);
    code(&verify(&program, &["--wrong"]), 2);

    // Under a key that was not the provider key nothing is confirmed.
    let other = ground.keys.create().await;
    let output = program.command().args(["audit", "verify"]).env("KEYSTEAD_PROVIDER_KEY_ARN", &other).output().unwrap();
    let told = code(&output, 4);
    assert!(told.contains("NOT VOUCHED FOR"), "{told}");
    let mut named = program.command();
    named.args(["audit", "verify", "--key", &ground.keys.provider]).env("KEYSTEAD_PROVIDER_KEY_ARN", &other);
    code(&named.output().unwrap(), 0);

    // The end is cut off cleanly: only the head from outside tells.
    let keep = 2;
    attack(
        &store,
        &[
            format!("DELETE FROM audit_entries WHERE sequence > {keep}"),
            format!("DELETE FROM audit_heads WHERE sequence > {keep}"),
            format!(
                "UPDATE audit_head SET sequence = {keep}, hash = (SELECT hash FROM audit_entries WHERE sequence = {keep})"
            ),
        ],
    )
    .await;
    let without = verify(&program, &[]);
    assert!(matches!(without.status.code(), Some(0 | 4)), "{without:?}");
    let told = code(&verify(&program, &["--head", &head]), 3);
    assert!(told.contains(&format!("entries 3 to {} are missing", last.sequence)), "{told}");
    // And an edit, without any head.
    attack(&store, &["UPDATE audit_entries SET address = '203.0.113.9' WHERE sequence = 2".to_owned()]).await;
    let told = code(&verify(&program, &[]), 3);
    assert!(told.contains("ALTERED") && told.contains("entry 2 was changed"), "{told}");
    store.close().await.unwrap();
    drop(program);
    ground.remove().await;
}

async fn commands_that_change_something_are_noted(database: Database) {
    let ground = Ground::new(database).await;
    let mut program = started(&ground).await;
    program.kill();
    let store = Store::connect(&ground.url).await.unwrap();
    let add = ["user", "add", "--email", "grace@example.com", "--name", "Grace", "--role", "member"];
    let added =
        program.command().args(add).env("KEYSTEAD_USER_PASSWORD", "a long enough pass phrase").output().unwrap();
    assert!(added.status.success(), "{added:?}");
    let begun = program.command().args(["backup", "begin"]).output().unwrap();
    let id = String::from_utf8(begun.stdout).unwrap().trim().to_owned();
    assert!(program.command().args(["backup", "end", &id]).status().unwrap().success());
    assert!(!program.command().args(["backup", "end", &id]).output().unwrap().status.success());
    let actions = ["user_added_by_operator", "backup_begun", "backup_ended"];
    let expected = [
        ("user_added_by_operator", "succeeded"),
        ("backup_begun", "succeeded"),
        ("backup_ended", "succeeded"),
        ("backup_ended", "failed"),
    ];
    assert_eq!(told(&store, &actions).await, pairs(&expected));
    let entries: Vec<_> =
        all(&store).await.into_iter().filter(|entry| actions.contains(&entry.action.as_str())).collect();
    assert!(entries.iter().all(|entry| entry.actor == "operator"), "{entries:?}");
    store.close().await.unwrap();
    drop(program);
    ground.remove().await;
}
