//! `fewseg train`: from episodes to weights.

mod recipe;

use std::path::{Path, PathBuf};
use std::thread;

use burn::tensor::Device;
use clap::Args;

use super::{DEFAULT_WEIGHTS, DeviceChoice, Outcome, about, read};
use crate::backbone::BackboneKind;
use crate::data::Format;
use crate::hsnet::{Design, Hsnet, Kernel, Masking};
use crate::train::{self, DataSet, Devices, Exchange, Material, Run, Select, Settings, Start, Stop};
use crate::weights::{self, LICENCE};
use recipe::RecipeArgs;

/// Where trainings go that are not told where.
const RUNS: &str = "runs";

/// The headings that the help puts the flags under, beside the recipe's.
const DATA: &str = "Data";
const NETWORK: &str = "Network";
const RUN: &str = "Run";

#[derive(Args)]
#[command(after_help = recipe::table())]
pub struct TrainArgs {
    /// A data set; may be repeated. Without any, pictures are drawn
    #[arg(long, value_name = "DIR", help_heading = DATA)]
    data: Vec<PathBuf>,
    /// The layout of each data set, in the same order [default: found out]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = DATA)]
    format: Vec<Format>,
    /// How often each data set is drawn from relative to the others, in the same order [default: all alike]
    #[arg(long, value_name = "WEIGHT", value_parser = weight, help_heading = DATA)]
    weight: Vec<f64>,
    /// How often an episode is drawn from nothing, as a weight beside the data sets' [default: 0, without data sets 1]
    #[arg(long, value_name = "WEIGHT", value_parser = weight, help_heading = DATA)]
    drawn: Option<f64>,
    /// Where each data set's lists are, a folder or one file, in the same order [default: in the data set's tree]
    #[arg(long, value_name = "DIR|FILE", help_heading = DATA)]
    lists: Vec<PathBuf>,
    /// Leave out files and lines that cannot be used, instead of stopping
    #[arg(long, help_heading = DATA)]
    skip_missing: bool,
    /// The fold whose classes stay novel, of PASCAL-5i and COCO-20i [default: none, all classes are learned]
    #[arg(long, help_heading = DATA)]
    fold: Option<usize>,
    /// A class, by name, that is not used; may be repeated
    #[arg(long, value_name = "NAME", help_heading = DATA)]
    exclude: Vec<String>,
    /// A class, by name, to choose weights and threshold on instead of learning from it; may be repeated [default: one
    /// in eight]
    #[arg(long, value_name = "NAME", help_heading = DATA)]
    hold_out: Vec<String>,
    /// Episodes of held-out classes in a validation
    #[arg(long, value_name = "N", default_value_t = 64, help_heading = DATA)]
    held_out_episodes: usize,
    /// Episodes of novel classes in a validation [default: 200, or each picture twice if that is fewer; with --select
    /// test as many as the data set's protocol has]
    #[arg(long, value_name = "N", help_heading = DATA)]
    novel_episodes: Option<usize>,

    /// The backbone [default: that of the weights, else mobilenetv2]
    #[arg(long, value_enum, help_heading = NETWORK)]
    backbone: Option<BackboneKind>,
    /// The weights to start from [default: weights/default.safetensors if it is there and its backbone fits; with --fold
    /// only its backbone, as it has learned from all folds]
    #[arg(long, value_name = "FILE", help_heading = NETWORK)]
    weights: Option<PathBuf>,
    /// A weight file to take only the backbone from; the learner then starts from scratch unless --weights is given
    #[arg(long, value_name = "FILE", help_heading = NETWORK)]
    backbone_weights: Option<PathBuf>,
    /// How what is around the object is kept out of a support's features [default: as the weights have it, else features]
    #[arg(long, value_enum, help_heading = NETWORK)]
    masking: Option<Masking>,
    /// The learner's 4D kernel; another than the weights' starts from scratch [default: as the weights have it, else
    /// center-pivot]
    #[arg(long, value_enum, help_heading = NETWORK)]
    kernel: Option<Kernel>,
    /// Give the decoder a guide: how each place compares with the supports' object and background, and its own features
    #[arg(long, help_heading = NETWORK)]
    guided: bool,

