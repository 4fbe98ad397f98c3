//! A STUN server of the smallest kind, under the box's rules for UDP: the other server that answers, or does not.

use super::Shared;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

pub async fn serve(socket: UdpSocket, shared: Arc<Shared>) {
    let mut buf = [0; 1500];
    loop {
        let Ok((n, from)) = socket.recv_from(&mut buf).await else {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            continue;
        };
        if let Some(answer) = answer(&buf[..n], from).filter(|_| !shared.rules().udp.others) {
            // Who asked asks again.
            let _lost = socket.send_to(&answer, from).await;
        }
    }
}

/// A Binding success with XOR-MAPPED-ADDRESS, RFC 8489; nothing for whatever else comes.
fn answer(request: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    let transaction = request.get(8..20)?;
    let SocketAddr::V4(from) = from else { return None };
    if request[..2] != [0, 1] || request[4..8] != COOKIE {
        return None;
    }
    let port = from.port() ^ u16::from_be_bytes([COOKIE[0], COOKIE[1]]);
    let ip: Vec<u8> = from.ip().octets().iter().zip(COOKIE).map(|(octet, key)| octet ^ key).collect();
    let attribute = [&[0, 0x20, 0, 8, 0, 1][..], &port.to_be_bytes(), &ip].concat();
    Some([&[1, 1, 0, 12][..], &COOKIE, transaction, &attribute].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_request_is_answered_with_its_own_address_and_nothing_else_is() {
        let from: SocketAddr = "192.0.2.1:32853".parse().unwrap();
        let request = [&[0, 1, 0, 0][..], &COOKIE, &[7; 12]].concat();
        let said = answer(&request, from).unwrap();
        // The address and port of RFC 5769's sample response.
        assert_eq!(said[20..], [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        assert_eq!((&said[..4], &said[8..20]), (&[1, 1, 0, 12][..], &[7; 12][..]));
        assert_eq!(answer(&request[..19], from), None);
        assert_eq!(answer(&said, from), None);
    }
}
