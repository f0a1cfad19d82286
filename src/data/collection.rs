//! A data set, whatever its layout: classes, and the pictures that show them.

use std::{
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use super::{DataError, labels::Labels};
use crate::{
    episode::{Episode, Shot},
    image::{self, Mask, Picture},
};

/// The label of pixels that belong to no class and that no metric counts, as PASCAL marks outlines.
const IGNORED: u8 = 255;

/// What the pixels of a label file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Class numbers, with [`IGNORED`].
    Classes,
    /// One object, however it is coded; it is read as label 1.
    Object,
}

/// A picture file and the file that labels it.
#[derive(Debug)]
pub(super) struct Files {
    pub picture: PathBuf,
    pub labels: PathBuf,
    pub kind: Kind,
}

/// A class, and where it is shown.
#[derive(Clone, Debug)]
pub struct Class {
    /// The number by which metrics keep it apart.
    pub id: usize,
    pub name: String,
    /// The scenes that show it, each with the label that it has there.
    pub(super) members: Vec<(usize, u8)>,
}

impl Class {
    /// A class that nothing shows yet.
    pub(super) fn new(id: usize, name: impl Into<String>) -> Self {
        Self { id, name: name.into(), members: Vec::new() }
    }

    /// How many pictures show it.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no picture shows it.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// A picture with its labels, decoded.
#[derive(Clone, Debug)]
pub struct Scene {
    pub picture: Picture,
    pub(super) labels: Labels,
}

impl Scene {
    /// The picture with the pixels of one label marked.
    pub(super) fn shot(&self, label: u8) -> Shot {
        Shot { picture: self.picture.clone(), mask: self.mask(label) }
    }

    /// The pixels of one label.
    pub(super) fn mask(&self, label: u8) -> Mask {
        let values = self.labels.values.iter();
        Mask {
            width: self.labels.width,
            height: self.labels.height,
            values: values.map(|&value| u8::from(value == label)).collect(),
        }
    }
}

/// Classes and the pictures that show them. Pictures are decoded when first asked for and kept.
#[derive(Clone, Debug)]
pub struct Collection {
    /// What to call it.
    pub name: String,
    /// The classes, each shown by at least one picture.
    pub classes: Vec<Class>,
    scenes: Arc<Scenes>,
}

#[derive(Debug)]
struct Scenes {
    files: Vec<Files>,
    longest_side: Option<usize>,
    decoded: Vec<OnceLock<Arc<Scene>>>,
}

impl Collection {
    /// Takes note of the files, having checked that each pair is there and of one size.
    ///
    /// # Errors
    /// With every file that is missing, unreadable or of the wrong size.
    pub(super) fn new(
        root: &Path,
        mut classes: Vec<Class>,
        files: Vec<Files>,
        longest_side: Option<usize>,
    ) -> Result<Self, DataError> {
        let problems: Vec<String> = files.iter().filter_map(|files| files.check().err()).collect();
        if !problems.is_empty() {
            let root = root.to_owned();
            return Err(DataError::Files { root, problems });
        }
        classes.retain(|class| !class.is_empty());
        let name = root.file_name().unwrap_or(root.as_os_str());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            classes,
            scenes: Arc::new(Scenes { decoded: files.iter().map(|_| OnceLock::new()).collect(), files, longest_side }),
        })
    }

    /// The same pictures with only the classes that `keep` accepts.
    pub fn filter(&self, keep: impl Fn(&Class) -> bool) -> Self {
        let mut kept = self.clone();
        kept.classes.retain(keep);
        kept
    }

    /// How many pictures there are, over all classes.
    pub fn len(&self) -> usize {
        self.classes.iter().map(Class::len).sum()
    }

    /// Whether there is no picture of any class.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// A scene by its number, decoded now unless it was before.
    ///
    /// # Errors
    /// When a file has gone or its pixels are broken.
    pub(super) fn scene(&self, number: usize) -> Result<Arc<Scene>, DataError> {
        let decoded = &self.scenes.decoded[number];
        if let Some(scene) = decoded.get() {
            return Ok(scene.clone());
        }
        let scene = self.scenes.files[number].decode(self.scenes.longest_side)?;
        Ok(decoded.get_or_init(|| Arc::new(scene)).clone())
    }

    /// The episode of a class in which its pictures `supports` are shown and `query` is asked,
    /// all by their place in the class, as they are on disk.
    ///
    /// # Errors
    /// When a file has gone or its pixels are broken.
    pub fn episode(&self, class: &Class, supports: &[usize], query: usize) -> Result<Episode, DataError> {
        let shot = |member: usize| -> Result<Shot, DataError> {
            let (scene, label) = class.members[member];
            Ok(self.scene(scene)?.shot(label))
        };
        let (scene, _) = class.members[query];
        let ignore = self.scene(scene)?.mask(IGNORED);
        Ok(Episode {
            class: class.id,
            supports: (supports.iter()).map(|&member| shot(member)).collect::<Result<_, _>>()?,
            query: shot(query)?,
            ignore: (ignore.area() > 0).then_some(ignore),
        })
    }
}

/// Numbers the classes of several collections apart: the ids of each begin after those of the one before.
pub fn number_apart<'a>(collections: impl IntoIterator<Item = &'a mut Collection>) {
    let mut first = 0;
    for collection in collections {
        let mut next = first;
        for class in &mut collection.classes {
            class.id += first;
            next = next.max(class.id + 1);
        }
        first = next;
    }
}

impl Files {
    /// Says what is wrong with the pair, judging by the headers.
    fn check(&self) -> Result<(), String> {
        let picture = dimensions(&self.picture)?;
        let labels = dimensions(&self.labels)?;
        if picture != labels {
            return Err(format!(
                "{}: {} x {} pixels, but its picture has {} x {}",
                self.labels.display(),
                labels.0,
                labels.1,
                picture.0,
                picture.1,
            ));
        }
        Ok(())
    }

    fn decode(&self, longest_side: Option<usize>) -> Result<Scene, DataError> {
        let picture = Picture::decode(&name(&self.picture), &read(&self.picture)?)?;
        let labels = self.labels()?;
        let picture = match longest_side {
            Some(limit) => picture.shrink_to(limit),
            None => picture,
        };
        Ok(Scene { labels: labels.resize(picture.height, picture.width), picture })
    }

    fn labels(&self) -> Result<Labels, DataError> {
        let bytes = read(&self.labels)?;
        Ok(match self.kind {
            Kind::Classes => Labels::decode(&self.labels, &bytes)?,
            Kind::Object => Mask::decode(&name(&self.labels), &bytes)?.into(),
        })
    }
}

fn dimensions(path: &Path) -> Result<(u32, u32), String> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    image::dimensions(&name(path), BufReader::new(file)).map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    fs::read(path).map_err(|source| DataError::Unreadable { path: path.to_owned(), source })
}

fn name(path: &Path) -> String {
    path.display().to_string()
}
