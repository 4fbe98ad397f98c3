//! The retest of a report: to be held from here after it was looked at, or as the file of a profile.

use crate::app::App;
use crate::offers::{What, length};
use crate::wire::{Failure, OfferFrom, Retest};
use explain::Story;
use record::{names::is_name_of_a_host, profile};
use std::time::Duration;

const SECRETS: &str = "Secrets are in no report. Where the call needs a token or a relay's password, save the profile, fill them in under \u{201c}Make a profile\u{201d}, and open it.";
const NAMED: &str = "The report says a name in the place of the service. Save the profile and fill in the service's address; where the call was recorded, the retest can be held at once.";

impl App {
    pub fn retest(&self, id: &str) -> Result<Retest, Failure> {
        let kept = self.opened.find(id)?;
        let (story, profile) = kept.recorded()?;
        let asked = &story.page.retest;
        let says = format!("It takes {}. {}", length(Duration::from_secs(asked.for_s)), asked.mended);
        if story.setup.self_test {
            let what = What::self_test(asked.for_s as f64 / 60.0)?;
            let offer = self.offers.make(what, OfferFrom::SelfTest, None)?;
            return Ok(Retest { says, notes: vec![], offer: Some(offer), file: None });
        }
        let toml = written(&story, profile.as_deref())?;
        let file = Some(kept.file(crate::taking::PROFILE));
        let profile = match profile::read(toml.as_bytes()) {
            Ok(profile) => profile,
            // It cannot be held before it is filled in.
            Err(refusal) => {
                let notes = vec![format!("{}.", refusal.says), SECRETS.to_owned()];
                return Ok(Retest { says, notes, offer: None, file });
            }
        };
        let host = profile.signaling.url.host().to_owned();
        let is_known = !is_name_of_a_host(&host);
        let what = What::Profile { profile: Box::new(profile), named: None };
        let offer = if is_known { Some(self.offers.make(what, OfferFrom::Retest, Some(host))?) } else { None };
        let notes =
            if is_known { [SECRETS].map(str::to_owned).to_vec() } else { vec![NAMED.to_owned(), SECRETS.to_owned()] };
        Ok(Retest { says, notes, offer, file })
    }

    /// The profile as a file holds it.
    pub fn retest_profile(&self, id: &str) -> Result<(String, String), Failure> {
        let kept = self.opened.find(id)?;
        let (story, profile) = kept.recorded()?;
        Ok((kept.file(crate::taking::PROFILE), written(&story, profile.as_deref())?))
    }
}

fn written(story: &Story, profile: Option<&str>) -> Result<String, Failure> {
    explain::report::retest(story, profile).map_err(|says| Failure { says })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::recording;

    #[test]
    fn a_drop_is_tried_again_as_the_report_says_and_nothing_is_held_unasked() {
        let app = App::default();
        let opened = app.opened.open(&recording("idler_drops_a_quiet_call")).expect("a bundle");
        let retest = app.retest(&opened.id).expect("it can be tried again");
        assert!(retest.says.starts_with("It takes ") && retest.says.contains("Mended if"), "{}", retest.says);
        assert!(!retest.says.contains("--retest"), "{}", retest.says);
        let offer = retest.offer.expect("the recording says the host");
        assert!(
            offer.needs_consent && offer.from == OfferFrom::Retest && offer.name.starts_with("Retest"),
            "{offer:?}"
        );
        assert!(!app.running.is_holding());
        let (file, toml) = app.retest_profile(&opened.id).expect("a profile");
        assert!(Some(file) == retest.file && profile::read(toml.as_bytes()).is_ok());
    }

    #[test]
    fn what_must_go_by_a_relay_is_a_file_to_be_filled_in_and_no_offer() {
        let app = App::default();
        let opened = app.opened.open(&recording("relay_dies")).expect("a bundle");
        let retest = app.retest(&opened.id).expect("it can be tried again");
        assert!(retest.offer.is_none() && retest.file.is_some());
        assert!(retest.notes[0].starts_with("Not ready: this retest must go through turn:"), "{:?}", retest.notes);
    }
}
