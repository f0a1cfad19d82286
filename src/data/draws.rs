//! Test episodes: which picture is asked and which are shown, by a protocol.

use rand::seq::{SliceRandom as _, index};

use super::{Class, DataError, Format, numpy::RandomState, stream};

/// How test episodes are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Every picture of every class is asked in turn; no picture is shown twice in an episode, nor the one asked.
    #[default]
    Fewseg,
    /// The very episodes that HSNet's published code draws (Min et al., ICCV 2021), given its lists and seed 0.
    Hsnet,
}

/// An episode by its places in a [`Collection`](super::Collection).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Draw {
    /// The place of the class in [`Collection::classes`](super::Collection::classes).
    pub class: usize,
    /// The pictures that are shown, by their places in the class.
    pub supports: Vec<usize>,
    /// The picture that is asked, by its place in the class.
    pub query: usize,
}

/// How many episodes the published code tests PASCAL-5i and COCO-20i on.
const PUBLISHED: usize = 1000;

/// The generator that orders queries; those of the supports count from 0.
const ORDER: u64 = u64::MAX;

/// See [`Collection::draws`](super::Collection::draws).
pub(super) fn draws(
    protocol: Protocol,
    format: Format,
    classes: &[Class],
    shots: usize,
    episodes: Option<usize>,
    seed: u64,
) -> Result<Vec<Draw>, DataError> {
    match protocol {
        Protocol::Fewseg => every_picture(classes, shots, episodes, seed),
        Protocol::Hsnet => published(format, classes, shots, episodes, seed),
    }
}

fn every_picture(classes: &[Class], shots: usize, episodes: Option<usize>, seed: u64) -> Result<Vec<Draw>, DataError> {
    let askable = classes.iter().enumerate().filter(|(_, class)| class.len() > shots);
    let mut queries: Vec<(usize, usize)> =
        askable.flat_map(|(place, class)| (0..class.len()).map(move |query| (place, query))).collect();
    if queries.is_empty() {
        let problem = format!("no class has the {} pictures that an episode of {shots} shots takes", shots + 1);
        return Err(DataError::Episodes(problem));
    }
    queries.shuffle(&mut stream(seed, ORDER));
    let episodes = episodes.unwrap_or(queries.len());
    let draw = |(number, &(class, query)): (usize, &(usize, usize))| {
        let others = index::sample(&mut stream(seed, number as u64), classes[class].len() - 1, shots);
        let supports = others.into_iter().map(|other| other + usize::from(other >= query)).collect();
        Draw { class, supports, query }
    };
    Ok(queries.iter().cycle().take(episodes).enumerate().map(draw).collect())
}

fn published(
    format: Format,
    classes: &[Class],
    shots: usize,
    episodes: Option<usize>,
    seed: u64,
) -> Result<Vec<Draw>, DataError> {
    let problem = |problem: &str| Err(DataError::Episodes(problem.to_owned()));
    if !format.has_split() {
        return problem(
            "there are published episodes of PASCAL-5i, COCO-20i and FSS-1000 alone: take the protocol fewseg for \
             pictures of your own",
        );
    }
    let Ok(seed) = u32::try_from(seed) else {
        return problem("the seed of the published episodes is a number below 2^32");
    };
    if classes.is_empty() {
        return problem("there is no class to test on");
    }
    if let Some(class) = classes.iter().find(|class| class.len() < 2) {
        return problem(&format!("{} has a single picture: there is none to show when it is asked", class.name));
    }
    let random = RandomState::new(seed);
    Ok(match format {
        Format::Coco => at_random(classes, shots, episodes.unwrap_or(PUBLISHED), random),
        Format::Fss => in_turn(classes, shots, episodes.unwrap_or(classes.iter().map(Class::len).sum()), random),
        _ => in_turn(classes, shots, episodes.unwrap_or(PUBLISHED), random),
    })
}

