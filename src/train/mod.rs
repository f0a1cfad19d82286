//! Training HSNet on episodes, from a random learner or from weights.
//!
//! What keeps a small training from swinging: the rate warms up and then falls along a cosine, weights decay, the
//! gradient is clipped, and what is validated and exported is a running average of the weights. The threshold comes
//! from classes that were held out for it, never from the novel ones that are tested on.

mod batch;
mod learner;
mod loader;
mod material;
mod progress;
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
use burn::module::ParamGroup;
use burn::optim::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer};
use burn::tensor::Device;
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::metric::LossMetric;
use burn::train::{Learner, SupervisedTraining, TrainingError};

use crate::data::DataError;
use crate::hsnet::Hsnet;
use crate::weights::{self, Header, WeightsError};

use batch::Batching;
use learner::Trainee;
use loader::Loader;
use progress::Lines;
use sweep::{MeanIou, sweep};

pub use batch::Role;
pub use material::Material;
pub use settings::{DataSet, Settings, Start};
pub use sweep::Sweep;

/// The file of finished weights in the folder of a training.
pub const WEIGHTS: &str = "weights.safetensors";
/// How many checkpoints are kept: the last, and the one before in case the last was cut short.
const CHECKPOINTS: usize = 2;
/// The average of the weights reaches back over about this share of the training.
const AVERAGED_SHARE: f64 = 0.1;

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
    settings.save(out)?;
    let batching = Batching::of(settings);
    let validating = Loader::fixed(&[(Role::HeldOut, &material.held_out), (Role::Novel, &material.novel)], batching);
    let epochs_done = if resume { last_checkpoint(out)? } else { 0 };
    let learning = Loader::endless(material.training, batching, settings, epochs_done);

    let mut training = supervised(learning, validating.clone(), settings, out);
    if !material.novel.is_empty() {
        training = training.metric_valid_numeric(MeanIou::of(Role::Novel));
    }
    if epochs_done > 0 {
        training = training.checkpoint(epochs_done);
    }
    let trainee = Trainee::new(network, settings.backbone_lr > 0.0, averaging_rate(settings));
    let result = training.launch(Learner::new(trainee, optimizer(settings), rates(settings)?));
    match (result.error, result.interrupted) {
        (Some(error), _) => return Err(TrainError::Stopped(error)),
        (None, Some(_)) => return Err(TrainError::Interrupted),
        (None, None) => {}
    }

    let network = result.model.average;
    let (held_out, novel) = sweep(&network, &validating, device)?;
    let threshold = settings.threshold.unwrap_or(held_out.best().threshold);
    let header = Header {
        threshold,
        data: material.description,
        design: settings.design,
        support_size: (settings.support_size != settings.size).then_some(settings.support_size),
        licence: settings.licence.clone(),
        ..Header::hsnet(settings.backbone, settings.size)
    };
    let weights = out.join(WEIGHTS);
    weights::save(&network, &header, &weights)
        .map_err(|source| TrainError::Weights { path: weights.clone(), source })?;
    Ok(Outcome { weights, threshold, held_out, novel })
}

/// burn's training loop with what it measures, keeps and shows.
fn supervised(learning: Loader, validating: Loader, settings: &Settings, out: &Path) -> SupervisedTraining<Trainee> {
    let training = SupervisedTraining::new(out, Arc::new(learning), Arc::new(validating))
        .num_epochs(settings.epochs())
        .with_default_checkpointers()
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(CHECKPOINTS))
        .with_application_logger(None)
        .metric_train_numeric(LossMetric::new())
        .metric_valid_numeric(LossMetric::new())
        .metric_valid_numeric(MeanIou::of(Role::HeldOut));
    match io::stdout().is_terminal() {
        true => training,
        false => training.renderer(Box::new(Lines::default())),
    }
}

