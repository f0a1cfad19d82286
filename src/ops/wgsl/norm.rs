//! Group normalisation and ReLU, as two shaders.

use burn::backend::tensor::FloatTensor;
use burn_cubecl::cubecl::prelude::*;
use burn_wgpu::{CubeBackend, KernelSource, SourceTemplate, into_contiguous};

use super::{dims, empty_like, launch};
use crate::ops::VARIANCE_EPSILON;
use crate::ops::kernels::NormKernel;

/// Values of a group that one workgroup adds up, at least.
const PIECE: usize = 4096;
/// Pieces of a group at most: each thread of the second pass goes through all of them.
const MOST_PIECES: usize = 64;
/// Positions that a workgroup of the second pass works through.
const PORTION: usize = 1024;

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(super) enum Norm {
    Moments,
    Relu,
}

impl Norm {
    pub const ALL: [Self; 2] = [Self::Moments, Self::Relu];

    pub fn name(self) -> &'static str {
        match self {
            Self::Moments => "group_norm_moments",
            Self::Relu => "group_norm_relu",
        }
    }
}

impl KernelSource for Norm {
    fn source(&self) -> SourceTemplate {
        match self {
            Self::Moments => SourceTemplate::new(include_str!("../../../shaders/group_norm_moments.wgsl")),
            Self::Relu => SourceTemplate::new(include_str!("../../../shaders/group_norm_relu.wgsl"))
                .register("epsilon", VARIANCE_EPSILON.to_string())
                .register("portion", PORTION.to_string()),
        }
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(*self)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

impl NormKernel for CubeBackend {
    fn group_norm_relu(
        volume: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        groups: usize,
    ) -> FloatTensor<Self> {
        let [volume, gamma, beta] = [volume, gamma, beta].map(into_contiguous);
        let shape: [usize; 6] = dims(&volume);
        let ([batch, channels], positions) = ([shape[0], shape[1]], shape[2..].iter().product::<usize>());
        let members = channels / groups;
        let size = members * positions;
        let piece = size.div_ceil(MOST_PIECES).max(PIECE);
        let pieces = size.div_ceil(piece);
        let moments = empty_like(&volume, [batch, groups, pieces, 2]);
        launch(Norm::Moments, [pieces, groups, batch], &[&volume, &moments], &[size, groups, piece, pieces]);

        let output = empty_like(&volume, shape);
        let count = [positions.div_ceil(PORTION), channels, batch];
        let info = [positions, channels, members, piece, pieces];
        launch(Norm::Relu, count, &[&volume, &moments, &gamma, &beta, &output], &info);
        output
    }
}
