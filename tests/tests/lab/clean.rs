//! Nothing happens. A drop reported here is the worst failure there is.
#![cfg(target_os = "linux")]

use anyhow::{Result, ensure};
use linewitness_lab::{Hold, Story, World, far::reflector};
use record::Fact;
use record::fact::{Action, Media};
use std::time::Duration;

pub const STORIES: &[Story] = &[Story { name: "a_minute_in_which_nothing_happens_is_held", needs: &[], tell: nothing }];

fn nothing(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::start(world, "hold", &["--to", &reflector::url(), "--for", "60s"])?;
    hold.finish(Duration::from_secs(60))?.expect(|told| {
        told.ended("held", 0)?;
        ensure!(told.verdict.drops.is_empty(), "expected no drop");
        ensure!(told.verdict.owner == "not_proven", "nothing dropped, and yet {} is blamed", told.verdict.owner);
        ensure!((59.5..=61.0).contains(&told.verdict.held_s), "held for {} s of 60", told.verdict.held_s);
        ensure!(
            told.count(|fact| matches!(fact, Fact::Action(Action::Began { .. }))) == 0,
            "it acted on a healthy path"
        );

        let arrived: u32 = told
            .bundle
            .log
            .events
            .iter()
            .filter_map(|event| match &event.fact {
                Fact::Media(Media::Sample(sample)) => Some(sample.rtp_in),
                _ => None,
            })
            .sum();
        // 50 packets a second for a minute, less the setting up and the last second.
        ensure!((2_850..=3_050).contains(&arrived), "{arrived} packets came back in a minute");
        Ok(())
    })
}
