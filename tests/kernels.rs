//! The 4D kernels of HSNet's table 4: the full one against its definition, the two others as special cases of it, and
//! their gradients against finite differences.

mod common;

use burn::Tensor;
use burn::module::Module;
use burn::tensor::{Device, s};
use common::numeric::{differences, on, random, values, weighted, weighted_sum};
use common::{devices, distance};
use fewseg::backbone::BackboneKind;
use fewseg::hsnet::{Kernel, Learner};
use fewseg::ops::{self, CenterPivotWeights, SeparableWeights};

const TOLERANCE: f64 = 1e-5;

/// Volumes, output channels, kernel and stride.
const CASES: [([usize; 6], usize, usize, usize); 4] = [
    ([2, 3, 4, 3, 5, 4], 2, 3, 2),
    ([1, 2, 3, 5, 6, 7], 3, 5, 4),
    ([1, 4, 2, 2, 2, 2], 5, 3, 1),
    ([1, 1, 1, 4, 1, 3], 2, 3, 2),
];

/// The full convolution by its definition, in float64.
fn definition(volume: &Tensor<6>, weight: &Tensor<6>, bias: &Tensor<1>, stride: usize) -> Vec<f32> {
    let [batch, channels, qh, qw, sh, sw] = volume.dims();
    let [outputs, _, k, ..] = weight.dims();
    let (volume, weight, bias) = (values(volume.clone()), values(weight.clone()), values(bias.clone()));
    let flat =
        |place: [usize; 6], dims: [usize; 6]| place.iter().zip(dims).fold(0, |flat, (place, dim)| flat * dim + place);
    let inside = |position: usize, tap: usize, side: usize| (position + tap).checked_sub(k / 2).filter(|&at| at < side);
    let mut result = Vec::new();
    let planes = [qh, qw, sh.div_ceil(stride), sw.div_ceil(stride)];
    for [sample, output, positions] in grid([batch, outputs, planes.iter().product()]) {
        let [a, b, c, d] = unflatten(positions, planes);
        let mut sum = f64::from(bias[output]);
        for [channel, taps] in grid([channels, k.pow(4)]) {
            let [ta, tb, tc, td] = unflatten(taps, [k; 4]);
            let places = (inside(a, ta, qh), inside(b, tb, qw), inside(c * stride, tc, sh), inside(d * stride, td, sw));
            if let (Some(a), Some(b), Some(c), Some(d)) = places {
                let value = volume[flat([sample, channel, a, b, c, d], [batch, channels, qh, qw, sh, sw])];
                sum += f64::from(value)
                    * f64::from(weight[flat([output, channel, ta, tb, tc, td], [outputs, channels, k, k, k, k])]);
            }
        }
        result.push(sum as f32);
    }
    result
}

/// All places in a grid, the last dimension fastest.
fn grid<const D: usize>(dims: [usize; D]) -> impl Iterator<Item = [usize; D]> {
    (0..dims.iter().product()).map(move |index| unflatten(index, dims))
}

fn unflatten<const D: usize>(mut index: usize, dims: [usize; D]) -> [usize; D] {
    let mut place = [0; D];
    for dim in (0..D).rev() {
        (place[dim], index) = (index % dims[dim], index / dims[dim]);
    }
    place
}

#[test]
fn the_full_kernel_is_its_definition() {
    for (dims, outputs, k, stride) in CASES {
        let volume = random(dims, &Device::flex());
        let weight = random([outputs, dims[1], k, k, k, k], &Device::flex());
        let bias = random([outputs], &Device::flex());
        let expected = definition(&volume, &weight, &bias, stride);
        for (name, device) in devices() {
            let found = values(ops::full(on(&volume, &device), on(&weight, &device), on(&bias, &device), stride));
            assert!(distance(&found, &expected) < TOLERANCE, "{name} {dims:?}");
        }
    }
}

