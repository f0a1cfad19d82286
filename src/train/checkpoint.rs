//! Checkpoints that are there whole or not at all.
//!
//! A checkpoint is a folder of three files under the number of its validation. burn writes the three from three
//! threads; they go into a folder with another name, and the last to arrive gives it its own. So what bears a number
//! was once whole, and the checkpoint before it is removed only later.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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
use super::{TrainError, disk, unusable};

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
        Arc::new(Self { folder: out.join(FOLDER), journal, written: Tally::default(), dropped: Tally::default() })
    }

    /// What burn saves the network, the optimizer and the scheduler through.
    pub fn parts(self: &Arc<Self>) -> [Part; 3] {
        PARTS.map(|name| Part { name, checkpoints: self.clone() })
    }

    /// Writes a part, twice if need be; the last of a checkpoint makes it count.
    fn write(&self, epoch: usize, part: &str, bytes: &[u8]) -> io::Result<()> {
        let partial = self.folder.join(epoch.to_string()).with_extension(PARTIAL);
        let attempt = || {
            let written = fs::create_dir_all(&partial).and_then(|()| disk::write(&partial.join(part), bytes));
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
            true => self.finish(epoch, &partial),
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
        let bytes = record.checkpoint_into_bytes().map_err(CheckpointerError::Record)?;
        self.checkpoints.write(epoch, self.name, &bytes).map_err(CheckpointerError::IOError)
    }

    /// The three parts go together. Each is given up by the thread that wrote the same part of a newer checkpoint
    /// before: when the last one is, that checkpoint is whole.
    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        if self.checkpoints.dropped.is_complete(epoch) {
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
    let folder = out.join(FOLDER);
    let mut found = numbered(&folder).map_err(|error| unusable(&folder, &error))?;
    found.sort();
    let last = found.iter().rev().find(|(epoch, path)| path.ends_with(epoch.to_string()) && is_whole(path));
    Ok(last.map_or(0, |(epoch, _)| *epoch))
}

/// The validations whose checkpoints are in the folder of a training, whole or damaged.
///
/// # Errors
/// When the folder of checkpoints cannot be read.
pub fn kept(out: &Path) -> Result<Vec<usize>, TrainError> {
    let folder = out.join(FOLDER);
    let found = numbered(&folder).map_err(|error| unusable(&folder, &error))?;
    Ok(found.into_iter().filter(|(epoch, path)| path.ends_with(epoch.to_string())).map(|(epoch, _)| epoch).collect())
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

/// Whether burn can read all three files; it looks for their ends, but not at every number in them.
fn is_whole(checkpoint: &Path) -> bool {
    ModuleRecord::load(checkpoint.join(MODEL)).is_ok()
        && OptimizerRecord::load(checkpoint.join(OPTIMIZER)).is_ok()
        && LrSchedulerRecord::load(checkpoint.join(SCHEDULER)).is_ok()
}

/// All checkpoints in a folder, also those in work.
fn numbered(folder: &Path) -> io::Result<Vec<(usize, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries?,
    };
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths.filter_map(|path| Some((path.file_stem()?.to_str()?.parse().ok()?, path))).collect())
}
