#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use super::*;

/// The documented table, whole.
const WHOLE: &str = r#"
version = 1
[network]
udp = "[::]:2226"
stun = ["stun.example.org:3478", "[2001:db8::1]:3478"]
port_mapping = false
lan = false
[dht]
enabled = false
bootstrap = ["router.example.org:6881"]
[relay]
turn = [{ url = "turn:turn.example.org:3478", username = "me", credential = "secret" }]
for_contacts = true
[api]
control = "127.0.0.1:0"
page = "[::1]:2227"
[calls]
browser = "none"
one_click = true
window = false
ring_sound = false
max_video_kbit = 4000
[history]
keep = "30d"
[secrets]
store = "file"
"#;

fn problem(text: &str) -> String {
    Config::parse(text, "config.toml").unwrap_err().to_string()
}

fn from_variable(name: &str, value: &str) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    config.take_variable(name, value)?;
    Ok(config)
}

#[test]
fn the_whole_table_is_read() {
    let config = Config::parse(WHOLE, "config.toml").unwrap();
    assert_eq!(config.network.udp, Some("[::]:2226".parse().unwrap()));
    assert_eq!(config.network.stun.len(), 2);
    assert!(!config.network.port_mapping && !config.network.lan && !config.dht.enabled);
    assert_eq!(config.dht.bootstrap, ["router.example.org:6881"]);
    assert!(config.relay.for_contacts && config.calls.one_click && !config.calls.ring_sound);
    assert!(!config.calls.window && Config::default().calls.window);
    assert_eq!(config.relay.turn.first().unwrap().credential, "secret");
    assert_eq!(config.api.page, Some("[::1]:2227".parse().unwrap()));
    assert_eq!(config.calls.browser, Browser::None);
    assert_eq!(config.calls.max_video_kbit, Some(4000));
    assert_eq!(config.history.keep_days, Some(30));
    assert_eq!(config.secrets.store, SecretStore::File);
    assert!(
        !format!("{config:?}").contains("secret\""),
        "a credential is never shown"
    );
}

#[test]
fn an_empty_file_and_no_file_are_the_defaults() {
    assert_eq!(Config::parse("", "config.toml").unwrap(), Config::default());
    let folder = tempfile::tempdir().unwrap();
    assert!(Config::load(&folder.path().join("config.toml")).is_ok());
}

#[test]
fn unknown_keys_name_the_nearest_and_the_line() {
    let said = problem("version = 1\n[network]\nupd = \"x\"\n");
    assert_eq!(
        said,
        "config.toml line 3: unknown key network.upd; did you mean network.udp?"
    );
    assert!(problem("[netwrok]\n").contains("did you mean network?"));
    assert!(problem("udp = \"[::]:1\"\n").contains("did you mean network.udp?"));
    assert!(problem("[calls]\nudp = 1\n").contains("did you mean network.udp?"));
    assert!(problem("versoin = 1").contains("did you mean version?"));
    assert!(problem("[relay]\nturn = [{ url = \"turn:x\", user_name = \"y\" }]").contains("did you mean username?"));
    assert!(!problem("[calls]\nzzzzzzzzzzzz = 1\n").contains("did you mean"));
}

#[test]
fn wrong_values_name_key_line_and_what_is_wanted() {
    for (text, wanted) in [
        ("[network]\n\nudp = 5", "line 3: network.udp is a text in quotes"),
        (
            "[network]\nudp = \"2226\"",
            "line 2: network.udp is an address and a port",
        ),
        ("[network]\nlan = \"yes\"", "line 2: network.lan is true or false"),
        ("[network]\nstun = [1]", "line 2: network.stun is a list"),
        (
            "[network]\nstun = [\"nohost\"]",
            "\"nohost\", which is not \"host:port\"",
        ),
        ("[api]\npage = \"0.0.0.0:2227\"", "api.page is a loopback address"),
        ("[calls]\nmax_video_kbit = -1", "calls.max_video_kbit is a whole number"),
        ("[calls]\nmax_video_kbit = 49", "a whole number, 50 or more"),
        (
            "[history]\nkeep = \"forever\"",
            "history.keep is \"off\" or a number of days",
        ),
        ("[secrets]\nstore = \"cloud\"", "secrets.store is \"auto\""),
        ("network = 1", "network is a table"),
        ("version = 2", "version 2 is of a newer Twocan"),
        ("version = \"1\"", "version is the number 1"),
        ("[relay]\nturn = [{ username = \"x\" }]", "needs a url"),
        ("[network\nudp", "config.toml line 1: "),
    ] {
        let said = problem(text);
        assert!(said.contains(wanted), "{text:?} says {said:?}");
    }
}

#[test]
fn variables_override() {
    let config = from_variable("TWOCAN_NETWORK_UDP", "127.0.0.1:0").unwrap();
    assert_eq!(config.network.udp, Some("127.0.0.1:0".parse().unwrap()));
    assert!(
        !from_variable("TWOCAN_NETWORK_PORT_MAPPING", "false")
            .unwrap()
            .network
            .port_mapping
    );
    assert_eq!(
        from_variable("TWOCAN_CALLS_BROWSER", "none").unwrap().calls.browser,
        Browser::None
    );
    assert_eq!(
        from_variable("TWOCAN_CALLS_MAX_VIDEO_KBIT", "900")
            .unwrap()
            .calls
            .max_video_kbit,
        Some(900)
    );
    assert_eq!(
        from_variable("TWOCAN_NETWORK_STUN", "a:1, b:2").unwrap().network.stun,
        ["a:1", "b:2"]
    );
    let said = from_variable("TWOCAN_NETWORK_UPD", "x").unwrap_err().to_string();
    assert_eq!(
        said,
        "TWOCAN_NETWORK_UPD: unknown key network.upd; did you mean TWOCAN_NETWORK_UDP?"
    );
    for other in ["TWOCAN_HOME", "TWOCAN_LOG", "TWOCAN_TEST_SEED", "PATH"] {
        assert_eq!(from_variable(other, "x").unwrap(), Config::default());
    }
}
