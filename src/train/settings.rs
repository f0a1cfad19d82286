//! Everything that decides a training, kept beside its checkpoints.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{TrainError, disk, unusable};
use crate::backbone::BackboneKind;
use crate::data::Format;
use crate::hsnet::Design;

/// The file that keeps the settings in the folder of a training.
const FILE: &str = "settings.json";

/// A data set to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSet {
    pub root: PathBuf,
    pub format: Format,
    /// How often it is drawn from, relative to the others.
    pub weight: f64,
}

/// What a training starts from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The weight file of the whole network; without, it is drawn.
    pub weights: Option<PathBuf>,
    /// A weight file of which only the backbone is taken.
    pub backbone_weights: Option<PathBuf>,
    /// Two trainings with the same seed start from the same network and see the same episodes.
    pub seed: u64,
}

/// What is trained on what, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub start: Start,
    /// The data sets; without any, episodes are drawn.
    pub data: Vec<DataSet>,
    /// How often an episode is drawn from nothing, relative to the data sets' weights.
    pub drawn: f64,
    /// The PASCAL fold whose classes stay novel; without, all are learned.
    pub fold: Option<usize>,
    /// Classes, by name, that are not used at all.
    pub exclude: Vec<String>,
    /// Classes, by name, that are not learned from but choose the threshold; if none is named, one in eight.
    pub hold_out: Vec<String>,
    /// The threshold, where it is known from elsewhere; then no class is held out to choose it.
    pub threshold: Option<f32>,
    /// The share of episodes from photographs in which one object is pasted onto two backgrounds.
    pub pasted: f64,
    #[serde(with = "name")]
    pub backbone: BackboneKind,
    /// Height and width of every query.
    pub size: [usize; 2],
    /// Height and width of every support.
    pub support_size: [usize; 2],
    /// How the network is built and how it takes its supports.
    pub design: Design,
    /// Episodes a step.
    pub batch: usize,
    /// Episodes in all.
    pub episodes: usize,
    /// Episodes between two validations; each is followed by a checkpoint.
    pub validate_every: usize,
    /// Episodes of held-out classes in a validation.
    pub held_out_episodes: usize,
    /// The learner's highest rate.
    pub lr: f64,
    /// The backbone's highest rate; at 0 it is frozen, as published.
    pub backbone_lr: f64,
    pub weight_decay: f32,
    /// Threads that prepare episodes.
    pub workers: usize,
    /// The licence of the result, with the notices of what it started from.
    pub licence: String,
}

impl Settings {
    /// Steps from one validation to the next.
    pub fn steps_an_epoch(&self) -> usize {
        self.validate_every.div_ceil(self.batch).max(1)
    }

    /// Validations in all; a training ends with one.
    pub fn epochs(&self) -> usize {
        self.episodes.div_ceil(self.steps_an_epoch() * self.batch).max(1)
    }

    /// Steps in all.
    pub fn steps(&self) -> usize {
        self.epochs() * self.steps_an_epoch()
    }

    /// Looks for settings that cannot work.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let complaint = if self.batch == 0 {
            "a batch needs at least one episode"
        } else if self.size.iter().chain(&self.support_size).any(|&side| !(64..=1024).contains(&side)) {
            "pictures need between 64 and 1024 pixels a side"
        } else if !(0.0..=1.0).contains(&self.lr) || !(0.0..=1.0).contains(&self.backbone_lr) || self.lr == 0.0 {
            "a learning rate is above 0 and at most 1; only the backbone's may be 0"
        } else if !(0.0..1.0).contains(&self.weight_decay) {
            "weight decay is at least 0 and below 1"
        } else if !(0.0..=1.0).contains(&self.pasted) {
            "the share of pasted episodes is between 0 and 1"
        } else if self.held_out_episodes == 0 {
            "a validation needs at least one episode"
        } else {
            return Ok(());
        };
        Err(TrainError::Settings(complaint.into()))
    }

    /// Reads the settings of the training in a folder.
    ///
    /// # Errors
    /// When the folder holds no training, or one of another version.
    pub fn load(out: &Path) -> Result<Self, TrainError> {
        let path = out.join(FILE);
        let text = fs::read_to_string(&path).map_err(|error| {
            let problem = format!("there is no training to resume here ({error})");
            TrainError::Folder { path: path.clone(), problem }
        })?;
        serde_json::from_str(&text).map_err(|error| {
            let problem = format!("not the settings of a training of this version ({error})");
            TrainError::Folder { path, problem }
        })
    }

    pub(super) fn save(&self, out: &Path) -> Result<(), TrainError> {
        let path = out.join(FILE);
        let text = serde_json::to_string_pretty(self).map_err(|error| TrainError::Settings(error.to_string()))?;
        fs::create_dir_all(out)
            .and_then(|()| disk::write_whole(&path, text.as_bytes()))
            .map_err(|error| unusable(&path, &error))
    }
}

/// A backbone is kept under its name.
mod name {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::backbone::BackboneKind;

    pub fn serialize<S: Serializer>(backbone: &BackboneKind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(backbone)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BackboneKind, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A training of two tiny epochs.
    pub fn tiny() -> Settings {
        Settings {
            start: Start::default(),
            data: vec![DataSet { root: "photographs".into(), format: Format::Fss, weight: 1.0 }],
            drawn: 1.0,
            fold: Some(0),
            exclude: vec![],
            hold_out: vec![],
            threshold: None,
            design: Design::default(),
            pasted: 0.5,
            backbone: BackboneKind::MobilenetV2,
            size: [64, 64],
            support_size: [64, 64],
            batch: 2,
            episodes: 8,
            validate_every: 4,
            held_out_episodes: 2,
            lr: 1e-3,
            backbone_lr: 0.0,
            weight_decay: 0.01,
            workers: 1,
            licence: "MIT OR Apache-2.0".into(),
        }
    }

    #[test]
    fn epochs_cover_all_episodes() {
        let settings = Settings { batch: 4, episodes: 1000, validate_every: 150, ..tiny() };
        assert_eq!((settings.steps_an_epoch(), settings.epochs(), settings.steps()), (38, 7, 266));
    }

    #[test]
    fn settings_are_read_as_they_were_written() {
        let out = tempfile::tempdir().unwrap();
        tiny().save(out.path()).unwrap();
        assert_eq!(Settings::load(out.path()).unwrap(), tiny());
    }

    #[test]
    fn an_empty_folder_has_no_training() {
        let out = tempfile::tempdir().unwrap();
        let error = Settings::load(out.path()).unwrap_err().to_string();
        assert!(error.contains("no training to resume"), "{error}");
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for broken in [
            Settings { batch: 0, ..tiny() },
            Settings { size: [64, 8], ..tiny() },
            Settings { lr: 0.0, ..tiny() },
            Settings { lr: f64::NAN, ..tiny() },
            Settings { weight_decay: 1.0, ..tiny() },
        ] {
            assert!(broken.check().is_err(), "{broken:?}");
        }
        assert!(tiny().check().is_ok());
    }
}
