//! `linewitness://hold#PROFILE`: a profile in a link, as URL-safe base64 of its TOML.
//!
//! Links stay in mails, chats and histories, and anybody can make one. So no secret may stand in it, in either direction,
//! and nothing runs before its reader has agreed.

use crate::wire::Failure;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use record::{Profile, profile};
use url::Url;

pub const SCHEME: &str = "linewitness";
/// Windows hands a program no link that is longer; a profile that asks for little is a fifth of it.
const LONGEST_MADE: usize = 2_000;
/// Others may come from elsewhere.
const LONGEST_READ: usize = 8_000;
const SEND_A_FILE: &str = "send the profile as a file instead";

/// The profile that a link carries.
pub fn read(link: &str) -> Result<Profile, Failure> {
    let refused = |says: String| Failure { says };
    if link.len() > LONGEST_READ {
        return Err(refused(format!("this link is too long to carry a profile; {SEND_A_FILE}")));
    }
    let url = Url::parse(link.trim()).map_err(|_| refused("this is not a link that Linewitness can read".into()))?;
    if url.scheme() != SCHEME {
        return Err(refused(format!("this link does not begin with {SCHEME}://")));
    }
    let asked = url.query_pairs().find(|(name, _)| name == "profile").map(|(_, value)| value.into_owned());
    let carried = url.fragment().map(str::to_owned).filter(|text| !text.is_empty()).or(asked);
    let Some(carried) = carried else {
        return Err(refused("this link carries no profile; ask for it again, a mail program may have cut it".into()));
    };
    // Some mail programs add the padding that we leave out.
    let toml = URL_SAFE_NO_PAD.decode(carried.trim_end_matches('=')).map_err(|_| {
        refused(
            "the profile in this link cannot be read; ask for the link again, a mail program may have cut it".into(),
        )
    })?;
    let profile = profile::read(&toml).map_err(|refusal| refused(format!("the profile in this link: {refusal}")))?;
    if let Some(what) = unfit(&profile) {
        return Err(refused(format!(
            "the profile in this link holds {what}, and it was not opened: links stay in mails and histories; ask for it as a file instead"
        )));
    }
    Ok(profile)
}

/// The link that carries this profile.
pub fn make(profile: &Profile, toml: &str) -> Result<String, Failure> {
    if let Some(what) = unfit(profile) {
        return Err(Failure {
            says: format!(
                "a link stays in mails and histories, and this profile holds {what}; {SEND_A_FILE}, or leave it out"
            ),
        });
    }
    let link = format!("{SCHEME}://hold#{}", URL_SAFE_NO_PAD.encode(toml));
    match link.len() > LONGEST_MADE {
        true => Err(Failure { says: format!("this profile is too long for a link; {SEND_A_FILE}") }),
        false => Ok(link),
    }
}

/// What of it must not travel in a link.
pub fn unfit(profile: &Profile) -> Option<&'static str> {
    let hides = |url: &profile::Address| url.secrets().any(|secret| !secret.is_empty());
    let signaling = &profile.signaling;
    if signaling.token.is_some() {
        Some("a token")
    } else if hides(&signaling.url) || profile.lanes.also.iter().any(hides) {
        Some("an address with a user, a password or a query, which may be secret")
    } else if profile.ice.servers.iter().any(|server| server.username.is_some() || server.credential.is_some()) {
        Some("the user name and password of a TURN server")
    } else if profile.ice.servers.iter().flat_map(|server| &server.urls).any(|url| url.contains('@')) {
        Some("a server address with a user in it")
    } else if profile.share.names_key.is_some() {
        Some("the key that names are made with")
    } else if signaling.ca.as_ref().is_some_and(|ca| !ca.contains("-----BEGIN CERTIFICATE-----")) {
        Some("the path of a file on another computer")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "name = \"Acme\"\n[signaling]\nurl = \"wss://far.example/call\"\n";

    fn link(toml: &str) -> String {
        format!("linewitness://hold#{}", URL_SAFE_NO_PAD.encode(toml))
    }
    fn refusal(link: &str) -> String {
        read(link).expect_err("it must be refused").says
    }

    #[test]
    fn a_profile_goes_into_a_link_and_comes_out_of_it() {
        let profile = profile::read(PLAIN.as_bytes()).expect("a profile");
        let link = make(&profile, PLAIN).expect("it holds no secret");
        assert_eq!(read(&link).expect("readable"), profile);
        let asked = link.replace("hold#", "hold?profile=");
        assert_eq!(read(&asked).expect("readable"), profile);
        assert_eq!(read(&format!("{link}==")).expect("readable"), profile);
    }

    #[test]
    fn secrets_in_a_link_are_refused_with_what_to_send_instead() {
        let server = "[[ice.servers]]\nurls = [\"turn:turn.example\"]\nusername = \"u\"\ncredential = \"hunter2\"\n";
        for (toml, what) in [
            (format!("{PLAIN}token = \"hunter2\"\n"), "a token"),
            (PLAIN.replace("wss://far", "wss://me:hunter2@far"), "an address with a user"),
            (PLAIN.replace("/call", "/call?key=hunter2"), "an address with a user, a password or a query"),
            (format!("{PLAIN}{server}"), "password of a TURN server"),
            (format!("{PLAIN}[lanes]\nalso = [\"wss://also.example/?key=hunter2\"]\n"), "may be secret"),
            (format!("{PLAIN}ca = \"/etc/passwd\"\n"), "the path of a file"),
            (format!("{PLAIN}[share]\nnames_key = \"hunter2 hunter2 hunter2\"\n"), "the key that names are made with"),
        ] {
            let says = refusal(&link(&toml));
            assert!(says.contains(what) && says.contains("as a file instead"), "{says}");
            assert!(!says.contains("hunter2") && !says.contains("passwd"), "{says}");
            let profile = profile::read(toml.as_bytes()).expect("a profile");
            assert!(make(&profile, &toml).expect_err("no link").says.contains(what));
        }
    }

    #[test]
    fn what_is_no_link_of_ours_is_refused() {
        assert!(refusal("https://far.example/#abc").contains("does not begin with"));
        assert!(refusal("linewitness://hold").contains("carries no profile"));
        assert!(refusal("linewitness://hold#!!").contains("cannot be read"));
        assert!(refusal(&link("not toml")).contains("the profile in this link"));
        assert!(refusal(&link(&"#".repeat(9_000))).contains("too long"));
        assert!(refusal("nothing at all").contains("not a link"));
    }
}
