//! The history of locks, as people see it: what each server noted for itself, put together to what happened.

use super::{access, failure::Failure, words};
use crate::store::entities::{encryption::RootKind, lock_event, reset, server};
use app::{
    model::{
        encryption::Servers,
        identity::Role,
        lock::{LockCause, LockHistory, LockIncident, Reset, ServerLock},
    },
    ports::Principal,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

/// Lines on the page.
const LINES: usize = 20;
/// Rows that are read for them: with many servers each lock has many.
const ROWS: u64 = 400;
/// Servers feel one event within this time of each other, in milliseconds.
const TOGETHER: i64 = 60_000;

/// The newest lines that concern `who`: locks of everything, and those of single workspaces that are theirs; administrators
/// are told of all. Cost: one index range of each table, and for others also as much as they have workspaces.
pub async fn newest(on: &impl ConnectionTrait, who: &Principal) -> Result<Vec<LockHistory>, Failure> {
    let mut query = lock_event::Entity::find();
    if who.role != Role::Administrator {
        let mine = lock_event::Column::Scope.in_subquery(access::ids_of_mine(who)?);
        query = query.filter(Condition::any().add(lock_event::Column::Scope.is_null()).add(mine));
    }
    let rows = query
        .order_by_desc(lock_event::Column::LockedAt)
        .order_by_desc(lock_event::Column::Id)
        .limit(ROWS)
        .all(on)
        .await?;
    let resets = reset::Entity::find().order_by_desc(reset::Column::At).limit(LINES as u64).all(on).await?;
    let mut lines: Vec<(i64, LockHistory)> =
        resets.into_iter().map(|row| (row.at, LockHistory::Reset(told(row)))).collect();
    lines.extend(incidents(rows).into_iter().map(|(at, incident)| (at, LockHistory::Lock(incident))));
    lines.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    Ok(lines.into_iter().take(LINES).map(|(_, line)| line).collect())
}

/// The servers that are alive, and how many of them are locked.
pub async fn servers(on: &impl ConnectionTrait, now: i64) -> Result<Servers, Failure> {
    let alive = server::Entity::find().filter(server::Column::HeartbeatAt.gt(now - server::SILENT_FOR));
    let locked = alive.clone().filter(server::Column::KeyState.eq(server::LOCKED)).count(on).await?;
    Ok(Servers { live: alive.count(on).await?, locked })
}

fn told(row: reset::Model) -> Reset {
    Reset {
        at: row.at,
        root_key_arn: row.root_key_arn,
        workspaces: row.workspaces.unsigned_abs(),
        notes: row.notes.unsigned_abs(),
        files: row.files.unsigned_abs(),
        bytes: row.bytes.unsigned_abs(),
    }
}

/// An incident that is being put together, from its rows, the oldest first.
struct Together {
    scope: Option<Uuid>,
    arn: String,
    first: i64,
    /// When the last of its servers was open again; the end of time while one is locked.
    until: i64,
    rows: Vec<lock_event::Model>,
}

/// Puts the rows together: what different servers noted about the same key and data, at about the same time or while one
/// of them was still locked, is one incident. With when it began.
fn incidents(mut rows: Vec<lock_event::Model>) -> Vec<(i64, LockIncident)> {
    rows.reverse();
    let mut found: Vec<Together> = Vec::new();
    for row in rows {
        let until = row.restored_at.or(row.gone_at).unwrap_or(i64::MAX);
        let joined = found.iter_mut().rev().find(|one| {
            let at_once = row.locked_at <= one.first.saturating_add(TOGETHER) || row.locked_at <= one.until;
            let is_new = one.rows.iter().all(|known| known.server_id != row.server_id);
            one.scope == row.scope && one.arn == row.root_key_arn && at_once && is_new
        });
        match joined {
            Some(one) => {
                one.until = one.until.max(until);
                one.rows.push(row);
            }
            None => found.push(Together {
                scope: row.scope,
                arn: row.root_key_arn.clone(),
                first: row.locked_at,
                until,
                rows: vec![row],
            }),
        }
    }
    found.into_iter().filter_map(incident).collect()
}

fn incident(together: Together) -> Option<(i64, LockIncident)> {
    // Whoever was refused first has AWS's own account of it.
    let first = together.rows.iter().min_by_key(|row| row.refused_at.unwrap_or(i64::MAX))?;
    let cause = words::read(&first.cause).unwrap_or(match first.root_kind {
        RootKind::Provider => LockCause::ProviderRefused,
        RootKind::Customer => LockCause::Unreachable,
    });
    let incident = LockIncident {
        cause,
        workspace: together.scope.map(|scope| scope.to_string()),
        root_key_arn: together.arn,
        code: first.code.clone(),
        request_id: first.request_id.clone(),
        servers: together.rows.iter().map(server_lock).collect(),
    };
    Some((together.first, incident))
}

fn server_lock(row: &lock_event::Model) -> ServerLock {
    ServerLock {
        server: row.server_name.clone(),
        refused_at: row.refused_at,
        confirmed_at: row.locked_at,
        ended_at: row.ended_at,
        restored_at: row.restored_at,
        gone_at: row.gone_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(server: u128, locked_at: i64, restored_at: Option<i64>) -> lock_event::Model {
        lock_event::Model {
            id: Uuid::from_u128(server << 64 | u128::from(locked_at.unsigned_abs())),
            server_id: Uuid::from_u128(server),
            server_name: format!("server {server}"),
            scope: None,
            root_key_arn: "arn".to_owned(),
            root_kind: RootKind::Customer,
            cause: "disabled".to_owned(),
            code: Some("DisabledException".to_owned()),
            request_id: Some(format!("request of {server}")),
            deletion_at: None,
            refused_at: Some(locked_at - 1_000),
            locked_at,
            ended_at: Some(locked_at),
            last_byte_at: None,
            cut: 0,
            restored_at,
            gone_at: None,
        }
    }

    /// As the database gives them: the newest first.
    fn put_together(mut rows: Vec<lock_event::Model>) -> Vec<(i64, Vec<String>)> {
        rows.sort_by_key(|row| std::cmp::Reverse(row.locked_at));
        let names = |incident: LockIncident| incident.servers.into_iter().map(|server| server.server).collect();
        incidents(rows).into_iter().map(|(at, incident)| (at, names(incident))).collect()
    }

    #[test]
    fn what_servers_feel_together_is_one_incident() {
        let rows = vec![row(1, 10_000, Some(90_000)), row(2, 12_000, Some(91_000)), row(3, 11_000, None)];
        assert_eq!(put_together(rows), [(10_000, vec!["server 1".to_owned(), "server 3".into(), "server 2".into()])]);
    }

    #[test]
    fn the_same_server_twice_is_two_incidents() {
        let rows = vec![row(1, 10_000, Some(20_000)), row(1, 30_000, Some(40_000))];
        assert_eq!(put_together(rows).len(), 2);
    }

    #[test]
    fn a_server_that_starts_while_others_are_locked_belongs_to_them() {
        let rows = vec![row(1, 10_000, None), row(2, 10_000_000, None)];
        assert_eq!(put_together(rows).len(), 1);
        let rows = vec![row(1, 10_000, Some(20_000)), row(2, 10_000_000, None)];
        assert_eq!(put_together(rows).len(), 2);
    }

    #[test]
    fn one_workspace_and_everything_are_two_things() {
        let alone = lock_event::Model { scope: Some(Uuid::from_u128(7)), ..row(2, 10_500, None) };
        let together = put_together(vec![row(1, 10_000, None), alone]);
        assert_eq!(together.len(), 2);
    }

    #[test]
    fn the_account_is_that_of_the_first_refusal() {
        let mut late = row(2, 10_000, None);
        late.refused_at = None;
        let (_, incident) = incidents(vec![row(1, 12_000, None), late]).remove(0);
        assert_eq!(incident.request_id.as_deref(), Some("request of 1"));
    }
}
