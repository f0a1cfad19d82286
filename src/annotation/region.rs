//! Regions of a picture as annotations describe them, painted into a label map.

use super::Labels;
use crate::image::Mask;

/// A region of a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Region {
    /// Outlines by their corners `[x, y]`, in pixels from the picture's top left corner; what any of them encloses.
    Polygons(Vec<Vec<[f64; 2]>>),
    /// Pixels down the columns of the whole picture, one column after another: how many are outside, how many inside,
    /// and so on in turns.
    Runs(Vec<u32>),
    /// A mask whose top left corner lies at `(left, top)` in the picture.
    Stencil { left: usize, top: usize, mask: Mask },
}

/// Labelled regions of a picture, in the order in which they are painted.
#[derive(Debug, Default)]
pub(crate) struct Regions {
    /// Width and height of the picture, where the annotation says so.
    pub size: Option<(u32, u32)>,
    pub painted: Vec<(u8, Region)>,
}

impl Regions {
    /// The label map of a picture of that size.
    pub fn paint(&self, width: usize, height: usize) -> Labels {
        let mut labels = Labels::empty(width, height);
        for (label, region) in &self.painted {
            region.paint(&mut labels, *label);
        }
        labels
    }
}

impl Region {
    /// How many pixels it has of a picture of that width and height.
    pub fn area(&self, [width, height]: [usize; 2]) -> usize {
        let mut labels = Labels::empty(width, height);
        self.paint(&mut labels, 1);
        labels.values.iter().filter(|&&label| label == 1).count()
    }

    /// Gives the region's pixels the label; what lies outside the map is left out.
    pub fn paint(&self, labels: &mut Labels, label: u8) {
        match self {
            Self::Polygons(outlines) => outlines.iter().for_each(|outline| fill(outline, labels, label)),
            Self::Runs(runs) => paint_runs(runs, labels, label),
            Self::Stencil { left, top, mask } => {
                let marked = mask.values.iter().enumerate().filter(|(_, value)| **value != 0);
                for (i, _) in marked {
                    mark(labels, left.saturating_add(i % mask.width), top.saturating_add(i / mask.width), label);
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
/// of a pixel; where it crosses the middle of a column of pixels, inside and outside change places below. Corners
/// farther outside than the picture is large are brought that near.
fn fill(outline: &[[f64; 2]], labels: &mut Labels, label: u8) {
    let side = labels.width.max(labels.height) as f64;
    let fine = |at: f64| (FINE as f64 * at.clamp(-side, 2.0 * side) + 0.5) as i64;
    let corners: Vec<[i64; 2]> = outline.iter().map(|corner| corner.map(fine)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Outlines painted on 16 x 12 pixels, a string a row.
    fn painted(outlines: &[&[[f64; 2]]]) -> Vec<String> {
        let mut labels = Labels::empty(16, 12);
        Region::Polygons(outlines.iter().map(|outline| outline.to_vec()).collect()).paint(&mut labels, 1);
        let row = |row: &[u8]| row.iter().map(|&value| if value == 1 { '#' } else { '.' }).collect();
        labels.values.chunks(16).map(row).collect()
    }

    // The pictures are pycocotools': `decode(merge(frPyObjects(polygons, 12, 16)))`.

    #[test]
    fn a_triangle() {
        let expected = [
            "................",
            "...#............",
            "...####.........",
            "...#######......",
            "...###########..",
            "....########....",
            "....#######.....",
            "....######......",
            ".....###........",
            ".....##.........",
            ".....#..........",
            "................",
        ];
        assert_eq!(painted(&[&[[2.3, 1.1], [13.7, 4.6], [5.2, 10.9]]]), expected);
    }

    #[test]
    fn a_sliver() {
        let expected = [
            "#...............",
            "................",
            "...#............",
            "....#...........",
            "................",
            ".......#........",
            "................",
            "................",
            "...........#....",
            "................",
            "..............#.",
            "...............#",
        ];
        assert_eq!(painted(&[&[[0.0, 0.0], [16.0, 11.5], [16.0, 12.0], [0.0, 0.4]]]), expected);
    }

    #[test]
    fn a_hollow_outline() {
        let expected = [
            "................",
            ".##############.",
            ".##############.",
            ".##############.",
            ".##############.",
            ".######..######.",
            ".#####....####..",
            "..###......###..",
            "..##........##..",
            "..#..........#..",
            "................",
            "................",
        ];
        assert_eq!(painted(&[&[[1.0, 1.0], [14.6, 1.2], [14.4, 10.8], [8.0, 4.3], [1.7, 10.9]]]), expected);
    }

    #[test]
    fn an_outline_that_crosses_itself() {
        let expected = [
            "................",
            "................",
            "..#........#....",
            "..##......##....",
            "..###....###....",
            "..####..####....",
            "..####..####....",
            "..###....###....",
            "..##......##....",
            "..#........#....",
            "................",
            "................",
        ];
        assert_eq!(painted(&[&[[2.0, 2.0], [12.0, 10.0], [12.0, 2.0], [2.0, 10.0]]]), expected);
    }

    #[test]
    fn an_outline_beyond_the_border() {
        let expected = [
            "...#########....",
            ".#############..",
            "###############.",
            "################",
            "################",
            "################",
            "################",
            "################",
            ".###############",
            "..#############.",
            "...###########..",
            "....#########...",
        ];
        assert_eq!(painted(&[&[[-3.5, 4.0], [8.0, -2.5], [20.2, 6.0], [7.9, 15.0]]]), expected);
    }

    #[test]
    fn two_outlines_that_overlap() {
        let expected = [
            "................",
            ".######.........",
            ".######.........",
            ".######.........",
            ".###########....",
            ".###########....",
            ".###########....",
            "....########....",
            "....########....",
            "....########....",
            "....########....",
            "................",
        ];
        assert_eq!(
            painted(&[
                &[[0.5, 0.5], [6.5, 0.5], [6.5, 6.5], [0.5, 6.5]],
                &[[4.0, 4.0], [12.12, 4.0], [12.12, 11.3], [4.0, 11.3]]
            ]),
            expected
        );
    }

    #[test]
    fn an_outline_within_a_pixel_marks_nothing() {
        assert_eq!(painted(&[&[[3.2, 3.2], [3.4, 3.2], [3.4, 3.4]]]).concat().find('#'), None);
        assert_eq!(painted(&[&[], &[[3.0, 3.0]]]).concat().find('#'), None);
    }

    #[test]
    fn an_outline_around_everything_marks_everything() {
        let far = 1e300;
        assert_eq!(painted(&[&[[-far, -far], [far, -far], [far, far], [-far, far]]]).concat().find('.'), None);
    }

    #[test]
    fn runs_go_down_the_columns() {
        let mut labels = Labels::empty(3, 2);
        Region::Runs(vec![1, 2, 2, 1]).paint(&mut labels, 7);
        assert_eq!(labels.values, [0, 7, 0, 7, 0, 7]);
    }

    #[test]
    fn a_stencil_is_cut_off_at_the_border() {
        let mut labels = Labels::empty(3, 2);
        let mask = Mask { width: 2, height: 2, values: vec![1, 1, 0, 1] };
        Region::Stencil { left: 1, top: 0, mask: mask.clone() }.paint(&mut labels, 1);
        Region::Stencil { left: 2, top: 1, mask }.paint(&mut labels, 2);
        assert_eq!(labels.values, [0, 1, 1, 0, 0, 2]);
    }
}
