//! How the volume unfolds into a matrix of neighbourhoods, a few query rows at a time.
//!
//! The support plane is first split by the stride: into one smaller plane for each pair of offsets that a strided
//! position can have to what its taps read. Whatever a tap reads is then one of these planes, shifted, and the matrix
//! is made of long copies.

use std::borrow::Cow;
use std::ops::Range;

use super::{parallel, portions};
use crate::ops::kernels::CenterPivotShape;

/// Positions gathered at a time, at least: the matrix of neighbourhoods should stay in the cache.
const CHUNK: usize = 512;

/// The rows of the matrix are `(channel, tap)`, the taps of the query plane's kernel before those of the support
/// plane's; its columns are positions of the result. The centre, which both kernels have, is there once, and taps of
/// the support plane that never meet it are left out.
pub struct Unfold {
    pub shape: CenterPivotShape,
    support_taps: Vec<usize>,
}

impl Unfold {
    pub fn new(shape: CenterPivotShape) -> Self {
        let centre = shape.kernel * shape.kernel / 2;
        let [down, across] = shape.support_window();
        let taps = down.flat_map(|down| across.clone().map(move |across| down * shape.kernel + across));
        Self { shape, support_taps: taps.filter(|&tap| tap != centre).collect() }
    }

    fn query_taps(&self) -> usize {
        self.shape.kernel * self.shape.kernel
    }

    /// Rows of the matrix for one channel.
    pub fn taps(&self) -> usize {
        self.query_taps() + self.support_taps.len()
    }

    /// Rows of the matrix.
    pub fn depth(&self) -> usize {
        self.shape.channels * self.taps()
    }

    /// Positions of the result's support plane.
    fn plane(&self) -> usize {
        self.shape.strided[0] * self.shape.strided[1]
    }

    fn query_positions(&self) -> usize {
        self.shape.query[0] * self.shape.query[1]
    }

    fn support_positions(&self) -> usize {
        self.shape.support[0] * self.shape.support[1]
    }

    /// Values of one channel of the volume.
    pub fn channel_size(&self) -> usize {
        self.query_positions() * self.support_positions()
    }

    /// Values of one channel of the volume at the kept support positions.
    pub fn kept_size(&self) -> usize {
        self.query_positions() * self.plane()
    }

    /// Query rows, a few at a time.
    pub fn chunks(&self) -> impl Iterator<Item = Range<usize>> {
        let [height, width] = self.shape.query;
        let step = CHUNK.div_ceil(width * self.plane());
        portions(height, step)
    }

    /// The columns of the matrix, or of the result, that belong to some query rows.
    pub fn columns(&self, rows: &Range<usize>) -> Range<usize> {
        let row = self.shape.query[1] * self.plane();
        rows.start * row..rows.end * row
    }

    /// Both planes' weights, `(outputs, channels, k, k)` each, as one matrix `(outputs, depth)`.
    pub fn join(&self, query: &[f32], support: &[f32]) -> Vec<f32> {
        let taps = self.query_taps();
        let kernels = query.chunks_exact(taps).zip(support.chunks_exact(taps));
        let mut joined = Vec::with_capacity(query.len() / taps * self.taps());
        for (query, support) in kernels {
            let centre = joined.len() + taps / 2;
            joined.extend_from_slice(query);
            joined[centre] += support[taps / 2];
            joined.extend(self.support_taps.iter().map(|&tap| support[tap]));
        }
        joined
    }

    /// The gradients of both planes' weights from that of the joined ones. Taps that were left out have none.
    #[cfg(feature = "native")]
    pub fn split_weights(&self, joined: &[f32]) -> [Vec<f32>; 2] {
        let taps = self.query_taps();
        let size = joined.len() / self.taps() * taps;
        let (mut query, mut support) = (Vec::with_capacity(size), vec![0f32; size]);
        for (joined, support) in joined.chunks_exact(self.taps()).zip(support.chunks_exact_mut(taps)) {
            query.extend_from_slice(&joined[..taps]);
            support[taps / 2] = joined[taps / 2];
            self.support_taps.iter().zip(&joined[taps..]).for_each(|(&tap, &value)| support[tap] = value);
        }
        [query, support]
    }

