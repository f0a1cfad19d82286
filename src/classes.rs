//! Several classes at once: learned from pictures that they share, and looked for with one look at each query.
//!
//! What has been learned is kept by class and by picture, so that another picture, or a corrected one, costs itself
//! alone ([`Classes::learn`]). As a file it needs no picture any more ([`Classes::to_task`]).

mod lesson;
mod task_file;

use std::collections::HashMap;
use std::time::Duration;

use burn::Tensor;

use crate::backbone::Pyramid;
use crate::hsnet::{Segmenter, Task};
use crate::image::Picture;
use crate::predict::{ClassFinding, Finding, Logits};
use crate::readback::{self, NotReturned};

pub use crate::annotation::Class;
use lesson::Numbers;
pub use lesson::{Labelled, LessonError, Source, UNSURE};
pub use task_file::TaskFileError;

/// A class, and what has been learned of it.
#[derive(Clone, Debug)]
pub struct Learned {
    pub class: Class,
    /// For each shot the key of the picture it was learned from; one that came with a task file has none.
    pub keys: Vec<Option<String>>,
    pub task: Task,
}

/// Everything that has been learned: each class from at least one shot.
#[derive(Clone, Debug, Default)]
pub struct Classes {
    learned: Vec<Learned>,
    /// The pictures that it was learned from, by their keys.
    pictures: HashMap<String, Numbers>,
}

/// What the shots of one class say of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassLogits {
    pub number: u8,
    pub shots: Vec<Logits>,
}

impl ClassLogits {
    fn nothing_yet(learned: &Learned) -> Self {
        Self { number: learned.class.number, shots: Vec::new() }
    }
}

/// How like each place of one shot a place of a query is.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// See [`Learned::keys`].
    pub key: Option<String>,
    /// For levels 2, 3 and 4.
    pub levels: Vec<LikenessPlane>,
}

/// Likeness of 0 to 1, `(height, width)`, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct LikenessPlane {
    pub height: usize,
    pub width: usize,
    pub values: Vec<f32>,
}

impl Classes {
    /// One class, as it was learned by itself.
    pub fn single(class: Class, task: Task) -> Self {
        Self { learned: vec![Learned { class, keys: vec![None; task.shots()], task }], ..Self::default() }
    }

    /// Without what came with a task file.
    pub fn of_pictures(&self, segmenter: &Segmenter) -> Self {
        let learned = self.learned.iter().filter_map(|Learned { class, keys, task }| {
            let shots = keys.iter().zip(task.supports()).filter(|(key, _)| key.is_some());
            let (keys, supports): (Vec<_>, Vec<_>) = shots.map(|(key, support)| (key.clone(), support.clone())).unzip();
            let is_known = !supports.is_empty();
            is_known.then(|| Learned { class: class.clone(), keys, task: segmenter.task(supports) })
        });
        Self { learned: learned.collect(), pictures: self.pictures.clone() }
    }

    /// The same, under the names and colours that classes of these numbers have now.
    pub fn named(&self, classes: &[Class]) -> Self {
        let now = |class: &Class| classes.iter().find(|now| now.number == class.number).unwrap_or(class).clone();
        let rename = |learned: &Learned| Learned { class: now(&learned.class), ..learned.clone() };
        Self { learned: self.learned.iter().map(rename).collect(), pictures: self.pictures.clone() }
    }

    /// In the order in which they were given.
    pub fn learned(&self) -> &[Learned] {
        &self.learned
    }

    /// How many shots there are, over all classes.
    pub fn shots(&self) -> usize {
        self.learned.iter().map(|learned| learned.task.shots()).sum()
    }

    /// Looks for every class with every shot, in all queries of a batch at once; `done` is told after each shot how many
    /// have been asked. The result has, for each query, what is found of each class.
    ///
    /// # Errors
    /// If the device does not return its results.
    pub async fn find(
        &self,
        queries: &Pyramid,
        mut done: impl FnMut(usize),
    ) -> Result<Vec<Vec<ClassLogits>>, NotReturned> {
        let nothing: Vec<_> = self.learned.iter().map(ClassLogits::nothing_yet).collect();
        let mut found = vec![nothing; queries.levels[0].dims()[0]];
        let mut asked = 0;
        let mut read = async |(class, logits): (usize, Tensor<4>)| -> Result<(), NotReturned> {
            for (classes, logits) in found.iter_mut().zip(Logits::of(logits).await?) {
                classes[class].shots.push(logits);
            }
            asked += 1;
            done(asked);
            Ok(())
        };
        // One is worked out while the one before is on its way back, so that a GPU need not wait for us. (The CPU does one
        // thing after the other: there the news of a shot comes after the next.)
        let mut ahead = None;
        for (class, learned) in self.learned.iter().enumerate() {
            for shot in 0..learned.task.shots() {
                if let Some(before) = ahead.replace((class, learned.task.segment(queries, shot))) {
                    read(before).await?;
                }
            }
        }
        if let Some(last) = ahead {
            read(last).await?;
        }
        Ok(found)
    }

    /// What the stages of looking for the first shot in a picture take; nothing if nothing has been learned.
    ///
    /// # Errors
    /// If the device does not return its results.
    pub async fn times(
        &self,
        segmenter: &Segmenter,
        picture: &Picture,
    ) -> Result<Vec<(&'static str, Option<Duration>)>, NotReturned> {
        match self.learned.first() {
            Some(Learned { task, .. }) => task.times(segmenter, picture, 0).await,
            None => Ok(Vec::new()),
        }
    }

    /// Where in the shots of a class a place of a query, `[across, down]` in 0..1, finds its like; nothing if the class
    /// has not been learned.
    ///
    /// # Errors
    /// If the device does not return its results.
    pub async fn why(
        &self,
        query: &Pyramid,
        number: u8,
        place: [f64; 2],
    ) -> Result<Option<Vec<Likeness>>, NotReturned> {
        let Some(learned) = self.learned.iter().find(|learned| learned.class.number == number) else {
            return Ok(None);
        };
        let mut shots = Vec::new();
        for (shot, key) in learned.keys.iter().enumerate() {
            let mut levels = Vec::new();
            for plane in learned.task.likeness(query, shot, place) {
                let [height, width] = plane.dims();
                levels.push(LikenessPlane { height, width, values: readback::values(plane).await? });
            }
            shots.push(Likeness { key: key.clone(), levels });
        }
        Ok(Some(shots))
    }
}

/// What was found in a picture of `width` x `height` pixels.
pub fn finding(width: usize, height: usize, found: &[ClassLogits]) -> Finding {
    let class = |class: &ClassLogits| ClassFinding {
        number: class.number,
        shots: class.shots.iter().map(Logits::margins).collect(),
    };
    Finding { width, height, classes: found.iter().map(class).collect() }
}
