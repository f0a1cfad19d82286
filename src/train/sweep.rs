//! mIoU at a row of thresholds, and the threshold where it is best.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use burn::Tensor;
use burn::data::dataloader::DataLoader;
use burn::tensor::{Device, TensorReadError};
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::batch::Role;
use super::learner::Found;
use super::loader::Loader;
use super::recipe::Loss;
use crate::episode::Episode;
use crate::hsnet::Hsnet;
use crate::metric::{Overlap, Score};
use crate::predict::vote;

/// The thresholds on the object's probability that are compared; one half is the published rule.
pub const THRESHOLDS: [f32; 10] = [0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6];

/// Scores at some thresholds.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// From the lowest threshold to the highest.
    scores: Vec<(f32, Score)>,
}

impl Default for Sweep {
    /// At [`THRESHOLDS`].
    fn default() -> Self {
        Self { scores: THRESHOLDS.map(|threshold| (threshold, Score::default())).into() }
    }
}

/// A point of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub threshold: f32,
    /// In percent.
    pub miou: f64,
}

/// As burn shows it to a person; from this text, the threshold is exact and the mIoU rounded.
impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}% at {:.2}", self.miou, self.threshold)
    }
}

impl FromStr for Point {
    type Err = Box<dyn std::error::Error>;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (miou, threshold) = text.split_once("% at ").ok_or("not a point of a sweep")?;
        Ok(Self { miou: miou.parse()?, threshold: threshold.parse()? })
    }
}

impl Sweep {
    /// At the one threshold that is known, else at [`THRESHOLDS`].
    pub fn over(known: Option<f32>) -> Self {
        known.map_or_else(Self::default, |threshold| Self { scores: vec![(threshold, Score::default())] })
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.scores.iter().all(|(_, score)| score.is_empty())
    }

    /// mIoU at each threshold, from the lowest.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        self.scores.iter().map(|(threshold, score)| Point { threshold: *threshold, miou: score.miou() })
    }

    /// Where mIoU is highest; among equals, the nearest to one half.
    pub fn best(&self) -> Point {
        let rank = |point: &Point| (point.miou, -(point.threshold - 0.5).abs());
        let better = |best: Point, point: Point| if rank(&point) > rank(&best) { point } else { best };
        self.points().reduce(better).unwrap_or(Point { threshold: 0.5, miou: 0.0 })
    }

    /// The full score at one of the thresholds.
    pub fn at(&self, threshold: f32) -> Option<&Score> {
        self.scores.iter().find(|(t, _)| *t == threshold).map(|(_, score)| score)
    }

    /// Counts an episode, whose mask the shots' `margins` give as they do where the network is used: several vote.
    fn add(&mut self, episode: &Episode, margins: &[&[f32]]) {
        let truth = &episode.query.mask;
        for (threshold, score) in &mut self.scores {
            let found = vote(margins.iter(), truth.height, truth.width, *threshold);
            let object = found.values.iter().map(|&value| value != 0);
            score.add(episode.class, &Overlap::count(object, truth, episode.ignore.as_ref()));
        }
    }

    /// Counts those episodes of a batch that have `role`.
    fn add_batch(&mut self, role: Role, found: &SweepInput) -> Result<(), TensorReadError> {
        if found.episodes.iter().all(|(other, _)| *other != role) {
            return Ok(());
        }
        let margins = found.margins.iter().map(|margin| margin.clone().try_into_vec_as::<f32>());
        let margins = margins.collect::<Result<Vec<_>, _>>()?;
        for (place, (other, episode)) in found.episodes.iter().enumerate() {
            if *other == role {
                let pixels = episode.query.mask.values.len();
                let own = place * pixels..(place + 1) * pixels;
                let margins: Vec<&[f32]> = margins.iter().map(|margins| &margins[own.clone()]).collect();
                self.add(episode, &margins);
            }
        }
        Ok(())
    }
}

impl fmt::Display for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let points: Vec<String> = self.points().map(|p| format!("{:.2}: {:.1}", p.threshold, p.miou)).collect();
        f.write_str(&points.join("  "))
    }
}

/// Sweeps of the held-out and of the novel episodes of a loader, at the `known` threshold or a row of them.
pub fn sweep(
    network: &Hsnet,
    loader: &Loader,
    known: Option<f32>,
    device: &Device,
) -> Result<(Sweep, Sweep), TrainError> {
    let loader = loader.to_device(&device.clone().inner());
    let (mut held_out, mut novel) = (Sweep::over(known), Sweep::over(known));
    for batch in loader.iter() {
        let found = Found::by(network, batch.map_err(|error| stopped(error.into()))?, Loss::CrossEntropy).adapt();
        for (sweep, role) in [(&mut held_out, Role::HeldOut), (&mut novel, Role::Novel)] {
            sweep.add_batch(role, &found).map_err(|error| TrainError::Settings(error.to_string()))?;
        }
    }
    Ok((held_out, novel))
}

fn stopped(error: burn::train::TrainingError) -> TrainError {
    TrainError::Stopped(Arc::new(error))
}

/// What a sweep looks at of a batch.
pub struct SweepInput {
    /// See [`Found::margins`].
    margins: Vec<Tensor<4>>,
    episodes: Arc<[(Role, Arc<Episode>)]>,
}

impl Adaptor<SweepInput> for Found {
    fn adapt(&self) -> SweepInput {
        SweepInput { margins: self.margins.clone(), episodes: self.episodes.clone() }
    }
}

/// mIoU of the episodes of one role, at the known threshold or else at its best one, for burn's training loop.
#[derive(Clone)]
pub struct MeanIou {
    role: Role,
    known: Option<f32>,
    name: MetricName,
    sweep: Sweep,
}

