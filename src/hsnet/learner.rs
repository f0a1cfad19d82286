//! The learner: squeeze, mix, decode (HSNet, sections 4.2 and 4.3, figure 3).

use burn::Tensor;
use burn::module::{Initializer, Module, Param};
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::Device;
use burn::tensor::activation::relu;

use crate::ops::{self, CenterPivotWeights, resize_dims, resize_pictures};

/// Groups of every group normalisation (the published implementation's value).
const GROUPS: usize = 4;
/// Channels of a squeezed volume.
pub(super) const SQUEEZED: usize = 128;

#[derive(Module, Debug)]
pub struct Learner {
    squeeze2: Block,
    squeeze3: Block,
    squeeze4: Block,
    mix4to3: Block,
    mix3to2: Block,
    decoder: Decoder,
}

impl Learner {
    /// Untrained, for correlations of `layers` layers at levels 2, 3 and 4.
    pub fn init(layers: [usize; 3], device: &Device) -> Self {
        let squeeze = |layers, kernels: [usize; 3], strides: [usize; 3]| {
            let widths = [16, 64, SQUEEZED];
            Block::init(layers, [0, 1, 2].map(|i| (widths[i], kernels[i], strides[i])), device)
        };
        let mix = || Block::init(SQUEEZED, [(SQUEEZED, 3, 1); 3], device);
        Self {
            squeeze2: squeeze(layers[0], [5, 5, 3], [4, 4, 2]),
            squeeze3: squeeze(layers[1], [5, 3, 3], [4, 2, 2]),
            squeeze4: squeeze(layers[2], [3, 3, 3], [2, 2, 2]),
            mix4to3: mix(),
            mix3to2: mix(),
            decoder: Decoder::init(device),
        }
    }

    /// From the hypercorrelations `(batch, layers, query h, query w, support h, support w)` of levels 2, 3, 4 to the
    /// encoded query `(batch, 128, h, w)`, `h` and `w` being level 2's query dimensions.
    pub fn encode(&self, levels: [Tensor<6>; 3]) -> Tensor<4> {
        self.mix(self.squeeze(levels))
    }

    /// From the squeezed volumes of levels 2, 3, 4 to the encoded query: top down, each level mixed into the next finer
    /// one, then the mean over the support plane.
    pub fn mix(&self, [squeezed2, squeezed3, squeezed4]: [Tensor<6>; 3]) -> Tensor<4> {
        let mixed3 = self.mix4to3.forward(resized_like(squeezed4, &squeezed3) + squeezed3);
        let mixed2 = self.mix3to2.forward(resized_like(mixed3, &squeezed2) + squeezed2);
        mixed2.flatten::<5>(4, 5).mean_dim(4).squeeze_dim(4)
    }

    /// From the encoded query to logits `(batch, 2, 2 h, 2 w)`.
    pub fn decode(&self, encoded: Tensor<4>) -> Tensor<4> {
        self.decoder.forward(encoded)
    }

    /// The three volumes after their squeezing blocks, `(batch, 128, query h, query w, support h', support w')`.
    pub fn squeeze(&self, [level2, level3, level4]: [Tensor<6>; 3]) -> [Tensor<6>; 3] {
        [self.squeeze2.forward(level2), self.squeeze3.forward(level3), self.squeeze4.forward(level4)]
    }
}

/// Resizes a coarser volume to a finer one's query plane. The support planes are the same size already, but for VGG16,
/// whose poolings round down, at some inputs; there the coarser one is resized too.
fn resized_like(coarse: Tensor<6>, fine: &Tensor<6>) -> Tensor<6> {
    let [_, _, query_h, query_w, support_h, support_w] = fine.dims();
    resize_dims(resize_dims(coarse, 2, [query_h, query_w]), 4, [support_h, support_w])
}

/// Center-pivot convolutions, each followed by group normalisation and ReLU.
#[derive(Module, Debug)]
struct Block {
    layers: Vec<Layer>,
}

#[derive(Module, Debug)]
struct Layer {
    query: Conv2d,
    support: Conv2d,
    norm: Affine,
    stride: usize,
}

impl Block {
    /// `layers` are width, kernel, and stride over the support plane.
    fn init<const N: usize>(mut input: usize, layers: [(usize, usize, usize); N], device: &Device) -> Self {
        let layers = layers.map(|(width, kernel, stride)| {
            let channels = [std::mem::replace(&mut input, width), width];
            Layer {
                query: conv(channels, kernel, device),
                support: conv(channels, kernel, device),
                norm: Affine::init(width, device),
                stride,
            }
        });
        Self { layers: layers.into() }
    }

    fn forward(&self, volume: Tensor<6>) -> Tensor<6> {
        self.layers.iter().fold(volume, |volume, layer| layer.forward(volume))
    }
}

impl Layer {
    fn forward(&self, volume: Tensor<6>) -> Tensor<6> {
        let bias = |conv: &Conv2d| conv.bias.as_ref().map_or_else(|| unreachable!("made with a bias"), |b| b.val());
        let weights = CenterPivotWeights {
            query: self.query.weight.val(),
            query_bias: bias(&self.query),
            support: self.support.weight.val(),
            support_bias: bias(&self.support),
        };
        let volume = ops::center_pivot(volume, weights, self.stride);
        relu(ops::group_norm(volume, GROUPS, self.norm.gamma.val(), self.norm.beta.val()))
    }
}

/// The affine map behind a group normalisation.
#[derive(Module, Debug)]
struct Affine {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
}

impl Affine {
    fn init(channels: usize, device: &Device) -> Self {
        Self { gamma: Initializer::Ones.init([channels], device), beta: Initializer::Zeros.init([channels], device) }
    }
}

/// Two convolutions at level 2's resolution, two at twice that.
#[derive(Module, Debug)]
struct Decoder {
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
    conv4: Conv2d,
}

impl Decoder {
    fn init(device: &Device) -> Self {
        Self {
            conv1: conv([SQUEEZED, 128], 3, device),
            conv2: conv([128, 64], 3, device),
            conv3: conv([64, 64], 3, device),
            conv4: conv([64, 2], 3, device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = relu(self.conv1.forward(x));
        let x = relu(self.conv2.forward(x));
        let [_, _, height, width] = x.dims();
        let x = resize_pictures(x, [2 * height, 2 * width]);
        let x = relu(self.conv3.forward(x));
        self.conv4.forward(x)
    }
}

/// A convolution with a bias, padded by half its kernel.
pub(super) fn conv(channels: [usize; 2], kernel: usize, device: &Device) -> Conv2d {
    let half = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_padding(PaddingConfig2d::Explicit(half, half, half, half))
        .init(device)
}
