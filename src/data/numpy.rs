//! NumPy's legacy generator, as far as the published test episodes need it.

use rand_mt::Mt;

/// `numpy.random.RandomState`: a Mersenne twister seeded by one number.
pub(super) struct RandomState(Mt);

impl RandomState {
    /// `numpy.random.seed(seed)`.
    pub fn new(seed: u32) -> Self {
        Self(Mt::new(seed))
    }

    /// `numpy.random.choice(count, 1, replace=False)[0]`, for a `count` above 0: NumPy shuffles them all and takes the
    /// first, so a choice costs at least `count - 1` numbers.
    pub fn choice(&mut self, count: usize) -> usize {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.at_most(last));
        }
        order[0]
    }

    /// A number from 0 to `limit`, which is above 0: as many bits as it has, drawn again while they exceed it.
    fn at_most(&mut self, limit: usize) -> usize {
        let bits = (limit + 1).next_power_of_two() - 1;
        loop {
            let drawn = self.0.next_u32() as usize & bits;
            if drawn <= limit {
                return drawn;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(seed: u32, counts: &[usize]) -> Vec<usize> {
        let mut random = RandomState::new(seed);
        counts.iter().map(|&count| random.choice(count)).collect()
    }

    /// `numpy.random.seed(0); [numpy.random.choice(10, 1, replace=False)[0] for _ in range(12)]`
    #[test]
    fn choices_of_ten_are_numpys() {
        let expected = [2, 3, 2, 6, 5, 1, 3, 0, 7, 1, 9, 4];
        assert_eq!(choices(0, &[10; 12]), expected);
    }

    /// `numpy.random.seed(123456789);`
    /// `[numpy.random.choice(n, 1, replace=False)[0] for n in (1, 2, 3, 16, 17, 1000, 19217, 2)]`
    #[test]
    fn choices_of_any_count_are_numpys() {
        let expected = [0, 1, 1, 1, 10, 36, 17137, 1];
        assert_eq!(choices(123_456_789, &[1, 2, 3, 16, 17, 1000, 19217, 2]), expected);
    }
}
