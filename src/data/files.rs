//! A picture file with what marks the objects in it: checked by the headers first, decoded when needed.

use std::{
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{DataError, Scene};
use crate::{
    annotation::{Labels, Regions},
    image::{self, Mask, Picture},
};

/// A picture file and its annotation.
#[derive(Debug)]
pub(super) struct Files {
    /// What the data set calls the picture.
    pub name: String,
    pub picture: PathBuf,
    pub annotation: Annotation,
}

/// Where the labels of a picture's pixels come from.
#[derive(Clone, Debug)]
pub(super) enum Annotation {
    /// A file of class numbers.
    Classes(PathBuf),
    /// A file that marks one object, however it is coded; it is read as label 1.
    Object(PathBuf),
    /// Regions with their labels, painted one over another.
    Regions(Arc<Regions>),
}

impl Files {
    /// Says what is wrong with the pair, judging by the headers.
    pub fn check(&self) -> Result<(), String> {
        let picture = dimensions(&self.picture)?;
        let (what, labels) = match &self.annotation {
            Annotation::Classes(path) | Annotation::Object(path) => (path, Some(dimensions(path)?)),
            Annotation::Regions(regions) => (&self.picture, regions.size),
        };
        match labels {
            Some(labels) if labels != picture => Err(mismatch(what, &self.annotation, labels, picture)),
            _ => Ok(()),
        }
    }

    /// Picture and labels, shrunk where the longer side exceeds the limit.
    pub fn decode(&self, longest_side: Option<usize>) -> Result<Scene, DataError> {
        let picture = Picture::decode(&display(&self.picture), &read(&self.picture)?)?;
        let labels = self.annotation.decode(&picture)?;
        let picture = match longest_side {
            Some(limit) => picture.shrink_to(limit),
            None => picture,
        };
        Ok(Scene { labels: labels.resize(picture.height, picture.width), picture })
    }
}

impl Annotation {
    fn decode(&self, picture: &Picture) -> Result<Labels, DataError> {
        Ok(match self {
            Self::Classes(path) => decode(path)?,
            Self::Object(path) => Mask::decode(&display(path), &read(path)?)?.into(),
            Self::Regions(regions) => regions.paint(picture.width, picture.height),
        })
    }
}

fn mismatch(path: &Path, annotation: &Annotation, labels: (u32, u32), picture: (u32, u32)) -> String {
    let path = path.display();
    let ((width, height), (across, down)) = (labels, picture);
    match annotation {
        Annotation::Regions(_) => {
            format!("{path}: {across} x {down} pixels, but its annotation is of {width} x {height}")
        }
        _ => format!("{path}: {width} x {height} pixels, but its picture has {across} x {down}"),
    }
}

fn dimensions(path: &Path) -> Result<(u32, u32), String> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    image::dimensions(&display(path), BufReader::new(file)).map_err(|error| error.to_string())
}

/// Reads a file of class numbers.
pub(super) fn decode(path: &Path) -> Result<Labels, DataError> {
    Ok(Labels::decode(&display(path), &read(path)?)?)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    fs::read(path).map_err(|source| DataError::unreadable(path, source))
}

fn display(path: &Path) -> String {
    path.display().to_string()
}
