//! `twocan up`: the daemon, in the foreground.

use std::io::{IsTerminal as _, Read as _};
use std::net::SocketAddr;

use nix::sys::signal::{Signal, raise};
use tracing_subscriber::EnvFilter;
use twocan_service::run::{UpOptions, up};

use crate::exit::Exit;
use crate::failure::{Done, Failure, sentence};
use crate::print::Out;

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
    /// End when standard input closes, so that no child outlives the process that started it.
    #[arg(long, hide = true)]
    leashed: bool,
}

/// Runs the daemon until a signal ends it.
pub(crate) async fn run(args: Up, out: Out) -> Done {
    log_to_stderr();
    if args.leashed {
        end_with_stdin();
    }
    let options = UpOptions {
        udp: args.udp,
        control: args.control,
        page: args.page,
        echo: args.echo,
    };
    match up(options, |ready| out.line(ready)).await {
        Ok(()) => Ok(Exit::Done),
        Err(error) => Err(Failure::new(Exit::Failed, sentence(&format!("{error:#}")), "")),
    }
}

/// Logs go to standard error, filtered by `TWOCAN_LOG`.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("TWOCAN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let stderr = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    drop(stderr.with_ansi(std::io::stderr().is_terminal()).try_init());
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
