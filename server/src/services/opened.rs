//! What a request has opened, so that its answer can be tied to all of it, whichever way the route has come by it.
//!
//! What must stay true: every data key that a request uses is noted here, in the one place that hands data keys out.

use std::{cell::RefCell, future::Future};
use vault::{DataKey, DataKeyId, Leash};

tokio::task_local! {
    static OPENED: RefCell<Vec<(DataKeyId, Leash)>>;
}

/// Runs a request, and says what ties the data keys it has used to their leases. What it does on other tasks is not seen.
pub async fn recording<T>(request: impl Future<Output = T>) -> (T, Vec<Leash>) {
    let recorded = async {
        let answer = request.await;
        let opened = OPENED.with(RefCell::take);
        (answer, opened.into_iter().map(|(_, leash)| leash).collect())
    };
    OPENED.scope(RefCell::default(), recorded).await
}

/// Notes that the request on this task, if there is one, uses a data key.
pub fn note(key: &DataKey) {
    let Ok(leash) = key.leash() else { return };
    // Outside of a request there is nobody to be told.
    let _ = OPENED.try_with(|opened| {
        let mut opened = opened.borrow_mut();
        if opened.iter().all(|(id, _)| *id != key.id()) {
            opened.push((key.id(), leash));
        }
    });
}
