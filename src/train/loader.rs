//! Batches in time: prepared by threads ahead of the step that takes them.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;

use super::Settings;
use super::batch::{Batch, Batching, Prepared, Role};
use crate::data::{DataError, Mixture, Source, stream};
use crate::episode::Episode;

/// Batches that each thread may be ahead.
const AHEAD: usize = 2;
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
                let turn = (epoch * an_epoch + number) as u64;
                Ok((Role::Learning, Arc::new(source.draw(turn, &mut stream(*seed, turn))?)))
            }
            Self::Fixed(episodes) => Ok(episodes[number].clone()),
        }
    }
}

impl Loader {
    /// Training batches, as they come after `epochs_done`.
    pub fn endless(source: Mixture, batching: Batching, settings: &Settings, epochs_done: usize) -> Self {
        let an_epoch = settings.steps_an_epoch() * settings.recipe.batch;
        Self {
            supply: Supply::Endless { source: Arc::new(source), seed: settings.start.seed, an_epoch },
            batching,
            episodes: 0..an_epoch,
            batch: settings.at_once(),
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

    /// Starts a thread that prepares every batch whose number leaves `worker` when divided by their count.
    fn start(&self, epoch: usize, worker: usize) -> Receiver<Result<Prepared, DataError>> {
        let (sender, receiver) = sync_channel(AHEAD);
        let (supply, batching) = (self.supply.clone(), self.batching);
        let batches = self.batches().skip(worker).step_by(self.workers);
        thread::spawn(move || {
            for batch in batches {
                let episodes: Result<Vec<_>, _> = batch.map(|number| supply.episode(epoch, number)).collect();
                // Nobody listens any more when a pass ends early.
                if sender.send(episodes.map(|episodes| batching.prepare(episodes))).is_err() {
                    return;
                }
            }
        });
        receiver
    }

    /// One pass over an epoch.
    pub fn pass(&self) -> Pass<'_> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        Pass { workers: (0..self.workers).map(|worker| self.start(epoch, worker)).collect(), loader: self, given: 0 }
    }
}

/// A pass over the batches of an epoch.
pub struct Pass<'a> {
    loader: &'a Loader,
    workers: Vec<Receiver<Result<Prepared, DataError>>>,
    /// Batches given so far.
    given: usize,
}

impl Iterator for Pass<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.given * self.loader.batch >= self.loader.episodes.len() {
            return None;
        }
        let Ok(prepared) = self.workers[self.given % self.workers.len()].recv() else {
            // The thread is gone before its work was done: an epoch must not end early and nobody notice.
            return Some(Err(DatasetError::new(DataError::Preparation)));
        };
        self.given += 1;
        Some(prepared.map(|prepared| prepared.on(&self.loader.device)).map_err(DatasetError::new))
    }
}

impl DataLoaderIterator<Batch> for Pass<'_> {
    fn progress(&self) -> Progress {
        let total = self.loader.episodes.len();
        Progress::new((self.given * self.loader.batch).min(total), total, Some("episodes".into()))
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
        source.add(1.0, Drawn { shots: 2, ..Drawn::new([64, 64]) });
        let settings = Settings { validate_every: 10, workers, ..tiny() };
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
        assert_eq!(batch.target.dims(), [2, 1, 64, 64]);
        assert_eq!(batch.shots.len(), 2);
        for shot in batch.shots {
            assert_eq!(shot.pictures.dims(), [2, 3, 64, 64]);
            for (mask, [height, width]) in shot.masks.unwrap().iter().zip(loader.batching.backbone.planes([64, 64])) {
                assert_eq!(mask.dims(), [2, 1, height, width]);
            }
        }
    }
}
