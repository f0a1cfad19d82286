//! Episodes to look at: the best, the median and the worst, asked once more.

use ::image::ExtendedColorType;
use ::image::codecs::jpeg::JpegEncoder;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Batch, Candidate, EpisodeScore, EvaluateError, FoldScore};
use crate::data::Collection;
use crate::image::{Mask, Picture};

/// Episodes of each kind, if there are so many.
const SHOWN: usize = 4;
/// The longer side of a picture, in pixels.
const SIDE: usize = 288;
const QUALITY: u8 = 82;
/// What is marked: the page's colour.
const MARK: [u8; 3] = [255, 45, 117];
const TRUTH: [u8; 3] = [255, 255, 255];

/// Some episodes of a fold, each once.
pub struct Showcase {
    pub best: Vec<Exhibit>,
    pub median: Vec<Exhibit>,
    pub worst: Vec<Exhibit>,
}

/// An episode in pictures, each a JPEG as a data URI.
pub struct Exhibit {
    pub class: String,
    /// What the data set calls the query.
    pub name: String,
    /// In percent.
    pub iou: f64,
    /// With the object marked.
    pub supports: Vec<String>,
    /// The query with the object marked.
    pub truth: String,
    /// The query with what was found marked, and the truth's outline.
    pub prediction: String,
}

impl Showcase {
    /// Asks some episodes of a fold once more, to see them.
    ///
    /// # Errors
    /// As [`evaluate`](super::evaluate()), and if a picture cannot be encoded.
    pub fn of(score: &FoldScore, candidate: &Candidate, collection: &Collection) -> Result<Self, EvaluateError> {
        let mut ranked: Vec<&EpisodeScore> = score.episodes.iter().collect();
        ranked.sort_by(|a, b| b.iou.total_cmp(&a.iou));
        let exhibits = |ranks: Vec<usize>| -> Result<Vec<Exhibit>, EvaluateError> {
            ranks.into_iter().map(|rank| Exhibit::of(ranked[rank], candidate, collection)).collect()
        };
        let [best, median, worst] = ranks(ranked.len());
        Ok(Self { best: exhibits(best)?, median: exhibits(median)?, worst: exhibits(worst)? })
    }
}

/// The ranks of the best, the median and the worst of so many, no rank twice; the very worst comes first.
fn ranks(count: usize) -> [Vec<usize>; 3] {
    let shown = SHOWN.min((count / 3).max(1)).min(count);
    let middle = (count - shown) / 2;
    let best = 0..shown;
    let median = middle.max(best.end)..(middle + shown).max(best.end);
    let worst = (count - shown).max(median.end)..count;
    [best.collect(), median.collect(), worst.rev().collect()]
}

impl Exhibit {
    fn of(score: &EpisodeScore, candidate: &Candidate, collection: &Collection) -> Result<Self, EvaluateError> {
        let episode = collection.play(&score.draw)?;
        let batch = Batch::of(std::slice::from_ref(&episode), &candidate.header, candidate.network.kind());
        let shots = candidate.logits(batch)?.remove(0);
        let query = episode.query.picture.clone().shrink_to(SIDE);
        let found = candidate.mask(&shots, query.height, query.width);
        let truth = episode.query.mask.resize(query.height, query.width);
        let supports = episode.supports.into_iter().map(|shot| {
            let picture = shot.picture.shrink_to(SIDE);
            let mask = shot.mask.resize(picture.height, picture.width);
            data_uri(&marked(picture, &mask))
        });
        let mut prediction = marked(query.clone(), &found);
        outline(&mut prediction, &truth, TRUTH);
        Ok(Self {
            class: score.class.clone(),
            name: score.query.clone(),
            iou: score.iou,
            supports: supports.collect::<Result<_, _>>()?,
            truth: data_uri(&marked(query, &truth))?,
            prediction: data_uri(&prediction)?,
        })
    }
}

/// The picture with the mask laid over it and outlined.
fn marked(mut picture: Picture, mask: &Mask) -> Picture {
    for (pixel, _) in picture.rgb.chunks_exact_mut(3).zip(&mask.values).filter(|(_, value)| **value != 0) {
        pixel.iter_mut().zip(MARK).for_each(|(value, mark)| *value = ((u16::from(*value) + u16::from(mark)) / 2) as u8);
    }
    outline(&mut picture, mask, MARK);
    picture
}

/// Draws the pixels of the mask that touch what is not the mask; where the picture ends there is no edge.
fn outline(picture: &mut Picture, mask: &Mask, colour: [u8; 3]) {
    let (width, height) = (mask.width, mask.height);
    let outside = |(x, y): (usize, usize)| x < width && y < height && mask.values[y * width + x] == 0;
    for (index, pixel) in picture.rgb.chunks_exact_mut(3).enumerate() {
        let (x, y) = (index % width, index / width);
        let neighbours = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
        if !outside((x, y)) && neighbours.into_iter().any(outside) {
            pixel.copy_from_slice(&colour);
        }
    }
}

fn data_uri(picture: &Picture) -> Result<String, EvaluateError> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode(&picture.rgb, picture.width as u32, picture.height as u32, ExtendedColorType::Rgb8)
        .map_err(EvaluateError::Picture)?;
    Ok(format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(jpeg)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_episode_is_shown_twice() {
        assert_eq!(ranks(0), [const { Vec::<usize>::new() }; 3]);
        assert_eq!(ranks(1), [vec![0], vec![], vec![]]);
        assert_eq!(ranks(2), [vec![0], vec![], vec![1]]);
        assert_eq!(ranks(3), [vec![0], vec![1], vec![2]]);
        assert_eq!(ranks(7), [vec![0, 1], vec![2, 3], vec![6, 5]]);
        assert_eq!(ranks(1001), [vec![0, 1, 2, 3], vec![498, 499, 500, 501], vec![1000, 999, 998, 997]]);
    }

    #[test]
    fn the_mask_is_tinted_and_its_edge_drawn() {
        let picture = Picture { width: 4, height: 1, rgb: vec![100; 12] };
        let mask = Mask { width: 4, height: 1, values: vec![1, 1, 0, 0] };
        let tinted = [177, 72, 108];
        assert_eq!(marked(picture, &mask).rgb, [tinted, MARK, [100; 3], [100; 3]].concat());
    }
}
