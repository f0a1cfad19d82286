//! Our operations against their composed forms, on every device: random shapes, forward and backward, and the
//! handwritten gradient against finite differences.

mod common;

use burn::Tensor;
use burn::tensor::{DType, Device};
use common::numeric::{differences, on, random, values, weighted, weighted_sum};
use common::{devices, distance, wgpu};
use fewseg::ops::{self, Activation, CenterPivotWeights, HalfLevel, SupportRows, composed, resize_dims};
use half::f16;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

const TOLERANCE: f64 = 1e-5;
/// Sums of signed terms may cancel to little.
const GRADIENT_TOLERANCE: f64 = 1e-4;

/// Runs a property over random cases; few, since each compiles and runs whole networks' worth of kernels. The cases are
/// the same in every run; `PROPTEST_RNG_SEED` in the environment draws others.
fn property<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value)) {
    let mut config = Config { cases, failure_persistence: None, ..Config::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(0);
    }
    let outcome = TestRunner::new(config).run(&strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// One where an operation that ends in a ReLU is away from its kink, else zero; from what the operation gives and what
/// it gives with the sign turned. At the kink rounding alone says which of two gradients it is.
fn away_from_the_kink<const D: usize>(output: Tensor<D>, turned: Tensor<D>) -> Tensor<D> {
    (output + turned).greater_elem(1e-4).float()
}

#[test]
fn correlation_is_its_composed_form() {
    let widths = prop::collection::vec(1usize..40, 1..4);
    let planes = [1usize..12, 1..12, 1..12, 1..12];
    property(24, (1usize..3, widths, planes), |(batch, widths, [query_h, query_w, support_h, support_w])| {
        let channels = widths.iter().sum();
        let query = random([batch, channels, query_h, query_w], &Device::flex());
        let support = random([batch, channels, support_h, support_w], &Device::flex());
        let expected = values(composed::correlation(query.clone(), support.clone(), &widths));
        for (name, device) in devices() {
            let found = ops::correlation(on(&query, &device), on(&support, &device), &widths);
            assert!(distance(&values(found), &expected) < TOLERANCE, "{name}");
        }
    });
}

#[test]
fn a_single_support_is_correlated_with_every_query() {
    let query = random([3, 7, 5, 4], &Device::flex());
    let support = random([1, 7, 3, 6], &Device::flex());
    let repeated = Tensor::cat(vec![support.clone(); 3], 0);
    let expected = values(composed::correlation(query.clone(), repeated, &[3, 4]));
    for (name, device) in devices() {
        for device in [device.clone(), device.autodiff()] {
            let found = values(ops::correlation(on(&query, &device), on(&support, &device), &[3, 4]));
            assert!(distance(&found, &expected) < TOLERANCE, "{name}");
        }
    }
}

#[test]
fn correlation_of_large_planes_is_its_composed_form() {
    let [query, support] = [[1, 40, 25, 31], [1, 40, 28, 27]].map(|dims| random(dims, &Device::flex()));
    let expected = values(composed::correlation(query.clone(), support.clone(), &[17, 23]));
    for (name, device) in devices() {
        let found = values(ops::correlation(on(&query, &device), on(&support, &device), &[17, 23]));
        assert!(distance(&found, &expected) < TOLERANCE, "{name}");
    }
}

#[test]
fn some_rows_of_a_correlation_are_those_of_the_whole() {
    let [query, support] = [[2, 7, 6, 7], [1, 7, 9, 5]].map(|dims| random(dims, &Device::flex()));
    let whole = composed::correlation(query.clone(), support.clone().expand([2, 7, 9, 5]), &[3, 4]);
    for (name, device) in devices() {
        for rows in [0..9, 0..1, 4..7, 5..8, 8..9] {
            let expected = values(whole.clone().slice_dim(4, rows.clone()));
            let found = ops::correlation_rows(on(&query, &device), on(&support, &device), rows, &[3, 4]);
            assert!(distance(&values(found), &expected) < TOLERANCE, "{name}");
        }
    }
}

/// The nearest numbers that half precision has.
fn rounded<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let dims = tensor.dims();
    let halves: Vec<f32> = values(tensor).into_iter().map(|value| f16::from_f32(value).to_f32()).collect();
    Tensor::<1>::from_floats(halves.as_slice(), &Device::flex()).reshape(dims)
}

/// Layers of features in half precision, on the device of our shaders.
fn halves(layers: &[Tensor<4>]) -> Tensor<4> {
    let [batch, _, height, width] = layers[0].dims();
    let channels = layers.iter().map(|layer| layer.dims()[1]).sum();
    let mut level = HalfLevel::empty([batch, channels, height, width], &wgpu());
    layers.iter().for_each(|layer| level.put(on(layer, &wgpu())));
    level.features()
}

#[test]
fn halves_are_the_layers_one_after_another() {
    let layers = [2, 4, 6].map(|channels| random([3, channels, 5, 7], &Device::flex()) * 100);
    let expected = values(Tensor::cat(layers.to_vec(), 1));
    let halves = halves(&layers);
    assert_eq!((halves.dims(), halves.dtype()), ([3, 12, 5, 7], DType::F16));
    for (found, expected) in values(halves).iter().zip(expected) {
        // To either side: WGSL does not say which way it rounds.
        assert!((found - expected).abs() <= expected.abs() * 2f32.powi(-10), "{found} where {expected}");
    }
}

#[test]
fn what_is_too_large_for_a_half_is_the_largest() {
    let layer = Tensor::<1>::from_floats([1e6, -1e6, 65504.0, -65504.0], &wgpu()).reshape([1, 4, 1, 1]);
    assert_eq!(values(halves(&[layer])), [65504.0, -65504.0, 65504.0, -65504.0]);
}

#[test]
fn halves_correlate_as_what_they_hold_also_from_an_odd_place_on() {
    let widths = [6, 10];
    let [query, support] = [[2, 16, 5, 6], [1, 16, 7, 3]].map(|dims| rounded(random(dims, &Device::flex())));
    let whole = composed::correlation(query.clone(), support.clone().expand([2, 16, 7, 3]), &widths);
    let [query, support] = [query, support].map(|features| halves(&features.split_with_sizes(widths.to_vec(), 1)));
    for rows in [0..7, 1..2, 3..7] {
        let found = ops::correlation_rows(query.clone(), support.clone(), rows.clone(), &widths);
        assert!(distance(&values(found), &values(whole.clone().slice_dim(4, rows))) < TOLERANCE);
    }
    let found = values(ops::correlation(query, support, &widths));
    assert!(distance(&found, &values(whole)) < TOLERANCE);
}

#[test]
fn a_convolution_with_halves_for_weights_is_that_with_their_values() {
    for (outputs, kernel) in [(5, 1), (40, 3), (70, 7)] {
        let planes = random([2, 3, 12, 9], &Device::flex());
        let weight = rounded(random([outputs, 3, kernel, kernel], &Device::flex()));
        let bias = random([outputs], &Device::flex());
        let convolve = |device: &Device, dtype: DType| {
            let weight = Tensor::<4>::from_data(weight.to_data(), (device, dtype));
            let (planes, bias) = (on(&planes, device), on(&bias, device));
            values(ops::activated_convolution(planes, weight, bias, 2, 1, Activation::Relu))
        };
        let expected = convolve(&Device::flex(), DType::F32);
        assert!(distance(&convolve(&wgpu(), DType::F16), &expected) < TOLERANCE);
    }
}

#[test]
fn a_masked_feature_correlates_with_nothing() {
    for (name, device) in devices() {
        let query = random([1, 8, 3, 3], &device);
        let support = Tensor::<4>::zeros([1, 8, 2, 2], &device);
        let found = values(ops::correlation(query, support, &[8]));
        assert!(found.iter().all(|&value| value == 0.0), "{name}");
    }
}

#[test]
fn the_gradient_of_a_masked_feature_is_finite() {
    let device = Device::flex().autodiff();
    let support = Tensor::<4>::zeros([1, 4, 2, 2], &device).require_grad();
    let query = random([1, 4, 2, 2], &device).require_grad();
    let gradients = ops::correlation(query.clone(), support.clone(), &[4]).sum().backward();
    for leaf in [query, support] {
        assert!(values(leaf.grad(&gradients).unwrap()).iter().all(|value| value.is_finite()));
    }
}

#[test]
fn correlation_has_the_gradient_of_its_composed_form_and_of_finite_differences() {
    let widths = [5, 3];
    let flex = Device::flex();
    // All positive: the clamp at zero, where differences are no gradient, is far.
    let [query, support] = [[1, 8, 2, 3], [1, 8, 3, 2]].map(|dims| random(dims, &flex).abs() + 0.1);
    let expected = [
        differences(&query, |query| weighted(&values(composed::correlation(query, support.clone(), &widths)))),
        differences(&support, |support| weighted(&values(composed::correlation(query.clone(), support, &widths)))),
    ];
    for (name, device) in devices() {
        let device = device.autodiff();
        let leaves = [on(&query, &device).require_grad(), on(&support, &device).require_grad()];
        let [query, support] = leaves.clone();
        let gradients = weighted_sum(ops::correlation(query, support, &widths)).backward();
        for (leaf, expected) in leaves.iter().zip(&expected) {
            let distance = distance(&values(leaf.grad(&gradients).unwrap()), expected);
            assert!(distance < 1e-3, "{name}: {distance:.1e} off");
        }
    }
}

#[test]
fn correlation_has_the_gradient_of_its_composed_form_where_it_is_clamped_too() {
    let planes = [1usize..6, 1..6, 1..6, 1..6];
    // A feature of a single value has a direction that nothing changes: its gradient would be rounding alone.
    let widths = prop::collection::vec(3usize..20, 1..4);
    property(12, (1usize..3, widths, planes), |(batch, widths, [query_h, query_w, support_h, support_w])| {
        let channels = widths.iter().sum();
        let query = random([batch, channels, query_h, query_w], &Device::flex());
        let support = random([batch, channels, support_h, support_w], &Device::flex());
        let away = away_from_the_kink(
            composed::correlation(query.clone(), support.clone(), &widths),
            composed::correlation(-query.clone(), support.clone(), &widths),
        );
        let gradients = |device: &Device, correlate: fn(Tensor<4>, Tensor<4>, &[usize]) -> Tensor<6>| {
            let device = device.clone().autodiff();
            let leaves = [&query, &support].map(|leaf| on(leaf, &device).require_grad());
            let [query, support] = leaves.clone();
            let gradients = weighted_sum(correlate(query, support, &widths) * on(&away, &device)).backward();
            leaves.map(|leaf| values(leaf.grad(&gradients).unwrap()))
        };
        let expected = gradients(&Device::flex(), composed::correlation);
        for (name, device) in devices() {
            for (found, expected) in gradients(&device, ops::correlation).iter().zip(&expected) {
                assert!(distance(found, expected) < GRADIENT_TOLERANCE, "{name} {widths:?}");
            }
        }
    });
}

/// A volume, its number of groups, and the offset of its values.
fn norm_cases() -> impl Strategy<Value = ([usize; 6], usize, f32)> {
    let sizes = (1usize..3, 1usize..4, 1usize..5, [1usize..7, 1..7, 1..9, 1..9]);
    let offsets = prop::sample::select(vec![0.0, 2.0]);
    (sizes, offsets).prop_map(|((batch, groups, members, [qh, qw, sh, sw]), offset)| {
        ([batch, groups * members, qh, qw, sh, sw], groups, offset)
    })
}

#[test]
fn group_norm_relu_is_its_composed_form_forward_and_backward() {
    property(24, norm_cases(), |(dims, groups, offset)| {
        let volume = random(dims, &Device::flex()) + offset;
        let affine = [0, 1].map(|_| random([dims[1]], &Device::flex()));
        let [output, turned] = [1.0, -1.0].map(|sign| {
            let [gamma, beta] = affine.each_ref().map(|affine| affine.clone() * sign);
            composed::group_norm_relu(volume.clone(), groups, gamma, beta)
        });
        let away = away_from_the_kink(output, turned);
        let both = |device: &Device, norm: fn(Tensor<6>, usize, Tensor<1>, Tensor<1>) -> Tensor<6>| {
            let device = device.clone().autodiff();
            let volume = on(&volume, &device).require_grad();
            let [gamma, beta] = affine.each_ref().map(|affine| on(affine, &device).require_grad());
            let output = norm(volume.clone(), groups, gamma.clone(), beta.clone());
            let gradients = weighted_sum(output.clone() * on(&away, &device)).backward();
            let gradient = |affine: &Tensor<1>| values(affine.grad(&gradients).unwrap());
            [values(output), values(volume.grad(&gradients).unwrap()), gradient(&gamma), gradient(&beta)]
        };
        let expected = both(&Device::flex(), composed::group_norm_relu);
        for (name, device) in devices() {
            let found = both(&device, ops::group_norm_relu);
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                // A group of a single value, or two, has next to no gradient; what is left is rounding.
                let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(
                    distance(found, expected) < GRADIENT_TOLERANCE || apart < 1e-3,
                    "{name} {dims:?} {groups}: {index}, {apart}"
                );
            }
        }
    });
}

