//! A network that is loaded to segment and nothing else: kept in half precision where the shaders read that, its large
//! hypercorrelations squeezed in bands.

mod common;

use std::collections::HashMap;
use std::convert::Infallible;

use burn::Tensor;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Device};
use common::numeric::{on, random, values};
use common::{distance, formula_checkpoint, left_half, wgpu};
use fewseg::backbone::{BackboneKind, Pyramid};
use fewseg::classes::{Class, Classes};
use fewseg::episode::Shot;
use fewseg::hsnet::{Design, Hsnet, Marked, Masking, Segmenter, Stages, Support};
use fewseg::image::Picture;
use fewseg::predict::Look;
use fewseg::weights::{self, Header, Precision, WeightsError};
use pollster::block_on;

/// A weight file of a network whose every value follows from a formula.
fn weight_file(kind: BackboneKind) -> Vec<u8> {
    let (header, network) = weights::import_arrays(formula_checkpoint(kind), kind, &Device::flex()).unwrap();
    weights::to_bytes(&network, &header).unwrap()
}

/// What a network says of a query by a support, and how the query's features are kept.
fn logits(network: &Hsnet, device: &Device, pictures: &[Tensor<4>; 2]) -> (Vec<f32>, DType) {
    let [query, support] = pictures.each_ref().map(|picture| on(picture, device));
    let [_, _, side, _] = support.dims();
    let features = network.features(query);
    let support = network.support(Marked::new(support, &[&left_half(side)], network.kind()));
    assert!(support.object.levels.iter().all(|level| level.dtype() == features.levels[0].dtype()));
    (values(network.logits(&features, &support)), features.levels[0].dtype())
}

/// How many parameters are kept in half precision, and how many are not.
#[derive(Default)]
struct Kept {
    halves: usize,
    singles: usize,
}

impl ModuleVisitor for Kept {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        match tensor.dtype() {
            DType::F16 => self.halves += tensor.shape().num_elements(),
            _ => self.singles += tensor.shape().num_elements(),
        }
    }
}

fn kept(network: &Hsnet) -> Kept {
    let mut kept = Kept::default();
    network.visit(&mut kept);
    kept
}

fn check(kind: BackboneKind) {
    let (file, device) = (weight_file(kind), wgpu());
    let pictures = [(); 2].map(|()| random([1, 3, 97, 97], &Device::flex()));
    let (_, full) = weights::load(&file, &device).unwrap();
    let (_, compact) = weights::load_compact(&file, &device).unwrap();
    assert_eq!(kept(&full).halves, 0);
    let Kept { halves, singles } = kept(&compact);
    assert!(halves > 4 * singles, "{halves} and {singles}");

    let (expected, dtype) = logits(&full, &device, &pictures);
    assert_eq!(dtype, DType::F32);
    let (found, dtype) = logits(&compact, &device, &pictures);
    assert_eq!(dtype, DType::F16);
    let apart = distance(&found, &expected);
    println!("{kind}: {apart:.1e} apart");
    // The weights are the same; of the features there are three digits.
    assert!(apart < 1e-3 && apart > 0.0, "{kind}: {apart:.1e}");
}

#[test]
fn resnet50_says_in_half_precision_what_it_says_in_full() {
    check(BackboneKind::Resnet50);
}

#[test]
fn vgg16_says_in_half_precision_what_it_says_in_full() {
    check(BackboneKind::Vgg16);
}

#[test]
fn on_the_cpu_nothing_is_halved() {
    let kind = BackboneKind::MobilenetV2;
    let (file, device) = (weight_file(kind), Device::flex());
    let pictures = [(); 2].map(|()| random([1, 3, 64, 64], &device));
    let [full, compact] = [weights::load, weights::load_compact].map(|load| load(&file, &device).unwrap().1);
    assert_eq!(kept(&compact).halves, 0);
    assert!(logits(&full, &device, &pictures) == logits(&compact, &device, &pictures));
}

#[test]
fn weights_that_half_precision_cannot_tell_are_not_halved() {
    let kind = BackboneKind::MobilenetV2;
    let (header, network) = weights::import_arrays(formula_checkpoint(kind), kind, &Device::flex()).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    weights::save_as(&network, &header, Precision::F32, file.path()).unwrap();
    let (_, compact) = weights::load_compact(&std::fs::read(file.path()).unwrap(), &wgpu()).unwrap();
    assert_eq!(kept(&compact).halves, 0);
}

#[test]
fn a_guided_network_keeps_its_features_whole() {
    let kind = BackboneKind::MobilenetV2;
    let design = Design { guided: true, ..Design::default() };
    let header = Header { design, ..Header::hsnet(kind, [64, 64]) };
    let file = weights::to_bytes(&Hsnet::init(kind, design, &Device::flex()), &header).unwrap();
    let (device, pictures) = (wgpu(), [(); 2].map(|()| random([1, 3, 64, 64], &Device::flex())));
    let [full, compact] = [weights::load, weights::load_compact].map(|load| load(&file, &device).unwrap().1);
    let ((expected, _), (found, dtype)) = (logits(&full, &device, &pictures), logits(&compact, &device, &pictures));
    assert_eq!(dtype, DType::F32);
    assert!(kept(&compact).halves > 0);
    assert!(distance(&found, &expected) < 1e-5);
}

