//! Which validation's weights count, and when there is nothing more to wait for.

use std::collections::BTreeSet;

use burn::train::EarlyStoppingStrategy;
use burn::train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn::train::logger::MetricLogger;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use burn::train::metric::{Metric as _, NumericEntry};

use super::recipe::Select;
use super::sweep::MeanIou;

/// How many checkpoints are kept beside the best: the last, and the one before in case the last was cut short.
const LAST: usize = 2;

/// Compares validations by their mIoU. It remembers nothing, so that a resumed training is judged as a whole.
#[derive(Clone, Debug)]
pub struct Judge {
    select: Select,
    /// How many validations in a row may gain nothing before the training ends.
    patience: Option<usize>,
    metric: String,
}

impl Judge {
    pub fn new(select: Select, patience: Option<usize>) -> Self {
        Self { select, patience, metric: MeanIou::of(select.role()).name().to_string() }
    }

    /// Of the validations whose checkpoints are `there`, in order, the one whose weights are exported.
    pub fn chosen(&self, there: &[usize], log: &mut impl MetricLogger) -> Option<usize> {
        let best = self.best(there.iter().copied(), |epoch| self.logged(epoch, log));
        there.last().map(|&last| self.choose(last, best))
    }

    /// Whether a training that got to `epoch` ended there for lack of patience.
    pub fn is_spent(&self, epoch: usize, log: &mut impl MetricLogger) -> bool {
        self.has_waited(epoch, self.best(1..=epoch, |epoch| self.logged(epoch, log)))
    }

    fn choose(&self, epoch: usize, best: Option<usize>) -> usize {
        match self.select {
            Select::Last => epoch,
            Select::HeldOut | Select::Test => best.unwrap_or(epoch),
        }
    }

    fn has_waited(&self, epoch: usize, best: Option<usize>) -> bool {
        matches!((self.patience, best), (Some(patience), Some(best)) if epoch - best >= patience)
    }

    /// The first of the highest.
    fn best(
        &self,
        epochs: impl IntoIterator<Item = usize>,
        mut score: impl FnMut(usize) -> Option<f64>,
    ) -> Option<usize> {
        let scored = epochs.into_iter().filter_map(|epoch| Some((epoch, score(epoch)?)));
        let higher = |best: (usize, f64), next: (usize, f64)| if next.1 > best.1 { next } else { best };
        scored.reduce(higher).map(|(epoch, _)| epoch)
    }

    fn logged(&self, epoch: usize, log: &mut impl MetricLogger) -> Option<f64> {
        let entries = log.read_numeric(&self.metric, epoch, &Split::Valid).unwrap_or_default();
        entries.last().map(NumericEntry::current)
    }

    fn best_in(&self, store: &EventStoreClient, epoch: usize) -> Option<usize> {
        self.best(1..=epoch, |epoch| store.find_metric(&self.metric, epoch, Aggregate::Mean, &Split::Valid))
    }
}

impl EarlyStoppingStrategy for Judge {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        self.has_waited(epoch, self.best_in(store, epoch))
    }
}

/// Keeps the last checkpoints and the chosen one.
pub struct Keeper {
    judge: Judge,
    kept: BTreeSet<usize>,
}

impl Keeper {
    /// `kept` are the checkpoints that are there already.
    pub fn new(judge: Judge, kept: impl IntoIterator<Item = usize>) -> Self {
        Self { judge, kept: kept.into_iter().collect() }
    }

    /// Takes note of a checkpoint and tells which ones may go.
    fn keep(&mut self, epoch: usize, chosen: usize) -> Vec<usize> {
        self.kept.insert(epoch);
        let gone = self.kept.iter().copied().filter(|&old| old + LAST <= epoch && old != chosen);
        let gone: Vec<usize> = gone.collect();
        self.kept.retain(|old| !gone.contains(old));
        gone
    }
}

impl CheckpointingStrategy for Keeper {
    fn checkpointing(&mut self, epoch: usize, store: &EventStoreClient) -> Vec<CheckpointingAction> {
        let chosen = self.judge.choose(epoch, self.judge.best_in(store, epoch));
        let gone = self.keep(epoch, chosen).into_iter().map(CheckpointingAction::Delete);
        std::iter::once(CheckpointingAction::Save).chain(gone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f64; 5] = [20.0, 31.0, 31.0, 27.0, 30.0];

    fn best(judge: &Judge, epoch: usize) -> Option<usize> {
        judge.best(1..=epoch, |epoch| Some(SCORES[epoch - 1]))
    }

    #[test]
    fn the_first_of_the_best_is_chosen_unless_the_last_is_wanted() {
        let chosen = |select, epoch| {
            let judge = Judge::new(select, None);
            judge.choose(epoch, best(&judge, epoch))
        };
        assert_eq!((chosen(Select::HeldOut, 1), chosen(Select::HeldOut, 5), chosen(Select::Last, 5)), (1, 2, 5));
        // Where nothing was measured there is nothing to choose by.
        let judge = Judge::new(Select::Test, Some(1));
        assert_eq!(judge.choose(3, judge.best(1..=3, |_| None)), 3);
        assert!(!judge.has_waited(3, None));
    }

    #[test]
    fn patience_ends_after_as_many_validations_without_gain() {
        let judge = Judge::new(Select::HeldOut, Some(2));
        let waited: Vec<bool> = (1..=5).map(|epoch| judge.has_waited(epoch, best(&judge, epoch))).collect();
        assert_eq!(waited, [false, false, false, true, true]);
        let patient = Judge::new(Select::HeldOut, None);
        assert!(!patient.has_waited(5, best(&patient, 5)));
    }

    #[test]
    fn the_last_two_checkpoints_and_the_best_are_kept() {
        let mut keeper = Keeper::new(Judge::new(Select::HeldOut, None), [1]);
        assert!(keeper.keep(2, 2).is_empty());
        assert_eq!(keeper.keep(3, 2), [1]);
        assert!(keeper.keep(4, 2).is_empty());
        assert_eq!(keeper.keep(5, 2), [3]);
        assert_eq!(keeper.keep(6, 6), [2, 4]);
    }
}
