//! Eight bits a value: levels from -127 to 127, and of each output channel how much a level is worth. A tensor's channels
//! are worth so little of each other's range that one scale for all would waste half of the levels.
//!
//! The levels stand under the tensor's own name, the worths beside it, under that name and [`WORTHS`].

/// What follows the name of a tensor in levels.
pub const WORTHS: &str = ".worths";

/// Tensors of fewer values, or of one dimension, are no weight worth saving.
const FEWEST: usize = 1024;

const LEVELS: f32 = 127.0;

/// Whether a tensor is kept so.
pub fn suits(shape: &[usize]) -> bool {
    shape.len() > 1 && shape.iter().product::<usize>() >= FEWEST
}

/// What one level is worth, of every output channel.
pub fn worths(values: &[f32], outputs: usize) -> Vec<f32> {
    let largest = |channel: &[f32]| channel.iter().fold(0f32, |most, value| most.max(value.abs()));
    channels(values, outputs).map(|channel| largest(channel) / LEVELS).collect()
}

/// The levels, as bytes.
pub fn levels(values: &[f32], outputs: usize) -> Vec<u8> {
    let worths = worths(values, outputs);
    let level = |value: &f32, worth: f32| if worth > 0.0 { (value / worth).round() as i8 } else { 0 };
    let channels = channels(values, outputs).zip(worths);
    channels.flat_map(|(channel, worth)| channel.iter().map(move |value| level(value, worth).cast_unsigned())).collect()
}

/// The values again. There must be a worth for every output channel.
pub fn values(levels: &[u8], worths: &[f32]) -> Vec<f32> {
    let channels = channels(levels, worths.len()).zip(worths);
    channels
        .flat_map(|(channel, worth)| channel.iter().map(move |level| f32::from(level.cast_signed()) * worth))
        .collect()
}

fn channels<T>(values: &[T], outputs: usize) -> impl Iterator<Item = &[T]> {
    values.chunks_exact((values.len() / outputs.max(1)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_within_half_a_level_of_its_channel() {
        let original: Vec<f32> =
            (0..300).map(|i| ((i * 37 % 101) as f32 - 50.0) * if i < 150 { 0.01 } else { 3.0 }).collect();
        let worths = worths(&original, 2);
        let found = values(&levels(&original, 2), &worths);
        assert_eq!(found.len(), original.len());
        for (i, (found, value)) in found.iter().zip(&original).enumerate() {
            assert!((found - value).abs() <= worths[i / 150] * 0.501, "{found} where {value}");
        }
    }

    #[test]
    fn a_channel_of_zeros_stays_so() {
        let original = [0.0, 0.0, 1.0, -2.0];
        assert_eq!(values(&levels(&original, 2), &worths(&original, 2)), [0.0, 0.0, 64.0 * 2.0 / 127.0, -2.0]);
    }
}
