//! The tray icon: how the hold stands while the window is away. Where the desktop has no place for one, the app goes on
//! without.

use crate::app::App;
use crate::quitting;
use crate::running::Glance;
use crate::wire::Live;
use std::sync::{Arc, Mutex, PoisonError};
use tauri::menu::{Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager};

const IDLE: &str = "No hold is running";

/// The menu's lines that change.
struct Lines {
    state: MenuItem<tauri::Wry>,
    stop: MenuItem<tauri::Wry>,
    told: Mutex<String>,
}

const TRAY: &str = "state";

pub fn begin(handle: &AppHandle) {
    if !is_possible() {
        tracing::info!("this desktop has no library for tray icons; the window alone tells how a hold stands");
        return;
    }
    if let Err(error) = build(handle) {
        tracing::warn!("there is no tray icon: {error}");
    }
}

fn build(handle: &AppHandle) -> tauri::Result<()> {
    let state = MenuItem::with_id(handle, "state", IDLE, false, None::<&str>)?;
    let show = MenuItem::with_id(handle, "show", "Show Linewitness", true, None::<&str>)?;
    let stop = MenuItem::with_id(handle, "stop", "Stop the hold", false, None::<&str>)?;
    let quit = MenuItem::with_id(handle, "quit", "Quit", true, None::<&str>)?;
    let (above, below) = (PredefinedMenuItem::separator(handle)?, PredefinedMenuItem::separator(handle)?);
    let menu = Menu::with_items(handle, &[&state, &above, &show, &stop, &below, &quit])?;
    let mut tray = TrayIconBuilder::with_id(TRAY).menu(&menu).tooltip(IDLE).show_menu_on_left_click(false);
    if let Some(icon) = handle.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.on_menu_event(chosen)
        .on_tray_icon_event(|tray, event| {
            let (left, up) = (MouseButton::Left, MouseButtonState::Up);
            if matches!(event, TrayIconEvent::Click { button, button_state, .. } if button == left && button_state == up) {
                crate::show(tray.app_handle());
            }
        })
        .build(handle)?;
    handle.manage(Lines { state, stop, told: Mutex::default() });
    Ok(())
}

fn chosen(handle: &AppHandle, event: MenuEvent) {
    let app = Arc::clone(&handle.state::<Arc<App>>());
    match event.id().as_ref() {
        "show" => crate::show(handle),
        "stop" => app.running.stop(),
        "quit" if app.running.is_holding() => quitting::ask(handle),
        "quit" => handle.exit(0),
        _ => {}
    }
}

/// Tells the tray of each moment, as far as it says something new.
pub fn glance(handle: &AppHandle) -> Glance {
    let handle = handle.clone();
    Arc::new(move |live| {
        let Some(lines) = handle.try_state::<Lines>() else { return };
        let (says, holds) = match live.ended {
            Some(_) => (IDLE.to_owned(), false),
            None => (says(live), true),
        };
        {
            let mut told = lines.told.lock().unwrap_or_else(PoisonError::into_inner);
            if *told == says {
                return;
            }
            told.clone_from(&says);
        }
        let shown = || {
            lines.state.set_text(&says)?;
            lines.stop.set_enabled(holds)?;
            // Linux shows no tooltip, and has the menu's first line.
            handle.tray_by_id(TRAY).map_or(Ok(()), |tray| tray.set_tooltip(Some(format!("Linewitness: {says}"))))
        };
        if let Err(error) = shown() {
            tracing::debug!("the tray icon cannot say how it stands: {error}");
        }
    })
}

/// In whole minutes: a menu that changes each second cannot be read.
fn says(live: &Live) -> String {
    let minutes = |s: f64| (s / 60.0).floor();
    format!("{} ({:.0} of {:.0} min)", live.state, minutes(live.held_s), minutes(live.planned_s))
}

/// On Linux the library is loaded when it is first used, and its absence would end the program.
#[cfg(target_os = "linux")]
fn is_possible() -> bool {
    ["libayatana-appindicator3.so.1", "libappindicator3.so.1"].iter().any(|name| {
        // SAFETY: these libraries run nothing of their own when they are loaded, but what GLib needs to know of their types.
        unsafe { libloading::Library::new(name) }.is_ok()
    })
}

#[cfg(not(target_os = "linux"))]
fn is_possible() -> bool {
    true
}