    /// The volume at the support positions that the stride keeps, `(batch, channels, query position, plane)`.
    pub fn kept<'a>(&self, volume: &'a [f32]) -> Cow<'a, [f32]> {
        let CenterPivotShape { stride, support: [height, width], .. } = self.shape;
        if stride == 1 {
            return Cow::Borrowed(volume);
        }
        let channels = parallel(volume.chunks_exact(self.channel_size()).collect(), |channel| {
            let lines =
                channel.chunks_exact(height * width).flat_map(|plane| plane.chunks_exact(width).step_by(stride));
            let mut kept = Vec::with_capacity(self.kept_size());
            lines.for_each(|line| kept.extend(line.iter().step_by(stride)));
            kept
        });
        Cow::Owned(channels.concat())
    }

    /// Makes the rows of the matrix that belong to one sample's `volume` and `kept` (of whole channels), for some query
    /// rows. `columns` holds the result, `scratch` is written over.
    pub fn gather(
        &self,
        volume: &[f32],
        kept: &[f32],
        rows: &Range<usize>,
        columns: &mut Vec<f32>,
        scratch: &mut Vec<f32>,
    ) {
        let positions = self.columns(rows).len();
        let channels = volume.len() / self.channel_size();
        columns.resize(channels * self.taps() * positions, 0.0);
        for (channel, block) in columns.chunks_exact_mut(self.taps() * positions).enumerate() {
            let (query, support) = block.split_at_mut(self.query_taps() * positions);
            let kept = &kept[channel * self.kept_size()..][..self.kept_size()];
            for (tap, target) in query.chunks_exact_mut(positions).enumerate() {
                self.query_shift(tap, rows).copy(kept, target);
            }
            if self.support_taps.is_empty() {
                continue;
            }
            self.split_planes(&volume[channel * self.channel_size()..][..self.channel_size()], rows, scratch);
            for (&tap, target) in self.support_taps.iter().zip(support.chunks_exact_mut(positions)) {
                let (phase, shift) = self.support_shift(tap);
                shift.copy(&scratch[phase * positions..][..positions], target);
            }
        }
    }

    /// The inverse of [`Self::gather`] for gradients: adds to those of `volume` and of `kept`.
    #[cfg(feature = "native")]
    pub fn scatter(
        &self,
        columns: &mut [f32],
        rows: &Range<usize>,
        volume: &mut [f32],
        kept: &mut [f32],
        scratch: &mut Vec<f32>,
    ) {
        let positions = self.columns(rows).len();
        for (channel, block) in columns.chunks_exact_mut(self.taps() * positions).enumerate() {
            let (query, support) = block.split_at_mut(self.query_taps() * positions);
            let kept = &mut kept[channel * self.kept_size()..][..self.kept_size()];
            for (tap, source) in query.chunks_exact_mut(positions).enumerate() {
                self.query_shift(tap, rows).add_back(source, kept);
            }
            if self.support_taps.is_empty() {
                continue;
            }
            scratch.clear();
            scratch.resize(self.shape.stride * self.shape.stride * positions, 0.0);
            for (&tap, source) in self.support_taps.iter().zip(support.chunks_exact_mut(positions)) {
                let (phase, shift) = self.support_shift(tap);
                shift.add_back(source, &mut scratch[phase * positions..][..positions]);
            }
            let volume = &mut volume[channel * self.channel_size()..][..self.channel_size()];
            self.join_planes(scratch, rows, volume);
        }
    }

    /// Adds gradients at the kept positions of whole channels to the volume's.
    #[cfg(feature = "native")]
    pub fn add_kept(&self, kept: &[f32], volume: &mut [f32]) {
        let CenterPivotShape { stride, support: [height, width], strided, .. } = self.shape;
        if stride == 1 {
            return volume.iter_mut().zip(kept).for_each(|(to, from)| *to += from);
        }
        let planes = volume.chunks_exact_mut(height * width);
        let lines = planes.flat_map(|plane| plane.chunks_exact_mut(width).step_by(stride));
        for (line, kept) in lines.zip(kept.chunks_exact(strided[1])) {
            kept.iter().enumerate().for_each(|(x, kept)| line[x * stride] += kept);
        }
    }

    /// Splits the support planes of one channel, for some query rows, by the stride: `(phase, position, plane)`, zero
    /// where a plane ends before the others.
    fn split_planes(&self, channel: &[f32], rows: &Range<usize>, phases: &mut Vec<f32>) {
        phases.clear();
        phases.resize(self.shape.stride * self.shape.stride * self.columns(rows).len(), 0.0);
        let stride = self.shape.stride;
        self.lines(rows, |from, to, count| (0..count).for_each(|x| phases[to + x] = channel[from + x * stride]));
    }

    /// The inverse of [`Self::split_planes`], adding.
    #[cfg(feature = "native")]
    fn join_planes(&self, phases: &[f32], rows: &Range<usize>, channel: &mut [f32]) {
        let stride = self.shape.stride;
        self.lines(rows, |to, from, count| (0..count).for_each(|x| channel[to + x * stride] += phases[from + x]));
    }

    /// Visits every line of a channel's support planes, for some query rows, once for each offset that the stride can
    /// have on it: where the line's every `stride`-th value begins, where they begin in the phases, and their number.
    fn lines(&self, rows: &Range<usize>, mut visit: impl FnMut(usize, usize, usize)) {
        let CenterPivotShape { stride, query, support: [height, width], strided, .. } = self.shape;
        let positions = self.columns(rows).len();
        let counts: Vec<usize> = (0..stride.min(width)).map(|across| (width - across).div_ceil(stride)).collect();
        let first = rows.start * query[1] * self.support_positions();
        for position in 0..rows.len() * query[1] {
            for y in 0..height {
                let line = first + (position * height + y) * width;
                let (phase, start) = (y % stride * stride, position * self.plane() + y / stride * strided[1]);
                for (across, &count) in counts.iter().enumerate() {
                    visit(line + across, (phase + across) * positions + start, count);
                }
            }
        }
    }

    /// What a tap of the query plane's kernel reads of a channel's kept positions.
    fn query_shift(&self, tap: usize, rows: &Range<usize>) -> Shift {
        let [height, width] = self.shape.query;
        Shift { rows: rows.clone(), height, width, inner: self.plane(), by: self.shape.offset(tap) }
    }

    /// What a tap of the support plane's kernel reads: one of the phases, shifted.
    fn support_shift(&self, tap: usize) -> (usize, Shift) {
        let CenterPivotShape { stride, strided: [height, width], .. } = self.shape;
        let offset = self.shape.offset(tap);
        let [down, across] = offset.map(|offset| offset.rem_euclid(stride as isize) as usize);
        let by = offset.map(|offset| offset.div_euclid(stride as isize));
        let shift = Shift { rows: 0..height, height, width, inner: 1, by };
        (down * stride + across, shift)
    }
}

