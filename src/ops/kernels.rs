//! The seam between our operations and burn's backends.

use std::ops::Range;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

/// The correlation on the backends that do it in a way of their own; shapes as in [`super::correlation`].
#[backend_extension(Flex, Cube, Autodiff: cfg(feature = "native"))]
pub trait CorrelationKernel: Backend {
    fn correlation(query: FloatTensor<Self>, support: FloatTensor<Self>, widths: Vec<usize>) -> FloatTensor<Self>;
}

/// The correlation with some rows of the support, in WGSL; elsewhere it is composed.
#[backend_extension(Cube)]
pub trait CorrelationRowsKernel: Backend {
    fn correlation_rows(
        query: FloatTensor<Self>,
        support: FloatTensor<Self>,
        rows: Range<usize>,
        widths: Vec<usize>,
    ) -> FloatTensor<Self>;
}

/// The center-pivot convolution on the backends that do it in a way of their own; shapes as in [`super::center_pivot`].
#[backend_extension(Flex, Cube, Autodiff: cfg(feature = "native"))]
pub trait CenterPivotKernel: Backend {
    fn center_pivot(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        bias_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        bias_support: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self>;
}

/// Some support rows of the center-pivot convolution, in WGSL.
#[backend_extension(Cube)]
pub trait CenterPivotRowsKernel: Backend {
    fn center_pivot_rows(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        bias_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        bias_support: FloatTensor<Self>,
        stride: usize,
        rows: SupportRows,
    ) -> FloatTensor<Self>;
}

/// Group normalisation and ReLU on the backends that do it in a way of their own; shapes as in
/// [`super::group_norm_relu`].
#[backend_extension(Flex, Cube, Autodiff: cfg(feature = "native"))]
pub trait NormKernel: Backend {
    fn group_norm_relu(
        volume: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        groups: usize,
    ) -> FloatTensor<Self>;
}

/// A clamp at zero and at a limit, on the CPU; under autodiff burn's own has the gradient.
#[backend_extension(Flex)]
pub trait ClampKernel: Backend {
    fn clamp(values: FloatTensor<Self>, limit: f32) -> FloatTensor<Self>;
}

/// The 2D convolution and a clamp at zero and at a limit, where there is one, on the backends that do it in a way of their
/// own; shapes as in [`super::activated_convolution`].
#[backend_extension(Flex, Cube)]
pub trait ConvolutionKernel: Backend {
    fn convolution(
        planes: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        limit: Option<f32>,
    ) -> FloatTensor<Self>;
}

/// Values `(batch, ..)` in half precision, which only our shaders read.
#[backend_extension(Cube)]
pub trait HalvesKernel: Backend {
    /// Writes every sample's values into the same sample of `output`, from its value `start` on. Both are even: two values
    /// share a word.
    fn put_halves(output: FloatTensor<Self>, values: FloatTensor<Self>, start: usize) -> FloatTensor<Self>;
}

/// Bilinear resizing of the inner two dimensions of `(outer, h, w, inner)`, in WGSL; elsewhere it is composed.
#[backend_extension(Cube)]
pub trait ResizeKernel: Backend {
    fn resize(planes: FloatTensor<Self>, height: usize, width: usize) -> FloatTensor<Self>;
}

/// The sizes of one center-pivot convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CenterPivotShape {
    pub batch: usize,
    pub channels: usize,
    pub outputs: usize,
    pub query: [usize; 2],
    pub support: [usize; 2],
    /// The support plane of the result: `support / stride`, rounded up.
    pub strided: [usize; 2],
    pub stride: usize,
    pub kernel: usize,
    /// The support row that the result's first is centred at: 0, unless the volume has only some rows.
    pub first_row: usize,
}

/// Rows of a result's support plane that are made of a volume which has only the rows that they depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupportRows {
    /// The volume's support row that the first of them is centred at.
    pub first: usize,
    /// How many there are.
    pub count: usize,
}

impl CenterPivotShape {
    /// From the volume's and the kernel's dimensions.
    ///
    /// # Panics
    /// If they do not fit each other.
    pub fn new(volume: [usize; 6], weight: [usize; 4], stride: usize) -> Self {
        let [batch, channels, query_h, query_w, support_h, support_w] = volume;
        let [outputs, weight_channels, kernel, kernel_w] = weight;
        assert_eq!(channels, weight_channels, "the kernel's channels must be the volume's");
        assert!(kernel == kernel_w && kernel % 2 == 1, "the kernel must be square and odd");
        assert!(stride > 0, "the stride must be at least 1");
        Self {
            batch,
            channels,
            outputs,
            query: [query_h, query_w],
            support: [support_h, support_w],
            strided: [support_h.div_ceil(stride), support_w.div_ceil(stride)],
            stride,
            kernel,
            first_row: 0,
        }
    }

    /// The same for some support rows only.
    pub fn rows(self, SupportRows { first, count }: SupportRows) -> Self {
        Self { strided: [count, self.strided[1]], first_row: first, ..self }
    }

    /// Positions of one channel of the result.
    pub fn positions(&self) -> usize {
        [self.query, self.strided].as_flattened().iter().product()
    }

    pub fn output_dims(&self) -> [usize; 6] {
        let ([qh, qw], [sh, sw]) = (self.query, self.strided);
        [self.batch, self.outputs, qh, qw, sh, sw]
    }

    /// The taps of the support plane's kernel, down and across, that meet the plane anywhere: once it has shrunk to one
    /// position, the centre alone.
    pub fn support_window(&self) -> [Range<usize>; 2] {
        let half = self.kernel / 2;
        let first = [self.first_row, 0];
        [0, 1].map(|axis| {
            let meets = |tap: &usize| {
                let mut read = (0..self.strided[axis]).map(|position| first[axis] + position * self.stride + tap);
                read.any(|place| (half..half + self.support[axis]).contains(&place))
            };
            let mut taps = (0..self.kernel).filter(meets);
            let first = taps.next().unwrap_or(half);
            first..taps.next_back().unwrap_or(first) + 1
        })
    }
}