#[test]
fn group_norm_relu_keeps_what_a_mean_far_from_zero_hides() {
    let dims = [1, 2, 16, 16, 16, 16];
    let volume: Vec<f32> = values(random(dims, &Device::flex())).iter().map(|value| value * 0.01 + 100.0).collect();
    let exact: Vec<f64> = volume.iter().map(|&value| f64::from(value)).collect();
    let mean = exact.iter().sum::<f64>() / exact.len() as f64;
    let variance = exact.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / exact.len() as f64;
    let expected: Vec<f32> =
        exact.iter().map(|value| ((value - mean) / (variance + 1e-5).sqrt()).max(0.0) as f32).collect();
    for (name, device) in devices() {
        let volume = Tensor::<1>::from_floats(volume.as_slice(), &device).reshape(dims);
        let affine = |value: f32| Tensor::<1>::from_floats([value; 2], &device);
        let found = values(ops::group_norm_relu(volume, 1, affine(1.0), affine(0.0)));
        assert!(distance(&found, &expected) < 2e-3, "{name} {:e}", distance(&found, &expected));
    }
}

/// A center-pivot convolution: batch, channels, outputs, query and support planes, kernel, stride.
#[derive(Clone, Debug)]
struct Case {
    volume: [usize; 6],
    outputs: usize,
    kernel: usize,
    stride: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    let sizes = (1usize..3, 1usize..7, 1usize..21, [1usize..7, 1..7, 1..10, 1..10]);
    let forms = (prop::sample::select(vec![3, 5]), prop::sample::select(vec![1, 2, 4]));
    (sizes, forms).prop_map(|((batch, channels, outputs, [qh, qw, sh, sw]), (kernel, stride))| Case {
        volume: [batch, channels, qh, qw, sh, sw],
        outputs,
        kernel,
        stride,
    })
}

