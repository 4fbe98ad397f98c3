//! Time-limited TURN credentials, as coturn's `use-auth-secret` understands them: the user name carries the second at
//! which it ends, the password is an HMAC over the user name. Nothing is stored at either side.

use crate::settings::Turn;
use base64::{Engine, prelude::BASE64_STANDARD};
use record::{
    Wall,
    wire::{Relay, Sealed},
};
use ring::hmac;

pub fn credentials(turn: &Turn, now: Wall) -> Relay {
    let ends = now.micros() / 1_000_000 + turn.ttl.as_secs() as i64;
    let username = format!("{ends}:linewitness");
    // SHA-1 is what coturn's scheme is made of.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, turn.secret.reveal().as_bytes());
    let credential = BASE64_STANDARD.encode(hmac::sign(&key, username.as_bytes()));
    Relay { urls: turn.urls.clone(), username: Sealed::new(username), credential: Sealed::new(credential) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::Private;
    use std::time::Duration;

    #[test]
    fn credentials_are_those_that_coturn_computes() {
        let turn = Turn {
            secret: Private::new("north".into()),
            urls: vec!["turn:turn.example:3478".into()],
            ttl: Duration::from_secs(86_400),
        };
        let relay = credentials(&turn, Wall::from_micros(1_795_255_200_123_456));
        assert_eq!(relay.username.0.reveal(), "1795341600:linewitness");
        // printf '1795341600:linewitness' | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(relay.credential.0.reveal(), "an/av4+uezXFHfgPENrggvksiOc=");
        assert_eq!(relay.urls, turn.urls);
    }
}
