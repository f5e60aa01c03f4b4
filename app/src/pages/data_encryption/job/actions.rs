//! What an administrator can do with a job: pause it, resume it, try again what it has set aside.
//!
//! The forms are plain ones inside a part of the page that is exchanged, so nothing can be bound to them: whoever keeps the
//! page current hears them all, and knows them by where they post to.

use crate::{
    api::encryption::{PauseJob, ResumeJob, RetrySetAside, pause_job, resume_job, retry_set_aside},
    components::form::returned_error,
    model::{
        error::ApiError,
        job::{JobState, JobView, PauseReason},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobAction {
    Pause,
    Resume,
    Retry,
}

impl JobAction {
    const ALL: [Self; 3] = [Self::Pause, Self::Resume, Self::Retry];

    const fn path(self) -> &'static str {
        match self {
            Self::Pause => PauseJob::PATH,
            Self::Resume => ResumeJob::PATH,
            Self::Retry => RetrySetAside::PATH,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Retry => "Try again",
        }
    }

    /// What a form that posts to this path is for, if it is one of these.
    pub fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.path() == path)
    }

    /// Does it.
    pub async fn send(self) -> Result<(), ApiError> {
        match self {
            Self::Pause => pause_job().await,
            Self::Resume => resume_job().await,
            Self::Retry => retry_set_aside().await,
        }
    }

    /// What can be done with an unfinished job.
    pub fn of_unfinished(job: &JobView) -> Option<Self> {
        match job.state {
            JobState::Paused if job.waiting == Some(PauseReason::Administrator) => Some(Self::Resume),
            // It can be paused while it waits for something else, too: then it does not go on by itself.
            JobState::Running | JobState::Paused => Some(Self::Pause),
            JobState::Complete | JobState::Failed => None,
        }
    }
}

/// The form with its button. It is the same to the focus whatever it does, so that what was pressed keeps it.
pub fn button(action: JobAction) -> impl IntoView {
    view! {
        <form class="bare" method="post" action=action.path()>
            <button class="button" id="job-action" type="submit">
                {action.label()}
            </button>
        </form>
    }
}

/// What was wrong when one was last sent without scripts.
pub fn failed() -> Option<ApiError> {
    returned_error::<PauseJob>().or_else(returned_error::<ResumeJob>).or_else(returned_error::<RetrySetAside>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_known_by_its_path_and_nothing_else_is() {
        for action in JobAction::ALL {
            assert_eq!(JobAction::of(action.path()), Some(action));
        }
        assert_eq!(JobAction::of("/api/delete_key"), None);
        assert_eq!(JobAction::of(""), None);
    }
}