/// Counts how often a stage is worked at.
struct Counted(HashMap<&'static str, usize>);

impl Stages for Counted {
    type Error = Infallible;

    fn stage<T: Send + 'static>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> T + Send,
    ) -> Result<T, Infallible> {
        *self.0.entry(name).or_default() += 1;
        Ok(work())
    }
}

#[test]
fn bands_give_what_the_whole_hypercorrelation_gives() {
    let kind = BackboneKind::MobilenetV2;
    let (file, device) = (weight_file(kind), wgpu());
    let full = weights::load(&file, &device).unwrap().1;
    let compact = weights::load_compact(&file, &device).unwrap().1;
    // A query's hypercorrelation at level 2 has 53 megabytes in the first case, and 31 in the second.
    for (network, batch, [height, width], bands) in [(&compact, 1, [400, 336], 3), (&full, 2, [320, 320], 2)] {
        let query = network.features(random([batch, 3, height, width], &device));
        let object = network.features(random([1, 3, height, width], &device));
        let squeezed = network.learner.squeeze(network.correlate(&query, &object));
        let expected = values(network.learner.decode(network.learner.mix(squeezed)));
        let mut counted = Counted(HashMap::new());
        let Ok(found) = network.logits_in_stages(&query, &Support { object, sides: None }, &mut counted);
        assert_eq!((counted.0["correlation 2"], counted.0["correlation 3"]), (bands, 1));
        assert!(distance(&values(found), &expected) < 1e-5);
    }
}

#[test]
fn every_masking_is_the_same_in_half_precision() {
    let kind = BackboneKind::MobilenetV2;
    let device = wgpu();
    let pictures = [(); 2].map(|()| random([1, 3, 64, 64], &Device::flex()));
    for masking in [Masking::Features, Masking::Hybrid, Masking::None] {
        let design = Design { masking, ..Design::default() };
        let header = Header { design, ..Header::hsnet(kind, [64, 64]) };
        let file = weights::to_bytes(&Hsnet::init(kind, design, &Device::flex()), &header).unwrap();
        let [full, compact] = [weights::load, weights::load_compact].map(|load| load(&file, &device).unwrap().1);
        let objects = [full, compact].map(|network| {
            network.support(Marked::new(on(&pictures[1], &device), &[&left_half(64)], kind)).object.levels.map(values)
        });
        let [expected, found] = objects;
        for (found, expected) in found.iter().zip(&expected) {
            assert!(distance(found, expected) < 1e-3, "{masking:?}");
        }
    }
}

type Load = fn(&[u8], &Device) -> Result<(Header, Hsnet), WeightsError>;

fn picture(seed: usize) -> Picture {
    Picture { width: 64, height: 64, rgb: (0..3 * 64 * 64).map(|index| (index * seed % 251) as u8).collect() }
}

#[test]
fn a_task_learned_in_half_precision_is_kept_in_its_file_and_shows_why() {
    let kind = BackboneKind::Vgg16;
    let device = wgpu();
    let file = weight_file(kind);
    let shot = Shot { picture: picture(31), mask: left_half(64), unsure: None };
    let learned = |load: Load| {
        let (header, network) = load(&file, &device).unwrap();
        let segmenter = Segmenter::new(header.resized(Some(64)), network, device.clone());
        let class = Class { number: 1, name: "thing".into(), colour: "#123456".parse().unwrap() };
        let classes = Classes::single(class, segmenter.learn(std::slice::from_ref(&shot), |_| {}).unwrap());
        let query = segmenter.features(&[&picture(57)]);
        (segmenter, classes, query)
    };
    let (segmenter, classes, query) = learned(weights::load_compact);
    let file = block_on(classes.to_task(&segmenter, "0123abcd", &Look::plain(0.5))).unwrap();
    let (opened, _) = Classes::from_task(&file, &segmenter, "0123abcd").unwrap();
    let logits = |classes: &Classes| block_on(classes.find(&query, |_| {})).unwrap()[0][0].shots[0].values.clone();
    assert_eq!(logits(&opened), logits(&classes));

    let (_, whole, whole_query) = learned(weights::load);
    let why =
        |classes: &Classes, query: &Pyramid| block_on(classes.why(query, 1, [0.3, 0.7])).unwrap().unwrap().remove(0);
    let (found, expected) = (why(&classes, &query), why(&whole, &whole_query));
    for (found, expected) in found.levels.iter().zip(&expected.levels) {
        assert!(distance(&found.values, &expected.values) < 1e-3);
    }
}
