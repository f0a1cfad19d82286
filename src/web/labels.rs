//! From what was found to labels.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::{Outcome, Session, from_js, lost, to_js};
use crate::image::Picture;
use crate::predict::{self, Finding, Look};

#[derive(Serialize)]
struct Labels {
    #[serde(with = "serde_bytes")]
    labels: Vec<u8>,
    width: usize,
    height: usize,
}

#[wasm_bindgen]
impl Session {
    /// The labels that `result`, found in a picture, comes to: at the picture's own size, or at `width` if that is less.
    /// The picture is only decoded where edges follow it.
    pub async fn labels(
        &self,
        name: String,
        picture: Vec<u8>,
        result: Vec<u8>,
        look: JsValue,
        width: Option<usize>,
    ) -> Outcome<JsValue> {
        let unusable = |reason: &str| JsError::new(&format!("{name}: {reason}; segment the picture again."));
        let finding = Finding::from_bytes(&result).map_err(|error| unusable(&error.to_string()))?;
        let look: Look = from_js("the settings of the masks", look)?;
        if !look.is_sound() {
            return Err(JsError::new("The settings of the masks must lie between 0 and 1."));
        }
        let guide = if look.edges { Some(Picture::decode(&name, &picture)?) } else { None };
        if guide.as_ref().is_some_and(|guide| [guide.width, guide.height] != [finding.width, finding.height]) {
            return Err(unusable("what was found belongs to a picture of another size"));
        }
        let size = predict::size_at(&finding, width);
        let labels = predict::labels_on(&self.running.device, &finding, &look, guide.as_ref(), size);
        let found = labels.await.map_err(lost)?;
        to_js(&Labels { labels: found.values, width: found.width, height: found.height })
    }
}
