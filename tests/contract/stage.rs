//! Two acquainted daemons, one ringing the other, so that a request which is let through has something to change.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use twocan_tests::home::{Home, acquaint};
use twocan_tests::wire::Request;

const RING: Duration = Duration::from_secs(10);

/// Ann, who is being called by Bob and has an open invite.
pub(super) struct Stage {
    pub(super) ann: Home,
    pub(super) bob: Home,
    pub(super) contact: String,
    pub(super) invite: String,
    /// The link of that invite.
    pub(super) own: String,
    /// The link of an invite of Bob's.
    pub(super) foreign: String,
    pub(super) call: String,
}

/// One of Ann's listeners, and what lets a request in there.
pub(super) struct Side {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    pub(super) credential: (&'static str, String),
    pub(super) wrong: (&'static str, String),
}

impl Stage {
    pub(super) async fn set() -> Self {
        let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
        acquaint(&ann, &bob).await;
        let contact = ann.api().list("/v1/contacts").await.remove(0);
        let invite = ann.api().post("/v1/invites", json!({})).await.body;
        let foreign = bob.api().post("/v1/invites", json!({})).await.body;
        bob.api().post("/v1/calls", json!({ "to": "Ann" })).await;
        let call = ann.call("the ring", RING, |call| call["state"] == "ringing").await;
        bob.call("the ring there", RING, |call| call["state"] == "ringing")
            .await;
        let id = |thing: &Value| thing["id"].as_str().unwrap().to_owned();
        let link = |invite: &Value| invite["link"].as_str().unwrap().to_owned();
        Self {
            contact: id(&contact),
            invite: id(&invite),
            own: link(&invite),
            foreign: link(&foreign),
            call: id(&call),
            ann,
            bob,
        }
    }

    /// Everything of Ann that a request could change. How well a path does changes by itself.
    pub(super) async fn picture(&self) -> Value {
        let api = self.ann.api();
        let mut lists = Vec::new();
        for path in ["/v1/contacts", "/v1/invites", "/v1/calls"] {
            let mut items = api.list(path).await;
            for item in &mut items {
                let item = item.as_object_mut().unwrap();
                for by_itself in ["path", "reachable", "why", "reconnecting"] {
                    item.remove(by_itself);
                }
            }
            lists.push(items);
        }
        json!([lists, api.get("/v1/me").await, self.bob.api().list("/v1/calls").await])
    }

    /// Both TCP listeners.
    pub(super) async fn sides(&self) -> [Side; 2] {
        let ready = self.ann.ready();
        let address = |origin: &str| origin.strip_prefix("http://").unwrap().parse().unwrap();
        let (control, page) = (address(&ready.control), address(&ready.page));
        let token = std::fs::read_to_string(self.ann.path().join("run/api.token")).unwrap();
        let bearer = format!("Bearer {}", token.trim());
        let cookie = self.cookie(page).await;
        [
            Side {
                name: "control",
                address: control,
                credential: ("Authorization", bearer.clone()),
                wrong: ("Cookie", cookie.clone()),
            },
            Side {
                name: "page",
                address: page,
                credential: ("Cookie", cookie),
                wrong: ("Authorization", bearer),
            },
        ]
    }

    async fn cookie(&self, page: SocketAddr) -> String {
        let way_in = self.ann.api().post("/v1/page", json!({})).await.body;
        let (_, path) = way_in["url"].as_str().unwrap().split_once("/enter/").unwrap();
        let enter = Request::new("GET", &format!("/enter/{path}")).set("Host", page);
        let answer = enter.send(page).await;
        let line = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        line.and_then(|line| line.split(';').next())
            .expect("a cookie")
            .to_owned()
    }
}

impl Side {
    /// A request as this listener's own clients send it, without body.
    pub(super) fn request(&self, method: &str, path: &str) -> Request {
        let (name, value) = &self.credential;
        let request = Request::new(method, path).set("Host", self.address).set(name, value);
        if self.name == "control" {
            return request;
        }
        let request = request.set("Sec-Fetch-Site", "same-origin");
        if method == "GET" {
            request
        } else {
            request.set("Origin", format!("http://{}", self.address))
        }
    }
}
