//! The figures: of an episode, a class, a fold, and of all folds.

use std::path::PathBuf;

use serde::Serialize;

use super::Options;
use crate::data::{Class, Collection, Draw, Format, Protocol};
use crate::metric::{Overlap, Score};
use crate::weights::Header;

/// The two figures that few-shot segmentation is told by, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    pub miou: f64,
    pub fb_iou: f64,
}

/// All that one run found.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// The folder of the data set.
    pub data: PathBuf,
    pub format: Format,
    /// The side of its split, as the command line calls it.
    pub split: String,
    #[serde(flatten)]
    pub options: Options,
    /// Over the folds, each counting the same.
    pub mean: Figures,
    pub folds: Vec<Fold>,
}

/// What was found on one fold, or on a data set that has none.
#[derive(Clone, Debug, Serialize)]
pub struct Fold {
    pub fold: Option<usize>,
    /// The file of the weights.
    pub weights: PathBuf,
    /// What the file says of itself, with the size and threshold that were used.
    pub header: Header,
    /// Files and lines of the data set that could not be used: with any, the figures are those of a subset.
    pub skipped: usize,
    #[serde(flatten)]
    pub score: FoldScore,
}

/// How well the episodes of a fold were answered.
#[derive(Clone, Debug, Serialize)]
pub struct FoldScore {
    #[serde(flatten)]
    pub figures: Figures,
    pub classes: Vec<ClassScore>,
    /// Classes of too few pictures for an episode, which do not count.
    pub too_small: Vec<String>,
    pub episodes: Vec<EpisodeScore>,
}

/// A class, its pixels summed over its episodes.
#[derive(Clone, Debug, Serialize)]
pub struct ClassScore {
    pub id: usize,
    pub name: String,
    /// How often it was asked.
    pub episodes: usize,
    /// In percent.
    pub iou: f64,
    #[serde(flatten)]
    pub overlap: Overlap,
}

/// An episode.
#[derive(Clone, Debug, Serialize)]
pub struct EpisodeScore {
    /// The name of its class.
    pub class: String,
    /// What the data set calls its pictures.
    pub query: String,
    pub supports: Vec<String>,
    /// In percent.
    pub iou: f64,
    #[serde(flatten)]
    pub overlap: Overlap,
    /// To see it again.
    #[serde(skip)]
    pub draw: Draw,
}

impl FoldScore {
    /// Sums up episodes, each with its count. Every class that could be asked counts, even one that never was.
    pub(super) fn new(collection: &Collection, options: &Options, draws: Vec<Draw>, overlaps: Vec<Overlap>) -> Self {
        let too_small: Vec<&Class> = match options.protocol {
            Protocol::Fewseg => collection.too_small(options.shots).collect(),
            // It shows a picture twice rather than leave out a class.
            Protocol::Hsnet => vec![],
        };
        let counts = |class: &&Class| too_small.iter().all(|small| small.id != class.id);
        let mut score = Score::over(collection.classes.iter().filter(counts).map(|class| class.id));
        for (draw, overlap) in draws.iter().zip(&overlaps) {
            score.add(collection.classes[draw.class].id, overlap);
        }
        let episodes: Vec<_> = draws
            .into_iter()
            .zip(overlaps)
            .map(|(draw, overlap)| EpisodeScore::new(collection, draw, overlap))
            .collect();
        let class = |(id, overlap): (usize, Overlap)| {
            let place = collection.classes.iter().position(|class| class.id == id);
            ClassScore {
                id,
                name: place.map(|place| collection.classes[place].name.clone()).unwrap_or_default(),
                episodes: episodes.iter().filter(|episode| Some(episode.draw.class) == place).count(),
                iou: overlap.iou(),
                overlap,
            }
        };
        Self {
            figures: Figures { miou: score.miou(), fb_iou: score.fb_iou() },
            classes: score.by_class().map(class).collect(),
            too_small: too_small.iter().map(|class| class.name.clone()).collect(),
            episodes,
        }
    }
}

impl EpisodeScore {
    fn new(collection: &Collection, draw: Draw, overlap: Overlap) -> Self {
        let class = &collection.classes[draw.class];
        let name = |&member: &usize| collection.picture_name(class, member).to_owned();
        Self {
            class: class.name.clone(),
            query: name(&draw.query),
            supports: draw.supports.iter().map(name).collect(),
            iou: overlap.iou(),
            overlap,
            draw,
        }
    }
}

impl Figures {
    /// Over folds, each counting the same; nothing of none.
    pub fn mean(folds: &[Self]) -> Self {
        let mean = |figure: fn(&Self) -> f64| folds.iter().map(figure).sum::<f64>() / folds.len().max(1) as f64;
        Self { miou: mean(|fold| fold.miou), fb_iou: mean(|fold| fold.fb_iou) }
    }
}

impl Evaluation {
    /// What was asked, in words.
    pub(super) fn question(&self) -> String {
        let Options { protocol, shots, seed, original_size, .. } = &self.options;
        let size = if *original_size { "the queries' own size" } else { "the network's size" };
        let protocol = match protocol {
            Protocol::Fewseg => "every picture asked in turn",
            Protocol::Hsnet => "HSNet's published episodes",
        };
        format!("{shots}-shot, {protocol}, seed {seed}, counted at {size}")
    }

    /// The data set's name.
    pub(super) fn name(&self) -> String {
        self.data.file_name().unwrap_or(self.data.as_os_str()).to_string_lossy().into_owned()
    }
}

impl Fold {
    /// What to call it.
    pub(super) fn name(&self) -> String {
        self.fold.map_or_else(|| "all".into(), |fold| format!("fold {fold}"))
    }

    /// What was asked of what, in words.
    pub(super) fn candidate(&self) -> String {
        let Header { backbone, size: [height, width], threshold, data, .. } = &self.header;
        let supports = match self.header.support_size {
            Some([height, width]) => format!(" (supports {height} x {width})"),
            None => String::new(),
        };
        let trained = if data.is_empty() { "unknown data" } else { data };
        let weights = self.weights.display();
        format!("{weights}: {backbone} at {height} x {width}{supports}, threshold {threshold:.2}, trained on {trained}")
    }

    /// What the figures have to be read with.
    pub(super) fn reservations(&self) -> Vec<String> {
        let never = self.score.classes.iter().filter(|class| class.episodes == 0).count();
        let mut reservations = Vec::new();
        if self.skipped > 0 {
            let subset = "the figures are those of a subset, not to be set beside published ones";
            reservations.push(format!("{} files or lines of the data set were left out: {subset}", self.skipped));
        }
        if !self.score.too_small.is_empty() {
            let names = self.score.too_small.join(", ");
            reservations.push(format!("not asked, having too few pictures for so many shots: {names}"));
        }
        if never > 0 {
            let classes = self.score.classes.len();
            reservations.push(format!("never asked and counted as 0, as published: {never} of {classes} classes"));
        }
        reservations
    }
}

impl ClassScore {
    /// How often it was asked, in words.
    pub(super) fn asked(&self) -> String {
        match self.episodes {
            0 => "never asked".into(),
            1 => "1 episode".into(),
            several => format!("{several} episodes"),
        }
    }
}
