//! Training HSNet on episodes, from a random learner or from weights.
//!
//! How is said by a [`Recipe`]. Ours keeps a small training from swinging: the rate warms up and then falls along a
//! cosine, weights decay, the gradient is clipped, and what is validated and exported is a running average of the
//! weights. Which validation's weights are exported, and with which threshold, is told by classes that were held out for
//! it, not by the novel ones that are tested on, unless somebody asks for the published protocol.

mod batch;
mod bench;
mod checkpoint;
mod curves;
mod distributed;
mod exam;
mod journal;
mod judge;
mod learner;
mod ledger;
mod loader;
mod material;
mod pace;
mod progress;
mod recipe;
mod settings;
mod stop;
mod sweep;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use burn::data::dataloader::DataLoader;
use burn::lr_scheduler::LrSchedulerConfig;
use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::{ModuleLrScheduler, ModuleLrSchedulerConfig};
use burn::lr_scheduler::sequential::SequentialLrSchedulerConfig;
use burn::module::ParamGroup;
use burn::optim::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer};
use burn::train::checkpoint::CheckpointerError;
use burn::train::metric::{LearningRateMetric, LossMetric};
use burn::train::{Learner, SupervisedTraining, TrainingError};

use crate::data::DataError;
use crate::hsnet::Hsnet;
use crate::weights::{self, Header, WeightsError};

use batch::Batching;
use checkpoint::Checkpoints;
use journal::{Event, Journal};
use judge::{Judge, Keeper};
use learner::Trainee;
use ledger::Ledger;
use loader::Loader;
use pace::{Pace, Waiting};
use progress::{Ending, Watch};
use sweep::{MeanIou, sweep};

pub use batch::Role;
pub use bench::{Steps, time_steps};
pub use checkpoint::last_checkpoint;
pub use distributed::{Devices, Exchange};
pub use material::{Material, without_fold};
pub use pace::Stretch;
pub use recipe::{Loss, Recipe, Schedule, Select};
pub use settings::{DataSet, Settings, Start};
pub use stop::{INTERRUPTED, Stop};
pub use sweep::Sweep;

/// The file of finished weights in the folder of a training.
pub const WEIGHTS: &str = "weights.safetensors";

/// Why a training ended without weights.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("{}", lines(.0))]
    DataSets(Vec<DataError>),
    #[error("{}: {problem}", path.display())]
    Folder { path: PathBuf, problem: String },
    #[error("the settings do not fit together: {0}")]
    Settings(String),
    #[error("{}: {source}", path.display())]
    Weights { path: PathBuf, source: WeightsError },
    #[error("the training stopped at an error: {0}")]
    Stopped(Arc<TrainingError>),
    #[error(
        "{}: a checkpoint could not be written, nor at a second try ({problem}); \
        earlier ones are as they were: make room, then go on with --resume",
        out.display()
    )]
    Unsaved { out: PathBuf, problem: String },
    #[error("{}: the training was stopped before its end; go on with --resume", out.display())]
    Interrupted { out: PathBuf },
}

/// What came out of a training.
#[derive(Debug)]
pub struct Outcome {
    /// Where the weights are.
    pub weights: PathBuf,
    /// The validation that they are of, counted from 1.
    pub validation: usize,
    /// The threshold that was best on the held-out classes; the weights' header has it too.
    pub threshold: f32,
    /// How the held-out classes were found at each threshold.
    pub held_out: Sweep,
    /// The same for the novel classes, where the data sets have any.
    pub novel: Sweep,
    /// All that this process learned from, and what it took.
    pub learned: Stretch,
}

/// Where a training runs and is kept.
#[derive(Clone)]
pub struct Run {
    /// The folder for checkpoints, journal, curves and finally [`WEIGHTS`].
    pub out: PathBuf,
    /// Whether to go on from the last checkpoint there, if there is one.
    pub resume: bool,
    pub devices: Devices,
    /// Through which it can be stopped.
    pub stop: Stop,
}

