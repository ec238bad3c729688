//! What was measured: each figure with the runs behind it.

use crate::output::{self, Align, Table};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A figure's value in each run.
#[derive(Debug, Clone)]
struct Figure {
    name: &'static str,
    unit: &'static str,
    runs: Vec<f64>,
}

/// Everything that one measurement says.
#[derive(Debug, Default)]
pub(super) struct Figures(Vec<Figure>);

impl Figures {
    /// Adds a run's value. A name with a dot is a member of an object: `pickup_ms.p50`.
    pub(super) fn add(&mut self, name: &'static str, unit: &'static str, value: f64) {
        match self.0.iter_mut().find(|figure| figure.name == name) {
            Some(figure) => figure.runs.push(value),
            None => self.0.push(Figure { name, unit, runs: vec![value] }),
        }
    }

    /// Adds the median and the 99th percentile of one run's times, in milliseconds.
    pub(super) fn add_times(&mut self, [p50, p99]: [&'static str; 2], mut times: Vec<Duration>) {
        times.sort_unstable();
        let at = |share: f64| {
            let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
            times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        self.add(p50, "ms", at(0.5));
        self.add(p99, "ms", at(0.99));
    }

    /// A table for people, or JSON.
    pub(super) fn show(&self, as_json: bool) {
        if as_json {
            output::line(self.json().to_string());
            return;
        }
        let columns =
            [("Figure", Align::Left), ("Median", Align::Right), ("Unit", Align::Left), ("Runs", Align::Left)];
        let mut table = Table::new(columns);
        for figure in &self.0 {
            let runs: Vec<_> = figure.runs.iter().map(|run| shown(*run)).collect();
            table.row([figure.name.into(), shown(median(&figure.runs)), figure.unit.into(), runs.join(" ")]);
        }
        table.print();
    }

    fn json(&self) -> Value {
        let mut all = Map::new();
        let mut runs = Map::new();
        for figure in &self.0 {
            let value = json!(median(&figure.runs));
            match figure.name.split_once('.') {
                Some((group, member)) => all.entry(group).or_insert_with(|| json!({}))[member] = value,
                None => drop(all.insert(figure.name.into(), value)),
            }
            runs.insert(figure.name.into(), json!(figure.runs));
        }
        all.insert("runs".into(), runs.into());
        all.into()
    }
}

fn median(runs: &[f64]) -> f64 {
    let mut runs = runs.to_vec();
    runs.sort_by(f64::total_cmp);
    // Of an even number the two in the middle count the same.
    let (low, high) = (runs.get(runs.len().saturating_sub(1) / 2), runs.get(runs.len() / 2));
    low.zip(high).map_or(0.0, |(low, high)| f64::midpoint(*low, *high))
}

fn shown(value: f64) -> String {
    if value >= 100.0 { output::count(value as u64) } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_two_runs_lies_between_them() {
        for (runs, middle) in
            [(&[2.0, 1.0][..], 1.5), (&[4.0, 1.0, 2.0, 3.0], 2.5), (&[3.0, 1.0, 2.0], 2.0), (&[], 0.0)]
        {
            assert!((median(runs) - middle).abs() < 1e-9, "{runs:?}");
        }
    }

    #[test]
    fn json_has_the_median_and_the_runs_behind_it() {
        let mut figures = Figures::default();
        for run in [3.0, 1.0, 2.0] {
            figures.add("jobs_per_second", "jobs/s", run);
        }
        let times = (1..=100).map(Duration::from_millis).collect();
        figures.add_times(["pickup_ms.p50", "pickup_ms.p99"], times);
        let json = figures.json();
        assert_eq!(json["jobs_per_second"], 2.0);
        assert_eq!(json["runs"]["jobs_per_second"], json!([3.0, 1.0, 2.0]));
        assert_eq!((&json["pickup_ms"]["p50"], &json["pickup_ms"]["p99"]), (&json!(51.0), &json!(100.0)));
    }
}
