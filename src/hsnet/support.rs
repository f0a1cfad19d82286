//! A support, from marked pictures to what a query needs of them.

use super::{Hsnet, Marked, Masking};
use crate::backbone::Pyramid;

/// Of a feature plane's positions, those whose share of the object is smaller count as outside.
const INSIDE: f64 = 0.5;

/// What a network keeps of supports.
#[derive(Clone, Debug)]
pub struct Support {
    /// The features that the query's are correlated with.
    pub object: Pyramid,
    /// The features of the object alone and of the background alone, for a guided network.
    pub sides: Option<[Pyramid; 2]>,
}

impl Hsnet {
    /// The features of supports, masked as the network was designed.
    pub fn support(&self, marked: Marked) -> Support {
        let Marked { pictures, mask, planes } = marked;
        let outside = planes.clone().map(|plane| plane.lower_elem(INSIDE).float());
        let features = self.features(pictures.clone());
        let inside = features.clone().masked(planes);
        let object = match self.design.masking {
            Masking::Features => inside.clone(),
            Masking::Hybrid => {
                let blanked = self.features(pictures * mask).masked(outside.clone());
                features.clone().masked(outside.clone().map(|plane| 1.0 - plane)).plus(blanked)
            }
            Masking::None => features.clone(),
        };
        let sides = self.design.guided.then(|| [inside, features.masked(outside)]);
        Support { object, sides }
    }
}
