//! Native dialogs. With `LINEWITNESS_CHOOSES` set, none is shown: it is the path that would be chosen. Of a folder, what lies
//! in it is opened, and what is saved goes into it.

use crate::taking::{BUNDLE, PROFILE};
use desk::sealed;
use std::path::PathBuf;
use tauri::{AppHandle, Manager, Wry};
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder, FilePath};
use tokio::sync::oneshot;

fn chosen_already() -> Option<PathBuf> {
    std::env::var_os("LINEWITNESS_CHOOSES").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// It stands before the window, which waits.
fn before(handle: &AppHandle) -> FileDialogBuilder<Wry> {
    let dialog = handle.dialog().file();
    match handle.get_webview_window("main") {
        Some(window) => dialog.set_parent(&window),
        None => dialog,
    }
}

/// None where nothing was chosen.
pub async fn files_to_open(window: &AppHandle) -> Vec<String> {
    if let Some(path) = chosen_already() {
        let within = path.read_dir().map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect());
        let files: Vec<PathBuf> = within.unwrap_or_else(|_| vec![path]);
        return files.iter().map(|file| file.display().to_string()).collect();
    }
    let (tell, told) = oneshot::channel();
    let dialog = before(window)
        .add_filter("Reports and profiles", &[BUNDLE, PROFILE, sealed::END])
        .add_filter("Dumps of browsers", &["gz", "txt", "json", "jsonl"])
        .add_filter("All files", &["*"]);
    dialog.pick_files(move |files| {
        // Nobody waits any more where the window was closed meanwhile.
        let _ = tell.send(files);
    });
    let files = told.await.ok().flatten().unwrap_or_default();
    files.into_iter().filter_map(|file| Some(file.into_path().ok()?.display().to_string())).collect()
}

/// Whatever it is called: people give such files names of their own.
pub async fn identity_to_open(window: &AppHandle) -> Option<PathBuf> {
    if chosen_already().is_some() {
        return files_to_open(window).await.first().map(PathBuf::from);
    }
    let (tell, told) = oneshot::channel();
    before(window).pick_file(move |file| {
        let _ = tell.send(file);
    });
    told.await.ok().flatten()?.into_path().ok()
}

pub async fn file_to_save(window: &AppHandle, name: &str, end: &str) -> Option<PathBuf> {
    if let Some(path) = chosen_already() {
        return Some(if path.is_dir() { path.join(name) } else { path });
    }
    let (tell, told) = oneshot::channel();
    let dialog = before(window).set_file_name(name).add_filter(end, &[end]);
    dialog.save_file(move |file: Option<FilePath>| {
        let _ = tell.send(file);
    });
    told.await.ok().flatten()?.into_path().ok()
}
