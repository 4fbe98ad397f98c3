use super::*;
use crate::app::App;
use crate::earlier;
use crate::wire::{OfferFrom, Stands};
use record::profile::Addresses;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

fn shows() -> (Shows, Receiver<Live>) {
    let (to, from) = channel();
    (Box::new(move |live| drop(to.send(live))), from)
}

fn app() -> App {
    // One home for all tests of this program: they do not look into each other's runs.
    static HOME: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    HOME.get_or_init(|| {
        let home = tempfile::tempdir().expect("a temporary folder");
        // SAFETY: set once, before any test of this program begins a hold or reads a run.
        unsafe { std::env::set_var("LINEWITNESS_HOME", home.path()) };
        home
    });
    App::default()
}

async fn begin(app: &App, seconds: f64, shows: Shows) -> Result<(), Failure> {
    let offer = app.offers.make(What::self_test(seconds / 60.0)?, OfferFrom::SelfTest, None)?;
    app.running.begin(app.offers.take(&offer.id)?, shows, Arc::new(|_| {})).await
}

/// Until it has ended.
fn all(from: &Receiver<Live>) -> Vec<Live> {
    let mut all = Vec::new();
    while all.last().is_none_or(|live: &Live| live.ended.is_none()) {
        all.push(from.recv_timeout(SOON).expect("a hold that ends says so"));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_self_test_is_held_seen_live_and_read_again() {
    let app = app();
    let (shows, from) = shows();
    begin(&app, 3.0, shows).await.expect("it begins");
    assert!(app.running.is_holding());
    let (second, _) = self::shows();
    assert!(begin(&app, 3.0, second).await.expect_err("one at a time").says.contains("a hold runs already"));
    let seen = tokio::task::spawn_blocking(move || all(&from)).await.expect("it ends");
    app.running.finish().await;
    assert!(!app.running.is_holding());

    assert!(seen.len() < 4 * 10, "{} in some five seconds", seen.len());
    assert_eq!(seen[0].update.rows.keep, 0, "all from the beginning first");
    assert!(seen[1..].iter().any(|live| live.update.rows.keep > 0), "then what is new");
    assert!(seen.iter().any(|live| live.state == "Holding" && live.says == "Nothing has been lost."), "{seen:?}");
    let last = seen.last().expect("at least one");
    let ended = last.ended.as_ref().expect("it ended");
    assert_eq!((ended.says.as_deref(), last.update.head.outcome), (None, explain::Outcome::Held));

    let rows = seen.iter().fold(Vec::new(), |mut rows, live| {
        rows.truncate(live.update.rows.keep);
        rows.extend(live.update.rows.then.clone());
        rows
    });
    let opened = app.opened.open_run_or_path(&ended.run).expect("its bundle");
    assert_eq!(opened.path, ended.bundle);
    // What was seen live is what is; the bundle says it under names.
    let events = |rows: &[explain::Row]| rows.iter().map(|row| (row.seq, row.wall)).collect::<Vec<_>>();
    assert_eq!(events(&opened.update.rows.then), events(&rows));
    assert_eq!(opened.update.head.headline, last.update.head.headline);

    let recent = app.start().recent;
    assert!(recent.iter().any(|recent| recent.run == ended.run && recent.name == "Self-test"), "{recent:?}");

    // Its user can have it in both ways, and the one that is kept stays as it is.
    let kept = app.opened.find(&opened.id).expect("just opened");
    assert!(kept.can_choose() && kept.addresses(None) == Addresses::Pseudonyms);
    let as_kept = kept.packed(Some(Addresses::Pseudonyms)).expect("readable");
    let plain = kept.packed(Some(Addresses::Plain)).expect("packed");
    let about = |bytes: &[u8]| desk::files::open_bytes(bytes, "a.witness").expect("a bundle").about.names;
    assert_eq!((about(&as_kept), about(&plain)), (Some(Addresses::Pseudonyms), Some(Addresses::Plain)));
    assert_eq!(kept.packed(None).expect("readable"), as_kept);

    let listed = || earlier::list().expect("readable").runs.into_iter().find(|run| run.run == ended.run);
    let run = listed().expect("it is kept");
    assert_eq!((run.stands, run.name.as_str(), run.line.is_some()), (Stands::Kept, "Self-test", true));
    assert_eq!(earlier::delete(&ended.run), Ok(None), "all of it is ours");
    assert!(listed().is_none() && app.opened.open_run_or_path(&ended.run).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_loaded_anew_sees_all_and_the_hold_ends_when_it_is_told_to() {
    let app = app();
    let (shows, gone) = shows();
    begin(&app, 600.0, shows).await.expect("it begins");
    drop(gone);
    let (shows, from) = self::shows();
    app.running.watch(shows);
    let first = from.recv_timeout(SOON).expect("it is told at once");
    assert_eq!(first.update.rows.keep, 0);
    app.running.finish().await;
    let last = all(&from).pop().expect("the end");
    assert!(last.ended.is_some_and(|ended| ended.bundle.is_some()));
    let (shows, late) = self::shows();
    app.running.watch(shows);
    let told = late.try_recv().expect("who comes late is told the end");
    assert!(told.ended.is_some() && told.update.rows.keep == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_that_cannot_be_held_is_refused_and_leaves_the_way_free() {
    let app = app();
    let profile =
        record::profile::read(b"[signaling]\nkind = \"other\"\nurl = \"wss://far.example/\"").expect("a profile");
    let what = What::Profile { profile: Box::new(profile), named: None };
    assert!(app.offers.make(what.clone(), OfferFrom::File, None).is_err());
    let (shows, _) = shows();
    let refused = app.running.begin(what, shows, Arc::new(|_| {})).await.expect_err("nobody speaks it");
    assert!(refused.says.contains("is not one this version knows") && !app.running.is_holding(), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_cannot_be_drawn_is_held_to_its_end_all_the_same() {
    let app = app();
    let (shows, from) = shows();
    let offer = app.offers.make(What::self_test(10.0).expect("a time"), OfferFrom::SelfTest, None).expect("an offer");
    let (broke, broken) = channel();
    let glance: Glance = Arc::new(move |live| {
        if live.ended.is_none() {
            broke.send(()).expect("the test waits");
            panic!("no such tray");
        }
    });
    app.running.begin(app.offers.take(&offer.id).expect("just made"), shows, glance).await.expect("it begins");
    broken.recv_timeout(SOON).expect("it is drawn once");
    app.running.finish().await;
    let last = all(&from).pop().expect("the end");
    let ended = last.ended.expect("it ended");
    assert!(ended.bundle.is_some() && ended.says.is_none(), "{ended:?}");
    assert_eq!(last.update.head.outcome, explain::Outcome::EndedByUser, "told from the bundle");
}

/// The tray looks at the end as well, and the page hears of it whatever becomes of the tray.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_is_told_though_the_tray_fails_at_it() {
    let app = app();
    let (shows, from) = shows();
    let offer = app.offers.make(What::self_test(0.02).expect("a time"), OfferFrom::SelfTest, None).expect("an offer");
    let glance: Glance = Arc::new(|live| assert!(live.ended.is_none(), "no such tray"));
    app.running.begin(app.offers.take(&offer.id).expect("just made"), shows, glance).await.expect("it begins");
    let last = tokio::task::spawn_blocking(move || all(&from)).await.expect("it is told").pop().expect("the end");
    assert!(last.ended.is_some_and(|ended| ended.bundle.is_some()));
    app.running.finish().await;
    assert!(!app.running.is_holding());
}

#[tokio::test]
async fn a_hold_that_fails_is_over_and_says_so() {
    let app = app();
    let (shows, from) = shows();
    let page = Page::new(shows);
    let (_, over) = watch::channel(false);
    app.running.reserve(Current { stop: Arc::default(), page: page.clone(), over }).expect("none runs");
    let held = tokio::spawn(async { panic!("a fault of ours") });
    let recorder = Recorder::unwritten(engine::Clock::real());
    let glance: Glance = Arc::new(|_| {});
    app.running.see_out(held, "20261122-0900-abcde", &recorder, &page, &glance).await;
    assert!(!app.running.is_holding());
    let ended = from.recv_timeout(SOON).expect("it is told").ended.expect("the end");
    let says = ended.says.expect("a sentence");
    assert!(ended.bundle.is_none() && says.contains("what was recorded until then is kept"), "{says}");
}
