//! Seccomp: which system calls answer `EPERM`. Everything else works as ever, whatever C library and kernel; the calls named are
//! those that start programs, open sockets, change files or the system, or look into other processes.

use std::collections::BTreeMap;

use libc::{c_int, c_long};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter, apply_filter_all_threads,
};

use super::{Profile, Sockets};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Nobody needs these, the thread that writes included.
const NEVER: &[c_long] = &[
    // Starting programs, and looking into others.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_tkill,
    // Sockets that wait for others.
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_socketpair,
    // The system.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_open_by_handle_at,
    libc::SYS_quotactl,
    libc::SYS_acct,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_syslog,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // What is done there no filter sees.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Other people's files and marks on files.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_mknodat,
    libc::SYS_symlinkat,
    libc::SYS_linkat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_fanotify_mark,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mknod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    // `fchmodat2` and newer calls on marks; their numbers are the same everywhere.
    452,
    463,
    466,
];

/// Needed by the thread that writes alone.
const WRITING: &[c_long] = &[
    libc::SYS_renameat2,
    libc::SYS_unlinkat,
    libc::SYS_mkdirat,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    // `renameat`; not every C library has its name.
    #[cfg(target_arch = "aarch64")]
    38,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_renameat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
];

/// On x86-64 a second set of numbers leads to the same calls, some of them to their own.
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;
#[cfg(target_arch = "x86_64")]
const X32_EXEC: &[i64] = &[520, 521, 545];

/// All threads lose what no one needs; then this one, and those it starts, what writing needs.
///
/// # Errors
/// Where the kernel has no filters, or this machine is none that they are known for.
pub fn filter(profile: &Profile) -> Outcome<()> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let mut never = all_of(NEVER);
    sockets(profile.sockets, &mut never)?;
    let other = || condition(0, Op::Ne, u64::from(std::process::id()));
    for signal in [libc::SYS_kill, libc::SYS_tgkill] {
        never.insert(signal, vec![SeccompRule::new(vec![other()?])?]);
    }
    // A thread is no process: that is what the flags say.
    never.insert(libc::SYS_clone, vec![masked(0, u64::try_from(libc::CLONE_THREAD)?, 0)?]);
    #[cfg(target_arch = "x86_64")]
    {
        let twins: Vec<i64> = NEVER.iter().map(|n| n | X32).chain(X32_EXEC.iter().map(|n| n | X32)).collect();
        never.extend(twins.into_iter().map(|n| (n, Vec::new())));
    }
    let mut writing = all_of(WRITING);
    writing.insert(libc::SYS_openat, opened_for_writing(2)?);
    #[cfg(target_arch = "x86_64")]
    writing.insert(libc::SYS_open, opened_for_writing(1)?);
    // The flags of `clone3` stand where no filter sees them: without it C libraries use `clone`.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    apply_filter_all_threads(&compiled(clone3, libc::ENOSYS, arch)?)?;
    apply_filter_all_threads(&compiled(never, libc::EPERM, arch)?)?;
    apply_filter(&compiled(writing, libc::EPERM, arch)?)?;
    Ok(())
}

/// This thread, and those it starts, keep these sockets alone.
///
/// # Errors
/// As for [`filter`].
pub fn narrow(allowed: Sockets) -> Outcome<()> {
    let mut rules = Rules::new();
    sockets(allowed, &mut rules)?;
    apply_filter(&compiled(rules, libc::EPERM, TargetArch::try_from(std::env::consts::ARCH)?)?)?;
    Ok(())
}

fn compiled(rules: Rules, error: c_int, arch: TargetArch) -> Outcome<BpfProgram> {
    let refused = SeccompAction::Errno(u32::try_from(error)?);
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, refused, arch)?.try_into()?)
}

fn all_of(calls: &[c_long]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

fn sockets(allowed: Sockets, rules: &mut Rules) -> Outcome<()> {
    // Netlink is asked for the addresses of this machine before a name is.
    let families: &[c_int] = match allowed {
        Sockets::None => {
            rules.extend(all_of(&[libc::SYS_socket, libc::SYS_connect, libc::SYS_bind]));
            return Ok(());
        }
        Sockets::Tcp => &[libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK],
        Sockets::Unix => &[libc::AF_UNIX],
        Sockets::TcpAndUnix => &[libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_UNIX],
    };
    if allowed == Sockets::Unix {
        rules.extend(all_of(&[libc::SYS_bind]));
    }
    let other = families.iter().map(|f| condition(0, Op::Ne, u64::try_from(*f)?));
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(other.collect::<Outcome<_>>()?)?]);
    Ok(())
}

/// `open` with flags that create, cut or write, at this argument.
fn opened_for_writing(flags: u8) -> Outcome<Vec<SeccompRule>> {
    let bits = [libc::O_CREAT, libc::O_TRUNC, libc::O_WRONLY, libc::O_RDWR];
    bits.iter().map(|bit| u64::try_from(*bit).map_err(Into::into).and_then(|bit| masked(flags, bit, bit))).collect()
}

fn masked(argument: u8, mask: u64, value: u64) -> Outcome<SeccompRule> {
    Ok(SeccompRule::new(vec![condition(argument, Op::MaskedEq(mask), value)?])?)
}

fn condition(argument: u8, op: Op, value: u64) -> Outcome<SeccompCondition> {
    Ok(SeccompCondition::new(argument, Len::Dword, op, value)?)
}
