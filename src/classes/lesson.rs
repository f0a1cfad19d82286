//! Learning classes from labelled pictures, each part once.

use std::io::Cursor;

use super::{Class, Classes, Learned};
use crate::annotation::{IGNORED, complaint};
use crate::episode::Shot;
use crate::hsnet::{Segmenter, Support};
use crate::image::{self, ImageError, Mask, Picture};

/// The label of pixels that are neither known to be of a class nor known not to be.
pub const UNSURE: u8 = IGNORED;

/// A picture's file and the labels of its pixels, which all classes share.
#[derive(Clone, Copy, Debug)]
pub struct Labelled<'a> {
    /// Changes with the labels: what has been learned under a key is not learned again.
    pub key: &'a str,
    pub name: &'a str,
    /// A JPEG, PNG or WebP file.
    pub picture: &'a [u8],
    /// A byte a pixel, row by row: 0 the background, the number of a class, or [`UNSURE`].
    pub labels: &'a [u8],
}

/// What is to be learned from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    Brought(Labelled<'a>),
    /// The key of one that was learned from the last time.
    Known(&'a str),
}

/// Why classes cannot be learned.
#[derive(Debug, thiserror::Error)]
pub enum LessonError {
    #[error("{0}")]
    Picture(#[from] ImageError),
    #[error("{0}")]
    Class(String),
    #[error("{name}: there are {labels} labels for {width} x {height} pixels; there must be one for each")]
    Labels { name: String, labels: usize, width: usize, height: usize },
    #[error("what the picture of the key {0} teaches is not known: bring the picture and its labels")]
    Unknown(String),
    #[error("what is marked as {0} is too small to learn from: mark more of it")]
    TooSmall(String),
    #[error("nothing is marked yet: mark something in at least one picture")]
    NothingMarked,
}

impl Classes {
    /// Learns classes, each from every shot that has pixels of its number. What is known from before is taken over
    /// where the shot's key is the same, and what came with a task file stays, having no picture to be learned from
    /// again; a class without a pixel anywhere is left out. `progress` is told how many
    /// parts, of how many, have been learned.
    ///
    /// # Errors
    /// If the classes' numbers are not as they should be, a picture cannot be read or has another number of
    /// labels than pixels, one that was not brought is not known, nothing is marked, or a class shows only in pixels
    /// that are lost at the network's size.
    pub fn learn(
        &self,
        segmenter: &Segmenter,
        classes: Vec<Class>,
        shots: &[Source],
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Self, LessonError> {
        if let Some(complaint) = complaint(&classes) {
            return Err(LessonError::Class(complaint));
        }
        let lessons = shots.iter().map(|shot| self.lesson(segmenter, shot)).collect::<Result<Vec<_>, _>>()?;
        let parts = lessons.iter().flat_map(|lesson| classes.iter().map(move |class| (lesson, class)));
        let is_new = |(lesson, class): &(&Lesson, &Class)| lesson.shows(class) && self.known(lesson, class).is_none();
        let (mut done, total) = (0, parts.filter(is_new).count());
        progress(done, total);

        let mut taught: Vec<_> = classes.iter().map(|class| self.brought(class)).collect();
        for lesson in &lessons {
            self.teach(segmenter, lesson, classes.iter().zip(&mut taught), || {
                done += 1;
                progress(done, total);
            })?;
        }
        let learned = classes.into_iter().zip(taught).filter_map(|(class, Taught { keys, supports })| {
            if supports.is_empty() {
                let is_marked = lessons.iter().any(|lesson| lesson.numbers.marked[usize::from(class.number)]);
                return is_marked.then(|| Err(LessonError::TooSmall(class.name)));
            }
            Some(Ok(Learned { class, keys, task: segmenter.task(supports) }))
        });
        let learned = learned.collect::<Result<Vec<_>, _>>()?;
        if learned.is_empty() {
            return Err(LessonError::NothingMarked);
        }
        let pictures = lessons.into_iter().map(|lesson| (lesson.key.to_owned(), lesson.numbers)).collect();
        Ok(Self { learned, pictures })
    }

    fn lesson<'a>(&self, segmenter: &Segmenter, shot: &'a Source) -> Result<Lesson<'a>, LessonError> {
        match shot {
            Source::Brought(labelled) => Lesson::new(segmenter, labelled),
            Source::Known(key) => match self.pictures.get(*key) {
                Some(numbers) => Ok(Lesson { key, numbers: numbers.clone(), material: None }),
                None => Err(LessonError::Unknown((*key).to_owned())),
            },
        }
    }

