//! Checkpoints that are there whole or not at all.
//!
//! A checkpoint is a folder of three files under the number of its validation. burn writes the three from three
//! threads; they go into a folder with another name, and the last to arrive gives it its own. So what bears a number
//! was once whole, and the checkpoint before it is removed only later.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io, thread};

use burn::lr_scheduler::LrSchedulerRecord;
use burn::module::Module as _;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};

use super::journal::{Event, Journal};
use super::learner::Trainee;
use super::{TrainError, unusable};
use crate::disk;

/// The folder of checkpoints in that of a training.
const FOLDER: &str = "checkpoint";
/// What a checkpoint is called while it is written.
const PARTIAL: &str = "partial";
/// How long to wait before a checkpoint that cannot be written is tried once more.
const PATIENCE: Duration = Duration::from_secs(2);

const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optim.bpk";
const SCHEDULER: &str = "scheduler.bpk";
const PARTS: [&str; 3] = [MODEL, OPTIMIZER, SCHEDULER];

/// The checkpoints of a training.
pub struct Checkpoints {
    folder: PathBuf,
    journal: Arc<Journal>,
    /// How many parts of the checkpoints in work are written, by number.
    written: Tally,
    /// How many parts of a checkpoint were given up, by number.
    dropped: Tally,
    /// Whether a checkpoint could not be written. From then on all others stay: burn would go on and remove those that
    /// the failed one was to replace.
    failed: AtomicBool,
}

/// Counts the parts of checkpoints.
#[derive(Default)]
struct Tally(Mutex<BTreeMap<usize, usize>>);

impl Tally {
    /// Counts a part; true if it was the last one of its checkpoint.
    fn is_complete(&self, epoch: usize) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = counts.remove(&epoch).unwrap_or(0) + 1;
        if parts < PARTS.len() {
            counts.insert(epoch, parts);
        }
        parts == PARTS.len()
    }
}

impl Checkpoints {
    pub fn new(out: &Path, journal: Arc<Journal>) -> Arc<Self> {
        let folder = out.join(FOLDER);
        Arc::new(Self { folder, journal, written: Tally::default(), dropped: Tally::default(), failed: false.into() })
    }

    /// What burn saves the network, the optimizer and the scheduler through.
    pub fn parts(self: &Arc<Self>) -> [Part; 3] {
        PARTS.map(|name| Part { name, checkpoints: self.clone() })
    }

    /// Writes a part, or notes that the checkpoint failed and leaves nothing of it: it would only take room.
    fn save(&self, epoch: usize, part: &str, record: impl Checkpoint) -> Result<(), CheckpointerError> {
        let partial = self.folder.join(epoch.to_string()).with_extension(PARTIAL);
        let bytes = record.checkpoint_into_bytes().map_err(CheckpointerError::Record);
        let saved =
            bytes.and_then(|bytes| self.write(epoch, &partial, part, &bytes).map_err(CheckpointerError::IOError));
        if saved.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        // Also the parts that went well: each looks after its own was written.
        if self.failed.load(Ordering::SeqCst) {
            let _ = fs::remove_dir_all(&partial);
        }
        saved
    }

    /// Writes a part, twice if need be; the last of a checkpoint makes it count.
    fn write(&self, epoch: usize, partial: &Path, part: &str, bytes: &[u8]) -> io::Result<()> {
        let attempt = || {
            let written = fs::create_dir_all(partial).and_then(|()| disk::write(&partial.join(part), bytes));
            if written.is_err() {
                // It only takes room.
                let _ = fs::remove_file(partial.join(part));
            }
            written
        };
        attempt().or_else(|_| {
            thread::sleep(PATIENCE);
            attempt()
        })?;
        match self.written.is_complete(epoch) {
            true => self.finish(epoch, partial),
            false => Ok(()),
        }
    }

    fn finish(&self, epoch: usize, partial: &Path) -> io::Result<()> {
        let whole = self.folder.join(epoch.to_string());
        // A damaged one, from which the training could not go on.
        if whole.exists() {
            fs::remove_dir_all(&whole)?;
        }
        disk::sync_folder(partial)?;
        disk::rename(partial, &whole)?;
        self.journal.write(Event::Checkpoint { epoch });
        Ok(())
    }
}

