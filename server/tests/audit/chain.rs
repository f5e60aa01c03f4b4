//! The chain: whole when many write at once, and nothing changes in it without being found.

use crate::{
    on_both_databases,
    scene::{all, attack, fill, page, refuses, until_signed, verify},
    support::{Database, Ground, TestApp},
};
use app::{
    model::audit::AuditFilter,
    ports::{EncryptionPort, WorkspacesPort},
};
use sea_orm::{ConnectionTrait, EntityTrait};
use server::{
    services::audit::{
        Action, Audit, Entry, chain,
        verify::{Finding, Outside},
    },
    store::{Store, entities::audit_entry},
};
use std::{env, time::Duration};
use tokio::time::sleep;

on_both_databases!(
    the_database_refuses_every_change,
    entries_are_chained_from_the_first_on,
    two_servers_append_at_once_without_a_gap,
    an_action_that_does_not_happen_has_no_entry,
    a_removed_entry_is_found_first_middle_and_last,
    an_edit_a_swap_and_an_insert_are_found,
    hashes_that_were_written_anew_are_found_by_the_signed_head,
    what_was_written_anew_is_not_signed,
    what_was_written_anew_is_not_signed_after_a_start,
    what_claims_to_come_first_is_refused_and_found,
    an_end_that_was_cut_off_cleanly_is_found_by_a_head_from_outside,
);

/// Finds this, and nothing else but that a signed head does not fit it, if one happens to be there.
async fn found(app: &TestApp, expected: Finding) {
    let report = verify(app, &[]).await;
    let of_heads = |finding: &Finding| matches!(finding, Finding::SignedHead(_) | Finding::Rewritten { .. });
    let others: Vec<Finding> = report.findings.iter().copied().filter(|finding| !of_heads(finding)).collect();
    assert_eq!(others, [expected], "{report:?}");
}

async fn the_database_refuses_every_change(database: Database) {
    let app = TestApp::start(database).await;
    let store = &app.services.store;
    fill(store, 3).await;
    until_signed(&app).await;
    for statement in [
        "UPDATE audit_entries SET detail = 'nothing happened'",
        "DELETE FROM audit_entries WHERE sequence = 1",
        "DELETE FROM audit_entries",
        "UPDATE audit_heads SET sequence = 0",
        "DELETE FROM audit_heads",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET sequence = sequence - 1",
    ] {
        assert!(refuses(store, statement).await, "{statement}");
    }
    if store.backend() == sea_orm::DbBackend::Postgres {
        for table in ["audit_entries", "audit_heads", "audit_head"] {
            assert!(refuses(store, &format!("TRUNCATE {table}")).await, "{table}");
        }
        let again = "INSERT INTO audit_entries SELECT * FROM audit_entries WHERE sequence = 1 \
                     ON CONFLICT (sequence) DO UPDATE SET detail = 'nothing happened'";
        assert!(refuses(store, again).await);
    } else {
        for table in ["audit_entries", "audit_heads", "audit_head"] {
            let replace = format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}");
            assert!(refuses(store, &replace).await, "{table}");
        }
    }
    assert!(verify(&app, &[]).await.is_intact());
    app.stop().await;
}

async fn entries_are_chained_from_the_first_on(database: Database) {
    let app = TestApp::start(database).await;
    app.workspace().await;
    fill(&app.services.store, 5).await;
    let mut previous = chain::FIRST;
    for (n, entry) in all(&app.services.store).await.iter().enumerate() {
        assert_eq!(entry.sequence, i64::try_from(n).unwrap() + 1);
        assert_eq!(chain::hash(&previous, entry).as_slice(), entry.hash);
        previous = entry.hash.as_slice().try_into().unwrap();
    }
    app.stop().await;
}

async fn two_servers_append_at_once_without_a_gap(database: Database) {
    let ground = Ground::new(database).await;
    let kms = env::var("KEYSTEAD_TEST_KMS_URL").unwrap();
    let (one, two) = (ground.start(&kms, |_| {}).await, ground.start(&kms, |_| {}).await);
    drop(ground);
    let append = |app: &TestApp| {
        let store = app.services.store.clone();
        tokio::spawn(async move { fill(&store, 40).await })
    };
    // Workspaces too: they take the lock of the house before the log.
    let who = one.administrator().await;
    let makes = async |app: &TestApp| {
        for n in 0..8 {
            app.services.workspaces.create(&who, &format!("Workspace {n}"), "").await.unwrap();
        }
    };
    let appending = [append(&one), append(&two), append(&one), append(&two)];
    tokio::join!(makes(&one), makes(&two));
    for task in appending {
        task.await.unwrap();
    }
    let report = verify(&one, &[]).await;
    assert!(report.is_intact(), "{report:?}");
    assert!(report.entries >= 176, "{report:?}");
    two.stop().await;
    one.stop().await;
}

