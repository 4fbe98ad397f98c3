//! Windows: callbacks for sleep, and for three settings: the source of power, the battery's charge, the lid.

use super::codes::{windows_event, windows_supply};
use super::{Event, Teller};
use std::ffi::c_void;
use std::sync::Mutex;
use windows_sys::Win32::Foundation::ERROR_SUCCESS;
use windows_sys::Win32::System::Power::{
    DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS, GetSystemPowerStatus, PDEVICE_NOTIFY_CALLBACK_ROUTINE, POWERBROADCAST_SETTING,
    PowerRegisterSuspendResumeNotification, PowerSettingRegisterNotification, PowerSettingUnregisterNotification,
    PowerUnregisterSuspendResumeNotification, SYSTEM_POWER_STATUS,
};
use windows_sys::Win32::System::SystemServices::{
    GUID_ACDC_POWER_SOURCE, GUID_BATTERY_PERCENTAGE_REMAINING, GUID_LIDSWITCH_STATE_CHANGE,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{DEVICE_NOTIFY_CALLBACK, PBT_POWERSETTINGCHANGE};
use windows_sys::core::GUID;

pub async fn sleep(teller: Teller) -> String {
    match Registered::for_sleep(teller) {
        Ok(_registered) => std::future::pending().await,
        Err(code) => format!("Windows does not tell of sleep (error {code}); sleeps are seen from the clocks alone"),
    }
}

pub async fn supply(teller: Teller) -> String {
    look_at_supply(&teller);
    // The charge comes in steps of one percent, the lid only where there is one.
    let settings = [GUID_ACDC_POWER_SOURCE, GUID_BATTERY_PERCENTAGE_REMAINING, GUID_LIDSWITCH_STATE_CHANGE];
    let registered: Result<Vec<_>, u32> =
        settings.iter().map(|setting| Registered::for_setting(setting, teller.clone())).collect();
    match registered {
        Ok(_registered) => std::future::pending().await,
        Err(code) => format!("Windows does not tell of its power supply (error {code})"),
    }
}

fn look_at_supply(teller: &Teller) {
    let mut status = SYSTEM_POWER_STATUS::default();
    // SAFETY: `status` is a valid SYSTEM_POWER_STATUS for the call to fill.
    let filled = unsafe { GetSystemPowerStatus(&raw mut status) } != 0;
    let supply = filled.then(|| windows_supply(status.ACLineStatus, status.BatteryFlag, status.BatteryLifePercent));
    if let Some(event) = supply.flatten() {
        teller.tell(event);
    }
}

/// What a callback is handed. It is never freed: the system does not say when the last callback has ended, so only what
/// it holds is taken out. That is some bytes for each hold.
struct Ear(Mutex<Option<Teller>>);

impl Ear {
    fn listener(&self) -> Option<Teller> {
        self.0.lock().ok().and_then(|teller| teller.clone())
    }
}

/// Ends with being dropped.
struct Registered {
    ear: &'static Ear,
    /// A pointer as a number, because it is only ever handed back.
    handle: isize,
    end: unsafe extern "system" fn(isize) -> u32,
}

impl Registered {
    fn for_sleep(teller: Teller) -> Result<Self, u32> {
        Self::new(teller, on_sleep, PowerUnregisterSuspendResumeNotification, |parameters, handle| {
            // SAFETY: `parameters` is read during the call only, and `handle` is a valid place for its answer; the
            // context in `parameters` lives forever.
            unsafe { PowerRegisterSuspendResumeNotification(DEVICE_NOTIFY_CALLBACK, parameters, handle) }
        })
    }

    fn for_setting(setting: &GUID, teller: Teller) -> Result<Self, u32> {
        Self::new(teller, on_setting, PowerSettingUnregisterNotification, |parameters, handle| {
            // SAFETY: as above, and `setting` is a valid GUID.
            unsafe { PowerSettingRegisterNotification(setting, DEVICE_NOTIFY_CALLBACK, parameters, handle) }
        })
    }

    fn new(
        teller: Teller,
        callback: unsafe extern "system" fn(*const c_void, u32, *const c_void) -> u32,
        end: unsafe extern "system" fn(isize) -> u32,
        register: impl FnOnce(*mut c_void, *mut *mut c_void) -> u32,
    ) -> Result<Self, u32> {
        let ear: &'static Ear = Box::leak(Box::new(Ear(Mutex::new(Some(teller)))));
        let callback: PDEVICE_NOTIFY_CALLBACK_ROUTINE = Some(callback);
        let context = std::ptr::from_ref(ear).cast_mut().cast();
        let mut parameters = DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS { Callback: callback, Context: context };
        let mut handle = std::ptr::null_mut();
        match register((&raw mut parameters).cast(), &raw mut handle) {
            ERROR_SUCCESS => Ok(Self { ear, handle: handle as isize, end }),
            code => Err(code),
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // SAFETY: `handle` came from the registration that `end` undoes, and is handed back once.
        let answer = unsafe { (self.end)(self.handle) };
        if answer != ERROR_SUCCESS {
            tracing::info!("a power notification could not be taken back (error {answer})");
        }
        if let Ok(mut teller) = self.ear.0.lock() {
            *teller = None;
        }
    }
}

/// # Safety
/// `context` must be a leaked `Ear`.
unsafe extern "system" fn on_sleep(context: *const c_void, code: u32, _: *const c_void) -> u32 {
    // SAFETY: it is the `Ear` of the registration, which is never freed.
    let ear = unsafe { &*context.cast::<Ear>() };
    if let (Some(teller), Some(event)) = (ear.listener(), windows_event(code)) {
        teller.tell(event);
        if event == Event::AboutToSleep {
            teller.settle();
        }
    }
    ERROR_SUCCESS
}

/// # Safety
/// `context` must be a leaked `Ear`, and `setting` what the system hands to a callback of this kind.
unsafe extern "system" fn on_setting(context: *const c_void, code: u32, setting: *const c_void) -> u32 {
    if code != PBT_POWERSETTINGCHANGE || setting.is_null() {
        return ERROR_SUCCESS;
    }
    // SAFETY: it is the `Ear` of the registration, which is never freed.
    let ear = unsafe { &*context.cast::<Ear>() };
    // SAFETY: for this code the system hands over a POWERBROADCAST_SETTING that is valid during the call.
    let setting = unsafe { &*setting.cast::<POWERBROADCAST_SETTING>() };
    let Some(teller) = ear.listener() else { return ERROR_SUCCESS };
    if same(&setting.PowerSetting, &GUID_LIDSWITCH_STATE_CHANGE) {
        // Zero is closed, in a number of four bytes of which the first tells.
        teller.tell(Event::Lid { closed: setting.Data[0] == 0 });
    } else {
        look_at_supply(&teller);
    }
    ERROR_SUCCESS
}

fn same(a: &GUID, b: &GUID) -> bool {
    (a.data1, a.data2, a.data3, a.data4) == (b.data1, b.data2, b.data3, b.data4)
}
