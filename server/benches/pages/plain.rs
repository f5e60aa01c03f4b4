//! What a page costs beside the least that could answer the same: a plain handler of `axum` behind the same session, which
//! asks the same user, runs the same query, opens the same names, and gives them as JSON.
//!
//! Both are served by the same process, in runs that take turns: first as fast as they are answered, for the requests a second
//! of one processor; then at half of the rate that each had, for the time from the intended moment of sending.

use crate::{
    client::{Client, at_rate, round},
    support::TestApp,
};
use app::ports::WorkspacesPort;
use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use server::{
    http::session::{Sessions, USER},
    services::Services,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tower_sessions::Session;
use vault::SystemClock;

/// Answers for each connection in a run.
const ANSWERS: usize = 400;
const RUNS: usize = 3;
/// Connections at half the load: more than are ever busy.
const CONNECTIONS: usize = 16;
const WINDOW: Duration = Duration::from_secs(8);

async fn list(session: Session, State(services): State<Services>) -> impl IntoResponse {
    let user: String = session.get(USER).await.unwrap().unwrap();
    let who = services.accounts.find(user.parse().unwrap()).await.unwrap().unwrap();
    Json(services.workspaces.list(&who.principal, None).await.unwrap())
}

/// Serves the handler on a port of its own, until the process ends.
pub async fn serve(app: &TestApp) -> SocketAddr {
    let sessions = Sessions::new(app.services.store.clone(), Arc::new(SystemClock));
    let router =
        Router::new().route("/list", get(list)).layer(sessions.layer(false)).with_state(app.services.as_ref().clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// `page` and `plain`: connections to each. `connect` makes more of them.
pub fn measure(page: &mut [Client], plain: &mut [Client], connect: impl Fn(usize) -> [Vec<Client>; 2]) {
    let [mut rates, mut costs] = [[Vec::new(), Vec::new()], [Vec::new(), Vec::new()]];
    for clients in [&mut *page, &mut *plain] {
        round(clients, ANSWERS);
    }
    for _ in 0..RUNS {
        for (at, clients) in [&mut *page, &mut *plain].into_iter().enumerate() {
            let cost = round(clients, ANSWERS);
            rates[at].push(1.0 / cost.wall);
            costs[at].push(1.0 / cost.server);
        }
    }
    let rates = rates.map(median);
    let mut waits = [Vec::new(), Vec::new()];
    let mut clients = connect(CONNECTIONS);
    for _ in 0..RUNS {
        for (at, clients) in clients.iter_mut().enumerate() {
            let mut took = at_rate(clients, rates[at] / 2.0, WINDOW);
            took.sort_by(f64::total_cmp);
            waits[at].push(took[took.len() * 99 / 100]);
        }
    }
    println!("A page beside a plain handler that gives the same as JSON, medians of {RUNS} runs that take turns");
    println!("{:<42} {:>10} {:>10} {:>8}   target", "", "page", "plain", "ratio");
    let [page, plain] = costs.map(median);
    println!(
        "{:<42} {page:>10.0} {plain:>10.0} {:>8.2}   at least 0.4",
        "requests a second of one processor",
        page / plain
    );
    let ([page, plain], [slow, fast]) = (rates.map(|rate| rate / 2.0), waits.map(median));
    let name = format!("p99 at {page:.0} and at {plain:.0} a second");
    println!("{name:<42} {slow:>7.2} ms {fast:>7.2} ms {:>8.2}   at least 0.4", fast / slow);
}
