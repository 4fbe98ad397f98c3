//! Leaving. A hold that runs is asked about first; whatever ends the program, the hold ends in order and its bundle is
//! written.

use crate::app::App;
use std::sync::Arc;
use std::time::Duration;
use tauri::{AppHandle, Emitter, Manager, RunEvent, Window, WindowEvent};

/// A hang-up takes a second, packing hours of events some more. A system that shuts down waits no longer either.
const WITHIN: Duration = Duration::from_secs(30);

/// Ends the hold, if there is one, and then the program.
pub async fn quit(handle: AppHandle, app: Arc<App>) {
    finish(&app).await;
    handle.exit(0);
}

/// Waited for once, whoever asks: after a wait in vain the way out is not barred by another.
async fn finish(app: &App) {
    let ending = || async {
        if tokio::time::timeout(WITHIN, app.running.finish()).await.is_err() {
            tracing::error!("the hold did not end in time; its run is kept, and the next start offers it");
        }
    };
    app.leaving.get_or_init(ending).await;
}

/// The window's own button.
pub fn on_window(window: &Window, event: &WindowEvent) {
    if let WindowEvent::CloseRequested { api, .. } = event
        && window.state::<Arc<App>>().running.is_holding()
    {
        api.prevent_close();
        ask(window.app_handle());
    }
}

/// Whatever else ends a program: its menu, its session, the last of its windows.
pub fn on_event(handle: &AppHandle, event: &RunEvent) {
    let app = handle.state::<Arc<App>>();
    match event {
        // With a code, somebody was asked already.
        RunEvent::ExitRequested { code: None, api, .. } if app.running.is_holding() => {
            api.prevent_exit();
            ask(handle);
        }
        RunEvent::Exit => tauri::async_runtime::block_on(finish(&app)),
        _ => {}
    }
}

/// The page asks; so it has to be seen.
pub fn ask(handle: &AppHandle) {
    crate::show(handle);
    if let Err(error) = handle.emit("ask_to_quit", ()) {
        tracing::warn!("the page could not be asked: {error}");
    }
}

/// Ctrl-C in the terminal that started it, SIGTERM, the end of the session: nobody is there to be asked.
pub fn listen(handle: &AppHandle) {
    let handle = handle.clone();
    tauri::async_runtime::spawn(async move {
        desk::stop::asked().await;
        let app = Arc::clone(&handle.state::<Arc<App>>());
        quit(handle, app).await;
    });
}
