//! Few-shot segmentation: shown one or a few pictures with a thing marked, find it in every other picture.
//!
//! One crate for the browser and for the workbench. As wasm it runs HSNet on the user's GPU ([`web`]); natively it trains,
//! segments and imports weights ([`cli`]). What both share is told from the bottom up:
//!
//! - [`image`], [`episode`], [`metric`]: pictures, masks, and how well a mask fits;
//! - [`ops`]: the operations that burn lacks, as WGSL and composed;
//! - [`backbone`], [`hsnet`]: the networks; a method has two steps, [`hsnet::Segmenter::learn`] and
//!   [`hsnet::Task::segment`];
//! - [`predict`]: from logits to a mask at the picture's own size;
//! - [`classes`]: several classes at once, learned from pictures that they share, and as one small file;
//! - [`weights`]: the weight file;
//! - [`data`], [`train`], [`evaluate`]: natively, from files to episodes, from episodes to weights, and what those are
//!   worth.

#[cfg(feature = "native")]
mod ahead;
pub mod backbone;
pub mod classes;
#[cfg(feature = "native")]
pub mod cli;
#[cfg(feature = "native")]
pub mod data;
#[cfg(feature = "native")]
mod disk;
pub mod episode;
#[cfg(feature = "native")]
pub mod evaluate;
mod half_floats;
pub mod hsnet;
pub mod image;
pub mod metric;
pub mod ops;
pub mod predict;
pub mod readback;
mod sampling;
#[cfg(feature = "native")]
pub mod train;
#[cfg(all(feature = "web", target_arch = "wasm32"))]
pub mod web;
pub mod weights;
