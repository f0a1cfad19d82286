//! Regions of a picture as annotations describe them, painted into a label map.

use super::labels::Labels;
use crate::image::Mask;

/// A region of a picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Region {
    /// Outlines by their corners `[x, y]`, in pixels from the picture's top left corner; what any of them encloses.
    Polygons(Vec<Vec<[f64; 2]>>),
    /// Pixels down the columns of the whole picture, one column after another: how many are outside, how many inside,
    /// and so on in turns.
    Runs(Vec<u32>),
    /// A mask whose top left corner lies at `(left, top)` in the picture.
    Stencil { left: usize, top: usize, mask: Mask },
}

impl Region {
    /// Gives the region's pixels the label; what lies outside the map is left out.
    pub fn paint(&self, labels: &mut Labels, label: u8) {
        match self {
            Self::Polygons(outlines) => outlines.iter().for_each(|outline| fill(outline, labels, label)),
            Self::Runs(runs) => paint_runs(runs, labels, label),
            Self::Stencil { left, top, mask } => {
                let marked = mask.values.iter().enumerate().filter(|(_, value)| **value != 0);
                for (i, _) in marked {
                    mark(labels, left + i % mask.width, top + i / mask.width, label);
                }
            }
        }
    }
}

fn mark(labels: &mut Labels, column: usize, row: usize, label: u8) {
    if column < labels.width && row < labels.height {
        labels.values[row * labels.width + column] = label;
    }
}

fn paint_runs(runs: &[u32], labels: &mut Labels, label: u8) {
    let mut place = 0;
    for (turn, &run) in runs.iter().enumerate() {
        let pixels = place..place + run as usize;
        place = pixels.end;
        if turn % 2 == 1 {
            pixels.for_each(|pixel| mark(labels, pixel / labels.height, pixel % labels.height, label));
        }
    }
}

/// Steps to a pixel in which an outline is followed.
const FINE: i64 = 5;
/// An outline passes from one half of a pixel to the other behind this step of it.
const MIDDLE: i64 = FINE / 2;

/// Fills what an outline encloses, pixel for pixel as COCO's own tools do: the outline is followed on a grid of fifths
/// of a pixel; where it crosses the middle of a column of pixels, inside and outside change places below.
fn fill(outline: &[[f64; 2]], labels: &mut Labels, label: u8) {
    let corners: Vec<[i64; 2]> =
        outline.iter().map(|corner| corner.map(|at| (FINE as f64 * at + 0.5) as i64)).collect();
    let edges = corners.iter().zip(corners.iter().cycle().skip(1));
    let mut crossings: Vec<[usize; 2]> = edges.flat_map(|(&from, &to)| crossings(from, to, labels)).collect();
    crossings.sort_unstable();
    for column in crossings.chunk_by(|one, other| one[0] == other[0]) {
        for pair in column.as_chunks::<2>().0 {
            (pair[0][1]..pair[1][1]).for_each(|row| mark(labels, pair[0][0], row, label));
        }
    }
}

/// Where an edge on the fine grid crosses the middles of columns: the column, and the first row below.
fn crossings(from: [i64; 2], to: [i64; 2], labels: &Labels) -> Vec<[usize; 2]> {
    let steps = edge(from, to);
    let crossing = |pair: &[[i64; 2]]| {
        let (x, y) = (pair[0][0].min(pair[1][0]), pair[0][1].min(pair[1][1]));
        let column = usize::try_from(x.div_euclid(FINE)).ok().filter(|&column| column < labels.width)?;
        let row = (y + MIDDLE).div_euclid(FINE).clamp(0, labels.height as i64);
        (pair[0][0] != pair[1][0] && x.rem_euclid(FINE) == MIDDLE).then_some([column, row as usize])
    };
    steps.windows(2).filter_map(crossing).collect()
}

/// The places on the fine grid along an edge, one for each step along its longer side, both ends included.
fn edge([x0, y0]: [i64; 2], [x1, y1]: [i64; 2]) -> Vec<[i64; 2]> {
    let (width, height) = ((x1 - x0).abs(), (y1 - y0).abs());
    let rounded = |start: i64, slope: f64, step: i64| (start as f64 + slope * step as f64 + 0.5) as i64;
    // From the left, or from the top, whichever way it runs, so that an edge between two objects is the same for both.
    if width >= height {
        let [[x, y], [_, end]] = if x0 <= x1 { [[x0, y0], [x1, y1]] } else { [[x1, y1], [x0, y0]] };
        let slope = (end - y) as f64 / width.max(1) as f64;
        (0..=width).map(|step| [x + step, rounded(y, slope, step)]).collect()
    } else {
        let [[x, y], [end, _]] = if y0 <= y1 { [[x0, y0], [x1, y1]] } else { [[x1, y1], [x0, y0]] };
        let slope = (end - x) as f64 / height as f64;
        (0..=height).map(|step| [rounded(x, slope, step), y + step]).collect()
    }
}

/// Unpacks the text in which COCO writes runs: digits of five bits, lowest first, from the character '0' on; the sixth
/// bit says that more follow, the fifth of the last is the sign; from the fourth run on, what is written is the
/// difference to the run before the last.
///
/// # Errors
/// When the text is none of that.
pub(super) fn unpack_runs(text: &str) -> Result<Vec<u32>, String> {
    let broken = || "its compressed runs are broken".to_owned();
    let mut runs: Vec<u32> = Vec::new();
    let (mut value, mut bits) = (0i64, 0);
    for byte in text.bytes() {
        let digit = i64::from(byte.checked_sub(48).filter(|digit| *digit < 64 && bits < 35).ok_or_else(broken)?);
        value |= (digit & 31) << bits;
        bits += 5;
        if digit & 32 != 0 {
            continue;
        }
        if digit & 16 != 0 {
            value -= 1 << bits;
        }
        if runs.len() > 2 {
            value += i64::from(runs[runs.len() - 2]);
        }
        runs.push(u32::try_from(value).map_err(|_| broken())?);
        (value, bits) = (0, 0);
    }
    if bits == 0 { Ok(runs) } else { Err(broken()) }
}