    #[command(flatten)]
    recipe: RecipeArgs,

    /// Episodes in all
    #[arg(long, value_name = "N", default_value_t = 4000, help_heading = RUN)]
    episodes: usize,
    /// Episodes between two validations, each with a checkpoint
    #[arg(long, value_name = "N", default_value_t = 500, help_heading = RUN)]
    validate_every: usize,
    /// End the training after this many validations in a row without gain [default: never]
    #[arg(long, value_name = "N", help_heading = RUN)]
    patience: Option<usize>,
    /// Go through the episodes of a step in this many parts, which takes that much less memory and learns the same
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = RUN)]
    accumulate: usize,
    /// Compute again for the gradient what is cheap to compute, instead of keeping it in memory
    #[arg(long, help_heading = RUN)]
    checkpointing: bool,
    /// Two trainings with the same seed see the same episodes
    #[arg(long, default_value_t = 0, help_heading = RUN)]
    seed: u64,
    /// Threads that prepare episodes [default: half the cores, 16 at most]
    #[arg(long, value_name = "N", help_heading = RUN)]
    workers: Option<usize>,
    /// MiB of decoded pictures that are kept in memory, over all data sets
    #[arg(long, value_name = "MIB", default_value_t = 2048, help_heading = RUN)]
    cache: u64,
    /// Where to train
    #[arg(long, value_enum, default_value_t, help_heading = RUN)]
    device: DeviceChoice,
    /// How many such devices share each step's episodes; must divide --batch through --accumulate
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..),
          help_heading = RUN)]
    devices: u16,
    /// Exchange gradients between the devices by NVIDIA's NCCL instead of through the first one
    #[arg(long, help_heading = RUN)]
    ddp: bool,
    /// The folder for checkpoints, logs and the finished weights [default: the next number under runs/]
    #[arg(long, value_name = "DIR", help_heading = RUN)]
    out: Option<PathBuf>,
    /// Go on with the training in --out (by default the newest under runs/), with the settings it was started with
    #[arg(long, help_heading = RUN)]
    resume: bool,
}

pub fn run(args: TrainArgs) -> Outcome {
    let devices = devices(&args)?;
    let out = out(&args)?;
    let (settings, network) = match args.resume {
        true => resumed(&out, devices.first())?,
        false => started(&args, devices.first())?,
    };
    let material = Material::open(&settings)?;
    println!("Training on {}; checkpoints in {}.", material.description, out.display());
    if !material.held_out_classes.is_empty() {
        println!("Held out to choose weights and threshold: {}.", material.held_out_classes.join(", "));
    }
    for sentence in &material.left_out {
        eprintln!("fewseg: {sentence}");
    }
    if settings.recipe.select == Select::Test {
        eprintln!(
            "fewseg: as published, the weights are chosen on the novel classes (of FSS-1000, on its validation classes): \
             what they score there is no fair measure"
        );
    }
    // burn's workers under --ddp wait for one another and cannot be asked to stop: there, the first signal ends.
    let stop = if args.ddp { Stop::default() } else { Stop::on_signals()? };
    print(&train::train(network, material, &settings, &Run { out, resume: args.resume, devices, stop })?);
    Ok(())
}

