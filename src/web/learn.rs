//! Learning classes, finding them in pictures, and asking why.

use js_sys::{Float32Array, Function};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::{Outcome, Session, from_js, lost, report, to_js};
use crate::classes::{self, Class, Labelled, Likeness, LikenessPlane, Source};
use crate::image::Picture;

/// Of one that is known only the key need be there.
#[derive(Deserialize)]
struct Shot {
    key: String,
    #[serde(default)]
    name: String,
    #[serde(default, with = "serde_bytes")]
    picture: Option<Vec<u8>>,
    #[serde(default, with = "serde_bytes")]
    labels: Option<Vec<u8>>,
}

#[derive(Serialize)]
struct Found {
    width: usize,
    height: usize,
    #[serde(with = "serde_bytes")]
    result: Vec<u8>,
    classes: Vec<FoundClass>,
}

#[derive(Serialize)]
struct FoundClass {
    number: u8,
    share: f32,
    confidence: f32,
}

#[derive(Serialize)]
struct Match {
    key: String,
    levels: Vec<Level>,
}

#[derive(Serialize)]
struct Level {
    width: usize,
    height: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    values: Float32Array,
}

#[wasm_bindgen]
impl Session {
    /// Learns the classes from the shots, each class from every shot that has pixels of its number. What was learned
    /// the last time is taken over where a shot's key is the same, so that the key may come alone; what came with a
    /// task file is kept where `with_task` says so. On an error everything stays as it is.
    pub async fn learn(&mut self, classes: JsValue, shots: JsValue, with_task: bool, progress: Function) -> Outcome {
        let classes: Vec<Class> = from_js("the classes", classes)?;
        let shots: Vec<Shot> = from_js("the shots", shots)?;
        let shots: Vec<_> = shots.iter().map(Source::from).collect();
        let tell = |done, total| report(&progress, "features", done, total);
        let known = if with_task { self.classes.clone() } else { self.classes.of_pictures(&self.segmenter) };
        self.classes = known.learn(&self.segmenter, classes, &shots, tell)?;
        Ok(())
    }

    /// Looks for all classes in a picture.
    pub async fn segment(&self, name: String, picture: Vec<u8>, progress: Function) -> Outcome<JsValue> {
        let total = self.shots()?;
        report(&progress, "decode", 0, 1);
        let picture = Picture::decode(&name, &picture)?;
        report(&progress, "features", 0, 1);
        let features = self.segmenter.features(&[&picture]);
        report(&progress, "shot", 0, total);
        let found = self.classes.find(&features, |done| report(&progress, "shot", done, total)).await.map_err(lost)?;
        let finding = classes::finding(picture.width, picture.height, &found[0]);
        let classes = finding.classes.iter().map(|class| {
            let [share, confidence] = class.share(self.segmenter.header.threshold);
            FoundClass { number: class.number, share, confidence }
        });
        let (width, height, classes) = (finding.width, finding.height, classes.collect());
        to_js(&Found { width, height, result: finding.to_bytes(), classes })
    }

    /// Where in the shots of a class a place of a picture, 0 to 1 across and down, finds its like. Of shots that came
    /// with a task file there is no picture; their key is empty.
    pub async fn why(&self, name: String, picture: Vec<u8>, x: f64, y: f64, number: u8) -> Outcome<JsValue> {
        let features = self.segmenter.features(&[&Picture::decode(&name, &picture)?]);
        let shots = self.classes.why(&features, number, [x, y]).await.map_err(lost)?;
        let shots = shots.ok_or_else(|| JsError::new("this class has not been learned yet: mark it in a picture"))?;
        to_js(&shots.into_iter().map(Match::from).collect::<Vec<_>>())
    }
}

impl Session {
    /// How many shots have been learned, if any.
    pub(super) fn shots(&self) -> Outcome<usize> {
        match self.classes.shots() {
            0 => Err(JsError::new("nothing has been learned yet: mark the thing in a picture first")),
            shots => Ok(shots),
        }
    }
}

impl<'a> From<&'a Shot> for Source<'a> {
    fn from(Shot { key, name, picture, labels }: &'a Shot) -> Self {
        match (picture, labels) {
            (Some(picture), Some(labels)) => Self::Brought(Labelled { key, name, picture, labels }),
            _ => Self::Known(key),
        }
    }
}

impl From<Likeness> for Match {
    fn from(Likeness { key, levels }: Likeness) -> Self {
        let level = |LikenessPlane { width, height, values }| Level { width, height, values: values.as_slice().into() };
        Self { key: key.unwrap_or_default(), levels: levels.into_iter().map(level).collect() }
    }
}
