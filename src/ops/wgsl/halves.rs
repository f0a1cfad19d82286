//! Half precision: how the shaders read it and how it is written.

use burn::backend::tensor::FloatTensor;
use burn::tensor::DType;
use burn_cubecl::cubecl::prelude::*;
use burn_wgpu::{CubeBackend, CubeTensor, KernelSource, SourceTemplate, into_contiguous};

use super::{THREADS, launch, spread};
use crate::ops::Keep;
use crate::ops::kernels::HalvesKernel;

impl Keep {
    pub(super) fn of(tensor: &CubeTensor) -> Self {
        match tensor.dtype {
            DType::F16 => Self::Half,
            _ => Self::Single,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Single => "single precision",
            Self::Half => "half precision",
        }
    }

    /// Tells a shader of a buffer: `NAME_element` is what it is an array of, `NAME_value` the value at the place `at`. Halves
    /// are read out of words, which WGSL can whether or not an adapter calculates in half precision. (Of Vulkan's drivers
    /// an old lavapipe may lack even that.)
    pub(super) fn register(self, source: SourceTemplate, name: &str) -> SourceTemplate {
        let (element, value) = match self {
            Self::Single => ("f32", format!("{name}[at]")),
            Self::Half => ("u32", format!("unpack2x16float({name}[at / 2u] >> (at % 2u * 16u)).x")),
        };
        source.register(format!("{name}_element"), element).register(format!("{name}_value"), value)
    }
}

pub(super) struct PutHalves;

impl KernelSource for PutHalves {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../../shaders/put_halves.wgsl")).register("threads", THREADS.to_string())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>()
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

impl HalvesKernel for CubeBackend {
    fn put_halves(output: FloatTensor<Self>, values: FloatTensor<Self>, start: usize) -> FloatTensor<Self> {
        let values = into_contiguous(values);
        let batch = values.meta.shape()[0];
        let words = |tensor: &CubeTensor| tensor.meta.shape().num_elements() / batch / 2;
        let (own, all) = (words(&values), words(&output));
        let [across, down] = spread(own.div_ceil(THREADS as usize));
        launch(PutHalves, [across, down, batch], &[&values, &output], &[own, all, start / 2]);
        output
    }
}
