//! The door to the browser: what a page, or rather its worker, talks to.
//!
//! A [`Session`] holds one device, one network, the task learned last, and the logits of the queries seen since. Every
//! error is an `Error` whose message is a sentence for the person at the page.

mod device;
mod files;

use std::collections::HashMap;
use std::io::Cursor;

use burn::Tensor;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::annotation::Pack;
use crate::episode::Shot;
use crate::hsnet::{Segmenter, Task};
use crate::image::{self, Mask, Picture};
use crate::predict::{self, Logits};
use crate::weights;
use device::Running;

type Outcome<T = ()> = Result<T, JsError>;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
export interface Info {
    method: string;
    backbone: string;
    /** The side, in pixels, that pictures are resized to. */
    size: number;
    /** The threshold that the weights recommend. */
    threshold: number;
    device: "webgpu" | "cpu";
    adapter: string;
    /** Why the CPU was taken, where WebGPU was asked for or could have been. */
    note?: string;
}
export interface Size { width: number; height: number }
/** A picture's file and its mask, 0 or 255 for each of its pixels. */
export interface Support { name: string; picture: Uint8Array; mask: Uint8Array }
export type Progress = (stage: string, done: number, total: number) => void;
"#;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "Info")]
    pub type Info;
    #[wasm_bindgen(typescript_type = "Size")]
    pub type Size;
    #[wasm_bindgen(typescript_type = "Support[]")]
    pub type Supports;
    #[wasm_bindgen(typescript_type = "Progress", extends = js_sys::Function)]
    pub type Progress;
}

/// One device with one network on it.
#[wasm_bindgen]
pub struct Session {
    running: Running,
    segmenter: Segmenter,
    /// A side other than the weights' own.
    size: Option<usize>,
    task: Option<Task>,
    queries: HashMap<String, Query>,
    /// The files of pictures that are being saved.
    pack: Option<Pack>,
}

/// What is kept of a query: enough to draw its mask at any threshold.
struct Query {
    width: usize,
    height: usize,
    shots: Vec<Logits>,
}

#[derive(Serialize)]
struct InfoFields<'a> {
    method: &'a str,
    backbone: &'a str,
    size: usize,
    threshold: f32,
    device: &'a str,
    adapter: &'a str,
    note: Option<&'a str>,
}

#[derive(Serialize)]
struct SizeFields {
    width: usize,
    height: usize,
}

#[derive(Deserialize)]
struct SupportFields {
    name: String,
    #[serde(with = "serde_bytes")]
    picture: Vec<u8>,
    #[serde(with = "serde_bytes")]
    mask: Vec<u8>,
}

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[wasm_bindgen]
impl Session {
    /// Opens a device ("auto", "webgpu" or "cpu"; "auto" takes WebGPU where an adapter can do it) and loads a weight
    /// file. Pictures are resized to `size` x `size` pixels, or as the weights were trained where that is left out.
    pub async fn open(weights: Vec<u8>, device: String, size: Option<usize>) -> Outcome<Session> {
        let running = Running::open(&device).await?;
        web_sys::console::info_2(&"fewseg runs on".into(), &running.adapter.as_str().into());
        let segmenter = load(&weights, &running, size)?;
        Ok(Session { running, segmenter, size, task: None, queries: HashMap::new(), pack: None })
    }

    /// What is running.
    pub fn info(&self) -> Outcome<Info> {
        let header = &self.segmenter.header;
        to_js(&InfoFields {
            method: &header.method,
            backbone: &header.backbone,
            size: header.size[0],
            threshold: header.threshold,
            device: self.running.name(),
            adapter: &self.running.adapter,
            note: self.running.note.as_deref(),
        })
    }

    /// Takes other weights, on the same device. Whatever was learned is forgotten; on an error all stays as it is.
    pub fn load(&mut self, weights: Vec<u8>) -> Outcome {
        self.segmenter = load(&weights, &self.running, self.size)?;
        self.task = None;
        self.queries.clear();
        Ok(())
    }

    /// A picture's size, upright, from its header. A JPEG must reach its end too; the others show that when decoded.
    pub fn inspect(&self, name: &str, picture: &[u8]) -> Outcome<Size> {
        image::check_whole(name, picture)?;
        let (width, height) = image::dimensions(name, Cursor::new(picture))?;
        to_js(&SizeFields { width: width as usize, height: height as usize })
    }

    /// Reads a mask's file: 0 or 255 for each pixel. It must have the size of its picture.
    #[wasm_bindgen(js_name = readMask)]
    pub fn read_mask(&self, name: &str, mask: &[u8], width: usize, height: usize) -> Outcome<Vec<u8>> {
        let mask = Mask::decode(name, mask)?;
        if (mask.width, mask.height) != (width, height) {
            return Err(JsError::new(&format!(
                "{name}: the mask is {} x {} pixels and the picture {width} x {height}; use a mask of the picture's size",
                mask.width, mask.height
            )));
        }
        Ok(to_bytes(&mask))
    }

