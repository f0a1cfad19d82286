//! HSNet, the hypercorrelation squeeze network (Min, Kang and Cho, "Hypercorrelation Squeeze for Few-Shot
//! Segmentation", ICCV 2021).
//!
//! The features of query and support are correlated, every position with every position, layer by layer, into one
//! four-dimensional volume a level. Center-pivot 4D convolutions squeeze the support's two dimensions out of them,
//! coarse levels are mixed into finer ones, and what remains is a plane over the query that two small convolutions
//! decode into logits.

mod bands;
mod cost;
mod design;
#[cfg(feature = "native")]
mod frozen;
mod guide;
mod input;
mod kernel;
mod learner;
mod plan;
mod stages;
mod support;
mod task;

use std::ops::Range;

use burn::Tensor;
use burn::module::Module;
use burn::tensor::Device;

use crate::backbone::{Backbone, BackboneKind, Pyramid, Taps};
use crate::ops::{self, Keep};

use bands::{Band, bands};
use guide::Guide;
use kernel::CenterPivot;
use stages::Untimed;

pub use cost::Cost;
pub use design::{Design, Masking};
pub use input::{Marked, Masks, pixels, whole};
pub use kernel::{Form, GROUPS, Kernel};
pub use learner::{DECODED, DECODING, Learner};
pub use plan::{Planned, plan};
pub use stages::{Stages, Timed};
pub use support::Support;
pub use task::{Segmenter, Task, TaskError};

/// The stages of levels 2, 3 and 4.
const LEVELS: [[&str; 2]; 3] =
    [["correlation 2", "squeeze 2"], ["correlation 3", "squeeze 3"], ["correlation 4", "squeeze 4"]];

/// A backbone and the learner over its correlations.
#[derive(Module, Debug)]
pub struct Hsnet {
    pub backbone: Backbone,
    pub learner: Learner,
    guide: Option<Guide>,
    #[module(skip)]
    kind: BackboneKind,
    #[module(skip)]
    design: Design,
    #[module(skip)]
    compact: bool,
}

impl Hsnet {
    /// Untrained, with PyTorch's default initialisation, which HSNet uses as it is.
    pub fn init(kind: BackboneKind, design: Design, device: &Device) -> Self {
        Self {
            backbone: Backbone::init(kind, device),
            learner: Learner::init(kind.layers(), design.kernel, device),
            guide: design.guided.then(|| Guide::init(kind, device)),
            kind,
            design,
            compact: false,
        }
    }

    /// The same network, to be used where memory is short: it keeps features in half precision wherever that can be.
    pub(crate) fn compact(self) -> Self {
        Self { compact: true, ..self }
    }

    /// How its features are kept on a device. A guide takes them in its own way, at full precision.
    fn keep(&self, device: &Device) -> Keep {
        match self.compact && !self.design.guided {
            true => Keep::least(device),
            false => Keep::Single,
        }
    }

    pub fn kind(&self) -> BackboneKind {
        self.kind
    }

    pub fn design(&self) -> Design {
        self.design
    }

    /// The same weights in another design: a guide that was not there starts untrained, and so does a learner of another
    /// kernel.
    pub fn redesign(self, design: Design, device: &Device) -> Self {
        let guide = design.guided.then(|| self.guide.unwrap_or_else(|| Guide::init(self.kind, device)));
        let learner = match design.kernel == self.design.kernel {
            true => self.learner,
            false => Learner::init(self.kind.layers(), design.kernel, device),
        };
        Self { guide, learner, design, ..self }
    }

    /// The features of pictures `(batch, 3, h, w)`, normalised, to be correlated.
    pub fn features(&self, pictures: Tensor<4>) -> Pyramid {
        let keep = self.keep(&pictures.device());
        self.features_kept(pictures, keep)
    }

    fn features_kept(&self, pictures: Tensor<4>, keep: Keep) -> Pyramid {
        let taps = || Taps::new(self.kind, keep);
        #[cfg(feature = "native")]
        if let Some(pyramid) = frozen::features(&self.backbone, &pictures, taps) {
            return pyramid;
        }
        self.backbone.features(pictures, taps())
    }

    /// The hypercorrelations `(batch, layers, query h, query w, support h, support w)` of levels 2, 3 and 4.
    pub fn correlate(&self, query: &Pyramid, support: &Pyramid) -> [Tensor<6>; 3] {
        [0, 1, 2].map(|level| self.correlate_level(level, query, support))
    }

