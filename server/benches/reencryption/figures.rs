//! The table: each figure with its baseline, their ratio, and the bound that the ratio has to keep.

use std::env;

/// Runs of each kind. They take turns; the median counts.
pub const RUNS: usize = 3;

/// How much of the full size is measured.
#[derive(Clone, Copy)]
pub struct Scale(f64);

impl Scale {
    /// `SCALE`, more than 0 and at most 1; the full size without it.
    pub fn from_environment() -> Self {
        let scale = env::var("SCALE").map_or(1.0, |scale| scale.parse().expect("SCALE must be a number"));
        assert!(scale > 0.0 && scale <= 1.0, "SCALE must be more than 0 and at most 1");
        Self(scale)
    }

    /// So much of `full`, at least 1.
    pub fn of(self, full: usize) -> usize {
        ((full as f64 * self.0) as usize).max(1)
    }
}

/// What a ratio has to be.
#[derive(Clone, Copy)]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn says(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("at least {bound:.2}"),
            Self::AtMost(bound) => format!("at most {bound:.2}"),
        }
    }

    fn verdict(self, ratio: f64) -> &'static str {
        let kept = match self {
            Self::AtLeast(bound) => ratio >= bound,
            Self::AtMost(bound) => ratio <= bound,
        };
        if kept { "kept" } else { "MISSED" }
    }
}

pub fn head(scale: Scale) {
    if scale.0 < 1.0 {
        println!("At {} of the full size: to try things, the figures say little", scale.0);
    }
    println!("Medians of {RUNS} runs that take turns");
    println!("{:<62} {:>14} {:>14} {:>7}   {:<14}", "", "measured", "baseline", "ratio", "bound");
}

/// What the next figures are about.
pub fn title(text: &str) {
    println!("{text}");
}

/// A figure that others are understood by.
pub fn note(text: &str) {
    println!("    {text}");
}

/// One line. The ratio is measured to baseline.
pub fn line(name: &str, unit: &str, measured: f64, baseline: f64, bound: Bound) {
    let [shown, beside] = [measured, baseline].map(|figure| format!("{} {unit}", rounded(figure)));
    let ratio = measured / baseline;
    println!("  {name:<60} {shown:>14} {beside:>14} {ratio:>7.2}   {:<14} {}", bound.says(), bound.verdict(ratio));
}

/// Three digits that count, or the whole number if it is longer.
fn rounded(figure: f64) -> String {
    match figure {
        figure if figure >= 100.0 => format!("{figure:.0}"),
        figure if figure >= 10.0 => format!("{figure:.1}"),
        figure => format!("{figure:.2}"),
    }
}

pub fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The value that `share` of the figures do not exceed.
pub fn quantile(figures: &[f64], share: f64) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    let at = (figures.len() as f64 * share).ceil() as usize;
    figures[at.clamp(1, figures.len()) - 1]
}
