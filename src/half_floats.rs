//! Numbers as float16 in little-endian bytes: half of float32's, and three digits.

use half::f16;

/// A number too large for float16 becomes the largest that it has.
pub(crate) fn to_bytes(values: &[f32]) -> Vec<u8> {
    let (least, most) = (f16::MIN.to_f32(), f16::MAX.to_f32());
    values.iter().flat_map(|value| f16::from_f32(value.clamp(least, most)).to_le_bytes()).collect()
}

/// What [`to_bytes`] wrote; nothing if some are no numbers.
pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Vec<f32>> {
    let values = bytes.as_chunks().0.iter().map(|&pair| f16::from_le_bytes(pair).to_f32());
    values.map(|value| value.is_finite().then_some(value)).collect()
}
