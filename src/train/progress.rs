//! A training told in lines, for logs and pipes, where burn's dashboard cannot draw.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use burn::train::LearnerSummary;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricEntry, MetricId};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation, MetricsRendererTraining,
};

/// Time between two lines within a split.
const PERIOD: Duration = Duration::from_secs(30);

/// Prints a line every half minute and one at the end of each split.
pub struct Lines {
    names: Vec<(MetricId, String)>,
    /// What was last heard of each metric.
    values: BTreeMap<String, String>,
    epoch: usize,
    epochs: usize,
    split: String,
    items: [usize; 2],
    started: Instant,
    printed: Instant,
}

impl Default for Lines {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            names: Vec::new(),
            values: BTreeMap::new(),
            epoch: 1,
            epochs: 0,
            split: String::new(),
            items: [0, 0],
            started: now,
            printed: now,
        }
    }
}

impl Lines {
    fn hear(&mut self, state: MetricState) {
        let (MetricState::Generic(entry) | MetricState::Numeric(entry, _)) = state;
        if let Some((_, name)) = self.names.iter().find(|(id, _)| *id == entry.metric_id) {
            self.values.insert(name.clone(), mean(&entry).to_owned());
        }
    }

    fn print(&mut self) {
        let minutes = self.started.elapsed().as_secs_f64() / 60.0;
        let [done, total] = self.items;
        let values: Vec<String> = self.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
        println!(
            "{minutes:6.1} min  {}/{} {} {done}/{total}  {}",
            self.epoch,
            self.epochs,
            self.split,
            values.join(" | ")
        );
        self.printed = Instant::now();
    }
}

/// The mean so far; burn's own metrics write "epoch MEAN - batch LAST".
fn mean(entry: &MetricEntry) -> &str {
    let text = &entry.serialized_entry.formatted;
    let text = text.split_once(" - batch").map_or(text.as_str(), |(mean, _)| mean);
    text.strip_prefix("epoch ").unwrap_or(text)
}

impl TrainingProgressLogger for Lines {
    fn start(&mut self, total_epochs: usize, starting_epoch: usize, _: Option<usize>, _: Option<&str>) {
        (self.epochs, self.epoch) = (total_epochs, starting_epoch.max(1));
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        self.split = split.to_owned();
        self.items = [0, total_items];
        self.values.clear();
    }

    fn update_split(&mut self, items_processed: usize) {
        self.items[0] = items_processed;
        if self.printed.elapsed() > PERIOD {
            self.print();
        }
    }

    fn end_split(&mut self) {
        self.print();
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.epoch = epoch + 1;
    }

    fn end(&mut self) {}

    fn log_event_training(&mut self, _: String) {}
}

impl MetricsRendererTraining for Lines {
    fn update_train(&mut self, state: MetricState) {
        self.hear(state);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.hear(state);
    }

    fn on_train_end(&mut self, _: Option<LearnerSummary>) -> Result<(), Box<dyn std::error::Error>> {
        Ok(())
    }
}

impl MetricsRenderer for Lines {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.names.push((definition.metric_id, definition.name.to_string()));
    }
}

/// burn asks every renderer for this side too; a training never calls it.
impl MetricsRendererEvaluation for Lines {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl EvaluationProgressLogger for Lines {
    fn start_global_progress(&mut self, _: usize) {}
    fn start_test(&mut self, _: &str, _: usize) {}
    fn update_test_progress(&mut self, _: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _: String) {}
}
