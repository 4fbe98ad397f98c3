//! What the last calibration came to, kept in the data folder for the holds to come: each notes it as a fact at its start.

use record::fact::Calibrated;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

const FILE: &str = "calibrated.json";
/// Of ours it takes a few hundred bytes.
const LARGEST: u64 = 16 * 1024;

/// Takes the place of the one before, whole or not at all.
pub fn keep(home: &Path, calibrated: &Calibrated) -> io::Result<()> {
    fs::create_dir_all(home)?;
    let beside = home.join(format!("{FILE}-{}", std::process::id()));
    let kept = (|| {
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec_pretty(calibrated)?)?;
        file.sync_all()?;
        fs::rename(&beside, home.join(FILE))
    })();
    if kept.is_err() {
        // Half-written it is of no use; its removal failing changes nothing of the error to tell.
        let _ = fs::remove_file(&beside);
    }
    kept
}

/// Of this version; what another one could do says nothing of this one. A file that is not ours is passed over: it must
/// never keep a hold from starting.
pub fn kept(home: &Path) -> Option<Calibrated> {
    let mut text = Vec::new();
    File::open(home.join(FILE)).ok()?.take(LARGEST + 1).read_to_end(&mut text).ok()?;
    let read = match serde_json::from_slice::<Calibrated>(&text) {
        Ok(calibrated) if calibrated.is_possible() && text.len() as u64 <= LARGEST => calibrated,
        _ => {
            tracing::warn!("{FILE} in the data folder is not a calibration; it is passed over");
            return None;
        }
    };
    (read.app.as_str() == env!("CARGO_PKG_VERSION")).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::Wall;

    fn nine() -> Calibrated {
        let app = env!("CARGO_PKG_VERSION").into();
        Calibrated {
            at: Wall::from_micros(1_795_255_200_000_000),
            app,
            named: 8,
            of: 9,
            missed: vec!["reset".into()],
            held: true,
        }
    }

    #[test]
    fn the_last_one_is_kept_and_only_that_of_this_version() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let place = home.path().join("new");
        assert_eq!(kept(&place), None);
        keep(&place, &Calibrated { named: 9, missed: vec![], ..nine() }).expect("writable");
        keep(&place, &nine()).expect("written again");
        assert_eq!(kept(&place), Some(nine()));
        assert_eq!(fs::read_dir(&place).expect("there").count(), 1, "nothing is left beside it");
        keep(&place, &Calibrated { app: "0.0.1".into(), ..nine() }).expect("writable");
        assert_eq!(kept(&place), None);
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_passed_over() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let good = serde_json::to_string(&nine()).expect("JSON");
        let long = format!("{good}{}", " ".repeat(LARGEST as usize));
        let many = good.replace(r#"["reset"]"#, &format!("[{}\"x\"]", "\"x\",".repeat(40)));
        for (n, bad) in ["", "{}", "[]", &good[..40], &long, &many, &good.replace("8", "10")].iter().enumerate() {
            fs::write(home.path().join(FILE), bad).expect("writable");
            assert_eq!(kept(home.path()), None, "case {n}");
        }
        fs::write(home.path().join(FILE), good).expect("writable");
        assert_eq!(kept(home.path()), Some(nine()));
    }
}