async fn an_action_that_does_not_happen_has_no_entry(database: Database) {
    let app = TestApp::start(database).await;
    let store = &app.services.store;
    let before = all(store).await.len();
    let transaction = store.begin().await.unwrap();
    Audit::append(&transaction, Entry::by_system(Action::SettingChanged)).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(all(store).await.len(), before);
    fill(store, 1).await;
    assert!(verify(&app, &[]).await.is_intact());
    app.stop().await;
}

async fn a_removed_entry_is_found_first_middle_and_last(database: Database) {
    for (removed, expected) in [
        ("sequence = 1", Finding::Missing { from: 1, to: 1 }),
        ("sequence IN (5, 6)", Finding::Missing { from: 5, to: 6 }),
    ] {
        let app = TestApp::start(database).await;
        fill(&app.services.store, 10).await;
        attack(&app.services.store, &[format!("DELETE FROM audit_entries WHERE {removed}")]).await;
        found(&app, expected).await;
        app.stop().await;
    }
    let app = TestApp::start(database).await;
    fill(&app.services.store, 10).await;
    let last = all(&app.services.store).await.last().unwrap().sequence;
    attack(&app.services.store, &[format!("DELETE FROM audit_entries WHERE sequence = {last}")]).await;
    // The row that says where the log ends was forgotten.
    found(&app, Finding::CutOff { from: last, to: last }).await;
    app.stop().await;
}

async fn an_edit_a_swap_and_an_insert_are_found(database: Database) {
    let cases: [(&[&str], Finding); 4] = [
        (&["UPDATE audit_entries SET address = '203.0.113.9' WHERE sequence = 4"], Finding::Changed(4)),
        (&["UPDATE audit_entries SET at = at - 1 WHERE sequence = 4"], Finding::Changed(4)),
        (
            &["UPDATE audit_entries SET hash = (SELECT hash FROM audit_entries WHERE sequence = 3) WHERE sequence = 4"],
            Finding::Changed(4),
        ),
        // Two that changed places: what follows them does not fit any more, either.
        (
            &[
                "UPDATE audit_entries SET sequence = -4 WHERE sequence = 4",
                "UPDATE audit_entries SET sequence = 4 WHERE sequence = 5",
                "UPDATE audit_entries SET sequence = 5 WHERE sequence = -4",
            ],
            Finding::AllChanged { from: 4, to: 6 },
        ),
    ];
    for (statements, expected) in cases {
        let app = TestApp::start(database).await;
        fill(&app.services.store, 10).await;
        let statements: Vec<String> = statements.iter().map(|sql| (*sql).to_owned()).collect();
        attack(&app.services.store, &statements).await;
        found(&app, expected).await;
        app.stop().await;
    }
    // One that was slipped in at the end, as the head has it not.
    let app = TestApp::start(database).await;
    fill(&app.services.store, 10).await;
    let last = all(&app.services.store).await.last().unwrap().clone();
    attack(&app.services.store, &[]).await;
    let forged = audit_entry::Model { sequence: last.sequence + 1, ..last.clone() };
    insert(&app.services.store, forged).await;
    found(&app, Finding::Changed(last.sequence + 1)).await;
    app.stop().await;
}

async fn insert(store: &Store, row: audit_entry::Model) {
    use sea_orm::{ActiveModelTrait, IntoActiveModel};
    let row = row.into_active_model().reset_all();
    audit_entry::Entity::insert(row).exec_without_returning(store.write()).await.unwrap();
}

/// Edits entry 4 and writes all hashes after it anew, as somebody does who knows the encoding. Whether the signed heads and
/// the row `audit_head` are made to fit too.
async fn rewrite(store: &Store) {
    let mut entries = all(store).await;
    entries[3].detail = Some("nothing".to_owned());
    let mut previous: [u8; 32] = entries[2].hash.as_slice().try_into().unwrap();
    let hex = |hash: &[u8]| match store.backend() {
        sea_orm::DbBackend::Postgres => format!("'\\x{}'", hex::encode(hash)),
        _ => format!("x'{}'", hex::encode(hash)),
    };
    let mut statements = vec!["UPDATE audit_entries SET detail = 'nothing' WHERE sequence = 4".to_owned()];
    for entry in &entries[3..] {
        previous = chain::hash(&previous, entry);
        let (hash, sequence) = (hex(&previous), entry.sequence);
        statements.push(format!("UPDATE audit_entries SET hash = {hash} WHERE sequence = {sequence}"));
        statements.push(format!("UPDATE audit_heads SET hash = {hash} WHERE sequence = {sequence}"));
    }
    statements.push(format!("UPDATE audit_head SET hash = {}", hex(&previous)));
    attack(store, &statements).await;
}

