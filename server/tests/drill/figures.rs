//! What was measured, held against what is promised.

use super::fleet::SERVERS;
use std::time::Duration;

/// Some times of one kind, and how long they may be.
struct Row {
    name: &'static str,
    times: Vec<(usize, Duration)>,
    p99: Option<Duration>,
    max: Option<Duration>,
}

/// Everything that was found out.
pub struct Report {
    measured: bool,
    rows: Vec<Row>,
    counts: Vec<String>,
    broken: Vec<String>,
}

/// The kinds of times, and their bounds.
#[derive(Clone, Copy)]
pub enum Kind {
    CutOff,
    Restore,
    /// From the last answer of KMS to the end of access, above the grace.
    Unreachable,
    /// The same, when the database cannot be reached.
    NoDatabase,
    CutOffWhileFlapping,
}

impl Report {
    pub fn new(measured: bool) -> Self {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let row = |name, p99, max| Row { name, times: Vec::new(), p99, max };
        let rows = vec![
            row("cut-off after the first refusal", seconds(10), seconds(15)),
            row("restore after the first acceptance", seconds(10), None),
            row("KMS unreachable: cut-off beyond the grace", None, seconds(2)),
            row("no database: cut-off beyond the grace", None, seconds(2)),
            row("flapping: cut-off after the first refusal", None, seconds(15)),
        ];
        Self { measured, rows, counts: Vec::new(), broken: Vec::new() }
    }

    /// Takes one time of one server down.
    pub fn time(&mut self, kind: Kind, server: usize, time: Duration) {
        self.rows[kind as usize].times.push((server, time));
    }

    /// Says how often something happened.
    pub fn count(&mut self, line: String) {
        self.counts.push(line);
    }

    /// Something must be so, in the short form too.
    pub fn check(&mut self, is_so: bool, what: impl FnOnce() -> String) {
        if !is_so {
            let what = what();
            println!("BROKEN: {what}");
            self.broken.push(what);
        }
    }

    /// Takes over what another has found.
    pub fn take(&mut self, other: Self) {
        self.counts.extend(other.counts);
        self.broken.extend(other.broken);
    }

    pub fn print(&self) {
        println!("\n{:<44} {:>4} {:>8} {:>8} {:>8}  bound", "seconds", "n", "p50", "p99", "max");
        for row in &self.rows {
            print_line(row.name, &row.of(None), &row.bound());
            for server in 0..SERVERS {
                print_line(&format!("  server {}", server + 1), &row.of(Some(server)), "");
            }
        }
        println!();
        for line in &self.counts {
            println!("{line}");
        }
    }

    /// Everything that was not as it must be.
    pub fn broken(self) -> Vec<String> {
        let mut broken = self.broken;
        for row in self.rows.iter().filter(|_| self.measured) {
            let times = row.of(None);
            for (word, bound, is) in [("p99", row.p99, rank(&times, 99)), ("max", row.max, rank(&times, 100))] {
                if let (Some(bound), Some(is)) = (bound, is)
                    && is > bound
                {
                    broken.push(format!("{}: {word} is {is:.1?}, which is more than {bound:?}", row.name));
                }
            }
        }
        broken
    }
}

impl Row {
    /// In order; of one server or of all.
    fn of(&self, server: Option<usize>) -> Vec<Duration> {
        let mine = self.times.iter().filter(|(of, _)| server.is_none_or(|server| server == *of));
        let mut times: Vec<_> = mine.map(|(_, time)| *time).collect();
        times.sort();
        times
    }

    fn bound(&self) -> String {
        let bounds = [("p99", self.p99), ("max", self.max)];
        let said: Vec<_> =
            bounds.iter().filter_map(|(word, bound)| Some(format!("{word} {}", (*bound)?.as_secs()))).collect();
        said.join(", ")
    }
}

fn print_line(name: &str, times: &[Duration], bound: &str) {
    let said =
        |percent| rank(times, percent).map_or_else(|| "-".to_owned(), |time| format!("{:.2}", time.as_secs_f64()));
    println!("{name:<44} {:>4} {:>8} {:>8} {:>8}  {bound}", times.len(), said(50), said(99), said(100));
}

/// The smallest of these, in order, that so many percent do not exceed.
fn rank(times: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (times.len() * percent).div_ceil(100);
    times.get(rank.checked_sub(1)?).copied()
}
