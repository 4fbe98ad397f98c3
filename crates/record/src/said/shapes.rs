//! The shapes that may stay of a stranger's words. Each is narrow: what it lets through by chance must be worth nothing.

/// Words of ours and of protocols that have another shape than words have.
const KNOWN: [&str; 19] = [
    "IPv4",
    "IPv6",
    "TLSv1",
    "TLSv1.2",
    "TLSv1.3",
    "HTTP/2",
    "h2",
    "X.509",
    "utf-8",
    "x86_64",
    "socks4",
    "socks5",
    "http://",
    "ws://",
    "wss://",
    "e.g",
    "i.e",
    // What to set where pings are not permitted.
    "net.ipv4.ping_group_range",
    "2147483647",
];
const UNITS: [&str; 24] = [
    "ns", "us", "µs", "ms", "s", "sec", "min", "m", "h", "d", "B", "kB", "KB", "MB", "GB", "kbps", "Mbps", "Hz", "kHz",
    "dB", "dBm", "xx", "th", "x",
];
const OPENING: &[char] = &['(', '[', '{', '<', '"', '\'', '“', '‘', '«', '„', '-', '–', '*', '#'];
const CLOSING: &[char] = &[')', ']', '}', '>', '"', '\'', '”', '’', '»', '“', '.', ',', ';', ':', '!', '?', '%', '°'];
const ALONE: [&str; 15] = ["-", "–", "—", "…", "&", "+", "±", "=", ":", "|", "/", "·", "→", "->", "<-"];
/// Of the names that certificates are signed under.
const OF_ISSUERS: [&str; 4] = ["CN=", "O=", "OU=", "C="];
/// What is said after one of these, and a colon or an equals sign, is a secret until the opposite is known.
const SECRETS: [&str; 18] = [
    "token",
    "password",
    "passwd",
    "pass",
    "passphrase",
    "pwd",
    "secret",
    "key",
    "apikey",
    "credential",
    "credentials",
    "authorization",
    "auth",
    "cookie",
    "session",
    "user",
    "username",
    "login",
];
/// Of how HTTP words a login: the next word is one, without any sign between.
const SCHEMES: [&str; 3] = ["bearer", "basic", "digest"];

const LONGEST_WORD: usize = 24;
const MOST_PARTS: usize = 6;
/// Five in a row stand in "lengths" or "Borschtsch"; what is drawn by lot soon has more.
const MOST_CONSONANTS: usize = 5;
const MOST_HUMPS: usize = 3;

pub fn is_known(token: &str) -> bool {
    let core = core(token);
    if core.is_empty() || ALONE.contains(&token) {
        return token.chars().count() <= 3;
    }
    let known =
        KNOWN.contains(&core) || is_number(core) || is_time(core) || is_product(core) || is_compound(issued(core));
    // "2001::" is an address.
    known && !token.contains("::")
}

/// The digits of what is a number and nothing else.
pub fn digits_of_number(token: &str) -> usize {
    let core = core(token);
    if core.chars().any(char::is_alphabetic) || KNOWN.contains(&core) || is_time(core) {
        return 0;
    }
    core.bytes().filter(u8::is_ascii_digit).count()
}

/// "token", "password:", "api_key=".
pub fn names_a_secret(token: &str) -> bool {
    let word = core(token).trim_end_matches('=').to_lowercase();
    word.split(['-', '_']).any(|part| SECRETS.contains(&part))
}

/// "Bearer".
pub fn names_a_login(token: &str) -> bool {
    SCHEMES.contains(&core(token).to_lowercase().as_str())
}

fn core(token: &str) -> &str {
    token.trim_start_matches(OPENING).trim_end_matches(CLOSING)
}

/// "CN=R11"
fn issued(core: &str) -> &str {
    OF_ISSUERS.iter().find_map(|attribute| core.strip_prefix(attribute)).unwrap_or(core)
}

/// "no_such_call", "15-minute", "self-test".
fn is_compound(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '_']).collect();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let short = parts.len() <= MOST_PARTS && (parts.len() == 1 || digits <= 5);
    short && parts.iter().all(|part| is_word(part) || is_measure(part) || is_version(part) || is_code(part))
}

