//! macOS: CoreWLAN, asked every ten seconds.
//!
//! *Seen*: network, access point, channel and signal, within ten seconds.
//! *Not seen*: anything, unless the program that started us may use Location Services: macOS then hides the names that
//! tell one network and access point from another. A loss that is over within ten seconds.

use super::{RawLink, SAMPLE_EVERY, Sight, Told};
use objc2::rc::autoreleasepool;
use objc2_core_wlan::{CWChannelBand, CWInterface, CWWiFiClient};

pub struct Radio;

impl Radio {
    pub fn open(has_wifi: bool) -> Result<Option<Self>, String> {
        Ok(has_wifi.then_some(Self))
    }

    pub async fn told(&mut self) -> Result<Vec<Told>, String> {
        tokio::time::sleep(SAMPLE_EVERY).await;
        Ok(vec![Told::Look])
    }

    pub fn look(&mut self) -> Result<Vec<Sight>, String> {
        autoreleasepool(|_| {
            // SAFETY: the method takes no arguments and may be called on any thread.
            let interfaces = unsafe { CWWiFiClient::sharedWiFiClient().interfaces() };
            interfaces
                .iter()
                .flat_map(|all| all.to_vec())
                .filter_map(|interface| sight(&interface).transpose())
                .collect()
        })
    }
}

fn sight(of: &CWInterface) -> Result<Option<Sight>, String> {
    // SAFETY: these methods take no arguments, only read, and may be called on any thread.
    let (name, network, point, signal, channel) =
        unsafe { (of.interfaceName(), of.ssid(), of.bssid(), of.rssiValue(), of.wlanChannel()) };
    let Some(interface) = name.map(|name| name.to_string()) else { return Ok(None) };
    // Zero stands for no signal: connected to nothing.
    let connected = signal != 0;
    let link = match (connected, network, point.and_then(|point| hardware_address(&point.to_string()))) {
        (false, ..) => None,
        (true, Some(network), Some(point)) => Some(RawLink {
            network: network.to_string().into_bytes(),
            point,
            // SAFETY: as above.
            mhz: channel.and_then(|channel| unsafe { mhz(channel.channelBand(), channel.channelNumber()) }),
            dbm: i32::try_from(signal).ok(),
        }),
        (true, ..) => {
            return Err(
                "macOS tells of the Wi-Fi network only to programs that may use Location Services; allow it for \
                        this program in System Settings, Privacy & Security"
                    .into(),
            );
        }
    };
    Ok(Some(Sight { interface, link }))
}

/// `0:1a:2b:3c:4d:5e`: macOS leaves leading zeros out.
fn hardware_address(text: &str) -> Option<[u8; 6]> {
    let bytes: Vec<u8> = text.split(':').map(|part| u8::from_str_radix(part, 16).ok()).collect::<Option<_>>()?;
    bytes.try_into().ok()
}

fn mhz(band: CWChannelBand, number: isize) -> Option<u32> {
    let number = u32::try_from(number).ok().filter(|number| (1..=233).contains(number))?;
    match band {
        CWChannelBand::Band2GHz if number == 14 => Some(2484),
        CWChannelBand::Band2GHz => Some(2407 + 5 * number),
        CWChannelBand::Band5GHz => Some(5000 + 5 * number),
        CWChannelBand::Band6GHz => Some(5950 + 5 * number),
        _ => None,
    }
}
