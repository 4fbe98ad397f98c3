//! The browser's column: the same faults, met in the same runs by a page with the WebRTC API and two WebSockets in Debian's
//! Chromium. It calls the same far end as the hold does, and is timed against the packets of its own flows.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is run by a person, for its output")]

mod page;
mod row;
mod said;
mod table;

pub use page::{Browser, Page};

use crate::netns::{cast, play_beside};
use crate::scenario::{self, Runner, Scenario, ending::Plane};
use crate::score::report::{Machine, machine};
use crate::truth::{Truth, When};
use crate::{rights, stage, world};
use anyhow::{Context, Result, ensure};
use engine::Clock;
use row::Row;
use said::{Said, Sign};
use serde::Serialize;
use std::process::ExitCode;
use table::{Summary, Table};

/// One or more for each cause that a page could meet, and those in which nothing is lost.
const PLAYED: [&str; 31] = [
    "address_changed",
    "black_hole_for_good",
    "black_hole_of_six_seconds",
    "path_lost_by_reject",
    "gateway_silent_for_eight_seconds",
    "link_down_for_five_seconds",
    "route_moves_to_a_second_uplink",
    "tunnel_takes_the_route",
    "udp_blocked_midway",
    "udp_inwards_lost_for_six_seconds",
    "udp_outwards_lost_for_six_seconds",
    "router_forgets_and_gives_other_ports",
    "signaling_vanishes",
    "signaling_reset",
    "nginx_drops_a_quiet_call",
    "haproxy_ends_quiet_connections_beside_the_call",
    "lifetime_of_ten_seconds",
    "nginx_killed",
    "haproxy_before_a_service_that_dies",
    "service_stopped_for_good",
    "service_killed_and_started_again",
    "service_stands_still_for_fifteen_seconds",
    "names_silent_and_the_socket_reset",
    "portal_closes",
    "relay_dies",
    "program_stands_still_for_twenty_seconds",
    "minute_in_which_nothing_happens",
    "router_forgets_and_gives_the_same_port",
    "tunnel_without_a_route",
    "one_percent_of_packets_lost",
    "busy_computer",
];

/// What the page said until the hold was over, and when it began for either.
pub struct Beside {
    pub said: Vec<Said>,
    pub hold: Onsets,
    pub page: Onsets,
}

/// The first packet of each plane that was touched.
#[derive(Clone, Copy, Default, Debug, Serialize)]
pub struct Onsets {
    pub signaling: Option<When>,
    pub media: Option<When>,
}

impl Onsets {
    pub fn of(truths: &[Truth]) -> Self {
        let first = |plane: Plane| sooner(truths.iter().filter_map(|truth| truth.of(plane).began));
        Self { signaling: first(Plane::Signaling), media: first(Plane::Media) }
    }

    fn of_plane(&self, plane: Plane) -> Option<When> {
        match plane {
            Plane::Signaling => self.signaling,
            Plane::Media => self.media,
        }
    }

    fn first(&self) -> Option<When> {
        sooner([self.signaling, self.media].into_iter().flatten())
    }
}

fn sooner(all: impl Iterator<Item = When>) -> Option<When> {
    all.min_by_key(|when| when.latest.wall)
}

#[derive(Serialize)]
struct Report<'a> {
    made: String,
    machine: Machine,
    chromium: String,
    seed: u64,
    summary: &'a Summary,
    rows: &'a [Row],
}

pub fn main(filter: &[String], seed: u64) -> ExitCode {
    match run(filter, seed) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("\n{failed} runs could not be played");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One after the other: a browser wants a core for itself. Gives how many could not be played.
fn run(filter: &[String], seed: u64) -> Result<usize> {
    let mut scenarios = played()?;
    scenarios.retain(|scenario| filter.is_empty() || filter.iter().any(|f| scenario.name.contains(f)));
    ensure!(!scenarios.is_empty(), "none of the scenarios that are played beside a browser is called so");
    // Perhaps starts this program anew, so it comes before the first word.
    rights::ensure().map_err(|why| anyhow::anyhow!("{why}; run it as root"))?;
    let browser = Browser::find()?;
    world::sweep();
    println!("\nplaying {} scenarios beside a browser, by the seed {seed}", scenarios.len());
    let (mut rows, mut failed) = (Vec::new(), 0);
    for scenario in &scenarios {
        match beside(scenario, seed, &browser) {
            Ok(row) => {
                println!("{}", Table(std::slice::from_ref(&row)).to_string().lines().last().unwrap_or_default());
                rows.push(row);
            }
            Err(error) => {
                eprintln!("*** {} COULD NOT BE PLAYED: {error:#} ***", scenario.name);
                failed += 1;
            }
        }
    }
    let summary = Summary::of(&rows);
    println!("\n{}\n{summary}", Table(&rows));
    let file = stage::target_folder().with_file_name("lab").join("browser.json");
    let made = Clock::real().now().wall.timestamp().to_string();
    let report = Report { made, machine: machine()?, chromium: version(&rows), seed, summary: &summary, rows: &rows };
    let text = serde_json::to_vec_pretty(&report).context("writing the browser's column")?;
    std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    println!("Every run is in {}", file.display());
    Ok(failed)
}

fn played() -> Result<Vec<Scenario>> {
    let all = scenario::all()?;
    let one = |name: &&str| {
        let scenario = all.iter().find(|scenario| scenario.name == *name && scenario.is_played_in(Runner::Netns));
        scenario.cloned().with_context(|| format!("{name} is no scenario of the namespaces"))
    };
    PLAYED.iter().map(one).collect()
}

fn beside(scenario: &Scenario, seed: u64, browser: &Browser) -> Result<Row> {
    for (program, package) in cast::needs(scenario) {
        let there =
            if program.starts_with('/') { rights::may_open(program) } else { rights::program(program).is_some() };
        ensure!(there, "{program} is not here; {package} has it");
    }
    let dir = stage::target_folder().with_file_name("lab").join(format!("{}.browser", scenario.name));
    let (played, beside) = play_beside(scenario, seed, &dir, Some(browser))?;
    Ok(Row::of(scenario, seed, &played, &beside.context("a page was there")?))
}

fn version(rows: &[Row]) -> String {
    let version = |said: &Said| match &said.sign {
        Sign::Browser { version } => Some(version.clone()),
        _ => None,
    };
    rows.iter().flat_map(|row| &row.page.said).find_map(version).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_that_is_named_can_be_played_and_some_of_them_lose_nothing() {
        let all = played().unwrap_or_else(|error| panic!("{error:#}"));
        let null = all.iter().filter(|scenario| scenario.is_null()).count();
        assert!(null >= 5 && null < all.len() / 2);
    }
}
