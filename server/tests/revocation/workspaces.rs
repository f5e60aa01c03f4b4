//! A single workspace that its owner denies in the key policy: it is locked alone, and everything else works.

use crate::{
    steps::{LARGE, NOTE, Site, patient},
    support::{
        Answer, Database,
        kms_proxy::{Act, Call, Operation, Rule},
        raw::{End, RawClient},
    },
};
use app::{
    api::workspaces::{Inside, WorkspaceContents},
    model::{
        error::ApiError,
        lock::{LockCause, LockFace, LockedPart},
        workspace::limits::NOTE_BYTES,
    },
    ports::{EncryptionPort, WorkspaceMembersPort, WorkspacesPort},
};
use server::{config::Config, services::workspace_locks::WorkspaceKeyTimes};
use std::time::Duration;

/// As in operation, but sixty times as fast.
fn hasty(config: &mut Config) {
    patient(config);
    config.workspace_keys = WorkspaceKeyTimes {
        renew: Duration::from_secs(2),
        retry: Duration::from_millis(500),
        confirm: Duration::from_millis(200),
        ask_again: Duration::from_millis(500),
    };
}

/// What the proxy does for a policy that denies this scope.
fn deny(site: &Site, workspace: &str) {
    let denied = Act::Fail(400, "AccessDeniedException");
    site.proxy.set([Rule::on(Operation::Decrypt, denied).scope(workspace)]);
}

