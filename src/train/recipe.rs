//! The recipes: how a training learns unless it is told otherwise, all in one table.

use serde::{Deserialize, Serialize};

use super::TrainError;
use super::batch::Role;
use crate::data::{Augment, Sample};

/// How the learning rate goes on once it has risen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Down to a hundredth along a cosine.
    Cosine,
    /// Level.
    Constant,
}

/// What a training minimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The mean over all pixels of the cross-entropy, as published.
    CrossEntropy,
    /// The same, and one less the soft overlap of what is found with what is there (Dice; Milletari et al., 3DV 2016),
    /// which small objects weigh in as much as large ones.
    Overlap,
}

/// Whose weights are exported in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Select {
    /// Those of the last validation.
    Last,
    /// Those of the validation that was best on the held-out classes.
    HeldOut,
    /// Those of the validation that was best on the side that the data set's protocol validates on, as published: of
    /// PASCAL-5i and COCO-20i these are the novel classes, and what the weights then score there is no fair measure of
    /// them; FSS-1000 has classes of its own for it.
    Test,
}

impl Select {
    /// The episodes that a validation is judged by.
    pub fn role(self) -> Role {
        match self {
            Self::Last | Self::HeldOut => Role::HeldOut,
            Self::Test => Role::Novel,
        }
    }
}

/// What a training does with the episodes. Every field is named as its flag is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The side of the square that queries are resized to, in pixels.
    pub size: usize,
    /// The side of the square that supports are resized to, in pixels.
    pub support_size: usize,
    /// Supports an episode. The loss is that of the shots' mean logits: the vote by which HSNet joins several shots
    /// where it is used has no gradient. Validations vote, and so the threshold is chosen under the vote.
    pub shots: usize,
    /// Whose turn it is to be asked.
    pub sample: Sample,
    pub augment: Augment,
    /// The share of episodes from photographs in which one object is pasted onto other backgrounds.
    pub pasted: f64,
    /// The share of episodes whose query does not show the class.
    pub negative: f64,
    pub loss: Loss,
    /// Episodes a step.
    pub batch: usize,
    /// The learner's highest rate.
    pub lr: f64,
    /// The backbone's highest rate; at 0 it is frozen.
    pub backbone_lr: f64,
    pub schedule: Schedule,
    /// The share of the steps over which the rates rise.
    pub warm_up: f64,
    pub weight_decay: f64,
    /// The largest norm of a parameter's gradient; 0 for any.
    pub clip: f64,
    /// The weights that are validated and exported are an average that reaches back over this share of the steps; 0 for
    /// the weights themselves.
    pub average: f64,
    pub select: Select,
    /// The threshold, where it is known from elsewhere.
    pub threshold: Option<f32>,
}

impl Recipe {
    /// Ours: what keeps a small training from swinging.
    pub const FEWSEG: Self = Self {
        size: 256,
        support_size: 256,
        shots: 1,
        sample: Sample::Classes,
        augment: Augment::Full,
        pasted: 0.4,
        negative: 0.0,
        loss: Loss::Overlap,
        batch: 4,
        lr: 1e-3,
        backbone_lr: 0.0,
        schedule: Schedule::Cosine,
        warm_up: 0.05,
        weight_decay: 0.01,
        clip: 1.0,
        average: 0.1,
        select: Select::HeldOut,
        threshold: None,
    };

    /// HSNet's, as its published implementation has it: Adam at one rate on pictures as they are, and the checkpoint that
    /// is best on the side that is validated on, where the larger logit wins. COCO-20i's training draws classes alike,
    /// [`Sample::Classes`], where PASCAL-5i's and FSS-1000's go through the pictures; and what random numbers decide in
    /// training is not the published code's.
    pub const PUBLISHED: Self = Self {
        size: 400,
        support_size: 400,
        shots: 1,
        sample: Sample::Pictures,
        augment: Augment::None,
        pasted: 0.0,
        negative: 0.0,
        loss: Loss::CrossEntropy,
        batch: 20,
        lr: 1e-3,
        backbone_lr: 0.0,
        schedule: Schedule::Constant,
        warm_up: 0.0,
        weight_decay: 0.0,
        clip: 0.0,
        average: 0.0,
        select: Select::Test,
        threshold: Some(0.5),
    };

    /// Height and width of every query.
    pub fn plane(&self) -> [usize; 2] {
        [self.size; 2]
    }

    /// Height and width of every support.
    pub fn support_plane(&self) -> [usize; 2] {
        [self.support_size; 2]
    }

    /// Whether classes are held out: to choose the threshold on, or the weights.
    pub fn holds_out(&self) -> bool {
        self.threshold.is_none() || self.select == Select::HeldOut
    }

    /// Looks for values that cannot work.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        let rules = [
            (
                [self.size, self.support_size].iter().all(|side| (64..=1024).contains(side)),
                "pictures need between 64 and 1024 pixels a side",
            ),
            (self.shots > 0, "an episode needs at least one support"),
            (is_share(self.pasted), "the share of pasted episodes is between 0 and 1"),
            (is_share(self.negative), "the share of negative episodes is between 0 and 1"),
            (self.batch > 0, "a batch needs at least one episode"),
            (self.lr > 0.0 && self.lr <= 1.0, "the learning rate is above 0 and at most 1"),
            (is_share(self.backbone_lr), "the backbone's learning rate is between 0 and 1"),
            (is_share(self.warm_up) && self.warm_up < 1.0, "the share of the warm-up is at least 0 and below 1"),
            ((0.0..1.0).contains(&self.weight_decay), "weight decay is at least 0 and below 1"),
            (self.clip >= 0.0 && self.clip.is_finite(), "gradients are clipped at a norm above 0, or at 0 not at all"),
            (is_share(self.average), "the share of the steps that the average reaches back is between 0 and 1"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(TrainError::Settings((*rule).into())),
            None => Ok(()),
        }
    }
}
