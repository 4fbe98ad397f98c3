//! The one DNS question we put ourselves, and as much of its answer as tells how it went (RFC 1035).

const RECURSION_DESIRED: u8 = 1;
const RESPONSE: u8 = 0x80;
const TYPE_A: u16 = 1;
const TYPE_NS: u16 = 2;
const CLASS_IN: u16 = 1;
const HEADER: usize = 12;
const LONGEST_LABEL: usize = 63;

/// For the address of a name, or for the name servers of the root.
pub fn query(id: [u8; 2], name: Option<&str>) -> Vec<u8> {
    let mut packet = vec![id[0], id[1], RECURSION_DESIRED, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let labels = name.unwrap_or_default().split('.').filter(|label| !label.is_empty());
    for label in labels {
        let label = &label.as_bytes()[..label.len().min(LONGEST_LABEL)];
        packet.push(label.len() as u8);
        packet.extend(label);
    }
    packet.push(0);
    packet.extend(if name.is_some() { TYPE_A } else { TYPE_NS }.to_be_bytes());
    packet.extend(CLASS_IN.to_be_bytes());
    packet
}

/// The answer's code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer(u8);

/// The question's id, and how it went.
pub fn answer(packet: &[u8]) -> Option<([u8; 2], Answer)> {
    let header: &[u8; HEADER] = packet.first_chunk()?;
    (header[2] & RESPONSE != 0).then_some(([header[0], header[1]], Answer(header[3] & 0xf)))
}

impl Answer {
    /// After "it answers, and says that ".
    pub fn fault(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => return None,
            2 => "it could not find out (SERVFAIL)",
            3 => "there is no such name (NXDOMAIN)",
            5 => "it refuses to (REFUSED)",
            _ => "it cannot (an error of its own)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_as_it_stands_in_the_book() {
        assert_eq!(query([7, 9], Some("a.example")), b"\x07\x09\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01");
        assert_eq!(query([7, 9], None), b"\x07\x09\x01\0\0\x01\0\0\0\0\0\0\0\0\x02\0\x01");
        assert_eq!(query([0, 0], Some("a.example.")).len(), query([0, 0], Some("a.example")).len());
    }

    #[test]
    fn an_answer_says_how_it_went_and_a_question_sent_back_is_none() {
        let mut packet = query([7, 9], Some("a.example"));
        assert_eq!(answer(&packet), None);
        packet[2] |= RESPONSE;
        assert_eq!(answer(&packet), Some(([7, 9], Answer(0))));
        packet[3] = 0x83;
        assert_eq!(answer(&packet).unwrap().1.fault(), Some("there is no such name (NXDOMAIN)"));
        for cut in 0..HEADER {
            assert_eq!(answer(&packet[..cut]), None);
        }
    }
}
