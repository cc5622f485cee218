//! `twocan privacy`.

use twocan_api::Privacy;
use twocan_api::client::Client;

use crate::exit::Exit;
use crate::failure::Done;
use crate::print::Out;

/// Prints what is stored and what outsiders can see.
pub(crate) async fn run(out: Out) -> Done {
    let privacy = Client::find().privacy().await?;
    out.result(&privacy.json, &lines(&privacy.value));
    Ok(Exit::Done)
}

fn lines(privacy: &Privacy) -> Vec<String> {
    let mut lines = vec!["Stored:".to_owned()];
    for stored in &privacy.stored {
        let count = stored.count.map(|count| format!(" ({count})")).unwrap_or_default();
        lines.push(format!("- {}{count}", stored.what));
        lines.push(format!("  where: {}; {}", stored.place, stored.protection));
        lines.push(format!("  until: {}", stored.until));
    }
    lines.push("Who can see what:".to_owned());
    for outsider in &privacy.outsiders {
        lines.push(format!("- {}", outsider.who));
        lines.push(format!("  sees: {}", outsider.sees));
        lines.push(format!("  does not see: {}", outsider.hidden));
    }
    lines.push("Never:".to_owned());
    lines.extend(privacy.never.iter().map(|never| format!("- {never}")));
    lines
}
