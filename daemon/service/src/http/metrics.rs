//! `/metrics`: counts, in the Prometheus text format (0.0.4). No name, no address, no id.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use twocan_core::event::{CallState, ContactState};

use super::router::App;
use super::view;

/// A listener.
#[derive(Clone, Copy, Debug)]
pub(super) enum Door {
    Unix,
    Control,
    Page,
}

const DOORS: [(Door, &str); 3] = [(Door::Unix, "unix"), (Door::Control, "control"), (Door::Page, "page")];

/// Classes of status, by their first digit.
const CLASSES: [u16; 4] = [2, 3, 4, 5];

/// What only counting as it happens can tell.
#[derive(Debug, Default)]
pub(super) struct Meters {
    unix: Answers,
    control: Answers,
    page: Answers,
}

type Answers = [AtomicU64; CLASSES.len()];

impl Meters {
    /// Counts an answer.
    pub(super) fn count(&self, door: Door, status: StatusCode) {
        let class = status.as_u16() / 100;
        let counters = CLASSES.into_iter().zip(self.of(door));
        for (_, counter) in counters.filter(|(known, _)| *known == class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    const fn of(&self, door: Door) -> &Answers {
        match door {
            Door::Unix => &self.unix,
            Door::Control => &self.control,
            Door::Page => &self.page,
        }
    }
}

/// Counts for a monitoring system.
///
/// How many, never who: no name, no address, no id.
#[utoipa::path(get, path = "/metrics", operation_id = "getMetrics", tag = "service",
    responses((status = 200, description = "Prometheus text format", body = String, content_type = "text/plain")))]
pub(super) async fn show(State(app): State<App>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, render(&app))
}

fn render(app: &App) -> String {
    let published = app.published();
    let shown = &published.snapshot;
    let contacts = |state| shown.contacts.iter().filter(|contact| contact.state == state).count();
    let calls = |state| shown.calls.iter().filter(|call| call.state == state).count();
    let reach = |dot| {
        let shown = shown.contacts.iter();
        shown
            .filter(|contact| view::reachable_name(contact.reachable) == dot)
            .count()
    };
    let mut text = Text::default();
    text.head("twocan_build_info", "gauge", "The version that runs.");
    let version = &published.facts.version;
    text.line(&format!("twocan_build_info{{version=\"{version}\"}}"), 1);
    text.head("twocan_contacts", "gauge", "Contacts, by state.");
    for state in [ContactState::Pending, ContactState::Accepted, ContactState::Contested] {
        let name = view::contact_state_name(state);
        text.line(&format!("twocan_contacts{{state=\"{name}\"}}"), count(contacts(state)));
    }
    text.head(
        "twocan_contacts_reachable",
        "gauge",
        "Contacts, by what their dot shows.",
    );
    for dot in ["yes", "checking", "no"] {
        let name = format!("twocan_contacts_reachable{{reachable=\"{dot}\"}}");
        text.line(&name, count(reach(dot)));
    }
    text.head("twocan_calls", "gauge", "Listed calls, by state.");
    for state in [
        CallState::Dialing,
        CallState::Ringing,
        CallState::Active,
        CallState::Ended,
    ] {
        let name = view::call_state_name(state);
        text.line(&format!("twocan_calls{{state=\"{name}\"}}"), count(calls(state)));
    }
    text.head("twocan_calls_missed", "gauge", "Missed calls that were not seen yet.");
    let missed = shown.calls.iter().filter(|call| call.missed).count();
    text.line("twocan_calls_missed", count(missed));
    text.head("twocan_invites_open", "gauge", "Open invites.");
    text.line("twocan_invites_open", count(shown.invites.len()));
    text.head("twocan_warnings", "gauge", "Standing warnings.");
    text.line("twocan_warnings", count(view::warnings(&published).len()));
    text.head("twocan_events_total", "counter", "Events told since the start.");
    text.line("twocan_events_total", app.core.hub.told());
    text.answers(&app.meters);
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    // Writing to a String cannot fail.
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, series: &str, value: u64) {
        let _ = writeln!(self.0, "{series} {value}");
    }

    fn answers(&mut self, meters: &Meters) {
        let name = "twocan_api_answers_total";
        self.head(
            name,
            "counter",
            "Answers of the local API, by listener and class of status.",
        );
        for (door, label) in DOORS {
            for (class, counter) in CLASSES.into_iter().zip(meters.of(door)) {
                let series = format!("{name}{{listener=\"{label}\",class=\"{class}xx\"}}");
                self.line(&series, counter.load(Ordering::Relaxed));
            }
        }
    }
}

fn count(many: usize) -> u64 {
    u64::try_from(many).unwrap_or(u64::MAX)
}
