//! Features and weights in half precision, which only our shaders read.

use burn::Tensor;
use burn::backend::Dispatch;
use burn::tensor::{DType, Device};

use super::kernels::HalvesKernel;
use super::spares_memory;

/// How a device keeps features and weights.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub enum Keep {
    /// In single precision.
    Single,
    /// In half precision, two values to a word, out of which nothing but our shaders reads them.
    Half,
}

impl Keep {
    pub const ALL: [Self; 2] = [Self::Single, Self::Half];

    /// The least that a device can do with.
    pub fn least(device: &Device) -> Self {
        match spares_memory(device) {
            true => Self::Half,
            false => Self::Single,
        }
    }

    pub fn dtype(self) -> DType {
        match self {
            Self::Single => DType::F32,
            Self::Half => DType::F16,
        }
    }
}

/// Layers of features in half precision, put one after another, as [`super::correlation`] takes them.
pub struct HalfLevel {
    features: Tensor<4>,
    /// The values of a sample that are there.
    filled: usize,
}

impl HalfLevel {
    /// Room for `(batch, channels, h, w)`, on a device that reads halves ([`spares_memory`]).
    pub fn empty(dims: [usize; 4], device: &Device) -> Self {
        // A pyramid is held, and made again at the same size: it has room of its own, apart from what comes and goes.
        let features = device.memory_persistent_allocations(device.clone(), |device| {
            Tensor::<4>::empty(dims, (&device, Keep::Half.dtype()))
        });
        Self { features, filled: 0 }
    }

    /// Puts a layer, in single precision, behind those that are there.
    ///
    /// # Panics
    /// If it has an odd number of values a sample, or there is no room for it: a mistake in the calling code.
    pub fn put(&mut self, layer: Tensor<4>) {
        let size = |tensor: &Tensor<4>| tensor.dims()[1..].iter().product::<usize>();
        let start = self.filled;
        self.filled += size(&layer);
        assert!(self.filled.is_multiple_of(2), "two values share a word");
        assert!(self.filled <= size(&self.features), "there must be room for the layer");
        let (features, layer) = (self.features.clone().into_dispatch(), layer.into_dispatch());
        self.features = Tensor::from_dispatch(Dispatch::put_halves(features, layer, start));
    }

    pub fn features(self) -> Tensor<4> {
        self.features
    }
}
