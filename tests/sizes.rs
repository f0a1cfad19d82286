//! Inputs of any size: not square, not a multiple of anything, query and support unlike each other.

mod common;

use burn::Tensor;
use burn::tensor::Device;
use common::numeric::random;
use fewseg::backbone::BackboneKind;
use fewseg::episode::Shot;
use fewseg::hsnet::{Design, Hsnet, Segmenter, Support, TaskError};
use fewseg::image::{Mask, Picture};
use fewseg::weights::Header;

fn pictures([height, width]: [usize; 2]) -> Tensor<4> {
    random([1, 3, height, width], &Device::flex())
}

fn check(kind: BackboneKind, query: [usize; 2], support: [usize; 2]) {
    let network = Hsnet::init(kind, Design::default(), &Device::flex());
    let features = network.features(pictures(query));
    for (level, [height, width]) in features.levels.iter().zip(kind.planes(query)) {
        let [_, _, h, w] = level.dims();
        assert_eq!([h, w], [height, width]);
    }
    let support = Support { object: network.features(pictures(support)), sides: None };
    let logits = network.logits(&features, &support);
    let [height, width] = kind.planes(query)[0];
    assert_eq!(logits.dims(), [1, 2, 2 * height, 2 * width]);
    assert!(logits.into_data().iter::<f32>().all(f32::is_finite));
}

#[test]
fn oblong_and_odd() {
    check(BackboneKind::MobilenetV2, [97, 161], [97, 161]);
    check(BackboneKind::Resnet50, [65, 40], [65, 40]);
}

#[test]
fn a_query_unlike_its_support() {
    check(BackboneKind::MobilenetV2, [64, 128], [300, 96]);
}

#[test]
fn vgg_where_its_levels_squeeze_to_different_planes() {
    // 264 pixels: level 2 has 33 positions and squeezes to 2, level 3 has 16 and squeezes to 1.
    check(BackboneKind::Vgg16, [264, 64], [264, 64]);
}

fn segmenter() -> Segmenter {
    let device = Device::flex();
    let kind = BackboneKind::MobilenetV2;
    Segmenter::new(Header::hsnet(kind, [64, 64]), Hsnet::init(kind, Design::default(), &device), device)
}

fn shot(width: usize, height: usize, marked: usize) -> Shot {
    let values = (0..width * height).map(|index| u8::from(index < marked)).collect();
    Shot {
        picture: Picture { width, height, rgb: (0..3 * width * height).map(|i| (i * 31 % 251) as u8).collect() },
        mask: Mask { width, height, values },
        unsure: None,
    }
}

#[test]
fn every_shot_is_learned_and_gives_logits() {
    let segmenter = segmenter();
    let mut told = Vec::new();
    let shots = [shot(50, 70, 900), shot(80, 20, 700), shot(64, 64, 64)];
    let task = segmenter.learn(&shots, |done| told.push(done)).unwrap();
    assert_eq!((task.shots(), told), (3, vec![1, 2, 3]));
    let features = segmenter.features(&[&shots[0].picture]);
    assert_eq!(task.segment(&features, 2).dims(), [1, 2, 16, 16]);
}

#[test]
fn nothing_is_learned_from_nothing() {
    let learn = |shots: &[Shot]| segmenter().learn(shots, |_| {}).map(|_| ()).unwrap_err();
    assert_eq!(learn(&[]), TaskError::NoSupport);
    assert_eq!(learn(&[shot(8, 8, 3), shot(8, 8, 0)]), TaskError::EmptyMask(2));
    let mut odd = shot(8, 8, 3);
    odd.mask.width = 4;
    odd.mask.values.truncate(32);
    assert!(matches!(learn(&[odd]), TaskError::MaskSize { number: 1, .. }));
}
