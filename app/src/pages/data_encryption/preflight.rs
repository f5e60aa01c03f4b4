//! What trying a key showed, step by step.

use crate::model::preflight::{Preflight, StepReport, StepResult};
use leptos::prelude::*;

#[component]
pub fn PreflightList(preflight: Preflight) -> impl IntoView {
    let has_problem = preflight.problem().is_some();
    let steps = preflight.steps.into_iter().map(|report| view! { <Step report/> }).collect_view();
    view! {
        <div class=if has_problem { "notice bad" } else { "notice good" } id="preflight" tabindex="-1" role="status">
            <strong>
                {if has_problem { "This key cannot be activated yet" } else { "This key can be activated" }}
            </strong>
            <p class="small">"Nothing has been changed."</p>
            <ol class="steps">{steps}</ol>
        </div>
    }
}

#[component]
fn Step(report: StepReport) -> impl IntoView {
    let (state, word, remedy) = match report.result {
        StepResult::Passed => ("done", "Passed", None),
        StepResult::Warning(warning) => {
            ("warning", "A warning; it does not stop the activation", Some(warning.message()))
        }
        StepResult::Failed(problem) => ("failed", "Failed", Some(problem.message())),
        StepResult::NotRun => ("waiting", "Not tried, because an earlier step failed", None),
    };
    let asked = report.step.action().zip(report.code);
    view! {
        <li data-state=state>
            <div>
                <h3>{report.step.label()}</h3>
                <p class="small">{word}</p>
                {remedy.map(|remedy| view! { <p class="small">{remedy}</p> })}
                {asked
                    .map(|(action, code)| {
                        view! {
                            <p class="small soft">
                                "AWS answered " <span class="mono wrap">{code}</span> " to "
                                <span class="mono">{action}</span> "."
                            </p>
                        }
                    })}
                {report
                    .request_id
                    .map(|id| view! { <p class="small soft">"AWS request " <span class="mono wrap">{id}</span></p> })}
            </div>
        </li>
    }
}
