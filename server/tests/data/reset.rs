//! Data that is locked under a key that is gone for ever: what refuses to destroy it, and what is left afterwards.

use crate::{
    on_both_databases,
    steps::{Filled, activate, headers_agree, rows, tamper, view},
    support::{
        Database, TestApp, content,
        program::{Program, objects_below},
    },
};
use app::{
    model::{encryption::RootKind, job::JobFailure},
    ports::{OrganizationPort, WorkspacesPort},
};
use bytes::Bytes;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use server::{
    services::reset::{Loss, Reset, ResetRefused},
    store::{
        Store, database_now,
        entities::{data_key, encryption, reset, server as running},
        house,
    },
};
use std::{
    collections::HashSet,
    io::Write,
    process::{Output, Stdio},
    time::Duration,
};
use uuid::Uuid;
use vault::Kms;

on_both_databases!(
    nothing_is_destroyed_while_the_key_can_come_back,
    nothing_is_destroyed_while_a_server_can_use_the_key,
    nothing_is_destroyed_without_the_right_confirmation_or_a_provider_key,
    a_deployment_whose_key_is_gone_begins_anew,
    a_job_that_lost_its_key_ends_as_failed,
    a_damaged_data_key_is_a_reason_too,
);

async fn reset_of(app: &TestApp) -> Reset {
    Reset::open(&app.config, app.services.store.clone(), Kms::new(&app.keys.kms)).await.unwrap()
}

/// The ARN of a key that does not exist.
fn nowhere(arn: &str) -> String {
    format!("{}0000", &arn[..arn.len() - 4])
}

/// As if AWS had deleted the customer's key: the database names one that does not exist, and so do the wrapped data keys,
/// which the local KMS begins with the id of their key.
async fn lose_the_key(store: &Store) -> String {
    let arn = nowhere(&house::root(store.read()).await.unwrap().root_key_arn);
    let (_, id) = arn.rsplit_once('/').unwrap();
    for key in house::all_keys(store.read()).await.unwrap() {
        let mut wrapped = key.wrapped.clone();
        wrapped[..id.len()].copy_from_slice(id.as_bytes());
        let gone = data_key::ActiveModel { id: Set(key.id), wrapped: Set(wrapped), ..Default::default() };
        data_key::Entity::update(gone).exec(store.write()).await.unwrap();
    }
    let lost = format!("UPDATE encryption SET root_kind = 'customer', root_key_arn = '{arn}'");
    store.write().execute_unprepared(&lost).await.unwrap();
    arn
}

/// The same, and the server has found out.
async fn locked_for_ever(app: &TestApp) -> String {
    let arn = lose_the_key(&app.services.store).await;
    locked(app).await;
    arn
}

