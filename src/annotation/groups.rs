//! What hangs together, as groups of numbers from 0 on.

/// Disjoint groups (Galler and Fischer, 1964): each number points at an earlier one of its group, or at itself.
pub(crate) struct Groups(Vec<u32>);

impl Groups {
    /// So many numbers, each by itself.
    pub fn new(count: usize) -> Self {
        Self((0..count as u32).collect())
    }

    pub fn unite(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one as u32), self.first(other as u32));
        self.0[one.max(other) as usize] = one.min(other);
    }

    /// The first of a number's group, the way to which is halved.
    fn first(&mut self, mut at: u32) -> u32 {
        while self.0[at as usize] != at {
            self.0[at as usize] = self.0[self.0[at as usize] as usize];
            at = self.0[at as usize];
        }
        at
    }

    /// For each number the first of its group, which stands for it.
    pub fn firsts(mut self) -> Vec<u32> {
        // What a number points at comes before it, so that one's first is known by then.
        for at in 0..self.0.len() {
            self.0[at] = self.0[self.0[at] as usize];
        }
        self.0
    }
}
