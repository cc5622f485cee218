//! The clock that the core is given, the alarm of its loop, and the notice that the machine slept.
//!
//! `boot` counts while the machine sleeps, and so does the alarm: one that falls due during sleep rings at once on
//! waking. A sleep shows as growth of boot time over monotonic time. A process that was stopped for a while, as by
//! SIGSTOP or a frozen virtual machine, shows as an alarm that rings much too late; for the peers it is the same.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};
use twocan_core::time::Now;

/// An alarm later than this counts as a sleep.
const LATE: Duration = Duration::from_secs(5);
/// Growth of boot time over monotonic time that counts as a sleep.
const SLEPT: Duration = Duration::from_secs(1);

#[cfg(any(target_os = "linux", target_os = "android"))]
const BOOT: ClockId = ClockId::CLOCK_BOOTTIME;
/// Elsewhere the monotonic clock counts sleep, or nothing does.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const BOOT: ClockId = ClockId::CLOCK_MONOTONIC;

/// The present moment.
#[must_use]
pub fn now() -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now {
        boot: boot(),
        wall: wall.as_secs(),
        millis: u16::try_from(wall.subsec_millis()).unwrap_or_default(),
    }
}

/// Time since boot, sleep included. Both clocks are part of the kernel's contract and reading them cannot fail.
fn boot() -> Duration {
    clock_gettime(BOOT).map(Duration::from).unwrap_or_default()
}

fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map(Duration::from)
        .unwrap_or_default()
}

/// Notices that the machine or this process stood still. Asked once a turn of the loop, before anything else.
#[derive(Debug)]
pub struct SleepWatch {
    /// Boot time less monotonic time, when last asked.
    ahead: Duration,
}

impl SleepWatch {
    /// Begins to watch.
    #[must_use]
    pub fn start() -> Self {
        Self {
            ahead: boot().saturating_sub(monotonic()),
        }
    }

    /// Whether there was a standstill since the last time this was asked. `due` is the alarm that was waited for.
    pub fn resumed(&mut self, due: Option<Duration>) -> bool {
        // The monotonic clock is read second, so that a pause between the two readings never looks like a sleep.
        let boot = boot();
        self.note(boot, monotonic(), due)
    }

    fn note(&mut self, boot: Duration, monotonic: Duration, due: Option<Duration>) -> bool {
        let ahead = boot.saturating_sub(monotonic);
        let slept = ahead > self.ahead + SLEPT;
        let late = due.is_some_and(|due| boot > due + LATE);
        self.ahead = ahead;
        slept || late
    }
}

pub use alarm::Alarm;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod alarm {
    use std::future::pending;
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, RawFd};
    use std::time::Duration;

    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use tokio::io::unix::AsyncFd;

    #[derive(Debug)]
    struct Timer(TimerFd);

    impl AsRawFd for Timer {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    /// One alarm on the boot-time clock; made and awaited within a tokio runtime.
    #[derive(Debug)]
    pub struct Alarm {
        timer: AsyncFd<Timer>,
        /// What the kernel's timer is set to, so that an unchanged alarm costs no system call.
        set: Option<Duration>,
    }

    impl Alarm {
        /// An alarm that is not set.
        ///
        /// # Errors
        /// The process has no file descriptor left.
        pub fn new() -> io::Result<Self> {
            let timer = TimerFd::new(
                ClockId::CLOCK_BOOTTIME,
                TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC,
            )?;
            #[expect(
                deprecated,
                reason = "its successor is unsafe; `Timer` keeps its one descriptor as long as it lives"
            )]
            let timer = AsyncFd::new(Timer(timer))?;
            Ok(Self { timer, set: None })
        }

        /// Waits until boot time `due`; for ever where there is none. Dropping the future loses nothing.
        ///
        /// # Errors
        /// The kernel refuses the timer.
        pub async fn until(&mut self, due: Option<Duration>) -> io::Result<()> {
            let Some(due) = due else { return pending().await };
            self.arm(due)?;
            while super::boot() < due {
                let mut ready = self.timer.readable().await?;
                // A timer re-armed after it rang still shows as readable once; the loop looks at the clock again.
                ready.clear_ready();
            }
            self.set = None;
            Ok(())
        }

        fn arm(&mut self, due: Duration) -> io::Result<()> {
            if self.set != Some(due) {
                // Zero would disarm the timer.
                let at = due.max(Duration::from_nanos(1));
                let at = Expiration::OneShot(TimeSpec::from_duration(at));
                self.timer.get_ref().0.set(at, TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
                self.set = Some(due);
            }
            Ok(())
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod alarm {
    use std::future::pending;
    use std::io;
    use std::time::Duration;

    /// How long a wait may go on without a look at the clock: timers of the runtime stand still in sleep.
    const LOOK: Duration = Duration::from_secs(5);

    /// One alarm on the boot-time clock; awaited within a tokio runtime.
    #[derive(Debug)]
    pub struct Alarm;

    impl Alarm {
        /// An alarm that is not set.
        ///
        /// # Errors
        /// None here.
        #[expect(clippy::unnecessary_wraps, reason = "elsewhere the system may refuse")]
        pub fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits until boot time `due`; for ever where there is none. Dropping the future loses nothing.
        ///
        /// # Errors
        /// None here.
        pub async fn until(&mut self, due: Option<Duration>) -> io::Result<()> {
            let Some(due) = due else { return pending().await };
            while let Some(left) = due.checked_sub(super::boot()).filter(|left| !left.is_zero()) {
                tokio::time::sleep(left.min(LOOK)).await;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn time_does_not_go_back() {
        let first = now();
        let second = now();
        assert!(second.boot >= first.boot);
        assert!(first.wall > 1_600_000_000);
    }

    #[test]
    fn sleep_and_standstill_are_noticed_once() {
        let mut watch = SleepWatch { ahead: 3 * SECOND };
        assert!(!watch.note(103 * SECOND, 100 * SECOND, None));
        assert!(
            !watch.note(113 * SECOND, 110 * SECOND, Some(112 * SECOND)),
            "an alarm a second late is a busy machine"
        );
        assert!(watch.note(173 * SECOND, 120 * SECOND, None), "the machine slept 50 s");
        assert!(!watch.note(174 * SECOND, 121 * SECOND, None));
        assert!(
            watch.note(184 * SECOND, 131 * SECOND, Some(178 * SECOND)),
            "the process was stopped"
        );
    }

    #[tokio::test]
    async fn the_alarm_rings_when_due_and_can_be_set_anew() {
        let mut alarm = Alarm::new().unwrap();
        let start = now().boot;
        for millis in [30, 20, 0, 40] {
            let due = start + Duration::from_millis(millis);
            tokio::time::timeout(5 * SECOND, alarm.until(Some(due)))
                .await
                .unwrap()
                .unwrap();
            assert!(now().boot >= due);
        }
        let far = now().boot + 3600 * SECOND;
        assert!(
            tokio::time::timeout(Duration::from_millis(20), alarm.until(Some(far)))
                .await
                .is_err()
        );
        assert!(
            tokio::time::timeout(Duration::from_millis(20), alarm.until(None))
                .await
                .is_err()
        );
        let near = now().boot + Duration::from_millis(10);
        tokio::time::timeout(5 * SECOND, alarm.until(Some(near)))
            .await
            .unwrap()
            .unwrap();
        assert!(now().boot < far);
    }
}
