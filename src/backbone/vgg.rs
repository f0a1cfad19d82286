//! VGG16 without batch norm (configuration D), as torchvision lays it out.

use burn::Tensor;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Device;
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

use super::{Pyramid, Taps, conv, convolve};
use crate::ops::Activation::Linear;

/// Convolutions and their width in each of the five stages; every stage ends in a pooling.
const STAGES: [(usize, usize); 5] = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)];

#[derive(Module, Debug)]
pub struct Vgg16 {
    convs: Vec<Conv2d>,
}

impl Vgg16 {
    pub(super) fn init(device: &Device) -> Self {
        let widths = STAGES.iter().flat_map(|&(count, width)| std::iter::repeat_n(width, count));
        let convs = widths.scan(3, |input, width| {
            let channels = [std::mem::replace(input, width), width];
            Some(conv(channels, 3, 1, 1, device))
        });
        Self { convs: convs.collect() }
    }

    /// Level 2 is the convolutions of the fourth stage and level 3 those of the fifth, before their ReLU; level 4 is
    /// the last pooling.
    pub(super) fn features(&self, pictures: Tensor<4>, mut taps: Taps) -> Pyramid {
        let mut x = pictures;
        let mut convs = self.convs.iter();
        for (stage, (count, _)) in STAGES.into_iter().enumerate() {
            for conv in convs.by_ref().take(count) {
                x = convolve(conv, x, Linear);
                if stage >= 3 {
                    taps.push(x.clone());
                }
                x = relu(x);
            }
            x = max_pool2d(x, MaxPoolOptions::new([2, 2]).with_stride([2, 2]));
        }
        taps.push(x);
        taps.pyramid()
    }
}
