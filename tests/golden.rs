//! HSNet against reference outputs, computed in float64 by the method's published implementation, for weights that
//! follow from a formula: every backbone, on the CPU and through our WGSL, features to mask, to 1e-4.

mod common;

use std::collections::HashMap;
use std::path::PathBuf;

use burn::Tensor;
use burn::tensor::{Device, s};
use common::{distance, formula_checkpoint, wgpu};
use fewseg::backbone::{BackboneKind, Pyramid};
use fewseg::hsnet::Marked;
use fewseg::image::{Mask, Normalisation, Picture};
use fewseg::predict::{self, Logits};
use fewseg::weights::import_arrays;
use safetensors::SafeTensors;

const TOLERANCE: f64 = 1e-4;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(golden(name)).unwrap()
}

fn pixels(name: &str, device: &Device) -> Tensor<4> {
    let picture = Picture::decode(name, &read(name)).unwrap();
    let values = picture.normalise(&Normalisation::IMAGENET);
    Tensor::<1>::from_floats(values.as_slice(), device).reshape([1, 3, picture.height, picture.width])
}

/// The reference, and what of it has been compared.
struct Reference {
    arrays: HashMap<String, Vec<f32>>,
    worst: f64,
}

impl Reference {
    fn new(kind: BackboneKind) -> Self {
        let bytes = read(&format!("hsnet_{kind}.safetensors"));
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let floats = |bytes: &[u8]| bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        let arrays = file.tensors().into_iter().map(|(name, view)| (name, floats(view.data()))).collect();
        Self { arrays, worst: 0.0 }
    }

    fn compare<const D: usize>(&mut self, name: &str, found: Tensor<D>) {
        let found: Vec<f32> = found.into_data().iter().collect();
        let distance = distance(&found, &self.arrays.remove(name).unwrap());
        assert!(distance <= TOLERANCE, "{name} is {distance:.1e} off");
        self.worst = self.worst.max(distance);
    }
}

fn check(kind: BackboneKind, device: &Device) {
    let mut reference = Reference::new(kind);
    let (_, network) = import_arrays(formula_checkpoint(kind), kind, device).unwrap();
    let mask = Mask::decode("support_mask.png", &read("support_mask.png")).unwrap();
    let query = network.features(pixels("query.png", device));
    let support = network.support(Marked::new(pixels("support.png", device), &[&mask], kind)).object;

    check_features(&mut reference, kind, &query);
    let [level2, level3, level4] = network.correlate(&query, &support);
    check_correlations(&mut reference, [level2.clone(), level3.clone(), level4.clone()]);
    let [squeezed2, squeezed3, squeezed4] = network.learner.squeeze([level2, level3, level4]);
    let encoded = network.learner.mix([squeezed2.clone(), squeezed3.clone(), squeezed4.clone()]);
    let logits = network.learner.decode(encoded);
    reference.compare("squeezed.4", squeezed4);
    reference.compare("squeezed.3.slice", squeezed3.slice(s![.., .., 12]));
    reference.compare("squeezed.2.slice", squeezed2.slice(s![.., .., 25]));

    check_logits(&mut reference, kind, logits);
    assert!(reference.arrays.is_empty(), "not compared: {:?}", reference.arrays.keys());
    println!("{kind}: at most {:.1e} off", reference.worst);
}

fn check_features(reference: &mut Reference, kind: BackboneKind, query: &Pyramid) {
    let mut statistics = Vec::new();
    for (level, widths) in query.levels.iter().zip(kind.widths()) {
        let mut start = 0;
        for width in widths {
            let layer: Vec<f32> = level.clone().slice(s![.., start..start + width]).into_data().iter().collect();
            let count = layer.len() as f64;
            let mean = layer.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
            let variance = layer.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
            statistics.extend([mean as f32, variance.sqrt() as f32]);
            start += width;
        }
    }
    reference.compare("features.mean_std", Tensor::<1>::from_floats(statistics.as_slice(), &Device::flex()));
}

fn check_correlations(reference: &mut Reference, [level2, level3, level4]: [Tensor<6>; 3]) {
    reference.compare("correlation.4", level4);
    reference.compare("correlation.3.slice", level3.clone().slice(s![.., .., 12, 12]));
    reference.compare("correlation.2.slice", level2.clone().slice(s![.., .., 25, 25]));
    for (name, level) in [("correlation.3.sum", level3), ("correlation.2.sum", level2)] {
        let layers = level.dims()[1];
        let values: Vec<f32> = level.into_data().iter().collect();
        let sums = values.chunks_exact(values.len() / layers);
        let sums: Vec<f32> = sums.map(|layer| layer.iter().map(|&x| f64::from(x)).sum::<f64>() as f32).collect();
        reference.compare(name, Tensor::<1>::from_floats(sums.as_slice(), &Device::flex()));
    }
}

fn check_logits(reference: &mut Reference, kind: BackboneKind, logits: Tensor<4>) {
    let [_, _, height, width] = logits.dims();
    reference.compare("logits", logits.clone());
    let values = logits.into_data().iter().collect();
    let mask = predict::mask(&[Logits { height, width, values }], 400, 400, 0.5);
    let name = format!("mask_{kind}.png");
    let expected = Mask::decode(&name, &read(&name)).unwrap();
    let differing = mask.values.iter().zip(&expected.values).filter(|(a, b)| a != b).count();
    // A pixel whose two logits agree to seven digits may fall on either side.
    assert!(differing <= 8, "{differing} of the mask's pixels differ");
}

#[test]
fn mobilenetv2_on_the_cpu() {
    check(BackboneKind::MobilenetV2, &Device::flex());
}

#[test]
fn mobilenetv2_in_wgsl() {
    check(BackboneKind::MobilenetV2, &wgpu());
}

#[test]
fn resnet50_on_the_cpu() {
    check(BackboneKind::Resnet50, &Device::flex());
}

#[test]
fn resnet50_in_wgsl() {
    check(BackboneKind::Resnet50, &wgpu());
}

#[test]
fn resnet101_on_the_cpu() {
    check(BackboneKind::Resnet101, &Device::flex());
}

#[test]
fn resnet101_in_wgsl() {
    check(BackboneKind::Resnet101, &wgpu());
}

#[test]
fn vgg16_on_the_cpu() {
    check(BackboneKind::Vgg16, &Device::flex());
}

#[test]
fn vgg16_in_wgsl() {
    check(BackboneKind::Vgg16, &wgpu());
}
