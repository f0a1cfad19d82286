//! Pieces of work that threads do ahead of whoever takes them, in order.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// Pieces that each thread may be ahead.
const AHEAD: usize = 2;

/// `make(0)`, `make(1)` and so on, in this order however many threads make them. Few are in memory at a time.
pub(crate) struct Ahead<T> {
    workers: Vec<Receiver<T>>,
    count: usize,
    given: usize,
}

/// A thread panicked before its work was done: what it would have made next is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

impl<T: Send + 'static> Ahead<T> {
    /// Starts `workers` threads, at least one, on `count` pieces; each makes every piece whose number leaves its own
    /// when divided by their count.
    pub fn new(count: usize, workers: usize, make: impl Fn(usize) -> T + Send + Sync + 'static) -> Self {
        let (make, workers) = (Arc::new(make), workers.max(1));
        let start = |worker: usize| {
            let (sender, receiver) = sync_channel(AHEAD);
            let make = make.clone();
            thread::spawn(move || {
                // Nobody listens any more when the taker is gone before the end.
                (worker..count).step_by(workers).try_for_each(|number| sender.send(make(number)))
            });
            receiver
        };
        Self { workers: (0..workers).map(start).collect(), count, given: 0 }
    }
}

impl<T> Ahead<T> {
    /// How many pieces have been given.
    pub fn given(&self) -> usize {
        self.given
    }
}

impl<T> Iterator for Ahead<T> {
    type Item = Result<T, Lost>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.given == self.count {
            return None;
        }
        let piece = self.workers[self.given % self.workers.len()].recv();
        self.given += usize::from(piece.is_ok());
        Some(piece.map_err(|_| Lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_threads_gives_all_pieces_in_order() {
        for workers in [0, 1, 3, 20] {
            let pieces: Vec<_> = Ahead::new(10, workers, |number| number * number).map(Result::unwrap).collect();
            assert_eq!(pieces, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
        }
    }

    #[test]
    fn a_piece_whose_thread_panicked_is_not_passed_over() {
        let mut pieces = Ahead::new(4, 2, |number| match number {
            1 => panic!("as the test wants it"),
            other => other,
        });
        assert_eq!((pieces.next(), pieces.next(), pieces.given()), (Some(Ok(0)), Some(Err(Lost)), 1));
    }
}