/// Trains `network` on `material`.
///
/// # Errors
/// When a file cannot be read or written, settings are out of range, or somebody asked for the end.
pub fn train(network: Hsnet, material: Material, settings: &Settings, run: &Run) -> Result<Outcome, TrainError> {
    let out = &run.out;
    settings.check()?;
    run.devices.check(settings.at_once())?;
    if settings.recipe.select == Select::Test && material.novel.is_empty() {
        let problem = "--select test needs novel classes to test on: a data set with some, of PASCAL or COCO a --fold";
        return Err(TrainError::Settings(problem.into()));
    }
    settings.save(out)?;
    let epochs_done = if run.resume { last_checkpoint(out)? } else { 0 };
    let journal = Arc::new(Journal::open(out)?);
    journal.write(Event::Start {
        version: env!("CARGO_PKG_VERSION").into(),
        devices: run.devices.names(),
        after: epochs_done,
        settings: serde_json::to_value(settings).unwrap_or_default(),
    });
    let outcome = learn(network, material, settings, run, epochs_done, &journal);
    journal.write(match &outcome {
        Ok(outcome) => Event::End { weights: outcome.weights.clone(), threshold: outcome.threshold },
        Err(TrainError::Interrupted { .. }) => Event::Interrupted,
        Err(error) => Event::Failed { problem: error.to_string() },
    });
    outcome
}

fn learn(
    network: Hsnet,
    material: Material,
    settings: &Settings,
    run: &Run,
    epochs_done: usize,
    journal: &Arc<Journal>,
) -> Result<Outcome, TrainError> {
    let (out, devices) = (&run.out, &run.devices);
    let batching = Batching::of(settings);
    let has_novel = !material.novel.is_empty();
    let exams = [(Role::HeldOut, material.held_out), (Role::Novel, material.novel)];
    let validating = Loader::fixed(exams, batching, settings);
    let waiting = Waiting::on(devices.waiting_at_once());
    let learning =
        Loader::endless(material.training, batching, settings, devices.count(), epochs_done, waiting.clone());
    let pace = Pace::new(waiting);
    let watch = Watch::new(
        settings,
        validating.num_items(),
        out,
        epochs_done,
        pace.clone(),
        journal.clone(),
        run.stop.interrupter(),
    );
    let ending = watch.ending();

    let training = supervised(learning, validating.clone(), has_novel, settings, out)
        .with_interrupter(run.stop.interrupter())
        .with_training_strategy(devices.strategy().into())
        .renderer(Box::new(watch));
    let training = keeping(training, settings, out, epochs_done, journal)?;
    let trainee = trainee(network, settings, devices);
    let result = training.launch(Learner::new(trainee, optimizer(&settings.recipe), rates(settings)?));
    let ending = ending.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match (ending, result.error) {
        (Ending::Failed(error), _) | (_, Some(error)) => return Err(failed(out, error)),
        (Ending::Interrupted, None) => return Err(TrainError::Interrupted { out: out.clone() }),
        (Ending::Through, None) => {}
    }
    // With it goes the dashboard, and what is said from here on can be read.
    drop(result.renderer);
    export(result.model, &validating, material.description, settings, run, pace.training())
}

/// The network as it is trained.
fn trainee(network: Hsnet, settings: &Settings, devices: &Devices) -> Trainee {
    let recipe = &settings.recipe;
    let trainee = Trainee::new(network, recipe.backbone_lr > 0.0, averaging_rate(settings))
        .minimising(recipe.loss)
        .sharing(devices.share() / settings.accumulate as f64);
    if settings.checkpointing { trainee.sparing() } else { trainee }
}

/// Writes the weights of the chosen validation, with the threshold that is best for them.
fn export(
    trainee: Trainee,
    validating: &Loader,
    data: String,
    settings: &Settings,
    run: &Run,
    learned: Stretch,
) -> Result<Outcome, TrainError> {
    let (out, recipe) = (&run.out, &settings.recipe);
    let judge = Judge::new(recipe.select, settings.patience);
    // The journal may know of checkpoints that the disk has lost.
    let validation = judge.chosen(&checkpoint::whole(out)?, &mut Ledger::of(out)).unwrap_or(0);
    let network = checkpoint::restored(trainee, out, validation)?.average;
    let (held_out, novel) = sweep(&network, validating, recipe.threshold, run.devices.first())?;
    let threshold = recipe.threshold.unwrap_or(held_out.best().threshold);
    let header = Header {
        threshold,
        data,
        design: settings.design,
        support_size: (recipe.support_size != recipe.size).then(|| recipe.support_plane()),
        licence: settings.licence.clone(),
        ..Header::hsnet(settings.backbone, recipe.plane())
    };
    let weights = out.join(WEIGHTS);
    weights::save(&network, &header, &weights)
        .map_err(|source| TrainError::Weights { path: weights.clone(), source })?;
    Ok(Outcome { weights, validation, threshold, held_out, novel, learned })
}