impl CenterPivotShape {
    /// How far a tap of a plane's kernel is from its centre, down and across.
    fn offset(&self, tap: usize) -> [isize; 2] {
        [tap / self.kernel, tap % self.kernel].map(|tap| tap as isize - (self.kernel / 2) as isize)
    }
}

/// Any number of planes `(height, width, inner)`, shifted: at each position of `rows`, what is `by` away from it, down and
/// across; zero where that is outside.
struct Shift {
    rows: Range<usize>,
    height: usize,
    width: usize,
    inner: usize,
    by: [isize; 2],
}

impl Shift {
    /// `target` has the rows alone, `source` all of them.
    fn copy(&self, source: &[f32], target: &mut [f32]) {
        let (to, from) = self.overlap(target.len(), source.len());
        target[to].copy_from_slice(&source[from]);
        self.outside(target);
    }

    /// The other way round, adding; what lies outside is cleared in the `shifted` values.
    #[cfg(feature = "native")]
    fn add_back(&self, shifted: &mut [f32], values: &mut [f32]) {
        self.outside(shifted);
        let (from, to) = self.overlap(shifted.len(), values.len());
        values[to].iter_mut().zip(&shifted[from]).for_each(|(to, from)| *to += from);
    }

    /// As one step through memory, the shift takes the first of these ranges to the second. What it misses or takes
    /// from another row is outside.
    fn overlap(&self, shifted: usize, values: usize) -> (Range<usize>, Range<usize>) {
        let [down, across] = self.by;
        let offset = ((self.rows.start as isize + down) * self.width as isize + across) * self.inner as isize;
        let start = (-offset).clamp(0, shifted as isize);
        let end = (values as isize - offset).clamp(start, shifted as isize);
        let moved = |index: isize| (index + offset).clamp(0, values as isize) as usize;
        (start as usize..end as usize, moved(start)..moved(end))
    }

    /// Zeroes what comes from outside.
    fn outside(&self, shifted: &mut [f32]) {
        let [down, across] = self.by;
        let line = self.width * self.inner;
        if down != 0 {
            for plane in shifted.chunks_exact_mut(self.rows.len() * line) {
                for (row, line) in self.rows.clone().zip(plane.chunks_exact_mut(line)) {
                    if row.checked_add_signed(down).is_none_or(|row| row >= self.height) {
                        line.fill(0.0);
                    }
                }
            }
        }
        let margin = across.unsigned_abs().min(self.width) * self.inner;
        let start = if across < 0 { 0 } else { line - margin };
        match margin {
            0 => {}
            1 => shifted[start..].iter_mut().step_by(line).for_each(|value| *value = 0.0),
            _ => shifted.chunks_exact_mut(line).for_each(|line| line[start..start + margin].fill(0.0)),
        }
    }
}
