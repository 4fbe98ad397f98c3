//! Linux: `getsockopt(TCP_INFO)` and the length of the send queue, two system calls of about a microsecond each.

use record::fact::TcpSample;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::AsRawFd;
use tokio::net::TcpStream;

pub fn sample(stream: &TcpStream) -> Option<TcpSample> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the descriptor is open for as long as `stream` is borrowed, and the kernel writes at most `length` bytes
    // into `info`, which is that large.
    let answer = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if answer != 0 {
        return None;
    }
    // SAFETY: it was zeroed, which is a valid value for a struct of numbers, and then filled in part or whole.
    let info = unsafe { info.assume_init() };
    // A local firewall that drops what we send keeps segments from ever counting as sent: they stay in the queue, and
    // the kernel tries them as probes. To whoever waits for an answer that is the same as a lost segment repeated.
    let queued = u32::from(unacknowledged_bytes(stream) > 0);
    Some(TcpSample {
        rtt_ms: f64::from(info.tcpi_rtt) / 1e3,
        rtt_var_ms: f64::from(info.tcpi_rttvar) / 1e3,
        retransmits: u32::from(info.tcpi_retransmits.max(info.tcpi_probes)),
        total_retransmits: info.tcpi_total_retrans,
        unacked: info.tcpi_unacked.max(queued),
        last_data_sent_ms: f64::from(info.tcpi_last_data_sent),
        last_data_recv_ms: f64::from(info.tcpi_last_data_recv),
        last_ack_recv_ms: f64::from(info.tcpi_last_ack_recv),
    })
}

/// Written by us and not acknowledged, whether sent or not.
fn unacknowledged_bytes(stream: &TcpStream) -> libc::c_int {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open for as long as `stream` is borrowed, and TIOCOUTQ writes one int.
    let answer = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if answer == 0 { bytes } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn the_kernel_tells_of_a_living_connection() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut theirs, _) = listener.accept().await.unwrap();
        ours.write_all(b"hello").await.unwrap();
        theirs.read_exact(&mut [0; 5]).await.unwrap();
        let sample = sample(&ours).expect("Linux answers");
        assert!(sample.rtt_ms > 0.0 && sample.rtt_ms < 1_000.0, "{sample:?}");
        assert_eq!((sample.retransmits, sample.unacked), (0, 0));
        assert!(sample.last_data_sent_ms < 1_000.0);
    }
}
