//! What a process costs: processor time, wakeups and memory, as the kernel counts them.

use std::time::Duration;

/// A process at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time since its start.
    pub cpu: Duration,
    /// How often one of its threads has gone to sleep, and so has been woken.
    pub wakeups: u64,
    /// Memory of its own and its share of what it shares, in kB.
    pub memory_kb: u64,
    /// Memory of its own that it has written to, in kB. What it shares with others leaves this alone: of a page of the
    /// program, each of many processes has a smaller share.
    pub own_kb: u64,
}

impl Usage {
    /// Of a running process.
    ///
    /// # Panics
    /// If there is none with this id.
    #[must_use]
    pub fn of(pid: i32) -> Self {
        let memory = format!("/proc/{pid}/smaps_rollup");
        let mut usage = Self {
            memory_kb: number(&memory, "Pss:"),
            own_kb: number(&memory, "Private_Dirty:"),
            ..Self::default()
        };
        for task in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
            let task = task.unwrap().path();
            // A thread may end while it is looked at.
            let Ok(times) = std::fs::read_to_string(task.join("schedstat")) else {
                continue;
            };
            let nanos = times
                .split(' ')
                .next()
                .and_then(|nanos| nanos.parse().ok())
                .unwrap_or_default();
            usage.cpu += Duration::from_nanos(nanos);
            usage.wakeups += number(&task.join("status").display().to_string(), "voluntary_ctxt_switches:");
        }
        usage
    }
}

/// The number behind `key` in a file of keys and numbers; 0 where it is not.
fn number(file: &str, key: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}
