//! Connected regions of labels: small ones dropped, holes filled.
//!
//! A region of a class is connected over sides and corners (8), and the background between regions over sides alone (4),
//! as is usual: so a closed line of pixels, even a slanting one, has an inside.
//!
//! Runs of equal pixels in a row are united with those of the row above (Rosenfeld and Pfaltz, "Sequential Operations
//! in Digital Picture Processing", 1966, over runs). Time and memory grow with the runs, not with the pixels.

use std::ops::Range;

use crate::annotation::Groups;

/// Turns regions of a class that are smaller than `smallest` pixels into background. `labels` are rows of `width`.
pub(super) fn drop_small(labels: &mut [u8], width: usize, smallest: f64) {
    let regions = Regions::find(labels, width);
    let mut areas = vec![0u32; regions.runs.len()];
    for (run, region) in regions.runs.iter().zip(&regions.region) {
        areas[*region as usize] += run.end - run.start;
    }
    regions.paint(labels, |region, label| if f64::from(areas[region]) < smallest { 0 } else { label });
}

/// Gives background that a single class encloses to that class. `labels` are rows of `width`.
pub(super) fn fill_holes(labels: &mut [u8], width: usize) {
    let regions = Regions::find(labels, width);
    let mut around = vec![Around::Nothing; regions.runs.len()];
    let mut meet = |run: usize, neighbour| {
        let around = &mut around[regions.region[run] as usize];
        *around = around.and(neighbour);
    };
    let last = regions.rows.len() - 1;
    for (y, row) in regions.rows.iter().enumerate() {
        for at in row.clone().filter(|&at| regions.runs[at].label == 0) {
            // Beyond the picture's edge the background goes on.
            let left = if at == row.start { 0 } else { regions.runs[at - 1].label };
            let right = if at + 1 == row.end { 0 } else { regions.runs[at + 1].label };
            [left, right].into_iter().for_each(|label| meet(at, label));
            if y == 0 || y == last {
                meet(at, 0);
            }
        }
    }
    regions.touching(|above, below, side| match [above, below].map(|at| regions.runs[at].label) {
        [0, label] if side && label != 0 => meet(above, label),
        [label, 0] if side && label != 0 => meet(below, label),
        _ => {}
    });
    regions.paint(labels, |region, label| match around[region] {
        Around::Class(class) if label == 0 => class,
        _ => label,
    });
}

/// What lies around a region of the background.
#[derive(Clone, Copy)]
enum Around {
    Nothing,
    Class(u8),
    /// Several classes, or the picture's edge.
    Open,
}

impl Around {
    fn and(self, neighbour: u8) -> Self {
        match self {
            _ if neighbour == 0 => Self::Open,
            Self::Nothing => Self::Class(neighbour),
            Self::Class(class) if class == neighbour => self,
            _ => Self::Open,
        }
    }
}

/// Equal pixels side by side, from `start` to before `end`.
struct Run {
    start: u32,
    end: u32,
    label: u8,
}

struct Regions {
    width: usize,
    runs: Vec<Run>,
    /// The runs of each row.
    rows: Vec<Range<usize>>,
    /// For each run the first run of its region, which stands for it.
    region: Vec<u32>,
}

impl Regions {
    fn find(labels: &[u8], width: usize) -> Self {
        let mut runs = Vec::new();
        let rows = labels.chunks_exact(width).map(|row| {
            let first = runs.len();
            let mut start = 0;
            for run in row.chunk_by(|a, b| a == b) {
                let end = start + run.len() as u32;
                runs.push(Run { start, end, label: run[0] });
                start = end;
            }
            first..runs.len()
        });
        let rows: Vec<_> = rows.collect();
        let mut regions = Self { width, runs, rows, region: vec![] };
        regions.region = regions.united();
        regions
    }

    /// For each run the first of its region.
    fn united(&self) -> Vec<u32> {
        let mut groups = Groups::new(self.runs.len());
        self.touching(|above, below, side| {
            let [a, b] = [above, below].map(|at| self.runs[at].label);
            if a == b && (side || a != 0) {
                groups.unite(above, below);
            }
        });
        groups.firsts()
    }

    /// Visits every run of a row with every run of the row above that it touches; the last argument tells whether over
    /// a side, not only over a corner.
    fn touching(&self, mut visit: impl FnMut(usize, usize, bool)) {
        for rows in self.rows.windows(2) {
            let mut first = rows[0].start;
            for below in rows[1].clone() {
                let run = &self.runs[below];
                while self.runs[first].end < run.start {
                    first += 1;
                }
                let reached = (first..rows[0].end).take_while(|&above| self.runs[above].start <= run.end);
                for above in reached {
                    let other = &self.runs[above];
                    visit(above, below, other.end > run.start && other.start < run.end);
                }
            }
        }
    }

