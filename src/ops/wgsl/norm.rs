//! Group normalisation and ReLU, as two shaders.

use burn::backend::tensor::FloatTensor;
use burn_cubecl::cubecl::prelude::*;
use burn_wgpu::{CubeBackend, KernelSource, SourceTemplate, into_contiguous};

use super::{dims, empty_like, launch};
use crate::ops::VARIANCE_EPSILON;
use crate::ops::kernels::NormKernel;

/// Values that a workgroup works through.
const PIECE: usize = 8192;

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
        let own = match self {
            Self::Moments => include_str!("../../../shaders/group_norm_moments.wgsl"),
            Self::Relu => include_str!("../../../shaders/group_norm_relu.wgsl"),
        };
        SourceTemplate::new(include_str!("../../../shaders/group_norm.wgsl"))
            .add_template(own)
            .register("piece", PIECE.to_string())
            .register("epsilon", VARIANCE_EPSILON.to_string())
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
        let pieces = (members * positions).div_ceil(PIECE);
        let moments = empty_like(&volume, [batch, groups, pieces, 2]);
        let info = [members * positions, pieces];
        launch(Norm::Moments, [pieces, batch * groups, 1], &[&volume, &moments], &info);

        let output = empty_like(&volume, shape);
        let count = [positions.div_ceil(PIECE), batch * channels, 1];
        let info = [positions, channels, members, pieces];
        launch(Norm::Relu, count, &[&volume, &moments, &gamma, &beta, &output], &info);
        output
    }
}
