//! The sources of the standard library, in exactly the compiler's version: rustup's, Debian's as installed, or Debian's
//! as fetched by apt into a folder of our own.
//!
//! apt checks the signatures as it always does. It is given another list of sources and other folders for what it keeps,
//! so that the machine's own stay as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Backports carry Rust in several versions, and are served by each Debian mirror.
const SUITE: &str = "trixie-backports";
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The folder that holds `library`, or why it cannot be had.
pub fn find(version: &str, home: &Path) -> Result<PathBuf, String> {
    let rustup = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let kept = home.join(format!("rust-src-{version}"));
    let known = [
        Path::new(rustup.trim()).join("lib/rustlib/src/rust"),
        PathBuf::from(format!("/usr/src/rustc-{version}")),
        kept.clone(),
    ];
    if let Some(there) = known.into_iter().find(|folder| folder.join("library/std/Cargo.toml").is_file()) {
        return Ok(there);
    }
    println!("fetching the sources of Rust {version} with apt");
    let by_hand = "`rustup component add rust-src` brings them";
    let fetched = fetch(version, &home.join("apt"), &kept);
    fetched.map_err(|why| format!("the sources of Rust {version} cannot be had: {why}; {by_hand}"))?;
    Ok(kept)
}

fn fetch(version: &str, scratch: &Path, kept: &Path) -> Result<(), String> {
    let configured = output(Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]))?;
    let mirror = mirror(&configured).ok_or("apt knows no Debian mirror")?;
    if !Path::new(KEYS).exists() {
        return Err(format!("{KEYS}, which Debian's signatures are checked with, is not there"));
    }
    let told = |error: std::io::Error| format!("{}: {error}", scratch.display());
    // What an earlier attempt left may be half of something.
    if scratch.exists() {
        fs::remove_dir_all(scratch).map_err(told)?;
    }
    for folder in ["lists/partial", "cache/archives/partial", "unpacked"] {
        fs::create_dir_all(scratch.join(folder)).map_err(told)?;
    }
    let sources = format!("deb [signed-by={KEYS}] {mirror} {SUITE} main\n");
    fs::write(scratch.join("sources.list"), sources).map_err(told)?;
    fs::write(scratch.join("status"), "").map_err(told)?;
    let apt = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        let at = |name: &str| scratch.join(name).display().to_string();
        for (option, value) in [
            ("Dir::Etc::SourceList", at("sources.list")),
            ("Dir::Etc::SourceParts", "/dev/null".into()),
            ("Dir::State::Lists", at("lists")),
            ("Dir::State::status", at("status")),
            ("Dir::Cache", at("cache")),
            // apt's own user may not enter folders of ours.
            ("APT::Sandbox::User", "root".into()),
        ] {
            command.arg("-o").arg(format!("{option}={value}"));
        }
        command.args(args).current_dir(scratch.join("cache"));
        output(&mut command)
    };
    apt("apt-get", &["--quiet=2", "update"])?;
    let offered = apt("apt-cache", &["madison", "rust-src"])?;
    let package = package(&offered, version).ok_or_else(|| format!("{SUITE} has no rust-src of this version"))?;
    apt("apt-get", &["--quiet=2", "download", &format!("rust-src={package}")])?;
    let archives = fs::read_dir(scratch.join("cache")).map_err(told)?;
    let archive = archives
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .ok_or("apt brought no package")?;
    output(Command::new("dpkg-deb").arg("--extract").arg(archive).arg(scratch.join("unpacked")))?;
    fs::create_dir_all(kept).map_err(told)?;
    let library = scratch.join(format!("unpacked/usr/src/rustc-{version}/library"));
    fs::rename(library, kept.join("library")).map_err(told)?;
    fs::remove_dir_all(scratch).map_err(told)
}

/// The first of the configured mirrors that serves Debian itself.
fn mirror(configured: &str) -> Option<&str> {
    configured.lines().map(str::trim).find(|uri| uri.ends_with("/debian/"))
}

/// The package's version that holds `version` of Rust, out of lines such as `rust-src | 1.95.0+dfsg1-2 | …`.
fn package<'a>(offered: &'a str, version: &str) -> Option<&'a str> {
    let mut versions = offered.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    versions.find(|offered| offered.strip_prefix(version).is_some_and(|rest| rest.starts_with(['+', '-', '~'])))
}

/// What it prints, or what it complains of.
pub fn output(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command.output().map_err(|error| format!("{program} could not be started ({error})"))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let says = String::from_utf8_lossy(&done.stderr);
    let last = says.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Err(format!("{program} ended with {} ({last})", done.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_own_mirror_is_chosen_among_the_configured() {
        let configured = "https://packages.example/apt/\nhttp://mirror.example/debian-security/\n\
                          http://mirror.example/debian/\nhttp://other.example/debian/\n";
        assert_eq!(mirror(configured), Some("http://mirror.example/debian/"));
        assert_eq!(mirror("http://mirror.example/ubuntu/\n"), None);
        assert_eq!(mirror(""), None);
    }

    #[test]
    fn only_the_very_version_will_do() {
        let offered = " rust-src | 1.96.1+dfsg1-1~bpo13+1 | http://m suite/main\n\
                        rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://m suite/main\n";
        assert_eq!(package(offered, "1.95.0"), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(package(offered, "1.95.1"), None);
        assert_eq!(package(offered, "1.9"), None);
        assert_eq!(package("", "1.95.0"), None);
    }
}