#[test]
fn some_rows_of_a_center_pivot_are_those_of_the_whole() {
    // Rows of the result; of the volume those that they reach, and among these the one that the first is centred at.
    let parts = [(0..3, 0..12, 0), (0..1, 0..3, 0), (1..3, 2..11, 2), (2..3, 6..11, 2)];
    let case = Case { volume: [2, 3, 4, 5, 12, 7], outputs: 18, kernel: 5, stride: 4 };
    let flex = Device::flex();
    let (volume, weights) = (random(case.volume, &flex), weights(&case, &flex));
    let whole = composed::center_pivot(volume.clone(), weights.clone(), case.stride);
    let device = wgpu();
    for (made, read, first) in parts {
        let weights = weights_on(&weights, &device);
        let rows = SupportRows { first, count: made.len() };
        let part = on(&volume.clone().slice_dim(4, read), &device);
        let found = values(ops::center_pivot_rows(part, weights, case.stride, rows));
        assert!(distance(&found, &values(whole.clone().slice_dim(4, made))) < TOLERANCE);
    }
}

fn weights(case: &Case, device: &Device) -> CenterPivotWeights {
    let shape = [case.outputs, case.volume[1], case.kernel, case.kernel];
    CenterPivotWeights {
        query: random(shape, device),
        query_bias: random([case.outputs], device),
        support: random(shape, device),
        support_bias: random([case.outputs], device),
    }
}