    /// Learns the thing that is marked in the supports. Queries segmented before are forgotten.
    pub async fn learn(&mut self, supports: Supports, progress: Progress) -> Outcome {
        let supports: Vec<SupportFields> = serde_wasm_bindgen::from_value(supports.into())
            .map_err(|error| JsError::new(&format!("the supports are not as they should be: {error}")))?;
        let total = supports.len();
        let shots = supports.into_iter().map(to_shot).collect::<Outcome<Vec<_>>>()?;
        report(&progress, "features", 0, total);
        let task = self.segmenter.learn(&shots, |done| report(&progress, "features", done, total))?;
        self.task = Some(task);
        self.queries.clear();
        Ok(())
    }

    /// Finds the thing in a picture and keeps what it found under `key`; tells the picture's size.
    pub async fn segment(&mut self, key: String, name: String, picture: Vec<u8>, progress: Progress) -> Outcome<Size> {
        let Some(task) = &self.task else {
            return Err(JsError::new("nothing has been learned yet: mark the thing in a picture first"));
        };
        report(&progress, "decode", 0, 1);
        let picture = Picture::decode(&name, &picture)?;
        report(&progress, "features", 0, 1);
        let features = self.segmenter.features(&picture);
        let mut shots = Vec::new();
        for shot in 0..task.shots() {
            report(&progress, "shot", shot, task.shots());
            shots.push(read(task.segment(&features, shot)).await?);
        }
        report(&progress, "shot", task.shots(), task.shots());
        let (width, height) = (picture.width, picture.height);
        self.queries.insert(key, Query { width, height, shots });
        to_js(&SizeFields { width, height })
    }

    /// The mask of a query at the picture's own size, 0 or 255 for each pixel.
    pub fn mask(&self, key: &str, threshold: f32) -> Outcome<Vec<u8>> {
        Ok(to_bytes(&self.draw(key, threshold)?))
    }

    /// The mask of a query as a PNG file.
    #[wasm_bindgen(js_name = maskPng)]
    pub fn mask_png(&self, key: &str, threshold: f32) -> Outcome<Vec<u8>> {
        Ok(self.draw(key, threshold)?.encode(key)?)
    }

    /// Forgets a query.
    pub fn forget(&mut self, key: &str) {
        self.queries.remove(key);
    }
}

impl Session {
    fn draw(&self, key: &str, threshold: f32) -> Outcome<Mask> {
        let query = self.queries.get(key).ok_or_else(|| {
            JsError::new("this picture has not been segmented since the thing was learned: segment it again")
        })?;
        Ok(predict::mask(&query.shots, query.height, query.width, threshold))
    }
}

fn load(bytes: &[u8], running: &Running, size: Option<usize>) -> Outcome<Segmenter> {
    let (header, network) =
        weights::load(bytes, &running.device).map_err(|error| JsError::new(&format!("The weight file: {error}.")))?;
    let header = match size {
        Some(side) => header.resized(side),
        None => header,
    };
    Ok(Segmenter::new(header, network, running.device.clone()))
}

fn to_shot(support: SupportFields) -> Outcome<Shot> {
    let picture = Picture::decode(&support.name, &support.picture)?;
    let (width, height) = (picture.width, picture.height);
    if support.mask.len() != width * height {
        return Err(JsError::new(&format!(
            "{}: the mask has {} pixels and the picture {width} x {height}",
            support.name,
            support.mask.len()
        )));
    }
    let values = support.mask.iter().map(|&value| u8::from(value >= 128)).collect();
    Ok(Shot { picture, mask: Mask { width, height, values } })
}

async fn read(logits: Tensor<4>) -> Outcome<Logits> {
    let [_, _, height, width] = logits.dims();
    let lost = |error: &dyn std::fmt::Debug| {
        JsError::new(&format!("The GPU did not return its result ({error:?}): reload the page, or take the CPU."))
    };
    let data = logits.into_data_async().await.map_err(|error| lost(&error))?;
    let values = data.try_into_vec().map_err(|error| lost(&error))?;
    Ok(Logits { height, width, values })
}

fn to_bytes(mask: &Mask) -> Vec<u8> {
    mask.values.iter().map(|&value| 255 * value).collect()
}

fn to_js<T: JsCast>(fields: &impl Serialize) -> Outcome<T> {
    Ok(serde_wasm_bindgen::to_value(fields)?.unchecked_into())
}

/// Tells the page where a step is; a page that cannot be told is no reason to stop.
fn report(progress: &Progress, stage: &str, done: usize, total: usize) {
    let _ = progress.call3(&JsValue::NULL, &stage.into(), &done.into(), &total.into());
}
