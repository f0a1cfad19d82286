//! Episodes side by side, as tensors.

use std::sync::Arc;

use burn::Tensor;
use burn::tensor::{Device, TensorData};

use super::Settings;
use crate::backbone::BackboneKind;
use crate::episode::Episode;
use crate::hsnet::{Marked, Masks, pixels, whole};
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
    /// Height and width of every query.
    pub size: [usize; 2],
    /// Height and width of every support.
    pub support_size: [usize; 2],
    pub normalisation: Normalisation,
}

/// Episodes on a device.
pub struct Batch {
    /// The pictures in which to find the object, `(batch, 3, h, w)`, normalised.
    pub query: Tensor<4>,
    /// The first support of every episode, then the second of every one, and so on.
    pub shots: Vec<Marked>,
    /// Where it is in the query: 1 there and 0 elsewhere, `(batch, 1, h, w)`.
    pub target: Tensor<4>,
    /// The episodes themselves, for the metrics.
    pub episodes: Arc<[(Role, Arc<Episode>)]>,
}

/// The same in ordinary memory, so that any thread may prepare it.
pub struct Prepared {
    query: TensorData,
    shots: Vec<Supports>,
    target: TensorData,
    episodes: Arc<[(Role, Arc<Episode>)]>,
}

/// One support of every episode; see [`Marked`].
struct Supports {
    pictures: TensorData,
    masks: Masks,
}

impl Batching {
    /// As a training's settings want it.
    pub fn of(settings: &Settings) -> Self {
        Self {
            backbone: settings.backbone,
            size: settings.recipe.plane(),
            support_size: settings.recipe.support_plane(),
            normalisation: Normalisation::IMAGENET,
        }
    }

    /// The size to make pictures at that may become queries or supports, so that neither is made larger afterwards.
    pub fn made(&self) -> [usize; 2] {
        [0, 1].map(|side| self.size[side].max(self.support_size[side]))
    }

    /// The episode with its query and its supports at their sizes, each resized once.
    fn fit(&self, episode: Episode) -> Episode {
        let (size, [height, width]) = (self.size, self.support_size);
        let supports = episode.supports.iter().map(|shot| shot.resize(height, width)).collect();
        let asked = Episode { supports: vec![], ..episode }.resize(size[0], size[1]);
        Episode { supports, ..asked }
    }

    /// Lays episodes of any size side by side; all have as many supports.
    pub fn prepare(&self, episodes: Vec<(Role, Episode)>) -> Prepared {
        let episodes: Arc<[_]> =
            episodes.into_iter().map(|(role, episode)| (role, Arc::new(self.fit(episode)))).collect();
        let queries = || episodes.iter().map(|(_, episode)| &episode.query);
        let answers: Vec<&Mask> = queries().map(|shot| &shot.mask).collect();
        let shots = episodes.first().map_or(0, |(_, episode)| episode.supports.len());
        Prepared {
            query: pixels(queries().map(|shot| &shot.picture), self.size, &self.normalisation),
            shots: (0..shots).map(|shot| self.supports(&episodes, shot)).collect(),
            target: whole(&answers),
            episodes: episodes.clone(),
        }
    }

    fn supports(&self, episodes: &[(Role, Arc<Episode>)], shot: usize) -> Supports {
        let supports = || episodes.iter().map(|(_, episode)| &episode.supports[shot]);
        let masks: Vec<&Mask> = supports().map(|shot| &shot.mask).collect();
        let pictures = supports().map(|shot| &shot.picture);
        Supports {
            pictures: pixels(pictures, self.support_size, &self.normalisation),
            masks: Masks::new(&masks, self.backbone),
        }
    }
}

impl Prepared {
    /// The batch on a device.
    pub fn on(self, device: &Device) -> Batch {
        let tensor = |data| Tensor::from_data(data, device);
        Batch {
            query: tensor(self.query),
            shots: self.shots.into_iter().map(|Supports { pictures, masks }| masks.beside(tensor(pictures))).collect(),
            target: tensor(self.target),
            episodes: self.episodes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Drawn, Source, stream};
    use crate::train::settings::tests::with;

    #[test]
    fn queries_and_supports_are_each_resized_once_and_never_made_larger() {
        for (size, support_size) in [(64, 96), (96, 64)] {
            let batching = Batching::of(&with(|recipe| (recipe.size, recipe.support_size) = (size, support_size)));
            assert_eq!(batching.made(), [96, 96]);
            let drawn = Drawn::new([128, 160]).draw(0, &mut stream(0, 0)).unwrap();
            let expected = [drawn.query.resize(size, size), drawn.supports[0].resize(support_size, support_size)];
            let batch = batching.prepare(vec![(Role::Learning, drawn)]).on(&Device::flex());
            let (_, fitted) = &batch.episodes[0];
            assert!([&fitted.query, &fitted.supports[0]] == [&expected[0], &expected[1]]);
            assert_eq!((batch.query.dims(), batch.target.dims()), ([1, 3, size, size], [1, 1, size, size]));
            assert_eq!(batch.shots[0].pictures.dims(), [1, 3, support_size, support_size]);
        }
    }
}
