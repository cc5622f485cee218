//! What the tray says while its daemon waits for a keyring, and afterwards.

use super::*;

#[tokio::test]
async fn the_tray_says_what_is_waited_for_and_where_the_key_is() {
    let mut desktop = Desktop::start().await;
    let (home, keyring, _) = kept(&desktop).await;
    keyring.lock().await;
    home.configure(
        "version = 1\n[network]\nudp = \"127.0.0.1:0\"\n[api]\ncontrol = \"127.0.0.1:0\"\npage = \"127.0.0.1:0\"\n",
    );
    desktop.set("TWOCAN_SECRETS_STORE", "auto");
    let mut tray = desktop.tray(&home.path());
    desktop.line(0, "Twocan waits for your keyring to be unlocked.").await;
    keyring.unlock().await;
    desktop.line(0, "Your key is in your keyring").await;
    // Moved by somebody else: the menu follows.
    let moved = run(&mut typed(&desktop, &home.path(), &["key", "move", "file"]), "").await;
    moved.exited(0);
    desktop.line(0, "Your key lies in a file, unprotected").await;
    desktop.click(0, "Quit").await;
    tray.ended().await;
}
