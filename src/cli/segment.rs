//! `fewseg segment`: find the thing that is marked in the supports, or the classes of a saved task, in every query.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::save::Save;
use super::{DEFAULT_WEIGHTS, DeviceChoice, Outcome, about, read};
use crate::annotation::{Class, Colour, Kind};
use crate::classes::{ClassLogits, Classes, finding};
use crate::disk;
use crate::episode::Shot;
use crate::hsnet::Segmenter;
use crate::image::{Mask, Picture};
use crate::predict::{self, Logits, Look};
use crate::readback::NotReturned;
use crate::weights;

/// The side, in pixels, of the largest queries that are looked at together unless more are asked for: the memory that
/// each needs grows with the fourth power of it.
const LARGEST_TOGETHER: usize = 512;

/// The colour of a class that was given none: the page's first.
const COLOUR: Colour = Colour([0xff, 0x2d, 0x75]);

#[derive(Args)]
pub struct SegmentArgs {
    /// A picture and the mask of the thing in it; repeat for more shots
    #[arg(long = "support", value_name = "IMAGE:MASK", required_unless_present = "task")]
    supports: Vec<SupportPaths>,
    /// A task that was saved here or in the page, in place of supports; it may have several classes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["supports", "save_task"])]
    task: Option<PathBuf>,
    /// Also save what was learned from the supports as a task, which needs no picture any more
    #[arg(long, value_name = "FILE")]
    save_task: Option<PathBuf>,
    /// A picture, or a folder of pictures, to find the thing in; may be repeated
    #[arg(long = "query", value_name = "FILE|DIR", required = true, num_args = 1..)]
    queries: Vec<PathBuf>,
    /// Where the masks go: NAME.png for each query, of the query's own size; 0 or 255 a pixel, or, of a task of several
    /// classes, 0 or the number of the class, with the classes' colours
    #[arg(long)]
    out: PathBuf,
    /// What to write in place of masks alone; each kind goes into a folder or a file of its own
    #[arg(long = "as", value_name = "KIND", value_delimiter = ',', default_value = "masks")]
    kinds: Vec<Kind>,
    /// The weight file
    #[arg(long, default_value = DEFAULT_WEIGHTS)]
    weights: PathBuf,
    /// Where to run
    #[arg(long, value_enum, default_value_t)]
    device: DeviceChoice,
    /// Queries looked at together: they share the network's weights and launches, but not their memory [default: 4 on a
    /// GPU at up to 512 pixels, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    batch: Option<u16>,
    /// The side of the square that pictures are resized to [default: what the weights were trained at]
    #[arg(long, value_parser = clap::value_parser!(u16).range(32..=2048))]
    size: Option<u16>,
    /// The probability above which a pixel is the thing [default: what the weight file or the task says]
    #[arg(long, value_parser = super::threshold)]
    threshold: Option<f32>,
    /// Let the masks' edges follow the picture's [default: what the task says; without a task they do]
    #[arg(long, overrides_with = "no_edges")]
    edges: bool,
    /// Leave the masks' edges as the network has them
    #[arg(long)]
    no_edges: bool,
    /// Drop regions smaller than this share of the picture, 0..1 [default: what the task says, or 0]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    smallest: Option<f32>,
    /// Fill holes [default: what the task says; without a task they stay]
    #[arg(long, overrides_with = "no_fill")]
    fill: bool,
    /// Leave holes open
    #[arg(long)]
    no_fill: bool,
    /// Also write the logits before upsampling, as NAME.npy (2, h, w), or NAME.NUMBER.npy for each of several classes;
    /// with several supports, their mean
    #[arg(long)]
    save_logits: bool,
}

#[derive(Clone, Debug)]
struct SupportPaths {
    picture: PathBuf,
    mask: PathBuf,
}

impl FromStr for SupportPaths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (picture, mask) = text.rsplit_once(':').ok_or("a support is IMAGE:MASK, two files joined by a colon")?;
        Ok(Self { picture: picture.into(), mask: mask.into() })
    }
}

fn share(text: &str) -> Result<f32, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share of the picture is a number from 0 to 1".into())
}

impl SegmentArgs {
    /// How many queries of `[height, width]` are looked at together.
    fn batch(&self, size: [usize; 2]) -> usize {
        let is_small = size[0] * size[1] <= LARGEST_TOGETHER * LARGEST_TOGETHER;
        let suits = if self.device != DeviceChoice::Cpu && is_small { 4 } else { 1 };
        self.batch.map_or(suits, usize::from)
    }

    /// A look, changed where the arguments say something else.
    fn choose(&self, look: Look) -> Look {
        Look {
            threshold: self.threshold.unwrap_or(look.threshold),
            smallest: self.smallest.unwrap_or(look.smallest),
            fill: self.fill || look.fill && !self.no_fill,
            edges: self.edges || look.edges && !self.no_edges,
        }
    }
}

/// What queries are segmented by.
struct Learned {
    segmenter: Segmenter,
    classes: Classes,
    look: Look,
}

