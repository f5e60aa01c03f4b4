//! How much of each kind of data there is, and how much of it is done.

use super::rate::items_left;
use crate::{
    format,
    model::job::{JobItems, JobView},
};
use leptos::prelude::*;

/// The table; nothing before anything has been counted.
pub fn amounts(job: &JobView) -> Option<impl IntoView + use<>> {
    if job.items.is_empty() {
        return None;
    }
    let all = row(&sum(&job.items));
    let rows = job.items.iter().map(row).collect_view();
    Some(view! {
        // It keeps the focus while it is brought up to date, so it must be known again.
        <div class="scroll" id="job-amounts" tabindex="0" role="group" aria-label="Re-encrypted of each kind of data">
            <table class="list amounts">
                <thead>
                    <tr>
                        <th scope="col">"Data"</th>
                        <th scope="col" class="num">
                            "Done"
                        </th>
                        <th scope="col" class="num">
                            "Left"
                        </th>
                        <th scope="col" class="num">
                            "Set aside"
                        </th>
                        <th scope="col" class="num">
                            "Bytes"
                        </th>
                    </tr>
                </thead>
                <tbody>{rows} {all}</tbody>
            </table>
        </div>
    })
}

fn sum(kinds: &[JobItems]) -> JobItems {
    let nothing = JobItems {
        kind: "All".to_owned(),
        total: 0,
        done: 0,
        // Of some kinds the bytes are not known yet, so there is no sum of them.
        bytes_total: 0,
        bytes_done: 0,
        set_aside: 0,
    };
    kinds.iter().fold(nothing, |sum, kind| JobItems {
        total: sum.total.saturating_add(kind.total),
        done: sum.done.saturating_add(kind.done),
        bytes_done: sum.bytes_done.saturating_add(kind.bytes_done),
        set_aside: sum.set_aside.saturating_add(kind.set_aside),
        ..sum
    })
}

fn row(kind: &JobItems) -> impl IntoView + use<> {
    let done = format!("{} of {}", format::count(kind.done), format::count(kind.total.max(kind.done)));
    view! {
        <tr>
            <td>{kind.kind.clone()}</td>
            <td class="num">{done}</td>
            <td class="num">{format::count(items_left(kind))}</td>
            <td class="num">{format::count(kind.set_aside)}</td>
            <td class="num">{size(kind)}</td>
        </tr>
    }
}

/// What is done, and of how much where that is known and more.
fn size(kind: &JobItems) -> String {
    let done = format::bytes(kind.bytes_done);
    if kind.bytes_total > kind.bytes_done { format!("{done} of {}", format::bytes(kind.bytes_total)) } else { done }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(total: u64, done: u64, bytes_total: u64, bytes_done: u64, set_aside: u64) -> JobItems {
        JobItems { kind: "Notes".to_owned(), total, done, bytes_total, bytes_done, set_aside }
    }

    #[test]
    fn bytes_are_told_of_how_many_only_where_that_is_known() {
        assert_eq!(size(&kind(10, 5, 0, 2_000, 0)), "2 KB");
        assert_eq!(size(&kind(10, 5, 8_000, 2_000, 0)), "2 KB of 8 KB");
        assert_eq!(size(&kind(10, 10, 8_000, 8_000, 0)), "8 KB");
    }

    #[test]
    fn the_last_line_adds_up() {
        let all = sum(&[kind(10, 5, 0, 2_000, 1), kind(3, 1, 9_000, 3_000, 2)]);
        assert_eq!((all.total, all.done, all.bytes_done, all.set_aside), (13, 6, 5_000, 3));
        assert_eq!(items_left(&all), 4);
        assert_eq!(size(&all), "5 KB");
    }
}
