//! Files and folders that are there whole or not at all, whatever happens while they are written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Writes a file under another name, waits until it is on the disk, and then gives it its name.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, |partial| fs::write(partial, bytes))
}

/// [`write_whole`] for what writes a file by itself, at the path that it is given.
pub fn replace<E: From<io::Error>>(path: &Path, write: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
    let partial = path.with_extension("partial");
    let sync = || OpenOptions::new().write(true).open(&partial)?.sync_all();
    let written = write(&partial).and_then(|()| Ok(sync().and_then(|()| rename(&partial, path))?));
    if written.is_err() {
        // It only takes room; that it cannot be removed either is not worth a second complaint.
        let _ = fs::remove_file(&partial);
    }
    written
}

/// Writes a file and waits until it is on the disk.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Renames a file or folder within its folder and waits until that is on the disk.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    // A bare name lies in the folder that the program works in.
    let folder = to.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    folder.map_or(Ok(()), sync_folder)
}

/// Waits until the names in a folder are on the disk. Not every system opens folders as files; the others keep names by
/// other means.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder).map_or(Ok(()), |folder| folder.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.svg");
        write_whole(&path, b"first").unwrap();
        // Something is in the way of the new one.
        fs::create_dir(path.with_extension("partial")).unwrap();
        assert!(write_whole(&path, b"second").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        fs::remove_dir(path.with_extension("partial")).unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
