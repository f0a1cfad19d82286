//! The network's designs: how supports are masked, and the decoder's guide.

mod common;

use burn::Tensor;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Distribution, Tolerance};
use common::numeric::random;
use common::{devices, distance, formula_checkpoint, left_half};
use fewseg::backbone::BackboneKind;
use fewseg::hsnet::{Design, Hsnet, Marked, Masking};
use fewseg::weights::import_arrays;

const KIND: BackboneKind = BackboneKind::MobilenetV2;
const SIDE: usize = 64;
/// Level 2's positions along a side, and those of them that the mask covers.
const PLANE: usize = 8;
const COVERED: usize = 4;

fn network(masking: Masking, guided: bool) -> Hsnet {
    Hsnet::init(KIND, Design { masking, guided, ..Design::default() }, &Device::flex())
}

fn pictures() -> Tensor<4> {
    random([1, 3, SIDE, SIDE], &Device::flex())
}

fn marked(pictures: Tensor<4>) -> Marked {
    Marked::new(pictures, &[&left_half(SIDE)], KIND)
}

/// Level 2's features in some of its columns.
fn columns(level2: Tensor<4>, start: usize, end: usize) -> Vec<f32> {
    level2.narrow(3, start, end - start).into_data().iter().collect()
}

#[test]
fn features_outside_the_object_are_masked_or_blanked_or_kept() {
    let pictures = pictures();
    for masking in [Masking::Features, Masking::Hybrid, Masking::None] {
        let network = network(masking, false);
        let plain = network.features(pictures.clone()).levels[0].clone();
        let marked = marked(pictures.clone());
        let blanked = network.features(pictures.clone() * marked.mask.clone()).levels[0].clone();
        let [object, ..] = network.support(marked).object.levels;
        assert_eq!(columns(object.clone(), 0, COVERED), columns(plain.clone(), 0, COVERED), "{masking:?}");
        let outside = columns(object, COVERED, PLANE);
        match masking {
            Masking::Features => assert!(outside.iter().all(|&value| value == 0.0)),
            Masking::Hybrid => assert_eq!(outside, columns(blanked, COVERED, PLANE)),
            Masking::None => assert_eq!(outside, columns(plain, COVERED, PLANE)),
        }
    }
}

#[test]
fn an_untrained_guide_changes_nothing() {
    let (plain, query, support) = (network(Masking::Features, false), pictures(), pictures());
    let guided = plain.clone().redesign(Design { guided: true, ..plain.design() }, &Device::flex());
    assert!(guided.num_params() > plain.num_params());
    let logits = |network: &Hsnet| network.forward(query.clone(), marked(support.clone())).into_data();
    logits(&guided).assert_approx_eq::<f32>(&logits(&plain), Tolerance::rel_abs(1e-5, 1e-5));
}

/// Gives every parameter that is nothing but zeros some value.
struct Wake;

impl ModuleMapper for Wake {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| match tensor.clone().abs().max().into_scalar::<f32>() == 0.0 {
            true => tensor.random_like(Distribution::Uniform(-1.0, 1.0)),
            false => tensor,
        })
    }
}

#[test]
fn a_guide_sees_the_supports_background_and_the_plain_network_does_not() {
    let (query, support) = (pictures(), pictures());
    // The same object before another background.
    let on_object = marked(support.clone()).mask;
    let elsewhere = support.clone() * on_object.clone() + pictures() * (1.0 - on_object);
    let sides = |network: &Hsnet| network.support(marked(support.clone())).sides;
    assert!(sides(&network(Masking::Features, false)).is_none());
    let (_, imported) = import_arrays(formula_checkpoint(KIND), KIND, &Device::flex()).unwrap();
    let guided = imported.redesign(Design { guided: true, ..Design::default() }, &Device::flex()).map(&mut Wake);
    let mut seen = guided.support(marked(support.clone()));
    let before: Vec<f32> = guided.logits(&guided.features(query.clone()), &seen).into_data().iter().collect();
    let other = guided.support(marked(elsewhere));
    seen.sides = other.sides;
    let after: Vec<f32> = guided.logits(&guided.features(query), &seen).into_data().iter().collect();
    assert!(distance(&after, &before) > 1e-3, "{:.1e}", distance(&after, &before));
}

#[test]
fn both_devices_agree_on_every_design() {
    let (query, support) = (pictures(), pictures());
    for masking in [Masking::Hybrid, Masking::None] {
        let network = network(masking, true).map(&mut Wake);
        let [cpu, wgpu] = devices().map(|(_, device)| -> Vec<f32> {
            let network = network.clone().to_device(&device);
            let marked = marked(support.clone().to_device(&device));
            network.forward(query.clone().to_device(&device), marked).into_data().iter().collect()
        });
        assert!(distance(&wgpu, &cpu) < 1e-4, "{masking:?}: {:.1e}", distance(&wgpu, &cpu));
    }
}