fn weights_on(weights: &CenterPivotWeights, device: &Device) -> CenterPivotWeights {
    CenterPivotWeights {
        query: on(&weights.query, device).require_grad_if(device),
        query_bias: on(&weights.query_bias, device).require_grad_if(device),
        support: on(&weights.support, device).require_grad_if(device),
        support_bias: on(&weights.support_bias, device).require_grad_if(device),
    }
}

trait RequireGradIf {
    fn require_grad_if(self, device: &Device) -> Self;
}

impl<const D: usize> RequireGradIf for Tensor<D> {
    fn require_grad_if(self, device: &Device) -> Self {
        if device.is_autodiff() { self.require_grad() } else { self }
    }
}

#[test]
fn center_pivot_is_its_composed_form() {
    property(32, cases(), |case| {
        let volume = random(case.volume, &Device::flex());
        let weights = weights(&case, &Device::flex());
        let expected = values(composed::center_pivot(volume.clone(), weights.clone(), case.stride));
        for (name, device) in devices() {
            let found = ops::center_pivot(on(&volume, &device), weights_on(&weights, &device), case.stride);
            assert!(distance(&values(found), &expected) < TOLERANCE, "{name} {case:?}");
        }
    });
}

#[test]
fn center_pivot_with_many_channels_is_its_composed_form() {
    // The last takes the shader's large tile.
    let volumes = [([2, 16, 5, 3, 4, 6], 64, 2), ([2, 33, 5, 3, 4, 6], 128, 2), ([1, 3, 16, 15, 9, 8], 70, 1)];
    for (volume, outputs, stride) in volumes {
        let case = Case { volume, outputs, kernel: 3, stride };
        let volume = random(case.volume, &Device::flex());
        let weights = weights(&case, &Device::flex());
        let expected = values(composed::center_pivot(volume.clone(), weights.clone(), case.stride));
        for (name, device) in devices() {
            let found = ops::center_pivot(on(&volume, &device), weights_on(&weights, &device), case.stride);
            assert!(distance(&values(found), &expected) < TOLERANCE, "{name} {case:?}");
        }
    }
}

