//! A large hypercorrelation, some of the support's rows at a time.
//!
//! The first squeezing layer leaves little of a hypercorrelation. At level 2 that has a hundred megabytes over a ResNet at
//! 400 pixels; made and squeezed in bands, it never exists as a whole. Bands share the rows that the kernel reaches beyond
//! the stride: with a kernel of 5 and a stride of 4, that is one row, which is correlated twice.

use std::ops::Range;

use crate::ops::SupportRows;

/// Bytes of a query's hypercorrelation that may exist at once; if a kernel's rows have more, so many.
const MOST_BYTES: u64 = 26 << 20;

/// Some support rows of a squeezed volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// The rows of the hypercorrelation that they depend on.
    pub correlated: Range<usize>,
    /// Where they are in these.
    pub squeezed: SupportRows,
}

/// What becomes of all `rows` of a support, in bands of about the same height; `row_bytes` is what a query's
/// hypercorrelation has of one row.
pub fn bands(rows: usize, row_bytes: u64, [kernel, stride]: [usize; 2]) -> Vec<Band> {
    let (half, squeezed_rows) = (kernel / 2, rows.div_ceil(stride));
    let most_rows = (MOST_BYTES / row_bytes) as usize;
    let most_squeezed = most_rows.saturating_sub(kernel) / stride + 1;
    let count = if rows <= most_rows { 1 } else { squeezed_rows.div_ceil(most_squeezed) };
    let band = |index: usize| {
        let [first, end] = [index, index + 1].map(|edge| (edge * squeezed_rows).div_ceil(count));
        let correlated = (first * stride).saturating_sub(half)..rows.min((end - 1) * stride + half + 1);
        let squeezed = SupportRows { first: first * stride - correlated.start, count: end - first };
        Band { correlated, squeezed }
    };
    (0..count).map(band).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_volume_is_one_band() {
        let whole = Band { correlated: 0..7, squeezed: SupportRows { first: 0, count: 2 } };
        assert_eq!(bands(7, MOST_BYTES / 7, [5, 4]), [whole]);
    }

    #[test]
    fn every_row_is_squeezed_once_with_all_that_it_depends_on() {
        for (rows, most_rows, [kernel, stride]) in
            [(50, 12, [5, 4]), (50, 49, [5, 4]), (50, 3, [5, 4]), (9, 1, [3, 2]), (100, 7, [3, 2]), (25, 16, [5, 4])]
        {
            let bands = bands(rows, MOST_BYTES / most_rows as u64, [kernel, stride]);
            let mut next = 0;
            for Band { correlated, squeezed: SupportRows { first, count } } in &bands {
                assert!(*count > 0 && correlated.end <= rows);
                assert_eq!(correlated.start + first, next * stride);
                let (top, last) = (next * stride, (next + count - 1) * stride);
                assert_eq!(correlated.start, top.saturating_sub(kernel / 2));
                assert_eq!(correlated.end, rows.min(last + kernel / 2 + 1));
                assert!(correlated.len() <= most_rows.max(kernel));
                next += count;
            }
            assert_eq!(next, rows.div_ceil(stride));
        }
    }
}
