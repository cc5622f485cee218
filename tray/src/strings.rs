//! Every sentence that the tray says, in English.

use twocan_api::KeyStore;

/// The program's name, as people know it.
pub(crate) const APP: &str = "Twocan";

/// `--help`.
pub(crate) const HELP: &str = "twocan-tray: Twocan in the tray of your desktop

Shows an icon, rings, and offers your contacts in its menu. Starts Twocan where it is not running.

Usage: twocan-tray [--help | --version]

Settings: tray.toml, beside Twocan's config.toml
  volume = 60          how loud it rings, 0 to 100
  mute = false         true: it does not ring";

/// A flag or word that is not known.
pub(crate) fn unknown_flag(flag: &str) -> String {
    format!("twocan-tray does not know '{flag}'; see twocan-tray --help")
}

/// The settings cannot be read.
pub(crate) fn bad_settings(file: &str, why: &str) -> String {
    format!("{file} cannot be read, so the usual settings are used: {why}")
}

/// An upgrade's tray does not start.
pub(crate) fn not_renewed(program: &str, why: &str) -> String {
    format!("The newly installed {program} cannot be started: {why}")
}

/// The settings cannot be written.
pub(crate) fn settings_not_kept(file: &str, why: &str) -> String {
    format!("The setting holds until the tray ends: {file} cannot be written: {why}")
}

// What the icon says when it is pointed at.

/// Calls ring here.
pub(crate) const REACHABLE: &str = "Calls ring here";
/// No network.
pub(crate) const NO_NETWORK: &str = "No network: nobody gets through";
/// Do not disturb.
pub(crate) const QUIET: &str = "Do not disturb: nothing rings";
/// The daemon is coming.
pub(crate) const STARTING: &str = "Twocan is starting …";
/// The daemon is gone.
pub(crate) const NOT_RUNNING: &str = "Twocan is not running";

/// Where the key is that seals identity and contacts.
pub(crate) const fn key(store: KeyStore) -> &'static str {
    match store {
        KeyStore::Keyring => "Your key is in your keyring",
        KeyStore::Passphrase => "Your key is sealed under your passphrase",
        KeyStore::Credential => "Your key is handed over by systemd",
        KeyStore::File => "Your key lies in a file, unprotected",
    }
}

/// Who rings.
pub(crate) fn rings(who: &str) -> String {
    format!("{who} is calling")
}

/// With whom the user talks.
pub(crate) fn in_call(who: &str) -> String {
    format!("In a call with {who}")
}

/// Whom the user calls.
pub(crate) fn calling(who: &str) -> String {
    format!("Calling {who}")
}

/// A caller without a name.
pub(crate) fn stranger(address: &str) -> String {
    format!("Unknown caller from {address}")
}

// The menu.

/// Answers, or opens the page where the call is answered.
pub(crate) const ANSWER: &str = "Answer";
/// The same, camera off.
pub(crate) const ANSWER_VOICE: &str = "Answer without camera";
/// Declines.
pub(crate) const DECLINE: &str = "Decline";
/// Hangs up.
pub(crate) const HANG_UP: &str = "Hang up";
/// Opens the page of the call.
pub(crate) const SHOW_CALL: &str = "Show the call";
/// Calls with picture.
pub(crate) const VIDEO_CALL: &str = "Video call";
/// Calls without.
pub(crate) const VOICE_CALL: &str = "Voice call";
/// Nobody to call.
pub(crate) const NO_CONTACTS: &str = "No contacts yet";
/// What did not fit.
pub(crate) const MORE: &str = "More people";
/// Makes an invite and copies it.
pub(crate) const COPY_LINK: &str = "Copy my Call-me link";
/// Adds whoever made the link that was copied.
pub(crate) const CALL_CLIPBOARD: &str = "Call the link in my clipboard";
/// Presence.
pub(crate) const DO_NOT_DISTURB: &str = "Do not disturb";
/// The ring's settings.
pub(crate) const RING: &str = "Ring sound";
/// The configuration says that nothing is to be heard.
pub(crate) const RING_OFF: &str = "Ring sound is off in config.toml";
/// How loud.
pub(crate) const RING_LOUD: &str = "Loud";
/// How loud.
pub(crate) const RING_MEDIUM: &str = "Medium";
/// How loud.
pub(crate) const RING_SOFT: &str = "Soft";
/// Not at all.
pub(crate) const RING_SILENT: &str = "Silent";
/// Opens the page.
pub(crate) const OPEN: &str = "Open Twocan";
/// Opens the page about the network.
pub(crate) const DOCTOR: &str = "Check my network";
/// Starts the daemon.
pub(crate) const START: &str = "Start Twocan";
/// Ends the tray and the daemon that it started.
pub(crate) const QUIT: &str = "Quit";
/// The same in a call.
pub(crate) const HANG_UP_AND_QUIT: &str = "Hang up and quit";
/// Ends the tray; the daemon is somebody else's.
pub(crate) const CLOSE_ICON: &str = "Close this icon; Twocan goes on";