/// What the average of the weights takes from each step.
fn averaging_rate(settings: &Settings) -> f64 {
    (1.0 / (AVERAGED_SHARE * settings.steps() as f64)).min(1.0)
}

/// AdamW, each parameter's gradient clipped.
fn optimizer(settings: &Settings) -> ModuleOptimizer {
    AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay(settings.weight_decay)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
        .init()
}

/// A rate for the learner and one for the backbone, each warmed up over the first twentieth of the steps and lowered
/// along a cosine over the others.
fn rates(settings: &Settings) -> Result<ModuleLrScheduler, TrainError> {
    let steps = settings.steps();
    let warm_up = (steps / 20).max(1);
    let over_time = |rate: f64| -> LrSchedulerConfig {
        if rate == 0.0 {
            return LrSchedulerConfig::Constant(0.0);
        }
        let rise = LinearLrSchedulerConfig::new(rate / warm_up as f64, rate, warm_up);
        let fall = CosineAnnealingLrSchedulerConfig::new(rate, (steps - warm_up).max(1)).with_min_lr(rate / 100.0);
        SequentialLrSchedulerConfig::new(vec![rise.into(), fall.into()], vec![warm_up]).into()
    };
    ModuleLrSchedulerConfig::new(over_time(settings.lr))
        .with_group(ParamGroup::from_predicate("model.backbone"), over_time(settings.backbone_lr))
        .init()
        .map_err(TrainError::Settings)
}

/// The last epoch of which the whole checkpoint is there, 0 if there is none.
///
/// # Errors
/// When the folder of checkpoints cannot be read.
pub fn last_checkpoint(out: &Path) -> Result<usize, TrainError> {
    let folder = out.join("checkpoint");
    let whole = |epoch: &usize| {
        ["model", "optim", "scheduler"].iter().all(|part| folder.join(format!("{part}-{epoch}.bpk")).is_file())
    };
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(|error| unusable(&folder, &error))?,
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let epochs = names.filter_map(|name| name.strip_prefix("model-")?.strip_suffix(".bpk")?.parse().ok());
    Ok(epochs.filter(whole).max().unwrap_or(0))
}

fn unusable(path: &Path, error: &io::Error) -> TrainError {
    TrainError::Folder { path: path.to_owned(), problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::settings::tests::tiny;
    use super::*;

    fn run(out: &Path, resume: bool) -> Result<Outcome, TrainError> {
        let device = Device::flex();
        device.seed(0);
        let settings = Settings { data: vec![], ..tiny() };
        let network = Hsnet::init(settings.backbone, settings.design, &device);
        train(network, Material::open(&settings)?, &settings, out, resume, &device)
    }

    #[test]
    fn a_resumed_training_ends_where_an_uninterrupted_one_does() {
        let (whole, halved) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let weights = run(whole.path(), false).unwrap().weights;
        let checkpoint = |out: &Path, part: &str| out.join("checkpoint").join(format!("{part}-1.bpk"));
        fs::create_dir(halved.path().join("checkpoint")).unwrap();
        for part in ["model", "optim", "scheduler"] {
            fs::copy(checkpoint(whole.path(), part), checkpoint(halved.path(), part)).unwrap();
        }
        let resumed = run(halved.path(), true).unwrap().weights;
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
        let settings = Settings { batch: 1, episodes: 100, validate_every: 100, lr: 0.1, ..tiny() };
        let mut scheduler = rates(&settings).unwrap();
        let rates: Vec<f64> = (0..100).map(|_| scheduler.step().base()).collect();
        assert!((rates[0] - 0.02).abs() < 1e-9 && (rates[5] - 0.1).abs() < 1e-9, "{rates:?}");
        assert!(rates[5..].is_sorted_by(|a, b| a >= b));
        assert!(rates[99] < 0.002);
        let path = Some("model.backbone.blocks.0.expand.weight");
        assert_eq!(scheduler.step().lr_from_param(burn::module::ParamId::new(), path), 0.0);
    }
}
