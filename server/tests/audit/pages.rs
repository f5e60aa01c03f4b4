//! Reading the log: filters, pages, and who may.

use crate::{
    on_both_databases,
    scene::{all, fill, page, sequences},
    support::{ADMIN, Database},
};
use app::{
    model::{
        audit::{Actor, AuditFilter},
        error::ApiError,
    },
    ports::AuditPort,
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

on_both_databases!(
    pages_hold_every_entry_once_in_both_directions,
    filters_let_through_what_they_say,
    only_administrators_read,
);

async fn pages_hold_every_entry_once_in_both_directions(database: Database) {
    let app = crate::support::TestApp::start(database).await;
    fill(&app.services.store, 120).await;
    let mut expected: Vec<i64> = all(&app.services.store).await.iter().map(|entry| entry.sequence).collect();
    expected.reverse();
    let filter = AuditFilter::default();
    let first = page(&app, &filter, None, None).await;
    assert_eq!(first.newer, None);
    let (mut seen, mut pages) = (sequences(&first.entries), vec![first.clone()]);
    while let Some(older) = pages.last().unwrap().older.clone() {
        let next = page(&app, &filter, Some(&older), None).await;
        seen.extend(sequences(&next.entries));
        pages.push(next);
    }
    assert_eq!(seen, expected);
    assert_eq!(pages.len(), expected.len().div_ceil(50));
    // And back again.
    for at in (1..pages.len()).rev() {
        let newer = pages[at].newer.clone().unwrap();
        let back = page(&app, &filter, None, Some(&newer)).await;
        assert_eq!(sequences(&back.entries), sequences(&pages[at - 1].entries));
        assert_eq!(back.newer.is_some(), at > 1);
        assert!(back.older.is_some());
    }
    let who = app.administrator().await;
    let nowhere = app.services.audit_log.page(&who, &filter, Some("x"), None).await;
    assert_eq!(nowhere, Err(ApiError::NotFound));
    app.stop().await;
}

async fn filters_let_through_what_they_say(database: Database) {
    let app = crate::support::TestApp::start(database).await;
    app.signed_in().await;
    fill(&app.services.store, 5).await;
    let who = app.administrator().await;
    let count = async |change: fn(&mut AuditFilter)| {
        let mut filter = AuditFilter::default();
        change(&mut filter);
        page(&app, &filter, None, None).await.entries
    };
    let signed_in = count(|filter| "sign_in".clone_into(&mut filter.action)).await;
    assert_eq!(signed_in.len(), 1);
    let Actor::Member { id, email, .. } = &signed_in[0].actor else { panic!("{signed_in:?}") };
    assert_eq!((id, email.as_str()), (&who.user_id, ADMIN));
    let by_email = count(|filter| filter.actor = ADMIN.to_uppercase()).await;
    assert!(!by_email.is_empty() && by_email.iter().all(|entry| entry.actor == signed_in[0].actor));
    let mut filter = AuditFilter { actor: who.user_id.clone(), ..Default::default() };
    assert_eq!(page(&app, &filter, None, None).await.entries, by_email);
    "refused".clone_into(&mut filter.outcome);
    assert!(page(&app, &filter, None, None).await.entries.is_empty());
    assert_eq!(count(|filter| "nobody".clone_into(&mut filter.actor)).await.len(), 5);
    assert!(count(|filter| "nobody@example.com".clone_into(&mut filter.actor)).await.is_empty());
    let both = count(|filter| {
        "nobody".clone_into(&mut filter.actor);
        "sign_in_failed".clone_into(&mut filter.action);
        "succeeded".clone_into(&mut filter.outcome);
    });
    assert_eq!(both.await.len(), 5);
    let everything = count(|_| {}).await.len();
    assert_eq!(count(|filter| "2020-01-01".clone_into(&mut filter.from)).await.len(), everything);
    assert!(count(|filter| "2020-01-01".clone_into(&mut filter.to)).await.is_empty());
    assert!(count(|filter| "2999-01-01T10:00".clone_into(&mut filter.from)).await.is_empty());
    // What cannot be read filters nothing, and that is said.
    let mut filter = AuditFilter { from: "yesterday".to_owned(), action: "nonsense".to_owned(), ..Default::default() };
    "2999-01-01".clone_into(&mut filter.to);
    let told = page(&app, &filter, None, None).await;
    assert_eq!((told.entries.len(), told.unreadable), (everything, vec!["from".to_owned(), "action".to_owned()]));
    is_read_by_index(&app).await;
    app.stop().await;
}

/// `SQLite` says how it goes about it: by an index, and without sorting.
async fn is_read_by_index(app: &crate::support::TestApp) {
    let on = app.services.store.read();
    if on.get_database_backend() != DbBackend::Sqlite {
        return;
    }
    let filters = [
        ("", "audit_entries_newest"),
        ("actor = 'a' AND", "audit_entries_newest_actor"),
        ("action = 'a' AND", "audit_entries_newest_action"),
        ("outcome = 'a' AND", "audit_entries_newest_outcome"),
        ("actor = 'a' AND action = 'b' AND", "audit_entries_newest_actor_action"),
        ("actor = 'a' AND outcome = 'b' AND", "audit_entries_newest_actor_outcome"),
        ("action = 'a' AND outcome = 'b' AND", "audit_entries_newest_action_outcome"),
    ];
    for (filter, index) in filters {
        let query = format!(
            "EXPLAIN QUERY PLAN SELECT * FROM audit_entries WHERE {filter} at >= 1 AND at <= 9 AND (at < 9 OR sequence < 7) \
             ORDER BY at DESC, sequence DESC LIMIT 51"
        );
        let plan = on.query_all_raw(Statement::from_string(DbBackend::Sqlite, query)).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
        assert!(plan.iter().any(|step| step.contains(&format!("INDEX {index} "))), "{filter}: {plan:?}");
        assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{filter}: {plan:?}");
    }
}

async fn only_administrators_read(database: Database) {
    let app = crate::support::TestApp::start(database).await;
    let member = app.add_member("member@example.com").await;
    let refused = app.services.audit_log.page(&member, &AuditFilter::default(), None, None).await;
    assert_eq!(refused, Err(ApiError::NotAllowed));
    let mut browser = app.browser();
    browser.sign_in("member@example.com", crate::support::PASSWORD).await;
    let seen = browser.open("/settings/audit-log").await;
    assert_eq!(seen.status, 403);
    assert!(seen.text().contains("Only administrators read the audit log") && !seen.text().contains("127.0.0.1"));
    let export = browser.form("/settings/audit-log/export?format=csv", &[]);
    assert_eq!(browser.send(export).await.status, 403);
    let nobody = app.browser();
    assert_eq!(nobody.send(nobody.form("/settings/audit-log/export?format=csv", &[])).await.status, 401);
    app.stop().await;
}
