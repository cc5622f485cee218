//! `twocan config`: what `config.toml` and the environment say, without a daemon.

use clap::{Args, Subcommand};
use serde_json::json;
use twocan_service::store::config::{Config, ConfigError};
use twocan_service::store::paths::Paths;

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;

/// The arguments.
#[derive(Debug, Args)]
pub(crate) struct Which {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Read config.toml and the TWOCAN_ variables as the daemon would, and say what is wrong.
    Check,
}

/// Checks. The daemon need not run; one that does has read its settings when it started.
pub(crate) fn run(args: &Which, out: Out) -> Done {
    match args.what {
        What::Check => check(out),
    }
}

fn check(out: Out) -> Done {
    let paths = Paths::resolve().map_err(|error| Failure::new(Exit::Failed, format!("{error:#}."), ""))?;
    let file = paths.config();
    let config = Config::load(&file).map_err(|error| wrong(&error))?;
    let shown = file.display();
    let mut lines = vec![if file.exists() {
        format!("{shown} is right.")
    } else {
        format!("There is no {shown}: every setting has its default.")
    }];
    if let Some(warning) = config.warning() {
        lines.push(warning.text);
    }
    let body = json!({ "file": file, "exists": file.exists(), "without_effect": config.idle });
    out.result(&body.to_string(), &lines);
    Ok(Exit::Done)
}

fn wrong(error: &ConfigError) -> Failure {
    let body = json!({ "code": "config_wrong", "place": error.place, "detail": error.problem });
    Failure {
        json: Some(body.to_string()),
        ..Failure::new(
            Exit::Failed,
            error.to_string(),
            "Correct it there; the README has the table of all settings.",
        )
    }
}
