//! What `hold` shows while it holds: one live line on a terminal with the notable facts scrolling by above it, plain
//! lines elsewhere, or every event as JSON.

use crate::{args::Format, say};
use engine::Recorder;
use explain::now::Now;
use record::{
    Event, Fact, Stamp,
    fact::{Mark, Plan},
    log,
};
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

/// Four times a second the clock is seen to run and the eye is not bothered.
const REDRAW: Duration = Duration::from_millis(250);

pub struct Screen(JoinHandle<()>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Live,
    Lines,
    Json,
}

impl Screen {
    pub fn begin(format: Format, plan: &Plan, recorder: Recorder) -> Self {
        let manner = match format {
            Format::Jsonl => Manner::Json,
            Format::Human if std::io::stdout().is_terminal() => Manner::Live,
            Format::Human => Manner::Lines,
        };
        if manner != Manner::Json {
            say::line(opening(plan));
        }
        let events = recorder.listen();
        Self(tokio::spawn(show(manner, events, recorder)))
    }

    /// Until the last fact has been shown: the log's last event is the mark of its end.
    pub async fn end(self) {
        // A screen that failed has shown what it could.
        let _ = tokio::time::timeout(Duration::from_secs(2), self.0).await;
    }
}

fn opening(plan: &Plan) -> String {
    let what = match (plan.self_test, plan.name.as_str()) {
        (true, _) => "Self-test: a call to this computer itself. It shows that the program works here, and says nothing about any network.".to_owned(),
        (false, "") => format!("Calling {}", plan.to),
        (false, name) => format!("{name}\nCalling {}", plan.to),
    };
    format!("{what}\nCtrl-C ends it early; what happened is saved either way.\n")
}

async fn show(manner: Manner, mut events: UnboundedReceiver<Arc<Event>>, recorder: Recorder) {
    let mut now = Now::default();
    let mut redraw = tokio::time::interval(REDRAW);
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(event) = event else { return };
                now.observe(&event);
                tell(manner, &event);
                if matches!(event.fact, Fact::Mark(Mark::Ended { .. })) {
                    if manner == Manner::Live {
                        say::raw("\r\x1b[K");
                    }
                    return;
                }
            }
            _ = redraw.tick(), if manner == Manner::Live => {
                let line = status(&now, recorder.now());
                say::raw(&format!("\r\x1b[K{}", clip(&line, width())));
            }
        }
    }
}

fn tell(manner: Manner, event: &Event) {
    match manner {
        Manner::Json => say::raw(&String::from_utf8_lossy(&log::line(event))),
        Manner::Live | Manner::Lines => {
            if !notable(&event.fact) {
                return;
            }
            let clear = if manner == Manner::Live { "\r\x1b[K" } else { "" };
            say::line(format_args!("{clear}{}  {}", clock(event.at), explain::sentence(&event.fact)));
        }
    }
}

/// A person wants to see what changed, not each step of a connection that went well.
fn notable(fact: &Fact) -> bool {
    explain::tone(fact) != explain::Tone::Plain
        || matches!(fact, Fact::Mark(Mark::Established { .. } | Mark::Note { .. }))
}

/// `Holding  01:12 of 15:00 (13:48 left)   rtt 24 ms   lost 0`
fn status(now: &Now, at: Stamp) -> String {
    let held = now.established.map_or(Duration::ZERO, |since| at.since(since));
    let left = now.planned.saturating_sub(held);
    let rtt = now.rtt_ms.map_or_else(|| "rtt …".into(), |ms| format!("rtt {ms:.0} ms"));
    let last = now.last_fact.as_deref().unwrap_or_default();
    format!(
        "{}  {} of {} ({} left)   {rtt}   lost {}   {last}",
        now.state(),
        minutes(held),
        minutes(now.planned),
        minutes(left),
        now.lost_in
    )
}

fn minutes(d: Duration) -> String {
    let s = d.as_secs();
    match s / 3600 {
        0 => format!("{:02}:{:02}", s / 60, s % 60),
        hours => format!("{hours}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

/// Local time to the millisecond; the report has both local and UTC.
fn clock(at: Stamp) -> String {
    at.wall.timestamp().to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S%.3f").to_string()
}

fn width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
}

fn clip(line: &str, width: usize) -> String {
    line.chars().take(width.saturating_sub(1)).collect()
}
