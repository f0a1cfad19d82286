//! Batches in time: prepared by threads ahead of the step that takes them.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;

use super::Settings;
use super::batch::{Batch, Batching, Prepared, Role};
use super::pace::Waiting;
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
    /// How many devices share the batches.
    devices: usize,
    /// The device that this loader is for; without, it gives the batches of all.
    share: Option<usize>,
    /// What a step waits is counted here.
    waiting: Waiting,
    /// The epoch that the next pass gives; every pass goes one further.
    epoch: Arc<AtomicUsize>,
    /// The beginning of that epoch, prepared while the one before is validated.
    next: Arc<Mutex<Option<Workers>>>,
    device: Device,
}

/// Threads that prepare the batches of an epoch.
struct Workers {
    epoch: usize,
    receivers: Vec<Receiver<Result<Prepared, DataError>>>,
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
    /// Training batches, as they come after `epochs_done`. However many devices share a step, its episodes are the same.
    pub fn endless(
        source: Mixture,
        batching: Batching,
        settings: &Settings,
        devices: usize,
        epochs_done: usize,
        waiting: Waiting,
    ) -> Self {
        let an_epoch = settings.steps_an_epoch() * settings.batch;
        Self {
            supply: Supply::Endless { source: Arc::new(source), seed: settings.start.seed, an_epoch },
            batching,
            episodes: 0..an_epoch,
            batch: settings.batch / devices,
            workers: settings.workers.max(1),
            devices,
            share: None,
            waiting,
            epoch: Arc::new(AtomicUsize::new(epochs_done)),
            next: Arc::default(),
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
            devices: 1,
            share: None,
            // Nobody asks how long a validation waited.
            waiting: Waiting::on(1),
            epoch: Arc::default(),
            next: Arc::default(),
            device: Device::flex(),
        }
    }

    /// The numbers of the episodes in each batch.
    fn batches(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (batch, end) = (self.batch, self.episodes.end);
        let (first, step) = self.share.map_or((0, 1), |share| (share, self.devices));
        let all = self.episodes.clone().step_by(batch).map(move |start| start..(start + batch).min(end));
        all.skip(first).step_by(step)
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

    /// Starts all threads of an epoch.
    fn start_all(&self, epoch: usize) -> Workers {
        Workers { epoch, receivers: (0..self.workers).map(|worker| self.start(epoch, worker)).collect() }
    }

    fn next(&self) -> MutexGuard<'_, Option<Workers>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One pass over an epoch.
    pub fn pass(&self) -> Pass<'_> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        let ready = self.next().take().filter(|workers| workers.epoch == epoch);
        let workers = ready.unwrap_or_else(|| self.start_all(epoch));
        Pass { workers, loader: self, count: self.batches().count(), given: 0 }
    }
}

/// A pass over the batches of an epoch.
pub struct Pass<'a> {
    loader: &'a Loader,
    workers: Workers,
    /// Batches in all, and given so far.
    count: usize,
    given: usize,
}

impl Iterator for Pass<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.given == self.count {
            return None;
        }
        let Workers { epoch, receivers } = &self.workers;
        let worker = &receivers[self.given % receivers.len()];
        let Ok(prepared) = self.loader.waiting.during(|| worker.recv()) else {
            // The thread is gone before its work was done: an epoch must not end early and nobody notice.
            return Some(Err(DatasetError::new(DataError::Preparation)));
        };
        self.given += 1;
        if self.given == self.count && matches!(self.loader.supply, Supply::Endless { .. }) {
            *self.loader.next() = Some(self.loader.start_all(epoch + 1));
        }
        Some(prepared.map(|prepared| prepared.on(&self.loader.device)).map_err(DatasetError::new))
    }
}

impl DataLoaderIterator<Batch> for Pass<'_> {
    fn progress(&self) -> Progress {
        let total = self.loader.num_items();
        Progress::new((self.given * self.loader.batch).min(total), total, Some("episodes".into()))
    }
}

impl DataLoader<Batch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        Box::new(self.pass())
    }

    fn num_items(&self) -> usize {
        self.batches().map(|batch| batch.len()).sum()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self { device: device.clone(), ..self.clone() })
    }

    /// The batches of one device. burn thinks of one stretch of the epoch after the other; here the devices take turns,
    /// so that those of a step lie together.
    fn slice(&self, start: usize, _: usize) -> Arc<dyn DataLoader<Batch>> {
        let share = start / (self.num_items() / self.devices).max(1);
        let epoch = AtomicUsize::new(self.epoch.load(Ordering::Relaxed));
        Arc::new(Self { share: Some(share), epoch: Arc::new(epoch), next: Arc::default(), ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use burn::data::dataloader::split::split_dataloader;

    use super::*;
    use crate::data::Drawn;
    use crate::train::settings::tests::tiny;

    fn loader(workers: usize, epochs_done: usize) -> Loader {
        shared(workers, 1, epochs_done)
    }

    fn shared(workers: usize, devices: usize, epochs_done: usize) -> Loader {
        let mut source = Mixture::default();
        source.add(1.0, Drawn { size: [64, 64] });
        let settings = Settings { batch: 2, validate_every: 10, workers, ..tiny() };
        let batching = Batching::of(&settings);
        Loader::endless(source, batching, &settings, devices, epochs_done, Waiting::on(1))
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
    fn devices_that_share_a_step_see_the_episodes_of_one() {
        let devices = vec![Device::flex(); 2];
        let shares = split_dataloader(Arc::new(shared(1, 2, 0)), &devices);
        assert!(shares.iter().all(|share| share.num_items() == 5));
        let mut passes: Vec<_> = shares.iter().map(|share| share.iter()).collect();
        let in_turns = (0..10).flat_map(|number| {
            let batch = passes[number % 2].next().unwrap().unwrap();
            batch.episodes.iter().map(|(_, episode)| episode.query.picture.rgb.clone()).collect::<Vec<_>>()
        });
        assert!(in_turns.collect::<Vec<_>>() == queries(loader(1, 0).pass()));
        assert!(passes.iter_mut().all(|pass| pass.next().is_none()));
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
        assert_eq!(batch.support.dims(), [2, 3, 64, 64]);
        assert_eq!(batch.target.dims(), [2, 1, 64, 64]);
        for (mask, [height, width]) in
            batch.support_masks.unwrap().iter().zip(loader.batching.backbone.planes([64, 64]))
        {
            assert_eq!(mask.dims(), [2, 1, height, width]);
        }
    }
}
