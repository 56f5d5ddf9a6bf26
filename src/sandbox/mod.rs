//! The promises, held by the kernel: before anything of the target is read, the process gives up what its command does not need.
//! On Linux; best effort on old kernels, and the report says what held.
//!
//! ```text
//! begin     no new privileges, no core dump, memory closed to other processes of the user; seccomp: nothing is started,
//!           no sockets (or those of the profile), nothing is created, renamed, removed or opened for writing
//! enclose   landlock: reads below the target and in the program's own places only
//! writer    one thread, apart: it alone may create and rename the files that `-o` names, and does nothing else
//! ```
//!
//! Landlock takes `/proc/PID/environ` and its like of other processes away, so that processes are looked at before `enclose`.

/// Where the numbers of the calls are known.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
mod calls;
#[cfg(target_os = "linux")]
mod files;
mod profile;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

pub use profile::{PROFILES, Profile, Sockets, own_reads};

/// Set by `--no-sandbox`.
static OFF: AtomicBool = AtomicBool::new(false);

/// For odd cases: nothing is given up from here on.
pub fn switch_off() {
    OFF.store(true, Ordering::Relaxed);
}

/// Whether `--no-sandbox` was given.
pub fn is_off() -> bool {
    OFF.load(Ordering::Relaxed)
}

/// What the kernel holds this process to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The name of the profile.
    pub profile: &'static str,
    /// Version of landlock's interface; `None` where the kernel has none or does not enforce it.
    pub landlock: Option<u32>,
    /// Whether system calls are filtered.
    pub seccomp: bool,
    /// Whether no program could gain rights.
    pub no_new_privs: bool,
    /// Whether other processes of the user may not look into the memory.
    pub memory_closed: bool,
    /// Whether a crash leaves no image of the memory.
    pub no_core: bool,
}

/// A process that has given up what its command does not need.
pub struct Sandbox {
    profile: &'static Profile,
    held: Held,
    landlock: AtomicU32,
}

impl Sandbox {
    /// Gives up everything but reading, for all threads that there are and will be. With `--no-sandbox` nothing.
    pub fn begin(profile: &'static Profile) -> Self {
        let nothing = Held {
            profile: profile.command,
            landlock: None,
            seccomp: false,
            no_new_privs: false,
            memory_closed: false,
            no_core: false,
        };
        let held = if is_off() { nothing } else { begin(profile, nothing) };
        Self { profile, held, landlock: AtomicU32::new(0) }
    }

    /// From here on this thread, and those that it starts, read below these places and in the program's own only. A place that
    /// does not exist is left out.
    pub fn enclose(&self, reads: &[PathBuf]) {
        self.enclose_for(self.profile.sockets, reads);
    }

    /// The same, where it is known by now that fewer sockets are needed than the profile allows.
    pub fn enclose_for(&self, sockets: Sockets, reads: &[PathBuf]) {
        #[cfg(target_os = "linux")]
        if !is_off() {
            if let Some(version) = files::reads(sockets, reads) {
                self.landlock.store(version, Ordering::Relaxed);
            }
            // Older kernels hold nobody to sockets by landlock.
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
            if sockets != self.profile.sockets {
                let _ = calls::narrow(sockets);
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (sockets, reads);
    }

    /// What the profile lets this process connect to.
    pub fn sockets(&self) -> Sockets {
        self.profile.sockets
    }

    /// What held so far.
    pub fn held(&self) -> Held {
        let version = self.landlock.load(Ordering::Relaxed);
        Held { landlock: (version > 0).then_some(version), ..self.held.clone() }
    }
}

/// For the thread that writes: it may create, write, rename and remove in these folders, write these files, and nothing else.
pub fn enclose_writer(folders: &[PathBuf], files: &[PathBuf]) {
    #[cfg(target_os = "linux")]
    files::writes(folders, files);
    #[cfg(not(target_os = "linux"))]
    let _ = (folders, files);
}

#[cfg(target_os = "linux")]
fn begin(profile: &'static Profile, nothing: Held) -> Held {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
    let seccomp = calls::filter(profile).is_ok();
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
    let seccomp = {
        let _ = profile;
        false
    };
    Held {
        seccomp,
        no_new_privs: rustix::thread::set_no_new_privs(true).is_ok(),
        memory_closed: set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok(),
        no_core: setrlimit(Resource::Core, none).is_ok(),
        ..nothing
    }
}

/// Lets this process hold as many files open as the system lets it: often a thousand until it asks.
pub fn raise_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        // Where this is refused, what cannot be opened is reported.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

#[cfg(not(target_os = "linux"))]
fn begin(_: &'static Profile, nothing: Held) -> Held {
    nothing
}