#[test]
fn a_full_kernel_that_is_zero_off_the_center_planes_is_the_center_pivot_kernel() {
    let device = Device::flex();
    for (dims, outputs, k, stride) in CASES {
        let volume = random(dims, &device);
        let shape = [outputs, dims[1], k, k];
        let weights = CenterPivotWeights {
            query: random(shape, &device),
            query_bias: random([outputs], &device),
            support: random(shape, &device),
            support_bias: random([outputs], &device),
        };
        let half = k / 2;
        // Both planes' kernels are over the support's (the query's) centre; they meet, and add up, where both are.
        let zeros = || Tensor::<6>::zeros([outputs, dims[1], k, k, k, k], &device);
        let query = weights.query.clone().reshape([outputs, dims[1], k, k, 1, 1]);
        let query = zeros().slice_assign(s![.., .., .., .., half..=half, half..=half], query);
        let support = weights.support.clone().reshape([outputs, dims[1], 1, 1, k, k]);
        let support = zeros().slice_assign(s![.., .., half..=half, half..=half, .., ..], support);
        let bias = weights.query_bias.clone() + weights.support_bias.clone();
        let expected = values(ops::center_pivot(volume.clone(), weights, stride));
        assert!(distance(&values(ops::full(volume, query + support, bias, stride)), &expected) < TOLERANCE, "{dims:?}");
    }
}

fn separable_weights(channels: usize, outputs: usize, k: usize) -> SeparableWeights {
    let device = Device::flex();
    SeparableWeights {
        support: random([channels, channels, k, k], &device),
        support_bias: random([channels], &device),
        query: random([outputs, channels, k, k], &device),
        query_bias: random([outputs], &device),
    }
}

#[test]
fn the_separable_kernel_is_the_full_kernel_that_is_its_product() {
    for (dims, outputs, k, stride) in CASES {
        let channels = dims[1];
        let volume = random(dims, &Device::flex());
        let mut weights = separable_weights(channels, outputs, k);
        weights.support_bias = weights.support_bias.zeros_like();
        // (output, between, query taps) and (between, channel, support taps), summed over what is between.
        let query = weights.query.clone().swap_dims(1, 3).reshape([outputs * k * k, channels]);
        let product = query.matmul(weights.support.clone().reshape([channels, channels * k * k]));
        let product = product.reshape([outputs, k, k, channels, k, k]).permute([0, 3, 2, 1, 4, 5]);
        let expected = values(ops::full(volume.clone(), product, weights.query_bias.clone(), stride));
        for (name, device) in devices() {
            let found = values(ops::separable(on(&volume, &device), separable_on(&weights, &device), stride));
            assert!(distance(&found, &expected) < TOLERANCE, "{name} {dims:?}");
        }
    }
}

fn separable_on(weights: &SeparableWeights, device: &Device) -> SeparableWeights {
    SeparableWeights {
        support: on(&weights.support, device),
        support_bias: on(&weights.support_bias, device),
        query: on(&weights.query, device),
        query_bias: on(&weights.query_bias, device),
    }
}

#[test]
fn the_full_kernel_has_the_gradient_that_finite_differences_give() {
    let (flex, stride) = (Device::flex(), 2);
    let (volume, weight) = (random([1, 2, 2, 3, 3, 2], &flex), random([2, 2, 3, 3, 3, 3], &flex));
    let bias = random([2], &flex);
    let loss = |volume, weight, bias| weighted(&values(ops::full(volume, weight, bias, stride)));
    let expected = [
        differences(&volume, |volume| loss(volume, weight.clone(), bias.clone())),
        differences(&weight, |weight| loss(volume.clone(), weight, bias.clone())),
        differences(&bias, |bias| loss(volume.clone(), weight.clone(), bias)),
    ];
    for (name, device) in devices() {
        let device = device.autodiff();
        let (volume, weight) = (on(&volume, &device).require_grad(), on(&weight, &device).require_grad());
        let bias = on(&bias, &device).require_grad();
        let gradients = weighted_sum(ops::full(volume.clone(), weight.clone(), bias.clone(), stride)).backward();
        let found = [
            values(volume.grad(&gradients).unwrap()),
            values(weight.grad(&gradients).unwrap()),
            values(bias.grad(&gradients).unwrap()),
        ];
        assert_close(name, &found, &expected);
    }
}

