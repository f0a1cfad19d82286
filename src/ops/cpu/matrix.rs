//! Matrices in slices, and their product.

use std::marker::PhantomData;
use std::ops::Range;

/// A matrix somewhere in a slice.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    pub values: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// All of `values`, row by row.
    pub fn new(values: &'a [f32], columns: usize) -> Self {
        Self { values, rows: values.len() / columns.max(1), columns, row_stride: columns, column_stride: 1 }
    }

    #[cfg(feature = "native")]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn last_index(&self) -> usize {
        (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride
    }
}

/// A matrix to write, row by row. Several threads may write different columns of one.
pub struct Target<'a> {
    start: *mut f32,
    rows: usize,
    columns: usize,
    row_stride: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: a target is a mutable borrow of floats; `Target::columns` leaves to its callers that no two write the same.
unsafe impl Send for Target<'_> {}
// SAFETY: likewise.
unsafe impl Sync for Target<'_> {}

impl<'a> Target<'a> {
    /// All of `values`.
    pub fn new(values: &'a mut [f32], columns: usize) -> Self {
        let rows = values.len() / columns.max(1);
        Self { start: values.as_mut_ptr(), rows, columns, row_stride: columns, borrowed: PhantomData }
    }

    /// Some columns of it.
    ///
    /// # Safety
    /// Nobody else may use the same columns while this is used.
    pub unsafe fn columns(&self, range: Range<usize>) -> Self {
        // SAFETY: as this function's own.
        unsafe { self.part(0..self.rows, range) }
    }

    /// Some rows and columns of it.
    ///
    /// # Safety
    /// Nobody else may use the same values while this is used.
    pub unsafe fn part(&self, rows: Range<usize>, columns: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.rows);
        assert!(columns.start <= columns.end && columns.end <= self.columns);
        // SAFETY: the values were just seen to lie inside.
        let start = unsafe { self.start.add(rows.start * self.row_stride + columns.start) };
        Self { start, rows: rows.len(), columns: columns.len(), ..*self }
    }

    fn rows(&mut self) -> impl Iterator<Item = &mut [f32]> {
        // SAFETY: the rows lie inside and do not overlap, and a target is the only one to use its values.
        (0..self.rows)
            .map(|row| unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.row_stride), self.columns) })
    }

    /// Sets every row to one value.
    pub fn fill_rows(&mut self, values: &[f32]) {
        assert_eq!(values.len(), self.rows);
        self.rows().zip(values).for_each(|(row, &value)| row.fill(value));
    }

    pub fn map(&mut self, map: impl Fn(f32) -> f32) {
        self.rows().flatten().for_each(|value| *value = map(*value));
    }
}

/// A target whose rows lie so many floats apart, or a multiple of it, has all of them in a few places of the cache.
const CROWDED: usize = 128;
/// Floats that bring them apart.
const PAD: usize = 16;

/// `target = left x right`.
pub fn multiply(left: Matrix, right: Matrix, mut target: Target) {
    product(left, right, &mut target, false);
}

/// `target += left x right`.
pub fn accumulate(left: Matrix, right: Matrix, target: &mut Target) {
    product(left, right, target, true);
}

fn product(left: Matrix, right: Matrix, target: &mut Target, add: bool) {
    if target.rows > 1 && target.row_stride.is_multiple_of(CROWDED) {
        return product_apart(left, right, target, add);
    }
    let (rows, depth, columns) = (left.rows, left.columns, right.columns);
    if rows * depth * columns == 0 {
        return;
    }
    assert!(depth == right.rows && (target.rows, target.columns) == (rows, columns));
    assert!(left.last_index() < left.values.len() && right.last_index() < right.values.len());
    // SAFETY: both matrices lie inside their slices, as asserted above, and the target inside the one that it borrows.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            depth,
            target.start,
            1,
            target.row_stride as isize,
            add,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            1f32,
            1f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// [`product`], by way of a matrix whose rows lie apart: on processors with wide registers it takes a quarter of the time.
fn product_apart(left: Matrix, right: Matrix, target: &mut Target, add: bool) {
    let stride = target.columns.next_multiple_of(CROWDED) + PAD;
    let mut apart = vec![0f32; target.rows * stride];
    // SAFETY: nobody else knows of it.
    let mut part = unsafe { Target::new(&mut apart, stride).part(0..target.rows, 0..target.columns) };
    product(left, right, &mut part, false);
    for (to, from) in target.rows().zip(apart.chunks_exact(stride)) {
        match add {
            true => to.iter_mut().zip(from).for_each(|(to, from)| *to += from),
            false => to.copy_from_slice(&from[..to.len()]),
        }
    }
}
