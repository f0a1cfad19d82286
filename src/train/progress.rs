//! A training as it is watched: on burn's dashboard in a terminal, in plain lines elsewhere, and as a journal and
//! curves in its folder.

use std::io::{self, IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{
    LearningRateMetric, LossMetric, Metric as _, MetricAttributes, MetricDefinition, MetricEntry, MetricId,
    NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation, MetricsRendererTraining,
};
use burn::train::{Interrupter, LearnerSummary, TrainingError};

use super::batch::Role;
use super::journal::{Event, Journal, Steps, Validation};
use super::pace::{Pace, Split, Work};
use super::stop::listen_beside_dashboard;
use super::sweep::{MeanIou, Point};
use super::{Settings, curves};

/// Time between two plain lines within a split.
const PERIOD: Duration = Duration::from_secs(30);
/// Steps between two lines of the journal.
const STEPS: usize = 10;
/// What the dashboard shows beside burn's metrics.
const SPEED: &str = "Episodes per second";
const WAITED: &str = "Waited for data";

/// How a training's loop came to its end.
#[derive(Clone, Default)]
pub enum Ending {
    #[default]
    Through,
    Interrupted,
    Failed(Arc<TrainingError>),
}

/// Hears of everything from burn's training loop and tells it on.
pub struct Watch {
    plan: Plan,
    pace: Pace,
    journal: Arc<Journal>,
    out: PathBuf,
    interrupter: Interrupter,
    ending: Arc<Mutex<Ending>>,
    /// burn's, in a terminal.
    dashboard: Option<Box<dyn MetricsRenderer>>,
    heard: Vec<Heard>,
    split: Option<Split>,
    /// The epoch in progress, from 1.
    epoch: usize,
    /// Episodes of the split that are done, and all of them.
    items: [usize; 2],
    /// Sum and count of the training losses since the journal's last line.
    losses: (f64, usize),
    /// The step of that line.
    told: usize,
    training_loss: Option<f64>,
    started: Instant,
    printed: Instant,
}

/// What is to be done.
struct Plan {
    epochs: usize,
    /// Episodes to learn from in an epoch.
    an_epoch: usize,
    /// Episodes a step.
    a_step: usize,
    /// Episodes in a validation.
    validated: usize,
}

/// A metric, and what was last heard of it in this split.
struct Heard {
    id: MetricId,
    name: String,
    text: Option<String>,
    value: Option<f64>,
}

impl Watch {
    /// Watches a training with these settings in the folder `out`, which goes on after `epochs_done`.
    pub fn new(
        settings: &Settings,
        validated: usize,
        out: &Path,
        epochs_done: usize,
        pace: Pace,
        journal: Arc<Journal>,
        interrupter: Interrupter,
    ) -> Self {
        let dashboard = || -> Box<dyn MetricsRenderer> {
            Box::new(TuiMetricsRendererWrapper::new(interrupter.clone(), (epochs_done > 0).then_some(epochs_done)))
        };
        let an_epoch = settings.steps_an_epoch() * settings.recipe.batch;
        let now = Instant::now();
        Self {
            plan: Plan { epochs: settings.epochs(), an_epoch, a_step: settings.recipe.batch, validated },
            pace,
            journal,
            out: out.to_owned(),
            ending: Arc::default(),
            dashboard: io::stdout().is_terminal().then(dashboard),
            interrupter,
            heard: vec![],
            split: None,
            epoch: epochs_done + 1,
            items: [0, 0],
            losses: (0.0, 0),
            told: epochs_done * settings.steps_an_epoch(),
            training_loss: None,
            started: now,
            printed: now,
        }
    }

    /// Where the end will be found, when the loop is through.
    pub fn ending(&self) -> Arc<Mutex<Ending>> {
        self.ending.clone()
    }

    fn on_dashboard(&mut self, tell: impl FnOnce(&mut dyn MetricsRenderer)) {
        if let Some(dashboard) = &mut self.dashboard {
            tell(dashboard.as_mut());
        }
    }

    fn is_training(&self) -> bool {
        self.split.as_ref().is_some_and(|split| split.is_training)
    }

    /// Episodes learned from since the beginning of the training.
    fn episodes(&self) -> usize {
        (self.epoch - 1) * self.plan.an_epoch + if self.is_training() { self.items[0] } else { self.plan.an_epoch }
    }

    fn hear(&mut self, state: &MetricState) {
        let (entry, value) = match state {
            MetricState::Generic(entry) => (entry, None),
            MetricState::Numeric(entry, value) => (entry, value.as_ref()),
        };
        let is_training = self.is_training();
        let Some(heard) = self.heard.iter_mut().find(|heard| heard.id == entry.metric_id) else {
            return;
        };
        if entry.serialized_entry.is_not_available() {
            return;
        }
        heard.text = Some(mean(entry).to_owned());
        heard.value = value.map(NumericEntry::current).filter(|value| value.is_finite());
        if heard.name != *LossMetric::new().name() || !is_training {
            return;
        }
        match (value, heard.value) {
            (Some(NumericEntry::Final(_)), mean) => self.training_loss = mean,
            (_, Some(loss)) => self.losses = (self.losses.0 + loss, self.losses.1 + 1),
            _ => {}
        }
    }

    /// What was last heard of the metric `name`.
    fn value(&self, name: &str) -> Option<f64> {
        self.heard.iter().find(|heard| heard.name == name)?.value
    }

    /// The mIoU of a role, with its threshold.
    fn point(&self, role: Role) -> Option<Point> {
        let name = MeanIou::of(role).name();
        let heard = self.heard.iter().find(|heard| heard.name == *name)?;
        let Point { threshold, .. } = heard.text.as_ref()?.parse().ok()?;
        Some(Point { threshold, miou: heard.value? })
    }

    fn tell_steps(&mut self) {
        let Some(split) = &self.split else { return };
        let stretch = self.pace.reached(split, self.items[0]);
        let episodes = self.episodes();
        let step = episodes.div_ceil(self.plan.a_step);
        let is_last = self.items[0] == self.items[1];
        if step < self.told + STEPS && !is_last || step == self.told {
            return;
        }
        let (sum, count) = std::mem::take(&mut self.losses);
        self.told = step;
        self.journal.write(Event::Steps(Steps {
            epoch: self.epoch,
            step,
            episodes,
            loss: (count > 0).then(|| sum / count as f64),
            rate: self.value(&LearningRateMetric::new().name()),
            episodes_per_second: stretch.episodes_per_second(),
            waited: stretch.share_waited(),
        }));
    }

    fn tell_validation(&self) {
        self.journal.write(Event::Validation(Validation {
            epoch: self.epoch,
            episodes: self.episodes(),
            training_loss: self.training_loss,
            loss: self.value(&LossMetric::new().name()),
            held_out: self.point(Role::HeldOut),
            novel: self.point(Role::Novel),
        }));
        if let Err(error) = curves::draw(&self.out) {
            tracing::warn!("the curves of the training could not be drawn: {error}");
        }
    }

    /// A line on standard output. That nobody reads it any more must not end a training.
    fn print(&mut self) {
        let Some(split) = &self.split else { return };
        let [done, all] = self.items;
        let stretch = self.pace.reached(split, done);
        let minutes = self.started.elapsed().as_secs_f64() / 60.0;
        let Plan { epochs, an_epoch, validated, .. } = self.plan;
        let mut parts: Vec<String> = self.heard.iter().filter_map(Heard::words).collect();
        let later = epochs.saturating_sub(self.epoch);
        let mut work = Work { training: later * an_epoch, validating: later * validated };
        if split.is_training {
            parts.push(format!("{:.1} episodes/s", stretch.episodes_per_second()));
            parts.push(format!("waited {:.1} %", 100.0 * stretch.share_waited()));
            work.training += all - done;
            work.validating += validated;
        } else {
            work.validating += all - done;
        }
        if let Some(left) = self.pace.left(split, work).filter(|left| left.as_secs() > 0) {
            parts.push(format!("{} left", in_words(left)));
        }
        let name = if split.is_training { "train" } else { "valid" };
        let line = format!("{minutes:6.1} min  {}/{epochs} {name} {done}/{all}  {}", self.epoch, parts.join(" | "));
        let _ = writeln!(io::stdout(), "{line}");
        self.printed = Instant::now();
    }

    /// Shows the speed of training and its waiting on the dashboard, as if they were metrics of burn's.
    fn show_pace(&mut self) {
        let (Some(dashboard), Some(split)) = (&mut self.dashboard, &self.split) else { return };
        let stretch = self.pace.reached(split, self.items[0]);
        let share = 100.0 * stretch.share_waited();
        for (name, value, text) in [
            (SPEED, stretch.episodes_per_second(), format!("{:.1}", stretch.episodes_per_second())),
            (WAITED, share, format!("{share:.1} % of the time")),
        ] {
            let entry = MetricEntry::new(id(name), SerializedEntry::new(text, value.to_string()));
            dashboard.update_train(MetricState::Numeric(entry, Some(NumericEntry::Value(value))));
        }
    }
}

impl Heard {
    /// As a line says it. The learning rate is for the journal.
    fn words(&self) -> Option<String> {
        let text = self.text.as_ref()?;
        match self.name.as_str() {
            "Learning Rate" => None,
            "Loss" => Some(format!("loss {text}")),
            name => Some(format!("{name} {text}")),
        }
    }
}

/// The mean so far; burn's own metrics write "epoch MEAN - batch LAST".
fn mean(entry: &MetricEntry) -> &str {
    let text = &entry.serialized_entry.formatted;
    let text = text.split_once(" - batch").map_or(text.as_str(), |(mean, _)| mean);
    text.strip_prefix("epoch ").unwrap_or(text)
}

fn id(name: &str) -> MetricId {
    MetricId::new(Arc::new(name.to_owned()))
}

/// A time in the unit that a person would use.
fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..6000 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

impl TrainingProgressLogger for Watch {
    fn start(&mut self, epochs: usize, first: usize, items: Option<usize>, label: Option<&str>) {
        self.on_dashboard(|dashboard| {
            for (name, unit, higher_is_better) in [(SPEED, None, true), (WAITED, Some("%".into()), false)] {
                dashboard.register_metric(MetricDefinition {
                    metric_id: id(name),
                    name: Arc::new(name.into()),
                    description: None,
                    attributes: MetricAttributes::Numeric(NumericAttributes { unit, higher_is_better }),
                });
            }
            dashboard.start(epochs, first, items, label);
        });
    }

    fn start_split(&mut self, split: &str, items: usize) {
        self.on_dashboard(|dashboard| {
            dashboard.start_split(split, items);
            listen_beside_dashboard();
        });
        (self.items, self.losses) = ([0, items], (0.0, 0));
        for heard in &mut self.heard {
            (heard.text, heard.value) = (None, None);
        }
        self.split = Some(self.pace.start(split == "train"));
    }

    fn update_split(&mut self, items_processed: usize) {
        self.on_dashboard(|dashboard| dashboard.update_split(items_processed));
        self.items[0] = items_processed;
        if self.is_training() {
            self.tell_steps();
            self.show_pace();
        }
        if self.dashboard.is_none() && self.printed.elapsed() > PERIOD {
            self.print();
        }
    }

    fn end_split(&mut self) {
        if self.dashboard.is_none() {
            self.print();
        }
        self.on_dashboard(|dashboard| dashboard.end_split());
        // A split that was broken off is no validation.
        let is_whole = self.items[0] == self.items[1];
        if let Some(split) = &self.split {
            self.pace.reached(split, self.items[0]);
            self.pace.end(split);
        }
        if is_whole && !self.is_training() {
            self.tell_validation();
        }
        self.split = None;
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.on_dashboard(|dashboard| dashboard.update_epoch(epoch));
        self.epoch = epoch + 1;
    }

    fn end(&mut self) {
        self.on_dashboard(|dashboard| dashboard.end());
    }

    fn log_event_training(&mut self, event: String) {
        self.on_dashboard(|dashboard| dashboard.log_event_training(event));
    }
}

impl MetricsRendererTraining for Watch {
    fn update_train(&mut self, state: MetricState) {
        self.hear(&state);
        self.on_dashboard(|dashboard| dashboard.update_train(state));
    }

    fn update_valid(&mut self, state: MetricState) {
        self.hear(&state);
        self.on_dashboard(|dashboard| dashboard.update_valid(state));
    }

    fn on_train_end(&mut self, summary: Option<LearnerSummary>) -> Result<(), Box<dyn std::error::Error>> {
        // The dashboard makes the interrupter forget.
        *self.ending.lock().unwrap_or_else(PoisonError::into_inner) = match self.interrupter.error() {
            Some(error) => Ending::Failed(error),
            None if self.interrupter.should_stop() => Ending::Interrupted,
            None => Ending::Through,
        };
        self.dashboard.as_mut().map_or(Ok(()), |dashboard| dashboard.on_train_end(summary))
    }
}

impl MetricsRenderer for Watch {
    fn manual_close(&mut self) {
        self.on_dashboard(|dashboard| dashboard.manual_close());
    }

    fn register_metric(&mut self, definition: MetricDefinition) {
        let (id, name) = (definition.metric_id.clone(), definition.name.to_string());
        self.heard.push(Heard { id, name, text: None, value: None });
        self.on_dashboard(|dashboard| dashboard.register_metric(definition));
    }
}

/// burn asks every renderer for this side too; a training never calls it.
impl MetricsRendererEvaluation for Watch {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl EvaluationProgressLogger for Watch {
    fn start_global_progress(&mut self, _: usize) {}
    fn start_test(&mut self, _: &str, _: usize) {}
    fn update_test_progress(&mut self, _: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _: String) {}
}