/// A call that went by.
pub(crate) fn missed(who: &str) -> String {
    format!("Missed call from {who}")
}

/// Why somebody cannot be called yet.
pub(crate) const PENDING: &str = "Not added yet: waiting for the other side";
/// Why somebody cannot be called.
pub(crate) const CONTESTED: &str = "Somebody else used the same link: decide on the page";
/// Why somebody cannot be called.
pub(crate) const BLOCKED: &str = "Blocked";
/// Why somebody cannot be called yet.
pub(crate) const CHECKING: &str = "Looking whether a call would ring there …";
/// Why somebody cannot be called.
pub(crate) const OUT_OF_REACH: &str = "Cannot be reached";
/// Why nobody can be called.
pub(crate) const IN_CALL: &str = "You are in a call already";

// Notifications.

/// What a caller wants.
pub(crate) const VIDEO_RINGS: &str = "Video call. Your camera stays off until you answer on the page.";
/// What a caller wants.
pub(crate) const VOICE_RINGS: &str = "Voice call. Your microphone stays off until you answer on the page.";
/// The same where one click answers.
pub(crate) const VIDEO_RINGS_ONE_CLICK: &str = "Video call. Answer turns your camera and microphone on.";
/// The same where one click answers.
pub(crate) const VOICE_RINGS_ONE_CLICK: &str = "Voice call. Answer turns your microphone on.";
/// The link was copied.
pub(crate) const COPIED: &str = "Your Call-me link is copied";
/// What to do with it.
pub(crate) const COPIED_HELP: &str = "Paste it into a message to one person. It works once, for 48 hours.";
/// The link could not be copied.
pub(crate) const NOT_COPIED: &str = "The link could not be copied";
/// What to do about it.
pub(crate) const NOT_COPIED_HELP: &str = "Your page is opened instead: copy it there.";
/// The clipboard holds something else.
pub(crate) const NO_LINK: &str = "There is no Twocan link in the clipboard";
/// What to do about it.
pub(crate) const NO_LINK_HELP: &str = "Copy the message that your friend sent you, then try again.";
/// The clipboard cannot be read.
pub(crate) const NO_CLIPBOARD_HELP: &str =
    "The clipboard cannot be read here. Paste the link into the box on your page.";
/// A reply was taken.
pub(crate) const REPLY_TAKEN: &str = "Looking for whoever sent this";
/// What comes next.
pub(crate) const REPLY_TAKEN_HELP: &str = "It may take some seconds. Both of you leave Twocan running.";
/// The daemon was started.
pub(crate) const STARTED: &str = "Twocan was not running";
/// What was done about it.
pub(crate) const STARTED_HELP: &str = "It was started.";
/// The daemon does not start.
pub(crate) const NOT_STARTED: &str = "Twocan does not start";
/// The service manager does not start the service.
pub(crate) const SERVICE_REFUSED: &str = "Its service is not started. See why with: systemctl --user status twocan";
/// The service is started and does not answer.
pub(crate) const SERVICE_SILENT: &str = "Its service does not answer. See why with: journalctl --user -u twocan";
/// There is no such program.
pub(crate) const NO_PROGRAM: &str =
    "The program twocan was not found beside twocan-tray, nor where your shell looks for programs.";
/// It ended and said nothing.
pub(crate) const ENDED_SILENTLY: &str = "It ended and gave no reason.";
/// An act failed.
pub(crate) const FAILED: &str = "That did not work";
/// No browser.
pub(crate) const NO_BROWSER: &str = "No browser could be started";
/// What to do about it.
pub(crate) const NO_BROWSER_HELP: &str = "Run twocan open in a terminal: it prints the address of your page.";

/// No place for an icon.
pub(crate) const NO_TRAY: &str = "Your desktop has no place for tray icons";
/// What is done about it.
pub(crate) const NO_TRAY_HELP: &str = "Your page is opened instead. Calls still ring, and the icon appears as soon as a panel shows such icons (on GNOME: the extension AppIndicator).";
/// No bus.
pub(crate) const NO_BUS: &str = "There is no desktop session here (no D-Bus session bus), so there can be no icon and no notification. Your page is opened instead.";
/// Another tray of the same user.
pub(crate) const TWICE: &str = "Twocan is in the tray already.";
/// The icon cannot be made.
pub(crate) fn no_icon(why: &str) -> String {
    format!("The tray icon cannot be shown: {why}")
}
/// No player.
pub(crate) const NO_PLAYER: &str = "No program to play the ring was found (pw-play, paplay or aplay): calls ring silently. Install pipewire-bin, pulseaudio-utils or alsa-utils.";
