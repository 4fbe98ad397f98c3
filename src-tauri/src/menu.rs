//! What is chosen in menus: the tray's, and on macOS the program's own. The Quit that macOS gives every program would end
//! a hold without asking.

use crate::app::App;
use crate::quitting;
use std::sync::Arc;
use tauri::menu::MenuEvent;
use tauri::{AppHandle, Manager};

pub const SHOW: &str = "show";
pub const STOP: &str = "stop";
pub const QUIT: &str = "quit";

pub fn chosen(handle: &AppHandle, event: MenuEvent) {
    let app = Arc::clone(&handle.state::<Arc<App>>());
    match event.id().as_ref() {
        SHOW => crate::show(handle),
        STOP => app.running.stop(),
        QUIT if app.running.is_holding() => quitting::ask(handle),
        QUIT => handle.exit(0),
        _ => {}
    }
}

/// As every program there has it: without "Edit" no key copies.
#[cfg(target_os = "macos")]
pub fn of_the_program(handle: &AppHandle) -> tauri::Result<tauri::menu::Menu<tauri::Wry>> {
    use tauri::menu::{Menu, MenuItem, PredefinedMenuItem as Usual, Submenu};
    let quit = MenuItem::with_id(handle, QUIT, "Quit Linewitness", true, Some("CmdOrCtrl+Q"))?;
    let line = || Usual::separator(handle);
    let program = [
        &Usual::about(handle, None, None)? as &dyn tauri::menu::IsMenuItem<_>,
        &line()?,
        &Usual::hide(handle, None)?,
        &Usual::hide_others(handle, None)?,
        &Usual::show_all(handle, None)?,
        &line()?,
        &quit,
    ];
    let edit = [
        &Usual::undo(handle, None)? as &dyn tauri::menu::IsMenuItem<_>,
        &Usual::redo(handle, None)?,
        &line()?,
        &Usual::cut(handle, None)?,
        &Usual::copy(handle, None)?,
        &Usual::paste(handle, None)?,
        &Usual::select_all(handle, None)?,
    ];
    let window = [
        &Usual::minimize(handle, None)? as &dyn tauri::menu::IsMenuItem<_>,
        &Usual::fullscreen(handle, None)?,
        &line()?,
        &Usual::close_window(handle, None)?,
    ];
    Menu::with_items(
        handle,
        &[
            &Submenu::with_items(handle, "Linewitness", true, &program)?,
            &Submenu::with_items(handle, "Edit", true, &edit)?,
            &Submenu::with_items(handle, "Window", true, &window)?,
        ],
    )
}
