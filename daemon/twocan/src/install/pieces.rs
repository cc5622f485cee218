//! What is installed: a list worked out from the places alone.

use std::path::{Path, PathBuf};

use clap_complete::Shell;

use crate::cmd::{completion_script, man_pages};
use crate::exit::Exit;
use crate::failure::Failure;

use super::places::Places;
use super::pointed;
use super::record::Record;

const USER_UNIT: &str = include_str!("../../../../packaging/systemd/twocan.service");
const SYSTEM_UNIT: &str = include_str!("../../../../packaging/systemd/twocan-system.service");
const MENU: &str = include_str!("../../../../packaging/twocan.desktop");
const TRAY: &str = include_str!("../../../../packaging/twocan-tray.desktop");
const TRAY_PAGE: &str = include_str!("../../../../packaging/twocan-tray.1");
const ICON: &str = include_str!("../../../page/icon.svg");

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it goes, as it is called when the machine runs.
    pub(super) path: PathBuf,
    pub(super) content: Content,
}

/// What a file is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(Vec<u8>),
    /// A copy of this program.
    Program(PathBuf),
    /// A program that an earlier installation put there, and that is running.
    Kept,
    /// A symbolic link to this.
    Link(PathBuf),
}

/// Everything that is to be there.
pub(super) fn all(places: &Places, before: &Record, with_tray: bool) -> Result<Vec<Piece>, Failure> {
    let tray = places.beside("twocan-tray");
    let has_tray = tray.is_file();
    if with_tray && !has_tray {
        let text = format!("There is no twocan-tray beside {}.", places.beside("twocan").display());
        let fix = "Put it there (cargo build --release -p twocan-tray makes it), or install without --tray.";
        return Err(Failure::new(Exit::Failed, text, fix));
    }
    let mut pieces = programs(places, before, has_tray);
    if places.shared().is_none() {
        pieces.extend(files(places, has_tray)?);
    }
    if places.is_one_users() {
        pieces.push(Piece {
            path: places.unit_link(),
            content: Content::Link(places.user_unit()),
        });
    }
    if with_tray {
        pieces.push(text(places.autostart(), pointed(TRAY, places.programs())));
    }
    Ok(pieces)
}

/// The programs, but where somebody else put them where they are to be.
fn programs(places: &Places, before: &Record, has_tray: bool) -> Vec<Piece> {
    let names = ["twocan"].into_iter().chain(has_tray.then_some("twocan-tray"));
    let places_of = names.map(|name| (places.programs().join(name), places.beside(name)));
    places_of
        .filter_map(|(path, from)| {
            let content = if places.on_disk(&path) != from {
                Content::Program(from)
            } else if before.names(&path) {
                Content::Kept
            } else {
                return None;
            };
            Some(Piece { path, content })
        })
        .collect()
}

/// Everything that a package would bring.
fn files(places: &Places, has_tray: bool) -> Result<Vec<Piece>, Failure> {
    let (programs, data) = (places.programs(), places.data());
    let mut pieces = vec![
        text(places.user_unit(), pointed(USER_UNIT, programs)),
        text(data.join("applications/twocan.desktop"), pointed(MENU, programs)),
        text(data.join("icons/hicolor/scalable/apps/twocan.svg"), ICON.to_owned()),
    ];
    if let Some(path) = places.system_unit() {
        pieces.push(text(path, pointed(SYSTEM_UNIT, programs)));
    }
    if has_tray {
        pieces.push(text(
            data.join("applications/twocan-tray.desktop"),
            pointed(TRAY, programs),
        ));
        pieces.push(text(data.join("man/man1/twocan-tray.1"), TRAY_PAGE.to_owned()));
    }
    pieces.extend(completions(places, data));
    let pages = man_pages()?.into_iter();
    pieces.extend(pages.map(|(name, page)| bytes(data.join("man/man1").join(name), page)));
    Ok(pieces)
}

fn completions(places: &Places, data: &Path) -> [Piece; 3] {
    let script = |path: PathBuf, shell: Shell| bytes(path, completion_script(shell));
    [
        script(data.join("bash-completion/completions/twocan"), Shell::Bash),
        script(places.zsh(), Shell::Zsh),
        script(data.join("fish/vendor_completions.d/twocan.fish"), Shell::Fish),
    ]
}

fn text(path: PathBuf, text: String) -> Piece {
    bytes(path, text.into_bytes())
}

const fn bytes(path: PathBuf, bytes: Vec<u8>) -> Piece {
    Piece {
        path,
        content: Content::Text(bytes),
    }
}
