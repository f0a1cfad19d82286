//! How fast a training goes, how long it waits for data, and when it will end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Until one was seen, an episode is taken to be validated this much faster than it is learned from: there is no way
/// back through the network.
const FORWARD_ONLY: f64 = 3.0;

/// The time that training steps have waited for their episodes; clones share it.
#[derive(Clone)]
pub struct Waiting {
    nanoseconds: Arc<AtomicU64>,
    /// How many loaders may be waited for at the same time, each by a device of its own.
    loaders: u32,
}

impl Waiting {
    pub fn on(loaders: usize) -> Self {
        Self { nanoseconds: Arc::default(), loaders: u32::try_from(loaders).unwrap_or(1).max(1) }
    }

    /// Waits for what `take` takes.
    pub fn during<T>(&self, take: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let taken = take();
        self.nanoseconds.fetch_add(began.elapsed().as_nanos() as u64, Ordering::Relaxed);
        taken
    }

    fn so_far(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)) / self.loaders
    }
}

/// Episodes, and the time that they took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stretch {
    pub episodes: usize,
    pub time: Duration,
    /// The part of it that was spent waiting for episodes.
    pub waited: Duration,
}

impl Stretch {
    pub fn episodes_per_second(&self) -> f64 {
        self.episodes as f64 / self.time.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The share of the time spent waiting, 0..=1.
    pub fn share_waited(&self) -> f64 {
        (self.waited.as_secs_f64() / self.time.as_secs_f64().max(f64::MIN_POSITIVE)).min(1.0)
    }

    fn add(&mut self, other: Self) {
        self.episodes += other.episodes;
        self.time += other.time;
        self.waited += other.waited;
    }
}

/// What a process will have done at the end.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Episodes still to learn from.
    pub training: usize,
    /// Episodes still to validate on.
    pub validating: usize,
}

/// Measures a training; clones share what they measure.
#[derive(Clone)]
pub struct Pace {
    waiting: Waiting,
    measured: Arc<Mutex<Measured>>,
}

#[derive(Clone, Copy, Default)]
struct Measured {
    training: Stretch,
    validating: Stretch,
    /// The split in progress.
    now: Stretch,
}

/// A split in progress.
pub struct Split {
    pub is_training: bool,
    began: Instant,
    waited_before: Duration,
}

impl Pace {
    pub fn new(waiting: Waiting) -> Self {
        Self { waiting, measured: Arc::default() }
    }

    pub fn start(&self, is_training: bool) -> Split {
        self.measured().now = Stretch::default();
        Split { is_training, began: Instant::now(), waited_before: self.waiting.so_far() }
    }

    /// Says that `episodes` of the split are done, and gives what they took.
    pub fn reached(&self, split: &Split, episodes: usize) -> Stretch {
        let waited = if split.is_training { self.waiting.so_far() - split.waited_before } else { Duration::ZERO };
        let now = Stretch { episodes, time: split.began.elapsed(), waited };
        self.measured().now = now;
        now
    }

    pub fn end(&self, split: &Split) {
        let mut measured = self.measured();
        let now = std::mem::take(&mut measured.now);
        match split.is_training {
            true => measured.training.add(now),
            false => measured.validating.add(now),
        }
    }

    /// All that was learned from so far.
    pub fn training(&self) -> Stretch {
        self.measured().training
    }

    /// How long the rest will take, as far as one can tell; `split` is in progress.
    pub fn left(&self, split: &Split, work: Work) -> Option<Duration> {
        let Measured { mut training, mut validating, now } = *self.measured();
        match split.is_training {
            true => training.add(now),
            false => validating.add(now),
        }
        let learned = training.episodes_per_second();
        let validated = match validating.episodes {
            0 => FORWARD_ONLY * learned,
            _ => validating.episodes_per_second(),
        };
        let seconds = work.training as f64 / learned + work.validating as f64 / validated;
        Duration::try_from_secs_f64(seconds).ok()
    }

    fn measured(&self) -> std::sync::MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_rest_takes_as_long_as_what_was_done() {
        let pace = Pace::new(Waiting::on(1));
        let split = pace.start(true);
        let work = Work { training: 300, validating: 60 };
        assert_eq!(pace.left(&split, work), None);
        pace.measured().now = Stretch { episodes: 100, time: seconds(50), waited: seconds(1) };
        assert_eq!(pace.left(&split, work), Some(seconds(150 + 10)));
        pace.end(&split);
        let split = pace.start(false);
        pace.measured().now = Stretch { episodes: 10, time: seconds(5), waited: seconds(0) };
        assert_eq!(pace.left(&split, work), Some(seconds(150 + 30)));
        assert_eq!((pace.training().episodes_per_second(), pace.training().share_waited()), (2.0, 0.02));
    }

    #[test]
    fn only_training_waits() {
        let waiting = Waiting::on(1);
        let pace = Pace::new(waiting.clone());
        let split = pace.start(true);
        assert_eq!(waiting.during(|| std::thread::sleep(Duration::from_millis(2))), ());
        let stretch = pace.reached(&split, 1);
        assert!(stretch.waited >= Duration::from_millis(2) && stretch.waited <= stretch.time);
        pace.end(&split);
        assert_eq!(pace.reached(&pace.start(false), 1).waited, Duration::ZERO);
    }
}