/// burn's training loop with what it measures.
fn supervised(
    learning: Loader,
    validating: Loader,
    has_novel: bool,
    settings: &Settings,
    out: &Path,
) -> SupervisedTraining<Trainee> {
    let at = |role| MeanIou::of(role).at(settings.recipe.threshold);
    let mut training = SupervisedTraining::new(out, Arc::new(learning), Arc::new(validating))
        .with_application_logger(None)
        .metric_train_numeric(LossMetric::new())
        .metric_train_numeric(LearningRateMetric::new())
        .metric_valid_numeric(LossMetric::new())
        .metric_valid_numeric(at(Role::HeldOut));
    if has_novel {
        training = training.metric_valid_numeric(at(Role::Novel));
    }
    if settings.checkpointing {
        training = training.gradient_checkpointing();
    }
    match settings.accumulate {
        0 | 1 => training,
        parts => training.grads_accumulation(parts),
    }
}

/// The same with what it keeps, where it goes on and when it ends.
fn keeping(
    training: SupervisedTraining<Trainee>,
    settings: &Settings,
    out: &Path,
    epochs_done: usize,
    journal: &Arc<Journal>,
) -> Result<SupervisedTraining<Trainee>, TrainError> {
    let [model, optim, scheduler] = Checkpoints::new(out, journal.clone()).parts();
    let judge = Judge::new(settings.recipe.select, settings.patience);
    let mut ledger = Ledger::of(out);
    let is_spent = judge.is_spent(epochs_done, &mut ledger);
    let training = training
        .num_epochs(if is_spent { epochs_done } else { settings.epochs() })
        .with_custom_checkpointers(model, optim, scheduler)
        .with_checkpointing_strategy(Keeper::new(judge.clone(), checkpoint::kept(out)?))
        .early_stopping(judge)
        .with_metric_logger(ledger);
    Ok(if epochs_done > 0 { training.checkpoint(epochs_done) } else { training })
}

/// An error of burn's loop; that a checkpoint could not be written is for the user to mend.
fn failed(out: &Path, error: Arc<TrainingError>) -> TrainError {
    match error.as_ref() {
        TrainingError::Checkpoint(CheckpointerError::IOError(problem)) => {
            TrainError::Unsaved { out: out.to_owned(), problem: problem.to_string() }
        }
        _ => TrainError::Stopped(error),
    }
}

/// What the average of the weights takes from each step; all of it, where there is to be no average.
fn averaging_rate(settings: &Settings) -> f64 {
    (1.0 / (settings.recipe.average * settings.steps() as f64)).min(1.0)
}

/// AdamW, each parameter's gradient clipped; without weight decay that is Adam.
fn optimizer(recipe: &Recipe) -> ModuleOptimizer {
    let clipping = (recipe.clip > 0.0).then_some(GradientClippingConfig::Norm(recipe.clip as f32));
    AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay(recipe.weight_decay as f32)
        .with_grad_clipping(clipping)
        .init()
}

/// A rate for the learner and one for the backbone, each warmed up over the first steps and scheduled over the others.
fn rates(settings: &Settings) -> Result<ModuleLrScheduler, TrainError> {
    let (recipe, steps) = (&settings.recipe, settings.steps());
    let warm_up = (recipe.warm_up * steps as f64).ceil() as usize;
    let over_time = |rate: f64| -> LrSchedulerConfig {
        if rate == 0.0 {
            return LrSchedulerConfig::Constant(0.0);
        }
        let rest: LrSchedulerConfig = match recipe.schedule {
            Schedule::Constant => LrSchedulerConfig::Constant(rate),
            Schedule::Cosine => {
                let steps = steps.saturating_sub(warm_up).max(1);
                CosineAnnealingLrSchedulerConfig::new(rate, steps).with_min_lr(rate / 100.0).into()
            }
        };
        if warm_up == 0 {
            return rest;
        }
        let rise = LinearLrSchedulerConfig::new(rate / warm_up as f64, rate, warm_up);
        SequentialLrSchedulerConfig::new(vec![rise.into(), rest], vec![warm_up]).into()
    };
    ModuleLrSchedulerConfig::new(over_time(recipe.lr))
        .with_group(ParamGroup::from_predicate("model.backbone"), over_time(recipe.backbone_lr))
        .init()
        .map_err(TrainError::Settings)
}

