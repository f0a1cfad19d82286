//! From logits to a mask at the picture's own size: once for every method.

mod finding;
mod labels;
mod look;
mod regions;
mod stretched;

pub use finding::{ClassFinding, Finding, FindingError};
pub use labels::{labels_on, size_at};
pub use look::Look;

use burn::Tensor;

use crate::image::Mask;
use crate::readback::{self, NotReturned};
use stretched::Stretched;

/// What one shot says of a query: logits `(2, height, width)`, background first, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Logits {
    pub height: usize,
    pub width: usize,
    pub values: Vec<f32>,
}

impl Logits {
    /// Those of each sample of `(batch, 2, height, width)`, back from the device.
    ///
    /// # Errors
    /// If the device does not return them.
    pub async fn of(samples: Tensor<4>) -> Result<Vec<Self>, NotReturned> {
        let [_, _, height, width] = samples.dims();
        let values = readback::values(samples).await?;
        let samples = values.chunks_exact(2 * height * width);
        Ok(samples.map(|values| Self { height, width, values: values.to_vec() }).collect())
    }

    /// The logits that the shots give on average.
    ///
    /// # Panics
    /// If there are none, or they differ in size.
    pub fn mean(shots: &[Self]) -> Self {
        let mut mean = shots[0].clone();
        for (index, value) in mean.values.iter_mut().enumerate() {
            let sum: f32 = shots.iter().map(|shot| shot.values[index]).sum();
            *value = sum / shots.len() as f32;
        }
        mean
    }

    /// By how much the object leads the background.
    pub fn margins(&self) -> Margins {
        let (background, object) = self.values.split_at(self.height * self.width);
        let values = object.iter().zip(background).map(|(object, background)| object - background).collect();
        Margins { height: self.height, width: self.width, values }
    }
}

/// By how much one shot puts the object before the background: object logit less background logit, `(height, width)`,
/// row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Margins {
    pub height: usize,
    pub width: usize,
    pub values: Vec<f32>,
}

impl Margins {
    /// The margins at a picture's size: bilinear, corners aligned.
    pub fn resize(&self, height: usize, width: usize) -> Vec<f32> {
        let mut stretched = Stretched::new(self, height, width);
        let mut output = Vec::with_capacity(height * width);
        (0..height).for_each(|y| output.extend(stretched.row(y)));
        output
    }
}

/// The mask of `height` x `width` pixels that the shots agree on.
///
/// Each shot marks the pixels where the object's probability is above `threshold` (one half is the published rule:
/// the larger logit wins). With more than one shot they vote, and a pixel is the object if it has at least half of the
/// most votes that any pixel of this picture has (HSNet's published rule for k shots).
pub fn mask(shots: &[Logits], height: usize, width: usize, threshold: f32) -> Mask {
    vote(shots.iter().map(|shot| shot.margins().resize(height, width)), height, width, threshold)
}

/// [`mask`], from what each shot says at every pixel: by how much the object's logit leads the background's.
pub fn vote<L: AsRef<[f32]>>(leads: impl Iterator<Item = L>, height: usize, width: usize, threshold: f32) -> Mask {
    let bar = logit(threshold);
    let mut votes = vec![0u16; height * width];
    for lead in leads {
        let marked = lead.as_ref().iter().map(|&value| u16::from(value > bar));
        votes.iter_mut().zip(marked).for_each(|(votes, vote)| *votes += vote);
    }
    let most = votes.iter().copied().max().unwrap_or_default().max(1);
    let values = votes.into_iter().map(|votes| u8::from(votes > 0 && 2 * votes >= most)).collect();
    Mask { width, height, values }
}

/// The margin at which the object has a probability.
fn logit(probability: f32) -> f32 {
    (probability / (1.0 - probability)).ln()
}

/// The object's probability at a margin.
fn probability(margin: f32) -> f32 {
    1.0 / (1.0 + (-margin).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logits of one pixel whose object has the given probability.
    fn pixel(probability: f32) -> Logits {
        Logits { height: 1, width: 1, values: vec![0.0, logit(probability)] }
    }

    fn row(probabilities: &[f32]) -> Logits {
        let object = probabilities.iter().map(|&p| pixel(p).values[1]);
        let values = vec![0.0; probabilities.len()].into_iter().chain(object).collect();
        Logits { height: 1, width: probabilities.len(), values }
    }

    #[test]
    fn one_shot_takes_what_is_above_the_threshold() {
        let shot = row(&[0.2, 0.45, 0.55]);
        assert_eq!(mask(std::slice::from_ref(&shot), 1, 3, 0.5).values, [0, 0, 1]);
        assert_eq!(mask(std::slice::from_ref(&shot), 1, 3, 0.4).values, [0, 1, 1]);
    }

    #[test]
    fn a_tie_is_background() {
        assert_eq!(mask(&[pixel(0.5)], 1, 1, 0.5).values, [0]);
    }

    #[test]
    fn shots_vote_relative_to_the_most_votes_in_the_picture() {
        let shots = [row(&[0.9, 0.9, 0.1]), row(&[0.9, 0.1, 0.1]), row(&[0.9, 0.1, 0.1])];
        assert_eq!(mask(&shots, 1, 3, 0.5).values, [1, 0, 0]);
        let fewer = [row(&[0.1, 0.9, 0.1]), row(&[0.1, 0.9, 0.9]), row(&[0.1, 0.1, 0.1])];
        assert_eq!(mask(&fewer, 1, 3, 0.5).values, [0, 1, 1]);
    }

    #[test]
    fn no_votes_give_an_empty_mask() {
        assert_eq!(mask(&[pixel(0.1), pixel(0.2)], 2, 2, 0.5).area(), 0);
    }

    #[test]
    fn a_mask_has_the_size_that_was_asked_for_and_aligned_corners() {
        let logits = Logits { height: 1, width: 2, values: vec![0.0, 0.0, -1.0, 1.0] };
        let mask = mask(&[logits], 2, 5, 0.5);
        assert_eq!(mask.values, [0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
    }
}