/// As many digits as a port has, and a fraction.
fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole.strip_prefix('+').unwrap_or(whole), 5) && is_digits(fraction, 3)
}

/// A number, with or without its unit: "31", "0.25s", "5xx".
fn is_measure(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &text[..text.len() - unit.len()];
    is_number(number) && (unit.is_empty() || UNITS.contains(&unit))
}

/// "10:05", "10:05:11.25": an IPv6 address has either more groups or two colons together.
fn is_time(text: &str) -> bool {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let groups: Vec<&str> = clock.split(':').collect();
    matches!(groups.len(), 2 | 3) && groups.iter().all(|group| is_digits(group, 2)) && is_digits(fraction, 3)
}

/// Two or three numbers, never four: those may be an address. "1.25.3", "v2.4", "1.1.1k".
fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let text = text.strip_suffix(|c: char| c.is_ascii_lowercase()).unwrap_or(text);
    let parts: Vec<&str> = text.split('.').collect();
    matches!(parts.len(), 2 | 3) && parts.iter().all(|part| is_digits(part, 4))
}

/// "nginx/1.25.3", "HTTP/1.1".
fn is_product(text: &str) -> bool {
    let Some((name, version)) = text.split_once('/') else { return false };
    name.split(['-', '_']).all(is_word) && (is_version(version) || is_digits(version, 2))
}

/// "SHA256", "RFC6455", "E5", "1C3": letters that are all large, and few of them.
fn is_code(text: &str) -> bool {
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &text[letters.len()..];
    let large = |letters: &str| letters.bytes().all(|b| b.is_ascii_uppercase());
    let led =
        letters.strip_prefix(|c: char| c.is_ascii_digit()).filter(|letter| letter.len() == 1 && digits.len() == 1);
    is_digits(digits, 4) && ((1..=4).contains(&letters.len()) && large(letters) || led.is_some_and(large))
}

fn is_word(text: &str) -> bool {
    let letters: Vec<char> = text.chars().filter(|c| !matches!(c, '\'' | '’')).collect();
    // The core has no apostrophe at its ends, and a part of a compound may.
    let inner = !text.starts_with(['\'', '’']) && !text.ends_with(['\'', '’']);
    inner
        && (1..=LONGEST_WORD).contains(&letters.len())
        && letters.iter().all(|c| c.is_alphabetic())
        && !is_drawn_by_lot(&letters)
}

/// Letters of a key and no word: large and small ones anyhow, many consonants in a row, or hexadecimal digits alone.
fn is_drawn_by_lot(letters: &[char]) -> bool {
    let hexadecimal = letters.len() >= 8 && letters.iter().all(char::is_ascii_hexdigit);
    let vowel = |c: &char| !c.is_ascii() || "aeiouyAEIOUY".contains(*c);
    let consonants = letters.split(vowel).map(<[char]>::len).max().unwrap_or(0);
    // "ECDHE" and "MTLS" have no vowels to speak of.
    let short = letters.len() <= 6 && letters.iter().all(char::is_ascii_uppercase);
    hexadecimal || !short && consonants > MOST_CONSONANTS || !has_humps_of_a_name(letters)
}

/// "word", "Word", "WORD", "WebSocket", "OpenSSL", "VPNs"; not "dGhpcw".
fn has_humps_of_a_name(letters: &[char]) -> bool {
    let runs: Vec<&[char]> = letters.chunk_by(|a, b| a.is_lowercase() == b.is_lowercase()).collect();
    let humps = runs.iter().filter(|run| !run[0].is_lowercase()).count();
    let small = |run: &&[char]| run[0].is_lowercase() && run.len() == 1;
    let plural = |run: &&[char]| **run == ['s'];
    match runs.split_last() {
        None | Some((_, [])) => true,
        Some((last, before)) => {
            humps <= MOST_HUMPS && !before.iter().any(small) && (!small(last) || plural(last) || letters.len() == 2)
        }
    }
}

fn is_digits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}
