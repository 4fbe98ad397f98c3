//! From a name to addresses, through the system's resolver, because that is the one whose failures users have.

use record::{Heard, Said, fact::Trouble};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// An answer may hold thousands, and each attempt tells them all. The system has put the best ones first, and services have
/// a dozen.
const MOST: usize = 32;

/// `Ok(None)` if the host is an address already and nobody was asked. The system's look-up cannot be called off and may last
/// longer than our patience; `kept` is dropped when it ends.
pub async fn resolve(
    kept: impl Send + 'static,
    host: &str,
    port: u16,
    patience: Duration,
) -> Result<Option<Vec<SocketAddr>>, Trouble> {
    if host.parse::<IpAddr>().is_ok() {
        return Ok(None);
    }
    let host = host.to_owned();
    let looking = tokio::spawn(async move {
        let found = tokio::net::lookup_host((host, port)).await.map(Iterator::collect::<Vec<_>>);
        drop(kept);
        found
    });
    let looked = async { looking.await.unwrap_or_else(|error| Err(io::Error::other(error))) };
    match tokio::time::timeout(patience, looked).await {
        Ok(Ok(found)) => {
            let found = first(found.into_iter());
            if found.is_empty() {
                return Err(Trouble::NoSuchName { says: "the name has no address".into() });
            }
            Ok(Some(found))
        }
        Ok(Err(error)) => Err(trouble(&error)),
        Err(_) => Err(Trouble::NameFailed {
            says: Said::new(&format!("the resolver did not answer within {} s", patience.as_secs_f64())),
        }),
    }
}

fn first(found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    found.take(MOST).collect()
}

pub fn trouble(error: &io::Error) -> Trouble {
    let text = error.to_string();
    let words = text.rsplit_once(": ").map_or(text.as_str(), |(_, words)| words);
    let says = Heard::new(words);
    if is_no_such_name(error, words) {
        Trouble::NoSuchName { says: says.into() }
    } else {
        Trouble::NameFailed { says: says.into() }
    }
}

/// The standard library keeps of the resolver's code only its words, in the user's language: so the words of that code
/// are asked for and compared.
#[cfg(unix)]
fn is_no_such_name(_: &io::Error, words: &str) -> bool {
    [libc::EAI_NONAME, libc::EAI_NODATA].iter().any(|code| gai_words(*code) == words)
}

#[cfg(unix)]
fn gai_words(code: i32) -> String {
    // SAFETY: gai_strerror takes any number and returns a static text that ends with a zero byte.
    let text = unsafe { std::ffi::CStr::from_ptr(libc::gai_strerror(code)) };
    text.to_string_lossy().into_owned()
}

#[cfg(windows)]
fn is_no_such_name(error: &io::Error, _: &str) -> bool {
    // WSAHOST_NOT_FOUND: an authoritative answer. WSANO_DATA: the name is known and has no address.
    matches!(error.raw_os_error(), Some(11001 | 11004))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_with_thousands_of_addresses_the_first_are_kept() {
        let all = (0..4_000u32).map(|n| SocketAddr::from((n.to_be_bytes(), 443)));
        let first = first(all.clone());
        assert_eq!(first, all.take(MOST).collect::<Vec<_>>());
    }

    #[test]
    fn a_name_that_does_not_exist_is_told_from_a_resolver_that_failed() {
        let error = |code| io::Error::other(format!("failed to lookup address information: {}", gai_words(code)));
        assert!(matches!(trouble(&error(libc::EAI_NONAME)), Trouble::NoSuchName { .. }));
        assert!(matches!(trouble(&error(libc::EAI_AGAIN)), Trouble::NameFailed { .. }));
        assert!(matches!(trouble(&error(libc::EAI_FAIL)), Trouble::NameFailed { .. }));
    }

    #[tokio::test]
    async fn an_address_asks_nobody() {
        for host in ["127.0.0.1", "::1"] {
            assert_eq!(resolve((), host, 1, Duration::ZERO).await, Ok(None));
        }
    }
}
