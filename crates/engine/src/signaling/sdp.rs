//! The one thing signaling needs to know of a session description: whose ICE credentials it carries.

/// Larger descriptions are not taken from anyone: one audio track needs a tenth of it.
pub const LARGEST: usize = 32 * 1024;
/// RFC 8839 allows 256 characters for the longest part; a candidate line with all its parts stays far below this.
pub const LARGEST_CANDIDATE: usize = 1024;

/// The first `ice-ufrag`, of the session or of its first medium.
pub fn ufrag(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).map(str::trim).filter(|ufrag| !ufrag.is_empty())
}

/// Without the candidates beyond the first `most`, each of which is an address that ICE would send to; and how many stay.
pub fn with_candidates_up_to(most: usize, sdp: &str) -> (String, usize) {
    let mut found = 0;
    let kept = sdp.split_inclusive('\n').filter(|line| {
        let candidate = line.starts_with("a=candidate:");
        found += usize::from(candidate);
        !candidate || found <= most
    });
    (kept.collect(), found.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ufrag_is_found_whatever_ends_the_lines() {
        assert_eq!(ufrag("v=0\r\na=ice-ufrag:abcd\r\na=ice-ufrag:efgh\r\n"), Some("abcd"));
        assert_eq!(ufrag("v=0\na=ice-ufrag: abcd "), Some("abcd"));
        assert_eq!(ufrag("a=ice-ufrag:\r\n"), None);
        assert_eq!(ufrag("xa=ice-ufrag:abcd"), None);
        assert_eq!(ufrag(""), None);
    }

    #[test]
    fn candidates_beyond_the_limit_are_taken_out_and_all_else_stays() {
        let sdp = "v=0\r\na=candidate:1\r\na=candidate:2\r\na=mid:0\r\n";
        assert_eq!(with_candidates_up_to(1, sdp), ("v=0\r\na=candidate:1\r\na=mid:0\r\n".to_owned(), 1));
        assert_eq!(with_candidates_up_to(2, sdp), (sdp.to_owned(), 2));
    }
}
