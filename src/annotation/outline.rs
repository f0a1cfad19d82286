//! The outlines of a component, along the edges of its pixels.

use super::Component;
use crate::image::Mask;

/// The closed outlines of a component; corners are `[x, y]` in pixels from the picture's top left corner, and every one is
/// a turn. Outlines run with the component on their right: the outer one clockwise, those of holes the other way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlines {
    pub outer: Vec<[usize; 2]>,
    pub holes: Vec<Vec<[usize; 2]>>,
}

impl Component {
    /// Follows the edges between its pixels and all others. Enclosed areas agree with pixels exactly. Where an outline
    /// meets itself in a corner it does not cross itself.
    pub fn outlines(&self) -> Outlines {
        let [left, top, ..] = self.bounds();
        let stencil = Stencil(self.stencil());
        let mut seen = vec![false; stencil.0.values.len()];
        let mut found = Vec::new();
        for pixel in 0..seen.len() {
            let [x, y] = [pixel % stencil.0.width, pixel / stencil.0.width];
            if !seen[pixel] && stencil.is_top_edge([x as isize, y as isize]) {
                let corners = stencil.follow([x as isize, y as isize], &mut seen);
                found.push(corners.into_iter().map(|[x, y]| [left + x as usize, top + y as usize]).collect());
            }
        }
        // The first pixel of all lies outermost.
        let holes = found.split_off(found.len().min(1));
        Outlines { outer: found.pop().unwrap_or_default(), holes }
    }
}

/// The directions in which edges are followed, clockwise: right, down, left, up; by `[x, y]`.
const STEPS: [[isize; 2]; 4] = [[1, 0], [0, 1], [-1, 0], [0, -1]];
const RIGHT: usize = 0;

struct Stencil(Mask);

impl Stencil {
    fn has(&self, [x, y]: [isize; 2]) -> bool {
        let (width, height) = (self.0.width as isize, self.0.height as isize);
        (0..width).contains(&x) && (0..height).contains(&y) && self.0.values[(y * width + x) as usize] != 0
    }

    fn is_top_edge(&self, [x, y]: [isize; 2]) -> bool {
        self.has([x, y]) && !self.has([x, y - 1])
    }

    /// The corners of the outline that runs along the top of a pixel, from the pixel's upper left corner on, which is one
    /// of them. Every outline runs along the top of some pixel; those are marked as seen.
    fn follow(&self, start: [isize; 2], seen: &mut [bool]) -> Vec<[isize; 2]> {
        let mut corners = vec![start];
        let (mut place, mut direction) = (start, RIGHT);
        loop {
            if direction == RIGHT {
                seen[place[1] as usize * self.0.width + place[0] as usize] = true;
            }
            place = [place[0] + STEPS[direction][0], place[1] + STEPS[direction][1]];
            let turned = self.turn(place, direction);
            if place == start && turned == RIGHT {
                return corners;
            }
            if turned != direction {
                corners.push(place);
                direction = turned;
            }
        }
    }

    /// Where an outline goes on that has come to a corner of pixels: round the pixel on its right unless there are more
    /// ahead. A pixel that touches it at this corner only does not count.
    fn turn(&self, corner: [isize; 2], direction: usize) -> usize {
        let [right, left] = ahead(corner, direction);
        match (self.has(right), self.has(left)) {
            (false, _) => (direction + 1) % 4,
            (true, false) => direction,
            (true, true) => (direction + 3) % 4,
        }
    }
}

/// The two pixels that lie ahead of a corner: on the right and on the left of the way.
fn ahead([x, y]: [isize; 2], direction: usize) -> [[isize; 2]; 2] {
    // The pixels around the corner, clockwise from the one below on the right.
    let around = [[x, y], [x - 1, y], [x - 1, y - 1], [x, y - 1]];
    [around[direction], around[(direction + 3) % 4]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotation::{components, labels::drawn};

    fn outlines(rows: &[&str]) -> Outlines {
        components(&drawn(rows))[0].outlines()
    }

    #[test]
    fn a_rectangle_has_four_corners() {
        let found = outlines(&["....", ".11.", ".11."]);
        assert_eq!(found, Outlines { outer: vec![[1, 1], [3, 1], [3, 3], [1, 3]], holes: vec![] });
    }

    #[test]
    fn holes_run_the_other_way() {
        let found = outlines(&["11111", "1.1.1", "11111"]);
        assert_eq!(found.outer, [[0, 0], [5, 0], [5, 3], [0, 3]]);
        assert_eq!(found.holes.len(), 2);
        let area = |corners: &[[usize; 2]]| -> isize {
            let next = corners.iter().cycle().skip(1);
            corners.iter().zip(next).map(|(a, b)| (a[0] * b[1]) as isize - (a[1] * b[0]) as isize).sum()
        };
        assert_eq!(area(&found.outer), 2 * 15);
        assert_eq!(found.holes.iter().map(|hole| area(hole)).collect::<Vec<_>>(), [-2, -2]);
    }

    #[test]
    fn a_gap_at_a_corner_opens_a_hole() {
        let found = outlines(&["111", "1.1", ".11"]);
        assert_eq!(found.outer, [[0, 0], [3, 0], [3, 3], [1, 3], [1, 2], [2, 2], [2, 1], [1, 1], [1, 2], [0, 2]]);
        assert!(found.holes.is_empty());
    }

    #[test]
    fn holes_that_touch_at_a_corner_are_one() {
        let found = outlines(&["1111", "1.11", "11.1", "1111"]);
        assert_eq!(found.holes.len(), 1);
        assert_eq!(found.holes[0].len(), 8);
    }
}
