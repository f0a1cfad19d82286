//! mIoU and FB-IoU as few-shot segmentation counts them: pixels summed over all episodes of a
//! class first, then divided, then averaged (Shaban et al., BMVC 2017; Rakelly et al., ICLRW 2018).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::image::Mask;

const BACKGROUND: usize = 0;
const OBJECT: usize = 1;

/// Pixels in the intersection and in the union of prediction and truth: `[background, object]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Overlap {
    pub intersection: [u64; 2],
    pub union: [u64; 2],
}

impl Overlap {
    /// Counts one picture. `prediction` says of each pixel whether it is object, `truth` is the
    /// mask of the same pixels, and pixels marked in `ignore` do not count.
    pub fn count(prediction: impl IntoIterator<Item = bool>, truth: &Mask, ignore: Option<&Mask>) -> Self {
        let mut overlap = Self::default();
        for (i, (object, &truth)) in prediction.into_iter().zip(&truth.values).enumerate() {
            if ignore.is_some_and(|ignore| ignore.values[i] != 0) {
                continue;
            }
            let (object, truth) = (usize::from(object), usize::from(truth != 0));
            overlap.intersection[truth] += u64::from(object == truth);
            overlap.union[truth] += 1;
            overlap.union[object] += u64::from(object != truth);
        }
        overlap
    }

    /// The object's IoU, in percent; 0 where neither has it.
    pub fn iou(&self) -> f64 {
        100.0 * self.share(OBJECT)
    }

    fn add(&mut self, other: &Self) {
        for side in 0..2 {
            self.intersection[side] += other.intersection[side];
            self.union[side] += other.union[side];
        }
    }

    fn share(&self, side: usize) -> f64 {
        self.intersection[side] as f64 / self.union[side].max(1) as f64
    }
}

/// The tally over many episodes, by class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    classes: BTreeMap<usize, Overlap>,
}

impl Score {
    /// A tally in which each of `classes` counts, even one that no episode shows (with 0).
    pub fn over(classes: impl IntoIterator<Item = usize>) -> Self {
        let classes = classes.into_iter().map(|class| (class, Overlap::default()));
        Self { classes: classes.collect() }
    }

    /// Adds one picture of a class.
    pub fn add(&mut self, class: usize, overlap: &Overlap) {
        self.classes.entry(class).or_default().add(overlap);
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Each class with its pixels.
    pub fn by_class(&self) -> impl Iterator<Item = (usize, Overlap)> {
        self.classes.iter().map(|(&class, &overlap)| (class, overlap))
    }

    /// Mean over the classes of the object's IoU, in percent; 0 when there is no class.
    pub fn miou(&self) -> f64 {
        self.classes.values().map(Overlap::iou).sum::<f64>() / self.classes.len().max(1) as f64
    }

    /// Mean of the IoU of all objects and the IoU of all backgrounds, in percent.
    pub fn fb_iou(&self) -> f64 {
        let mut total = Overlap::default();
        for overlap in self.classes.values() {
            total.add(overlap);
        }
        100.0 * (total.share(BACKGROUND) + total.share(OBJECT)) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(values: &[u8]) -> Mask {
        Mask { width: values.len(), height: 1, values: values.to_vec() }
    }

    fn overlap(prediction: &[u8], truth: &[u8]) -> Overlap {
        Overlap::count(prediction.iter().map(|&p| p != 0), &mask(truth), None)
    }

    #[test]
    fn pixels_are_counted_on_both_sides() {
        let counted = overlap(&[1, 1, 0, 0, 0], &[1, 0, 1, 0, 0]);
        assert_eq!(counted.intersection, [2, 1]);
        assert_eq!(counted.union, [4, 3]);
    }

    #[test]
    fn ignored_pixels_do_not_count() {
        let truth = mask(&[1, 1, 0]);
        let ignore = mask(&[0, 1, 1]);
        let counted = Overlap::count([true, false, true], &truth, Some(&ignore));
        assert_eq!((counted.intersection, counted.union), ([0, 1], [0, 1]));
    }

    /// Class 3: (1 + 2) of (3 + 2) pixels, not the mean of 1/3 and 2/2. Class 7: 0 of 2.
    #[test]
    fn classes_are_summed_before_they_are_divided() {
        let mut score = Score::default();
        score.add(3, &overlap(&[1, 1, 0, 0], &[1, 0, 1, 0]));
        score.add(3, &overlap(&[1, 1, 0, 0], &[1, 1, 0, 0]));
        score.add(7, &overlap(&[1, 0, 0, 0], &[0, 1, 0, 0]));
        let ious: Vec<_> = score.by_class().map(|(class, overlap)| (class, overlap.iou())).collect();
        assert_eq!(ious, [(3, 60.0), (7, 0.0)]);
        assert_eq!(score.miou(), 30.0);
        // Objects: 3 of 7. Backgrounds: (1 + 2 + 2) of (3 + 2 + 4).
        let expected = 100.0 * (3.0 / 7.0 + 5.0 / 9.0) / 2.0;
        assert!((score.fb_iou() - expected).abs() < 1e-12);
    }

    #[test]
    fn a_class_that_never_shows_counts_as_zero() {
        let mut score = Score::over([0, 1]);
        score.add(0, &overlap(&[1], &[1]));
        assert_eq!(score.miou(), 50.0);
    }
}
