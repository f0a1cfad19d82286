//! What of a class hangs together.

use std::ops::Range;

use super::{Groups, IGNORED, Labels};
use crate::image::Mask;

/// Pixels of one class that hang together by their sides. Pixels that only touch at a corner do not: so the outlines of a
/// component never cross, one of them is around all of it, and every other one is around a hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    pub number: u8,
    /// Its pixels, row by row.
    spans: Vec<Span>,
}

/// Neighbours in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    row: usize,
    columns: Range<usize>,
}

/// All components of all classes, in the order of their first pixels, row by row. Pixels that are not sure are in none.
pub fn components(labels: &Labels) -> Vec<Component> {
    let mut spans = Vec::new();
    let mut rows = Vec::new();
    for (row, values) in labels.values.chunks(labels.width.max(1)).enumerate() {
        let first = spans.len();
        let mut column = 0;
        for same in values.chunk_by(|one, other| one == other) {
            let columns = column..column + same.len();
            column = columns.end;
            if same[0] != 0 && same[0] != IGNORED {
                spans.push((same[0], Span { row, columns }));
            }
        }
        rows.push(first..spans.len());
    }
    let mut groups = Groups::new(spans.len());
    for pair in rows.windows(2) {
        join(&spans, pair[0].clone(), pair[1].clone(), &mut groups);
    }
    gather(spans, groups)
}

/// Puts the spans of a row into the groups of those above that they touch.
fn join(spans: &[(u8, Span)], above: Range<usize>, below: Range<usize>, groups: &mut Groups) {
    let (mut upper, mut lower) = (above.start, below.start);
    while upper < above.end && lower < below.end {
        let ((number, one), (other_number, other)) = (&spans[upper], &spans[lower]);
        if number == other_number && one.columns.start < other.columns.end && other.columns.start < one.columns.end {
            groups.unite(upper, lower);
        }
        match one.columns.end <= other.columns.end {
            true => upper += 1,
            false => lower += 1,
        }
    }
}

fn gather(spans: Vec<(u8, Span)>, groups: Groups) -> Vec<Component> {
    let mut found: Vec<Component> = Vec::new();
    // The first span of a group stands for it, so it comes before the others.
    let mut places = vec![0; spans.len()];
    for (span, ((number, pixels), first)) in spans.into_iter().zip(groups.firsts()).enumerate() {
        let first = first as usize;
        if first == span {
            places[span] = found.len();
            found.push(Component { number, spans: vec![] });
        }
        found[places[first]].spans.push(pixels);
    }
    found
}

impl Component {
    /// How many pixels it has.
    pub fn area(&self) -> usize {
        self.spans.iter().map(|span| span.columns.len()).sum()
    }

    /// Left, top, width and height of the smallest rectangle around it, in pixels.
    pub fn bounds(&self) -> [usize; 4] {
        let left = self.spans.iter().map(|span| span.columns.start).min().unwrap_or(0);
        let right = self.spans.iter().map(|span| span.columns.end).max().unwrap_or(0);
        let top = self.spans.first().map_or(0, |span| span.row);
        let bottom = self.spans.last().map_or(0, |span| span.row + 1);
        [left, top, right - left, bottom - top]
    }

    /// The rectangle of its bounds, in which its pixels are marked.
    pub fn stencil(&self) -> Mask {
        let [left, top, width, height] = self.bounds();
        let mut mask = Mask::empty(height, width);
        for span in &self.spans {
            let row = (span.row - top) * width;
            mask.values[row + span.columns.start - left..row + span.columns.end - left].fill(1);
        }
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotation::labels::drawn;

    #[test]
    fn sides_hang_together_and_corners_do_not() {
        let labels = drawn(&[
            "11..1", //
            "1.1.1", "1..11", "11111", "..2..",
        ]);
        let found = components(&labels);
        let areas: Vec<_> = found.iter().map(|component| (component.number, component.area())).collect();
        assert_eq!(areas, [(1, 13), (1, 1), (2, 1)]);
        assert_eq!(found[0].bounds(), [0, 0, 5, 4]);
        assert_eq!(found[1].bounds(), [2, 1, 1, 1]);
        assert_eq!(found[1].stencil().values, [1]);
    }

    #[test]
    fn classes_that_touch_are_apart_and_not_sure_is_nothing() {
        let mut labels = drawn(&["1122", "1.22"]);
        labels.values[5] = IGNORED;
        let areas: Vec<_> = components(&labels).iter().map(|found| (found.number, found.area())).collect();
        assert_eq!(areas, [(1, 3), (2, 4)]);
        assert_eq!(components(&Labels::empty(3, 2)), []);
        assert_eq!(components(&Labels::empty(0, 0)), []);
    }
}
