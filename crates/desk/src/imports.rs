//! A dump of a browser as a bundle, so that a desk reads both in one place.

use crate::{Failure, files};
use engine::runs;
use explain::Story;
use flate2::read::MultiGzDecoder;
use import::{Imported, MOST};
use record::bundle;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// As gzip begins; Chromium packs its dumps unless told otherwise.
const PACKED: [u8; 2] = [0x1f, 0x8b];

/// Reads the dump, packed or not.
pub fn read(dump: &Path) -> Result<Imported, Failure> {
    let name = dump.display();
    let refused = |why: String| Failure::bad_input(format!("{name}: {why}"));
    let bytes = bytes(dump).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            refused("this is packed, and breaks off or was altered; ask for the file again".into())
        }
        _ => refused(files::why(&error)),
    })?;
    if bytes.len() as u64 > MOST {
        return Err(refused(format!("this is more than {} MB, and no dump of one call", MOST / 1_000_000)));
    }
    let random = runs::random().map_err(|error| Failure::ours(error.to_string()))?;
    import::read(&bytes, env!("CARGO_PKG_VERSION"), random).map_err(|refusal| refused(refusal.to_string()))
}

/// Writes the bundle; nothing is overwritten.
pub fn write(imported: &Imported, out: Option<PathBuf>) -> Result<(Story, PathBuf), Failure> {
    let out = files::free(out.unwrap_or_else(|| crate::recover::bundle_name(&imported.about.run)))?;
    let written = packed(imported).and_then(|(story, bundle)| {
        runs::write_new(&imported.about.run, &out, |file| file.write_all(&bundle)).map(|()| story)
    });
    let story =
        written.map_err(|error| Failure::ours(format!("{}: {}", out.display(), files::why_not_written(&error))))?;
    Ok((story, out))
}

/// The bundle, and what is told of it.
pub fn packed(imported: &Imported) -> io::Result<(Story, Vec<u8>)> {
    let story = explain::story(&imported.log);
    let (events, verdict) = (imported.log.write_lines(), files::verdict_json(&story));
    let report = explain::report::html(&story, None);
    let members =
        [(bundle::EVENTS, &*events), (bundle::VERDICT, verdict.as_bytes()), (bundle::REPORT, report.as_bytes())];
    let mut bytes = Vec::new();
    bundle::write(&mut bytes, &imported.about, &members)?;
    Ok((story, bytes))
}

/// One more than the most, where it is more.
fn bytes(dump: &Path) -> io::Result<Vec<u8>> {
    if dump.is_dir() {
        return Err(io::Error::other("this is a folder; name a file in it"));
    }
    let mut bytes = Vec::new();
    File::open(dump)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.starts_with(&PACKED) {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(&*bytes).take(MOST + 1).read_to_end(&mut unpacked)?;
        bytes = unpacked;
    }
    Ok(bytes)
}