/// Each on lines of its own.
fn lines(errors: &[DataError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn unusable(path: &Path, error: &io::Error) -> TrainError {
    TrainError::Folder { path: path.to_owned(), problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use burn::tensor::Device;

    use super::settings::tests::{tiny, with};
    use super::*;

    fn run(out: &Path, resume: bool) -> Result<Outcome, TrainError> {
        run_with(tiny(), out, resume)
    }

    /// Trains on drawn pictures.
    fn run_with(settings: Settings, out: &Path, resume: bool) -> Result<Outcome, TrainError> {
        let device = Device::flex();
        device.seed(0);
        run_from(Hsnet::init(settings.backbone, settings.design, &device), settings, 1, out, resume)
    }

    fn run_from(
        network: Hsnet,
        settings: Settings,
        devices: usize,
        out: &Path,
        resume: bool,
    ) -> Result<Outcome, TrainError> {
        let settings = Settings { data: vec![], ..settings };
        let devices = Devices::new(vec![Device::flex(); devices], Exchange::Gathered)?;
        let run = Run { out: out.to_owned(), resume, devices, stop: Stop::default() };
        train(network, Material::open(&settings)?, &settings, &run)
    }

    #[test]
    fn a_resumed_training_ends_where_an_uninterrupted_one_does() {
        let (whole, halved) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let last = with(|recipe| recipe.select = Select::Last);
        let settings = Settings { accumulate: 2, checkpointing: true, ..last };
        let weights = run_with(settings.clone(), whole.path(), false).unwrap().weights;
        fs::create_dir(halved.path().join("checkpoint")).unwrap();
        fs::rename(whole.path().join("checkpoint/1"), halved.path().join("checkpoint/1")).unwrap();
        let resumed = run_with(settings, halved.path(), true).unwrap().weights;
        assert!(fs::read(weights).unwrap() == fs::read(resumed).unwrap(), "the weights differ");
    }

    #[test]
    fn the_weights_say_what_they_come_from() {
        let out = tempfile::tempdir().unwrap();
        let outcome = run(out.path(), false).unwrap();
        let bytes = fs::read(&outcome.weights).unwrap();
        let (header, _) = weights::load(&bytes, &Device::flex()).unwrap();
        assert_eq!((header.data.as_str(), header.size), ("drawn shapes", [64, 64]));
        assert_eq!(header.threshold, outcome.threshold);
        assert!(!outcome.held_out.is_empty() && outcome.novel.is_empty());
    }

    #[test]
    fn the_weights_are_those_of_the_best_validation_and_patience_ends_the_training() {
        let out = tempfile::tempdir().unwrap();
        // At this rate the network forgets more than it learns.
        let mut settings = Settings { episodes: 80, patience: Some(2), ..with(|recipe| recipe.lr = 0.3) };
        settings.recipe.average = 0.0;
        let outcome = run_with(settings.clone(), out.path(), false).unwrap();
        let last = last_checkpoint(out.path()).unwrap();
        assert_eq!(last, outcome.validation + 2);
        assert!(last < settings.epochs());

        let trainee = Trainee::new(Hsnet::init(settings.backbone, settings.design, &Device::flex()), false, 1.0);
        let best = checkpoint::restored(trainee, out.path(), outcome.validation).unwrap().average;
        let header = Header::hsnet(settings.backbone, settings.recipe.plane());
        let expected = out.path().join("expected.safetensors");
        weights::save(&best, &header, &expected).unwrap();
        let arrays = |path: &Path| {
            let (_, network) = weights::load(&fs::read(path).unwrap(), &Device::flex()).unwrap();
            weights::arrays_of(&network)
        };
        assert!(arrays(&outcome.weights) == arrays(&expected), "not the weights of the best validation");

        // The journal's best is of no use once its checkpoint is damaged.
        let part = out.path().join(format!("checkpoint/{}/optim.bpk", outcome.validation));
        let whole = fs::read(&part).unwrap();
        fs::write(&part, &whole[..whole.len() - 1]).unwrap();
        assert_ne!(run_with(settings.clone(), out.path(), true).unwrap().validation, outcome.validation);
        fs::write(&part, &whole).unwrap();

        // Nothing more is learned after that.
        let resumed = run_with(settings, out.path(), true).unwrap();
        assert_eq!((resumed.validation, last_checkpoint(out.path()).unwrap()), (outcome.validation, last));
    }

    #[test]
    fn nothing_is_chosen_on_novel_classes_that_are_not_there() {
        let out = tempfile::tempdir().unwrap();
        let error = run_with(with(|recipe| recipe.select = Select::Test), out.path(), false).unwrap_err().to_string();
        assert!(error.contains("--select test") && error.contains("--fold"), "{error}");
    }

    #[test]
    fn a_damaged_checkpoint_does_not_count_and_is_made_again() {
        let out = tempfile::tempdir().unwrap();
        assert_eq!(last_checkpoint(out.path()).unwrap(), 0);
        let weights = fs::read(run(out.path(), false).unwrap().weights).unwrap();
        assert_eq!(last_checkpoint(out.path()).unwrap(), 2);
        let part = out.path().join("checkpoint/2/optim.bpk");
        let whole = fs::read(&part).unwrap();
        fs::write(&part, &whole[..whole.len() - 1]).unwrap();
        // As if a crash had come while the next was written.
        fs::create_dir(out.path().join("checkpoint/3.partial")).unwrap();
        assert_eq!(last_checkpoint(out.path()).unwrap(), 1);
        let resumed = run(out.path(), true).unwrap().weights;
        assert!(weights == fs::read(resumed).unwrap(), "the weights differ");
        assert_eq!(last_checkpoint(out.path()).unwrap(), 2);
    }

    #[test]
    fn a_training_that_was_stopped_says_so_and_goes_on() {
        let out = tempfile::tempdir().unwrap();
        let settings = Settings { data: vec![], ..tiny() };
        let stop = Stop::default();
        stop.ask();
        let stopped = Run { out: out.path().to_owned(), resume: false, devices: Device::flex().into(), stop };
        let network = Hsnet::init(settings.backbone, settings.design, &Device::flex());
        let outcome = train(network, Material::open(&settings).unwrap(), &settings, &stopped);
        assert!(matches!(outcome, Err(TrainError::Interrupted { .. })), "{outcome:?}");
        assert_eq!(last_checkpoint(out.path()).unwrap(), 0);
        run(out.path(), true).unwrap();
    }

    /// All weights, one after the other.
    fn numbers(network: &Hsnet) -> Vec<f32> {
        weights::arrays_of(network).into_values().flat_map(|array| array.values).collect()
    }

    #[test]
    fn two_devices_learn_what_one_does() {
        let start = Hsnet::init(tiny().backbone, tiny().design, &Device::flex());
        let learned = |devices| {
            let out = tempfile::tempdir().unwrap();
            let outcome = run_from(start.clone(), tiny(), devices, out.path(), false).unwrap();
            numbers(&weights::load(&fs::read(outcome.weights).unwrap(), &Device::flex()).unwrap().1)
        };
        let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
        let (one, two) = (learned(1), learned(2));
        let (difference, way) = (apart(&one, &two), apart(&one, &numbers(&start)));
        assert!(difference < 0.02 * way, "{difference} apart after a way of {way}");
    }

    #[test]
    fn rates_rise_then_fall_and_a_frozen_backbone_has_none() {
        let settings = Settings { episodes: 200, validate_every: 200, ..with(|recipe| recipe.lr = 0.1) };
        let mut scheduler = rates(&settings).unwrap();
        let rates: Vec<f64> = (0..100).map(|_| scheduler.step().base()).collect();
        assert!((rates[0] - 0.02).abs() < 1e-9 && (rates[5] - 0.1).abs() < 1e-9, "{rates:?}");
        assert!(rates[5..].is_sorted_by(|a, b| a >= b));
        assert!(rates[99] < 0.002);
        let path = Some("model.backbone.blocks.0.expand.weight");
        assert_eq!(scheduler.step().lr_from_param(burn::module::ParamId::new(), path), 0.0);
    }

    #[test]
    fn the_published_rate_is_one_and_the_same() {
        let settings = Settings { recipe: Recipe { batch: 2, ..Recipe::PUBLISHED }, ..tiny() };
        let mut scheduler = rates(&settings).unwrap();
        assert!((0..settings.steps()).all(|_| scheduler.step().base() == 1e-3));
    }
}