/// The gradients of the volume and of all four weights, for a fixed gradient of the result.
fn gradients(
    case: &Case,
    volume: &Tensor<6>,
    weights: &CenterPivotWeights,
    device: &Device,
    composed_form: bool,
) -> [Vec<f32>; 5] {
    let device = device.clone().autodiff();
    let volume = on(volume, &device).require_grad();
    let weights = weights_on(weights, &device);
    let output = match composed_form {
        true => composed::center_pivot(volume.clone(), weights.clone(), case.stride),
        false => ops::center_pivot(volume.clone(), weights.clone(), case.stride),
    };
    let gradients = weighted_sum(output).backward();
    [
        values(volume.grad(&gradients).unwrap()),
        values(weights.query.grad(&gradients).unwrap()),
        values(weights.query_bias.grad(&gradients).unwrap()),
        values(weights.support.grad(&gradients).unwrap()),
        values(weights.support_bias.grad(&gradients).unwrap()),
    ]
}

#[test]
fn center_pivot_has_the_gradient_of_its_composed_form() {
    property(16, cases(), |case| {
        let volume = random(case.volume, &Device::flex());
        let weights = weights(&case, &Device::flex());
        let expected = gradients(&case, &volume, &weights, &Device::flex(), true);
        for (name, device) in devices() {
            let found = gradients(&case, &volume, &weights, &device, false);
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let distance = distance(found, expected);
                assert!(distance < GRADIENT_TOLERANCE, "{name} {case:?}: gradient {index} is {distance:.1e} off");
            }
        }
    });
}

