//! Files and links that arrive: with the start of the program, by a second start, or as macOS tells them.

use crate::app::App;
use crate::commands;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use tauri::{AppHandle, Emitter, Manager, RunEvent};

/// Of a command line: what is to be opened, found from the folder in which it was typed.
pub fn given(args: impl Iterator<Item = String>) -> Vec<String> {
    args.filter(|arg| !arg.starts_with('-') && !arg.is_empty()).map(|arg| absolute(&arg, None)).collect()
}

fn absolute(given: &str, folder: Option<&str>) -> String {
    if given.contains("://") || crate::taking::is_link(given) {
        return given.to_owned();
    }
    let path = folder.map_or_else(|| PathBuf::from(given), |folder| PathBuf::from(folder).join(given));
    std::path::absolute(&path).unwrap_or(path).display().to_string()
}

/// The program was started once more; its arguments begin with its name.
pub fn again(handle: &AppHandle, args: Vec<String>, folder: &str) {
    crate::show(handle);
    let args = args.into_iter().skip(1).filter(|arg| !arg.starts_with('-') && !arg.is_empty());
    let given: Vec<String> = args.map(|arg| absolute(&arg, Some(folder))).collect();
    if !given.is_empty() {
        arrived(handle, given);
    }
}

/// macOS starts nothing a second time: it tells the one that runs.
#[cfg(any(target_os = "macos", target_os = "ios"))]
pub fn on_event(handle: &AppHandle, event: &RunEvent) {
    if let RunEvent::Opened { urls } = event {
        crate::show(handle);
        arrived(handle, urls.iter().map(ToString::to_string).collect());
    }
}

#[cfg(not(any(target_os = "macos", target_os = "ios")))]
pub fn on_event(_: &AppHandle, _: &RunEvent) {}

/// Reads it aside, and tells the page; a page that is not there yet asks for it when it starts.
fn arrived(handle: &AppHandle, given: Vec<String>) {
    let (handle, app) = (handle.clone(), Arc::clone(&handle.state::<Arc<App>>()));
    let Some(given) = app.wait_with(given) else { return };
    tauri::async_runtime::spawn(async move {
        // Hours take a while to read, and whoever opened them is to see that it goes on, until it is over in any way.
        tell(&handle, "taking", ());
        tell(&handle, "taken", commands::aside(move || app.take(&given)).await);
    });
}

fn tell(handle: &AppHandle, event: &str, what: impl Serialize + Clone) {
    if let Err(error) = handle.emit(event, what) {
        tracing::warn!("the page could not be told what was opened: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_command_line_only_what_can_be_opened_is_kept() {
        let args = ["--flag", "", "file:///tmp/a.witness", "linewitness://hold#x", "/tmp/b.witness"];
        let given = given(args.into_iter().map(str::to_owned));
        assert_eq!(given, ["file:///tmp/a.witness", "linewitness://hold#x", "/tmp/b.witness"]);
        assert_eq!(absolute("c.witness", Some("/home/sam")), "/home/sam/c.witness");
    }
}
