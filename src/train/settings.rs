//! Everything that decides a training, kept beside its checkpoints.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Recipe, TrainError, unusable};
use crate::backbone::BackboneKind;
use crate::data::Format;
use crate::disk;
use crate::hsnet::Design;

/// The file that keeps the settings in the folder of a training.
const FILE: &str = "settings.json";
/// A cache of more MiB than this is a slip of the hand.
const MOST: u64 = 1 << 30;

/// A data set to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSet {
    pub root: PathBuf,
    pub format: Format,
    /// How often it is drawn from, relative to the others.
    pub weight: f64,
    /// Where its lists are, if not in its tree.
    pub lists: Option<PathBuf>,
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
    /// The fold whose classes stay novel, of PASCAL-5i and COCO-20i; without, all are learned.
    pub fold: Option<usize>,
    /// Whether files and lines that cannot be used are left out, instead of ending everything.
    pub skip_missing: bool,
    /// Classes, by name, that are not used at all.
    pub exclude: Vec<String>,
    /// Classes, by name, that are not learned from but choose threshold and weights; if none is named, one in eight.
    pub hold_out: Vec<String>,
    #[serde(with = "name")]
    pub backbone: BackboneKind,
    /// How the network is built and how it takes its supports.
    pub design: Design,
    pub recipe: Recipe,
    /// Episodes in all.
    pub episodes: usize,
    /// Episodes between two validations; each is followed by a checkpoint.
    pub validate_every: usize,
    /// Episodes of held-out classes in a validation.
    pub held_out_episodes: usize,
    /// Episodes of novel classes in a validation; without, as many as the protocol has where weights are chosen by it,
    /// else 200 at most.
    pub novel_episodes: Option<usize>,
    /// How many validations in a row may gain nothing before the training ends.
    pub patience: Option<usize>,
    /// In how many parts a step goes through its episodes; the gradients are summed.
    pub accumulate: usize,
    /// Whether what is cheap to compute is forgotten, and computed again for the gradient.
    pub checkpointing: bool,
    /// Threads that prepare episodes.
    pub workers: usize,
    /// MiB of decoded pictures that are kept, over all data sets.
    pub cache: u64,
    /// The licence of the result, with the notices of what it started from.
    pub licence: String,
}

impl Settings {
    /// Steps from one validation to the next.
    pub fn steps_an_epoch(&self) -> usize {
        self.validate_every.div_ceil(self.recipe.batch).max(1)
    }

    /// Validations in all; a training ends with one.
    pub fn epochs(&self) -> usize {
        self.episodes.div_ceil(self.steps_an_epoch() * self.recipe.batch).max(1)
    }

    /// Steps in all.
    pub fn steps(&self) -> usize {
        self.epochs() * self.steps_an_epoch()
    }

    /// Episodes that go through the network side by side.
    pub fn at_once(&self) -> usize {
        self.recipe.batch / self.accumulate
    }

    /// Looks for settings that cannot work.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        self.recipe.check()?;
        let complaint = if self.accumulate == 0 || !self.recipe.batch.is_multiple_of(self.accumulate) {
            format!("a step of {} episodes cannot go in {} equal parts", self.recipe.batch, self.accumulate)
        } else if self.held_out_episodes == 0 {
            "a validation needs at least one episode".into()
        } else if self.novel_episodes == Some(0) {
            "a validation on novel classes needs at least one episode".into()
        } else if self.cache > MOST {
            format!("a cache of {} MiB is more than any machine has", self.cache)
        } else if self.patience == Some(0) {
            "a patience of 0 would end the training at its first validation".into()
        } else {
            return Ok(());
        };
        Err(TrainError::Settings(complaint))
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
            data: vec![DataSet { root: "photographs".into(), format: Format::Fss, weight: 1.0, lists: None }],
            drawn: 1.0,
            fold: Some(0),
            skip_missing: false,
            exclude: vec![],
            hold_out: vec![],
            backbone: BackboneKind::MobilenetV2,
            design: Design::default(),
            recipe: Recipe { size: 64, support_size: 64, batch: 2, pasted: 0.5, ..Recipe::FEWSEG },
            episodes: 8,
            validate_every: 4,
            held_out_episodes: 2,
            novel_episodes: None,
            patience: None,
            accumulate: 1,
            checkpointing: false,
            workers: 1,
            cache: 64,
            licence: "MIT OR Apache-2.0".into(),
        }
    }

    /// The same with another recipe.
    pub fn with(change: impl FnOnce(&mut Recipe)) -> Settings {
        let mut settings = tiny();
        change(&mut settings.recipe);
        settings
    }

    #[test]
    fn epochs_cover_all_episodes() {
        let settings = Settings { episodes: 1000, validate_every: 150, ..with(|recipe| recipe.batch = 4) };
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
        let bent: [fn(&mut Recipe); 9] = [
            |recipe| recipe.batch = 0,
            |recipe| recipe.size = 8,
            |recipe| recipe.lr = 0.0,
            |recipe| recipe.lr = f64::NAN,
            |recipe| recipe.weight_decay = 1.0,
            |recipe| recipe.shots = 0,
            |recipe| recipe.negative = 1.5,
            |recipe| recipe.warm_up = 1.0,
            |recipe| recipe.clip = -1.0,
        ];
        let broken = bent.into_iter().map(with).chain([
            Settings { accumulate: 0, ..tiny() },
            Settings { accumulate: 3, ..tiny() },
            Settings { patience: Some(0), ..tiny() },
            Settings { held_out_episodes: 0, ..tiny() },
        ]);
        for settings in broken {
            assert!(settings.check().is_err(), "{settings:?}");
        }
        for recipe in [Recipe::FEWSEG, Recipe::PUBLISHED] {
            assert!(Settings { recipe, ..tiny() }.check().is_ok());
        }
    }
}
