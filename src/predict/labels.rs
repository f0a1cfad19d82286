//! From what was found in a picture to its labels.

use std::borrow::Cow;

use burn::tensor::Device;

use super::regions::{drop_small, fill_holes};
use super::stretched::Stretched;
use super::{ClassFinding, Finding, Look, logit, probability};
use crate::annotation::Labels;
use crate::image::Picture;
use crate::ops::{self, Sketch};
use crate::readback::NotReturned;

/// The labels of `size` = (height, width) pixels that a finding comes to under a look.
///
/// A pixel goes to the most probable class, by the mean of its shots' probabilities, if that is above the threshold.
/// Then edges follow `guide`, the picture, at any size, as [`ops::guided_labels`] tells; without a guide they stay. Then
/// regions (connected over sides and corners) that are too small are dropped, and last, holes (background connected over
/// sides, enclosed by a single class) are filled.
///
/// # Errors
/// If the device fails.
pub async fn labels_on(
    device: &Device,
    finding: &Finding,
    look: &Look,
    guide: Option<&Picture>,
    size: [usize; 2],
) -> Result<Labels, NotReturned> {
    let Some(picture) = guide.filter(|_| look.edges) else {
        return Ok(tidied(marked(finding, look.threshold, size), look, size));
    };
    let picture = at_size(picture, size);
    let values = ops::guided_labels_on(device, &sketch(finding, look, &picture), &picture).await?;
    Ok(tidied(values, look, size))
}

/// The size, (height, width), of a finding's labels: the picture's own, or of its shape at `width` if that is less.
pub fn size_at(finding: &Finding, width: Option<usize>) -> [usize; 2] {
    let width = width.unwrap_or(finding.width).clamp(1, finding.width);
    let height = (finding.height * width + finding.width / 2) / finding.width;
    [height.max(1), width]
}

fn at_size(picture: &Picture, [height, width]: [usize; 2]) -> Cow<'_, Picture> {
    match [picture.height, picture.width] == [height, width] {
        true => Cow::Borrowed(picture),
        false => Cow::Owned(picture.resize(height, width)),
    }
}

fn sketch(finding: &Finding, look: &Look, picture: &Picture) -> Sketch {
    let size = Sketch::size([picture.height, picture.width]);
    Sketch { labels: marked(finding, look.threshold, size), guide: picture.resize(size[0], size[1]) }
}

fn tidied(mut values: Vec<u8>, look: &Look, [height, width]: [usize; 2]) -> Labels {
    if look.smallest > 0.0 {
        drop_small(&mut values, width, f64::from(look.smallest) * (width * height) as f64);
    }
    if look.fill {
        fill_holes(&mut values, width);
    }
    Labels { width, height, values }
}

/// The most probable class of each pixel, where one reaches the threshold.
fn marked(finding: &Finding, threshold: f32, [height, width]: [usize; 2]) -> Vec<u8> {
    let bar = logit(threshold);
    let mut classes: Vec<_> = finding.classes.iter().map(|class| Agreement::new(class, height, width)).collect();
    let mut labels = vec![0; height * width];
    for (y, labels) in labels.chunks_exact_mut(width).enumerate() {
        let mut best = vec![bar; width];
        for class in &mut classes {
            let number = class.number;
            for ((label, best), &margin) in labels.iter_mut().zip(&mut best).zip(class.row(y)) {
                if margin > *best {
                    (*label, *best) = (number, margin);
                }
            }
        }
    }
    labels
}

/// What a class's shots say together: the mean of their probabilities, as a margin. Unlike by HSNet's vote, where one
/// shot of two is enough, each further shot counts alike: of unseen classes, 5 shots found more than 3, and 3 more than
/// 2; by the vote, fewer.
struct Agreement<'a> {
    number: u8,
    shots: Vec<Stretched<'a>>,
    margins: Vec<f32>,
}

impl<'a> Agreement<'a> {
    fn new(class: &'a ClassFinding, height: usize, width: usize) -> Self {
        let shots = class.shots.iter().map(|shot| Stretched::new(shot, height, width));
        Self { number: class.number, shots: shots.collect(), margins: vec![0.0; width] }
    }