#[test]
fn center_pivot_has_the_gradient_that_finite_differences_give() {
    let case = Case { volume: [1, 2, 2, 3, 3, 2], outputs: 2, kernel: 3, stride: 2 };
    let device = Device::flex();
    let volume = random(case.volume, &device);
    let weights = weights(&case, &device);
    let loss = |volume: Tensor<6>, weights: CenterPivotWeights| {
        weighted(&values(ops::center_pivot(volume, weights, case.stride)))
    };
    let expected = [
        differences(&volume, |volume| loss(volume, weights.clone())),
        differences(&weights.query, |query| loss(volume.clone(), CenterPivotWeights { query, ..weights.clone() })),
        differences(&weights.query_bias, |query_bias| {
            loss(volume.clone(), CenterPivotWeights { query_bias, ..weights.clone() })
        }),
        differences(&weights.support, |support| {
            loss(volume.clone(), CenterPivotWeights { support, ..weights.clone() })
        }),
        differences(&weights.support_bias, |support_bias| {
            loss(volume.clone(), CenterPivotWeights { support_bias, ..weights.clone() })
        }),
    ];
    for (name, device) in devices() {
        let found = gradients(&case, &volume, &weights, &device, false);
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let distance = distance(found, expected);
            assert!(distance < 1e-3, "{name}: gradient {index} is {distance:.1e} off");
        }
    }
}

#[test]
fn a_convolution_of_planes_is_burns_own_forward_and_backward() {
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;
    for (name, device) in devices() {
        let device = device.autodiff();
        let planes = on(&random([2, 3, 5, 4], &Device::flex()), &device).require_grad();
        let weight = on(&random([6, 3, 3, 3], &Device::flex()), &device).require_grad();
        let bias = on(&random([6], &Device::flex()), &device).require_grad();
        let gradients = |output: Tensor<4>| {
            let found = values(output.clone());
            let gradients = weighted_sum(output).backward();
            let of_planes = values(planes.grad(&gradients).unwrap());
            [found, of_planes, values(weight.grad(&gradients).unwrap()), values(bias.grad(&gradients).unwrap())]
        };
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        let expected = gradients(conv2d(planes.clone(), weight.clone(), Some(bias.clone()), options));
        let found = gradients(ops::convolution(planes.clone(), weight.clone(), bias.clone(), ops::Activation::Linear));
        for (found, expected) in found.iter().zip(&expected) {
            assert!(distance(found, expected) < GRADIENT_TOLERANCE, "{name}");
        }
    }
}

