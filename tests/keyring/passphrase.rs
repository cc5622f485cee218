//! A key under a passphrase: typed without an echo, piped, handed over by systemd, and wrong.

use super::*;

/// A person whose key is sealed under "correct horse"; there is no keyring.
async fn sealed(desktop: &Desktop) -> (Home, Value) {
    let mut home = home_on(desktop, "Ann");
    home.begin_life().await;
    let person = person(&home).await;
    home.stop().await;
    let mut command = typed(desktop, &home.path(), &["key", "move", "passphrase"]);
    run(&mut command, "correct horse\n").await.exited(0);
    (home, person)
}

#[tokio::test]
async fn a_wrong_passphrase_opens_nothing_and_says_so() {
    let desktop = Desktop::bare(false).await;
    let (home, _) = sealed(&desktop).await;
    for (input, said) in [
        ("correct horsf\n", "is not the passphrase"),
        ("\n", "give the passphrase on standard input"),
        ("", "give the passphrase on standard input"),
    ] {
        let up = run(&mut typed(&desktop, &home.path(), &UP), input).await.exited(1);
        assert!(up.stderr.contains(said), "{up:?}");
        assert!(!up.stderr.contains("horsf") && up.stdout.is_empty(), "{up:?}");
    }
}

#[tokio::test]
async fn a_credential_of_systemds_opens_it() {
    let desktop = Desktop::bare(false).await;
    let (mut home, before) = sealed(&desktop).await;
    let record = std::fs::read_to_string(home.path().join("state.key")).unwrap();
    assert!(
        record.starts_with("twocan-key 1 passphrase argon2id 65536 3 4 "),
        "{record}"
    );
    std::fs::write(desktop.folder().join("twocan.passphrase"), "correct horse\n").unwrap();
    home.set("CREDENTIALS_DIRECTORY", desktop.folder().to_str().unwrap());
    home.start().await;
    assert_eq!(person(&home).await, before);
    assert_eq!(store(&home).await, "passphrase");
    assert!(!warns(&home, "key_in_file").await);
    assert!(!home.log().contains("horse"));
}

#[tokio::test]
async fn a_key_that_systemd_hands_over_is_used_and_never_written() {
    let desktop = Desktop::bare(false).await;
    let key = desktop.folder().join("twocan.key");
    std::fs::write(&key, "a5".repeat(32)).unwrap();
    let mut home = home_on(&desktop, "Ann");
    home.set("CREDENTIALS_DIRECTORY", desktop.folder().to_str().unwrap());
    home.begin_life().await;
    let before = person(&home).await;
    assert_eq!(store(&home).await, "credential");
    home.restart().await;
    assert_eq!(person(&home).await, before);
    home.stop().await;
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "a5".repeat(32));
    std::fs::remove_file(&key).unwrap();
    let up = run(&mut typed(&desktop, &home.path(), &UP), "").await.exited(1);
    assert!(up.stderr.contains("LoadCredential"), "{up:?}");
}

/// An upgrade happens when nobody is there to say the passphrase again.
#[tokio::test]
async fn an_upgrade_does_not_ask_for_it_again() {
    let desktop = Desktop::bare(false).await;
    let (home, before) = sealed(&desktop).await;
    let path = desktop.folder().join("twocan");
    place(twocan(), &path);
    let mut up = command_of(&path, &home.path(), None);
    let log = desktop.folder().join("up.log");
    let mut child = up
        .args(UP)
        .env("DBUS_SESSION_BUS_ADDRESS", desktop.address())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"correct horse\n").await.unwrap();
    drop(stdin);
    let answers = async || {
        let status = run(command(&home.path()).args(["--json", "status"]), "").await;
        (status.code == 0).then_some(())
    };
    until("the daemon", SOON, answers).await;

    let process = pid(&child).as_raw();
    for _ in 0..2 {
        place(twocan(), &path);
        assert_ne!(program(process), path);
        taken_up(process, &path).await;
        until("its API", SOON, answers).await;
        assert_eq!(person(&home).await, before);
        assert_eq!(store(&home).await, "passphrase");
    }
    let kept = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let kept = kept.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let handed: Vec<_> = kept
        .filter(|path| path.to_string_lossy().starts_with("/memfd:"))
        .collect();
    assert!(handed.is_empty(), "{handed:?}");
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(!said.contains("passphrase") && !said.contains("horse"), "{said}");
    kill(pid(&child), Signal::SIGTERM).unwrap();
    let status = at_most("the daemon's end", COMMAND, child.wait()).await.unwrap();
    assert!(status.success(), "{said}");
}

/// At a terminal: what is typed is not shown, and twice where it is new.
#[tokio::test]
async fn at_a_terminal_nothing_of_it_is_shown() {
    let desktop = Desktop::bare(false).await;
    let (home, _) = sealed(&desktop).await;
    let line = format!("'{}' key move passphrase", twocan().display());
    let like = typed(&desktop, &home.path(), &[]);
    let mut terminal = Command::new("script");
    for (name, value) in like.as_std().get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    let mut child = terminal
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = String::new();
    for (question, answer) in [
        ("Passphrase:", "correct horse"),
        ("New passphrase:", "battery staple"),
        ("The same again:", "battery staple"),
    ] {
        at_most(question, SOON, async {
            let mut piece = [0; 256];
            while !shown.ends_with(&format!("{question} ")) {
                let count = tokio::io::AsyncReadExt::read(&mut stdout, &mut piece).await.unwrap();
                assert!(count > 0, "it ended: {shown}");
                shown.push_str(&String::from_utf8_lossy(&piece[..count]));
            }
        })
        .await;
        stdin.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
    }
    let status = at_most("the command's end", COMMAND, child.wait()).await.unwrap();
    assert!(status.success(), "{shown}");
    assert!(!shown.contains("horse") && !shown.contains("staple"), "{shown}");
    let wrong = run(&mut typed(&desktop, &home.path(), &UP), "correct horse\n").await;
    wrong.exited(1);
}