    /// Gives every run the label that `label` names for its region and its present one.
    fn paint(&self, labels: &mut [u8], label: impl Fn(usize, u8) -> u8) {
        for (row, runs) in labels.chunks_exact_mut(self.width).zip(&self.rows) {
            for at in runs.clone() {
                let run = &self.runs[at];
                let new = label(self.region[at] as usize, run.label);
                if new != run.label {
                    row[run.start as usize..run.end as usize].fill(new);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Rows of characters: a dot is background, a digit a class.
    fn rows(drawn: &[&str]) -> Vec<u8> {
        drawn.concat().bytes().map(|byte| if byte == b'.' { 0 } else { byte - b'0' }).collect()
    }

    fn filled(drawn: &[&str]) -> Vec<u8> {
        let mut labels = rows(drawn);
        fill_holes(&mut labels, drawn[0].len());
        labels
    }

    #[test]
    fn a_region_hangs_together_over_corners() {
        let mut labels = rows(&["1...", ".1..", "..1.", "1..."]);
        drop_small(&mut labels, 4, 3.0);
        assert_eq!(labels, rows(&["1...", ".1..", "..1.", "...."]));
    }

    #[test]
    fn a_region_of_just_the_size_stays() {
        let mut labels = rows(&["11.", "..2"]);
        drop_small(&mut labels, 3, 2.0);
        assert_eq!(labels, rows(&["11.", "..."]));
    }

    #[test]
    fn a_slanting_outline_has_an_inside() {
        assert_eq!(filled(&["..1..", ".1.1.", "1...1", ".1.1.", "..1.."])[7], 1);
    }

    #[test]
    fn what_reaches_the_edge_or_two_classes_is_no_hole() {
        for open in [&["111", "1.1", "1.1"], &["111", "1.2", "111"], &["1.1", "1.1", "111"], &["111", "..1", "111"]] {
            assert_eq!(filled(open), rows(open));
        }
    }

    #[test]
    fn a_class_within_a_hole_is_no_part_of_it() {
        assert_eq!(filled(&["11111", "1.2.1", "11111"]), rows(&["11111", "1.2.1", "11111"]));
        assert_eq!(filled(&["1111111", "1..2..1", "1.2.2.1", "1..2..1", "1111111"])[17], 2);
    }

    #[test]
    fn an_empty_picture_stays_empty() {
        assert_eq!(filled(&["...", "..."]), [0; 6]);
    }

    fn pictures() -> impl Strategy<Value = (Vec<u8>, usize)> {
        (1usize..14, 1usize..14).prop_flat_map(|(width, height)| {
            let label = prop_oneof![3 => Just(0u8), 4 => Just(1u8), 1 => Just(2u8)];
            (prop::collection::vec(label, width * height), Just(width))
        })
    }

    /// The places of the region that a place is in, one by one.
    fn region(labels: &[u8], width: usize, start: usize, corners: bool) -> Vec<usize> {
        let mut found = vec![start];
        let mut next = 0;
        while let Some(&at) = found.get(next) {
            for near in neighbours(labels.len(), width, at, corners) {
                if labels[near] == labels[start] && !found.contains(&near) {
                    found.push(near);
                }
            }
            next += 1;
        }
        found
    }

    fn neighbours(pixels: usize, width: usize, at: usize, corners: bool) -> Vec<usize> {
        let (x, y) = (at % width, at / width);
        let near = |a: usize, b: usize| a.abs_diff(b) <= 1;
        let is_near = |&other: &usize| {
            let (u, v) = (other % width, other / width);
            near(x, u) && near(y, v) && (corners || x == u || y == v)
        };
        (0..pixels).filter(is_near).collect()
    }

    proptest! {
        #[test]
        fn exactly_the_regions_that_are_too_small_are_dropped((labels, width) in pictures(), smallest in 0u8..20) {
            let mut dropped = labels.clone();
            drop_small(&mut dropped, width, f64::from(smallest));
            for at in 0..labels.len() {
                let stays = labels[at] == 0 || region(&labels, width, at, true).len() >= usize::from(smallest);
                prop_assert_eq!(dropped[at], if stays { labels[at] } else { 0 });
            }
        }

        #[test]
        fn exactly_the_holes_are_filled((labels, width) in pictures()) {
            let mut filled = labels.clone();
            fill_holes(&mut filled, width);
            let last = (width - 1, labels.len() / width - 1);
            for at in 0..labels.len() {
                let hole = region(&labels, width, at, false);
                let is_at_edge = |&at: &usize| {
                    let (x, y) = (at % width, at / width);
                    x == 0 || y == 0 || x == last.0 || y == last.1
                };
                let mut around: Vec<_> =
                    hole.iter().flat_map(|&at| neighbours(labels.len(), width, at, false)).map(|at| labels[at]).collect();
                around.retain(|&label| label != 0);
                around.sort_unstable();
                around.dedup();
                let is_hole = labels[at] == 0 && !hole.iter().any(is_at_edge) && around.len() == 1;
                prop_assert_eq!(filled[at], if is_hole { around[0] } else { labels[at] });
            }
        }
    }
}