pub fn run(args: SegmentArgs) -> Outcome {
    let queries = find_queries(&args.queries)?;
    check_out(&queries, &args)?;
    let learned = learn(&args)?;
    fs::create_dir_all(&args.out).map_err(|error| about(&args.out, error))?;
    let classes: Vec<Class> = learned.classes.learned().iter().map(|learned| learned.class.clone()).collect();
    let mut save = Save::new(&args.out, &args.kinds, &classes, files_read(&queries, &args))?;

    let bar = ProgressBar::new(queries.len() as u64)
        .with_style(ProgressStyle::with_template("{pos}/{len} {wide_bar} {eta} {msg}")?);
    let mut failed = 0;
    for paths in queries.chunks(args.batch(learned.segmenter.header.size)) {
        bar.set_message(paths[0].display().to_string());
        for error in segment(&learned, paths, &args, &mut save) {
            bar.suspend(|| eprintln!("fewseg: {error}"));
            failed += 1;
        }
        bar.inc(paths.len() as u64);
    }
    bar.finish_and_clear();
    save.finish()?;
    match failed {
        0 => Ok(()),
        _ => Err(format!(
            "{failed} of {} queries could not be segmented; the others are in {}",
            queries.len(),
            args.out.display()
        )
        .into()),
    }
}

/// Nothing that is written must take the place of a file that it was made from.
fn check_out(queries: &[PathBuf], args: &SegmentArgs) -> Outcome {
    let read: Vec<_> = files_read(queries, args).filter_map(|path| path.canonicalize().ok()).collect();
    // Only masks that are alone lie in the folder itself.
    let queries = if args.kinds == [Kind::Masks] { queries } else { &[] };
    let masks = queries.iter().filter_map(|query| mask_path(&args.out, query));
    let mut masks = masks.filter_map(|path| path.canonicalize().ok());
    if let Some(path) = masks.find(|path| read.contains(path)) {
        return Err(about(
            &path,
            "a mask would overwrite this file, which it is made from; choose another folder with --out",
        ));
    }
    match args.save_task.as_ref().filter(|path| path.canonicalize().is_ok_and(|path| read.contains(&path))) {
        Some(path) => Err(about(path, "the task would overwrite this file; choose another with --save-task")),
        None => Ok(()),
    }
}

/// All that is read.
fn files_read<'a>(queries: &'a [PathBuf], args: &'a SegmentArgs) -> impl Iterator<Item = &'a PathBuf> {
    let supports = args.supports.iter().flat_map(|support| [&support.picture, &support.mask]);
    queries.iter().chain(supports).chain(&args.task).chain([&args.weights])
}

/// Where the mask of a query goes; nowhere if the query's path does not end in a name.
fn mask_path(out: &Path, query: &Path) -> Option<PathBuf> {
    Some(out.join(query.file_stem()?).with_added_extension("png"))
}

/// Opens a saved task, or learns from the supports.
fn learn(args: &SegmentArgs) -> Outcome<Learned> {
    let weights = read(&args.weights)?;
    let device = args.device.open()?;
    let (header, network) = weights::load_compact(&weights, &device).map_err(|error| about(&args.weights, error))?;
    let segmenter = Segmenter::new(header.resized(args.size.map(usize::from)), network, device);
    let (classes, mut look) = match &args.task {
        Some(path) => open_task(path, &segmenter, &weights)?,
        None => {
            let look = Look { edges: true, ..Look::plain(segmenter.header.threshold) };
            (learn_supports(&segmenter, args)?, look)
        }
    };
    look = args.choose(look);
    let learned = Learned { segmenter, classes, look };
    if let Some(path) = &args.save_task {
        save_task(path, &learned, &weights)?;
    }
    Ok(learned)
}

/// The thing that is marked in the supports: one class, which has the name of the file that it will be saved in.
fn learn_supports(segmenter: &Segmenter, args: &SegmentArgs) -> Outcome<Classes> {
    let shot = |paths: &SupportPaths| -> Outcome<Shot> {
        let (picture, mask) = (&paths.picture, &paths.mask);
        Ok(Shot {
            picture: Picture::decode(&picture.display().to_string(), &read(picture)?)?,
            mask: Mask::decode(&mask.display().to_string(), &read(mask)?)?,
            unsure: None,
        })
    };
    let shots = args.supports.iter().map(shot).collect::<Outcome<Vec<_>>>()?;
    let file = args.save_task.as_ref().and_then(|path| path.file_stem());
    let name = file.map_or("thing".into(), |stem| stem.to_string_lossy().into_owned());
    let class = Class { number: 1, name, colour: COLOUR };
    Ok(Classes::single(class, segmenter.learn(&shots, |_| {})?))
}

fn open_task(path: &Path, segmenter: &Segmenter, weights: &[u8]) -> Outcome<(Classes, Look)> {
    let fingerprint = weights::fingerprint(weights);
    Classes::from_task(&read(path)?, segmenter, &fingerprint).map_err(|error| about(path, error))
}

