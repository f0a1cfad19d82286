//! Training HSNet on episodes, from a random learner or from weights.
//!
//! How is said by a [`Recipe`]. Ours keeps a small training from swinging: the rate warms up and then falls along a
//! cosine, weights decay, the gradient is clipped, and what is validated and exported is a running average of the
//! weights. Which validation's weights are exported, and with which threshold, is told by classes that were held out for
//! it, not by the novel ones that are tested on, unless somebody asks for the published protocol.

mod batch;
mod judge;
mod learner;
mod loader;
mod material;
mod progress;
mod recipe;
mod settings;
mod sweep;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use burn::lr_scheduler::LrSchedulerConfig;
use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::{ModuleLrScheduler, ModuleLrSchedulerConfig};
use burn::lr_scheduler::sequential::SequentialLrSchedulerConfig;
use burn::module::{Module, ParamGroup};
use burn::optim::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer};
use burn::store::ModuleRecord;
use burn::tensor::Device;
use burn::train::logger::FileMetricLogger;
use burn::train::metric::LossMetric;
use burn::train::{Learner, SupervisedTraining, TrainingError};

use crate::data::DataError;
use crate::hsnet::Hsnet;
use crate::weights::{self, Header, WeightsError};

use batch::Batching;
use judge::{Judge, Keeper};
use learner::Trainee;
use loader::Loader;
use progress::Lines;
use sweep::{MeanIou, sweep};

pub use batch::Role;
pub use material::Material;
pub use recipe::{Recipe, Schedule, Select};
pub use settings::{DataSet, Settings, Start};
pub use sweep::Sweep;

/// The file of finished weights in the folder of a training.
pub const WEIGHTS: &str = "weights.safetensors";
/// The folder of checkpoints in it.
const CHECKPOINTS: &str = "checkpoint";
/// Why a training ended without weights.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("{}: {problem}", path.display())]
    Folder { path: PathBuf, problem: String },
    #[error("the settings do not fit together: {0}")]
    Settings(String),
    #[error("{}: {source}", path.display())]
    Weights { path: PathBuf, source: WeightsError },
    #[error("the training stopped at an error: {0}")]
    Stopped(Arc<TrainingError>),
    #[error("the training was stopped before its end; go on with --resume")]
    Interrupted,
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
}

/// Trains `network` on `material` and writes checkpoints, logs and finally [`WEIGHTS`] into the folder `out`. With
/// `resume`, goes on from the last checkpoint there, if there is one.
///
/// # Errors
/// When a file cannot be read or written, or settings are out of range.
pub fn train(
    network: Hsnet,
    material: Material,
    settings: &Settings,
    out: &Path,
    resume: bool,
    device: &Device,
) -> Result<Outcome, TrainError> {
    settings.check()?;
    let recipe = &settings.recipe;
    if recipe.select == Select::Test && material.novel.is_empty() {
        let problem = "--select test needs novel classes to test on: a data set with some, of PASCAL a --fold";
        return Err(TrainError::Settings(problem.into()));
    }
    settings.save(out)?;
    let batching = Batching::of(settings);
    let validating = Loader::fixed(&[(Role::HeldOut, &material.held_out), (Role::Novel, &material.novel)], batching);
    let epochs_done = if resume { last_checkpoint(out)? } else { 0 };
    let learning = Loader::endless(material.training, batching, settings, epochs_done);
    let judge = Judge::new(recipe.select, settings.patience);
    let is_spent = judge.is_spent(epochs_done, &mut FileMetricLogger::new(out));

    let mut training = supervised(learning, validating.clone(), settings, out)
        .num_epochs(if is_spent { epochs_done } else { settings.epochs() })
        .with_checkpointing_strategy(Keeper::new(judge.clone(), checkpoints(out)?))
        .early_stopping(judge.clone());
    if !material.novel.is_empty() {
        training = training.metric_valid_numeric(MeanIou::of(Role::Novel).at(recipe.threshold));
    }
    if epochs_done > 0 {
        training = training.checkpoint(epochs_done);
    }
    let mut trainee = Trainee::new(network, recipe.backbone_lr > 0.0, averaging_rate(settings))
        .sharing(1.0 / settings.accumulate as f64);
    if settings.checkpointing {
        trainee = trainee.sparing();
        training = training.gradient_checkpointing();
    }
    let result = training.launch(Learner::new(trainee, optimizer(recipe), rates(settings)?));
    match (result.error, result.interrupted) {
        (Some(error), _) => return Err(TrainError::Stopped(error)),
        (None, Some(_)) => return Err(TrainError::Interrupted),
        (None, None) => {}
    }

    let validation = judge.chosen(last_checkpoint(out)?, &mut FileMetricLogger::new(out));
    let network = restored(result.model, out, validation)?.average;
    let (held_out, novel) = sweep(&network, &validating, recipe.threshold, device)?;
    let threshold = recipe.threshold.unwrap_or(held_out.best().threshold);
    let header = Header {
        threshold,
        data: material.description,
        masking: settings.masking,
        licence: settings.licence.clone(),
        ..Header::hsnet(settings.backbone, recipe.plane())
    };
    let weights = out.join(WEIGHTS);
    weights::save(&network, &header, &weights)
        .map_err(|source| TrainError::Weights { path: weights.clone(), source })?;
    Ok(Outcome { weights, validation, threshold, held_out, novel })
}

