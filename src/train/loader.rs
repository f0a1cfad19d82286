//! Batches in time: prepared by threads ahead of the step that takes them.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;

use super::Settings;
use super::batch::{Batch, Batching, Prepared, Role};
use crate::ahead::{Ahead, Lost};
use crate::data::{DataError, Mixture, Source, stream};
use crate::episode::Episode;

/// Episodes validated at a time.
const VALIDATED: usize = 4;

/// Gives the same batches in the same order, however many threads prepare them.
#[derive(Clone)]
pub struct Loader {
    supply: Supply,
    batching: Batching,
    /// The episodes of an epoch, by number.
    episodes: Range<usize>,
    batch: usize,
    workers: usize,
    /// The epoch that the next pass gives; every pass goes one further.
    epoch: Arc<AtomicUsize>,
    device: Device,
}

#[derive(Clone)]
enum Supply {
    /// New episodes in every epoch, drawn in numbered streams.
    Endless { source: Arc<Mixture>, seed: u64, an_epoch: usize },
    /// The same episodes in every epoch.
    Fixed(Arc<[(Role, Arc<Episode>)]>),
}

impl Supply {
    fn episode(&self, epoch: usize, number: usize) -> Result<(Role, Arc<Episode>), DataError> {
        match self {
            Self::Endless { source, seed, an_epoch } => {
                let mut rng = stream(*seed, (epoch * an_epoch + number) as u64);
                Ok((Role::Learning, Arc::new(source.draw(&mut rng)?)))
            }
            Self::Fixed(episodes) => Ok(episodes[number].clone()),
        }
    }
}

impl Loader {
    /// Training batches, as they come after `epochs_done`.
    pub fn endless(source: Mixture, batching: Batching, settings: &Settings, epochs_done: usize) -> Self {
        let an_epoch = settings.steps_an_epoch() * settings.batch;
        Self {
            supply: Supply::Endless { source: Arc::new(source), seed: settings.start.seed, an_epoch },
            batching,
            episodes: 0..an_epoch,
            batch: settings.batch,
            workers: settings.workers.max(1),
            epoch: Arc::new(AtomicUsize::new(epochs_done)),
            device: Device::flex(),
        }
    }

    /// Batches of the same episodes in each pass.
    pub fn fixed(episodes: &[(Role, &[Episode])], batching: Batching) -> Self {
        let episodes: Arc<[_]> = (episodes.iter())
            .flat_map(|(role, episodes)| episodes.iter().map(|episode| (*role, Arc::new(episode.clone()))))
            .collect();
        Self {
            episodes: 0..episodes.len(),
            supply: Supply::Fixed(episodes),
            batching,
            batch: VALIDATED,
            workers: 1,
            epoch: Arc::default(),
            device: Device::flex(),
        }
    }

    /// The numbers of the episodes in each batch.
    fn batches(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (batch, end) = (self.batch, self.episodes.end);
        self.episodes.clone().step_by(batch).map(move |start| start..(start + batch).min(end))
    }

    /// One pass over an epoch.
    pub fn pass(&self) -> Pass<'_> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        let (supply, batching) = (self.supply.clone(), self.batching);
        let batches: Vec<_> = self.batches().collect();
        let prepared = Ahead::new(batches.len(), self.workers, move |batch| {
            let episodes: Result<Vec<_>, _> =
                batches[batch].clone().map(|number| supply.episode(epoch, number)).collect();
            episodes.map(|episodes| batching.prepare(episodes))
        });
        Pass { loader: self, prepared }
    }
}

/// A pass over the batches of an epoch.
pub struct Pass<'a> {
    loader: &'a Loader,
    prepared: Ahead<Result<Prepared, DataError>>,
}

impl Iterator for Pass<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        // An epoch must not end early and nobody notice.
        let prepared = self.prepared.next()?.unwrap_or_else(|Lost| Err(DataError::Preparation));
        Some(prepared.map(|prepared| prepared.on(&self.loader.device)).map_err(DatasetError::new))
    }
}

impl DataLoaderIterator<Batch> for Pass<'_> {
    fn progress(&self) -> Progress {
        let total = self.loader.episodes.len();
        Progress::new((self.prepared.given() * self.loader.batch).min(total), total, Some("episodes".into()))
    }
}

impl DataLoader<Batch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        Box::new(self.pass())
    }

    fn num_items(&self) -> usize {
        self.episodes.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self { device: device.clone(), ..self.clone() })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let first = self.episodes.start;
        let epoch = AtomicUsize::new(self.epoch.load(Ordering::Relaxed));
        Arc::new(Self { episodes: first + start..first + end, epoch: Arc::new(epoch), ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Drawn;
    use crate::train::settings::tests::tiny;

    fn loader(workers: usize, epochs_done: usize) -> Loader {
        let mut source = Mixture::default();
        source.add(1.0, Drawn { size: [64, 64] });
        let settings = Settings { batch: 2, validate_every: 10, workers, ..tiny() };
        let batching = Batching::of(&settings);
        Loader::endless(source, batching, &settings, epochs_done)
    }

    fn queries(pass: Pass) -> Vec<Vec<u8>> {
        let batches = pass.map(|batch| batch.unwrap().episodes);
        batches
            .flat_map(|episodes| episodes.iter().map(|(_, e)| e.query.picture.rgb.clone()).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn any_number_of_threads_gives_the_same_batches() {
        let alone = queries(loader(1, 0).pass());
        assert_eq!(alone.len(), 10);
        assert!(alone == queries(loader(3, 0).pass()));
    }

    #[test]
    fn epochs_differ_and_a_resumed_loader_continues() {
        let started = loader(1, 0);
        let first = queries(started.pass());
        let second = queries(started.pass());
        assert!(first != second);
        assert!(second == queries(loader(1, 1).pass()));
    }

    #[test]
    fn a_batch_has_the_shapes_it_promises() {
        let loader = loader(1, 0);
        let batch = loader.pass().next().unwrap().unwrap();
        assert_eq!(batch.query.dims(), [2, 3, 64, 64]);
        assert_eq!(batch.support.pictures.dims(), [2, 3, 64, 64]);
        assert_eq!(batch.support.mask.dims(), [2, 1, 64, 64]);
        assert_eq!(batch.target.dims(), [2, 1, 64, 64]);
        for (mask, [height, width]) in batch.support.planes.iter().zip(loader.batching.backbone.planes([64, 64])) {
            assert_eq!(mask.dims(), [2, 1, height, width]);
        }
    }
}
