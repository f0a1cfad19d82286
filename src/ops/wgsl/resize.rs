//! Bilinear resizing, as a shader.

use burn::backend::tensor::FloatTensor;
use burn_cubecl::cubecl::prelude::*;
use burn_wgpu::{CubeBackend, KernelSource, SourceTemplate, into_contiguous};

use super::{THREADS, dims, empty_like, launch, spread};
use crate::ops::kernels::ResizeKernel;

pub(super) struct Resize;

impl KernelSource for Resize {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../../shaders/resize.wgsl"))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>()
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

impl ResizeKernel for CubeBackend {
    fn resize(planes: FloatTensor<Self>, height: usize, width: usize) -> FloatTensor<Self> {
        let planes = into_contiguous(planes);
        let [outer, h, w, inner] = dims(&planes);
        let output = empty_like(&planes, [outer, height, width, inner]);
        let results = outer * height * width * inner;
        let [across, down] = spread(results.div_ceil(THREADS as usize));
        launch(Resize, [across, down, 1], &[&planes, &output], &[h, w, height, width, inner, results]);
        output
    }
}
