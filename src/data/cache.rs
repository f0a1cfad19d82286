//! Decoded pictures, kept within a budget of memory.

use std::sync::Arc;

use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter, sync};

use super::{DataError, Scene};

/// What a collection keeps unless it is told otherwise: 2 GiB.
const BUDGET: u64 = 2 << 30;

/// Where collections keep decoded pictures; its clones are one and the same, so that several collections can share a
/// budget. Full, it lets go of pictures that were not asked for lately.
#[derive(Clone, Debug)]
pub struct Cache(Arc<Scenes>);

/// By the number of the collection and of the scene in it.
type Scenes = sync::Cache<(u64, usize), Arc<Scene>, Bytes>;

#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<(u64, usize), Arc<Scene>> for Bytes {
    fn weight(&self, _: &(u64, usize), scene: &Arc<Scene>) -> u64 {
        (scene.picture.rgb.len() + scene.labels.values.len()) as u64
    }
}

impl Cache {
    /// A cache of at most `bytes` of pixels; 0 keeps nothing.
    pub fn with_budget(bytes: u64) -> Self {
        // One shard: of several, each would take only pictures below its share of the budget.
        let options = OptionsBuilder::new().shards(1).weight_capacity(bytes).estimated_items_capacity(1024).build();
        let options = options.expect("the capacities are given");
        let scenes = Scenes::with_options(options, Bytes, DefaultHashBuilder::default(), Default::default());
        Self(Arc::new(scenes))
    }

    /// The scene under `key`, decoded now unless it is kept; no two threads decode it at once.
    pub(super) fn get(
        &self,
        key: (u64, usize),
        decode: impl FnOnce() -> Result<Scene, DataError>,
    ) -> Result<Arc<Scene>, DataError> {
        self.0.get_or_insert_with(&key, || decode().map(Arc::new))
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::with_budget(BUDGET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{annotation::Labels, image::Picture};

    /// A scene of four bytes a pixel.
    fn scene(pixels: usize) -> Result<Scene, DataError> {
        let picture = Picture { width: pixels, height: 1, rgb: vec![0; 3 * pixels] };
        Ok(Scene { picture, labels: Labels::empty(pixels, 1) })
    }

    fn is_kept(cache: &Cache, key: (u64, usize)) -> bool {
        cache.0.peek(&key).is_some()
    }

    #[test]
    fn what_is_kept_is_not_decoded_again() {
        let cache = Cache::default();
        let first = cache.get((0, 1), || scene(10)).unwrap();
        let again = cache.clone().get((0, 1), || Err(DataError::Empty)).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert!(cache.get((1, 1), || Err(DataError::Empty)).is_err(), "another collection's scene");
    }

    #[test]
    fn pictures_are_let_go_to_stay_within_the_budget() {
        let cache = Cache::with_budget(100);
        for number in 0..20 {
            cache.get((0, number), || scene(10)).unwrap();
            assert!(cache.0.weight() <= 100, "{} bytes", cache.0.weight());
        }
        assert_eq!((0..20).filter(|&number| is_kept(&cache, (0, number))).count(), 2);
    }

    #[test]
    fn a_picture_beyond_the_budget_is_given_but_not_kept() {
        for (budget, pixels) in [(100, 30), (0, 1)] {
            let cache = Cache::with_budget(budget);
            assert_eq!(cache.get((0, 0), || scene(pixels)).unwrap().picture.width, pixels);
            assert!(!is_kept(&cache, (0, 0)));
        }
    }
}