    /// One of them, levels counted from 0.
    fn correlate_level(&self, level: usize, query: &Pyramid, support: &Pyramid) -> Tensor<6> {
        let (query, support) = (query.levels[level].clone(), support.levels[level].clone());
        ops::correlation(query, support, &self.kind.widths()[level])
    }

    /// The same with some rows of the support.
    fn correlate_rows(&self, level: usize, query: &Pyramid, support: &Pyramid, rows: Range<usize>) -> Tensor<6> {
        let (query, support) = (query.levels[level].clone(), support.levels[level].clone());
        ops::correlation_rows(query, support, rows, &self.kind.widths()[level])
    }

    /// Logits `(batch, 2, 2 h, 2 w)` of queries, each from its own support or all from a single one, `h` and `w` being
    /// those of the queries' level 2;
    /// channel 0 is the background, channel 1 the object.
    pub fn logits(&self, query: &Pyramid, support: &Support) -> Tensor<4> {
        let Ok(logits) = self.logits_in_stages(query, support, &mut Untimed);
        logits
    }

    /// [`Hsnet::logits`], its stages done by `stages`.
    ///
    /// # Errors
    /// If a stage cannot be done.
    pub fn logits_in_stages<S: Stages>(
        &self,
        query: &Pyramid,
        support: &Support,
        stages: &mut S,
    ) -> Result<Tensor<4>, S::Error> {
        // A level's hypercorrelation is large; it is squeezed before the next one is made.
        let mut squeezed = Vec::with_capacity(LEVELS.len());
        for level in 0..LEVELS.len() {
            squeezed.push(self.squeezed_level(level, query, &support.object, stages)?);
        }
        let squeezed = [0, 1, 2].map(|level| squeezed[level].clone());
        let mut encoded = stages.stage("mix", || self.learner.mix(squeezed))?;
        if let (Some(guide), Some(sides)) = (&self.guide, &support.sides) {
            encoded = stages.stage("guide", || encoded + guide.forward(query, sides, self.kind))?;
        }
        stages.stage("decode", || self.learner.decode(encoded))
    }

    /// One level correlated and squeezed, in bands where the hypercorrelation is large and the device has the kernels.
    fn squeezed_level<S: Stages>(
        &self,
        level: usize,
        query: &Pyramid,
        support: &Pyramid,
        stages: &mut S,
    ) -> Result<Tensor<6>, S::Error> {
        let [correlation, squeeze] = LEVELS[level];
        let block = self.learner.squeezing_block(level);
        let Some((layer, bands)) = self.banded(level, query, support) else {
            let volume = stages.stage(correlation, || self.correlate_level(level, query, support))?;
            return stages.stage(squeeze, || block.forward(volume));
        };
        let mut convolved = Vec::with_capacity(bands.len());
        for Band { correlated, squeezed } in bands {
            let volume = stages.stage(correlation, || self.correlate_rows(level, query, support, correlated))?;
            convolved.push(stages.stage(squeeze, || layer.convolve_rows(volume, squeezed))?);
        }
        stages.stage(squeeze, || block.finish(Tensor::cat(convolved, 4)))
    }

    /// The bands in which a level is squeezed, and by which layer at first; none if it is done in one.
    fn banded(&self, level: usize, query: &Pyramid, support: &Pyramid) -> Option<(&CenterPivot, Vec<Band>)> {
        let (query, support) = (&query.levels[level], &support.levels[level]);
        let layer = self.learner.squeezing_block(level).first().by_rows()?;
        let ([_, _, height, width], [_, _, rows, across]) = (query.dims(), support.dims());
        let row = [self.kind.layers()[level], height, width, across, size_of::<f32>()];
        let row_bytes = row.into_iter().map(|count| count as u64).product();
        let bands = bands(rows, row_bytes, layer.kernel_and_stride());
        (bands.len() > 1 && ops::spares_memory(&query.device())).then_some((layer, bands))
    }

    /// From pictures to logits, as in training: the query's `(batch, 3, h, w)`, normalised, beside the supports'.
    pub fn forward(&self, query: Tensor<4>, support: Marked) -> Tensor<4> {
        self.logits(&self.features(query), &self.support(support))
    }
}
