//! Batches in time: prepared by threads ahead of the step that takes them.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;

use super::Settings;
use super::batch::{Batch, Batching, Prepared, Role};
use super::exam::Exam;
use super::pace::Waiting;
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
    /// How many devices share the batches.
    devices: usize,
    /// The device that this loader is for; without, it gives the batches of all.
    share: Option<usize>,
    /// What a step waits is counted here.
    waiting: Waiting,
    /// The epoch that the next pass gives; every pass goes one further.
    epoch: Arc<AtomicUsize>,
    /// The beginning of that epoch, prepared while the one before is validated.
    next: Arc<Mutex<Option<Started>>>,
    device: Device,
}

/// An epoch whose batches are being prepared.
struct Started {
    epoch: usize,
    batches: Ahead<Result<Prepared, DataError>>,
}

#[derive(Clone)]
enum Supply {
    /// New episodes in every epoch, drawn in numbered streams.
    Endless { source: Arc<Mixture>, seed: u64, an_epoch: usize },
    /// The same episodes in every epoch.
    Fixed(Arc<[(Role, Exam)]>),
}

impl Supply {
    fn episode(&self, epoch: usize, number: usize) -> Result<(Role, Episode), DataError> {
        match self {
            Self::Endless { source, seed, an_epoch } => {
                let turn = (epoch * an_epoch + number) as u64;
                Ok((Role::Learning, source.draw(turn, &mut stream(*seed, turn))?))
            }
            Self::Fixed(exams) => {
                let mut number = number;
                for (role, exam) in exams.iter() {
                    match number.checked_sub(exam.len()) {
                        None => return Ok((*role, exam.episode(number)?)),
                        Some(rest) => number = rest,
                    }
                }
                unreachable!("the batches end with the exams")
            }
        }
    }
}

impl Loader {
    /// Training batches, as they come after `epochs_done`. However many devices share a step, its episodes are the same.
    pub fn endless(
        source: Arc<Mixture>,
        batching: Batching,
        settings: &Settings,
        devices: usize,
        epochs_done: usize,
        waiting: Waiting,
    ) -> Self {
        let an_epoch = settings.steps_an_epoch() * settings.recipe.batch;
        Self {
            supply: Supply::Endless { source, seed: settings.start.seed, an_epoch },
            batching,
            episodes: 0..an_epoch,
            batch: settings.at_once() / devices,
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
    pub fn fixed(exams: impl Into<Arc<[(Role, Exam)]>>, batching: Batching, settings: &Settings) -> Self {
        let exams = exams.into();
        Self {
            episodes: 0..exams.iter().map(|(_, exam)| exam.len()).sum(),
            supply: Supply::Fixed(exams),
            batching,
            batch: VALIDATED,
            workers: settings.workers.max(1),
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

    /// Starts the threads of an epoch.
    fn start(&self, epoch: usize) -> Started {
        let (supply, batching) = (self.supply.clone(), self.batching);
        let batches: Vec<_> = self.batches().collect();
        let batches = Ahead::new(batches.len(), self.workers, move |batch| {
            let episodes: Result<Vec<_>, _> =
                batches[batch].clone().map(|number| supply.episode(epoch, number)).collect();
            Ok(batching.prepare(episodes?))
        });
        Started { epoch, batches }
    }

    fn next(&self) -> MutexGuard<'_, Option<Started>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One pass over an epoch.
    pub fn pass(&self) -> Pass<'_> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        let ready = self.next().take().filter(|started| started.epoch == epoch);
        Pass { started: ready.unwrap_or_else(|| self.start(epoch)), loader: self, count: self.batches().count() }
    }
}

/// A pass over the batches of an epoch.
pub struct Pass<'a> {
    loader: &'a Loader,
    started: Started,
    /// Batches in all.
    count: usize,
}

impl Iterator for Pass<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { loader, started: Started { epoch, batches }, count } = self;
        // An epoch must not end early and nobody notice.
        let prepared = loader.waiting.during(|| batches.next())?.unwrap_or_else(|Lost| Err(DataError::Preparation));
        if batches.given() == *count && matches!(loader.supply, Supply::Endless { .. }) {
            *loader.next() = Some(loader.start(*epoch + 1));
        }
        Some(prepared.map(|prepared| prepared.on(&self.loader.device)).map_err(DatasetError::new))
    }
}

impl DataLoaderIterator<Batch> for Pass<'_> {
    fn progress(&self) -> Progress {
        let total = self.loader.num_items();
        let given = self.started.batches.given() * self.loader.batch;
        Progress::new(given.min(total), total, Some("episodes".into()))
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
        source.add(1.0, Drawn { shots: 2, ..Drawn::new([64, 64]) });
        let settings = Settings { validate_every: 10, workers, ..tiny() };
        let batching = Batching::of(&settings);
        Loader::endless(source.into(), batching, &settings, devices, epochs_done, Waiting::on(1))
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
        assert_eq!(batch.target.dims(), [2, 1, 64, 64]);
        assert_eq!(batch.shots.len(), 2);
        for shot in batch.shots {
            assert_eq!(shot.pictures.dims(), [2, 3, 64, 64]);
            assert_eq!(shot.mask.dims(), [2, 1, 64, 64]);
            for (mask, [height, width]) in shot.planes.iter().zip(loader.batching.backbone.planes([64, 64])) {
                assert_eq!(mask.dims(), [2, 1, height, width]);
            }
        }
    }
}
