//! HSNet, the hypercorrelation squeeze network (Min, Kang and Cho, "Hypercorrelation Squeeze for Few-Shot
//! Segmentation", ICCV 2021).
//!
//! The features of query and support are correlated, every position with every position, layer by layer, into one
//! four-dimensional volume a level. Center-pivot 4D convolutions squeeze the support's two dimensions out of them,
//! coarse levels are mixed into finer ones, and what remains is a plane over the query that two small convolutions
//! decode into logits.

mod learner;
mod task;

use burn::Tensor;
use burn::module::Module;
use burn::tensor::Device;

use crate::backbone::{Backbone, BackboneKind, Pyramid};
use crate::ops;

pub use learner::Learner;
pub use task::{Segmenter, Task, TaskError, soft_masks};

/// A backbone and the learner over its correlations.
#[derive(Module, Debug)]
pub struct Hsnet {
    pub backbone: Backbone,
    pub learner: Learner,
    #[module(skip)]
    kind: BackboneKind,
}

impl Hsnet {
    /// Untrained, with PyTorch's default initialisation, which HSNet uses as it is.
    pub fn init(kind: BackboneKind, device: &Device) -> Self {
        let layers = kind.widths().map(|widths| widths.len());
        Self { backbone: Backbone::init(kind, device), learner: Learner::init(layers, device), kind }
    }

    pub fn kind(&self) -> BackboneKind {
        self.kind
    }

    /// The features of pictures `(batch, 3, h, w)`, normalised.
    pub fn features(&self, pictures: Tensor<4>) -> Pyramid {
        self.backbone.features(pictures)
    }

    /// The hypercorrelations `(batch, layers, query h, query w, support h, support w)` of levels 2, 3 and 4.
    pub fn correlate(&self, query: &Pyramid, support: &Pyramid) -> [Tensor<6>; 3] {
        let widths = self.kind.widths();
        [0, 1, 2].map(|level| {
            let (query, support) = (query.levels[level].clone(), support.levels[level].clone());
            ops::correlation(query, support, &widths[level])
        })
    }

    /// Logits `(batch, 2, 2 h, 2 w)` of a query from one support, `h` and `w` being those of the query's level 2;
    /// channel 0 is the background, channel 1 the object. The support's features are masked already.
    pub fn logits(&self, query: &Pyramid, support: &Pyramid) -> Tensor<4> {
        self.learner.forward(self.correlate(query, support))
    }

    /// What a query needs of supports `(batch, 3, h, w)`, normalised: their features, masked by `masks`, softened to
    /// `(batch, 1, h, w)` of levels 2, 3, 4, or by none for the network without support masking (table 1, dagger).
    pub fn support(&self, pictures: Tensor<4>, masks: Option<[Tensor<4>; 3]>) -> Pyramid {
        let features = self.features(pictures);
        match masks {
            Some(masks) => features.masked(masks),
            None => features,
        }
    }

    /// From pictures to logits, as in training: queries `(batch, 3, h, w)`, normalised, and [supports](Self::support).
    pub fn forward(&self, query: Tensor<4>, support: Tensor<4>, masks: Option<[Tensor<4>; 3]>) -> Tensor<4> {
        self.logits(&self.features(query), &self.support(support, masks))
    }
}
