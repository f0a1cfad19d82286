//! `fewseg eval`: what weights are worth on classes that they have not seen.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::{DEFAULT_WEIGHTS, DeviceChoice, Outcome, about, read};
use crate::data::{Collection, Format, Protocol, Selection, Split};
use crate::evaluate::{self, Candidate, Evaluation, Figures, Fold, Options, Showcase};
use crate::train::without_fold;
use crate::weights::{self, Header};

#[derive(Args)]
pub struct EvalArgs {
    /// The data set
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Its layout [default: found out]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The folds whose classes are asked, such as 0,1,2,3; of several the mean is told too
    #[arg(long = "fold", value_name = "FOLDS", value_delimiter = ',')]
    folds: Vec<usize>,
    /// The side of the data set's split to ask [default: test; all of a data set that has no split]
    #[arg(long, value_enum)]
    split: Option<Side>,
    /// Where the lists of the split are, a folder or one file [default: in the data set's tree]
    #[arg(long, value_name = "DIR|FILE")]
    lists: Option<PathBuf>,
    /// Leave out files and lines that cannot be used, instead of stopping
    #[arg(long)]
    skip_missing: bool,
    /// Supports an episode
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    shot: u16,
    /// The weight file, or one for each fold in the same order, none of which has learned from its fold
    #[arg(long, value_name = "FILE", num_args = 1.., default_value = DEFAULT_WEIGHTS)]
    weights: Vec<PathBuf>,
    /// Episodes a fold [default: as many as the protocol has]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    episodes: Option<u32>,
    /// The same seed asks the same episodes
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How episodes are chosen
    #[arg(long, value_enum, default_value_t)]
    protocol: Protocol,
    /// Predict and count at each query's own size, not at the network's
    #[arg(long)]
    original_size: bool,
    /// The side of the square that queries are resized to [default: what the weights were trained at]
    #[arg(long, value_parser = clap::value_parser!(u16).range(32..=2048))]
    size: Option<u16>,
    /// The probability above which a pixel is the object [default: what the weight file says]
    #[arg(long, value_parser = super::threshold)]
    threshold: Option<f32>,
    /// Where to run
    #[arg(long, value_enum, default_value_t)]
    device: DeviceChoice,
    /// Episodes that go through the network side by side
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    batch: u16,
    /// Threads that prepare episodes
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: u16,
    /// Write all figures, down to each episode's pixels, into this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a report with the best, median and worst episodes in pictures, one HTML file
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// A side of a data set's split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Side {
    /// The classes to learn from
    Train,
    /// The classes to validate on: FSS-1000 has its own, PASCAL-5i and COCO-20i take the novel ones
    Val,
    /// The novel classes
    Test,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

impl From<Side> for Split {
    fn from(side: Side) -> Self {
        match side {
            Side::Train => Self::Train,
            Side::Val => Self::Validation,
            Side::Test => Self::Test,
        }
    }
}

pub fn run(args: EvalArgs) -> Outcome {
    for file in [&args.json, &args.report].into_iter().flatten() {
        check_folder(file)?;
    }
    let format = match args.format {
        Some(format) => format,
        None => Format::detect(&args.data)?,
    };
    let split = args.split.unwrap_or(if format.has_split() { Side::Test } else { Side::Train });
    let options = Options {
        protocol: args.protocol,
        shots: args.shot.into(),
        episodes: args.episodes.map(|episodes| episodes as usize),
        seed: args.seed,
        original_size: args.original_size,
        batch: args.batch.into(),
        workers: args.workers.into(),
    };
    // What is wrong with the last fold is better said before the first is asked.
    let columns = columns(&args, format, split)?.into_iter().map(|(fold, weights)| {
        fs::File::open(weights).map_err(|error| about(weights, error))?;
        Ok((fold, weights, open(fold, format, split, &args)?))
    });
    let columns = columns.collect::<Outcome<Vec<_>>>()?;
    let mut evaluated = Vec::new();
    for (fold, weights, collection) in columns {
        evaluated.push(evaluate(fold, weights, &collection, &options, &args)?);
    }
    let (folds, showcases): (Vec<Fold>, Vec<Option<Showcase>>) = evaluated.into_iter().unzip();
    let figures: Vec<Figures> = folds.iter().map(|fold| fold.score.figures).collect();
    let mean = Figures::mean(&figures);
    let evaluation = Evaluation { data: args.data.clone(), format, split: split.name().into(), options, mean, folds };
    print!("{evaluation}");
    if let Some(file) = &args.json {
        write(file, &serde_json::to_string_pretty(&evaluation)?)?;
    }
    if let Some(file) = &args.report {
        let showcases: Vec<_> = showcases.into_iter().flatten().collect();
        write(file, &evaluate::report(&evaluation, &showcases))?;
    }
    Ok(())
}

/// A fold, or a data set without folds, and if a report is wanted its episodes in pictures.
fn evaluate(
    fold: Option<usize>,
    weights: &Path,
    collection: &Collection,
    options: &Options,
    args: &EvalArgs,
) -> Outcome<(Fold, Option<Showcase>)> {
    let candidate = load(weights, args)?;
    warn_of_learned(fold, weights, &candidate.header);
    let bar = ProgressBar::no_length()
        .with_style(ProgressStyle::with_template("{msg} {pos}/{len} {wide_bar} {eta}")?)
        .with_message(fold.map_or_else(|| "episodes".into(), |fold| format!("fold {fold}")));
    let started = Instant::now();
    let score = evaluate::evaluate(&candidate, collection, options, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    let (episodes, seconds) = (score.episodes.len(), started.elapsed().as_secs_f64());
    eprintln!("{episodes} episodes in {seconds:.0} s, {:.2} a second", episodes as f64 / seconds);
    let showcase = match args.report {
        Some(_) => Some(Showcase::of(&score, &candidate, collection)?),
        None => None,
    };
    let fold =
        Fold { fold, weights: weights.to_owned(), header: candidate.header, skipped: collection.skipped(), score };
    Ok((fold, showcase))
}

fn selection(fold: Option<usize>, split: Side, args: &EvalArgs) -> Selection {
    let (lists, skip_missing) = (args.lists.clone(), args.skip_missing);
    Selection { fold, lists, skip_missing, ..Selection::new(split.into()) }
}

fn open(fold: Option<usize>, format: Format, split: Side, args: &EvalArgs) -> Outcome<Collection> {
    let collection = format.open(&args.data, &selection(fold, split, args))?;
    match collection.is_empty() {
        true => Err(about(
            &args.data,
            format!("it has no classes on the {} side of its split: choose another by --split", split.name()),
        )),
        false => Ok(collection),
    }
}

fn load(path: &Path, args: &EvalArgs) -> Outcome<Candidate> {
    let device = args.device.open()?;
    let (header, network) = weights::load(&read(path)?, &device).map_err(|error| about(path, error))?;
    let mut header = header.resized(args.size.map(usize::from));
    header.threshold = args.threshold.unwrap_or(header.threshold);
    Ok(Candidate { header, network, device })
}

/// Weights that do not say that they left a fold alone may have learned from what it asks.
fn warn_of_learned(fold: Option<usize>, weights: &Path, header: &Header) {
    if let Some(fold) = fold.filter(|&fold| !header.data.contains(&without_fold(fold))) {
        eprintln!(
            "fewseg: {} does not say that it was trained {}: if it has learned from it, its figures are flattered",
            weights.display(),
            without_fold(fold)
        );
    }
}

/// Each fold with its weights; a data set without folds is one column.
fn columns(args: &EvalArgs, format: Format, split: Side) -> Outcome<Vec<(Option<usize>, &Path)>> {
    let folds: Vec<Option<usize>> = match (format.has_folds(), args.folds.is_empty()) {
        (true, true) if !selection(None, split, args).lists_one_side() => {
            let problem = "its classes come in folds: say which to ask, such as --fold 0 or --fold 0,1,2,3";
            return Err(about(&args.data, problem));
        }
        (false, false) => return Err(about(&args.data, "a data set of this layout has no folds: leave out --fold")),
        (_, true) => vec![None],
        (true, false) => args.folds.iter().copied().map(Some).collect(),
    };
    let weights: Vec<&Path> = args.weights.iter().map(PathBuf::as_path).collect();
    match (folds.len(), weights.as_slice()) {
        (_, [one]) => Ok(folds.into_iter().map(|fold| (fold, *one)).collect()),
        (several, many) if several != many.len() => {
            let (files, plural) = (many.len(), if several == 1 { "" } else { "s" });
            Err(format!("--weights: {files} files for {several} fold{plural}; give one for all or one for each").into())
        }
        (_, many) => Ok(folds.into_iter().zip(many.iter().copied()).collect()),
    }
}

/// Says at once, not after hours, that there is no place for a file.
fn check_folder(file: &Path) -> Outcome {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.is_none_or(Path::is_dir) {
        true => Ok(()),
        false => Err(about(file, "there is no such folder to write it to: make it first")),
    }
}

fn write(file: &Path, text: &str) -> Outcome {
    fs::write(file, text).map_err(|error| about(file, error))
}
