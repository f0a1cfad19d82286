//! Label maps as the files that other programs write and read.
//!
//! A label map ([`Labels`]) has a byte a pixel: 0 is the background, any other number a class, 255 not sure. On the way
//! out, not sure and numbers that are no class count as background. A class falls into connected [`Component`]s, each
//! with its area, bounds, stencil and [`Outlines`]; from these are made [`Coco`], [`labelme`] and [`yolo`], and from the
//! map itself the pictures in [`draw`]. [`Pack`] makes whichever are asked for, with their file names. On the way in,
//! [`read`](read()) makes a label map of a mask, of LabelMe's or of COCO's JSON, by painting [`Region`]s.

mod class;
pub mod coco;
mod component;
pub mod draw;
mod groups;
pub mod labelme;
mod labels;
mod outline;
mod pack;
mod read;
mod region;
mod runs;
pub mod yolo;

pub(crate) use class::complaint;
pub use class::{Class, Colour};
pub use coco::{Coco, Form};
pub use component::{Component, components};
pub(crate) use groups::Groups;
pub use labels::{IGNORED, Labels, MAX_CLASS};
pub use outline::Outlines;
pub use pack::{Kind, Pack, Packed};
pub use read::{Annotated, read};
pub use region::Region;
pub(crate) use region::Regions;

use crate::image::ImageError;

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AnnotationError {
    #[error("{name}: {problem}")]
    File { name: String, problem: String },
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("{0}")]
    Classes(String),
}

impl AnnotationError {
    fn file(name: &str, problem: impl Into<String>) -> Self {
        Self::File { name: name.to_owned(), problem: problem.into() }
    }
}
