//! Linewitness with a window. The page asks by the commands of `names.rs`; what they work on knows of no window.
//!
//! ```text
//! ui ─commands→ commands.rs ─→ App { offers, opened, running } ─→ desk, explain
//!    ←─Channel<Live>─ running        ←─taken, ask_to_quit─ arriving, quitting
//! ```

#[cfg(target_os = "linux")]
mod anew;
mod app;
mod arriving;
mod commands;
mod dialogs;
mod earlier;
mod headless;
mod link;
mod many;
mod menu;
#[cfg(test)]
mod names;
mod offers;
mod opened;
mod preview;
mod profiles;
mod quitting;
mod retest;
mod running;
mod saving;
mod taking;
#[cfg(test)]
mod tests;
mod tray;
mod wire;

use app::App;
use std::process::ExitCode;
use std::sync::Arc;
use tauri::{AppHandle, Manager};

pub fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    // Who wants no window is not told that there could be none.
    let display = args.iter().any(|arg| arg == "--headless") || headless::has_display();
    if let Some(args) = headless::asked(&args, display) {
        return headless::run(args, display);
    }
    match window() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[cfg(target_os = "linux")]
            if anew::was_ending(&error) {
                anew::start();
            }
            cli::aside(format_args!("linewitness: the window could not be opened: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn window() -> anyhow::Result<()> {
    desk::logging::begin(None, 0);
    let runtime = desk::runtime().map_err(|failure| anyhow::anyhow!(failure.says))?;
    tauri::async_runtime::set(runtime.handle().clone());
    let app = Arc::new(App::default());
    // No page has asked yet: all of it waits.
    app.wait_with(arriving::given(std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned())));
    let builder = tauri::Builder::default();
    #[cfg(target_os = "macos")]
    let builder = builder.menu(menu::of_the_program);
    let built = builder
        // The first of all: a second start hands over what it was given, and ends.
        .plugin(tauri_plugin_single_instance::init(|handle, args, folder| arriving::again(handle, args, &folder)))
        .plugin(tauri_plugin_dialog::init())
        .manage(app)
        .setup(|app| {
            tray::begin(app.handle());
            quitting::listen(app.handle());
            Ok(())
        })
        .on_menu_event(menu::chosen)
        .on_window_event(quitting::on_window)
        .invoke_handler(tauri::generate_handler![
            commands::start,
            commands::self_test,
            commands::take,
            commands::choose,
            commands::identify,
            commands::unlock,
            commands::recover,
            commands::forget,
            commands::earlier,
            commands::delete,
            commands::hold,
            commands::watch,
            commands::stop,
            commands::open,
            commands::retest,
            commands::retest_save,
            commands::preview,
            commands::save,
            commands::show_in_folder,
            commands::report_html,
            commands::profile_form,
            commands::profile_open,
            commands::profile_check,
            commands::profile_save,
            commands::profile_link,
            commands::quit,
        ])
        .build(tauri::generate_context!())?;
    built.run(|handle, event| {
        arriving::on_event(handle, &event);
        quitting::on_event(handle, &event);
    });
    Ok(())
}

/// Brings the window before everything else.
pub fn show(handle: &AppHandle) {
    let Some(window) = handle.get_webview_window("main") else { return };
    for done in [window.show(), window.unminimize(), window.set_focus()] {
        if let Err(error) = done {
            tracing::debug!("the window could not be brought to the front: {error}");
        }
    }
}
