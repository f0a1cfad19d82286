//! Episodes side by side, as tensors.

use std::sync::Arc;

use burn::Tensor;
use burn::tensor::{Device, TensorData};

use super::Settings;
use crate::backbone::BackboneKind;
use crate::episode::{Episode, Shot};
use crate::hsnet::Marked;
use crate::image::{Mask, Normalisation};

/// What an episode is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To learn from.
    Learning,
    /// To choose the threshold on.
    HeldOut,
    /// To report on.
    Novel,
}

/// How episodes become tensors.
#[derive(Clone, Copy, Debug)]
pub struct Batching {
    pub backbone: BackboneKind,
    /// Height and width of every picture.
    pub size: [usize; 2],
    pub normalisation: Normalisation,
}

/// One-shot episodes on a device.
pub struct Batch {
    /// The pictures in which to find the object, `(batch, 3, h, w)`, normalised.
    pub query: Tensor<4>,
    /// The pictures in which it is marked.
    pub support: Marked,
    /// Where it is in the query: 1 there and 0 elsewhere, `(batch, 1, h, w)`.
    pub target: Tensor<4>,
    /// The episodes themselves, for the metrics.
    pub episodes: Arc<[(Role, Arc<Episode>)]>,
}

/// The same in ordinary memory, so that any thread may prepare it.
pub struct Prepared {
    query: TensorData,
    support: TensorData,
    mask: TensorData,
    planes: [TensorData; 3],
    target: TensorData,
    episodes: Arc<[(Role, Arc<Episode>)]>,
}

impl Batching {
    /// As a training's settings want it.
    pub fn of(settings: &Settings) -> Self {
        Self { backbone: settings.backbone, size: settings.size, normalisation: Normalisation::IMAGENET }
    }

    /// Lays episodes side by side; each has one support and pictures of the batching's size.
    pub fn prepare(&self, episodes: Vec<(Role, Arc<Episode>)>) -> Prepared {
        let [height, width] = self.size;
        let queries = || episodes.iter().map(|(_, episode)| &episode.query);
        let supports = || episodes.iter().map(|(_, episode)| &episode.supports[0]);
        let plane =
            |[height, width]: [usize; 2], values: Vec<f32>| TensorData::new(values, [episodes.len(), 1, height, width]);
        let soften = |[height, width]: [usize; 2]| {
            plane([height, width], supports().flat_map(|shot| shot.mask.soften(height, width)).collect())
        };
        let full = |mask: &Mask| mask.values.iter().map(|&value| f32::from(value)).collect::<Vec<_>>();
        Prepared {
            query: self.pictures(queries()),
            support: self.pictures(supports()),
            mask: plane([height, width], supports().flat_map(|shot| full(&shot.mask)).collect()),
            planes: self.backbone.planes(self.size).map(soften),
            target: plane([height, width], queries().flat_map(|shot| full(&shot.mask)).collect()),
            episodes: episodes.into(),
        }
    }

    fn pictures<'a>(&self, shots: impl ExactSizeIterator<Item = &'a Shot>) -> TensorData {
        let [height, width] = self.size;
        let shape = [shots.len(), 3, height, width];
        let values = shots.flat_map(|shot| shot.picture.normalise(&self.normalisation));
        TensorData::new(values.collect::<Vec<_>>(), shape)
    }
}

impl Prepared {
    /// The batch on a device.
    pub fn on(self, device: &Device) -> Batch {
        let tensor = |data| Tensor::from_data(data, device);
        Batch {
            query: tensor(self.query),
            support: Marked {
                pictures: tensor(self.support),
                mask: tensor(self.mask),
                planes: self.planes.map(tensor),
            },
            target: tensor(self.target),
            episodes: self.episodes,
        }
    }
}
