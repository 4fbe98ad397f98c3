//! What the page asks, a few lines each: what is done is done elsewhere.

use crate::app::App;
use crate::offers::What;
use crate::saving::Readers;
use crate::taking::{BUNDLE, PROFILE};
use crate::wire::{
    Check, Draft, EarlierRuns, Failure, Form, Live, Offer, OfferFrom, Opened, Preview, Retest, Start, Taken,
};
use crate::{dialogs, earlier, preview, profiles, quitting, saving, taking, tray};
use desk::sealed;
use record::{Private, profile::Addresses};
use std::sync::Arc;
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, State, command};

type Shared<'a> = State<'a, Arc<App>>;
type Answer<T> = Result<T, Failure>;

/// Reading hours takes a while, and the window must not stand still meanwhile.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> Answer<T> + Send + 'static) -> Answer<T> {
    let failed = |error| Failure { says: format!("this failed inside Linewitness: {error}") };
    tauri::async_runtime::spawn_blocking(work).await.unwrap_or_else(|error| Err(failed(error)))
}

/// As `aside`, with what is shared.
async fn with<T: Send + 'static>(app: Shared<'_>, work: impl FnOnce(&App) -> Answer<T> + Send + 'static) -> Answer<T> {
    let app = Arc::clone(&app);
    aside(move || work(&app)).await
}

#[command(rename_all = "snake_case")]
pub async fn start(app: Shared<'_>) -> Answer<Start> {
    with(app, |app| Ok(app.start())).await
}

#[command(rename_all = "snake_case")]
pub fn self_test(app: Shared<'_>, minutes: f64) -> Answer<Offer> {
    app.offers.make(What::self_test(minutes)?, OfferFrom::SelfTest, None)
}

#[command(rename_all = "snake_case")]
pub async fn take(app: Shared<'_>, paths: Vec<String>) -> Answer<Taken> {
    with(app, move |app| app.take(&paths)).await
}

#[command(rename_all = "snake_case")]
pub async fn choose(window: AppHandle, app: Shared<'_>) -> Answer<Option<Taken>> {
    let chosen = dialogs::files_to_open(&window).await;
    if chosen.is_empty() {
        return Ok(None);
    }
    with(app, move |app| app.take(&chosen).map(Some)).await
}

#[command(rename_all = "snake_case")]
pub async fn recover(app: Shared<'_>, run: String) -> Answer<Opened> {
    with(app, move |app| app.opened.recover(&run)).await
}

#[command(rename_all = "snake_case")]
pub async fn forget(run: String) -> Answer<()> {
    aside(move || Ok(desk::kept::forget(&run)?)).await
}

#[command(rename_all = "snake_case")]
pub async fn hold(window: AppHandle, app: Shared<'_>, id: String, channel: Channel<Live>) -> Answer<()> {
    let what = app.offers.take(&id)?;
    app.running.begin(what, shows(channel), tray::glance(&window)).await
}

#[command(rename_all = "snake_case")]
pub async fn watch(app: Shared<'_>, channel: Channel<Live>) -> Answer<()> {
    with(app, |app| {
        app.running.watch(shows(channel));
        Ok(())
    })
    .await
}

/// A page that is gone draws nothing more, and the hold goes on.
fn shows(channel: Channel<Live>) -> crate::running::Shows {
    Box::new(move |live| {
        if let Err(error) = channel.send(live) {
            tracing::debug!("the page did not take what was to be drawn: {error}");
        }
    })
}

#[command(rename_all = "snake_case")]
pub fn stop(app: Shared<'_>) {
    app.running.stop();
}

#[command(rename_all = "snake_case")]
pub async fn open(app: Shared<'_>, run_or_path: String) -> Answer<Opened> {
    with(app, move |app| app.opened.open_run_or_path(&run_or_path)).await
}

/// Nothing where no file was chosen.
#[command(rename_all = "snake_case")]
pub async fn identify(window: AppHandle, app: Shared<'_>, id: String) -> Answer<Option<Taken>> {
    let Some(identity) = dialogs::identity_to_open(&window).await else { return Ok(None) };
    with(app, move |app| app.opened.unlock(&id, Some(identity), None).map(Some)).await
}

#[command(rename_all = "snake_case")]
pub async fn unlock(app: Shared<'_>, id: String, passphrase: Private<String>) -> Answer<Taken> {
    with(app, move |app| app.opened.unlock(&id, None, Some(&passphrase))).await
}

#[command(rename_all = "snake_case")]
pub async fn earlier() -> Answer<EarlierRuns> {
    aside(earlier::list).await
}

