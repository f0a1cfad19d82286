//! The recipe as flags: a named one, and every value of it by itself.

use clap::{Args, ValueEnum};

use crate::data::{Augment, Sample};
use crate::train::{Loss, Recipe, Schedule, Select};

/// The recipes by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Ours: what keeps a small training from swinging
    #[default]
    Fewseg,
    /// HSNet's: Adam at one rate on pictures as they are, the weights chosen on the test classes; on COCO add --sample
    /// classes, as its published training draws them alike
    Published,
}

impl Name {
    fn recipe(self) -> Recipe {
        match self {
            Self::Fewseg => Recipe::FEWSEG,
            Self::Published => Recipe::PUBLISHED,
        }
    }
}

#[derive(Args)]
#[command(next_help_heading = "Recipe (the values of each by name are below)")]
pub struct RecipeArgs {
    /// The values that are taken where no flag gives another
    #[arg(long, value_enum, default_value_t)]
    recipe: Name,
    /// The side of the square that queries are resized to
    #[arg(long, value_name = "PIXELS")]
    size: Option<usize>,
    /// The side of the square that supports are resized to [default: that of the queries, where --size is given]
    #[arg(long, value_name = "PIXELS")]
    support_size: Option<usize>,
    /// Supports an episode; the loss is that of the shots' mean logits, while validations let them vote
    #[arg(long, value_name = "N")]
    shots: Option<usize>,
    /// Whose turn it is to be asked
    #[arg(long, value_enum, value_name = "WHAT")]
    sample: Option<Sample>,
    /// How far the views of a photograph depart from it
    #[arg(long, value_enum, value_name = "HOW")]
    augment: Option<Augment>,
    /// The share of episodes that paste one object onto other backgrounds
    #[arg(long, value_name = "SHARE")]
    pasted: Option<f64>,
    /// The share of episodes whose query does not show the class
    #[arg(long, value_name = "SHARE")]
    negative: Option<f64>,
    /// What is minimised
    #[arg(long, value_enum, value_name = "WHAT")]
    loss: Option<Loss>,
    /// Episodes a step
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// The learner's highest learning rate
    #[arg(long, value_name = "RATE")]
    lr: Option<f64>,
    /// The backbone's highest learning rate; 0 freezes it
    #[arg(long, value_name = "RATE")]
    backbone_lr: Option<f64>,
    /// How the rates go on after the warm-up
    #[arg(long, value_enum, value_name = "HOW")]
    schedule: Option<Schedule>,
    /// The share of the steps over which the rates rise
    #[arg(long, value_name = "SHARE")]
    warm_up: Option<f64>,
    /// Weight decay
    #[arg(long, value_name = "RATE")]
    weight_decay: Option<f64>,
    /// The largest norm of a parameter's gradient; 0 clips none
    #[arg(long, value_name = "NORM")]
    clip: Option<f64>,
    /// The share of the steps over which the exported weights are averaged; 0 averages none
    #[arg(long, value_name = "SHARE")]
    average: Option<f64>,
    /// Whose weights are exported
    #[arg(long, value_enum, value_name = "WHOSE")]
    select: Option<Select>,
    /// The threshold to recommend, known from elsewhere; with it, only --select held-out holds classes out
    #[arg(long, value_parser = crate::cli::threshold)]
    threshold: Option<f32>,
}

impl RecipeArgs {
    /// The named recipe with what was given by itself.
    pub fn recipe(&self) -> Recipe {
        let named = self.recipe.recipe();
        Recipe {
            size: self.size.unwrap_or(named.size),
            support_size: self.support_size.or(self.size).unwrap_or(named.support_size),
            shots: self.shots.unwrap_or(named.shots),
            sample: self.sample.unwrap_or(named.sample),
            augment: self.augment.unwrap_or(named.augment),
            pasted: self.pasted.unwrap_or(named.pasted),
            negative: self.negative.unwrap_or(named.negative),
            loss: self.loss.unwrap_or(named.loss),
            batch: self.batch.unwrap_or(named.batch),
            lr: self.lr.unwrap_or(named.lr),
            backbone_lr: self.backbone_lr.unwrap_or(named.backbone_lr),
            schedule: self.schedule.unwrap_or(named.schedule),
            warm_up: self.warm_up.unwrap_or(named.warm_up),
            weight_decay: self.weight_decay.unwrap_or(named.weight_decay),
            clip: self.clip.unwrap_or(named.clip),
            average: self.average.unwrap_or(named.average),
            select: self.select.unwrap_or(named.select),
            threshold: self.threshold.or(named.threshold),
        }
    }
}

/// Both recipes side by side, a flag a line, for the help.
pub fn table() -> String {
    let columns = [Recipe::FEWSEG, Recipe::PUBLISHED].map(|recipe| serde_json::to_value(recipe).unwrap_or_default());
    let mut lines = format!("Recipes:\n  {:<18}{:<12}{}\n", "", "fewseg", "published");
    for (name, ours) in columns[0].as_object().into_iter().flatten() {
        let flag = format!("--{}", name.replace('_', "-"));
        lines += &format!("  {flag:<18}{:<12}{}\n", shown(ours), shown(&columns[1][name]));
    }
    lines
}

fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "chosen".into(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
