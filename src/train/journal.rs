//! What happened in a training, a line of JSON each: for programs, and for the curves.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::sweep::Point;
use super::{TrainError, unusable};

/// The journal in the folder of a training.
const FILE: &str = "journal.jsonl";

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Seconds since 1970.
    pub time: f64,
    #[serde(flatten)]
    pub event: Event,
}

/// What a line tells. A loss that is no number is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A process began, or went on after the validation `after`.
    Start { version: String, devices: Vec<String>, after: usize, settings: serde_json::Value },
    /// Some more steps were made.
    Steps(Steps),
    /// The validation of this number.
    Validation(Validation),
    /// The checkpoint after this validation is on the disk.
    Checkpoint { epoch: usize },
    /// The training ended early because somebody asked for it.
    Interrupted,
    /// It ended early for another reason.
    Failed { problem: String },
    /// The weights are written.
    End { weights: PathBuf, threshold: f32 },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    pub epoch: usize,
    /// Steps since the beginning of the training.
    pub step: usize,
    /// Episodes likewise.
    pub episodes: usize,
    /// The mean over the steps since the last such line.
    pub loss: Option<f64>,
    /// The learner's rate at the last of them.
    pub rate: Option<f64>,
    /// In this epoch so far.
    pub episodes_per_second: f64,
    /// The share of time spent waiting for episodes, likewise.
    pub waited: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    pub epoch: usize,
    /// Episodes learned from until here.
    pub episodes: usize,
    /// The mean over the epoch's training steps.
    pub training_loss: Option<f64>,
    /// Over the validated episodes.
    pub loss: Option<f64>,
    pub held_out: Option<Point>,
    pub novel: Option<Point>,
}

/// The journal being written. It must not end a training: where a line cannot be written, it is missing.
pub struct Journal {
    file: Mutex<File>,
}

impl Journal {
    /// Opens the journal in the folder `out` to write on at its end.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(out: &Path) -> Result<Self, TrainError> {
        let path = out.join(FILE);
        let file = OpenOptions::new().create(true).read(true).append(true).open(&path);
        let file = file.and_then(|mut file| end_line(&mut file).map(|()| file));
        Ok(Self { file: Mutex::new(file.map_err(|error| unusable(&path, &error))?) })
    }

    /// Adds a line.
    pub fn write(&self, event: Event) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let entry = Entry { time: now.as_millis() as f64 / 1000.0, event };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = serde_json::to_vec(&entry).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            end_line(&mut file)?;
            file.write_all(&line)
        });
        if let Err(error) = written {
            tracing::warn!("a line is missing in the journal of the training: {error}");
        }
    }
}

/// A line that was cut short stands alone, so that only it is lost.
fn end_line(file: &mut File) -> io::Result<()> {
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

/// The lines of the journal in a training's folder, without those that were cut short.
pub fn read(out: &Path) -> io::Result<Vec<Entry>> {
    let text = fs::read(out.join(FILE))?;
    Ok(text.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// Each validation as it was last made: a training that was cut short makes some again.
pub fn validations(entries: &[Entry]) -> Vec<&Validation> {
    let mut validations: Vec<&Validation> = vec![];
    for entry in entries {
        match &entry.event {
            Event::Start { after, .. } => validations.retain(|validation| validation.epoch <= *after),
            Event::Validation(validation) => validations.push(validation),
            _ => {}
        }
    }
    validations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_short_costs_no_other() {
        let out = tempfile::tempdir().unwrap();
        let events = || read(out.path()).unwrap().into_iter().map(|entry| entry.event).collect::<Vec<_>>();
        let steps = Event::Steps(Steps { epoch: 1, step: 10, loss: Some(0.5), ..Steps::default() });
        Journal::open(out.path()).unwrap().write(steps.clone());
        let path = out.path().join(FILE);
        let mut text = fs::read(&path).unwrap();
        text.extend_from_slice(&text.clone()[..20]);
        fs::write(&path, text).unwrap();
        assert_eq!(events(), std::slice::from_ref(&steps));
        Journal::open(out.path()).unwrap().write(Event::Interrupted);
        assert_eq!(events(), [steps, Event::Interrupted]);
    }

    #[test]
    fn a_line_says_what_it_is() {
        let point = Point { threshold: 0.45, miou: 61.5 };
        let event = Event::Validation(Validation { epoch: 2, held_out: Some(point), ..Validation::default() });
        let line = serde_json::to_value(Entry { time: 1.5, event }).unwrap();
        assert_eq!((&line["event"], &line["time"], &line["epoch"]), (&"validation".into(), &1.5.into(), &2.into()));
        assert_eq!(line["held_out"]["miou"], 61.5);
    }

    #[test]
    fn what_was_made_again_counts_as_it_was_made_last() {
        let start = |after| Event::Start { version: "1".into(), devices: vec![], after, settings: ().into() };
        let validation = |epoch, loss| Event::Validation(Validation { epoch, loss: Some(loss), ..Default::default() });
        let events = [start(0), validation(1, 3.0), validation(2, 2.0), start(1), validation(2, 1.0)];
        let entries = events.map(|event| Entry { time: 0.0, event });
        let losses: Vec<_> = validations(&entries).iter().map(|validation| validation.loss.unwrap()).collect();
        assert_eq!(losses, [3.0, 1.0]);
    }
}