impl MeanIou {
    pub fn of(role: Role) -> Self {
        let whose = match role {
            Role::Learning => "learned",
            Role::HeldOut => "held-out",
            Role::Novel => "novel",
        };
        Self { role, known: None, name: Arc::new(format!("mIoU {whose}")), sweep: Sweep::default() }
    }

    /// At the threshold that is known, if one is.
    pub fn at(self, known: Option<f32>) -> Self {
        Self { known, sweep: Sweep::over(known), ..self }
    }

    fn entry(&self) -> SerializedEntry {
        if self.sweep.is_empty() {
            return SerializedEntry::not_available(Some("%"));
        }
        SerializedEntry::new(self.sweep.best().to_string(), self.final_value().serialize())
    }
}

impl Metric for MeanIou {
    type Input = SweepInput;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn description(&self) -> Option<String> {
        Some("mean over classes of the object's IoU, at the best of a row of thresholds".into())
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: Some("%".into()), higher_is_better: true }.into()
    }

    fn update(&mut self, found: &SweepInput, _: &MetricMetadata) -> Result<SerializedEntry, TensorReadError> {
        self.sweep.add_batch(self.role, found)?;
        Ok(self.entry())
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.entry())
    }

    fn clear(&mut self) {
        self.sweep = Sweep::over(self.known);
    }
}

impl Numeric for MeanIou {
    fn value(&self) -> Option<NumericEntry> {
        self.running_value()
    }

    fn running_value(&self) -> Option<NumericEntry> {
        (!self.sweep.is_empty()).then(|| NumericEntry::Value(self.sweep.best().miou))
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.sweep.best().miou)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::Shot;
    use crate::image::{Mask, Picture};

    fn episode(class: usize, mask: &[u8]) -> Episode {
        let (width, height) = (mask.len(), 1);
        let picture = Picture { width, height, rgb: vec![0; 3 * width] };
        let query = Shot { picture, mask: Mask { width, height, values: mask.to_vec() }, unsure: None };
        Episode { class, supports: vec![], query, ignore: None }
    }

    fn logit(probability: f32) -> f32 {
        (probability / (1.0 - probability)).ln()
    }

    /// Counts an episode of one shot that finds the object with these probabilities.
    fn add(sweep: &mut Sweep, mask: &[u8], probabilities: &[f32]) {
        let (episode, margins) = (episode(0, mask), probabilities.iter().copied().map(logit).collect::<Vec<_>>());
        sweep.add(&episode, &[&margins]);
    }

    #[test]
    fn the_best_threshold_separates_object_and_background() {
        let mut sweep = Sweep::default();
        // Object at 0.42 and 0.7, background at 0.38 and 0.1: only 0.4 is right everywhere.
        add(&mut sweep, &[1, 1, 0, 0], &[0.42, 0.7, 0.38, 0.1]);
        assert_eq!(sweep.best(), Point { threshold: 0.4, miou: 100.0 });
        assert_eq!(sweep.at(0.5).unwrap().miou(), 50.0);
        assert!((sweep.at(0.25).unwrap().miou() - 200.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_point_is_read_as_it_was_written() {
        let point = Point { threshold: 0.45, miou: 61.5 };
        assert_eq!(point.to_string(), "61.5% at 0.45");
        assert_eq!("61.5% at 0.45".parse::<Point>().unwrap(), point);
        assert!("N/A".parse::<Point>().is_err());
    }

    #[test]
    fn a_known_threshold_is_the_only_one() {
        let mut sweep = Sweep::over(Some(0.37));
        add(&mut sweep, &[1, 0], &[0.38, 0.36]);
        assert_eq!(sweep.best(), Point { threshold: 0.37, miou: 100.0 });
        assert_eq!(sweep.points().count(), 1);
    }

    #[test]
    fn among_equals_one_half_wins() {
        let mut sweep = Sweep::default();
        add(&mut sweep, &[1, 0], &[0.99, 0.01]);
        assert_eq!(sweep.best().threshold, 0.5);
    }

    #[test]
    fn several_shots_vote_as_they_do_in_use() {
        let device = Device::flex();
        let margin = |probabilities: [f32; 2]| Tensor::from_data([[[probabilities.map(logit)]]], &device);
        let found = SweepInput {
            // On average the second pixel is surely object; but only one shot of three says so.
            margins: vec![margin([0.9, 0.9999]), margin([0.9, 0.4]), margin([0.9, 0.4])],
            episodes: Arc::new([(Role::HeldOut, Arc::new(episode(0, &[1, 0])))]),
        };
        let mut sweep = Sweep::over(Some(0.5));
        sweep.add_batch(Role::HeldOut, &found).unwrap();
        assert_eq!(sweep.best().miou, 100.0);
    }

    #[test]
    fn roles_are_kept_apart() {
        let device = Device::flex();
        let episodes = [(Role::HeldOut, episode(0, &[1])), (Role::Novel, episode(1, &[1]))];
        let found = SweepInput {
            margins: vec![Tensor::from_data([[[[5.0]]], [[[-5.0]]]], &device)],
            episodes: episodes.map(|(role, episode)| (role, Arc::new(episode))).into(),
        };
        let mut held_out = Sweep::default();
        held_out.add_batch(Role::HeldOut, &found).unwrap();
        assert_eq!(held_out.best().miou, 100.0);
        let mut novel = Sweep::default();
        novel.add_batch(Role::Novel, &found).unwrap();
        assert_eq!(novel.best().miou, 0.0);
    }
}
