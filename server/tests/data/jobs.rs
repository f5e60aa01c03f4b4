//! Activation and deletion, both stages.

use crate::{
    on_both_databases,
    steps::{Filled, activate, content, headers_agree, job_ended, rows, tamper, upload, view},
    support::{Database, TestApp},
};
use app::{
    model::{
        encryption::RootKind,
        error::{ApiError, KeyRefused},
        identity::Role,
        job::{JobFailure, JobKind, JobStage, JobState, PauseReason, SetAsideReason},
        key_test::Activation,
    },
    ports::{EncryptionPort, MembersPort, Principal, WorkspacesPort},
};
use std::time::Duration;

const SIZES: [usize; 6] = [0, 1, 16_383, 16_384, 16_385, 3_000_001];

on_both_databases!(
    everything_is_rewritten_by_activation_and_again_by_deletion,
    people_go_on_writing_while_a_job_runs,
    a_job_that_is_turned_round_ends_under_the_provider_key,
    an_item_that_does_not_open_is_set_aside_and_its_key_is_kept,
    a_job_waits_while_its_key_is_refused,
    only_one_of_two_administrators_gets_the_job,
    a_workspace_can_be_deleted_while_a_job_runs,
    an_upload_that_spans_the_whole_job_is_waited_for,
    a_workspace_whose_key_is_refused_is_named_and_nothing_changes,
);

async fn everything_is_rewritten_by_activation_and_again_by_deletion(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let first = Filled::new(&app, &who, "Fraud model", 120, &SIZES).await;
    let second = Filled::new(&app, &who, "Loan underwriting", 3, &[70_000]).await;
    let at_first = headers_agree(&app).await;
    assert_eq!(at_first.len(), 3);
    let revisions = "SELECT rev, updated_at FROM notes ORDER BY id";
    let before: Vec<i64> =
        rows(&app, revisions).await.iter().map(|row| row.try_get("", "updated_at").unwrap()).collect();

    let arn = activate(&app, &who).await;
    let seen = view(&app, &who).await;
    let job = seen.job.unwrap();
    assert_eq!((job.kind, job.stage), (JobKind::Activate, JobStage::Done));
    assert_eq!((job.keys_total, job.keys_done), (3, 3));
    assert_eq!((job.records_total, job.records_done), (2 + 123 + 7, 2 + 123 + 7));
    assert_eq!((job.files_total, job.files_done), (7, 7));
    let bytes = SIZES.iter().sum::<usize>() as u64 + 70_000;
    assert_eq!((job.bytes_total, job.bytes_done), (bytes, bytes));
    assert_eq!((seen.data_keys, seen.root.arn.as_str()), (3, arn.as_str()));
    assert!(seen.coverage.iter().all(|line| line.items == line.current));
    first.is_intact(&app, &who).await;
    second.is_intact(&app, &who).await;
    let under_customer = headers_agree(&app).await;
    assert!(at_first.is_disjoint(&under_customer));
    assert_eq!(app.stored_objects(), 7, "old objects are gone when the job is complete");
    let after: Vec<i64> =
        rows(&app, revisions).await.iter().map(|row| row.try_get("", "updated_at").unwrap()).collect();
    assert_eq!(before, after, "re-encryption changes no times");
    assert!(rows(&app, "SELECT rev FROM notes WHERE rev <> 1").await.is_empty(), "nor revisions");

    app.services.encryption.delete_key(&who, &arn).await.unwrap();
    let job = job_ended(&app, &who).await;
    assert_eq!((job.kind, job.state), (JobKind::Delete, JobState::Complete));
    let seen = view(&app, &who).await;
    assert_eq!((seen.root.kind, seen.root.arn.as_str()), (RootKind::Provider, app.keys.provider.as_str()));
    // The customer's key is not needed any more, from now on.
    app.keys.disable(&arn).await;
    first.is_intact(&app, &who).await;
    second.is_intact(&app, &who).await;
    assert!(under_customer.is_disjoint(&headers_agree(&app).await));
    assert_eq!(app.stored_objects(), 7);
    app.stop().await;
}