fn save_task(path: &Path, learned: &Learned, weights: &[u8]) -> Outcome {
    let fingerprint = weights::fingerprint(weights);
    let file = pollster::block_on(learned.classes.to_task(&learned.segmenter, &fingerprint, &learned.look));
    let file = file.map_err(|error| about(path, error))?;
    disk::write_whole(path, &file).map_err(|error| about(path, error))
}

/// Segments some queries together, and gives what went wrong: a picture that cannot be read must not cost the others.
fn segment(learned: &Learned, paths: &[PathBuf], args: &SegmentArgs, save: &mut Save) -> Vec<Box<dyn Error>> {
    let (read, unread): (Vec<_>, Vec<_>) = paths.iter().map(|path| Query::read(path)).partition(Result::is_ok);
    let read: Vec<_> = read.into_iter().flatten().collect();
    let mut errors: Vec<_> = unread.into_iter().filter_map(Result::err).collect();
    match find(learned, &read) {
        Ok(found) => {
            let written = read.iter().zip(&found).map(|(query, found)| write(learned, query, found, args, save));
            errors.extend(written.filter_map(Result::err));
        }
        Err(error) => errors.extend(read.iter().map(|query| about(query.path, &error))),
    }
    errors
}

/// A picture to find things in.
struct Query<'a> {
    path: &'a Path,
    bytes: Vec<u8>,
    picture: Picture,
}

impl<'a> Query<'a> {
    fn read(path: &'a Path) -> Outcome<Self> {
        let bytes = read(path)?;
        let picture = Picture::decode(&path.display().to_string(), &bytes)?;
        Ok(Self { path, bytes, picture })
    }
}

/// What is found in each of some queries.
fn find(learned: &Learned, queries: &[Query]) -> Result<Vec<Vec<ClassLogits>>, NotReturned> {
    if queries.is_empty() {
        return Ok(Vec::new());
    }
    let pictures: Vec<_> = queries.iter().map(|query| &query.picture).collect();
    pollster::block_on(learned.classes.find(&learned.segmenter.features(&pictures), |_| {}))
}

/// Writes what was found in a query.
fn write(learned: &Learned, query: &Query, found: &[ClassLogits], args: &SegmentArgs, save: &mut Save) -> Outcome {
    let Learned { segmenter, look, .. } = learned;
    let Query { path, bytes, picture } = query;
    let (size, finding) = ([picture.height, picture.width], finding(picture.width, picture.height, found));
    let labels = predict::labels_on(segmenter.device(), &finding, look, Some(picture), size);
    save.add(path, bytes, &pollster::block_on(labels)?)?;
    if args.save_logits {
        let file = mask_path(&args.out, path).ok_or_else(|| about(path, "the file has no name"))?;
        let is_single = found.len() == 1;
        for class in found {
            let file = match is_single {
                true => file.with_extension("npy"),
                false => file.with_extension("").with_added_extension(format!("{}.npy", class.number)),
            };
            fs::write(&file, npy(&Logits::mean(&class.shots))).map_err(|error| about(&file, error))?;
        }
    }
    Ok(())
}

/// NumPy's file format, version 1.0.
fn npy(logits: &Logits) -> Vec<u8> {
    let (height, width) = (logits.height, logits.width);
    let dictionary = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': (2, {height}, {width}), }}");
    // The header, with its magic, version, length and final newline, fills a multiple of 64 bytes.
    let length = (dictionary.len() + 11).next_multiple_of(64) - 10;
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((length as u16).to_le_bytes());
    file.extend(format!("{dictionary:<width$}\n", width = length - 1).bytes());
    file.extend(logits.values.iter().flat_map(|value| value.to_le_bytes()));
    file
}

/// The files that are named, and in folders every file with a picture's extension, in the order of their names.
fn find_queries(paths: &[PathBuf]) -> Outcome<Vec<PathBuf>> {
    let mut queries = Vec::new();
    for path in paths {
        if !path.is_dir() {
            queries.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut files: Vec<_> = entries.map_err(|error| about(path, error))?.iter().map(fs::DirEntry::path).collect();
        files.retain(|file| is_picture(file));
        files.sort();
        if files.is_empty() {
            return Err(about(path, "no JPEG, PNG or WebP picture in this folder"));
        }
        queries.extend(files);
    }
    check_names(&queries)?;
    Ok(queries)
}

fn is_picture(path: &Path) -> bool {
    const EXTENSIONS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str())
}

/// Results are named after their queries: two of one name would overwrite each other.
fn check_names(queries: &[PathBuf]) -> Outcome {
    // Not every system tells names apart by the case of their letters.
    let name = |path: &PathBuf| Some(path.file_stem()?.to_string_lossy().to_lowercase());
    let mut names: Vec<_> = queries.iter().filter_map(name).collect();
    names.sort();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!(
            "two queries are called {}: their masks would overwrite each other, so segment them in two runs",
            pair[0]
        )
        .into()),
        None => Ok(()),
    }
}
