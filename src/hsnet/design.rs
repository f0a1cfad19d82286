//! What may differ from one network to the next, beside the backbone. The default is the paper's.

use serde::{Deserialize, Deserializer, Serialize};

use super::Kernel;

/// How what is around the object is kept out of a support's features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "native", derive(clap::ValueEnum))]
pub enum Masking {
    /// Features outside the object are set to zero (HSNet, equation 1).
    #[default]
    Features,
    /// Features outside the object come from the picture with everything else blanked, so that small objects and
    /// outlines keep their detail (Moon et al., "HM: Hybrid Masking for Few-Shot Segmentation", ECCV 2022).
    Hybrid,
    /// Nothing is masked (the ablation of the paper's table 1, dagger).
    None,
}

/// How a network is built, and how it takes its supports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Design {
    #[serde(deserialize_with = "masking")]
    pub masking: Masking,
    /// The learner's 4D kernel.
    pub kernel: Kernel,
    /// Whether the decoder also sees how each place of the query compares with the supports' object and background, and
    /// what the query's features are; the paper's decoder sees the squeezed correlation alone.
    pub guided: bool,
}

/// By name, or as the switch that it was before there was a choice.
fn masking<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Masking, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Switch(bool),
        Name(Masking),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Switch(true) => Masking::Features,
        Written::Switch(false) => Masking::None,
        Written::Name(masking) => masking,
    })
}

impl From<Kernel> for Design {
    /// The paper's with another 4D kernel.
    fn from(kernel: Kernel) -> Self {
        Self { kernel, ..Self::default() }
    }
}
