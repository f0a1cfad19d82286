//! MobileNetV2 1.0 (Sandler et al., table 2), padded symmetrically.

use burn::Tensor;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Device;

use super::{Pyramid, Taps, conv, convolve};
use crate::ops::Activation::{Linear, Relu6};

/// Expansion, width, blocks and stride of each stage.
const STAGES: [(usize, usize, usize, usize); 7] =
    [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

/// The first block that is tapped: the stage of width 32 is the first at stride 8.
const FIRST_TAP: usize = 3;

#[derive(Module, Debug)]
pub struct MobilenetV2 {
    stem: Conv2d,
    blocks: Vec<InvertedResidual>,
}

#[derive(Module, Debug)]
struct InvertedResidual {
    expand: Option<Conv2d>,
    depthwise: Conv2d,
    project: Conv2d,
    residual: bool,
}

impl MobilenetV2 {
    pub(super) fn init(device: &Device) -> Self {
        let mut input = 32;
        let blocks = STAGES.into_iter().flat_map(|(expansion, width, count, stride)| {
            (0..count).map(move |block| (expansion, width, if block == 0 { stride } else { 1 }))
        });
        let blocks = blocks.map(|(expansion, width, stride)| {
            let from = std::mem::replace(&mut input, width);
            InvertedResidual::init([from, width], expansion, stride, device)
        });
        Self { stem: conv([3, 32], 3, 2, 1, device), blocks: blocks.collect() }
    }

    /// The blocks' outputs, which are linear: no activation follows them.
    pub(super) fn features(&self, pictures: Tensor<4>, mut taps: Taps) -> Pyramid {
        let mut x = convolve(&self.stem, pictures, Relu6);
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(x);
            if index >= FIRST_TAP {
                taps.push(x.clone());
            }
        }
        taps.pyramid()
    }
}

impl InvertedResidual {
    fn init([input, output]: [usize; 2], expansion: usize, stride: usize, device: &Device) -> Self {
        let width = input * expansion;
        Self {
            expand: (expansion > 1).then(|| conv([input, width], 1, 1, 1, device)),
            depthwise: conv([width, width], 3, stride, width, device),
            project: conv([width, output], 1, 1, 1, device),
            residual: stride == 1 && input == output,
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let expanded = match &self.expand {
            Some(conv) => convolve(conv, x.clone(), Relu6),
            None => x.clone(),
        };
        let y = convolve(&self.project, convolve(&self.depthwise, expanded, Relu6), Linear);
        if self.residual { x + y } else { y }
    }
}
