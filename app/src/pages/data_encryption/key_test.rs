//! What testing a key has shown, step by step and server by server. Rendered by the server alone and exchanged in place.

use crate::{
    components::icon::{COPY, Icon},
    format,
    model::{
        identity::Deployment,
        key_arn::KeyArn,
        key_test::{KeyTest, ServerAnswer, TestOutcome, TestPurpose},
        preflight::{KeyProblem, Preflight, StepReport, StepResult},
    },
    words::remedy::{Place, Remedy, remedy},
};
use leptos::prelude::*;

/// The id of the heading, which gets the focus when a test has been asked for.
pub const HEADING: &str = "key-test";

/// What has been found so far. `principal` is the deployment's AWS principal, if it is known.
pub fn key_test(test: &KeyTest, deployment: &Deployment, principal: Option<&str>) -> impl IntoView + use<> {
    let outcome = test.outcome();
    let tone = match outcome {
        TestOutcome::Passed => "notice good",
        TestOutcome::Failed => "notice bad",
        TestOutcome::TryingAgain => "notice warn",
        TestOutcome::Waiting => "notice",
    };
    let lists = KeyArn::parse(&test.arn).ok().map(|arn| {
        let place = Place { arn: &arn, deployment, principal };
        let groups = groups(test);
        let is_one = groups.len() == 1 && test.servers.len() == 1;
        groups.iter().enumerate().map(|(number, group)| list(number, group, is_one, &place)).collect_view()
    });
    let silent: Vec<String> = test.silent().map(str::to_owned).collect();
    let is_late = test.is_late;
    view! {
        <section class=tone aria-labelledby=HEADING>
            <h3 id=HEADING tabindex="-1">
                {title(test)}
            </h3>
            <p class="small">
                "Nothing has been changed. Key tested: " <span class="mono wrap">{test.arn.clone()}</span>
            </p>
            {(outcome == TestOutcome::TryingAgain)
                .then(|| {
                    view! {
                        <p class="small">
                            "A change of a policy can take some minutes to be known everywhere in AWS. It is tried again every few seconds, for another "
                            <span class="mono" data-left=test.tries_for.to_string()>
                                {format::countdown(test.tries_for)}
                            </span> ". You need not wait here."
                        </p>
                    }
                })}
            {lists}
            {silent
                .into_iter()
                .map(|name| {
                    view! {
                        <p class="small soft">
                            "Server " <span class="mono wrap">{name}</span>
                            {if is_late { " did not answer within 10 seconds." } else { " has not answered yet." }}
                        </p>
                    }
                })
                .collect_view()}
        </section>
    }
}

/// What is said of a test to people who cannot see the page change.
pub fn announcement(test: &KeyTest) -> &'static str {
    title(test)
}

fn title(test: &KeyTest) -> &'static str {
    let has_failed_before = test.answers().any(|answer| answer.attempts > 1);
    match (test.outcome(), test.purpose) {
        (TestOutcome::Waiting, _) => "The key is being tested",
        (TestOutcome::TryingAgain, _) => "AWS denied access to the key. It is tried again for you",
        (TestOutcome::Passed, _) if has_failed_before => "AWS allows access now. This key can be activated",
        (TestOutcome::Passed, _) => "This key can be activated",
        (TestOutcome::Failed, TestPurpose::Test) => "This key cannot be activated yet",
        (TestOutcome::Failed, TestPurpose::Activation) => "The key was not activated",
    }
}

/// The servers that found the same, and what they found.
struct Group<'a> {
    servers: Vec<&'a str>,
    answer: &'a ServerAnswer,
}

fn groups(test: &KeyTest) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for server in &test.servers {
        let Some(answer) = &server.answer else { continue };
        match groups.iter_mut().find(|group| is_same(&group.answer.preflight, &answer.preflight)) {
            Some(group) => group.servers.push(&server.server),
            None => groups.push(Group { servers: vec![&server.server], answer }),
        }
    }
    groups
}

