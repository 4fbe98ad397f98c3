//! Windows: the IP helper's notifications, each followed by a look at the whole.
//!
//! *Seen*: adapters, addresses (an IPv6 address once it may be used) and routes, within milliseconds of the notification;
//! an address that is taken away, from the notification itself; the way as Windows would choose it for a new connection.
//! *Not seen*: what comes and goes again between two looks, unless it is an address; a gateway's entry in the table of
//! neighbours after the first look, because Windows tells of none; whether a VPN's filter lets a packet take its way.

use super::picture::{Address, Link, Nature, News, Way};
use super::{NOBODYS, Told};
use crate::watch::adapters::{self, Adapter, Adapters};
use record::fact::{LinkKind, Reachability};
use std::ffi::c_void;
use std::io;
use std::net::IpAddr;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use windows_sys::Win32::Foundation::{ERROR_SUCCESS, HANDLE};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    CancelMibChangeNotify2, GetBestRoute2, GetIfEntry2, GetIpNetEntry2, IF_TYPE_ETHERNET_CSMACD, IF_TYPE_IEEE80211,
    IF_TYPE_PPP, IF_TYPE_PROP_VIRTUAL, IF_TYPE_SOFTWARE_LOOPBACK, IF_TYPE_TUNNEL, IF_TYPE_WWANPP, IF_TYPE_WWANPP2,
    MIB_IF_ROW2, MIB_IPFORWARD_ROW2, MIB_IPINTERFACE_ROW, MIB_IPNET_ROW2, MIB_NOTIFICATION_TYPE,
    MIB_UNICASTIPADDRESS_ROW, MibDeleteInstance, NotifyIpInterfaceChange, NotifyRouteChange2,
    NotifyUnicastIpAddressChange,
};
use windows_sys::Win32::NetworkManagement::Ndis::{IfOperStatusUp, NET_IF_ADMIN_STATUS_UP};
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, AF_UNSPEC, IpDadStateDeprecated, IpDadStatePreferred, IpPrefixOriginRouterAdvertisement,
    IpSuffixOriginRandom, NlnsDelay, NlnsIncomplete, NlnsPermanent, NlnsProbe, NlnsReachable, NlnsStale,
    NlnsUnreachable, SOCKADDR_INET,
};

pub struct Kernel {
    told: UnboundedReceiver<Told>,
    /// Dropped after nothing calls back any more.
    _subscriptions: Subscriptions,
}

impl Kernel {
    pub fn open() -> io::Result<Self> {
        let (tell, told) = unbounded_channel();
        Ok(Self { told, _subscriptions: Subscriptions::begin(tell)? })
    }

    pub async fn told(&mut self) -> io::Result<Told> {
        let mut told = self.told.recv().await.ok_or_else(|| io::Error::other("Windows tells no more"))?;
        // One change makes several notifications, and one look sees all of them.
        while matches!(told, Told::LookAnew)
            && let Ok(next) = self.told.try_recv()
        {
            if let Told::News(news) = next {
                told = Told::News(news);
            }
        }
        Ok(told)
    }

    /// The address of nobody's that the widest route leads to.
    pub fn internet(&mut self, v6: bool) -> io::Result<IpAddr> {
        let candidates = NOBODYS[usize::from(v6)];
        let width = |to: IpAddr| route_to(to).map_or(u8::MAX, |(route, _)| route.DestinationPrefix.PrefixLength);
        Ok(candidates.iter().copied().min_by_key(|to| width(*to)).unwrap_or(candidates[0]))
    }

    pub fn way(&mut self, to: IpAddr) -> io::Result<Option<Way>> {
        Ok(route_to(to).map(|(route, source)| Way {
            index: route.InterfaceIndex,
            gateway: adapters::ip_of_inet(&route.NextHop).filter(|address| !address.is_unspecified()),
            source: adapters::ip_of_inet(&source),
        }))
    }

