//! Why the data is locked, what to do about it, and AWS's own account of it.

use super::policy::Statements;
use crate::{
    components::{
        form::CopyButton,
        moment::Moment,
        more::{More, Section},
    },
    format,
    model::{
        encryption::{DataEncryption, RootKind, Servers},
        lock::{LockCause, LockFace},
    },
};
use leptos::prelude::*;

/// The notice, for the card that says whose key is in control.
pub fn reason(face: &LockFace, data: &DataEncryption, deployment: &str) -> impl IntoView + use<> {
    let cause = face.cause;
    let way_back = match (cause, data.root.kind) {
        (LockCause::AccessDenied, RootKind::Customer) => Some(
            view! {
                <p class="small soft">"The key policy needs these statements, and none that denies what they allow:"</p>
                <Statements deployment=deployment.to_owned() principal=data.principal_arn.clone()/>
            }
            .into_any(),
        ),
        (cause, RootKind::Customer) => commands(cause, &data.root.arn).map(|commands| {
            view! {
                <p class="small soft">"With the AWS CLI:"</p>
                <div class="code">
                    <CopyButton label="Copy commands" text=commands.clone()/>
                    <pre class="commands">{commands}</pre>
                </div>
            }
            .into_any()
        }),
        (_, RootKind::Provider) => None,
    };
    view! {
        <div class="notice bad">
            <strong>{face.notice()}</strong>
            <p>{cause.effect()} {cause.kept()} " " {face.remedy()}</p>
            {face
                .deletion_at
                .map(|at| {
                    view! {
                        <p>
                            "AWS deletes the key on " <strong>
                                <Moment at/>
                            </strong> ". After that, nothing that is stored here can ever be read again."
                        </p>
                    }
                })}
        </div>
        <More about=Section::States id="more-states"/>
        {way_back.map(|way_back| view! { <div class="stack">{way_back}</div> })}
    }
}

/// When AWS refused, when access ended and where, and AWS's answer: for the list of facts.
pub fn account(face: LockFace, servers: Servers) -> impl IntoView {
    // A server that starts with a refused key is locked from its start on, before anybody has refused anything.
    let later = face.refused_at.and_then(|refused| format::between(refused, face.since));
    view! {
        {face
            .refused_at
            .map(|at| {
                view! {
                    <dt>"AWS refused the key"</dt>
                    <dd>
                        <Moment at=at seconds=true/>
                    </dd>
                }
            })} <dt>"Access ended"</dt> <dd>
            <Moment at=face.since seconds=true/> {later.map(|later| format!(", {later} later"))}
            {servers.ended().map(|on| format!(", {on}"))}
        </dd>
        {face
            .code
            .map(|code| {
                view! {
                    <dt>"AWS answered"</dt>
                    <dd class="mono">{code}</dd>
                }
            })}
        {face
            .request_id
            .map(|id| {
                view! {
                    <dt>"AWS request"</dt>
                    <dd class="mono">{id}</dd>
                }
            })}
    }
}

/// What the key's owner can type to bring access back, where that is all it takes.
fn commands(cause: LockCause, arn: &str) -> Option<String> {
    let actions: &[&str] = match cause {
        LockCause::Disabled => &["enable-key"],
        LockCause::PendingDeletion => &["cancel-key-deletion", "enable-key"],
        _ => return None,
    };
    let region = arn.split(':').nth(3)?;
    let lines = actions.iter().map(|action| format!("aws kms {action} --region {region} --key-id {arn}"));
    Some(lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:us-west-1:111122223333:key/8f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b";

    #[test]
    fn a_cancelled_deletion_leaves_the_key_disabled_so_both_commands_are_given() {
        let text = commands(LockCause::PendingDeletion, ARN).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                format!("aws kms cancel-key-deletion --region us-west-1 --key-id {ARN}"),
                format!("aws kms enable-key --region us-west-1 --key-id {ARN}"),
            ]
        );
        assert_eq!(commands(LockCause::Disabled, ARN).unwrap().lines().count(), 1);
        assert_eq!(commands(LockCause::NotFound, ARN), None);
    }
}
