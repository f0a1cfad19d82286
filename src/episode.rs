//! An episode: one or a few pictures with the object marked, and one picture to find it in.

use crate::image::{Mask, Picture};

/// A picture with the object marked, both of the same size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shot {
    pub picture: Picture,
    pub mask: Mask,
    /// The pixels that are neither known to be the object nor known not to be; none of them is in the mask.
    pub unsure: Option<Mask>,
}

/// What is shown and what is asked, with the answer.
#[derive(Clone, Debug)]
pub struct Episode {
    /// The class, numbered as its data set does; only metrics look at it.
    pub class: usize,
    /// The pictures in which the object is marked.
    pub supports: Vec<Shot>,
    /// The picture in which to find it; its mask is the answer.
    pub query: Shot,
    /// The query's pixels that no metric counts, as a data set may leave an object's outline open.
    pub ignore: Option<Mask>,
}

impl Shot {
    /// The shot at another size, without regard to its aspect ratio.
    pub fn resize(&self, height: usize, width: usize) -> Self {
        Self {
            picture: self.picture.resize(height, width),
            mask: self.mask.resize(height, width),
            unsure: self.unsure.as_ref().map(|unsure| unsure.resize(height, width)),
        }
    }
}

impl Episode {
    /// The episode with every picture at one size, as the published protocol measures it.
    pub fn resize(&self, height: usize, width: usize) -> Self {
        Self {
            class: self.class,
            supports: (self.supports.iter()).map(|shot| shot.resize(height, width)).collect(),
            query: self.query.resize(height, width),
            ignore: (self.ignore.as_ref()).map(|mask| mask.resize(height, width)),
        }
    }
}
