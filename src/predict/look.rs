//! How what was found becomes labels.

use serde::{Deserialize, Serialize};

/// What a person may choose of it without the network having to look again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The probability from which a pixel counts, between 0 and 1.
    pub threshold: f32,
    /// Regions of a class smaller than this share of the picture are dropped, 0..1.
    pub smallest: f32,
    /// Whether holes in a region are filled.
    pub fill: bool,
    /// Whether edges follow the picture.
    pub edges: bool,
}

impl Look {
    /// What the network says, at a threshold, and nothing done to it.
    pub fn plain(threshold: f32) -> Self {
        Self { threshold, smallest: 0.0, fill: false, edges: false }
    }

    /// Whether every number is one that it can be.
    pub fn is_sound(&self) -> bool {
        self.threshold > 0.0 && self.threshold < 1.0 && (0.0..=1.0).contains(&self.smallest)
    }
}