/// The entries of the list, one after another.
fn in_turn(classes: &[Class], shots: usize, episodes: usize, mut random: RandomState) -> Vec<Draw> {
    let members = |(class, of): (usize, &Class)| {
        let entries = of.listed.iter().enumerate();
        entries.map(move |(member, &listed)| (listed, class, member)).collect::<Vec<_>>()
    };
    let mut entries: Vec<(usize, usize, usize)> = classes.iter().enumerate().flat_map(members).collect();
    entries.sort_unstable();
    let queries = entries.iter().cycle().take(episodes);
    queries
        .map(|&(_, class, query)| Draw { class, supports: others(&classes[class], query, shots, &mut random), query })
        .collect()
}

/// A class, then one of its pictures.
fn at_random(classes: &[Class], shots: usize, episodes: usize, mut random: RandomState) -> Vec<Draw> {
    let draw = |_| {
        let class = random.choice(classes.len());
        let query = random.choice(classes[class].len());
        Draw { class, supports: others(&classes[class], query, shots, &mut random), query }
    };
    (0..episodes).map(draw).collect()
}

/// Pictures of the class other than the query; one may come twice.
fn others(class: &Class, query: usize, shots: usize, random: &mut RandomState) -> Vec<usize> {
    let drawn = std::iter::repeat_with(|| random.choice(class.len()));
    drawn.filter(|&support| support != query).take(shots).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        env,
        path::{Path, PathBuf},
    };

    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::data::{Selection, Split, coco, fss, listing::Listing, lists, lists::Benchmark, pascal};

    /// A side of a data set.
    type Set = (Format, Split, Option<usize>);

    /// SHA-256 of the published episodes of one shot and of five, each a line `QUERY CLASS SUPPORT ...`: what the
    /// published code draws under `numpy.random.seed(0)`.
    const EPISODES: [(Set, [&str; 2]); 10] = [
        (
            (Format::Pascal, Split::Test, Some(0)),
            [
                "5debffbff8a3760743fd3f33ba821eb9ef6cb5fd38cc885aba2cf3dcc0cfbaa6",
                "9959f166cd074a2cd054adb59eb6eff0ef15dd76a6f8723c17791f2f1a4209d1",
            ],
        ),
        (
            (Format::Pascal, Split::Test, Some(1)),
            [
                "65263beba49de5a1460a1e254c1a0bffeb2c03101cf5c12e02439716ea5631b2",
                "ca8e237b04d5b3a90f6bca6bc16f531360d17250c4059ddb540f0e2c1504e47e",
            ],
        ),
        (
            (Format::Pascal, Split::Test, Some(2)),
            [
                "62795f55aa8c80bb7135a464ac22cfa5bbb3873958b10c60729c159f74a4865d",
                "5b1ac4a4e2a825119f92817cbdbfc4696d2e1b8e501287680f28d9d81addfc3f",
            ],
        ),
        (
            (Format::Pascal, Split::Test, Some(3)),
            [
                "93a042e3e376ba6a9da9095704f135ce25fa6a0f16c11250fb9c9c75162be5ee",
                "49ae20895a84612137389abc7582dca3d72e1bc6e66e86bb2d61464f3cb4ca36",
            ],
        ),
        (
            (Format::Coco, Split::Test, Some(0)),
            [
                "d18bb4f47ac1a9731a1979084869780d96e2e8cd5720011b5d69677d89ab458a",
                "70bea75e06fca689ba4a092e150fbf30d579c798ec296e052b697ea7a6c91241",
            ],
        ),
        (
            (Format::Coco, Split::Test, Some(1)),
            [
                "a7ab428f512c1e57bec87717ee8650bbf63081f3cbe2bcadbfb821662458888a",
                "1fac19bace4d853fc99af6cee090002cf3178c98f7318f7306be48bb3c50d267",
            ],
        ),
        (
            (Format::Coco, Split::Test, Some(2)),
            [
                "432d0973549928287abe8b85d07ca6c657b67113b56cb5d2831cf7659ea593b2",
                "2fed7e3838430dfb869483178ce677c57acf16426181f896e299f55adedc8e11",
            ],
        ),
        (
            (Format::Coco, Split::Test, Some(3)),
            [
                "e7244395e85f9e8bb6c23ebb76ce4853718a58cd108c9d2ee5237b863b1dd025",
                "96b5294ca4fd34a30f26a9ee21388b92d7fc7935437ee411a13e4c8648ba2acf",
            ],
        ),
        (
            (Format::Fss, Split::Validation, None),
            [
                "00d90cf22d64a1c0852760fa6eae1ec711390692c553c6af016b032ff35db546",
                "623e59f5056d6a0127a3bfd906465429c2b0ce3bfb2e5ca7351f1a0d0c3deafb",
            ],
        ),
        (
            (Format::Fss, Split::Test, None),
            [
                "43af69f42bd91f661ddc7475328b45f8827390dc30b7b1e076911c67aefafd48",
                "b4d6b8b7e487484dd88d8011ad04a0439df0d6846f04399e140569a5b25f66b8",
            ],
        ),
    ];

    /// The lists alone make the episodes: no picture is needed. They are looked for in the folder that FEWSEG_LISTS
    /// names: `pascal/val/fold{0..3}.txt` and `fss/{trn,val,test}.txt` as HSNet publishes them, and
    /// `coco/val/fold{0..3}.json` made of its pickles by
    /// `python -c "import json, pickle, sys; json.dump(pickle.load(open(sys.argv[1], 'rb')), sys.stdout)" fold0.pkl`
    #[test]
    fn the_published_lists_give_the_published_episodes() {
        let Some(lists) = env::var_os("FEWSEG_LISTS").map(PathBuf::from) else {
            eprintln!("skipped: FEWSEG_LISTS names no folder of published lists");
            return;
        };
        for (set, expected) in EPISODES {
            let listing = listing(&lists, set);
            for (shots, expected) in [1, 5].into_iter().zip(expected) {
                let draws = draws(Protocol::Hsnet, set.0, &listing.classes, shots, None, 0).unwrap();
                let lines: Vec<String> = draws.iter().map(|draw| line(set.0, &listing, draw)).collect();
                let sum = Sha256::digest(lines.join("\n"));
                assert_eq!(format!("{sum:x}"), expected, "{set:?}, {shots} shots, first {:?}", lines[0]);
            }
        }
    }

    fn listing(lists: &Path, (format, split, fold): Set) -> Listing {
        let selection = Selection { fold, lists: Some(lists.to_owned()), ..Selection::new(split) };
        let mut listing = match format {
            Format::Pascal => pascal::listing(lists, &selection).unwrap(),
            Format::Fss => {
                let ten = |class: &str| Ok(SORTED.map(|number| format!("{class}/{number}.jpg")).to_vec());
                fss::listing(lists, &selection, ten).unwrap()
            }
            _ => {
                let names: Vec<String> = (0..80).map(|class| class.to_string()).collect();
                let mut listing = coco::listing(&names);
                let found = lists::find(lists, Benchmark::Coco, &selection).unwrap().unwrap();
                let takes = |class| selection.takes(Benchmark::Coco.fold(class));
                listing.take(lists::read(&found, names.len()).unwrap(), takes, |listed| Err(listed.name.clone()));
                listing
            }
        };
        assert!(listing.problems.is_empty(), "{:?}", listing.problems);
        listing.classes.retain(|class| !class.is_empty());
        listing
    }

    /// The pictures of a class of FSS-1000 as a folder lists them.
    const SORTED: [usize; 10] = [1, 10, 2, 3, 4, 5, 6, 7, 8, 9];

    fn line(format: Format, listing: &Listing, draw: &Draw) -> String {
        let class = &listing.classes[draw.class];
        let name = |member: usize| listing.scenes[class.members[member].0].name.as_str();
        let supports: Vec<&str> = draw.supports.iter().map(|&support| name(support)).collect();
        let supports = match format {
            Format::Fss => supports.iter().filter_map(|support| support.split('/').next_back()).collect(),
            _ => supports,
        };
        format!("{} {} {}", name(draw.query), class.id, supports.join(" "))
    }

    /// Classes of so many pictures each, listed one class after another.
    fn classes(sizes: &[usize]) -> Vec<Class> {
        let mut listing = Listing::new(Format::Fss, vec![]);
        for (class, &size) in sizes.iter().enumerate() {
            listing.add_class(format!("class {class}"), (0..size).map(|number| format!("{class}/{number}")));
        }
        listing.classes
    }

    #[test]
    fn every_picture_is_asked_once_before_any_is_asked_again() {
        let classes = classes(&[3, 1, 4]);
        let draws = |episodes| draws(Protocol::Fewseg, Format::Folder, &classes, 2, episodes, 5).unwrap();
        let asked = |draws: &[Draw]| {
            let mut asked: Vec<_> = draws.iter().map(|draw| (draw.class, draw.query)).collect();
            asked.sort_unstable();
            asked
        };
        // The class of one picture has none to show.
        let all = [(0, 0), (0, 1), (0, 2), (2, 0), (2, 1), (2, 2), (2, 3)];
        assert_eq!(asked(&draws(None)), all);
        assert_eq!(asked(&draws(Some(14))[7..]), all);
        assert_eq!(draws(Some(3)), draws(None)[..3]);
    }

    #[test]
    fn what_is_shown_is_distinct_and_not_what_is_asked() {
        let classes = classes(&[4, 6]);
        for draw in draws(Protocol::Fewseg, Format::Folder, &classes, 3, Some(100), 1).unwrap() {
            let mut seen = draw.supports.clone();
            seen.push(draw.query);
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 4, "{draw:?}");
            assert!(seen[3] < classes[draw.class].len());
        }
    }

    #[test]
    fn the_seed_decides() {
        let classes = classes(&[9, 9]);
        for protocol in [Protocol::Fewseg, Protocol::Hsnet] {
            let draws = |seed| draws(protocol, Format::Coco, &classes, 1, Some(10), seed).unwrap();
            assert_eq!(draws(3), draws(3));
            assert_ne!(draws(3), draws(4));
        }
    }

    /// `numpy.random.seed(0)`, then for each episode `numpy.random.choice(3, 1, replace=False)[0]` until it is another
    /// than the query; with COCO's the choices of the class, of 2, and of the query come before.
    #[test]
    fn published_draws_of_small_lists_are_numpys() {
        let classes = classes(&[3, 3]);
        let drawn = |format| -> Vec<_> {
            let draws = draws(Protocol::Hsnet, format, &classes, 2, Some(7), 0).unwrap();
            draws.into_iter().map(|draw| (draw.class, draw.query, draw.supports)).collect()
        };
        let listed = [
            (0, 0, [2, 2]),
            (0, 1, [0, 2]),
            (0, 2, [1, 1]),
            (1, 0, [1, 2]),
            (1, 1, [2, 2]),
            (1, 2, [1, 0]),
            (0, 0, [2, 2]),
        ];
        assert_eq!(drawn(Format::Pascal), listed.map(|(class, query, supports)| (class, query, supports.to_vec())));
        let coco = [
            (1, 2, [0, 1]),
            (1, 1, [2, 0]),
            (0, 2, [1, 0]),
            (0, 0, [2, 2]),
            (1, 2, [0, 0]),
            (1, 1, [0, 2]),
            (0, 2, [1, 0]),
        ];
        assert_eq!(drawn(Format::Coco), coco.map(|(class, query, supports)| (class, query, supports.to_vec())));
    }

    #[test]
    fn published_numbers_of_episodes_are_taken() {
        let classes = classes(&[3, 3]);
        let count = |format| draws(Protocol::Hsnet, format, &classes, 1, None, 0).unwrap().len();
        assert_eq!([Format::Pascal, Format::Coco, Format::Fss].map(count), [1000, 1000, 6]);
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        let complaint = |protocol, format, sizes: &[usize], seed| {
            draws(protocol, format, &classes(sizes), 5, None, seed).unwrap_err().to_string()
        };
        let few = complaint(Protocol::Fewseg, Format::Fss, &[5, 2], 0);
        assert_eq!(few, "no class has the 6 pictures that an episode of 5 shots takes");
        let single = complaint(Protocol::Hsnet, Format::Fss, &[5, 1], 0);
        assert_eq!(single, "class 1 has a single picture: there is none to show when it is asked");
        assert_eq!(complaint(Protocol::Hsnet, Format::Fss, &[], 0), "there is no class to test on");
        assert!(complaint(Protocol::Hsnet, Format::Folder, &[5], 0).contains("take the protocol fewseg"));
        assert!(complaint(Protocol::Hsnet, Format::Fss, &[5], 1 << 32).contains("below 2^32"));
    }
}
