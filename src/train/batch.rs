//! Episodes side by side, as tensors.

use std::sync::Arc;

use burn::Tensor;
use burn::tensor::{Device, TensorData};

use super::Settings;
use crate::backbone::BackboneKind;
use crate::episode::{Episode, Shot};
use crate::image::Normalisation;

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
    /// Whether the support's features are masked.
    pub masking: bool,
}

/// One-shot episodes on a device.
pub struct Batch {
    /// The pictures in which to find the object, `(batch, 3, h, w)`, normalised.
    pub query: Tensor<4>,
    /// The pictures in which it is marked, likewise.
    pub support: Tensor<4>,
    /// Where it is marked, softened to the planes of levels 2, 3 and 4: `(batch, 1, h, w)` each. None without masking.
    pub support_masks: Option<[Tensor<4>; 3]>,
    /// Where it is in the query: 1 there and 0 elsewhere, `(batch, 1, h, w)`.
    pub target: Tensor<4>,
    /// The episodes themselves, for the metrics.
    pub episodes: Arc<[(Role, Arc<Episode>)]>,
}

/// The same in ordinary memory, so that any thread may prepare it.
pub struct Prepared {
    query: TensorData,
    support: TensorData,
    support_masks: Option<[TensorData; 3]>,
    target: TensorData,
    episodes: Arc<[(Role, Arc<Episode>)]>,
}

impl Batching {
    /// As a training's settings want it.
    pub fn of(settings: &Settings) -> Self {
        Self {
            backbone: settings.backbone,
            size: settings.size,
            normalisation: Normalisation::IMAGENET,
            masking: settings.masking,
        }
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
        let target = queries().flat_map(|shot| shot.mask.values.iter().map(|&value| f32::from(value)));
        Prepared {
            query: self.pictures(queries()),
            support: self.pictures(supports()),
            support_masks: self.masking.then(|| self.backbone.planes(self.size).map(soften)),
            target: plane([height, width], target.collect()),
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
        Batch {
            query: Tensor::from_data(self.query, device),
            support: Tensor::from_data(self.support, device),
            support_masks: self.support_masks.map(|masks| masks.map(|mask| Tensor::from_data(mask, device))),
            target: Tensor::from_data(self.target, device),
            episodes: self.episodes,
        }
    }
}
