//! HSNet as it is used: learn a thing from its supports, once, and find it in any number of queries.

use std::time::Duration;

use burn::Tensor;
use burn::tensor::Device;
use thiserror::Error;

use super::{Hsnet, Masks, Stages, Support, Timed, pixels};
use crate::backbone::{BackboneKind, Pyramid};
use crate::episode::Shot;
use crate::image::Picture;
use crate::ops::Keep;
use crate::readback::{self, NotReturned};
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

    /// The features of pictures, one a sample, each resized to the network's input whatever its shape.
    pub fn features(&self, pictures: &[&Picture]) -> Pyramid {
        self.network.features(self.pixels(pictures, self.header.size))
    }

    /// Pictures at a size as the network takes them, `(batch, 3, h, w)`.
    fn pixels(&self, pictures: &[&Picture], [height, width]: [usize; 2]) -> Tensor<4> {
        let pictures = pictures.iter().map(|picture| picture.resize(height, width));
        Tensor::from_data(pixels(pictures, [height, width], &self.header.normalisation), &self.device)
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
        Ok(self.task(learned.collect()))
    }

    /// What one picture teaches, whatever is marked in it.
    pub fn support(&self, shot: &Shot) -> Support {
        let (size @ [height, width], kind) = (self.header.support_size(), self.network.kind());
        let masks = Masks::new(&[&shot.mask.resize(height, width)], kind);
        let masks = match &shot.unsure {
            Some(unsure) => masks.unsure(&[&unsure.resize(height, width)], kind),
            None => masks,
        };
        self.network.support(masks.beside(self.pixels(&[&shot.picture], size)))
    }

    /// The task of supports that have been learned already, by this network.
    pub fn task(&self, supports: Vec<Support>) -> Task {
        Task { network: self.network.clone(), supports }
    }

    /// The backbone of its network.
    pub fn kind(&self) -> BackboneKind {
        self.network.kind()
    }

    /// How features are kept on its device.
    pub fn keep(&self) -> Keep {
        self.network.keep(&self.device)
    }

    /// The device that its network is on.
    pub fn device(&self) -> &Device {
        &self.device
    }
}

impl Task {
    /// How many supports it was learned from.
    pub fn shots(&self) -> usize {
        self.supports.len()
    }

    /// The logits `(batch, 2, h, w)` that one support gives queries, one a sample; `h` and `w` are twice the queries'
    /// level 2.
    ///
    /// # Panics
    /// If there is no such shot.
    pub fn segment(&self, query: &Pyramid, shot: usize) -> Tensor<4> {
        self.network.logits(query, &self.supports[shot])
    }

    /// [`Task::segment`] and, before it, the features of the query, with the time that each stage took.
    ///
    /// # Errors
    /// If the device does not do a stage, or does not return its time.
    ///
    /// # Panics
    /// If there is no such shot.
    pub async fn times(
        &self,
        segmenter: &Segmenter,
        query: &Picture,
        shot: usize,
    ) -> Result<Vec<(&'static str, Option<Duration>)>, NotReturned> {
        let mut timed = Timed::on(&segmenter.device);
        let query = timed.stage("features", || segmenter.features(&[query]))?;
        let logits = self.network.logits_in_stages(&query, &self.supports[shot], &mut timed)?;
        readback::values(logits).await?;
        Ok(timed.times().await)
    }

    /// What it was learned from, in order.
    pub fn supports(&self) -> &[Support] {
        &self.supports
    }

    /// How like each place of one support the query is at one place, `[across, down]` in 0..1: for levels 2, 3 and 4 the
    /// mean of the layers' correlations, as the network sees them, `(h, w)` of the support's level, in 0..1.
    ///
    /// # Panics
    /// If there is no such shot.
    pub fn likeness(&self, query: &Pyramid, shot: usize, [x, y]: [f64; 2]) -> [Tensor<2>; 3] {
        let [across, down] = [x, y].map(|place| move |count: usize| ((place * count as f64) as usize).min(count - 1));
        [0, 1, 2].map(|level| {
            let [_, _, height, width] = query.levels[level].dims();
            // The correlation is the same the other way round; and so it can be had of one row of the query, without
            // slicing features that may be in half precision.
            let (support, row) = (&self.supports[shot].object, down(height));
            let row = self.network.correlate_rows(level, support, query, row..row + 1);
            row.narrow(5, across(width), 1).mean_dim(1).squeeze_dims(&[0, 1, 4, 5])
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::BackboneKind;
    use crate::hsnet::Design;
    use crate::image::Mask;
    use crate::ops;

    fn picture(side: usize, seed: usize) -> Picture {
        Picture { width: side, height: side, rgb: (0..3 * side * side).map(|i| (i * seed % 251) as u8).collect() }
    }

    #[test]
    fn likeness_is_the_correlation_at_one_place_averaged_over_the_layers() {
        const KIND: BackboneKind = BackboneKind::MobilenetV2;
        let (device, header) = (Device::flex(), Header::hsnet(KIND, [96, 64]));
        let segmenter = Segmenter::new(header, Hsnet::init(KIND, Design::default(), &device), device);
        let mask = Mask { width: 64, height: 64, values: (0..64 * 64).map(|i| u8::from(i % 64 < 40)).collect() };
        let task = segmenter.learn(&[Shot { picture: picture(64, 31), mask, unsure: None }], |_| {}).unwrap();
        let query = segmenter.features(&[&picture(64, 57)]);
        for place in [[0.0, 0.0], [0.3, 0.7], [1.0, 1.0]] {
            for (level, likeness) in task.likeness(&query, 0, place).into_iter().enumerate() {
                let (features, object) = (&query.levels[level], &task.supports[0].object.levels[level]);
                let whole = ops::correlation(features.clone(), object.clone(), &KIND.widths()[level]);
                let [_, layers, height, width, h, w] = whole.dims();
                assert_eq!(likeness.dims(), [h, w]);
                let row = ((place[1] * height as f64) as usize).min(height - 1);
                let column = ((place[0] * width as f64) as usize).min(width - 1);
                let whole: Vec<f32> = whole.into_data().iter().collect();
                let at = |layer: usize, s: usize| whole[((layer * height + row) * width + column) * h * w + s];
                for (s, found) in likeness.into_data().iter::<f32>().enumerate() {
                    let expected = (0..layers).map(|layer| at(layer, s)).sum::<f32>() / layers as f32;
                    assert!((found - expected).abs() < 1e-5, "{found} where {expected}");
                }
            }
        }
    }
}
