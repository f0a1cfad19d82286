//! What the stages of a picture take.

use std::time::Duration;

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::{Outcome, Session, lost, to_js};
use crate::image::Picture;

#[derive(Serialize)]
struct Stage {
    name: &'static str,
    /// None where the device's clock is too coarse.
    milliseconds: Option<f64>,
}

#[wasm_bindgen]
impl Session {
    /// The stages of looking for one shot of one class in a picture, in their order, with the time that each takes.
    pub async fn times(&self, name: String, picture: Vec<u8>) -> Outcome<JsValue> {
        self.shots()?;
        let picture = Picture::decode(&name, &picture)?;
        // Whatever is done for the first time takes longer.
        self.classes.times(&self.segmenter, &picture).await.map_err(lost)?;
        let times = self.classes.times(&self.segmenter, &picture).await.map_err(lost)?;
        let stage = |(name, time): (_, Option<Duration>)| {
            let milliseconds = time.map(|time| 1e3 * time.as_secs_f64());
            Stage { name, milliseconds }
        };
        to_js(&times.into_iter().map(stage).collect::<Vec<_>>())
    }
}