    fn row(&mut self, y: usize) -> &[f32] {
        if let [only] = self.shots.as_mut_slice() {
            self.margins.iter_mut().zip(only.row(y)).for_each(|(to, margin)| *to = margin);
            return &self.margins;
        }
        self.margins.fill(0.0);
        let share = 1.0 / self.shots.len() as f32;
        for shot in &mut self.shots {
            self.margins.iter_mut().zip(shot.row(y)).for_each(|(mean, margin)| *mean += share * probability(margin));
        }
        self.margins.iter_mut().for_each(|mean| *mean = logit(mean.clamp(f32::EPSILON, 1.0 - f32::EPSILON)));
        &self.margins
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::{self, Logits, Margins};
    use proptest::prelude::*;

    fn labels(finding: &Finding, look: &Look, guide: Option<&Picture>, size: [usize; 2]) -> Labels {
        pollster::block_on(labels_on(&Device::flex(), finding, look, guide, size)).unwrap()
    }

    fn row(number: u8, shots: &[&[f32]]) -> ClassFinding {
        let shots = shots.iter().map(|&values| Margins { height: 1, width: values.len(), values: values.to_vec() });
        ClassFinding { number, shots: shots.collect() }
    }

    fn found(classes: Vec<ClassFinding>) -> Finding {
        Finding { width: 4, height: 1, classes }
    }

    fn plain(finding: &Finding) -> Vec<u8> {
        labels(finding, &Look::plain(0.5), None, [finding.height, finding.width]).values
    }

    #[test]
    fn a_pixel_goes_to_the_most_probable_class() {
        let finding = found(vec![row(3, &[&[2.0, 2.0, -1.0, -1.0]]), row(7, &[&[1.0, 3.0, 1.0, -2.0]])]);
        assert_eq!(plain(&finding), [3, 7, 7, 0]);
    }

    #[test]
    fn of_several_shots_the_mean_probability_counts() {
        // 0.5 of sure and sure not; 0.73 of twice the same.
        let divided = row(1, &[&[9.0; 4], &[-9.0; 4]]);
        assert_eq!(plain(&found(vec![divided.clone(), row(2, &[&[1.0; 4], &[1.0; 4]])])), [2; 4]);
        let labels = |threshold| labels(&found(vec![divided.clone()]), &Look::plain(threshold), None, [1, 4]).values;
        assert_eq!([labels(0.45), labels(0.55)], [[1; 4], [0; 4]]);
    }

    #[test]
    fn nothing_asked_is_nothing_found() {
        assert_eq!(plain(&found(vec![])), [0; 4]);
    }

    /// A ring of class 1, and a speck of it in a corner.
    fn ring() -> Finding {
        let margin = |at: usize| {
            let (x, y) = ((at % 32) as f32 - 15.5, (at / 32) as f32 - 15.5);
            let distance = (x * x + y * y).sqrt();
            if (6.0..12.0).contains(&distance) || (x < -14.0 && y < -14.0) { 4.0 } else { -4.0 }
        };
        let shot = Margins { height: 32, width: 32, values: (0..32 * 32).map(margin).collect() };
        Finding { width: 32, height: 32, classes: vec![ClassFinding { number: 1, shots: vec![shot] }] }
    }

    #[test]
    fn small_regions_are_dropped_and_holes_filled_where_that_is_asked() {
        let look = |smallest, fill| Look { smallest, fill, ..Look::plain(0.5) };
        let at = |look: Look, x: usize, y: usize| labels(&ring(), &look, None, [32, 32]).values[32 * y + x];
        let (corner, centre) = ((0, 0), (16, 16));
        for (smallest, fill) in [(0.0, false), (0.0, true), (0.1, false), (0.1, true)] {
            assert_eq!(at(look(smallest, fill), corner.0, corner.1), u8::from(smallest == 0.0));
            assert_eq!(at(look(smallest, fill), centre.0, centre.1), u8::from(fill));
        }
    }

    #[test]
    fn without_a_guide_edges_stay() {
        let look = Look { edges: true, ..Look::plain(0.5) };
        assert_eq!(labels(&ring(), &look, None, [64, 48]), labels(&ring(), &Look::plain(0.5), None, [64, 48]));
    }

    #[test]
    fn edges_move_to_those_of_a_guide_of_any_size() {
        // A bright stripe, and what was found of it: 4 pixels too few at the left, 4 too many at the right.
        let rgb = (0..200 * 200).flat_map(|at| [if (60..140).contains(&(at % 200)) { 230 } else { 20 }; 3]).collect();
        let picture = Picture { width: 200, height: 200, rgb };
        let values = (0..50 * 50).map(|at| if (16..36).contains(&(at % 50)) { 2.0 } else { -2.0 }).collect();
        let shots = vec![Margins { height: 50, width: 50, values }];
        let finding = Finding { width: 200, height: 200, classes: vec![ClassFinding { number: 9, shots }] };
        let wrong = |edges: bool, side: usize| {
            let found = labels(&finding, &Look { edges, ..Look::plain(0.5) }, Some(&picture), [side, side]);
            let expected = |at: usize| 9 * u8::from((60..140).contains(&(at % side * 200 / side)));
            found.values.iter().enumerate().filter(|&(at, &label)| label != expected(at)).count()
        };
        for side in [200, 100, 400] {
            let (before, after) = (wrong(false, side), wrong(true, side));
            assert!(2 * after <= before, "{after} of {before} pixels are still wrong at {side}");
        }
    }

    proptest! {
        #[test]
        fn one_class_of_one_shot_that_nothing_is_done_to_is_the_mask(
            (values, height, width) in (1usize..6, 1usize..6).prop_flat_map(|(height, width)| {
                let values = prop::collection::vec(-4f32..4.0, 2 * height * width);
                (values, Just(height), Just(width))
            }),
            threshold in 0.05f32..0.95,
            size in [1usize..40, 1usize..40],
        ) {
            let shot = Logits { height, width, values };
            let class = ClassFinding { number: 1, shots: vec![shot.margins()] };
            let finding = Finding { width: size[1], height: size[0], classes: vec![class] };
            let mask = predict::mask(&[shot], size[0], size[1], threshold);
            prop_assert_eq!(labels(&finding, &Look::plain(threshold), None, size).values, mask.values);
        }

        #[test]
        fn labels_are_of_the_classes_and_of_the_size(
            values in prop::collection::vec(-4f32..4.0, 2 * 9),
            colours in prop::collection::vec(0u8.., 3 * 20 * 15),
            size in [1usize..50, 1usize..50],
            smallest in 0f32..0.5,
            fill: bool,
        ) {
            let shot = |values: &[f32]| vec![Margins { height: 3, width: 3, values: values.to_vec() }];
            let class = |number, values| ClassFinding { number, shots: shot(values) };
            let classes = vec![class(250, &values[..9]), class(4, &values[9..])];
            let finding = Finding { width: 20, height: 15, classes };
            let picture = Picture { width: 20, height: 15, rgb: colours };
            let look = Look { threshold: 0.5, smallest, fill, edges: true };
            let found = labels(&finding, &look, Some(&picture), size);
            prop_assert_eq!(found.values.len(), size[0] * size[1]);
            prop_assert!(found.values.iter().all(|label| [0, 4, 250].contains(label)));
        }
    }
}
