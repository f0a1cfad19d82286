//! ResNet-50 and ResNet-101, as torchvision lays them out: the stride sits in the middle convolution of a block.

use burn::Tensor;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Device;
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

use super::{Pyramid, Taps, conv, convolve};
use crate::ops::Activation::{Linear, Relu};

#[derive(Module, Debug)]
pub struct Resnet {
    stem: Conv2d,
    layers: Vec<Vec<Bottleneck>>,
}

#[derive(Module, Debug)]
struct Bottleneck {
    reduce: Conv2d,
    spatial: Conv2d,
    expand: Conv2d,
    shortcut: Option<Conv2d>,
}

impl Resnet {
    /// `blocks` in each of the four layers.
    pub(super) fn init(blocks: [usize; 4], device: &Device) -> Self {
        let mut input = 64;
        let layers = blocks.into_iter().enumerate().map(|(layer, count)| {
            let width = 64 << layer;
            let blocks = (0..count).map(|block| {
                let stride = if layer > 0 && block == 0 { 2 } else { 1 };
                let from = std::mem::replace(&mut input, 4 * width);
                Bottleneck::init(from, width, stride, device)
            });
            blocks.collect()
        });
        Self { stem: conv([3, 64], 7, 2, 1, device), layers: layers.collect() }
    }

    /// The blocks of the second, third and fourth layer, each before its last ReLU.
    pub(super) fn features(&self, pictures: Tensor<4>, mut taps: Taps) -> Pyramid {
        let x = convolve(&self.stem, pictures, Relu);
        let mut x = max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]));
        for (layer, blocks) in self.layers.iter().enumerate() {
            for block in blocks {
                let sum = block.forward(x);
                if layer > 0 {
                    taps.push(sum.clone());
                }
                x = relu(sum);
            }
        }
        taps.pyramid()
    }
}

impl Bottleneck {
    fn init(input: usize, width: usize, stride: usize, device: &Device) -> Self {
        let output = 4 * width;
        let changes = stride != 1 || input != output;
        Self {
            reduce: conv([input, width], 1, 1, 1, device),
            spatial: conv([width, width], 3, stride, 1, device),
            expand: conv([width, output], 1, 1, 1, device),
            shortcut: changes.then(|| conv([input, output], 1, stride, 1, device)),
        }
    }

    /// The residual sum, before the ReLU.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shortcut = match &self.shortcut {
            Some(conv) => convolve(conv, x.clone(), Linear),
            None => x.clone(),
        };
        let x = convolve(&self.reduce, x, Relu);
        let x = convolve(&self.spatial, x, Relu);
        convolve(&self.expand, x, Linear) + shortcut
    }
}