#[command(rename_all = "snake_case")]
pub async fn delete(run: String) -> Answer<Option<String>> {
    aside(move || earlier::delete(&run)).await
}

#[command(rename_all = "snake_case")]
pub async fn retest(app: Shared<'_>, id: String) -> Answer<Retest> {
    with(app, move |app| app.retest(&id)).await
}

#[command(rename_all = "snake_case")]
pub async fn retest_save(window: AppHandle, app: Shared<'_>, id: String) -> Answer<Option<String>> {
    let (name, toml) = with(app.clone(), move |app| app.retest_profile(&id)).await?;
    let Some(to) = dialogs::file_to_save(&window, &name, PROFILE).await else { return Ok(None) };
    with(app, move |app| app.give(saving::write(toml.as_bytes(), &to, Readers::Usual))).await
}

/// `names`: whether names are to stand for addresses; without a word, as it is kept.
#[command(rename_all = "snake_case")]
pub async fn preview(app: Shared<'_>, id: String, names: Option<bool>) -> Answer<Preview> {
    let kept = app.opened.find(&id)?;
    aside(move || preview::preview(&kept, addresses(names))).await
}

#[command(rename_all = "snake_case")]
pub async fn save(window: AppHandle, app: Shared<'_>, id: String, names: Option<bool>) -> Answer<Option<String>> {
    let kept = app.opened.find(&id)?;
    let named = Arc::clone(&kept);
    let name = aside(move || Ok(named.given()?.0)).await?;
    let end = if name.ends_with(sealed::END) { sealed::END } else { BUNDLE };
    let Some(to) = dialogs::file_to_save(&window, &name, end).await else { return Ok(None) };
    with(app, move |app| app.give(kept.save(addresses(names), &to))).await
}

fn addresses(names: Option<bool>) -> Option<Addresses> {
    names.map(|names| if names { Addresses::Pseudonyms } else { Addresses::Plain })
}

#[command(rename_all = "snake_case")]
pub async fn show_in_folder(app: Shared<'_>, path: String) -> Answer<()> {
    // The page shows what it was given, and looks at nothing else on this computer.
    if !app.gave(&path) {
        return Err(Failure { says: "this file was not made here".into() });
    }
    // A file manager may take its time to answer.
    let shown = move || {
        tauri_plugin_opener::reveal_item_in_dir(&path)
            .map_err(|error| Failure { says: format!("the folder could not be shown ({error}); the file is {path}") })
    };
    aside(shown).await
}

#[command(rename_all = "snake_case")]
pub async fn report_html(
    window: AppHandle,
    app: Shared<'_>,
    id: String,
    names: Option<bool>,
) -> Answer<Option<String>> {
    let kept = app.opened.find(&id)?;
    let Some(to) = dialogs::file_to_save(&window, &kept.file("html"), "html").await else { return Ok(None) };
    with(app, move |app| {
        let report = kept.report(addresses(names))?;
        app.give(saving::write(report.as_bytes(), &to, Readers::Usual))
    })
    .await
}

#[command(rename_all = "snake_case")]
pub fn profile_form() -> Form {
    profiles::form()
}

/// Nothing where no file was chosen.
#[command(rename_all = "snake_case")]
pub async fn profile_open(window: AppHandle) -> Answer<Option<Draft>> {
    match dialogs::files_to_open(&window).await.first() {
        Some(path) => {
            aside({
                let path = taking::path(path);
                move || profiles::open(&path).map(Some)
            })
            .await
        }
        None => Ok(None),
    }
}

#[command(rename_all = "snake_case")]
pub fn profile_check(draft: Draft) -> Check {
    profiles::check(&draft)
}

#[command(rename_all = "snake_case")]
pub async fn profile_save(window: AppHandle, app: Shared<'_>, draft: Draft) -> Answer<Option<String>> {
    let (toml, readers) = profiles::file(&draft)?;
    let name = format!("{}.{PROFILE}", profiles::file_name(&draft));
    let Some(to) = dialogs::file_to_save(&window, &name, PROFILE).await else { return Ok(None) };
    with(app, move |app| app.give(saving::write(toml.as_bytes(), &to, readers))).await
}

#[command(rename_all = "snake_case")]
pub fn profile_link(draft: Draft) -> Answer<String> {
    profiles::link(&draft)
}

/// False where a hold runs and nobody is sure yet: the page asks then.
#[command(rename_all = "snake_case")]
pub async fn quit(window: AppHandle, sure: bool) -> bool {
    let app = Arc::clone(&window.state::<Arc<App>>());
    if app.running.is_holding() && !sure {
        return false;
    }
    quitting::quit(window, app).await;
    true
}
