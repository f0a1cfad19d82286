//! The learner: squeeze, mix, decode (HSNet, sections 4.2 and 4.3, figure 3).

use burn::Tensor;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Device;

use super::kernel::{Form, Kernel, Layer, conv, convolve};
use crate::ops::Activation::{Linear, Relu};
use crate::ops::{resize_dims, resize_pictures};

/// Channels of a squeezed volume.
pub(super) const SQUEEZED: usize = 128;
/// The layers of either mixing block.
pub(super) const MIXING: [Form; 3] = [Form { input: SQUEEZED, output: SQUEEZED, kernel: 3, stride: 1 }; 3];
/// The decoder's convolutions, as input and output channels.
pub const DECODING: [[usize; 2]; 4] = [[SQUEEZED, 128], [128, 64], [64, 64], [64, 2]];
/// By how much the planes of each of them are finer than level 2, down and across.
pub const DECODED: [usize; 4] = [1, 1, 2, 2];

/// The layers of the squeezing blocks over `layers` layers of correlation at levels 2, 3 and 4.
pub(super) fn squeezing(layers: [usize; 3]) -> [[Form; 3]; 3] {
    let form = |input, output, kernel, stride| Form { input, output, kernel, stride };
    [
        [form(layers[0], 16, 5, 4), form(16, 64, 5, 4), form(64, SQUEEZED, 3, 2)],
        [form(layers[1], 16, 5, 4), form(16, 64, 3, 2), form(64, SQUEEZED, 3, 2)],
        [form(layers[2], 16, 3, 2), form(16, 64, 3, 2), form(64, SQUEEZED, 3, 2)],
    ]
}

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
    pub fn init(layers: [usize; 3], kernel: Kernel, device: &Device) -> Self {
        let [squeeze2, squeeze3, squeeze4] = squeezing(layers).map(|forms| Block::init(kernel, forms, device));
        Self {
            squeeze2,
            squeeze3,
            squeeze4,
            mix4to3: Block::init(kernel, MIXING, device),
            mix3to2: Block::init(kernel, MIXING, device),
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

    /// The block that squeezes a level, levels counted from 0.
    pub(super) fn squeezing_block(&self, level: usize) -> &Block {
        [&self.squeeze2, &self.squeeze3, &self.squeeze4][level]
    }
}

/// Resizes a coarser volume to a finer one's query plane. The support planes are the same size already, but for VGG16,
/// whose poolings round down, at some inputs; there the coarser one is resized too.
fn resized_like(coarse: Tensor<6>, fine: &Tensor<6>) -> Tensor<6> {
    let [_, _, query_h, query_w, support_h, support_w] = fine.dims();
    resize_dims(resize_dims(coarse, 2, [query_h, query_w]), 4, [support_h, support_w])
}

/// 4D convolutions, each followed by group normalisation and ReLU.
#[derive(Module, Debug)]
pub(super) struct Block {
    layers: Vec<Layer>,
}

impl Block {
    fn init(kernel: Kernel, forms: [Form; 3], device: &Device) -> Self {
        Self { layers: forms.map(|form| Layer::init(kernel, form, device)).into() }
    }

    pub fn forward(&self, volume: Tensor<6>) -> Tensor<6> {
        self.finish(self.first().convolve(volume))
    }

    pub fn first(&self) -> &Layer {
        &self.layers[0]
    }

    /// All that follows the first layer's convolution.
    pub fn finish(&self, convolved: Tensor<6>) -> Tensor<6> {
        let normalised = self.first().normalise(convolved);
        self.layers[1..].iter().fold(normalised, |volume, layer| layer.forward(volume))
    }
}

/// The plane that is left, decoded into logits.
#[derive(Module, Debug)]
struct Decoder {
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
    conv4: Conv2d,
}

impl Decoder {
    fn init(device: &Device) -> Self {
        let [conv1, conv2, conv3, conv4] = DECODING.map(|channels| conv(channels, 3, device));
        Self { conv1, conv2, conv3, conv4 }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = convolve(&self.conv1, x, Relu);
        let x = convolve(&self.conv2, x, Relu);
        let [_, _, height, width] = x.dims();
        let x = resize_pictures(x, [2 * height, 2 * width]);
        let x = convolve(&self.conv3, x, Relu);
        convolve(&self.conv4, x, Linear)
    }
}
