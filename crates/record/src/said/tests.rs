use super::*;
use proptest::prelude::*;

fn kept(text: &str) -> String {
    Said::new(text).to_string()
}

#[test]
fn evidence_stays_as_it_was_said() {
    for text in [
        "idle timeout",
        "1013 try again later",
        "Connection reset by peer (os error 104)",
        "An existing connection was forcibly closed by the remote host. (os error 10054)",
        "all 1 calls of this reflector are taken",
        "no answer within 5 s to the request for a relay, sent 6 times",
        "somebody else answers: HTTP/1.1 400 Bad Request",
        "nginx/1.22.1",
        "Apache/2.4.57 (Debian) OpenSSL/1.1.1k",
        "Temporary failure in name resolution",
        "we close at six",
        "idle for 7 s",
        "received fatal alert: HandshakeFailure",
        "invalid peer certificate: UnknownIssuer",
        "The lab's inspector authority",
        "DigiCert TLS RSA SHA256 2020 CA1",
        "GTS CA 1C3",
        "CN=R11, O=Let's Encrypt",
        "Corp Inspection CA (Acme)",
        "the relay's server refused to go on: 437 Invalid allocation",
        "the bare WebSocket will end at 20:29:45 UTC, within 0.30 s either way, if it stays quiet",
        "no_such_call",
        "CloudFlare WebSocket Proxy restarting",
        "ECONNRESET",
        "this system has no D-Bus to tell of sleep; sleeps are seen from the clocks alone",
        "pings are not permitted here, so a silent gateway is seen late; set net.ipv4.ping_group_range to \"0 2147483647\"",
        "Grüße, können wir später…",
        "连接超时",
        "",
    ] {
        let expected = text.replace("später…", LEFT_OUT);
        assert_eq!(kept(text), expected);
    }
}

#[test]
fn what_could_be_somebodys_is_left_out() {
    for private in [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
        "AKIAIOSFODNN7EXAMPLE",
        "deadbeefcafe",
        "9f86d081884c7d659a2f",
        "550e8400-e29b-41d4-a716-446655440000",
        "dGhpc0lzU2VjcmV0",
        "xkqzjvbnwtrx",
        "s3cr3t-MARK-1",
        "hunter2",
        "alice@example.com",
        "sip:alice@10.0.0.1",
        "https://example.com/x?y=z",
        "wss://far.example/call",
        "10.1.4.22",
        "10.1.4.22:51544",
        "2001:db8::1",
        "[2001:db8::1]:443",
        "far.example",
        "/home/alice/.ssh/id_rsa",
        "C:\\Users\\alice",
        "etc/passwd",
        "token=abc",
        "pin=1234",
        "4915112345678",
        "+49-151-12345678",
        "123456",
        "00:1a:2b:3c:4d:5e",
        "abc…",
        "a\u{202e}b",
    ] {
        assert_eq!(kept(&format!("no {private} here")), "no [left out] here", "{private}");
    }
    assert_eq!(kept("\u{1b}[2Jgone\r\nnow"), "[left out] now");
    assert_eq!(kept("card 4111 1111 1111 1111 refused"), "card 4111 [left out] refused");
    assert_eq!(kept("Authorization: Bearer swordfish"), "Authorization: [left out]");
    assert_eq!(kept("password: swordfish, again"), "password: [left out] again");
    assert_eq!(kept("password = swordfish"), "password = [left out]");
    assert_eq!(kept("the token has expired"), "the token has expired");
}

#[test]
fn what_is_missing_is_counted_and_a_row_of_it_is_one_place() {
    let said = Said::new("user 10.0.0.1 10.0.0.2 failed at far.example");
    assert_eq!((said.as_str(), said.left_out()), ("user [left out] failed at [left out]", 2));
}

#[test]
fn a_plain_text_of_an_earlier_version_reads_and_is_looked_at_again() {
    let read: Said = serde_json::from_str("\"closed by 10.0.0.1\"").expect("a text");
    assert_eq!(serde_json::to_string(&read).expect("a text"), "\"closed by [left out]\"");
}

#[test]
fn a_long_text_is_cut_between_words() {
    let said = Said::new(&"secretive ".repeat(5_000));
    assert!(said.as_str().ends_with("secretive …") && said.as_str().chars().count() <= LONGEST, "{said}");
    assert_eq!(Said::new(&"x".repeat(1_000_000)).as_str(), LEFT_OUT);
}

proptest! {
    #[test]
    fn what_was_said_once_is_said_the_same_again(text in ".{0,400}") {
        let once = Said::new(&text);
        prop_assert!(once.as_str().chars().count() <= LONGEST);
        prop_assert!(!once.as_str().chars().any(char::is_control));
        prop_assert_eq!(Said::new(once.as_str()), once);
    }

    #[test]
    fn a_token_drawn_by_lot_stays_nowhere(
        token in "[A-Za-z0-9+/_-]{20,64}".prop_filter("a key has digits", |t: &String| t.bytes().filter(u8::is_ascii_digit).count() > 5),
        before in "[a-z]{1,8}", after in "[(\"']?",
    ) {
        let said = Said::new(&format!("{before} {after}{token}{after} end"));
        prop_assert!(!said.as_str().contains(&token), "{}", said);
        prop_assert!(said.left_out() > 0);
    }

    #[test]
    fn an_address_stays_nowhere(v4: [u8; 4], v6: [u16; 8], port: u16) {
        let (v4, v6) = (std::net::Ipv4Addr::from(v4), std::net::Ipv6Addr::from(v6));
        for text in [format!("{v4}"), format!("{v4}:{port}"), format!("[{v6}]:{port}"), format!("({v4})")] {
            prop_assert_eq!(kept(&format!("from {text} on")), "from [left out] on");
        }
    }
}