/// Says what came out of a training.
fn print(outcome: &train::Outcome) {
    let learned = outcome.learned;
    if learned.episodes > 0 {
        println!(
            "Learned from {} episodes in {:.1} min, {:.1} a second; waited for data {:.1} % of the time.",
            learned.episodes,
            learned.time.as_secs_f64() / 60.0,
            learned.episodes_per_second(),
            100.0 * learned.share_waited()
        );
    }
    println!("mIoU on held-out episodes by threshold: {}", outcome.held_out);
    if !outcome.novel.is_empty() {
        println!("mIoU on novel classes by threshold: {}", outcome.novel);
        if let Some(score) = outcome.novel.at(outcome.threshold) {
            println!("At {:.2}: mIoU {:.1}, FB-IoU {:.1}", outcome.threshold, score.miou(), score.fb_iou());
        }
    }
    println!(
        "Wrote {}, the weights of validation {}, with the threshold {:.2}.",
        outcome.weights.display(),
        outcome.validation,
        outcome.threshold
    );
}

/// The devices that share the training.
fn devices(args: &TrainArgs) -> Outcome<Devices> {
    if args.ddp && args.device != DeviceChoice::Cuda {
        return Err("--ddp: only --device cuda has this exchange; without it, --devices works everywhere".into());
    }
    let exchange = if args.ddp { Exchange::Reduced } else { Exchange::Gathered };
    Ok(Devices::new(args.device.open_all(args.devices.into())?, exchange)?)
}

/// Leaves cores to the network, which on a GPU needs few and on the CPU is slow enough for few to keep up.
fn workers() -> usize {
    (thread::available_parallelism().map_or(1, usize::from) / 2).clamp(1, 16)
}

/// A new training: its settings, and the network before its first step.
fn started(args: &TrainArgs, device: &Device) -> Outcome<(Settings, Hsnet)> {
    let start = start(args);
    if start.weights.is_none() && start.backbone_weights.is_none() {
        eprintln!(
            "fewseg: the backbone starts from scratch too, which learns little; give --weights or --backbone-weights"
        );
    }
    let (network, licence) = network(&start, args.backbone, device)?;
    let design = design(args, network.design());
    let network = network.redesign(design, device);
    Ok((settings(args, start, &network, licence)?, network))
}

/// The settings of the training in `out`, and the network that it started from; once there is a checkpoint, that
/// replaces all of it, and the files it started from need not be there any more.
fn resumed(out: &Path, device: &Device) -> Outcome<(Settings, Hsnet)> {
    let settings = Settings::load(out)?;
    let network = match train::last_checkpoint(out)? {
        0 => network(&settings.start, Some(settings.backbone), device)?.0.redesign(settings.design, device),
        _ => Hsnet::init(settings.backbone, settings.design, device),
    };
    Ok((settings, network))
}

/// The network that a training starts from, and the licence that it comes under.
fn network(start: &Start, backbone: Option<BackboneKind>, device: &Device) -> Outcome<(Hsnet, String)> {
    // The starting values that the device draws itself; episodes have generators of their own.
    device.seed(start.seed);
    let (mut network, mut licence) = match &start.weights {
        Some(path) => {
            let (header, network) = weights::load(&read(path)?, device).map_err(|error| about(path, error))?;
            if backbone.is_some_and(|backbone| backbone != network.kind()) {
                return Err(about(path, format!("its backbone is {}, not the one of --backbone", network.kind())));
            }
            (network, header.licence)
        }
        None => {
            let backbone = backbone.unwrap_or(BackboneKind::MobilenetV2);
            (Hsnet::init(backbone, Design::default(), device), LICENCE.to_owned())
        }
    };
    if let Some(path) = &start.backbone_weights {
        let (header, filled) = weights::load_backbone(network, &read(path)?).map_err(|error| about(path, error))?;
        network = filled;
        if !licence.contains(&header.licence) {
            licence = format!("{licence}; the backbone: {}", header.licence);
        }
    }
    Ok((network, licence))
}

/// What a new training starts from. The default weights have learned from all folds: with one to be kept novel, they give
/// only the backbone.
fn start(args: &TrainArgs) -> Start {
    let given =
        Start { weights: args.weights.clone(), backbone_weights: args.backbone_weights.clone(), seed: args.seed };
    if given.weights.is_some() || given.backbone_weights.is_some() {
        return given;
    }
    match (default_weights(args), args.fold) {
        (Some(default), Some(fold)) => {
            eprintln!(
                "fewseg: {} has learned from fold {fold}: only its backbone is taken, and the learner starts from \
                 scratch; --weights gives others",
                default.display()
            );
            Start { backbone_weights: Some(default), ..given }
        }
        (default, _) => Start { weights: default, ..given },
    }
}