async fn people_go_on_writing_while_a_job_runs(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let mut filled = Filled::new(&app, &who, "Claims triage", 400, &[8_000_000, 8_000_000, 8_000_000]).await;
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let mut created = Vec::new();
    for n in 0.. {
        let workspace = app.services.workspaces.create(&who, &format!("new {n}"), "").await.unwrap();
        let text = format!("written during the job {n}");
        app.services.workspaces.create_note(&who, &filled.workspace, &text).await.unwrap();
        filled.notes.push(text);
        let bytes = content(20_000 + n);
        let file = upload(&app, &who, &workspace.id, "during.bin", &bytes).await;
        created.push(Filled { workspace: workspace.id, notes: vec![], files: vec![(file.id, bytes)] });
        if !view(&app, &who).await.job.unwrap().state.is_unfinished() {
            break;
        }
    }
    assert_eq!(job_ended(&app, &who).await.state, JobState::Complete);
    filled.is_intact(&app, &who).await;
    for workspace in &created {
        workspace.is_intact(&app, &who).await;
    }
    headers_agree(&app).await;
    assert_eq!(view(&app, &who).await.data_keys, 2 + created.len() as u64);
    app.stop().await;
}

async fn a_job_that_is_turned_round_ends_under_the_provider_key(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 300, &[12_000_000; 4]).await;
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    while view(&app, &who).await.root.kind == RootKind::Provider {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let activation = view(&app, &who).await.job.unwrap();
    assert!(activation.state.is_unfinished(), "there was too little to do to turn the job round");
    let wrong = app.services.encryption.delete_key(&who, &app.keys.create().await).await;
    assert_eq!(wrong, Err(ApiError::KeyRefused(KeyRefused::NotTheActiveKey)));
    app.services.encryption.delete_key(&who, &arn).await.unwrap();
    let again = app.services.encryption.delete_key(&who, &arn).await;
    assert_eq!(again, Err(ApiError::KeyRefused(KeyRefused::JobUnfinished)));
    let job = job_ended(&app, &who).await;
    assert_eq!((job.id, job.kind, job.state), (activation.id, JobKind::Delete, JobState::Complete));
    app.keys.disable(&arn).await;
    filled.is_intact(&app, &who).await;
    headers_agree(&app).await;
    assert_eq!((view(&app, &who).await.data_keys, app.stored_objects()), (2, 4));
    app.stop().await;
}

async fn an_item_that_does_not_open_is_set_aside_and_its_key_is_kept(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 5, &[100, 50_000]).await;
    let notes = rows(&app, "SELECT id FROM notes ORDER BY id").await;
    assert_eq!(notes.len(), 5);
    tamper(
        &app,
        "UPDATE notes SET text_sealed = (SELECT text_sealed FROM notes ORDER BY created_at, id LIMIT 1) \
         WHERE id = (SELECT id FROM notes ORDER BY created_at DESC, id DESC LIMIT 1)",
    )
    .await;
    let place: String =
        rows(&app, "SELECT place FROM objects ORDER BY size LIMIT 1").await[0].try_get("", "place").unwrap();
    std::fs::remove_file(app.objects.join(place)).unwrap();

    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let mut job = job_ended(&app, &who).await;
    assert_eq!(job.state, JobState::Complete);
    job.set_aside.sort_by_key(|set_aside| format!("{:?}", set_aside.reason));
    let groups: Vec<_> = job.set_aside.iter().map(|group| (group.reason, group.items)).collect();
    assert_eq!(groups, [(SetAsideReason::DoesNotBelongHere, 1), (SetAsideReason::Missing, 1)]);
    assert_eq!(view(&app, &who).await.data_keys, 3, "the workspace's old data key is kept for what was set aside");
    assert_eq!(view(&app, &who).await.root.arn, arn);
    let (_, large) = &filled.files[1];
    let intact = crate::steps::download(&app, &who, &filled.workspace, &filled.files[1].0).await;
    assert!(intact == *large);
    app.stop().await;
}