/// One of the three files, for burn.
pub struct Part {
    name: &'static str,
    checkpoints: Arc<Checkpoints>,
}

impl<R: Checkpoint> Checkpointer<R> for Part {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        self.checkpoints.save(epoch, self.name, record)
    }

    /// The three parts go together. Each is given up by the thread that wrote the same part of a newer checkpoint
    /// before: when the last one is, that checkpoint is whole, unless it failed.
    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        let is_last = self.checkpoints.dropped.is_complete(epoch);
        if is_last && !self.checkpoints.failed.load(Ordering::SeqCst) {
            // One that cannot be removed only takes room.
            let _ = fs::remove_dir_all(self.checkpoints.folder.join(epoch.to_string()));
        }
        Ok(())
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        R::load(self.checkpoints.folder.join(epoch.to_string()).join(self.name))
    }
}

/// The validation of the last whole checkpoint in the folder of a training, 0 if there is none.
///
/// # Errors
/// When the folder of checkpoints cannot be read.
pub fn last_checkpoint(out: &Path) -> Result<usize, TrainError> {
    Ok(kept(out)?.into_iter().rev().find(|&epoch| is_whole(out, epoch)).unwrap_or(0))
}

/// The validations whose checkpoints are in the folder of a training and whole, in order.
///
/// # Errors
/// When the folder of checkpoints cannot be read.
pub fn whole(out: &Path) -> Result<Vec<usize>, TrainError> {
    Ok(kept(out)?.into_iter().filter(|&epoch| is_whole(out, epoch)).collect())
}

/// The validations whose checkpoints are in the folder of a training, whole or damaged, in order.
///
/// # Errors
/// When the folder of checkpoints cannot be read.
pub fn kept(out: &Path) -> Result<Vec<usize>, TrainError> {
    let folder = out.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.map_err(|error| unusable(&folder, &error))?,
    };
    // One in work has a number too, but an extension with it.
    let mut kept: Vec<usize> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    kept.sort_unstable();
    Ok(kept)
}

/// The trainee as it was at a validation whose checkpoint is kept.
///
/// # Errors
/// When burn cannot read it.
pub fn restored(trainee: Trainee, out: &Path, validation: usize) -> Result<Trainee, TrainError> {
    let path = out.join(FOLDER).join(validation.to_string()).join(MODEL);
    let restored = ModuleRecord::load(&path).and_then(|record| trainee.try_load_record(record));
    restored.map_err(|error| TrainError::Folder { path, problem: error.to_string() })
}

/// Whether burn can read all three files of a checkpoint; it looks for their ends, but not at every number in them.
fn is_whole(out: &Path, epoch: usize) -> bool {
    let checkpoint = out.join(FOLDER).join(epoch.to_string());
    ModuleRecord::load(checkpoint.join(MODEL)).is_ok()
        && OptimizerRecord::load(checkpoint.join(OPTIMIZER)).is_ok()
        && LrSchedulerRecord::load(checkpoint.join(SCHEDULER)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_that_fails_removes_no_other_and_leaves_nothing_of_itself() {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().join(FOLDER);
        fs::create_dir_all(folder.join("1")).unwrap();
        let checkpoints = Checkpoints::new(out.path(), Arc::new(Journal::open(out.path()).unwrap()));
        // Something is in the way of the optimizer's part.
        fs::create_dir_all(folder.join("3.partial").join(OPTIMIZER)).unwrap();
        let saved = checkpoints.parts().map(|part| {
            let saved = Checkpointer::save(&part, 3, LrSchedulerRecord::new()).is_ok();
            // As burn does, whatever came of it.
            Checkpointer::<LrSchedulerRecord>::delete(&part, 1).unwrap();
            saved
        });
        assert_eq!(saved, [true, false, true]);
        assert_eq!(kept(out.path()).unwrap(), [1]);
        assert!(!folder.join("3.partial").exists());
    }
}
