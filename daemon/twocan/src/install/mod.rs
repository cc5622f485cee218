//! `twocan install`: everything that makes Twocan start by itself and be found, written to where a desktop looks for it, and taken
//! away again.
//!
//! What is to be there is a list of [`pieces::Piece`]s, worked out from [`places::Places`] alone. A record beside them
//! names every file and folder that was made; only what it names is ever overwritten or removed, programs of this name aside.
//! The packages are made from the same list (`--root`), so a file's content stands in one place: `packaging/`.

mod pieces;
mod places;
mod record;
mod system;
mod write;

use std::path::{Path, PathBuf};

use serde_json::json;
use twocan_api::client::Client;

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;

use self::places::Places;
use self::record::Record;
use self::system::Manager;

/// What is wanted.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The tray starts with the desktop.
    pub(crate) tray: bool,
    /// For all users of the machine.
    pub(crate) system: bool,
    /// Below this folder instead of `/`.
    pub(crate) root: Option<PathBuf>,
    /// The folder of a machine's programs and their files.
    pub(crate) prefix: PathBuf,
}

/// Writes everything, and has it started where that is one user's.
pub(crate) async fn install(wanted: &Wanted, out: Out) -> Done {
    let places = Places::find(wanted)?;
    let before = Record::read(&places)?;
    let with_tray = wanted.tray || before.names(&places.autostart());
    let pieces = pieces::all(&places, &before, with_tray)?;
    let after = write::everything(&places, &before, &pieces)?;
    let mut lines = vec![format!("Installed: {} files below {}.", pieces.len(), places.shown())];
    lines.extend(if places.is_one_users() {
        system::tell_desktop(&places);
        begin(&places, &before).await
    } else {
        vec![
            "Each user who wants it: twocan install, with --tray for the icon in the panel.".to_owned(),
            "Or as a service of this machine, where nobody logs in: systemctl enable --now twocan".to_owned(),
        ]
    });
    let body = json!({ "files": after.files(), "program": places.program() });
    out.result(&body.to_string(), &lines);
    if places.is_one_users() && std::env::var_os("TWOCAN_HOME").is_some() {
        out.hint("TWOCAN_HOME is set here. What the system starts does not know it, and uses the usual folders.");
    }
    Ok(Exit::Done)
}

/// Has the user's service manager start the daemon; says how it stands.
async fn begin(places: &Places, before: &Record) -> Vec<String> {
    let Some(manager) = Manager::of_user() else {
        return vec![
            "No service manager of yours answers here. Where there is one, Twocan starts when you log in; until then: twocan up"
                .to_owned(),
        ];
    };
    let is_upgrade = before.names(&places.unit_link());
    if !manager.runs() && Client::find().status().await.is_ok() {
        return vec!["Twocan runs already, started by hand. From your next login on the system starts it.".to_owned()];
    }
    match manager.start().await {
        Err(why) => vec![
            format!("The system did not start Twocan: {why}."),
            "See why with: journalctl --user -u twocan".to_owned(),
        ],
        Ok(false) => vec!["Twocan is starting. What it waits for: twocan status".to_owned()],
        Ok(true) if is_upgrade => {
            vec!["Twocan runs. A newer program takes over by itself as soon as no call is on.".to_owned()]
        }
        Ok(true) => {
            vec!["Twocan runs, and starts by itself whenever you log in. Look at it with: twocan open".to_owned()]
        }
    }
}

/// Stops the daemon where that is one user's, and removes what was written.
pub(crate) fn uninstall(wanted: &Wanted, out: Out) -> Done {
    let places = Places::find(wanted)?;
    let record = Record::read(&places)?;
    if record.is_empty() {
        out.result(
            &json!({ "files": [] }).to_string(),
            &[format!("Nothing of `twocan install` is below {}.", places.shown())],
        );
        return Ok(Exit::Done);
    }
    let manager = places.is_one_users().then(Manager::of_user).flatten();
    if let Some(manager) = &manager {
        manager.stop();
    }
    write::remove(&places, &record)?;
    if let Some(manager) = &manager {
        manager.reload();
    }
    if places.is_one_users() {
        system::tell_desktop(&places);
        write::remove_folders(&places, &record);
    }
    let lines = [
        format!("Removed: {} files below {}.", record.files().len(), places.shown()),
        "Your identity, contacts and settings are where they were; `twocan privacy` says where.".to_owned(),
    ];
    out.result(&json!({ "files": record.files() }).to_string(), &lines);
    Ok(Exit::Done)
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    let fix = if error.kind() == std::io::ErrorKind::PermissionDenied {
        "Run it as the user whose folder that is; with --system as root."
    } else {
        "See that the disk has room and that the folder is yours."
    };
    Failure::new(
        Exit::Failed,
        format!("{} cannot be {what}: {error}.", path.display()),
        fix,
    )
}

/// The text of a piece whose program lies elsewhere than a package puts it.
fn pointed(text: &str, programs: &Path) -> String {
    text.replace("/usr/bin/", &format!("{}/", programs.display()))
}
