//! The server that runs the job stands still past the end of its lease, as a virtual machine does that is being moved, and
//! goes on when another has the job, or has completed it. It must do no harm then.

use crate::{
    scene::{NOTES, Scene, account_is_exact},
    support::kms_proxy::{Act, Call, Gate, KmsProxy, Operation, Rule},
    takeover::LAST,
};
use tokio::join;

/// Checks of its key, one a second, after which a server that was woken up has also tried to renew its lease.
const AWAKE: usize = 5;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wakes {
    WhileAnotherRunsIt,
    WhenItIsOver,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stood_still_outside_of_a_transaction_does_no_harm() {
    join!(between_transactions(Wakes::WhileAnotherRunsIt), between_transactions(Wakes::WhenItIsOver));
}

/// It stands still while KMS has a fresh data key of its: no transaction is open then, and the first that it begins must fail.
async fn between_transactions(wakes: Wakes) {
    let proxy = KmsProxy::start().await;
    let mut scene = Scene::with(|_| vec![("AWS_ENDPOINT_URL_KMS", proxy.url.clone())]).await;
    let (gate, workspace) = (Gate::closed(), scene.filled.workspace.clone());
    let first = |act| Rule::on(Operation::Encrypt, act).key(&scene.arn).scope(&workspace);
    // The first is the swap's; the second wraps the fresh key.
    proxy.set([first(Act::Pass).times(1), first(Act::Wait(gate.clone()))]);
    let is_wrap = |call: &Call| call.operation == Operation::Encrypt && call.scope() == Some(&workspace);
    scene.activate().await;
    proxy.until(0, 2, "a fresh key is with KMS", is_wrap).await;
    scene.runner.freeze();
    let fence = scene.fence().await;
    let heir = scene.heir().await;
    let held = scene.levers.hold_row("notes", LAST).await;
    scene.until_taken_over(fence).await;
    scene.levers.until_waiting("notes").await;
    gate.open();
    let mark = proxy.mark();
    if wakes == Wakes::WhileAnotherRunsIt {
        scene.runner.thaw();
        proxy.until(mark, AWAKE, "the server that was woken up lives", Call::is_check).await;
        held.let_go().await;
        let job = scene.ends_well(&heir).await;
        account_is_exact(&job, &scene.filled, NOTES);
    } else {
        held.let_go().await;
        let job = scene.ends_well(&heir).await;
        account_is_exact(&job, &scene.filled, NOTES);
        scene.runner.thaw();
        proxy.until(mark, AWAKE, "the server that was woken up lives", Call::is_check).await;
    }
    Box::pin(is_harmless(scene, heir, fence + 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_inside_of_a_transaction_keeps_nobody_waiting() {
    join!(
        in_a_transaction("notes", LAST, Wakes::WhenItIsOver),
        in_a_transaction("objects", LAST, Wakes::WhenItIsOver),
        in_a_transaction("job_items", "WHERE kind = 'files' AND items_total > 0", Wakes::WhenItIsOver),
        in_a_transaction("notes", LAST, Wakes::WhileAnotherRunsIt)
    );
}

/// It stands still while it puts down the note about an object that it is about to write. When it goes on, that note has expired,
/// and what it names is gone: nothing may be written there any more, or at least nothing be left.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_notes_have_expired_meanwhile_leaves_nothing_behind() {
    let proxy = KmsProxy::start().await;
    let mut scene = Scene::with(|_| vec![("AWS_ENDPOINT_URL_KMS", proxy.url.clone())]).await;
    let held = scene.levers.hold_table("object_notes").await;
    scene.activate().await;
    scene.levers.until_waiting("object_notes").await;
    scene.runner.freeze();
    held.let_go().await;
    let fence = scene.fence().await;
    let heir = scene.heir().await;
    scene.until_taken_over(fence).await;
    let job = scene.ends_well(&heir).await;
    account_is_exact(&job, &scene.filled, NOTES);
    heir.app.until_object_notes(0).await;
    let mark = proxy.mark();
    scene.runner.thaw();
    proxy.until(mark, AWAKE, "the server that was woken up lives", Call::is_check).await;
    Box::pin(is_harmless(scene, heir, fence + 1)).await;
}

/// Its transaction holds rows, and with `job_items` that of the job itself, and will not go on by itself.
async fn in_a_transaction(table: &str, which: &str, wakes: Wakes) {
    let mut scene = Scene::new().await;
    let held = if table == "job_items" {
        let early = scene.stands_still_at("notes", LAST).await;
        let held = scene.levers.hold_row(table, which).await;
        early.let_go().await;
        scene.levers.until_waiting(table).await;
        held
    } else {
        scene.stands_still_at(table, which).await
    };
    scene.runner.freeze();
    held.let_go().await;
    let fence = scene.fence().await;
    let heir = scene.heir().await;
    scene.until_taken_over(fence).await;
    if wakes == Wakes::WhileAnotherRunsIt {
        scene.runner.thaw();
    }
    let job = scene.ends_well(&heir).await;
    account_is_exact(&job, &scene.filled, NOTES);
    if wakes == Wakes::WhenItIsOver {
        scene.runner.thaw();
    }
    // Until it has come to its senses: it answers from the database.
    assert!(scene.view().await.job.is_some());
    Box::pin(is_harmless(scene, heir, fence + 1)).await;
}

/// Nothing has changed since the end of the job, and the server that stood still serves people as the other does.
async fn is_harmless(mut scene: Scene, heir: crate::scene::Heir, fence: i64) {
    assert_eq!(scene.fence().await, fence, "nobody has taken the job since");
    scene.is_all_there(&heir).await;
    let seen = scene.view().await;
    assert!(!seen.job.unwrap().state.is_unfinished());
    let (workspace, files) = (&scene.filled.workspace, &scene.filled.files);
    for (file, bytes) in files {
        let read = scene.browser.get(&format!("/workspaces/{workspace}/files/{file}")).await;
        assert!(read.body == *bytes, "{}", read.status);
    }
    scene.end(heir).await;
}
