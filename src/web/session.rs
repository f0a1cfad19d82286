//! What is running: a device, a network on it, and what it has learned.

use std::io::Cursor;

use js_sys::{Promise, Uint8Array};
use serde::Serialize;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::device::Running;
use super::warm::warm_up;
use super::{Outcome, to_js};
use crate::annotation::Pack;
use crate::classes::Classes;
use crate::hsnet::Segmenter;
use crate::image;
use crate::weights;

/// One device with one network on it.
#[wasm_bindgen]
pub struct Session {
    pub(super) running: Running,
    pub(super) segmenter: Segmenter,
    /// Of the weight file: what is learned is of no use to another network.
    pub(super) fingerprint: String,
    /// A side other than the weights' own.
    pub(super) size: Option<usize>,
    pub(super) classes: Classes,
    /// The files of pictures that are being saved.
    pub(super) pack: Option<Pack>,
}

#[derive(Serialize)]
struct Info<'a> {
    method: &'a str,
    backbone: &'a str,
    size: usize,
    threshold: f32,
    device: &'a str,
    adapter: &'a str,
    note: Option<&'a str>,
}

#[derive(Serialize)]
struct Size {
    width: u32,
    height: u32,
}

#[wasm_bindgen]
impl Session {
    /// Opens a device ("auto", "webgpu" or "cpu"; "auto" takes WebGPU where an adapter can do it) and loads a weight
    /// file, or the promise of one: while it comes, a GPU compiles its shaders. Pictures are resized to `size` x `size`
    /// pixels, or as the weights were trained where that is left out.
    pub async fn open(weights: JsValue, device: String, size: Option<usize>) -> Result<Session, JsValue> {
        let running = Running::open(&device).await?;
        web_sys::console::info_2(&"fewseg runs on".into(), &running.adapter.as_str().into());
        if running.is_gpu() {
            spawn_local(warm_up(running.device.clone(), size));
        }
        let weights = JsFuture::from(Promise::resolve(&weights)).await?;
        let weights = weights.dyn_into::<Uint8Array>().map_err(|_| JsError::new("the weights are no bytes"))?.to_vec();
        let (segmenter, fingerprint) = load(&weights, &running, size)?;
        Ok(Session { running, segmenter, fingerprint, size, classes: Classes::default(), pack: None })
    }

    /// What is running.
    pub fn info(&self) -> Outcome<JsValue> {
        let header = &self.segmenter.header;
        to_js(&Info {
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
        (self.segmenter, self.fingerprint) = load(&weights, &self.running, self.size)?;
        self.classes = Classes::default();
        // What the network before held of a GPU is of no size that this one asks for. What was learned held it too.
        self.running.device.memory_cleanup();
        Ok(())
    }

    /// A picture's size, upright, from its header. A JPEG must reach its end too; the others show that when decoded.
    pub fn inspect(&self, name: &str, picture: &[u8]) -> Outcome<JsValue> {
        image::check_whole(name, picture)?;
        let (width, height) = image::dimensions(name, Cursor::new(picture))?;
        to_js(&Size { width, height })
    }
}

/// A network from its weight file, and the file's fingerprint.
fn load(bytes: &[u8], running: &Running, size: Option<usize>) -> Outcome<(Segmenter, String)> {
    let (header, network) = weights::load_compact(bytes, &running.device)
        .map_err(|error| JsError::new(&format!("The weight file: {error}.")))?;
    Ok((Segmenter::new(header.resized(size), network, running.device.clone()), weights::fingerprint(bytes)))
}
