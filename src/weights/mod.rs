//! The weight file: what it says of itself, loading and saving it, and importing the published ones.
//!
//! A weight file is safetensors: tensors under the names of the modules' fields, in half precision unless asked
//! otherwise (`eight_bits` says how less is kept), and a [`Header`].

mod arrays;
mod eight_bits;
mod file;
#[cfg(feature = "native")]
mod import;
#[cfg(feature = "native")]
mod tensors;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::backbone::BackboneKind;
use crate::hsnet::Design;
use crate::image::Normalisation;

pub use arrays::{Array, Arrays, arrays_of, fill};
pub use file::{Precision, fingerprint, load, load_backbone, load_compact, to_bytes};
#[cfg(feature = "native")]
pub use file::{save, save_as};
#[cfg(feature = "native")]
pub use import::{backbone_of, holds_learner, import, import_arrays};
#[cfg(feature = "native")]
pub use tensors::{Format, TensorFile};

/// The licence of weights that owe nothing to others.
pub const LICENCE: &str = "MIT OR Apache-2.0";

/// Pixels a side that every backbone has a position for at level 4.
const SMALLEST: usize = 32;

/// What a weight file says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The method: `hsnet`.
    pub method: String,
    /// The backbone's name, as [`BackboneKind::name`] has it.
    pub backbone: String,
    /// Height and width that queries are resized to.
    pub size: [usize; 2],
    /// Height and width that supports are resized to, where it differs. Finer queries cost in proportion to their area
    /// alone, and a learner that has seen supports of one size only wants them so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support_size: Option<[usize; 2]>,
    pub normalisation: Normalisation,
    /// How the network is built and how it takes its supports. What a file does not name is as in the paper.
    #[serde(flatten)]
    pub design: Design,
    /// The probability above which a pixel is the object. One half is the published rule; a network that is
    /// under-confident on classes it has not seen does better below.
    pub threshold: f32,
    /// What it was trained on.
    pub data: String,
    /// The licence, with the notices that its origin asks for.
    pub licence: String,
}

impl Header {
    /// As the method was published: ImageNet's normalisation, the paper's design, threshold one half.
    pub fn hsnet(backbone: BackboneKind, size: [usize; 2]) -> Self {
        Self {
            method: "hsnet".into(),
            backbone: backbone.name().into(),
            size,
            support_size: None,
            normalisation: Normalisation::IMAGENET,
            design: Design::default(),
            threshold: 0.5,
            data: String::new(),
            licence: LICENCE.into(),
        }
    }

    /// Height and width that supports are resized to.
    pub fn support_size(&self) -> [usize; 2] {
        self.support_size.unwrap_or(self.size)
    }

    /// The same for squares of `side` where one is given, the supports in proportion as far as a network can take them.
    pub fn resized(self, side: Option<usize>) -> Self {
        let Some(side) = side else { return self };
        let scale = |other: usize, own: usize| (other * side).div_ceil(own).max(SMALLEST);
        let support_size = self.support_size.map(|size| [scale(size[0], self.size[0]), scale(size[1], self.size[1])]);
        Self { size: [side; 2], support_size, ..self }
    }

    /// What in it no network could work with.
    fn complaint(&self) -> Option<&'static str> {
        if !self.size.iter().chain(&self.support_size()).all(|side| (SMALLEST..=4096).contains(side)) {
            Some("the input is not between 32 and 4096 pixels a side")
        } else if !self.normalisation.std.iter().all(|&std| std > 0.0) {
            Some("the normalisation divides by a number that is not above 0")
        } else if !(self.threshold > 0.0 && self.threshold < 1.0) {
            Some("the threshold is no probability between 0 and 1")
        } else {
            None
        }
    }
}

/// Why weights could not be read or written. Each is a sentence about the file, which the caller names.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error("it is cut off or damaged ({0}): get it again")]
    Damaged(String),
    #[error(
        "it is no fewseg weight file: it has no header of ours; convert a PyTorch checkpoint with `fewseg import` first"
    )]
    NoHeader,
    #[error("it is a PyTorch checkpoint: turn it into a weight file with `fewseg import` first")]
    Checkpoint,
    #[error("it is neither a weight file nor a PyTorch checkpoint, whatever its name says")]
    NoWeights,
    #[error("it is a folder: give a file")]
    Folder,
    #[error("its header cannot be read ({0}): export it again with this version of fewseg")]
    BadHeader(String),
    #[error("it holds the method \"{0}\", and this version knows only hsnet")]
    UnknownMethod(String),
    #[error("{0}")]
    UnknownBackbone(String),
    #[error("it holds none of the known backbones ({})", BackboneKind::ALL.map(BackboneKind::name).join(", "))]
    NoBackbone,
    #[error("its backbone is {found}, not {asked}")]
    OtherBackbone { found: BackboneKind, asked: BackboneKind },
    #[error("the tensor {0} is missing: the file belongs to another model")]
    Missing(String),
    #[error(
        "the tensor {name} has the shape {found:?} where {expected:?} is needed: the file belongs to another model"
    )]
    Shape { name: String, expected: Vec<usize>, found: Vec<usize> },
    #[error("it has tensors that the model has no place for, {0} among them: the file belongs to another model")]
    Unused(String),
    #[error("the tensor {name} is of the type {found}, which is none of f16, bf16 and f32")]
    Type { name: String, found: String },
    #[error("the tensor {name} has {found} values, and should have one for each output channel")]
    Worths { name: String, found: usize },
    #[error("the tensor {0} holds values that are no numbers: the training it came from had diverged")]
    NotFinite(String),
    #[error("the tensor {0} holds values beyond half precision's range (65504): only --dtype f32 can keep them")]
    BeyondHalf(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}
