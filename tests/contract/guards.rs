//! Every route of the description × every violation × both listeners: the documented refusal, and no effect.

use serde_json::{Value, json};
use twocan_tests::root;
use twocan_tests::wire::Request;

use super::stage::{Side, Stage};

/// One byte more than any body may have: JSON, and session descriptions.
const JSON_BYTES: usize = 6 * twocan_core::bounds::PASTE_BYTES + 4097;
const SDP_BYTES: usize = 256 * 1024 + 1;

/// An id that is nobody's.
const NOBODY: &str = "00000000000000000000000000000000";

/// One operation of the description.
struct Operation {
    method: String,
    path: String,
    /// What its body has to be.
    kind: String,
    statuses: Vec<u16>,
}

/// A request that must be refused, and how.
struct Case {
    what: String,
    request: Request,
    status: u16,
    code: &'static str,
}

fn operations() -> Vec<Operation> {
    let text = std::fs::read_to_string(root().join("api-docs/openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let content = operation["requestBody"]["content"].as_object();
            let kind = content.and_then(|content| content.keys().next().cloned());
            let responses = operation["responses"].as_object().unwrap();
            found.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                kind: kind.unwrap_or_else(|| "application/json".to_owned()),
                statuses: responses.keys().map(|status| status.parse().unwrap()).collect(),
            });
        }
    }
    found
}

impl Operation {
    /// The path with ids that exist.
    fn real(&self, stage: &Stage) -> String {
        let id = match self.path.split('/').nth(2) {
            Some("contacts") => &stage.contact,
            Some("invites") => &stage.invite,
            _ => &stage.call,
        };
        self.path.replace("{id}", id).replace("{leg}", "1")
    }

    /// What is said of an id that nothing has.
    fn missing(&self) -> &'static str {
        match self.path.split('/').nth(2) {
            Some("contacts") => "no_such_contact",
            Some("invites") => "no_such_invite",
            Some("pastes") => "no_such_paste",
            _ => "no_such_call",
        }
    }

    fn reads(&self) -> bool {
        self.method == "GET"
    }

    fn is_open(&self) -> bool {
        matches!(self.path.as_str(), "/healthz" | "/readyz")
    }

    /// What would be done if nothing were wrong with it.
    fn request(&self, side: &Side, stage: &Stage) -> Request {
        let request = side.request(&self.method, &self.real(stage));
        if self.reads() {
            return request;
        }
        let body = match self.path.as_str() {
            "/v1/me" => json!({ "name": "Mallory" }),
            "/v1/contacts" => json!({ "link": "twocan:x" }),
            "/v1/pastes" => json!({ "text": "twocan:x" }),
            "/v1/contacts/{id}" if self.method == "PATCH" => json!({ "name": "Mallory" }),
            "/v1/calls" => json!({ "to": "Bob" }),
            "/v1/calls/{id}/clip" => json!({ "seconds": 1 }),
            "/v1/data" => json!({ "everything": true }),
            _ => json!({}),
        };
        request.body(&self.kind, body.to_string())
    }

    fn cases(&self, side: &Side, stage: &Stage) -> Vec<Case> {
        let right = self.request(side, stage);
        let mut cases = Vec::new();
        let mut add = |what: &str, request: Request, status, code| {
            cases.push(Case {
                what: format!("{} on {}: {what}", request.line, side.name),
                request,
                status,
                code,
            });
        };
        let port = side.address.port();
        for host in [
            "evil.example",
            "127.0.0.1",
            "127.0.0.1:1",
            "0.0.0.0",
            &format!("evil.example:{port}"),
        ] {
            add(host, right.clone().set("Host", host), 403, "wrong_host");
        }
        add("no Host", right.clone().without("Host"), 403, "wrong_host");
        let mut origins = vec![
            "http://evil.example".to_owned(),
            "null".to_owned(),
            format!("http://localhost:{port}"),
        ];
        let mut sites = vec!["cross-site", "same-site"];
        if side.name == "control" {
            // A browser has no business here, wherever it comes from.
            origins.push(format!("http://{}", side.address));
            sites.push("same-origin");
            let referred = right.clone().set("Referer", "http://evil.example/");
            add("Referer", referred, 403, "wrong_origin");
        } else {
            // `none` is for navigations alone.
            sites.push("none");
            if !self.reads() {
                add("no Origin", right.clone().without("Origin"), 403, "wrong_origin");
            }
        }
        for origin in origins {
            add(&origin, right.clone().set("Origin", &origin), 403, "wrong_origin");
        }
        for site in sites {
            add(site, right.clone().set("Sec-Fetch-Site", site), 403, "wrong_origin");
        }
        if !self.is_open() {
            let locked = if side.name == "control" {
                "token_required"
            } else {
                "page_locked"
            };
            let (name, value) = &side.credential;
            let bare = right.clone().without(name);
            add("no credential", bare.clone(), 401, locked);
            add(
                "wrong credential",
                bare.clone().set(name, format!("{value}0")),
                401,
                locked,
            );
            add(
                "the other listener's credential",
                bare.set(side.wrong.0, &side.wrong.1),
                401,
                locked,
            );
        }
        if !self.reads() {
            for kind in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
            ] {
                add(kind, right.clone().body(kind, "{}"), 415, "wrong_type");
            }
            let bytes = if self.kind.contains("sdp") {
                SDP_BYTES
            } else {
                JSON_BYTES
            };
            add(
                "too large",
                right.clone().body(&self.kind, vec![b' '; bytes]),
                413,
                "too_large",
            );
        }
        if self.path.contains("{id}") {
            for id in [NOBODY, "x", "%00", "%ff", &"9".repeat(300)] {
                let path = self.path.replace("{id}", id).replace("{leg}", "1");
                let mut request = right.clone();
                request.line = format!("{} {path}", self.method);
                add("unknown id", request, 404, self.missing());
            }
        }
        cases
    }
}

#[tokio::test]
async fn every_violation_of_every_route_is_refused_without_effect() {
    let stage = Stage::set().await;
    let (operations, before) = (operations(), stage.picture().await);
    assert!(operations.len() >= 28, "{}", operations.len());
    let mut sent = 0;
    for side in stage.sides().await {
        for operation in &operations {
            for case in operation.cases(&side, &stage) {
                let answer = case.request.send(side.address).await;
                let what = &case.what;
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (case.status, case.code),
                    "{what}: {answer:?}"
                );
                assert!(operation.statuses.contains(&case.status), "{what} is not documented");
                assert!(!answer.head.contains("access-control-"), "{what}: {}", answer.head);
                sent += 1;
            }
        }
    }
    assert_eq!(stage.picture().await, before, "after {sent} requests");
    // Without a violation the same request is carried out: what was refused above was refused for its violation.
    let [control, page] = stage.sides().await;
    for (side, name) in [(control, "Carol"), (page, "Carla")] {
        let path = format!("/v1/contacts/{}", stage.contact);
        let request = side
            .request("PATCH", &path)
            .body("application/json", json!({ "name": name }).to_string());
        assert_eq!(request.send(side.address).await.status, 200, "{}", side.name);
        assert_ne!(stage.picture().await, before);
    }
}
