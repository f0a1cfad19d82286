//! Checkpoints as PyTorch writes them.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use fewseg::weights::{Array, Arrays};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// Writes a flat state dictionary as `torch.save` does: a zip of a pickle and one file of floats a tensor.
pub fn write_pytorch(arrays: &Arrays, path: &Path) {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
    archive.start_file("model/data.pkl", options).unwrap();
    archive.write_all(&pickle(arrays, false)).unwrap();
    archive.start_file("model/version", options).unwrap();
    archive.write_all(b"3\n").unwrap();
    for (index, array) in arrays.values().enumerate() {
        archive.start_file(format!("model/data/{index}"), options).unwrap();
        archive.write_all(&bytes(array)).unwrap();
    }
    archive.finish().unwrap();
}

/// Writes it as `torch.save` did before PyTorch 1.6: pickles one after another, then the floats.
pub fn write_legacy_pytorch(arrays: &Arrays, path: &Path) {
    let mut file = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    file.extend(b"\x80\x02M\xe9\x03.");
    file.extend(b"\x80\x02}(");
    text(&mut file, "protocol_version");
    file.extend(b"M\xe9\x03");
    text(&mut file, "little_endian");
    file.extend(b"\x88u.");
    file.extend(pickle(arrays, true));
    file.extend(b"\x80\x02](");
    (0..arrays.len()).for_each(|index| text(&mut file, &index.to_string()));
    file.extend(b"e.");
    for array in arrays.values() {
        file.extend((array.values.len() as u64).to_le_bytes());
        file.extend(bytes(array));
    }
    std::fs::write(path, file).unwrap();
}

fn bytes(array: &Array) -> Vec<u8> {
    array.values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn text(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.bytes());
}

fn number(pickle: &mut Vec<u8>, value: usize) {
    pickle.push(b'J');
    pickle.extend((value as u32).to_le_bytes());
}

/// The pickle of such a dictionary: for each key a call of `torch._utils._rebuild_tensor_v2`.
fn pickle(arrays: &Arrays, legacy: bool) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for (index, (name, array)) in arrays.iter().enumerate() {
        text(&mut pickle, name);
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut pickle, "storage");
        pickle.extend(b"ctorch\nFloatStorage\n");
        text(&mut pickle, &index.to_string());
        text(&mut pickle, "cpu");
        number(&mut pickle, array.values.len());
        if legacy {
            // Of a view into another storage there is none.
            pickle.push(b'N');
        }
        pickle.extend(b"tQ");
        number(&mut pickle, 0);
        for sizes in [array.shape.clone(), strides(&array.shape)] {
            pickle.push(b'(');
            sizes.into_iter().for_each(|size| number(&mut pickle, size));
            pickle.push(b't');
        }
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    pickle.extend(b"u.");
    pickle
}

fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|dim| shape[dim + 1..].iter().product()).collect()
}