/// The weights that come with fewseg, where they are there and have the backbone that was asked for.
fn default_weights(args: &TrainArgs) -> Option<PathBuf> {
    let fits = args.backbone.is_none_or(|backbone| backbone == BackboneKind::MobilenetV2);
    let path = PathBuf::from(DEFAULT_WEIGHTS);
    (fits && path.is_file()).then_some(path)
}

/// The folder of this training. A new one must be empty, so that no training is lost.
fn out(args: &TrainArgs) -> Outcome<PathBuf> {
    let numbered = |number: usize| Path::new(RUNS).join(number.to_string());
    let next = (1..).find(|&number| !numbered(number).exists()).unwrap_or(1);
    let out = match &args.out {
        Some(out) => out.clone(),
        None if args.resume => numbered((next - 1).max(1)),
        None => numbered(next),
    };
    let taken = out.join("checkpoint").exists();
    if taken && !args.resume {
        return Err(about(&out, "it holds a training already: go on with it by --resume, or give another --out"));
    }
    Ok(out)
}

/// The design that was asked for; where nothing was, that of the weights.
fn design(args: &TrainArgs, weights: Design) -> Design {
    Design {
        masking: args.masking.unwrap_or(weights.masking),
        kernel: args.kernel.unwrap_or(weights.kernel),
        guided: args.guided || weights.guided,
    }
}

fn settings(args: &TrainArgs, start: Start, network: &Hsnet, licence: String) -> Outcome<Settings> {
    let data = data_sets(args)?;
    if args.fold.is_some() && !data.iter().any(|set| set.format.has_folds()) {
        return Err(
            "--fold: only PASCAL-5i and COCO-20i have folds, and none of the data sets is one: leave it out".into()
        );
    }
    Ok(Settings {
        start,
        data,
        drawn: args.drawn.unwrap_or(if args.data.is_empty() { 1.0 } else { 0.0 }),
        fold: args.fold,
        skip_missing: args.skip_missing,
        exclude: args.exclude.clone(),
        hold_out: args.hold_out.clone(),
        backbone: network.kind(),
        design: network.design(),
        recipe: args.recipe.recipe(),
        episodes: args.episodes,
        validate_every: args.validate_every,
        held_out_episodes: args.held_out_episodes,
        novel_episodes: args.novel_episodes,
        patience: args.patience,
        accumulate: args.accumulate,
        checkpointing: args.checkpointing,
        workers: args.workers.unwrap_or_else(workers),
        cache: args.cache,
        licence,
    })
}

/// The data sets with their formats and weights, which are given for all of them or for none.
fn data_sets(args: &TrainArgs) -> Outcome<Vec<DataSet>> {
    let given = [("--format", args.format.len()), ("--weight", args.weight.len()), ("--lists", args.lists.len())];
    for (name, count) in given {
        if count != 0 && count != args.data.len() {
            let data = args.data.len();
            return Err(
                format!("{name} is given {count} times for {data} data sets: give it once for each or never").into()
            );
        }
    }
    let set = |(index, root): (usize, &PathBuf)| {
        let format = match args.format.get(index) {
            Some(&format) => format,
            None => Format::detect(root)?,
        };
        let weight = args.weight.get(index).copied().unwrap_or(1.0);
        Ok(DataSet { root: root.clone(), format, weight, lists: args.lists.get(index).cloned() })
    };
    args.data.iter().enumerate().map(set).collect()
}

fn weight(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(weight) if weight >= 0.0 && f64::is_finite(weight) => Ok(weight),
        _ => Err("a weight is a number from 0 up".into()),
    }
}
