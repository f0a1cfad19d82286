//! Annotation files: read beside a picture, written of what was found.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::{Outcome, Session, from_js, to_js};
use crate::annotation::{self, Class, Kind, Labels, Pack};

#[derive(Serialize)]
struct Read {
    names: Vec<String>,
    #[serde(with = "serde_bytes")]
    labels: Vec<u8>,
}

#[derive(Serialize)]
struct File {
    name: String,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

#[wasm_bindgen]
impl Session {
    /// What an annotation file called `name` says of a picture: a mask, LabelMe's JSON, or COCO's that knows the
    /// picture by its name. The labels number the names from 1; 255 is not sure.
    #[wasm_bindgen(js_name = readLabels)]
    pub fn read_labels(&self, name: &str, file: &[u8], picture: &str, width: usize, height: usize) -> Outcome<JsValue> {
        let read = annotation::read(name, file, picture, width, height)?;
        to_js(&Read { names: read.names, labels: read.labels.values })
    }

    /// The files to save of a picture, called by its name without folders and extension, which should therefore be no
    /// other's. What describes all pictures together comes with [`packed`](Self::packed), which belongs after the last
    /// picture, and after one at which it was given up.
    #[allow(clippy::too_many_arguments)]
    pub fn pack(
        &mut self,
        name: &str,
        picture: &[u8],
        labels: Vec<u8>,
        width: usize,
        height: usize,
        classes: JsValue,
        kinds: JsValue,
    ) -> Outcome<JsValue> {
        let classes: Vec<Class> = from_js("the classes", classes)?;
        let kinds: Vec<Kind> = from_js("the kinds of files", kinds)?;
        if width.checked_mul(height) != Some(labels.len()) {
            let problem = format!("{name}: there are {} labels for {width} x {height} pixels", labels.len());
            return Err(JsError::new(&problem));
        }
        if self.pack.as_ref().is_some_and(|pack| !pack.is_of(&kinds, &classes)) {
            self.pack = None;
            return Err(JsError::new("the classes have changed while pictures were being saved: save them again"));
        }
        let pack = match &mut self.pack {
            Some(pack) => pack,
            none => none.insert(Pack::new(&kinds, &classes)?),
        };
        to_files(pack.add(name, picture, &Labels { width, height, values: labels })?)
    }

    /// The files about all pictures that were packed since the last time.
    pub fn packed(&mut self) -> Outcome<JsValue> {
        to_files(match self.pack.take() {
            Some(pack) => pack.finish()?,
            None => vec![],
        })
    }
}

fn to_files(files: Vec<annotation::Packed>) -> Outcome<JsValue> {
    let fields = |file: annotation::Packed| File { name: file.name, bytes: file.bytes };
    to_js(&files.into_iter().map(fields).collect::<Vec<_>>())
}