async fn a_job_waits_while_its_key_is_refused(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 300, &[12_000_000; 4]).await;
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    while view(&app, &who).await.root.kind == RootKind::Provider {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    app.keys.disable(&arn).await;
    app.until("data is locked", |app| app::ports::OrganizationPort::lock(&*app.services.organization).is_some()).await;
    let refused = app.services.encryption.delete_key(&who, &arn).await;
    for _ in 0..500 {
        let job = view(&app, &who).await.job.unwrap();
        if job.state != JobState::Running {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let job = view(&app, &who).await.job.unwrap();
    if job.state.is_unfinished() {
        assert_eq!((job.state, job.waiting), (JobState::Paused, Some(PauseReason::Locked)));
    }
    assert_eq!(refused, Err(ApiError::KeyRefused(KeyRefused::RootUnusable)));
    app.keys.enable(&arn).await;
    assert_eq!(job_ended(&app, &who).await.state, JobState::Complete);
    app.until("data is open", |app| app::ports::OrganizationPort::lock(&*app.services.organization).is_none()).await;
    filled.is_intact(&app, &who).await;
    headers_agree(&app).await;
    app.stop().await;
}

async fn only_one_of_two_administrators_gets_the_job(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let member = app.add_member("grace@example.com").await;
    app.services.members.change_role(&who, &member.user_id, Role::Administrator).await.unwrap();
    let other = Principal { role: Role::Administrator, ..member };
    app.workspace().await;
    let (one, two) = (app.keys.create().await, app.keys.create().await);
    let encryption = &app.services.encryption;
    let answers = tokio::join!(encryption.activate(&who, &one), encryption.activate(&other, &two));
    let refused = |answer: &Result<Activation, ApiError>| {
        matches!(answer, Err(ApiError::KeyRefused(KeyRefused::JobUnfinished | KeyRefused::AlreadyActive)))
    };
    let in_force = match answers {
        (Ok(Activation::Begun), other) if refused(&other) => one,
        (other, Ok(Activation::Begun)) if refused(&other) => two,
        other => panic!("{other:?}"),
    };
    assert_eq!(job_ended(&app, &who).await.failure, None::<JobFailure>);
    assert_eq!(view(&app, &who).await.root.arn, in_force);
    app.stop().await;
}

async fn a_workspace_can_be_deleted_while_a_job_runs(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let kept = Filled::new(&app, &who, "Kept", 10, &[6_000_000]).await;
    let gone = Filled::new(&app, &who, "Gone", 300, &[12_000_000; 4]).await;
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    app.services.workspaces.delete(&who, &gone.workspace).await.unwrap();
    assert_eq!(job_ended(&app, &who).await.state, JobState::Complete);
    kept.is_intact(&app, &who).await;
    assert_eq!(app.services.workspaces.get(&who, &gone.workspace).await, Err(ApiError::NotFound));
    headers_agree(&app).await;
    assert_eq!(view(&app, &who).await.data_keys, 2);
    app.until("the objects of the deleted workspace are gone", |app| app.stored_objects() == 1).await;
    assert!(rows(&app, "SELECT place FROM object_notes").await.is_empty());
    app.stop().await;
}

async fn an_upload_that_spans_the_whole_job_is_waited_for(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let mut filled = Filled::new(&app, &who, "Claims triage", 3, &[100_000]).await;
    let bytes = content(1_000_000);
    let begun = app.services.files.begin_upload(&who, &filled.workspace, "slow.bin", "text/plain", None).await;
    let mut slow = begun.unwrap();
    slow.write(bytes::Bytes::copy_from_slice(&bytes[..400_000])).await.unwrap();
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let mut waiting = None;
    for _ in 0..1_000 {
        waiting = view(&app, &who).await.job.unwrap().waiting;
        if waiting.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(waiting, Some(PauseReason::WaitingForUploads));
    slow.write(bytes::Bytes::copy_from_slice(&bytes[400_000..])).await.unwrap();
    let file = slow.finish().await.unwrap();
    filled.files.push((file.id, bytes));
    assert_eq!(job_ended(&app, &who).await.state, JobState::Complete);
    filled.is_intact(&app, &who).await;
    headers_agree(&app).await;
    assert_eq!((view(&app, &who).await.data_keys, app.stored_objects()), (2, 2));
    app.stop().await;
}

async fn a_workspace_whose_key_is_refused_is_named_and_nothing_changes(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 3, &[1_000]).await;
    // A stored data key that somebody has exchanged for another one's: it does not open to what it should.
    let scope = match app.services.store.backend() {
        sea_orm::DbBackend::Postgres => "scope <> '00000000-0000-0000-0000-000000000000'",
        _ => "scope <> x'00000000000000000000000000000000'",
    };
    let swap = format!("UPDATE data_keys SET check_value = wrapped WHERE {scope}");
    tamper(&app, &swap).await;
    let before = view(&app, &who).await.root;
    app.services.encryption.activate(&who, &app.keys.create().await).await.unwrap();
    let job = job_ended(&app, &who).await;
    assert_eq!((job.state, job.failure), (JobState::Failed, Some(JobFailure::DamagedDataKey)));
    assert_eq!(job.scope.as_deref(), Some(filled.workspace.as_str()));
    assert_eq!(view(&app, &who).await.root, before);
    app.stop().await;
}