/// A backbone's convolution: channels, outputs, planes, kernel, stride and groups. Some are made in several pieces, some
/// have planes of a power of two, one takes the shaders' large tile, and some have every channel by itself.
#[test]
fn an_activated_convolution_is_burns_own_and_its_activation() {
    use burn::tensor::activation::relu;
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;
    use ops::Activation::{Linear, Relu, Relu6};
    let cases = [
        (3, 5, [6, 9], 3, 1, 1),
        (3, 5, [7, 8], 3, 2, 1),
        (4, 300, [5, 4], 1, 1, 1),
        (4, 6, [9, 7], 1, 2, 1),
        (3, 8, [64, 48], 7, 2, 1),
        (2, 40, [32, 32], 3, 1, 1),
        (6, 7, [32, 64], 1, 1, 1),
        (2, 3, [2, 2], 5, 1, 1),
        (2, 3, [1, 1], 3, 2, 1),
        (3, 70, [67, 66], 3, 1, 1),
        (40, 40, [17, 18], 3, 1, 40),
        (7, 7, [9, 8], 3, 2, 7),
        (1, 1, [9, 8], 3, 1, 1),
        (6, 4, [5, 5], 3, 1, 2),
    ];
    for (channels, outputs, [height, width], kernel, stride, groups) in cases {
        let planes = random([2, channels, height, width], &Device::flex()) * 4.0;
        let weight = random([outputs, channels / groups, kernel, kernel], &Device::flex());
        let bias = random([outputs], &Device::flex());
        let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1, 1], groups);
        let expected = conv2d(planes.clone(), weight.clone(), Some(bias.clone()), options);
        for (name, device) in devices() {
            let inputs = (on(&planes, &device), on(&weight, &device), on(&bias, &device));
            for activation in [Linear, Relu, Relu6] {
                let (planes, weight, bias) = inputs.clone();
                let found = values(ops::activated_convolution(planes, weight, bias, stride, groups, activation));
                let expected = match activation {
                    Linear => expected.clone(),
                    Relu => relu(expected.clone()),
                    Relu6 => expected.clone().clamp(0.0, 6.0),
                };
                let distance = distance(&found, &values(expected));
                assert!(
                    distance < TOLERANCE,
                    "{name} {outputs} of {channels} channels, {kernel} x {kernel}, stride {stride}, {activation:?}: {distance:.1e}"
                );
            }
        }
    }
}

#[test]
fn a_clamp_ends_at_zero_and_at_its_limit_and_leaves_other_holders_alone() {
    for (name, device) in devices() {
        let planes = Tensor::<4>::from_floats([[[[-1.0, 0.0, 2.0, 6.0, 7.5]]]], &device);
        assert_eq!(values(ops::clamp(planes.clone(), 6.0)), [0.0, 0.0, 2.0, 6.0, 6.0], "{name}");
        assert_eq!(values(planes), [-1.0, 0.0, 2.0, 6.0, 7.5], "{name}");
    }
}

#[test]
fn resizing_aligns_corners() {
    for (name, device) in devices() {
        let line = Tensor::<1>::from_floats([0.0, 1.0, 4.0], &device).reshape([1, 1, 1, 3]);
        let found = values(resize_dims(line.clone(), 2, [2, 5]));
        assert_eq!(found, [0.0, 0.5, 1.0, 2.5, 4.0, 0.0, 0.5, 1.0, 2.5, 4.0], "{name}");
        let first = values(resize_dims(line, 2, [1, 1]));
        assert_eq!(first, [0.0], "{name}");
    }
}

#[test]
fn resizing_inner_dimensions_leaves_the_others_alone() {
    use burn::tensor::s;
    let volume = random([2, 3, 2, 3, 2, 2], &Device::flex());
    for size in [[4, 5], [5, 3], [1, 2], [2, 7], [6, 6]] {
        let resized = resize_dims(volume.clone(), 2, size);
        for (y, x) in [(0, 0), (1, 1)] {
            let plane = volume.clone().slice(s![.., .., .., .., y, x]).reshape([6, 1, 2, 3]);
            let expected = values(resize_dims(plane, 2, size));
            let found = values(resized.clone().slice(s![.., .., .., .., y, x]));
            assert!(distance(&found, &expected) < TOLERANCE);
        }
        for (name, device) in devices() {
            let found = resize_dims(on(&volume, &device), 2, size);
            assert_eq!(found.dims(), resized.dims(), "{name}");
            assert!(distance(&values(found), &values(resized.clone())) < TOLERANCE, "{name} {size:?}");
        }
    }
}

#[test]
fn the_wgpu_device_runs_our_shaders() {
    assert!(ops::runs_wgsl(&wgpu()), "the tests above would have compared the composed form with itself");
}
