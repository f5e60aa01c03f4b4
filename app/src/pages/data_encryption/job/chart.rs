//! The rate of a job over time, as a small picture with the same in words.

use super::rate::{self, Stretch};
use crate::{
    components::moment::Moment,
    format,
    model::job::{JobMark, JobState, JobView},
};
use leptos::prelude::*;

/// With fewer marks there is no picture.
const ENOUGH: usize = 3;
/// The size of the picture, in its own units. It is stretched to its place.
const WIDTH: i64 = 1_200;
const HEIGHT: u64 = 120;
/// The line of the highest rate is drawn this far below the upper edge.
const MARGIN: u64 = 8;

/// What is drawn, and what is said of it. Rates are bytes in a second.
#[derive(Debug, PartialEq, Eq)]
struct Chart {
    /// The corners of one line for each time without a pause.
    lines: Vec<String>,
    lowest: u64,
    highest: u64,
    latest: u64,
    since: i64,
}

impl Chart {
    /// `None` if there is too little to draw, or nothing has been done in it.
    fn of(marks: &[JobMark]) -> Option<Self> {
        if marks.len() < ENOUGH {
            return None;
        }
        let worked = rate::stretches(marks);
        let (first, last) = (worked.first()?, worked.last()?);
        let highest = worked.iter().map(|stretch| stretch.pace.bytes).max().filter(|highest| *highest > 0)?;
        let lowest = worked.iter().map(|stretch| stretch.pace.bytes).min().unwrap_or(0);
        let latest = rate::pace_now(marks).unwrap_or(last.pace).bytes;
        let mut lines: Vec<String> = Vec::new();
        for stretch in &worked {
            let corners = corners(*stretch, (first.from, last.to), highest);
            match lines.last_mut().filter(|_| stretch.goes_on) {
                Some(line) => *line = format!("{line} {corners}"),
                None => lines.push(corners),
            }
        }
        Some(Self { lines, lowest, highest, latest, since: first.from })
    }

    /// The same for people who do not see it.
    fn label(&self, is_running: bool) -> String {
        format!(
            "Rate over time: lowest {} per second, highest {} per second, {} {} per second",
            format::bytes(self.lowest),
            format::bytes(self.highest),
            if is_running { "now" } else { "at the end" },
            format::bytes(self.latest),
        )
    }
}

/// Where the line of a stretch begins and ends.
fn corners(stretch: Stretch, (from, to): (i64, i64), highest: u64) -> String {
    let x = |at: i64| (at - from) * WIDTH / (to - from).max(1);
    let height = u128::from(stretch.pace.bytes) * u128::from(HEIGHT - MARGIN) / u128::from(highest.max(1));
    let y = u128::from(HEIGHT) - height;
    format!("{},{y} {},{y}", x(stretch.from), x(stretch.to))
}

/// The line, closed along the lower edge.
fn area(line: &str) -> String {
    let x = |corner: Option<&str>| corner.and_then(|corner| corner.split(',').next()).unwrap_or_default().to_owned();
    let (first, last) = (x(line.split(' ').next()), x(line.rsplit(' ').next()));
    format!("{first},{HEIGHT} {line} {last},{HEIGHT}")
}

/// The picture; nothing while there is too little to show.
pub fn chart(job: &JobView) -> Option<impl IntoView + use<>> {
    let chart = Chart::of(&job.marks)?;
    let drawn = chart
        .lines
        .iter()
        .map(|line| {
            view! {
                <polygon points=area(line)></polygon>
                <polyline points=line.clone()></polyline>
            }
        })
        .collect_view();
    Some(view! {
        <figure class="rate">
            <svg
                viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                preserveAspectRatio="none"
                role="img"
                aria-label=chart.label(job.state == JobState::Running)
            >
                {drawn}
            </svg>
            <figcaption class="row small soft">
                <span>"Rate since " <Moment at=chart.since seconds=true/></span>
                // The picture's label says it too.
                <span aria-hidden="true">
                    "lowest " {format::bytes(chart.lowest)} ", highest " {format::bytes(chart.highest)} " per second"
                </span>
            </figcaption>
        </figure>
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(way: &[(i64, u64)]) -> Vec<JobMark> {
        way.iter().map(|(at, bytes)| JobMark { at: at * 1_000, items: *bytes, bytes: *bytes }).collect()
    }

    #[test]
    fn the_line_keeps_to_the_picture() {
        let chart = Chart::of(&marks(&[(0, 0), (10, 1_000), (20, 5_000), (30, 5_000)])).unwrap();
        assert_eq!(chart.lines, ["0,92 400,92 400,8 800,8 800,120 1200,120"]);
        assert_eq!((chart.lowest, chart.highest, chart.latest, chart.since), (0, 400, 166, 0));
        assert_eq!(area(&chart.lines[0]), format!("0,120 {} 1200,120", chart.lines[0]));
    }

    #[test]
    fn the_label_says_what_is_drawn() {
        let chart = Chart::of(&marks(&[(0, 0), (10, 10_000), (20, 50_000)])).unwrap();
        assert_eq!(
            chart.label(true),
            "Rate over time: lowest 1 KB per second, highest 4 KB per second, now 2.5 KB per second"
        );
        assert!(chart.label(false).contains("at the end 2.5 KB per second"));
    }

    #[test]
    fn a_pause_parts_the_line() {
        let chart = Chart::of(&marks(&[(0, 0), (10, 1_000), (990, 1_000), (1_000, 2_000)])).unwrap();
        assert_eq!(chart.lines, ["0,8 12,8", "1188,8 1200,8"]);
        assert_eq!(chart.lowest, 100);
    }

    #[test]
    fn too_little_is_not_drawn() {
        assert_eq!(Chart::of(&[]), None);
        assert_eq!(Chart::of(&marks(&[(0, 0), (10, 1_000)])), None);
        assert_eq!(Chart::of(&marks(&[(0, 0), (10, 0), (20, 0)])), None, "nothing has been done");
        assert_eq!(Chart::of(&marks(&[(0, 5), (1_000, 10), (2_000, 15)])), None, "paused all the time");
    }
}