async fn hashes_that_were_written_anew_are_found_by_the_signed_head(database: Database) {
    let app = TestApp::start(database).await;
    let store = app.services.store.clone();
    fill(&store, 10).await;
    let signed = until_signed(&app).await;
    assert_eq!(verify(&app, &[]).await.vouched.by_kms, Some(signed));
    rewrite(&store).await;
    let report = verify(&app, &[]).await;
    assert!(report.findings.contains(&Finding::Forged(signed)), "{report:?}");
    assert!(
        report
            .findings
            .iter()
            .any(|finding| matches!(finding, Finding::Rewritten { after, to } if *after < 4 && *to >= 4)),
        "{report:?}"
    );
    // The same is found by a head from outside.
    let outside = Outside { sequence: 2, hash: all(&store).await[1].hash.as_slice().try_into().unwrap() };
    assert_eq!(verify(&app, &[outside]).await.vouched.by_outside, Some(2));
    app.stop().await;
}

async fn what_was_written_anew_is_not_signed(database: Database) {
    let app = TestApp::start(database).await;
    let store = app.services.store.clone();
    fill(&store, 10).await;
    let signed = until_signed(&app).await;
    rewrite(&store).await;
    let heads = "DELETE FROM audit_heads WHERE sequence >= 4".to_owned();
    store.write().execute_unprepared(&heads).await.unwrap();
    // An entry about keys would be signed within seconds.
    let who = app.administrator().await;
    app.services.encryption.test_key(&who, &app.keys.create().await).await.unwrap();
    sleep(Duration::from_secs(8)).await;
    let newest = page(&app, &AuditFilter::default(), None, None).await.signed;
    assert!(newest.as_ref().is_none_or(|head| head.sequence < 4), "{newest:?} was signed after {signed}");
    app.stop().await;
}

/// The newest signed head is all that a server knows that has just begun.
async fn what_was_written_anew_is_not_signed_after_a_start(database: Database) {
    let ground = Ground::new(database).await;
    let kms = env::var("KEYSTEAD_TEST_KMS_URL").unwrap();
    let app = ground.start(&kms, |_| {}).await;
    let store = app.services.store.clone();
    fill(&store, 10).await;
    let signed = until_signed(&app).await;
    let entries = all(&store).await;
    rewrite(&store).await;
    app.stop().await;
    let again = ground.start(&kms, |_| {}).await;
    let who = again.administrator().await;
    again.services.encryption.test_key(&who, &again.keys.create().await).await.unwrap();
    sleep(Duration::from_secs(8)).await;
    let newest = page(&again, &AuditFilter::default(), None, None).await.signed.unwrap();
    assert_eq!(newest.sequence, signed, "of {} entries", entries.len());
    again.stop().await;
}

async fn what_claims_to_come_first_is_refused_and_found(database: Database) {
    let app = TestApp::start(database).await;
    let store = &app.services.store;
    fill(store, 3).await;
    for sequence in [0, -7, 100] {
        let slip = format!(
            "INSERT INTO audit_entries (sequence, at, action, outcome, actor, hash) \
             SELECT {sequence}, at, action, outcome, actor, hash FROM audit_entries WHERE sequence = 1"
        );
        assert!(refuses(store, &slip).await, "{sequence}");
    }
    assert!(verify(&app, &[]).await.is_intact());
    attack(store, &[]).await;
    let first = all(store).await[0].clone();
    insert(store, audit_entry::Model { sequence: -7, ..first }).await;
    found(&app, Finding::BeforeTheFirst(1)).await;
    app.stop().await;
}

async fn an_end_that_was_cut_off_cleanly_is_found_by_a_head_from_outside(database: Database) {
    let app = TestApp::start(database).await;
    let store = app.services.store.clone();
    fill(&store, 10).await;
    let entries = all(&store).await;
    let (kept, last) = (&entries[entries.len() - 4], entries.last().unwrap());
    let outside = Outside { sequence: last.sequence, hash: last.hash.as_slice().try_into().unwrap() };
    assert_eq!(verify(&app, &[outside]).await.vouched.by_outside, Some(last.sequence));
    let sequence = kept.sequence;
    attack(
        &store,
        &[
            format!("DELETE FROM audit_entries WHERE sequence > {sequence}"),
            format!("DELETE FROM audit_heads WHERE sequence > {sequence}"),
            format!(
                "UPDATE audit_head SET sequence = {sequence}, \
                 hash = (SELECT hash FROM audit_entries WHERE sequence = {sequence}), urgent = 0"
            ),
        ],
    )
    .await;
    let without = verify(&app, &[]).await;
    assert!(without.is_intact(), "without a head from outside nothing can tell: {without:?}");
    let with = verify(&app, &[outside]).await;
    assert_eq!(with.findings, [Finding::CutOff { from: sequence + 1, to: last.sequence }]);
    // A head that never was.
    let wrong = Outside { sequence: 2, hash: [7; 32] };
    assert_eq!(verify(&app, &[wrong]).await.findings, [Finding::OutsideHead(2)]);
    app.stop().await;
}
