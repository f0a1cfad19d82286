//! Random tensors, their values, and gradients by finite differences.

use std::cell::RefCell;

use burn::Tensor;
use burn::tensor::{Device, Distribution, TensorData};
use rand_of_burn::SeedableRng;
use rand_of_burn::rngs::StdRng;

thread_local! {
    /// A test has a thread of its own, and so draws alike in every run: a failure can be looked at again.
    static DRAWS: RefCell<StdRng> = RefCell::new(StdRng::seed_from_u64(0));
}

/// Normally distributed values, the same in every run.
pub fn random<const D: usize>(dims: [usize; D], device: &Device) -> Tensor<D> {
    let distribution = Distribution::Normal(0.0, 1.0);
    let data = DRAWS.with_borrow_mut(|draws| TensorData::random::<f32, _, _>(dims, distribution, draws));
    Tensor::from_data(data, device)
}

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

pub fn on<const D: usize>(tensor: &Tensor<D>, device: &Device) -> Tensor<D> {
    Tensor::from_data(tensor.to_data(), device)
}

/// What the sum of `output` times fixed weights is: a loss whose gradient reaches everything.
pub fn weighted(output: &[f32]) -> f64 {
    output.iter().zip(directions()).map(|(&value, weight)| f64::from(value) * f64::from(weight)).sum()
}

fn directions() -> impl Iterator<Item = f32> {
    (0..).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0)
}

/// The same of a tensor, to be differentiated.
pub fn weighted_sum<const D: usize>(output: Tensor<D>) -> Tensor<1> {
    let weights: Vec<f32> = directions().take(output.dims().iter().product()).collect();
    let weights = Tensor::<1>::from_floats(weights.as_slice(), &output.device()).reshape(output.dims());
    (output * weights).sum()
}

/// The gradient of `loss` at `start` by central differences.
pub fn differences<const D: usize>(start: &Tensor<D>, loss: impl Fn(Tensor<D>) -> f64) -> Vec<f32> {
    const STEP: f32 = 1e-2;
    let numbers = values(start.clone());
    let moved = |index: usize, by: f32| {
        let mut numbers = numbers.clone();
        numbers[index] += by;
        loss(Tensor::<1>::from_floats(numbers.as_slice(), &start.device()).reshape(start.dims()))
    };
    (0..numbers.len()).map(|i| ((moved(i, STEP) - moved(i, -STEP)) / f64::from(2.0 * STEP)) as f32).collect()
}