async fn until_locked_alone(site: &Site, workspace: &str) -> LockFace {
    // Somebody uses it: what nobody uses is not asked for.
    for _ in 0..1_500 {
        let _ = site.app.services.workspaces.notes(&site.who, workspace, None).await;
        if let Some(face) = site.app.lock_of(workspace) {
            return face;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the workspace was not locked");
}

/// Nobody who works in the workspace notices anything, until its data key has been asked for three times.
async fn goes_on(site: &Site, workspace: &str) {
    let mark = site.proxy.mark();
    for _ in 0..1_500 {
        assert!(site.app.services.workspaces.notes(&site.who, workspace, None).await.is_ok());
        assert_eq!(site.app.lock_of(workspace), None);
        if site.proxy.since(mark).iter().filter(|call| call.is_unwrap_of(workspace)).count() >= 3 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("its data key was not asked for again");
}

fn face_of(answer: &Answer) -> LockFace {
    assert_eq!(answer.status, 423, "{answer:?}");
    let ApiError::Locked(face) = answer.json() else { panic!("{answer:?}") };
    *face
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_workspace_is_locked_alone_and_comes_back_by_itself() {
    let site = Site::new(Database::Postgres, hasty).await;
    let arn = site.activate().await;
    let (denied, other) = (site.workspace("Claims triage").await, site.workspace("Harbour survey").await);
    let (its_file, other_file) = (site.file(&denied, LARGE).await, site.file(&other, LARGE).await);
    let mut browser = site.app.signed_in().await;
    let mut its_download = site.stalled_download(&browser, &its_file).await;
    let mut other_download = site.stalled_download(&browser, &other_file).await;

    deny(&site, &denied);
    let face = until_locked_alone(&site, &denied).await;
    assert_eq!((face.part, face.cause), (LockedPart::Workspace, LockCause::AccessDenied));
    assert_eq!(face.code.as_deref(), Some("AccessDeniedException"));
    assert!(face.request_id.is_some() && face.refused_at.is_some_and(|refused| refused <= face.since), "{face:?}");
    // It was asked for twice before it was believed.
    let refusals = site.proxy.calls().into_iter().filter(Call::is_refused).collect::<Vec<_>>();
    assert!(refusals.len() >= 2);
    assert!(refusals.iter().all(|call| call.scope() == Some(&denied) && call.key_id == arn));

    // Its pages, its programs' answers and what is in flight.
    let told: WorkspaceContents = browser.call("open_workspace", &[("workspace", &denied)]).await.json();
    let Inside::Locked(inside) = told.inside else { panic!("{told:?}") };
    assert_eq!((inside.part, inside.cause), (LockedPart::Workspace, LockCause::AccessDenied));
    let page = browser.open(&format!("/workspaces/{denied}")).await;
    assert!(page.is_page() && !page.text().contains(NOTE), "{page:?}");
    assert_eq!(face_of(&browser.get(&its_file).await).part, LockedPart::Workspace);
    let upload = browser.send(browser.upload(&denied, "a.txt").body("hello")).await;
    assert_eq!(face_of(&upload).part, LockedPart::Workspace);
    let note = browser.call("create_note", &[("workspace", &denied), ("text", "x")]).await;
    assert_eq!(face_of(&note).part, LockedPart::Workspace);
    assert_eq!(its_download.end().await, End::Reset);
    assert!(its_download.received < LARGE / 2);

    // The rest works.
    assert_eq!(site.lock(), None);
    assert_eq!(site.app.lock_of(&other), None);
    let list = browser.open("/workspaces").await;
    assert!(list.text().contains("Claims triage") && list.text().contains("Harbour survey"));
    assert!(browser.open(&format!("/workspaces/{other}")).await.text().contains(NOTE));
    other_download.read(LARGE - 1_500_000).await;
    let seen = site.app.services.encryption.view(&site.who, None).await.unwrap();
    assert_eq!(seen.lock, None);
    assert_eq!(seen.locked_workspaces.iter().map(|locked| locked.id.as_str()).collect::<Vec<_>>(), [&denied]);

    // Two good answers bring it back.
    site.proxy.clear();
    site.app.until("it is open", |app| app.lock_of(&denied).is_none()).await;
    assert!(browser.open(&format!("/workspaces/{denied}")).await.text().contains(NOTE));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_wait_in_front_of_a_client_end_with_their_workspace() {
    let site = Site::new(Database::Sqlite, hasty).await;
    let (denied, other) = (site.workspace("Claims triage").await, site.workspace("Harbour survey").await);
    for workspace in [&denied, &other] {
        for _ in 0..30 {
            let text = format!("{NOTE} {}", "x".repeat(NOTE_BYTES - 100));
            site.app.services.workspaces.create_note(&site.who, workspace, &text).await.unwrap();
        }
    }
    let browser = site.app.signed_in().await;
    let address = site.app.address;
    // A page, also under another spelling of its address, and what programs are answered.
    let (plain, first) = (format!("/workspaces/{denied}"), denied.as_bytes()[0]);
    let spelled = format!("/workspaces/%{first:x}{}", &denied[1..]);
    let mut its = vec![
        RawClient::get(&browser, address, &plain).await,
        RawClient::get(&browser, address, &spelled).await,
        RawClient::call(&browser, address, "open_workspace", ("workspace", &denied)).await,
    ];
    let mut others = vec![
        RawClient::get(&browser, address, &format!("/workspaces/{other}")).await,
        RawClient::call(&browser, address, "open_workspace", ("workspace", &other)).await,
    ];
    for client in its.iter_mut().chain(&mut others) {
        client.read(10_000).await;
        assert!(client.seen_status(200));
    }
    deny(&site, &denied);
    until_locked_alone(&site, &denied).await;
    for client in &mut its {
        assert_eq!(client.end().await, End::Reset);
        assert!(client.received < 15 * NOTE_BYTES, "{} bytes", client.received);
    }
    for client in &mut others {
        client.read(29 * NOTE_BYTES).await;
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_malformed_answer_locks_nothing_and_two_say_damaged() {
    let site = Site::new(Database::Sqlite, hasty).await;
    let workspace = site.workspace("Claims triage").await;
    let once = Rule::on(Operation::Decrypt, Act::WrongLength).scope(&workspace).times(1);
    site.proxy.set([once]);
    goes_on(&site, &workspace).await;
    site.proxy.set([Rule::on(Operation::Decrypt, Act::WrongPlaintext).scope(&workspace)]);
    let face = until_locked_alone(&site, &workspace).await;
    assert_eq!((face.part, face.cause, face.refused_at), (LockedPart::Workspace, LockCause::Damaged, None));
    assert_eq!(site.lock(), None);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_good_answer_does_not_bring_a_denied_workspace_back() {
    let site = Site::new(Database::Sqlite, hasty).await;
    let workspace = site.workspace("Claims triage").await;
    deny(&site, &workspace);
    until_locked_alone(&site, &workspace).await;
    let denied = Act::Fail(400, "AccessDeniedException");
    for _ in 0..3 {
        let mark = site.proxy.mark();
        let once = Rule::on(Operation::Decrypt, Act::Pass).scope(&workspace).times(1);
        site.proxy.set([once, Rule::on(Operation::Decrypt, denied.clone()).scope(&workspace)]);
        site.proxy.until(mark, 2, "a success, then a refusal", |call| call.is_unwrap_of(&workspace)).await;
        assert!(site.app.lock_of(&workspace).is_some());
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_is_locked_alone_can_be_deleted() {
    let site = Site::new(Database::Postgres, hasty).await;
    let workspace = site.workspace("Claims triage").await;
    let other = site.workspace("Harbour survey").await;
    site.file(&workspace, 100_000).await;
    deny(&site, &workspace);
    until_locked_alone(&site, &workspace).await;
    let mut browser = site.app.signed_in().await;
    let gone = browser.call("delete_workspace", &[("workspace", &workspace)]).await;
    assert!(gone.status.is_success() || gone.status.is_redirection(), "{gone:?}");
    let list = site.app.services.workspaces.list(&site.who, None).await.unwrap();
    assert_eq!(list.items.iter().map(|workspace| workspace.id.as_str()).collect::<Vec<_>>(), [&other]);
    site.app.until("nobody remembers its lock", |app| app.lock_of(&workspace).is_none()).await;
    site.app.until("its content is gone", |app| app.stored_objects() == 0).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_is_not_confirmed_locks_nothing() {
    let site = Site::new(Database::Sqlite, hasty).await;
    let workspace = site.workspace("Claims triage").await;
    let denied = Act::Fail(400, "AccessDeniedException");
    site.proxy.set([Rule::on(Operation::Decrypt, denied).scope(&workspace).times(1)]);
    goes_on(&site, &workspace).await;
    assert_eq!(site.proxy.count(Call::is_refused), 1);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_root_key_locks_everything_and_no_workspace_alone() {
    let site = Site::new(Database::Sqlite, hasty).await;
    let workspace = site.workspace("Claims triage").await;
    let arn = site.activate().await;
    site.app.keys.disable(&arn).await;
    let face = until_locked_alone(&site, &workspace).await;
    site.until_locked().await;
    assert_eq!(face.part, LockedPart::Everything, "{face:?}");
    assert!(site.app.services.encryption.view(&site.who, None).await.unwrap().locked_workspaces.is_empty());
    site.app.keys.enable(&arn).await;
    site.until_open().await;
    assert!(site.app.services.workspaces.notes(&site.who, &workspace, None).await.is_ok());
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_deletes_a_refused_workspace_of_somebody_else_unread() {
    let site = Site::new(Database::Postgres, hasty).await;
    site.activate().await;
    let (member, outsider) = (site.app.add_member("m@example.com").await, site.app.add_member("o@example.com").await);
    let port = &site.app.services.workspaces;
    let workspace = port.create(&member, "Claims triage", "").await.unwrap().id;
    port.create_note(&member, &workspace, NOTE).await.unwrap();
    let delete = async |who| port.delete_refused(who, &workspace).await;
    assert_eq!(delete(&site.who).await, Err(ApiError::NotFound), "its data key works");

    deny(&site, &workspace);
    assert_eq!(delete(&member).await, Err(ApiError::NotAllowed));
    while site.app.lock_of(&workspace).is_none() {
        let _ = port.notes(&member, &workspace, None).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = async |who| {
        let seen = site.app.services.encryption.view(who, None).await.unwrap();
        seen.locked_workspaces.into_iter().map(|locked| (locked.id, locked.is_member)).collect::<Vec<_>>()
    };
    assert_eq!(told(&site.who).await, [(workspace.clone(), false)], "known by its id");
    assert_eq!(told(&member).await, [(workspace.clone(), true)]);
    assert_eq!(told(&outsider).await, []);
    assert_eq!(port.get(&site.who, &workspace).await.map(drop), Err(ApiError::NotFound));

    assert_eq!(delete(&site.who).await, Ok(()));
    assert_eq!(port.get(&member, &workspace).await.map(drop), Err(ApiError::NotFound));
    assert_eq!(told(&site.who).await, []);
    assert_eq!(delete(&site.who).await, Err(ApiError::NotFound));
    site.stop().await;
}

/// What a workspace was locked for may be past when an administrator acts on it, and may be the root key's now.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_deletes_only_what_is_refused_at_that_moment() {
    let seldom = |config: &mut Config| {
        hasty(config);
        config.workspace_keys.ask_again = Duration::from_hours(1);
    };
    let site = Site::new(Database::Sqlite, seldom).await;
    let member = site.app.add_member("m@example.com").await;
    let port = &site.app.services.workspaces;
    let workspace = port.create(&member, "Claims triage", "").await.unwrap().id;
    port.create_note(&member, &workspace, NOTE).await.unwrap();
    let delete = async || port.delete_refused(&site.who, &workspace).await;
    deny(&site, &workspace);
    while site.app.lock_of(&workspace).is_none() {
        let _ = port.notes(&member, &workspace, None).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    site.proxy.clear();
    assert_eq!(delete().await, Err(ApiError::NotFound), "its data key works again");
    assert!(site.app.lock_of(&workspace).is_some(), "though it was not unlocked yet");

    let denied = Act::Fail(400, "AccessDeniedException");
    site.proxy.set([Rule::on(Operation::Decrypt, denied)]);
    let told = delete().await;
    assert!(matches!(told, Err(ApiError::Locked(_) | ApiError::Unavailable)), "{told:?}");

    deny(&site, &workspace);
    site.until_open().await;
    assert_ne!(port.get(&member, &workspace).await.map(drop), Err(ApiError::NotFound), "it is still there");
    assert_eq!(delete().await, Ok(()));
    assert_eq!(port.get(&member, &workspace).await.map(drop), Err(ApiError::NotFound));
    site.stop().await;
}
