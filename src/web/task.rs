//! What has been learned, as a file.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::{Outcome, Session, from_js, to_js};
use crate::classes::{Class, Classes};
use crate::predict::Look;

#[derive(Serialize)]
struct Opened<'a> {
    classes: Vec<&'a Class>,
    shots: usize,
    look: Look,
}

#[wasm_bindgen]
impl Session {
    /// What has been learned as one small file, without the pictures, under the names that the classes have now.
    #[wasm_bindgen(js_name = saveTask)]
    pub async fn save_task(&self, classes: JsValue, look: JsValue) -> Outcome<Vec<u8>> {
        self.shots()?;
        let classes: Vec<Class> = from_js("the classes", classes)?;
        let look: Look = from_js("the settings of the masks", look)?;
        let task = self.classes.named(&classes).to_task(&self.segmenter, &self.fingerprint, &look).await;
        task.map_err(|error| JsError::new(&format!("The task was not saved: {error}.")))
    }

    /// What such a file knows, in place of what has been learned; on an error that stays.
    #[wasm_bindgen(js_name = openTask)]
    pub fn open_task(&mut self, name: &str, task: &[u8]) -> Outcome<JsValue> {
        let (classes, look) = Classes::from_task(task, &self.segmenter, &self.fingerprint)
            .map_err(|error| JsError::new(&format!("{name}: {error}.")))?;
        self.classes = classes;
        let classes = self.classes.learned().iter().map(|learned| &learned.class).collect();
        to_js(&Opened { classes, shots: self.classes.shots(), look })
    }
}