/// burn's training loop with what it measures and shows.
fn supervised(learning: Loader, validating: Loader, settings: &Settings, out: &Path) -> SupervisedTraining<Trainee> {
    let mut training = SupervisedTraining::new(out, Arc::new(learning), Arc::new(validating))
        .with_default_checkpointers()
        .with_application_logger(None)
        .metric_train_numeric(LossMetric::new())
        .metric_valid_numeric(LossMetric::new())
        .metric_valid_numeric(MeanIou::of(Role::HeldOut).at(settings.recipe.threshold));
    if settings.accumulate > 1 {
        training = training.grads_accumulation(settings.accumulate);
    }
    match io::stdout().is_terminal() {
        true => training,
        false => training.renderer(Box::new(Lines::default())),
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

/// The trainee as it was at a validation whose checkpoint is kept.
fn restored(trainee: Trainee, out: &Path, validation: usize) -> Result<Trainee, TrainError> {
    let path = out.join(CHECKPOINTS).join(format!("model-{validation}.bpk"));
    let restored = ModuleRecord::load(&path).and_then(|record| trainee.try_load_record(record));
    restored.map_err(|error| TrainError::Folder { path, problem: error.to_string() })
}

/// The last epoch of which the whole checkpoint is there, 0 if there is none.
///
/// # Errors
/// When the folder of checkpoints cannot be read.
pub fn last_checkpoint(out: &Path) -> Result<usize, TrainError> {
    Ok(checkpoints(out)?.into_iter().max().unwrap_or(0))
}

/// The epochs of which the whole checkpoint is there.
fn checkpoints(out: &Path) -> Result<Vec<usize>, TrainError> {
    let folder = out.join(CHECKPOINTS);
    let whole = |epoch: &usize| {
        ["model", "optim", "scheduler"].iter().all(|part| folder.join(format!("{part}-{epoch}.bpk")).is_file())
    };
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.map_err(|error| unusable(&folder, &error))?,
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let epochs = names.filter_map(|name| name.strip_prefix("model-")?.strip_suffix(".bpk")?.parse().ok());
    Ok(epochs.filter(whole).collect())
}

fn unusable(path: &Path, error: &io::Error) -> TrainError {
    TrainError::Folder { path: path.to_owned(), problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::settings::tests::{tiny, with};
    use super::*;

    fn run(out: &Path, resume: bool) -> Result<Outcome, TrainError> {
        run_with(tiny(), out, resume)
    }

    /// Trains on drawn pictures.
    fn run_with(settings: Settings, out: &Path, resume: bool) -> Result<Outcome, TrainError> {
        let device = Device::flex();
        device.seed(0);
        let settings = Settings { data: vec![], ..settings };
        let network = Hsnet::init(settings.backbone, &device);
        train(network, Material::open(&settings)?, &settings, out, resume, &device)
    }

    #[test]
    fn a_resumed_training_ends_where_an_uninterrupted_one_does() {
        let (whole, halved) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let last = with(|recipe| recipe.select = Select::Last);
        let settings = Settings { accumulate: 2, checkpointing: true, ..last };
        let weights = run_with(settings.clone(), whole.path(), false).unwrap().weights;
        let checkpoint = |out: &Path, part: &str| out.join("checkpoint").join(format!("{part}-1.bpk"));
        fs::create_dir(halved.path().join("checkpoint")).unwrap();
        for part in ["model", "optim", "scheduler"] {
            fs::copy(checkpoint(whole.path(), part), checkpoint(halved.path(), part)).unwrap();
        }
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

        let trainee = Trainee::new(Hsnet::init(settings.backbone, &Device::flex()), false, 1.0);
        let best = restored(trainee, out.path(), outcome.validation).unwrap().average;
        let header = Header::hsnet(settings.backbone, settings.recipe.plane());
        let expected = out.path().join("expected.safetensors");
        weights::save(&best, &header, &expected).unwrap();
        let arrays = |path: &Path| {
            let (_, network) = weights::load(&fs::read(path).unwrap(), &Device::flex()).unwrap();
            weights::arrays_of(&network)
        };
        assert!(arrays(&outcome.weights) == arrays(&expected), "not the weights of the best validation");

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
    fn the_last_whole_checkpoint_counts() {
        let out = tempfile::tempdir().unwrap();
        assert_eq!(last_checkpoint(out.path()).unwrap(), 0);
        let folder = out.path().join("checkpoint");
        fs::create_dir(&folder).unwrap();
        for name in ["model-3.bpk", "optim-3.bpk", "scheduler-3.bpk", "model-10.bpk", "optim-10.bpk", "notes"] {
            fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(last_checkpoint(out.path()).unwrap(), 3);
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
