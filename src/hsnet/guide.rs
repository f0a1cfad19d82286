//! A guide for the decoder, beyond the paper.
//!
//! HSNet's decoder sees only the squeezed correlation with the object: not what of the support was background, and not
//! the query itself. The guide tells it, at every place of the query, how much that place is like the nearest feature
//! and like the mean feature of the object and of the background, layer by layer, and what the place looks like, in a
//! few channels.

use burn::Tensor;
use burn::module::{Initializer, Module};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::Device;

use super::kernel::{conv, convolve};
use super::learner::SQUEEZED;
use crate::backbone::{BackboneKind, Pyramid};
use crate::ops::Activation::{Linear, Relu};
use crate::ops::{self, EPSILON, resize_pictures};

/// Channels that describe the look of a place, at each level.
const LOOK: usize = 16;
/// Channels between the guide's two convolutions.
const HIDDEN: usize = 64;
/// Maps of each layer: the nearest and the mean feature, of the object and of the background.
const MAPS: usize = 4;

#[derive(Module, Debug)]
pub struct Guide {
    looks: Vec<Conv2d>,
    gather: Conv2d,
    spread: Conv2d,
}

impl Guide {
    /// Untrained: it changes nothing yet, so that a trained network may be given one.
    pub fn init(kind: BackboneKind, device: &Device) -> Self {
        let widths = kind.widths();
        let layers: usize = widths.iter().map(Vec::len).sum();
        let look = |widths: &Vec<usize>| Conv2dConfig::new([widths.iter().sum(), LOOK], [1, 1]).init(device);
        let mut spread = conv([HIDDEN, SQUEEZED], 3, device);
        spread.weight = Initializer::Zeros.init(spread.weight.dims(), device);
        spread.bias = Some(Initializer::Zeros.init([SQUEEZED], device));
        Self {
            looks: widths.iter().map(look).collect(),
            gather: conv([MAPS * layers + LOOK * widths.len(), HIDDEN], 3, device),
            spread,
        }
    }

    /// What to add to the encoded query, `(batch, 128, h, w)` of its level 2; `sides` are the supports' features of the
    /// object and of the background.
    pub fn forward(&self, query: &Pyramid, sides: &[Pyramid; 2], kind: BackboneKind) -> Tensor<4> {
        let [_, _, height, width] = query.levels[0].dims();
        let mut maps = Vec::new();
        for (level, widths) in kind.widths().iter().enumerate() {
            let features = &query.levels[level];
            let side = |side: &Pyramid| likeness(features, &side.levels[level], widths);
            let look = convolve(&self.looks[level], unit(features.clone()), Linear);
            let [object, background] = sides;
            let level = Tensor::cat(vec![side(object), side(background), look], 1);
            maps.push(resize_pictures(level, [height, width]));
        }
        let hidden = convolve(&self.gather, Tensor::cat(maps, 1), Relu);
        convolve(&self.spread, hidden, Linear)
    }
}

/// How much each place of the query is like the support's nearest feature and like its mean one:
/// `(batch, 2 layers, h, w)`.
fn likeness(query: &Tensor<4>, support: &Tensor<4>, widths: &[usize]) -> Tensor<4> {
    let nearest = ops::correlation(query.clone(), support.clone(), widths).flatten::<5>(4, 5).max_dim(4);
    // The sum has the direction of the mean.
    let [batch, channels, ..] = support.dims();
    let sum = support.clone().flatten::<3>(2, 3).sum_dim(2).reshape([batch, channels, 1, 1]);
    let mean = ops::correlation(query.clone(), sum, widths).flatten::<5>(4, 5);
    Tensor::cat(vec![nearest, mean], 1).squeeze_dim(4)
}

/// Every place's features brought to a common size: their squares are 1 on average.
fn unit(features: Tensor<4>) -> Tensor<4> {
    let mean_square = (features.clone() * features.clone()).mean_dim(1);
    features / (mean_square.sqrt() + EPSILON)
}