    /// Adds what a lesson teaches to every class that it shows; `done` is told of each part that was not known.
    fn teach<'a>(
        &self,
        segmenter: &Segmenter,
        lesson: &Lesson,
        classes: impl Iterator<Item = (&'a Class, &'a mut Taught)>,
        mut done: impl FnMut(),
    ) -> Result<(), LessonError> {
        // Decoded where it is needed, and not longer.
        let mut decoded = None;
        for (class, taught) in classes.filter(|(class, _)| lesson.shows(class)) {
            let support = match (self.known(lesson, class), &lesson.material) {
                (Some(support), _) => support.clone(),
                (None, None) => return Err(LessonError::Unknown(lesson.key.to_owned())),
                (None, Some(material)) => {
                    let picture = match decoded.take() {
                        Some(picture) => picture,
                        None => material.picture()?,
                    };
                    let support = segmenter.support(&material.shot(decoded.insert(picture), class));
                    done();
                    support
                }
            };
            taught.keys.push(Some(lesson.key.to_owned()));
            taught.supports.push(support);
        }
        Ok(())
    }

    /// What came with a task file for a class.
    fn brought(&self, class: &Class) -> Taught {
        let learned = self.learned.iter().filter(|learned| learned.class.number == class.number);
        let shots = learned.flat_map(|learned| learned.keys.iter().zip(learned.task.supports()));
        let supports: Vec<_> = shots.filter(|(key, _)| key.is_none()).map(|(_, support)| support.clone()).collect();
        Taught { keys: vec![None; supports.len()], supports }
    }

    /// What has been learned of a class from a shot before.
    fn known(&self, lesson: &Lesson, class: &Class) -> Option<&Support> {
        let learned = self.learned.iter().find(|learned| learned.class.number == class.number)?;
        let shot = learned.keys.iter().position(|key| key.as_deref() == Some(lesson.key))?;
        learned.task.supports().get(shot)
    }
}

/// What has been gathered of one class.
struct Taught {
    keys: Vec<Option<String>>,
    supports: Vec<Support>,
}

/// Which numbers the labels of a picture have.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    /// At the picture's own size.
    marked: [bool; 256],
    /// At the network's, where small things may be lost.
    shown: [bool; 256],
}

/// What one picture is to teach.
struct Lesson<'a> {
    key: &'a str,
    numbers: Numbers,
    /// Not there where all of it is known.
    material: Option<Material<'a>>,
}

/// A labelled picture as the network takes it.
struct Material<'a> {
    shot: &'a Labelled<'a>,
    /// `[height, width]`
    size: [usize; 2],
    /// The labels at this size.
    labels: Vec<u8>,
}

impl<'a> Lesson<'a> {
    fn new(segmenter: &Segmenter, shot: &'a Labelled<'a>) -> Result<Self, LessonError> {
        let Labelled { key, name, picture, labels } = *shot;
        let (width, height) = image::dimensions(name, Cursor::new(picture))?;
        let (width, height) = (width as usize, height as usize);
        if labels.is_empty() || labels.len() != width * height {
            return Err(LessonError::Labels { name: name.to_owned(), labels: labels.len(), width, height });
        }
        let size = segmenter.header.support_size();
        let material = Material { shot, size, labels: image::resize_nearest(labels, [height, width], size) };
        let numbers = Numbers { marked: numbers_in(labels), shown: numbers_in(&material.labels) };
        Ok(Self { key, numbers, material: Some(material) })
    }

    fn shows(&self, class: &Class) -> bool {
        self.numbers.shown[usize::from(class.number)]
    }
}

fn numbers_in(labels: &[u8]) -> [bool; 256] {
    let mut numbers = [false; 256];
    labels.iter().for_each(|&label| numbers[usize::from(label)] = true);
    numbers
}

impl Material<'_> {
    fn picture(&self) -> Result<Picture, ImageError> {
        let [height, width] = self.size;
        Ok(Picture::decode(self.shot.name, self.shot.picture)?.resize(height, width))
    }

    /// What it teaches of one class.
    fn shot(&self, picture: &Picture, class: &Class) -> Shot {
        let unsure = self.labels.contains(&UNSURE).then(|| self.mask(UNSURE));
        Shot { picture: picture.clone(), mask: self.mask(class.number), unsure }
    }

    fn mask(&self, label: u8) -> Mask {
        let [height, width] = self.size;
        Mask { width, height, values: self.labels.iter().map(|&value| u8::from(value == label)).collect() }
    }
}