/// Apart from the ids of the requests, of which each has its own.
fn is_same(one: &Preflight, other: &Preflight) -> bool {
    one.steps.len() == other.steps.len()
        && one.steps.iter().zip(&other.steps).all(|(one, other)| {
            (one.step, one.result, &one.code, one.denial) == (other.step, other.result, &other.code, other.denial)
        })
}

fn list(number: usize, group: &Group<'_>, is_one: bool, place: &Place<'_>) -> impl IntoView + use<> {
    let answer = group.answer;
    let whose = (!is_one).then(|| format!("Found by {}", group.servers.join(", ")));
    let tried = (answer.attempts > 1).then(|| format!("Tried {} times.", answer.attempts));
    let steps =
        answer.preflight.steps.iter().enumerate().map(|(at, report)| step(&format!("{number}-{at}"), report, place));
    let steps = steps.collect_view();
    view! {
        {whose.map(|whose| view! { <h4 class="small wrap">{whose}</h4> })}
        <ol class="steps">{steps}</ol>
        {tried.map(|tried| view! { <p class="small soft">{tried}</p> })}
    }
}

fn step(id: &str, report: &StepReport, place: &Place<'_>) -> impl IntoView + use<> {
    let (state, word, cause) = match report.result {
        StepResult::Passed => ("done", "Passed", None),
        StepResult::Warning(warning) => {
            ("warning", "A warning, which does not stop the activation", Some(warning.message().to_owned()))
        }
        StepResult::Failed(problem) => ("failed", "Failed", Some(cause(problem, place))),
        StepResult::NotRun => ("waiting", "Not tried, because an earlier step failed", None),
    };
    let at = report.at.map(|at| match report.result {
        StepResult::Failed(KeyProblem::PendingDeletion) => {
            format!("AWS deletes the key on {}.", format::people_time(at, false))
        }
        _ => format!("The key's material expires on {}.", format::people_time(at, false)),
    });
    let asked = report.step.action().filter(|_| report.result != StepResult::NotRun);
    let said = asked.map(|action| {
        let code = report.code.clone();
        let request = report.request_id.clone();
        view! {
            <p class="small soft">
                "AWS was asked for " <span class="mono">{action}</span>
                {code.map(|code| view! { " and answered " <span class="mono wrap">{code}</span> })} "."
                {request.map(|id| view! { " AWS request " <span class="mono wrap">{id}</span> })}
            </p>
        }
    });
    let id = format!("key-test-copy-{id}");
    view! {
        <li data-state=state>
            <div class="stack tight">
                <h4>{report.step.label()}</h4>
                <p class="small">
                    <span>{word}</span>
                    {cause.map(|cause| format!(". {cause}"))}
                </p>
                {at.map(|at| view! { <p class="small">{at}</p> })}
                {remedy(report, place).map(|remedy| view_remedy(id, remedy))}
                {said}
            </div>
        </li>
    }
}

/// What is wrong, with the names of what would be right where they are known.
fn cause(problem: KeyProblem, place: &Place<'_>) -> String {
    let Place { arn, deployment, .. } = place;
    match problem {
        KeyProblem::WrongPartition => format!(
            "The key is in the AWS partition {}. This deployment is in {}.",
            arn.partition(),
            deployment.partition
        ),
        KeyProblem::WrongRegion => format!(
            "The key is in {}. This deployment is in {}, and its key must be there too.",
            arn.region(),
            deployment.region
        ),
        KeyProblem::AccountNotAllowed => {
            format!("Your operator does not allow keys of the AWS account {} here.", arn.account())
        }
        other => other.message().to_owned(),
    }
}

fn view_remedy(id: String, remedy: Remedy) -> impl IntoView {
    view! {
        <p class="small">{remedy.text}</p>
        {remedy
            .copy
            .map(|(label, text)| {
                view! {
                    <div class="code">
                        <button
                            class="icon-button copy scripted"
                            type="button"
                            id=id
                            aria-label=label
                            title=label
                            data-copy=text.clone()
                        >
                            <Icon paths=COPY/>
                        </button>
                        <pre tabindex="0">{text}</pre>
                    </div>
                }
            })}
    }
}
