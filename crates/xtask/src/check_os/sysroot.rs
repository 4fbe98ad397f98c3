//! The standard library of another system, as far as type checking needs it: metadata, by cargo's own `build-std`.

use super::{Cross, Target, run};
use crate::test::cargo;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Names the compiler that the metadata was made by.
const MADE_BY: &str = "made-by";

/// What test programs need as well.
const CRATES: &str = "-Zbuild-std=std,panic_unwind,panic_abort,proc_macro,test";

/// A folder for `--sysroot`; made anew when the compiler has changed.
pub fn ensure(cross: &Cross, target: &Target) -> Result<PathBuf> {
    let sysroot = cross.home.join("sysroot");
    let place = sysroot.join("lib/rustlib").join(target.triple).join("lib");
    if fs::read_to_string(place.join(MADE_BY)).is_ok_and(|made_by| made_by == cross.compiler) {
        return Ok(sysroot);
    }
    println!("building the metadata of {}'s standard library", target.triple);
    let package = cross.home.join("std");
    make_package(&package)?;
    let built = package.join("target").join(target.triple);
    for old in [&built, &place] {
        if old.exists() {
            fs::remove_dir_all(old).with_context(|| format!("clearing {}", old.display()))?;
        }
    }
    let mut command = cargo(&["check", "--quiet", "--target", target.triple, CRATES]);
    // Its archives are thrown away, so nothing needs to be in them.
    let dlltool = format!("-Cdlltool={}", Path::new(env!("CARGO_MANIFEST_DIR")).join("cross/ar").display());
    cross.set_tools(&mut command, target, &dlltool);
    command
        .current_dir(&package)
        // Cargo's only way to be told of sources that lie elsewhere than rustup puts them.
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", cross.sources.join("library"))
        // `build-std` is unstable; what is checked afterwards is compiled without this.
        .env("RUSTC_BOOTSTRAP", "1");
    run(&mut command)?;
    fs::create_dir_all(&place).with_context(|| format!("making {}", place.display()))?;
    let mut copied = 0;
    for entry in fs::read_dir(built.join("debug/deps")).context("listing what was built")? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rmeta") && !name.starts_with("libempty-") {
            fs::copy(&file, place.join(&name)).with_context(|| format!("keeping {name}"))?;
            copied += 1;
        }
    }
    ensure!(copied > 0, "no metadata was built");
    fs::remove_dir_all(&built).context("clearing what is not needed any more")?;
    fs::write(place.join(MADE_BY), &cross.compiler).context("noting the compiler")?;
    Ok(sysroot)
}

/// `build-std` wants a package to build it for.
fn make_package(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("src")).context("making a package")?;
    let manifest = "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(folder.join("Cargo.toml"), manifest).context("writing its manifest")?;
    fs::write(folder.join("src/lib.rs"), "").context("writing its source")?;
    Ok(())
}
