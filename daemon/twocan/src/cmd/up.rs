//! `twocan up`: the daemon, in the foreground.

use std::ffi::OsStr;
use std::io::{IsTerminal as _, Read as _};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, raise};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use twocan_api::Why;
use twocan_service::run::{Ended, UpOptions, Voice, up};
use twocan_service::store::secrets::{Ask, AskUser, Heirloom};

use crate::demo;
use crate::exit::Exit;
use crate::failure::{Done, Failure, sentence};
use crate::print::Out;
use crate::secret;

/// `twocan up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    /// Address and port for calls; port 0 takes any [default: [::]:2226].
    #[arg(long, value_name = "ADDR:PORT")]
    udp: Option<SocketAddr>,
    /// Address and port of the control API; port 0 takes any [default: 127.0.0.1:2226].
    #[arg(long, value_name = "ADDR:PORT")]
    control: Option<SocketAddr>,
    /// Address and port of the call page; port 0 takes any [default: 127.0.0.1:2227].
    #[arg(long, value_name = "ADDR:PORT")]
    page: Option<SocketAddr>,
    /// Answer every call after one second and return what comes: Echo, of the demo.
    #[arg(long, hide = true)]
    echo: bool,
    /// End when standard input closes and remove the home: of the demo, whose daemons must not outlive it.
    #[arg(long, hide = true)]
    throwaway: bool,
}

/// Runs the daemon until a signal ends it.
pub(crate) async fn run(args: Up, out: Out) -> Done {
    log_to_stderr();
    if args.throwaway {
        end_with_stdin();
    }
    let options = UpOptions {
        udp: args.udp,
        control: args.control,
        page: args.page,
        echo: args.echo,
        renews: !args.throwaway,
        program: std::env::current_exe().ok().filter(|_| !args.echo),
    };
    let mut voice = Speaker { out };
    let ended = up(options, &mut voice).await;
    if args.throwaway {
        remove_home();
    }
    match ended {
        Ok(Ended::Asked) => Ok(Exit::Done),
        Ok(Ended::Replaced { program, key }) => Err(become_successor(&program, key, out)),
        Err(error) => Err(Failure::new(Exit::Failed, sentence(&format!("{error:#}")), "")),
    }
}

/// Goes on as the program that was installed in this one's place, in the same process and with the same arguments, so that
/// whoever started this daemon keeps it. Comes back only if that cannot be.
fn become_successor(program: &Path, key: Option<Heirloom>, out: Out) -> Failure {
    let mut successor = Command::new(program);
    successor.args(std::env::args_os().skip(1));
    let handed = key.map(|key| key.hand_over(&mut successor)).transpose();
    if let Err(error) = &handed {
        out.hint(&format!("The new program has to ask for the key anew: {error}."));
    }
    let error = successor.exec();
    let text = format!("The newly installed {} cannot be started: {error}.", program.display());
    Failure::new(
        Exit::Failed,
        text,
        "Install Twocan again, then start it with: twocan up",
    )
}

/// The daemon's voice: the ready line for scripts, everything else for people.
struct Speaker {
    out: Out,
}

impl Voice for Speaker {
    fn ready(&mut self, line: &str) {
        self.out.line(line);
    }

    fn waits(&mut self, why: &Why) {
        self.out.hint(&why.text);
        self.out.hint(&why.fix);
    }

    fn passphrases(&self) -> AskUser {
        let out = self.out;
        Box::new(move |ask| match ask {
            Ask::Open => secret::passphrase(out),
            Ask::New => secret::new_passphrase(out),
        })
    }
}

/// Removes a home that the demo made, and no other: its name tells.
fn remove_home() {
    let home = std::env::var_os("TWOCAN_HOME").map(PathBuf::from).unwrap_or_default();
    let name = home.file_name().and_then(OsStr::to_str).unwrap_or_default();
    if name.starts_with(demo::HOME_PREFIX) {
        drop(std::fs::remove_dir_all(home));
    }
}

/// Logs go to standard error, filtered by `TWOCAN_LOG`. Other people's crates do not know our rule that addresses stay
/// below INFO, so of them only errors are shown.
fn log_to_stderr() {
    let wanted = std::env::var("TWOCAN_LOG").ok().and_then(|text| text.parse().ok());
    let usual = || {
        let others = Targets::new().with_default(LevelFilter::ERROR);
        others.with_target("twocan", LevelFilter::INFO)
    };
    let stderr = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let filter: Targets = wanted.unwrap_or_else(usual);
    drop(tracing_subscriber::registry().with(stderr).with(filter).try_init());
}

/// The end of standard input counts as SIGTERM, so that the daemon takes its leave in order.
fn end_with_stdin() {
    std::thread::spawn(|| {
        let mut stdin = std::io::stdin().lock();
        let mut piece = [0; 64];
        while stdin.read(&mut piece).is_ok_and(|count| count > 0) {}
        let _ = raise(Signal::SIGTERM);
    });
}