    pub fn neighbour(&mut self, index: u32, address: IpAddr) -> io::Result<Option<Reachability>> {
        let mut row = MIB_IPNET_ROW2 { Address: inet(address), InterfaceIndex: index, ..Default::default() };
        // SAFETY: the row names an address and an interface, and outlives the call that fills the rest.
        let answer = unsafe { GetIpNetEntry2(&raw mut row) };
        if answer != ERROR_SUCCESS {
            return Ok(None);
        }
        #[expect(non_upper_case_globals, reason = "as Windows names them")]
        Ok(match row.State {
            NlnsReachable => Some(Reachability::Reachable),
            NlnsStale | NlnsDelay | NlnsProbe => Some(Reachability::Stale),
            NlnsIncomplete => Some(Reachability::Probing),
            NlnsUnreachable => Some(Reachability::Failed),
            NlnsPermanent => Some(Reachability::Permanent),
            _ => None,
        })
    }
}

pub async fn look() -> io::Result<Vec<News>> {
    let look = || Ok(Adapters::read()?.iter().flat_map(news).collect());
    tokio::task::spawn_blocking(look).await.map_err(io::Error::other)?
}

/// A refusal is an answer: there is no way.
fn route_to(to: IpAddr) -> Option<(MIB_IPFORWARD_ROW2, SOCKADDR_INET)> {
    let to = inet(to);
    let mut route = MIB_IPFORWARD_ROW2::default();
    let mut source = SOCKADDR_INET::default();
    let none = std::ptr::null();
    // SAFETY: what may be absent is null, and the rest outlives the call.
    let answer = unsafe { GetBestRoute2(none, 0, std::ptr::null(), &raw const to, 0, &raw mut route, &raw mut source) };
    (answer == ERROR_SUCCESS).then_some((route, source))
}

/// What Windows calls back, and whom it tells.
struct Subscriptions {
    handles: Vec<HANDLE>,
    tell: *mut UnboundedSender<Told>,
}

// SAFETY: a handle is a number that any thread may use, and the sender is only ever used through a shared reference,
// which its type allows from any thread.
unsafe impl Send for Subscriptions {}

impl Subscriptions {
    fn begin(tell: UnboundedSender<Told>) -> io::Result<Self> {
        let mut all = Self { handles: vec![], tell: Box::into_raw(Box::new(tell)) };
        let context: *const c_void = all.tell.cast();
        let family = AF_UNSPEC;
        // SAFETY: `context` is what the callbacks take it for, and stays until `drop` has ended them.
        all.add(|handle| unsafe { NotifyIpInterfaceChange(family, Some(interface), context, false, handle) })?;
        // SAFETY: as above.
        all.add(|handle| unsafe { NotifyUnicastIpAddressChange(family, Some(address), context, false, handle) })?;
        // SAFETY: as above.
        all.add(|handle| unsafe { NotifyRouteChange2(family, Some(route), context, false, handle) })?;
        Ok(all)
    }

    fn add(&mut self, subscribe: impl FnOnce(*mut HANDLE) -> u32) -> io::Result<()> {
        let mut handle = std::ptr::null_mut();
        match subscribe(&raw mut handle) {
            ERROR_SUCCESS => self.handles.push(handle),
            other => return Err(io::Error::from_raw_os_error(other as i32)),
        }
        Ok(())
    }
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        for handle in &self.handles {
            // SAFETY: each handle was given by Windows and is given back once. The call waits for callbacks under way.
            unsafe { CancelMibChangeNotify2(*handle) };
        }
        // SAFETY: it came from a box, and nothing calls back any more.
        drop(unsafe { Box::from_raw(self.tell) });
    }
}

unsafe extern "system" fn interface(context: *const c_void, _: *const MIB_IPINTERFACE_ROW, _: MIB_NOTIFICATION_TYPE) {
    // SAFETY: Windows hands back the context that was given to it.
    unsafe { tell(context, Told::LookAnew) };
}

unsafe extern "system" fn route(context: *const c_void, _: *const MIB_IPFORWARD_ROW2, _: MIB_NOTIFICATION_TYPE) {
    // SAFETY: as above.
    unsafe { tell(context, Told::LookAnew) };
}

