//! What each epoch's metrics came to, for those of burn's strategies that look back.
//!
//! burn keeps this in a file for each metric and epoch, and panics when a disk is full; here it is in memory, and after
//! a break it comes from the journal.

use std::collections::HashMap;
use std::path::Path;

use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{LossMetric, Metric as _, MetricDefinition, MetricId, NumericEntry};

use super::batch::Role;
use super::journal::{self, Validation};
use super::sweep::MeanIou;

/// Final values by metric, epoch and split.
#[derive(Default)]
pub struct Ledger {
    names: HashMap<MetricId, String>,
    values: HashMap<(String, usize, Split), f64>,
}

impl Ledger {
    /// Goes on where the journal in the folder of a training ends; without one, starts empty.
    pub fn of(out: &Path) -> Self {
        let mut ledger = Self::default();
        let entries = journal::read(out).unwrap_or_default();
        for validation in journal::validations(&entries) {
            let Validation { epoch, loss, held_out, novel, .. } = *validation;
            let found = [
                (LossMetric::new().name(), loss),
                (MeanIou::of(Role::HeldOut).name(), held_out.map(|point| point.miou)),
                (MeanIou::of(Role::Novel).name(), novel.map(|point| point.miou)),
            ];
            for (name, value) in found {
                ledger.values.extend(value.map(|value| ((name.to_string(), epoch, Split::Valid), value)));
            }
        }
        ledger
    }
}

impl MetricLogger for Ledger {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        for metric in update.entries_numeric {
            if let (Some(NumericEntry::Final(value)), Some(name)) =
                (metric.numeric_entry, self.names.get(&metric.entry.metric_id))
            {
                self.values.insert((name.clone(), epoch, split.clone()), value);
            }
        }
    }

    fn read_numeric(&mut self, name: &str, epoch: usize, split: &Split) -> Result<Vec<NumericEntry>, String> {
        let value = self.values.get(&(name.to_owned(), epoch, split.clone()));
        Ok(value.map(|&value| NumericEntry::Final(value)).into_iter().collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name.to_string());
    }

    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::journal::{Event, Journal};
    use crate::train::sweep::Point;

    #[test]
    fn what_was_found_before_a_break_is_known_after_it() {
        let out = tempfile::tempdir().unwrap();
        let held_out = Some(Point { threshold: 0.4, miou: 31.25 });
        let validation = Validation { epoch: 2, loss: Some(0.5), held_out, ..Validation::default() };
        Journal::open(out.path()).unwrap().write(Event::Validation(validation));
        let mut ledger = Ledger::of(out.path());
        let mut read = |name: &str, epoch| {
            let values = ledger.read_numeric(name, epoch, &Split::Valid).unwrap();
            values.iter().map(NumericEntry::current).collect::<Vec<_>>()
        };
        assert_eq!((read("mIoU held-out", 2), read("Loss", 2)), (vec![31.25], vec![0.5]));
        assert!(read("Loss", 1).is_empty() && read("mIoU novel", 2).is_empty());
    }
}
