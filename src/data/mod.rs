//! From files on disk, or from nothing, to episodes.
//!
//! A reader ([`pascal`], [`coco`], [`fss`], [`folder`], [`labelme`]) turns one layout of files into a [`Collection`]:
//! classes, each with the pictures that show it. It first makes a [`listing`] of what lists and folders say, then
//! checks all files at once. A collection gives test episodes by a [`Protocol`]. [`Photographs`] makes training
//! episodes of it, [`Drawn`] draws its own; both are a [`Source`], and a [`Mixture`] draws from several.

mod augment;
mod cache;
mod coco;
mod collection;
mod drawn;
mod draws;
mod files;
#[cfg(test)]
pub(crate) mod fixture;
mod folder;
mod fss;
mod labelme;
mod listing;
mod lists;
mod literal;
mod numpy;
mod pascal;
mod paste;
mod photographs;
mod source;

use std::path::{Path, PathBuf};

pub use augment::Augment;
pub use cache::Cache;
pub use collection::{Class, Collection, Scene, number_apart};
pub use drawn::Drawn;
pub use draws::{Draw, Protocol};
pub use photographs::{Making, Photographs, Sample, supports};
pub use source::{Mixture, Rng, Source, stream};

use crate::{annotation::AnnotationError, image::ImageError};

/// A layout of files on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// PASCAL VOC 2012: JPEGImages, SegmentationClassAug, and the lists of PASCAL-5i.
    Pascal,
    /// COCO-20i: annotations/instances_*.json, train2014, val2014.
    Coco,
    /// FSS-1000: a folder per class, N.jpg beside N.png.
    Fss,
    /// Any pictures: images/ and masks/ with the same file stems, with or without class folders; or class folders of
    /// NAME.jpg beside NAME.png.
    Folder,
    /// LabelMe: NAME.json beside NAME.jpg.
    Labelme,
}

/// Which side of a data set's published split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The classes to learn from.
    Train,
    /// FSS-1000's validation classes; the published code validates PASCAL-5i and COCO-20i on the novel classes.
    Validation,
    /// The novel classes.
    Test,
}

/// What to read of a data set.
#[derive(Clone, Debug)]
pub struct Selection {
    pub split: Split,
    /// The fold whose classes are novel, 0..=3, or none: then all are learned and none is asked. Only PASCAL-5i and
    /// COCO-20i have folds.
    pub fold: Option<usize>,
    /// Pictures are kept with their longer side at most this, in pixels; `None` leaves them.
    pub longest_side: Option<usize>,
    /// Where the lists are, if not in the tree: a folder of them, or the one file that lists the selected side.
    pub lists: Option<PathBuf>,
    /// Leave out files and lines that cannot be used, instead of failing.
    pub skip_missing: bool,
}

impl Selection {
    /// One side of a data set without folds: all of it, pictures as they are, lists from the tree, nothing skipped.
    pub fn new(split: Split) -> Self {
        Self { split, fold: None, longest_side: None, lists: None, skip_missing: false }
    }

    /// Whether the lists are one file. It lists the selected side, whichever that is, and tells nothing of the others:
    /// who learns from it has no novel classes.
    pub fn lists_one_side(&self) -> bool {
        self.lists.as_ref().is_some_and(|lists| lists.is_file())
    }

    /// Whether the selected side has the classes that are novel in `fold`. Without a fold, all are learned and none is
    /// asked, but those of a list that is given as a file.
    fn takes(&self, fold: usize) -> bool {
        match (self.split, self.fold) {
            (_, None) => self.split == Split::Train || self.lists_one_side(),
            (Split::Train, Some(novel)) => fold != novel,
            (Split::Validation | Split::Test, Some(novel)) => fold == novel,
        }
    }
}

/// Why a data set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error("{}: {problem}", path.display())]
    Layout { path: PathBuf, problem: String },
    #[error("{}: cannot be read ({source})", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Annotation(#[from] AnnotationError),
    #[error("{}: {} of its files and lines cannot be used:\n{}", root.display(), problems.len(), list(problems))]
    Files { root: PathBuf, problems: Vec<String> },
    #[error("{0}")]
    Episodes(String),
    #[error("no data set has a class named {}; there are {}", unknown.join(", "), known.join(", "))]
    Classes { unknown: Vec<String>, known: Vec<String> },
    #[error("every picture shows {class}, so no query can be without it; give --negative 0, or more classes")]
    Everywhere { class: String },
    #[error("there is nothing to learn from: give at least one data set with two usable pictures")]
    Empty,
    #[error(
        "preparing a batch failed: the messages above say how; the training goes on from its checkpoint by --resume"
    )]
    Preparation,
}

impl DataError {
    fn layout(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        let (path, problem) = (path.into(), problem.into());
        Self::Layout { path, problem }
    }

    fn unreadable(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Unreadable { path: path.into(), source }
    }
}

/// A line a problem; of a great many, the first ones.
fn list(problems: &[String]) -> String {
    const SHOWN: usize = 1000;
    let mut lines: Vec<String> = problems.iter().take(SHOWN).map(|p| format!("  {p}")).collect();
    if problems.len() > SHOWN {
        lines.push(format!("  and {} more", problems.len() - SHOWN));
    }
    lines.join("\n")
}

impl Format {
    /// The layout that the folder at `root` looks like.
    ///
    /// # Errors
    /// When it looks like none.
    pub fn detect(root: &Path) -> Result<Self, DataError> {
        type Test = fn(&Path) -> bool;
        let looks: [(Self, Test); 6] = [
            (Self::Pascal, |root| root.join("JPEGImages").is_dir()),
            (Self::Coco, coco::looks_like),
            (Self::Folder, folder::has_two_sides),
            (Self::Fss, fss::looks_like),
            (Self::Labelme, labelme::looks_like),
            (Self::Folder, folder::has_class_folders),
        ];
        looks.iter().find(|(_, like)| like(root)).map(|&(format, _)| format).ok_or_else(|| {
            DataError::layout(
                root,
                "not a data set this program knows: it has neither JPEGImages/ (PASCAL), nor \
                 annotations/instances_*.json (COCO), nor images/ and masks/, nor class folders with N.jpg and N.png \
                 (FSS-1000), nor NAME.json beside NAME.jpg (LabelMe)",
            )
        })
    }

    /// Whether the published protocol on this layout goes by folds.
    pub fn has_folds(self) -> bool {
        matches!(self, Self::Pascal | Self::Coco)
    }

    /// Whether this layout sets classes apart as novel, in published splits.
    pub fn has_split(self) -> bool {
        self.has_folds() || self == Self::Fss
    }

    /// Reads a data set of this layout. Files are checked by their headers now and decoded when
    /// an episode first needs them.
    ///
    /// # Errors
    /// When lists or folders are missing, or, all in one error, files are missing, unreadable
    /// or of another size than their picture, or lines fit nothing.
    pub fn open(self, root: &Path, selection: &Selection) -> Result<Collection, DataError> {
        match self {
            Self::Pascal => pascal::open(root, selection),
            Self::Coco => coco::open(root, selection),
            Self::Fss => fss::open(root, selection),
            Self::Folder => folder::open(root, selection),
            Self::Labelme => labelme::open(root, selection),
        }
    }
}
