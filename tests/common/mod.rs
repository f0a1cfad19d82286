//! What several tests share: devices, weights made by formula, and how far two arrays are apart.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod command;
pub mod numeric;
pub mod pytorch;

use burn::tensor::{Device, DeviceKind};
use fewseg::backbone::BackboneKind;
use fewseg::image::Mask;
use fewseg::weights::{Array, Arrays};

/// The CPU, and WGSL on whatever Vulkan there is (a software one will do).
pub fn devices() -> [(&'static str, Device); 2] {
    [("cpu", Device::flex()), ("wgpu", wgpu())]
}

pub fn wgpu() -> Device {
    Device::wgpu(DeviceKind::DefaultDevice)
}

/// The mask of a square picture's left half.
pub fn left_half(side: usize) -> Mask {
    let values = (0..side * side).map(|index| u8::from(index % side < side / 2)).collect();
    Mask { width: side, height: side, values }
}

/// The relative L2 distance of `found` from `expected`.
pub fn distance(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |x: f64| x * x;
    let apart: f64 = found.iter().zip(expected).map(|(&a, &b)| square(f64::from(a) - f64::from(b))).sum();
    let size: f64 = expected.iter().map(|&b| square(f64::from(b))).sum();
    (apart / size.max(f64::MIN_POSITIVE)).sqrt()
}

/// A checkpoint in HSNet's published format whose every value follows from its tensor's name: FNV-1a of the name seeds
/// splitmix64, and the kind of tensor says how its uniform numbers are spread.
pub fn formula_checkpoint(kind: BackboneKind) -> Arrays {
    let mut shapes = match kind {
        BackboneKind::Vgg16 => vgg16(),
        BackboneKind::Resnet50 => resnet([3, 4, 6, 3]),
        BackboneKind::Resnet101 => resnet([3, 4, 23, 3]),
        BackboneKind::MobilenetV2 => mobilenetv2(),
    };
    let [level2, level3, level4] = kind.widths().map(|widths| widths.len());
    shapes.extend(learner([level4, level3, level2]));
    shapes.into_iter().map(|(key, shape)| (format!("module.{key}"), fill(&key, shape))).collect()
}

type Shapes = Vec<(String, Vec<usize>)>;

fn fill(key: &str, shape: Vec<usize>) -> Array {
    let seed = key
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
    let fan_in: usize = shape.iter().skip(1).product();
    let spread = (6.0 / fan_in as f64).sqrt();
    let value = |u: f64| match shape.len() {
        _ if key.ends_with("running_var") => 0.5 + u,
        _ if key.ends_with("running_mean") || key.ends_with("bias") => (2.0 * u - 1.0) / 10.0,
        4 => (2.0 * u - 1.0) * spread,
        2 => (2.0 * u - 1.0) / 100.0,
        _ => 0.25 + 0.5 * u,
    };
    let count = shape.iter().product::<usize>() as u64;
    let values = (0..count).map(|index| value(uniform(seed, index)) as f32).collect();
    Array { shape, values }
}

/// Output `index` of splitmix64, in [0, 1).
fn uniform(seed: u64, index: u64) -> f64 {
    let z = seed.wrapping_add((index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 24)
}

fn conv(shapes: &mut Shapes, key: &str, output: usize, input: usize, kernel: usize, bias: bool) {
    shapes.push((format!("{key}.weight"), vec![output, input, kernel, kernel]));
    if bias {
        shapes.push((format!("{key}.bias"), vec![output]));
    }
}

fn norm(shapes: &mut Shapes, key: &str, width: usize) {
    for part in ["weight", "bias", "running_mean", "running_var"] {
        shapes.push((format!("{key}.{part}"), vec![width]));
    }
}

fn resnet(blocks: [usize; 4]) -> Shapes {
    let mut shapes = Shapes::new();
    conv(&mut shapes, "backbone.conv1", 64, 3, 7, false);
    norm(&mut shapes, "backbone.bn1", 64);
    let mut input = 64;
    for (layer, count) in blocks.into_iter().enumerate() {
        let width = 64 << layer;
        for block in 0..count {
            let key = format!("backbone.layer{}.{block}", layer + 1);
            let sizes = [(width, input, 1), (width, width, 3), (4 * width, width, 1)];
            for (index, (output, input, kernel)) in (1..).zip(sizes) {
                conv(&mut shapes, &format!("{key}.conv{index}"), output, input, kernel, false);
                norm(&mut shapes, &format!("{key}.bn{index}"), output);
            }
            if block == 0 {
                conv(&mut shapes, &format!("{key}.downsample.0"), 4 * width, input, 1, false);
                norm(&mut shapes, &format!("{key}.downsample.1"), 4 * width);
            }
            input = 4 * width;
        }
    }
    shapes.push(("backbone.fc.weight".into(), vec![1000, 2048]));
    shapes.push(("backbone.fc.bias".into(), vec![1000]));
    shapes
}

fn vgg16() -> Shapes {
    const CONVS: [(usize, usize); 13] = [
        (0, 64),
        (2, 64),
        (5, 128),
        (7, 128),
        (10, 256),
        (12, 256),
        (14, 256),
        (17, 512),
        (19, 512),
        (21, 512),
        (24, 512),
        (26, 512),
        (28, 512),
    ];
    let mut shapes = Shapes::new();
    let mut input = 3;
    for (index, width) in CONVS {
        conv(&mut shapes, &format!("backbone.features.{index}"), width, input, 3, true);
        input = width;
    }
    shapes
}

fn mobilenetv2() -> Shapes {
    let mut shapes = Shapes::new();
    conv(&mut shapes, "backbone.features.0", 32, 3, 3, true);
    conv(&mut shapes, "backbone.features.1.depthwise", 32, 1, 3, true);
    conv(&mut shapes, "backbone.features.1.project", 16, 32, 1, true);
    let (mut input, mut index) = (16, 2);
    for (width, count) in [(24, 2), (32, 3), (64, 4), (96, 3), (160, 3), (320, 1)] {
        for _ in 0..count {
            let key = format!("backbone.features.{index}");
            conv(&mut shapes, &format!("{key}.expand"), 6 * input, input, 1, true);
            conv(&mut shapes, &format!("{key}.depthwise"), 6 * input, 1, 3, true);
            conv(&mut shapes, &format!("{key}.project"), width, 6 * input, 1, true);
            (input, index) = (width, index + 1);
        }
    }
    conv(&mut shapes, "backbone.features.18", 1280, 320, 1, true);
    shapes
}

/// `layers` of correlation at levels 4, 3, 2.
fn learner(layers: [usize; 3]) -> Shapes {
    let mut shapes = Shapes::new();
    let mut block = |name: &str, mut input: usize, widths: [usize; 3], kernels: [usize; 3]| {
        for (step, (width, kernel)) in widths.into_iter().zip(kernels).enumerate() {
            let key = format!("hpn_learner.{name}");
            for part in ["conv1", "conv2"] {
                conv(&mut shapes, &format!("{key}.{}.{part}", 3 * step), width, input, kernel, true);
            }
            for part in ["weight", "bias"] {
                shapes.push((format!("{key}.{}.{part}", 3 * step + 1), vec![width]));
            }
            input = width;
        }
    };
    block("encoder_layer4", layers[0], [16, 64, 128], [3, 3, 3]);
    block("encoder_layer3", layers[1], [16, 64, 128], [5, 3, 3]);
    block("encoder_layer2", layers[2], [16, 64, 128], [5, 5, 3]);
    block("encoder_layer4to3", 128, [128; 3], [3; 3]);
    block("encoder_layer3to2", 128, [128; 3], [3; 3]);
    for (name, output, input) in
        [("decoder1.0", 128, 128), ("decoder1.2", 64, 128), ("decoder2.0", 64, 64), ("decoder2.2", 2, 64)]
    {
        conv(&mut shapes, &format!("hpn_learner.{name}"), output, input, 3, true);
    }
    shapes
}
