//! Windows: the WLAN service.
//!
//! *Seen*: connections, losses and roams, within milliseconds of the notification; the signal in dBm.
//! *Not seen*: anything where Windows keeps the network's name from programs without access to the location (Windows 11
//! from 24H2 on); the frequency, which Windows tells only with a list of all networks around.
//!
//! `wlanapi.dll` is loaded when it is needed: a server has none, and a program that is linked to it would not start there.

use super::{RawLink, Sight, Told};
use crate::watch::adapters::Adapters;
use std::ffi::c_void;
use std::io;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_SUCCESS, FreeLibrary, HANDLE, HMODULE};
use windows_sys::Win32::NetworkManagement::WiFi::{
    L2_NOTIFICATION_DATA, WLAN_CONNECTION_ATTRIBUTES, WLAN_INTERFACE_INFO, WLAN_INTERFACE_INFO_LIST, WLAN_INTF_OPCODE,
    WLAN_NOTIFICATION_CALLBACK, WLAN_NOTIFICATION_SOURCE_ACM, WLAN_NOTIFICATION_SOURCE_MSM, WLAN_NOTIFICATION_SOURCES,
    WLAN_OPCODE_VALUE_TYPE, wlan_interface_state_connected, wlan_intf_opcode_current_connection, wlan_intf_opcode_rssi,
    wlan_notification_acm_connection_complete, wlan_notification_acm_disconnected,
    wlan_notification_acm_interface_arrival, wlan_notification_acm_interface_removal, wlan_notification_msm_connected,
    wlan_notification_msm_roaming_end,
};
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW};
use windows_sys::core::{BOOL, GUID};

/// That of Windows Vista and everything after it.
const CLIENT_VERSION: u32 = 2;

pub struct Radio {
    told: UnboundedReceiver<Said>,
    client: Client,
}

enum Said {
    Left(String),
    Look,
}

impl Radio {
    /// Without the library or its service there is no Wi-Fi, unless there is.
    pub fn open(has_wifi: bool) -> Result<Option<Self>, String> {
        let (tell, told) = unbounded_channel();
        match Client::open(tell) {
            Ok(client) => Ok(Some(Self { told, client })),
            Err(error) if has_wifi => Err(format!("Windows does not tell of Wi-Fi: {error}")),
            Err(_) => Ok(None),
        }
    }

    pub async fn told(&mut self) -> Result<Vec<Told>, String> {
        let said = self.told.recv().await.ok_or("Windows tells no more of Wi-Fi")?;
        Ok(vec![match said {
            Said::Left(guid) => name_of(&guid).map_or(Told::Look, Told::Left),
            Said::Look => Told::Look,
        }])
    }

    pub fn look(&mut self) -> Result<Vec<Sight>, String> {
        self.client.look().map_err(|error| match error.raw_os_error() {
            Some(code) if code.cast_unsigned() == ERROR_ACCESS_DENIED => {
                "Windows tells of the Wi-Fi network only to programs that may use the location; allow it for desktop \
                 programs in Settings, Privacy & security, Location"
                    .into()
            }
            _ => format!("Windows does not tell of Wi-Fi: {error}"),
        })
    }
}

type Open = unsafe extern "system" fn(u32, *const c_void, *mut u32, *mut HANDLE) -> u32;
type Close = unsafe extern "system" fn(HANDLE, *const c_void) -> u32;
type Enumerate = unsafe extern "system" fn(HANDLE, *const c_void, *mut *mut WLAN_INTERFACE_INFO_LIST) -> u32;
type Query = unsafe extern "system" fn(
    HANDLE,
    *const GUID,
    WLAN_INTF_OPCODE,
    *const c_void,
    *mut u32,
    *mut *mut c_void,
    *mut WLAN_OPCODE_VALUE_TYPE,
) -> u32;
type Register = unsafe extern "system" fn(
    HANDLE,
    WLAN_NOTIFICATION_SOURCES,
    BOOL,
    WLAN_NOTIFICATION_CALLBACK,
    *const c_void,
    *const c_void,
    *mut u32,
) -> u32;
type Free = unsafe extern "system" fn(*const c_void);

