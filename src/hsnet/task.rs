//! HSNet as it is used: learn a thing from its supports, once, and find it in any number of queries.

use burn::Tensor;
use burn::tensor::Device;
use thiserror::Error;

use super::{Hsnet, Marked, Support, pixels};
use crate::backbone::Pyramid;
use crate::episode::Shot;
use crate::image::Picture;
use crate::weights::Header;

/// A network, and how it wants its pictures: what a weight file holds.
#[derive(Clone, Debug)]
pub struct Segmenter {
    pub header: Header,
    network: Hsnet,
    device: Device,
}

/// What has been learned from supports: all that a query needs of them.
#[derive(Clone, Debug)]
pub struct Task {
    network: Hsnet,
    supports: Vec<Support>,
}

/// Why nothing can be learned from supports.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum TaskError {
    #[error("there is no support: mark the thing in at least one picture")]
    NoSupport,
    #[error("the mask of support {0} is empty: mark the thing in that picture first")]
    EmptyMask(usize),
    #[error(
        "the mask of support {number} is {} x {} pixels and its picture {} x {}: they must be the same size",
        mask[0], mask[1], picture[0], picture[1]
    )]
    MaskSize { number: usize, mask: [usize; 2], picture: [usize; 2] },
}

impl Segmenter {
    /// `device` is the one that the network is on.
    pub fn new(header: Header, network: Hsnet, device: Device) -> Self {
        Self { header, network, device }
    }

    /// The features of a picture, resized to the network's input whatever its shape.
    pub fn features(&self, picture: &Picture) -> Pyramid {
        self.network.features(self.pixels(picture, self.header.size))
    }

    /// A picture at a size as the network takes it, `(1, 3, h, w)`.
    fn pixels(&self, picture: &Picture, [height, width]: [usize; 2]) -> Tensor<4> {
        let picture = std::iter::once(picture.resize(height, width));
        Tensor::from_data(pixels(picture, [height, width], &self.header.normalisation), &self.device)
    }

    /// Learns from supports, in order; `done` is told after each how many have been learned.
    ///
    /// # Errors
    /// If there is no support, or one's mask is empty or of another size than its picture.
    pub fn learn(&self, supports: &[Shot], mut done: impl FnMut(usize)) -> Result<Task, TaskError> {
        check(supports)?;
        let learned = supports.iter().enumerate().map(|(index, shot)| {
            let features = self.support(shot);
            done(index + 1);
            features
        });
        Ok(Task { supports: learned.collect(), network: self.network.clone() })
    }

    fn support(&self, shot: &Shot) -> Support {
        let size @ [height, width] = self.header.support_size();
        let mask = shot.mask.resize(height, width);
        self.network.support(Marked::new(self.pixels(&shot.picture, size), &[&mask], self.network.kind()))
    }
}

impl Task {
    /// How many supports it was learned from.
    pub fn shots(&self) -> usize {
        self.supports.len()
    }

    /// The logits `(1, 2, h, w)` that one support gives a query; `h` and `w` are twice the query's level 2.
    ///
    /// # Panics
    /// If there is no such shot.
    pub fn segment(&self, query: &Pyramid, shot: usize) -> Tensor<4> {
        self.network.logits(query, &self.supports[shot])
    }
}

fn check(supports: &[Shot]) -> Result<(), TaskError> {
    for (number, shot) in (1..).zip(supports) {
        let (mask, picture) = (&shot.mask, &shot.picture);
        if (mask.width, mask.height) != (picture.width, picture.height) {
            let (mask, picture) = ([mask.width, mask.height], [picture.width, picture.height]);
            return Err(TaskError::MaskSize { number, mask, picture });
        }
        if mask.area() == 0 {
            return Err(TaskError::EmptyMask(number));
        }
    }
    if supports.is_empty() { Err(TaskError::NoSupport) } else { Ok(()) }
}