#[test]
fn the_separable_kernel_has_the_gradient_that_finite_differences_give() {
    let stride = 2;
    let volume = random([1, 2, 2, 3, 3, 2], &Device::flex());
    let weights = separable_weights(2, 3, 3);
    let loss = |volume, weights| weighted(&values(ops::separable(volume, weights, stride)));
    let with = |weights: SeparableWeights| loss(volume.clone(), weights);
    let expected = [
        differences(&volume, |volume| loss(volume, weights.clone())),
        differences(&weights.support, |support| with(SeparableWeights { support, ..weights.clone() })),
        differences(&weights.support_bias, |support_bias| with(SeparableWeights { support_bias, ..weights.clone() })),
        differences(&weights.query, |query| with(SeparableWeights { query, ..weights.clone() })),
        differences(&weights.query_bias, |query_bias| with(SeparableWeights { query_bias, ..weights.clone() })),
    ];
    for (name, device) in devices() {
        let device = device.autodiff();
        let volume = on(&volume, &device).require_grad();
        let weights = separable_on(&weights, &device);
        let weights = SeparableWeights {
            support: weights.support.require_grad(),
            support_bias: weights.support_bias.require_grad(),
            query: weights.query.require_grad(),
            query_bias: weights.query_bias.require_grad(),
        };
        let gradients = weighted_sum(ops::separable(volume.clone(), weights.clone(), stride)).backward();
        let found = [
            values(volume.grad(&gradients).unwrap()),
            values(weights.support.grad(&gradients).unwrap()),
            values(weights.support_bias.grad(&gradients).unwrap()),
            values(weights.query.grad(&gradients).unwrap()),
            values(weights.query_bias.grad(&gradients).unwrap()),
        ];
        assert_close(name, &found, &expected);
    }
}

fn assert_close<const N: usize>(name: &str, found: &[Vec<f32>; N], expected: &[Vec<f32>; N]) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let distance = distance(found, expected);
        assert!(distance < 1e-3, "{name}: gradient {index} is {distance:.1e} off");
    }
}

#[test]
fn the_kernels_have_as_many_parameters_as_the_paper_counts() {
    let layers = BackboneKind::Resnet101.layers();
    let counts = Kernel::ALL.map(|kernel| Learner::init(layers, kernel, &Device::flex()).num_params());
    assert_eq!(counts, [2_587_394, 4_375_314, 11_296_690]);
    assert_eq!(counts.map(|count| format!("{:.1}M", count as f64 / 1e6)), ["2.6M", "4.4M", "11.3M"]);
}

/// Every parameter of every kernel is reached, by the pass and by the gradient.
#[test]
fn learners_with_every_kernel_learn_with_all_their_parameters() {
    for kernel in Kernel::ALL {
        let device = Device::flex().autodiff();
        let learner = Learner::init([2, 1, 1], kernel, &device).train();
        let levels =
            [[1, 2, 4, 4, 4, 4], [1, 1, 2, 2, 2, 2], [1, 1, 1, 1, 1, 1]].map(|dims| random(dims, &device).abs());
        let logits = learner.decode(learner.encode(levels));
        assert_eq!(logits.dims(), [1, 2, 8, 8], "{kernel}");
        let gradients = burn::optim::GradientsParams::from_grads(weighted_sum(logits).backward(), &learner);
        let parameters = burn::module::list_param_ids(&learner).len();
        assert_eq!(gradients.len(), parameters, "{kernel}");
    }
}
