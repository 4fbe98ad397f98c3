//! The tray icon: how the hold stands while the window is away. Where the desktop has no place for one, the app goes on
//! without.

use crate::menu::{QUIT, SHOW, STOP};
use crate::running::Glance;
use crate::wire::Live;
use std::sync::{Arc, Mutex, PoisonError};
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
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
    let show = MenuItem::with_id(handle, SHOW, "Show Linewitness", true, None::<&str>)?;
    let stop = MenuItem::with_id(handle, STOP, "Stop the hold", false, None::<&str>)?;
    let quit = MenuItem::with_id(handle, QUIT, "Quit", true, None::<&str>)?;
    let (above, below) = (PredefinedMenuItem::separator(handle)?, PredefinedMenuItem::separator(handle)?);
    let menu = Menu::with_items(handle, &[&state, &above, &show, &stop, &below, &quit])?;
    let mut tray = TrayIconBuilder::with_id(TRAY).menu(&menu).tooltip(IDLE).show_menu_on_left_click(false);
    if let Some(icon) = handle.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.on_tray_icon_event(|tray, event| {
        let (left, up) = (MouseButton::Left, MouseButtonState::Up);
        if matches!(event, TrayIconEvent::Click { button, button_state, .. } if button == left && button_state == up) {
            crate::show(tray.app_handle());
        }
    })
    .build(handle)?;
    handle.manage(Lines { state, stop, told: Mutex::default() });
    Ok(())
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
        // Without waiting for it: the window's own thread may be waiting for the hold.
        let shows = handle.clone();
        let asked = handle.run_on_main_thread(move || {
            if let Err(error) = show(&shows, &says, holds) {
                tracing::debug!("the tray icon cannot say how it stands: {error}");
            }
        });
        if let Err(error) = asked {
            tracing::debug!("the tray icon is not told how it stands: {error}");
        }
    })
}

fn show(handle: &AppHandle, says: &str, holds: bool) -> tauri::Result<()> {
    let Some(lines) = handle.try_state::<Lines>() else { return Ok(()) };
    lines.state.set_text(says)?;
    lines.stop.set_enabled(holds)?;
    // Linux shows no tooltip, and has the menu's first line.
    handle.tray_by_id(TRAY).map_or(Ok(()), |tray| tray.set_tooltip(Some(format!("Linewitness: {says}"))))
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
