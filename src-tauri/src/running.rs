//! The hold that runs, one at a time. It is held here, in Rust: a page that is hidden, loaded anew or gone changes nothing.
//!
//! ```text
//! What ─begin→ Hold ─events→ Drawing ─Live→ Page (the one that asked last), and a glance for the tray
//! ```

mod drawing;
mod page;
mod picture;
#[cfg(test)]
mod tests;

use crate::offers::What;
use crate::wire::{EndedView, Failure, Live};
use desk::{SelfTest, hold::Hold, kept, logging};
use drawing::Drawing;
use engine::{Recorder, runs};
use explain::Story;
use page::Page;
pub use page::Shows;
use picture::{Picture, Trouble};
use record::fact::EndedBy;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// Sees each moment that is drawn.
pub type Glance = Arc<dyn Fn(&Live) + Send + Sync>;

#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// How the last one ended, for a page that was away then.
    ended: Option<Live>,
}

struct Current {
    stop: Arc<Notify>,
    page: Page,
    over: watch::Receiver<bool>,
}

impl Running {
    pub fn is_holding(&self) -> bool {
        self.state().current.is_some()
    }

    /// Begins to hold, or says why it cannot.
    pub async fn begin(&self, what: What, shows: Shows, glance: Glance) -> Result<(), Failure> {
        let (told_over, over) = watch::channel(false);
        let (stop, page) = (Arc::new(Notify::new()), Page::new(shows));
        self.reserve(Current { stop: Arc::clone(&stop), page: page.clone(), over })?;
        let begun = async {
            let trouble = Trouble::default();
            let (hold, far_end) = prepare(what, &trouble).await?;
            let picture = Picture::new(hold.keeps_awake(), trouble);
            let drawing = Drawing::begin(hold.recorder(), picture, page.clone(), Arc::clone(&glance));
            let drawing = drawing.map_err(|error| Failure {
                says: format!("the system gave us no thread to show anything with: {error}"),
            })?;
            Ok((hold, far_end, drawing))
        };
        let (hold, far_end, drawing) = begun.await.inspect_err(|_: &Failure| self.state().current = None)?;
        let running = self.clone();
        let (recorder, run) = (hold.recorder(), hold.run().to_string());
        let held = tokio::spawn(to_its_end(hold, far_end, drawing, stop));
        tokio::spawn(async move {
            running.see_out(held, &run, &recorder, &page, &glance).await;
            // Nobody may wait for it.
            let _ = told_over.send(true);
        });
        Ok(())
    }

    /// Until it has ended, in whichever way.
    async fn see_out(&self, held: JoinHandle<Last>, run: &str, recorder: &Recorder, page: &Page, glance: &Glance) {
        let last = held.await.unwrap_or_else(|error| Last { picture: Picture::broken_off(run, &error), drawn: None });
        logging::turn_to(None);
        // A page that asks from now on is given the end; the one that drew until now is shown it.
        let ended = last.picture.live(None, recorder.now());
        *self.state() = State { current: None, ended: Some(ended.clone()) };
        page.show(|is_new| last.picture.live(last.drawn.as_ref().filter(|_| !is_new), recorder.now()));
        // The last of all: a tray that fails takes nothing of the end from the page.
        glance(&ended);
    }

    /// This page draws from now on. Of a hold that is over it is told the end.
    pub fn watch(&self, shows: Shows) {
        let state = self.state();
        match (&state.current, &state.ended) {
            (Some(current), _) => current.page.turn_to(shows),
            (None, Some(ended)) => shows(ended.clone()),
            (None, None) => {}
        }
    }

    pub fn stop(&self) {
        if let Some(current) = &self.state().current {
            current.stop.notify_one();
        }
    }

    /// Ends the hold in order, and waits until its bundle is written.
    pub async fn finish(&self) {
        let over = self.state().current.as_ref().map(|current| current.over.clone());
        self.stop();
        if let Some(mut over) = over {
            // Gone without a word is over as well.
            let _ = over.wait_for(|over| *over).await;
        }
    }

    fn reserve(&self, current: Current) -> Result<(), Failure> {
        let mut state = self.state();
        if state.current.is_some() {
            return Err(Failure { says: "a hold runs already; stop it before another one is begun".into() });
        }
        *state = State { current: Some(current), ended: None };
        Ok(())
    }

    /// Whoever panicked with it in hand left it whole: each change is one assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that can be refused is refused here, before anything runs.
async fn prepare(what: What, trouble: &Trouble) -> Result<(Hold, Option<SelfTest>), Failure> {
    let far_end = match &what {
        What::SelfTest { .. } => Some(SelfTest::begin().await?),
        What::Profile { .. } => None,
    };
    let prepared = what.prepared(far_end.as_ref().map(|far| far.address.clone()))?;
    desk::files::writable(Some(&kept::folder()?.join("bundle")))?;
    let trouble = Arc::clone(trouble);
    let hold = Hold::begin(prepared, move |says| {
        tracing::warn!("{says}");
        // The first is told; what follows from it is in the log.
        let _ = trouble.set(says);
    })?;
    logging::turn_to(Some(&hold.folder().join(runs::DIAGNOSTICS)));
    Ok((hold, far_end))
}

/// The picture of the end, and what has been drawn before it.
struct Last {
    picture: Picture,
    drawn: Option<Story>,
}

async fn to_its_end(hold: Hold, far_end: Option<SelfTest>, drawing: Drawing, stop: Arc<Notify>) -> Last {
    let by = hold.hold(stop.notified()).await;
    let mut picture = drawing.end().await;
    if let Some(far_end) = far_end {
        far_end.end().await;
    }
    let drawn = end(hold, by, &mut picture).await;
    Last { picture, drawn }
}

/// Writes the bundle, and turns the picture to its end. Gives what has been drawn.
async fn end(hold: Hold, by: EndedBy, picture: &mut Picture) -> Option<Story> {
    let run = hold.run().to_string();
    let written = tokio::task::spawn_blocking(move || {
        let out = kept::folder()?.join(hold.bundle_name());
        Ok::<_, desk::Failure>(hold.end(&by, &out))
    });
    let (story, bundle, but, removed) = match written.await {
        Ok(Ok(ended)) => (ended.story, ended.bundle, ended.but, ended.removed),
        Ok(Err(failure)) => (None, Err(failure), None, None),
        Err(error) => (None, Err(desk::Failure::ours(format!("writing the bundle failed: {error}"))), None, None),
    };
    let says = bundle.as_ref().err().or(but.as_ref()).map(|failure| failure.says.clone()).or(removed);
    let bundle = bundle.ok().map(|path: PathBuf| path.display().to_string());
    picture.end(story, EndedView { run, bundle, says })
}
