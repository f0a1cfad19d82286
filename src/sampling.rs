//! Where bilinear resizing with aligned corners looks: one rule for masks, volumes and logits.

/// For each of `to` positions: the two of `from` that it lies between, and the second one's share.
///
/// In float32, in just these steps: rounding decides whether a position that should be whole falls a hair below, and
/// with soft masks that alone can switch a column of the correlation on.
pub(crate) fn taps(from: usize, to: usize) -> impl Iterator<Item = (usize, usize, f32)> {
    let scale = if to > 1 { (from - 1) as f32 / (to - 1) as f32 } else { 0.0 };
    (0..to).map(move |position| {
        let source = scale * position as f32;
        let low = source.floor() as usize;
        (low.min(from - 1), (low + 1).min(from - 1), source - low as f32)
    })
}
