//! How much memory this process has.

/// Resident bytes; `None` where the system does not tell.
pub(super) fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let number: u64 = kibibytes.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(number * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_some_memory() {
        let bytes = resident().unwrap_or_default();
        assert!((100_000..100_000_000_000).contains(&bytes), "{bytes}");
    }
}