/// Waits until the data is locked and the server has said so.
async fn locked(app: &TestApp) {
    app.until("data is locked", |app| app.services.organization.lock().is_some()).await;
    for _ in 0..600 {
        if rows(app, "SELECT id FROM servers WHERE key_state <> 'locked'").await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server does not say that it is locked");
}

/// Everything that a reset may change.
async fn state(app: &TestApp) -> (encryption::Model, Vec<data_key::Model>, [usize; 5]) {
    let on = app.services.store.read();
    let mut counts = [0; 5];
    for (count, table) in counts.iter_mut().zip(["workspaces", "notes", "files", "objects", "resets"]) {
        *count = rows(app, &format!("SELECT id FROM {table}")).await.len();
    }
    let mut root = house::root(on).await.unwrap();
    // Taking the lock of the house counts as no change.
    root.turn = 0;
    (root, house::all_keys(on).await.unwrap(), counts)
}

async fn nothing_is_destroyed_while_the_key_can_come_back(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let reset = reset_of(&app).await;
    assert!(matches!(reset.plan().await, Err(ResetRefused::ProviderKeyWorks)));

    let filled = Filled::new(&app, &who, "Claims triage", 2, &[1000]).await;
    let arn = activate(&app, &who).await;
    let before = state(&app).await;
    assert!(matches!(reset.plan().await, Err(ResetRefused::KeyWorks)));

    app.keys.disable(&arn).await;
    locked(&app).await;
    let refused = reset.plan().await.unwrap_err();
    assert!(matches!(refused, ResetRefused::CanComeBack(_)), "{refused}");
    assert!(refused.to_string().contains("DisabledException"), "{refused}");
    app.keys.enable(&arn).await;
    app.keys.kms.schedule_key_deletion().key_id(&arn).pending_window_in_days(7).send().await.unwrap();
    assert!(matches!(reset.plan().await, Err(ResetRefused::CanComeBack(_))));

    assert_eq!(state(&app).await, before);
    app.keys.kms.cancel_key_deletion().key_id(&arn).send().await.unwrap();
    app.keys.enable(&arn).await;
    app.until("data is open", |app| app.services.organization.lock().is_none()).await;
    filled.is_intact(&app, &who).await;
    app.stop().await;
}

async fn nothing_is_destroyed_while_a_server_can_use_the_key(database: Database) {
    let app = TestApp::start(database).await;
    locked_for_ever(&app).await;
    let reset = reset_of(&app).await;
    let plan = reset.plan().await.unwrap();
    // Another server, which has other credentials than those of the one who asks.
    let now = database_now(app.services.store.read()).await.unwrap();
    let other = running::ActiveModel {
        id: Set(Uuid::from_u128(1)),
        name: Set("other".to_owned()),
        version: Set("1".to_owned()),
        started_at: Set(now),
        heartbeat_at: Set(now),
        key_state: Set("open".to_owned()),
        key_state_at: Set(0),
        verified_at: Set(None),
    };
    running::Entity::insert(other).exec_without_returning(app.services.store.write()).await.unwrap();
    let before = state(&app).await;
    let refused = reset.plan().await.unwrap_err();
    assert!(matches!(&refused, ResetRefused::ServerIsOpen(name) if name.starts_with("other")), "{refused}");
    let refused = reset.destroy(&plan, &plan.root.root_key_arn).await.unwrap_err();
    assert!(matches!(refused, ResetRefused::ServerIsOpen(_)), "{refused}");
    assert_eq!(state(&app).await, before);
    // One that has fallen silent may still hold its lease; once that must be over it has no say.
    tamper(&app, &format!("UPDATE servers SET heartbeat_at = {} WHERE name = 'other'", now - 15 * 60_000)).await;
    assert!(matches!(reset.plan().await, Err(ResetRefused::ServerIsOpen(_))));
    tamper(&app, &format!("UPDATE servers SET heartbeat_at = {} WHERE name = 'other'", now - 17 * 60_000)).await;
    reset.plan().await.unwrap();
    app.stop().await;
}

async fn nothing_is_destroyed_without_the_right_confirmation_or_a_provider_key(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    Filled::new(&app, &who, "Claims triage", 2, &[1000]).await;
    let arn = locked_for_ever(&app).await;
    let before = state(&app).await;
    let reset = reset_of(&app).await;
    let plan = reset.plan().await.unwrap();
    assert_eq!(plan.loss, Loss { workspaces: 1, notes: 2, files: 1, bytes: 1000 });
    assert_eq!(plan.answer.code.as_deref(), Some("NotFoundException"));
    for typed in ["", "yes", &app.keys.provider, &arn[..arn.len() - 1]] {
        assert!(matches!(reset.destroy(&plan, typed).await, Err(ResetRefused::NotConfirmed)), "{typed:?}");
    }

    app.keys.disable(&app.keys.provider).await;
    let refused = reset.destroy(&plan, &arn).await.unwrap_err();
    assert!(matches!(refused, ResetRefused::ProviderKey(_)), "{refused}");
    assert!(refused.to_string().starts_with("KEYSTEAD_PROVIDER_KEY_ARN: "), "{refused}");
    app.keys.enable(&app.keys.provider).await;

    // What was shown is not what is there any more.
    let mut stale = plan.clone();
    stale.root.generation -= 1;
    assert!(matches!(reset.destroy(&stale, &arn).await, Err(ResetRefused::Changed)));
    assert_eq!(state(&app).await, before);
    app.stop().await;
}

async fn a_deployment_whose_key_is_gone_begins_anew(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    for name in ["Claims triage", "Survey"] {
        Filled::new(&app, &who, name, 3, &[0, 1000, 3_000_000]).await;
    }
    activate(&app, &who).await;
    let mut upload = {
        let workspace = app.workspace().await;
        app.services.files.begin_upload(&who, &workspace, "half", "text/plain", None).await.unwrap()
    };
    upload.write(Bytes::from(content(3_000_000))).await.unwrap();
    let signed_in = app.signed_in().await;
    let arn = locked_for_ever(&app).await;
    let (root, keys, _) = state(&app).await;

    let reset = reset_of(&app).await;
    let plan = reset.plan().await.unwrap();
    let lost = reset.destroy(&plan, &format!(" {arn}\n")).await.unwrap();
    assert_eq!(lost, Loss { workspaces: 3, notes: 6, files: 6, bytes: 6_002_000 });
    assert_eq!(lost, plan.loss);
    assert!(upload.finish().await.is_err(), "nobody can finish what has been destroyed");

    let (after, fresh, counts) = state(&app).await;
    assert_eq!(counts, [0, 0, 0, 0, 1]);
    assert_eq!((after.root_kind, after.root_key_arn.as_str()), (encryption::RootKind::Provider, &*app.keys.provider));
    assert_eq!((after.generation, after.set_by), (root.generation + 1, None));
    assert!(after.since > root.since);
    let old: HashSet<_> = keys.iter().map(|key| key.id).collect();
    assert!(fresh.len() == 1 && !old.contains(&fresh[0].id), "every data key is new");
    let account = reset::Entity::find().one(app.services.store.read()).await.unwrap().unwrap();
    assert_eq!((account.root_key_arn, account.cause.as_str()), (arn, "not_found"));
    assert_eq!(account.code.as_deref(), Some("NotFoundException"));
    assert!(account.request_id.is_some() && account.at == after.since);
    assert_eq!((account.workspaces, account.notes, account.files, account.bytes), (3, 6, 6, 6_002_000));

    // The server that runs finds out by itself; who was signed in still is.
    app.until("data is open", |app| app.services.organization.lock().is_none()).await;
    assert_eq!(signed_in.get("/workspaces").await.status, 200);
    app.signed_in().await;
    assert!(app.services.workspaces.list(&who, None).await.unwrap().items.is_empty());
    app.until("the object store is empty", |app| app.stored_objects() == 0).await;
    app.until_object_notes(0).await;
    let anew = Filled::new(&app, &who, "Begun anew", 2, &[1000, 2_000_000]).await;
    anew.is_intact(&app, &who).await;
    assert!(headers_agree(&app).await.is_disjoint(&old));
    activate(&app, &who).await;
    anew.is_intact(&app, &who).await;
    app.stop().await;
}

async fn a_job_that_lost_its_key_ends_as_failed(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    Filled::new(&app, &who, "Claims triage", 1, &[1000]).await;
    activate(&app, &who).await;
    // The job is put back to where it was before its end, and its key goes.
    locked_for_ever(&app).await;
    tamper(&app, "UPDATE jobs SET state = 'paused', stage = 'reencrypt', finished_at = NULL").await;
    let reset = reset_of(&app).await;
    let plan = reset.plan().await.unwrap();
    reset.destroy(&plan, &plan.root.root_key_arn).await.unwrap();
    let seen = view(&app, &who).await;
    let job = seen.job.unwrap();
    assert_eq!((job.failure, seen.root.kind), (Some(JobFailure::DataDestroyed), RootKind::Provider));
    assert!(!job.state.is_unfinished() && job.finished_at.is_some());
    app.until("data is open", |app| app.services.organization.lock().is_none()).await;
    activate(&app, &who).await;
    app.stop().await;
}

async fn a_damaged_data_key_is_a_reason_too(database: Database) {
    let app = TestApp::start_with(database, |config| config.outage_grace = Duration::from_secs(8)).await;
    let who = app.administrator().await;
    Filled::new(&app, &who, "Claims triage", 1, &[1000]).await;
    let key = house::organization_key(app.services.store.read()).await.unwrap().unwrap();
    let mut check_value = key.check_value;
    check_value[0] ^= 1;
    let damaged = data_key::ActiveModel { id: Set(key.id), check_value: Set(check_value), ..Default::default() };
    data_key::Entity::update(damaged).exec(app.services.store.write()).await.unwrap();
    let reset = reset_of(&app).await;
    assert!(matches!(reset.plan().await, Err(ResetRefused::ServerIsOpen(_))), "its lease runs on");
    locked(&app).await;
    let plan = reset.plan().await.unwrap();
    reset.destroy(&plan, &plan.root.root_key_arn).await.unwrap();
    let account = reset::Entity::find().one(app.services.store.read()).await.unwrap().unwrap();
    assert_eq!((account.cause.as_str(), account.code), ("damaged", None));
    app.until("data is open", |app| app.services.organization.lock().is_none()).await;
    app.workspace().await;
    app.stop().await;
}

fn run(program: &Program, arguments: &[&str], typed: &str) -> Output {
    let mut command = program.command();
    command.arg("reset").args(arguments);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(typed.as_bytes()).ok();
    running.wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_explains_asks_and_destroys() {
    let mut program = Program::start().await;
    let mut browser = program.signed_in().await;
    browser.call("create_workspace", &[("name", "Survey"), ("description", "")]).await;
    let listed: serde_json::Value = browser.call("list_workspaces", &[]).await.json();
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(browser.send(browser.upload(&id, "a.txt").body("hello")).await.status, 201);
    program.kill();

    let store = Store::connect(&format!("sqlite://{}", program.path("test.db").display())).await.unwrap();
    let arn = lose_the_key(&store).await;
    // The server that was killed has had no time to say that it cannot use the key any more.
    store.write().execute_unprepared("DELETE FROM servers").await.unwrap();
    store.close().await.unwrap();

    let explained = run(&program, &[], "");
    let said = String::from_utf8(explained.stdout).unwrap();
    assert!(!explained.status.success() && said.contains("gone for ever"), "{said}");
    let refused = run(&program, &["--destroy-locked-data"], "yes\n");
    let (said, error) = (String::from_utf8(refused.stdout).unwrap(), String::from_utf8(refused.stderr).unwrap());
    assert!(!refused.status.success() && error.contains("nothing was changed: what was typed"), "{error}");
    for part in ["1 workspaces, 0 notes, 1 files with 5 bytes", "NotFoundException", &arn, &program.keys.provider] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("Survey"));

    let done = run(&program, &["--destroy-locked-data"], &format!("{arn}\n"));
    let (said, log) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
    assert!(
        done.status.success() && said.contains("Destroyed: 1 workspaces, 0 notes, 1 files with 5 bytes."),
        "{said}{log}"
    );
    assert!(log.contains("locked_data_destroyed"), "{log}");
    let again = run(&program, &["--destroy-locked-data"], &format!("{arn}\n"));
    let error = String::from_utf8(again.stderr).unwrap();
    assert!(!again.status.success() && error.contains("the provider key, and that works"), "{error}");

    program.start_again().await;
    let mut browser = program.signed_in().await;
    let listed: serde_json::Value = browser.call("list_workspaces", &[]).await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(0));
    for _ in 0..600 {
        if objects_below(&program.path("objects")).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("objects are left: {:?}", objects_below(&program.path("objects")));
}