unsafe extern "system" fn address(
    context: *const c_void,
    row: *const MIB_UNICASTIPADDRESS_ROW,
    what: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: the row is null or valid during the call.
    let gone = unsafe { row.as_ref() }.filter(|_| what == MibDeleteInstance);
    if let Some(row) = gone
        && let Some(address) = adapters::ip_of_inet(&row.Address)
    {
        let news = News::AddressGone { index: row.InterfaceIndex, address };
        // SAFETY: Windows hands back the context that was given to it.
        unsafe { tell(context, Told::News(vec![news])) };
    }
    // SAFETY: as above.
    unsafe { tell(context, Told::LookAnew) };
}

/// # Safety
/// `context` is the sender that `Subscriptions` keeps.
unsafe fn tell(context: *const c_void, told: Told) {
    // SAFETY: by this function's own condition.
    let to = unsafe { &*context.cast::<UnboundedSender<Told>>() };
    // Nobody listens only while the watcher is being dropped.
    let _ = to.send(told);
}

fn news(adapter: Adapter) -> Vec<News> {
    let description = adapter.description();
    let mut row = MIB_IF_ROW2 { InterfaceLuid: adapter.0.Luid, ..Default::default() };
    // SAFETY: the row names an adapter, and outlives the call that fills the rest.
    let known = unsafe { GetIfEntry2(&raw mut row) } == ERROR_SUCCESS;
    let index = adapter.index();
    let mut all = vec![News::Link(Link {
        index,
        name: adapter.name().as_str().into(),
        nature: Nature::Is(kind(adapter.0.IfType, &description)),
        driver: description.as_str().into(),
        up: !known || row.AdminStatus == NET_IF_ADMIN_STATUS_UP,
        carrier: adapter.0.OperStatus == IfOperStatusUp,
        mtu: adapter.0.Mtu,
    })];
    for unicast in adapter.addresses() {
        if !matches!(unicast.DadState, state if state == IpDadStatePreferred || state == IpDadStateDeprecated) {
            continue;
        }
        let Some(address) = adapters::ip(&unicast.Address) else { continue };
        let temporary = address.is_ipv6()
            && unicast.PrefixOrigin == IpPrefixOriginRouterAdvertisement
            && unicast.SuffixOrigin == IpSuffixOriginRandom;
        all.push(News::Address(Address { index, address, prefix: unicast.OnLinkPrefixLength, temporary }));
    }
    all
}

/// Many VPNs and all hypervisors call their adapters Ethernet; their makers' words tell them apart.
fn kind(if_type: u32, description: &str) -> LinkKind {
    let says = |words: &[&str]| words.iter().any(|word| description.contains(word));
    match if_type {
        IF_TYPE_SOFTWARE_LOOPBACK => LinkKind::Loopback,
        IF_TYPE_IEEE80211 => LinkKind::Wifi,
        IF_TYPE_WWANPP | IF_TYPE_WWANPP2 => LinkKind::Mobile,
        IF_TYPE_PPP | IF_TYPE_TUNNEL | IF_TYPE_PROP_VIRTUAL => LinkKind::Tunnel,
        IF_TYPE_ETHERNET_CSMACD if says(&["TAP-", "VPN", "AnyConnect", "Fortinet", "PANGP", "WireGuard", "Wintun"]) => {
            LinkKind::Tunnel
        }
        IF_TYPE_ETHERNET_CSMACD
            if says(&["Hyper-V Virtual", "VMware Virtual", "VirtualBox", "Loopback", "Wi-Fi Direct"]) =>
        {
            LinkKind::Virtual
        }
        IF_TYPE_ETHERNET_CSMACD => LinkKind::Wired,
        _ => LinkKind::Other,
    }
}

fn inet(address: IpAddr) -> SOCKADDR_INET {
    let mut inet = SOCKADDR_INET::default();
    match address {
        IpAddr::V4(v4) => {
            inet.Ipv4.sin_family = AF_INET;
            inet.Ipv4.sin_addr.S_un.S_addr = u32::from_ne_bytes(v4.octets());
        }
        IpAddr::V6(v6) => {
            inet.Ipv6.sin6_family = AF_INET6;
            inet.Ipv6.sin6_addr.u.Byte = v6.octets();
        }
    }
    inet
}
