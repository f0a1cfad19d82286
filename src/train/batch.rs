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

/// Episodes on a device.
pub struct Batch {
    /// The pictures in which to find the object, `(batch, 3, h, w)`, normalised.
    pub query: Tensor<4>,
    /// The first support of every episode, then the second of every one, and so on.
    pub shots: Vec<Supports>,
    /// Where it is in the query: 1 there and 0 elsewhere, `(batch, 1, h, w)`.
    pub target: Tensor<4>,
    /// The episodes themselves, for the metrics.
    pub episodes: Arc<[(Role, Arc<Episode>)]>,
}

/// One support of every episode.
pub struct Supports {
    /// The pictures in which the object is marked, `(batch, 3, h, w)`, normalised.
    pub pictures: Tensor<4>,
    /// Where it is marked, softened to the planes of levels 2, 3 and 4: `(batch, 1, h, w)` each. None without masking.
    pub masks: Option<[Tensor<4>; 3]>,
}

/// The same in ordinary memory, so that any thread may prepare it.
pub struct Prepared {
    query: TensorData,
    shots: Vec<(TensorData, Option<[TensorData; 3]>)>,
    target: TensorData,
    episodes: Arc<[(Role, Arc<Episode>)]>,
}

impl Batching {
    /// As a training's settings want it.
    pub fn of(settings: &Settings) -> Self {
        Self {
            backbone: settings.backbone,
            size: settings.recipe.plane(),
            normalisation: Normalisation::IMAGENET,
            masking: settings.masking,
        }
    }

    /// Lays episodes side by side; all have as many supports, and pictures of the batching's size.
    pub fn prepare(&self, episodes: Vec<(Role, Arc<Episode>)>) -> Prepared {
        let queries = || episodes.iter().map(|(_, episode)| &episode.query);
        let target = queries().flat_map(|shot| shot.mask.values.iter().map(|&value| f32::from(value)));
        let shots = episodes.first().map_or(0, |(_, episode)| episode.supports.len());
        Prepared {
            query: self.pictures(queries()),
            shots: (0..shots).map(|shot| self.supports(&episodes, shot)).collect(),
            target: plane(episodes.len(), self.size, target.collect()),
            episodes: episodes.into(),
        }
    }

    fn supports(&self, episodes: &[(Role, Arc<Episode>)], shot: usize) -> (TensorData, Option<[TensorData; 3]>) {
        let supports = || episodes.iter().map(|(_, episode)| &episode.supports[shot]);
        let soften = |size: [usize; 2]| {
            plane(episodes.len(), size, supports().flat_map(|shot| shot.mask.soften(size[0], size[1])).collect())
        };
        (self.pictures(supports()), self.masking.then(|| self.backbone.planes(self.size).map(soften)))
    }

    fn pictures<'a>(&self, shots: impl ExactSizeIterator<Item = &'a Shot>) -> TensorData {
        let [height, width] = self.size;
        let shape = [shots.len(), 3, height, width];
        let values = shots.flat_map(|shot| shot.picture.normalise(&self.normalisation));
        TensorData::new(values.collect::<Vec<_>>(), shape)
    }
}

/// One value a pixel, `(batch, 1, h, w)`.
fn plane(batch: usize, [height, width]: [usize; 2], values: Vec<f32>) -> TensorData {
    TensorData::new(values, [batch, 1, height, width])
}

impl Prepared {
    /// The batch on a device.
    pub fn on(self, device: &Device) -> Batch {
        Batch {
            query: Tensor::from_data(self.query, device),
            shots: (self.shots.into_iter())
                .map(|(pictures, masks)| Supports {
                    pictures: Tensor::from_data(pictures, device),
                    masks: masks.map(|masks| masks.map(|mask| Tensor::from_data(mask, device))),
                })
                .collect(),
            target: Tensor::from_data(self.target, device),
            episodes: self.episodes,
        }
    }
}
