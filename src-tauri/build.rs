//! Declares the page's commands, so that each needs its permission in `capabilities/`.

mod names {
    include!("src/names.rs");
}

use tauri_build::{AppManifest, Attributes};

fn main() {
    println!("cargo:rerun-if-changed=src/names.rs");
    println!("cargo:rerun-if-changed=../ui/dist");
    assert!(
        std::path::Path::new("../ui/dist/index.html").exists(),
        "the page is not built yet: `cargo xtask ui` builds it, and so do `cargo xtask run` and `cargo xtask test`"
    );
    let commands = AppManifest::new().commands(names::COMMANDS);
    tauri_build::try_build(Attributes::new().app_manifest(commands)).expect("the app's configuration can be read");
}
