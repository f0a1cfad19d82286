//! The guided filter over labels: the shaders against the CPU, and both against what it is for.

mod common;

use burn::tensor::Device;
use common::{devices, wgpu};
use fewseg::image::Picture;
use fewseg::ops::{self, Sketch};

/// Three stripes that wave, each of its own colour with some grain, and their labels.
fn stripes(height: usize, width: usize) -> (Picture, Vec<u8>) {
    const COLOURS: [[u8; 3]; 3] = [[200, 60, 40], [70, 80, 90], [40, 170, 90]];
    let stripe = |at: usize| {
        let (x, y) = ((at % width) as f32 / width as f32, (at / width) as f32 / height as f32);
        ((3.0 * x + 0.4 * (9.0 * y).sin()).clamp(0.0, 2.9)) as usize
    };
    let grain = |at: usize| (at.wrapping_mul(2_654_435_761) >> 16) as u8 % 24;
    let rgb = (0..height * width).flat_map(|at| COLOURS[stripe(at)].map(|value| value + grain(at))).collect();
    let labels = (0..height * width).map(|at| [0, 5, 250][stripe(at)]).collect();
    (Picture { width, height, rgb }, labels)
}

/// The sketch of a picture whose labels are `shift` pixels of the sketch too far to the right.
fn sketch(picture: &Picture, labels: &[u8], shift: usize) -> Sketch {
    let [height, width] = Sketch::size([picture.height, picture.width]);
    let label = |at: usize| {
        let (x, y) = ((at % width).saturating_sub(shift), at / width);
        labels[y * picture.height / height * picture.width + x * picture.width / width]
    };
    Sketch { labels: (0..height * width).map(label).collect(), guide: picture.resize(height, width) }
}

/// The share of pixels that differ.
fn apart(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| a != b).count() as f64 / a.len() as f64
}

fn on(device: &Device, sketch: &Sketch, picture: &Picture) -> Vec<u8> {
    pollster::block_on(ops::guided_labels_on(device, sketch, picture)).unwrap()
}

#[test]
fn shaders_give_the_labels_of_the_cpu() {
    for [height, width] in [[300, 401], [90, 61], [7, 500], [1, 1], [1500, 3001]] {
        let (picture, labels) = stripes(height, width);
        let sketch = sketch(&picture, &labels, 3);
        let expected = ops::guided_labels(&sketch, &picture);
        // Where two labels tie, the last bit decides.
        assert!(apart(&on(&wgpu(), &sketch, &picture), &expected) < 1e-4, "{height} x {width}");
    }
}

#[test]
fn edges_that_were_off_come_to_the_picture() {
    let (picture, labels) = stripes(600, 800);
    let sketch = sketch(&picture, &labels, 4);
    let [height, width] = [sketch.guide.height, sketch.guide.width];
    let unguided: Vec<_> =
        (0..600 * 800).map(|at| sketch.labels[at / 800 * height / 600 * width + at % 800 * width / 800]).collect();
    for (name, device) in devices() {
        let found = on(&device, &sketch, &picture);
        assert!(apart(&found, &labels) < apart(&unguided, &labels) / 4.0, "{name}: {}", apart(&found, &labels));
    }
}

#[test]
fn a_gray_picture_without_edges_changes_nothing_by_much() {
    let (_, labels) = stripes(192, 192);
    let picture = Picture { width: 192, height: 192, rgb: vec![128; 192 * 192 * 3] };
    let sketch = sketch(&picture, &labels, 0);
    for (name, device) in devices() {
        let found = on(&device, &sketch, &picture);
        assert!(apart(&found, &labels) < 0.02, "{name}: {}", apart(&found, &labels));
    }
}

#[test]
fn a_label_that_is_everywhere_or_nowhere_stays() {
    let (picture, labels) = stripes(240, 320);
    for label in [0, 250] {
        let mut sketch = sketch(&picture, &labels, 0);
        sketch.labels.fill(label);
        for (name, device) in devices() {
            assert!(on(&device, &sketch, &picture).iter().all(|&found| found == label), "{name}");
        }
    }
}
