//! From files on disk, or from nothing, to episodes.
//!
//! A reader ([`pascal`], [`fss`], [`folder`]) turns one layout of files into a [`Collection`]:
//! classes, each with the pictures that show it. [`Photographs`] makes training episodes of a
//! collection, [`Drawn`] draws its own; both are a [`Source`], and a [`Mixture`] draws from several.

mod augment;
mod collection;
mod drawn;
#[cfg(test)]
pub(crate) mod fixture;
mod folder;
mod fss;
mod labels;
mod pascal;
mod paste;
mod photographs;
mod source;

use std::path::PathBuf;

pub use augment::Augment;
pub use collection::{Class, Collection, Scene, number_apart};
pub use drawn::Drawn;
pub use photographs::{Making, Photographs, Sample, supports};
pub use source::{Mixture, Rng, Source, stream};

use crate::image::ImageError;

/// A layout of files on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// PASCAL VOC 2012: JPEGImages, SegmentationClassAug, and the lists of PASCAL-5i.
    Pascal,
    /// FSS-1000: a folder per class, N.jpg beside N.png.
    Fss,
    /// Any pictures: images/ and masks/ with the same file stems, with or without class folders.
    Folder,
}

/// Which side of a data set's published split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The classes to learn from.
    Train,
    /// The novel classes.
    Test,
}

/// What to read of a data set.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    pub split: Split,
    /// The fold whose classes are novel, 0..=3, or none: then all are learned and none is asked. Only PASCAL has folds.
    pub fold: Option<usize>,
    /// Pictures are kept with their longer side at most this, in pixels; `None` leaves them.
    pub longest_side: Option<usize>,
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
    #[error("{}: {} of its files cannot be used:\n{}", root.display(), problems.len(), list(problems))]
    Files { root: PathBuf, problems: Vec<String> },
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
}

/// A line a problem; of a great many, the first ones.
fn list(problems: &[String]) -> String {
    const SHOWN: usize = 20;
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
    pub fn detect(root: &std::path::Path) -> Result<Self, DataError> {
        if root.join("JPEGImages").is_dir() {
            Ok(Self::Pascal)
        } else if root.join("images").is_dir() && root.join("masks").is_dir() {
            Ok(Self::Folder)
        } else if fss::looks_like(root) {
            Ok(Self::Fss)
        } else {
            Err(DataError::layout(
                root,
                "not a data set this program knows: it has neither JPEGImages/ (PASCAL), nor \
                 images/ and masks/, nor class folders with N.jpg and N.png (FSS-1000)",
            ))
        }
    }

    /// Reads a data set of this layout. Files are checked by their headers now and decoded when
    /// an episode first needs them.
    ///
    /// # Errors
    /// When lists or folders are missing, or, all in one error, files are missing, unreadable
    /// or of another size than their picture.
    pub fn open(self, root: &std::path::Path, selection: &Selection) -> Result<Collection, DataError> {
        match self {
            Self::Pascal => pascal::open(root, selection),
            Self::Fss => fss::open(root, selection),
            Self::Folder => folder::open(root, selection),
        }
    }
}
