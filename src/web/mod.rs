//! The door to the browser: what a page, or rather its worker, talks to; `www/fewseg.d.ts` says what passes.
//!
//! A [`Session`] holds one device, one network and what it has learned, and nothing of any query: what was found goes to
//! the page as bytes. Every error is an `Error` whose message is a sentence for the person at the page.

mod device;
mod files;
mod labels;
mod learn;
mod session;
mod task;
mod times;
mod warm;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

pub use session::Session;

use crate::readback::NotReturned;

type Outcome<T = ()> = Result<T, JsError>;

unsafe extern "C" {
    /// Made by the linker: runs what the crates below register before the program starts.
    fn __wasm_call_ctors();
}

#[wasm_bindgen(start)]
fn start() {
    // SAFETY: this is the first thing that runs, and nothing else calls it. Were it not called by name, the linker would
    // wrap every export in a call of it: at each object that the page hands over, which takes longer than the network.
    unsafe { __wasm_call_ctors() };
    console_error_panic_hook::set_once();
}

fn to_js(fields: &impl Serialize) -> Outcome<JsValue> {
    Ok(serde_wasm_bindgen::to_value(fields)?)
}

/// What the page brings; `what` is what the error calls it.
fn from_js<T: DeserializeOwned>(what: &str, value: JsValue) -> Outcome<T> {
    serde_wasm_bindgen::from_value(value)
        .map_err(|error| JsError::new(&format!("{what} are not as they should be: {error}")))
}

/// Tells the page where a step is; a page that cannot be told is no reason to stop.
fn report(progress: &js_sys::Function, stage: &str, done: usize, total: usize) {
    let _ = progress.call3(&JsValue::NULL, &stage.into(), &done.into(), &total.into());
}

/// The sentence for a device that is gone.
fn lost(error: NotReturned) -> JsError {
    JsError::new(&format!("The GPU stopped: {error}. Reload the page, or take the CPU."))
}
