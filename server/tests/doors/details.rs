//! What Data Encryption tells of workspaces: administrators are told their ids, others only those of their own; of what is inside
//! they are told how much it is.

use crate::{
    on_both_databases,
    scene::{Actor, MISSING, People},
    support::Database,
};
use app::{
    model::{encryption::DataEncryption, error::ApiError, lock::LockHistory},
    ports::{EncryptionPort, Principal},
};
use sea_orm::{ActiveValue::Set, EntityTrait};
use server::store::{
    entities::{
        encryption::RootKind,
        job::{self, JobKind, JobStage, JobState},
        lock_event, set_aside,
    },
    house,
};
use uuid::Uuid;

on_both_databases!(ids_of_workspaces_are_told_to_their_members_and_to_administrators);

const NOTE_ID: Uuid = Uuid::from_u128(0x0198_f000_0000_7000_8000_0000_0000_00aa);
const JOB: Uuid = Uuid::from_u128(0x0198_f000_0000_7000_8000_0000_0000_00bb);

/// A lock of one workspace and one of everything, and a complete job that has set an item of the workspace aside.
async fn history_of(people: &People, workspace: Uuid) {
    let on = people.app.services.store.write();
    for (number, scope) in [(1_u128, Some(workspace)), (2, None)] {
        let row = lock_event::ActiveModel {
            id: Set(Uuid::from_u128(number)),
            server_id: Set(Uuid::from_u128(7)),
            server_name: Set("elsewhere".to_owned()),
            scope: Set(scope),
            root_key_arn: Set(people.app.keys.provider.clone()),
            root_kind: Set(RootKind::Provider),
            cause: Set("provider_refused".to_owned()),
            code: Set(None),
            request_id: Set(None),
            deletion_at: Set(None),
            refused_at: Set(None),
            locked_at: Set(1_700_000_000_000),
            ended_at: Set(Some(1_700_000_000_000)),
            last_byte_at: Set(None),
            cut: Set(0),
            restored_at: Set(Some(1_700_000_060_000)),
            gone_at: Set(None),
        };
        lock_event::Entity::insert(row).exec_without_returning(on).await.unwrap();
    }
    let root = house::root(on).await.unwrap().root_key_arn;
    let row = job::ActiveModel {
        id: Set(JOB),
        kind: Set(JobKind::Retry),
        state: Set(JobState::Complete),
        stage: Set(JobStage::Done),
        from_arn: Set(root.clone()),
        to_arn: Set(root),
        created_at: Set(1),
        control_at: Set(Some(1)),
        finished_at: Set(Some(2)),
        problem_scope: Set(Some(workspace)),
        ..Default::default()
    };
    job::Entity::insert(row).exec_without_returning(on).await.unwrap();
    let row = set_aside::ActiveModel {
        id: Set(Uuid::from_u128(3)),
        job_id: Set(JOB),
        item_table: Set("notes".to_owned()),
        item_id: Set(NOTE_ID),
        scope: Set(workspace),
        data_key_id: Set(Uuid::from_u128(4)),
        reason: Set("tampered".to_owned()),
        at: Set(1),
    };
    set_aside::Entity::insert(row).exec_without_returning(on).await.unwrap();
}

/// Locks of single workspaces that somebody is told of, and locks of everything.
fn locks(data: &DataEncryption) -> (Vec<String>, usize) {
    let locks = data.history.iter().filter_map(|line| match line {
        LockHistory::Lock(incident) => Some(incident.workspace.clone()),
        LockHistory::Reset(_) => None,
    });
    let (alone, all): (Vec<_>, Vec<_>) = locks.partition(Option::is_some);
    (alone.into_iter().flatten().collect(), all.len())
}

async fn ids_of_workspaces_are_told_to_their_members_and_to_administrators(database: Database) {
    let people = People::new(database).await;
    let scene = people.scene().await;
    history_of(&people, scene.workspace.parse().unwrap()).await;
    let port = &people.app.services.encryption;
    let view = async |who: &Principal| port.view(who, None).await.unwrap();
    let administrator = people.app.administrator().await;
    for (actor, who, is_told_of_the_lock, is_told_ids) in [
        (Actor::Administrator, &administrator, true, true),
        (Actor::Reader, &people.reader, true, false),
        (Actor::Outsider, &people.outsider, false, false),
        (Actor::Elsewhere, &people.elsewhere, false, false),
    ] {
        let data = view(who).await;
        let told = if is_told_of_the_lock { vec![scene.workspace.clone()] } else { Vec::new() };
        assert_eq!(locks(&data), (told, 1), "{actor:?}");
        let job = data.job.unwrap();
        assert_eq!(job.scope.is_some(), is_told_ids, "{actor:?}");
        assert_eq!(job.set_aside.iter().map(|group| group.items).sum::<u64>(), 1, "{actor:?} is told how many");
        let listed = job.set_aside.iter().map(|group| group.listed.len()).sum::<usize>();
        assert_eq!(listed, usize::from(is_told_ids), "{actor:?}");

        let page = people.browser(actor).open("/settings/data-encryption").await;
        assert!(page.status == 200 && page.text().contains("1 item"), "{actor:?}");
        let shown = page.text();
        assert_eq!(shown.contains(&scene.workspace), is_told_of_the_lock, "{actor:?}");
        assert_eq!(shown.contains(&NOTE_ID.to_string()), is_told_ids, "{actor:?}");
        assert_eq!(shown.contains("Download report"), is_told_ids, "{actor:?}");
        for job in [JOB.to_string().as_str(), MISSING, "x"] {
            let answer = people.browser(actor).get(&format!("/settings/data-encryption/jobs/{job}/report")).await;
            if is_told_ids {
                assert_eq!(answer.status, if job == JOB.to_string() { 200 } else { 404 }, "{actor:?}: {job}");
            } else {
                assert_eq!(answer.json::<ApiError>(), ApiError::NotAllowed, "{actor:?}: {job}");
            }
        }
    }
    people.app.stop().await;
}
