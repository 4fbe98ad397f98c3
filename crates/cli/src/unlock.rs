//! Where passphrases come from: the environment, or a person at a terminal.

use crate::args::Unlock;
use desk::sealed::Identities;
use record::Private;
use std::io::IsTerminal;

const PASSPHRASE: &str = "LINEWITNESS_PASSPHRASE";

pub fn with(unlock: &Unlock) -> Identities<'static> {
    Identities { file: unlock.identity.clone().filter(|path| !path.as_os_str().is_empty()), passphrase: &asked }
}

fn asked(named: &str) -> Option<Private<String>> {
    given().or_else(|| prompted(&format!("Passphrase for {named}: ")))
}

/// To protect something with: typed twice.
pub fn chosen() -> Result<Private<String>, &'static str> {
    if let Some(given) = given() {
        return Ok(given);
    }
    let first = prompted("Passphrase: ")
        .ok_or("a passphrase is asked for on a terminal; without one, set LINEWITNESS_PASSPHRASE")?;
    match prompted("The same once more: ") {
        Some(again) if again == first => Ok(first),
        _ => Err("the two passphrases differ; nothing was written"),
    }
}

fn given() -> Option<Private<String>> {
    std::env::var(PASSPHRASE).ok().filter(|text| !text.is_empty()).map(Private::new)
}

/// Without an echo; nothing where nobody sits there.
fn prompted(question: &str) -> Option<Private<String>> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    rpassword::prompt_password(question).ok().filter(|text| !text.is_empty()).map(Private::new)
}