/// `wlanapi.dll` and a connection to the service behind it.
struct Client {
    library: HMODULE,
    handle: HANDLE,
    tell: *mut UnboundedSender<Said>,
    enumerate: Enumerate,
    query: Query,
    free: Free,
    close: Close,
}

// SAFETY: the handles are numbers that any thread may use, and the sender is only ever used through a shared reference,
// which its type allows from any thread.
unsafe impl Send for Client {}

impl Client {
    fn open(tell: UnboundedSender<Said>) -> io::Result<Self> {
        let name: Vec<u16> = "wlanapi.dll\0".encode_utf16().collect();
        // SAFETY: the name ends with a zero and outlives the call.
        let library = unsafe { LoadLibraryExW(name.as_ptr(), std::ptr::null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
        if library.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: each is the function of that name, as Windows documents its arguments.
        let (open, register, mut client) = unsafe {
            let function = |name: &[u8]| {
                GetProcAddress(library, name.as_ptr()).ok_or_else(|| io::Error::other("wlanapi.dll lacks a function"))
            };
            let open: Open = std::mem::transmute(function(b"WlanOpenHandle\0")?);
            let register: Register = std::mem::transmute(function(b"WlanRegisterNotification\0")?);
            let client = Self {
                library,
                handle: std::ptr::null_mut(),
                tell: Box::into_raw(Box::new(tell)),
                enumerate: std::mem::transmute::<unsafe extern "system" fn() -> isize, Enumerate>(function(
                    b"WlanEnumInterfaces\0",
                )?),
                query: std::mem::transmute::<unsafe extern "system" fn() -> isize, Query>(function(
                    b"WlanQueryInterface\0",
                )?),
                free: std::mem::transmute::<unsafe extern "system" fn() -> isize, Free>(function(b"WlanFreeMemory\0")?),
                close: std::mem::transmute::<unsafe extern "system" fn() -> isize, Close>(function(
                    b"WlanCloseHandle\0",
                )?),
            };
            (open, register, client)
        };
        let mut version = 0;
        // SAFETY: what the call fills outlives it.
        ok(unsafe { open(CLIENT_VERSION, std::ptr::null(), &raw mut version, &raw mut client.handle) })?;
        let sources = WLAN_NOTIFICATION_SOURCE_ACM | WLAN_NOTIFICATION_SOURCE_MSM;
        let context: *const c_void = client.tell.cast_const().cast();
        // SAFETY: the context is what the callback takes it for, and stays until `drop` has closed the handle.
        ok(unsafe {
            register(client.handle, sources, 0, Some(heard), context, std::ptr::null(), std::ptr::null_mut())
        })?;
        Ok(client)
    }

    fn look(&self) -> io::Result<Vec<Sight>> {
        let mut list = std::ptr::null_mut();
        // SAFETY: the handle is open, and the call fills the pointer.
        ok(unsafe { (self.enumerate)(self.handle, std::ptr::null(), &raw mut list) })?;
        let list = Given { block: list.cast(), free: self.free };
        let first = list.block.cast::<WLAN_INTERFACE_INFO_LIST>();
        // SAFETY: Windows filled the list with as many rows as it says.
        let rows: &[WLAN_INTERFACE_INFO] = unsafe {
            let rows = (&raw const (*first).InterfaceInfo).cast();
            std::slice::from_raw_parts(rows, (*first).dwNumberOfItems as usize)
        };
        rows.iter().map(|row| self.sight(row)).collect()
    }

    fn sight(&self, of: &WLAN_INTERFACE_INFO) -> io::Result<Sight> {
        let guid = text(&of.InterfaceGuid);
        let interface = name_of(&guid).unwrap_or(guid);
        if of.isState != wlan_interface_state_connected {
            return Ok(Sight { interface, link: None });
        }
        let connection: WLAN_CONNECTION_ATTRIBUTES = self.ask(of, wlan_intf_opcode_current_connection)?;
        let at = connection.wlanAssociationAttributes;
        let network = at.dot11Ssid.ucSSID.iter().take(at.dot11Ssid.uSSIDLength as usize).copied().collect();
        // Some drivers do not tell it.
        let dbm = self.ask::<i32>(of, wlan_intf_opcode_rssi).ok();
        Ok(Sight { interface, link: Some(RawLink { network, point: at.dot11Bssid, mhz: None, dbm }) })
    }

    /// `T` is a struct of numbers, as Windows documents it for what is asked.
    fn ask<T: Copy>(&self, of: &WLAN_INTERFACE_INFO, what: WLAN_INTF_OPCODE) -> io::Result<T> {
        let (mut size, mut data) = (0, std::ptr::null_mut());
        // SAFETY: the handle is open, the GUID is valid, and the call fills the rest.
        ok(unsafe {
            (self.query)(
                self.handle,
                &raw const of.InterfaceGuid,
                what,
                std::ptr::null(),
                &raw mut size,
                &raw mut data,
                std::ptr::null_mut(),
            )
        })?;
        let given = Given { block: data, free: self.free };
        if given.block.is_null() || (size as usize) < size_of::<T>() {
            return Err(io::Error::other("the WLAN service gave less than it says"));
        }
        // SAFETY: there are enough bytes, and any of them make a struct of numbers.
        Ok(unsafe { given.block.cast::<T>().read_unaligned() })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: the handle was given by Windows, or is null and refused. The call waits for callbacks under way.
        unsafe { (self.close)(self.handle, std::ptr::null()) };
        // SAFETY: it came from a box, and nothing calls back any more.
        drop(unsafe { Box::from_raw(self.tell) });
        // SAFETY: none of its functions is called after this.
        unsafe { FreeLibrary(self.library) };
    }
}

/// Memory that Windows gave us to give back.
struct Given {
    block: *mut c_void,
    free: Free,
}

impl Drop for Given {
    fn drop(&mut self) {
        // SAFETY: it was given by the same library, and is given back once; null is let be.
        unsafe { (self.free)(self.block) };
    }
}

fn ok(answer: u32) -> io::Result<()> {
    match answer {
        ERROR_SUCCESS => Ok(()),
        other => Err(io::Error::from_raw_os_error(other.cast_signed())),
    }
}

unsafe extern "system" fn heard(data: *mut L2_NOTIFICATION_DATA, context: *mut c_void) {
    // SAFETY: Windows gives valid data during the call.
    let Some(data) = (unsafe { data.as_ref() }) else { return };
    let code = data.NotificationCode.cast_signed();
    #[expect(non_upper_case_globals, reason = "as Windows names them")]
    let said = match (data.NotificationSource, code) {
        (WLAN_NOTIFICATION_SOURCE_ACM, wlan_notification_acm_disconnected) => Said::Left(text(&data.InterfaceGuid)),
        (
            WLAN_NOTIFICATION_SOURCE_ACM,
            wlan_notification_acm_connection_complete
            | wlan_notification_acm_interface_arrival
            | wlan_notification_acm_interface_removal,
        )
        | (WLAN_NOTIFICATION_SOURCE_MSM, wlan_notification_msm_connected | wlan_notification_msm_roaming_end) => {
            Said::Look
        }
        _ => return,
    };
    // SAFETY: Windows hands back the context that was given to it.
    let to = unsafe { &*context.cast::<UnboundedSender<Said>>() };
    // Nobody listens only while the watcher is being dropped.
    let _ = to.send(said);
}

/// The name that people see, and that the network watcher uses.
fn name_of(guid: &str) -> Option<String> {
    let adapters = Adapters::read().ok()?;
    adapters.iter().find(|adapter| adapter.guid().eq_ignore_ascii_case(guid)).map(|adapter| adapter.name())
}

fn text(guid: &GUID) -> String {
    let rest: String = guid.data4[2..].iter().map(|byte| format!("{byte:02X}")).collect();
    let [a, b] = [guid.data4[0], guid.data4[1]];
    format!("{{{:08X}-{:04X}-{:04X}-{a:02X}{b:02X}-{rest}}}", guid.data1, guid.data2, guid.data3)
}
