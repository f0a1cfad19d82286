//! `fewseg segment`: find the thing that is marked in the supports in every query.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use burn::Tensor;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{DEFAULT_WEIGHTS, DeviceChoice, Outcome, about, read};
use crate::episode::Shot;
use crate::hsnet::{Segmenter, Task};
use crate::image::{Mask, Picture};
use crate::predict::{self, Logits};

#[derive(Args)]
pub struct SegmentArgs {
    /// A picture and the mask of the thing in it; repeat for more shots
    #[arg(long = "support", value_name = "IMAGE:MASK", required = true)]
    supports: Vec<SupportPaths>,
    /// A picture, or a folder of pictures, to find the thing in; may be repeated
    #[arg(long = "query", value_name = "FILE|DIR", required = true, num_args = 1..)]
    queries: Vec<PathBuf>,
    /// Where the masks go: NAME.png for each query, 0 or 255 a pixel, of the query's own size
    #[arg(long)]
    out: PathBuf,
    /// The weight file
    #[arg(long, default_value = DEFAULT_WEIGHTS)]
    weights: PathBuf,
    /// Where to run
    #[arg(long, value_enum, default_value_t)]
    device: DeviceChoice,
    /// The side of the square that pictures are resized to [default: what the weights were trained at]
    #[arg(long, value_parser = clap::value_parser!(u16).range(32..=2048))]
    size: Option<u16>,
    /// The probability above which a pixel is the thing [default: what the weight file says]
    #[arg(long, value_parser = super::threshold)]
    threshold: Option<f32>,
    /// Also write the logits before upsampling, as NAME.npy (2, h, w); with several supports, their mean
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

pub fn run(args: SegmentArgs) -> Outcome {
    let queries = find_queries(&args.queries)?;
    check_out(&queries, &args)?;
    let segmenter = open(&args)?;
    let task = learn(&segmenter, &args.supports)?;
    fs::create_dir_all(&args.out).map_err(|error| about(&args.out, error))?;

    let bar = ProgressBar::new(queries.len() as u64)
        .with_style(ProgressStyle::with_template("{pos}/{len} {wide_bar} {eta} {msg}")?);
    let threshold = args.threshold.unwrap_or(segmenter.header.threshold);
    let mut failed = 0;
    for query in &queries {
        bar.set_message(query.display().to_string());
        // A picture that cannot be read must not cost the others.
        if let Err(error) = segment(&segmenter, &task, query, threshold, &args) {
            bar.suspend(|| eprintln!("fewseg: {error}"));
            failed += 1;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
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

/// A mask must not take the place of a picture that it was made from.
fn check_out(queries: &[PathBuf], args: &SegmentArgs) -> Outcome {
    let supports = args.supports.iter().flat_map(|support| [&support.picture, &support.mask]);
    let read: Vec<_> = queries.iter().chain(supports).filter_map(|path| path.canonicalize().ok()).collect();
    let mut written = queries.iter().filter_map(|query| mask_path(&args.out, query)?.canonicalize().ok());
    match written.find(|path| read.contains(path)) {
        Some(path) => Err(about(&path, "a mask would overwrite this picture; choose another folder with --out")),
        None => Ok(()),
    }
}

/// Where the mask of a query goes; nowhere if the query's path does not end in a name.
fn mask_path(out: &Path, query: &Path) -> Option<PathBuf> {
    Some(out.join(query.file_stem()?).with_added_extension("png"))
}

fn open(args: &SegmentArgs) -> Outcome<Segmenter> {
    let (header, network, device) = super::open(&args.weights, args.size, args.device)?;
    Ok(Segmenter::new(header, network, device))
}

fn learn(segmenter: &Segmenter, paths: &[SupportPaths]) -> Outcome<Task> {
    let shot = |paths: &SupportPaths| -> Outcome<Shot> {
        let (picture, mask) = (&paths.picture, &paths.mask);
        Ok(Shot {
            picture: Picture::decode(&picture.display().to_string(), &read(picture)?)?,
            mask: Mask::decode(&mask.display().to_string(), &read(mask)?)?,
            unsure: None,
        })
    };
    let shots = paths.iter().map(shot).collect::<Outcome<Vec<_>>>()?;
    Ok(segmenter.learn(&shots, |_| {})?)
}

fn segment(segmenter: &Segmenter, task: &Task, path: &Path, threshold: f32, args: &SegmentArgs) -> Outcome {
    let picture = Picture::decode(&path.display().to_string(), &read(path)?)?;
    let features = segmenter.features(&picture);
    let shots = (0..task.shots()).map(|shot| to_logits(task.segment(&features, shot)));
    let shots = shots.collect::<Outcome<Vec<_>>>()?;

    let file = mask_path(&args.out, path).ok_or_else(|| about(path, "the file has no name"))?;
    let mask = predict::mask(&shots, picture.height, picture.width, threshold);
    fs::write(&file, mask.encode(&file.display().to_string())?).map_err(|error| about(&file, error))?;
    if args.save_logits {
        let file = file.with_extension("npy");
        fs::write(&file, npy(&Logits::mean(&shots))).map_err(|error| about(&file, error))?;
    }
    Ok(())
}

fn to_logits(tensor: Tensor<4>) -> Outcome<Logits> {
    let [_, _, height, width] = tensor.dims();
    let values = tensor
        .into_data()
        .try_into_vec::<f32>()
        .map_err(|error| format!("the device returned no float32: {error:?}"))?;
    Ok(Logits { height, width, values })
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
    let mut names: Vec<_> = queries.iter().filter_map(|path| path.file_stem()).collect();
    names.sort();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!(
            "two queries are called {}: their masks would overwrite each other, so segment them in two runs",
            pair[0].display()
        )
        .into()),
        None => Ok(()),
    }
}
