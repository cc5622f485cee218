//! The surface, as scripts type it.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use clap::CommandFactory as _;

use super::*;

fn parse(line: &str) -> Result<Args, clap::Error> {
    Args::try_parse_from(std::iter::once("twocan").chain(line.split_whitespace()))
}

fn parsed(line: &str) -> Args {
    parse(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
fn the_definition_holds_together() {
    Args::command().debug_assert();
}

#[test]
fn json_stands_in_either_place() {
    for line in [
        "--json status",
        "status --json",
        "call --json Ann",
        "call Ann --json",
        "--json demo --headless",
    ] {
        assert!(parsed(line).json, "{line}");
    }
    assert!(!parsed("status").json);
}

#[test]
fn every_line_of_the_surface_parses() {
    let lines = [
        "up",
        "up --udp 127.0.0.1:0 --control 127.0.0.1:0 --page 127.0.0.1:0",
        "up --udp [::]:2226",
        "status",
        "key",
        "key move keyring",
        "key move passphrase",
        "key move file",
        "invite",
        "add twocan:abc",
        "add Call me: twocan:abc",
        "add -",
        "add twocan:abc --name Ann",
        "contacts",
        "calls",
        "call Ann",
        "call Ann --audio-only --detach --no-page",
        "call Ann --headless --seconds 5",
        "answer",
        "answer c1",
        "answer c1 --headless --seconds 5",
        "decline",
        "decline c1",
        "hangup",
        "hangup c1",
        "doctor",
        "doctor Bob",
        "call 192.0.2.7",
        "call [2001:db8::1]:4000 --audio-only",
        "door",
        "door open",
        "door open --seconds 60",
        "door close",
        "keep",
        "keep c1 --no",
        "verify 192.0.2.7",
        "ping Ann",
        "events",
        "open",
        "open /contacts",
        "demo",
        "demo --no-page",
        "demo --headless --seconds 5 --json",
    ];
    for line in lines {
        parsed(line);
    }
}

#[test]
fn misuse_is_exit_code_two() {
    let lines = [
        "add",
        "call",
        "ping",
        "nonsense",
        "door ajar",
        "door open --seconds 3601",
        "door open --seconds 0",
        "status extra",
        "up --udp nowhere",
        "call Ann --seconds 5",
        "call Ann --headless --seconds 0",
        "call Ann --headless --detach",
        "demo --seconds 5",
        "",
    ];
    for line in lines {
        match parse(line) {
            Ok(_) => panic!("{line} parses"),
            Err(error) => assert_eq!(error.exit_code(), 2, "{line}"),
        }
    }
}

#[test]
fn hidden_flags_stay_hidden() {
    let mut command = Args::command();
    let Some(up) = command.find_subcommand_mut("up") else {
        panic!("no up")
    };
    let help = up.render_long_help().to_string();
    assert!(!help.contains("echo") && !help.contains("throwaway"), "{help}");
}
