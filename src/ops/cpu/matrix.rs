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
        assert!(range.start <= range.end && range.end <= self.columns);
        // SAFETY: the columns were just seen to lie inside.
        Self { start: unsafe { self.start.add(range.start) }, columns: range.len(), ..*self }
    }

    /// Sets every row to one value.
    pub fn fill_rows(&mut self, values: &[f32]) {
        assert_eq!(values.len(), self.rows);
        for (row, &value) in values.iter().enumerate() {
            // SAFETY: the row lies inside, and a target is the only one to use its columns.
            let row = unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.row_stride), self.columns) };
            row.fill(value);
        }
    }
}

/// `target = left x right`.
pub fn multiply(left: Matrix, right: Matrix, target: Target) {
    product(left, right, target, false);
}

/// `target += left x right`.
pub fn accumulate(left: Matrix, right: Matrix, target: Target) {
    product(left, right, target, true);
}

fn product(left: Matrix, right: Matrix, target: Target, add: bool) {
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
