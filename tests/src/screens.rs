//! What a screen has to keep to, whichever it is: axe-core finds nothing, nothing is wider than the window, light and dark,
//! large and small.
//!
//! axe-core is a package of npm, installed by `./tests/run`; `TWOCAN_AXE` names another copy of `axe.min.js`.

use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::chromium::Page;
use crate::root;

/// Windows that people have: a laptop's and a phone's.
const SIZES: [(u32, u32); 2] = [(1280, 720), (390, 844)];

/// The success criteria of WCAG 2.2 AA, and of its forerunners.
const RULES: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']";

/// The rules, as a script.
fn axe() -> &'static str {
    static SOURCE: LazyLock<String> = LazyLock::new(|| {
        let named = std::env::var_os("TWOCAN_AXE").map(PathBuf::from);
        let path = named.unwrap_or_else(|| root().join("target/axe/node_modules/axe-core/axe.min.js"));
        std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; run ./tests/run, which installs it", path.display()))
    });
    &SOURCE
}

/// Looks at the screen that `page` shows, in every size and scheme, and keeps a picture of each.
///
/// # Panics
/// If anything is found.
pub async fn check(page: &Page, screen: &str) {
    for (width, height) in SIZES {
        for scheme in ["light", "dark"] {
            show_as(page, width, height, scheme).await;
            let what = format!("{screen}-{width}-{scheme}");
            page.screenshot(&what).await;
            let wider =
                "return document.documentElement.scrollWidth > innerWidth ? document.documentElement.scrollWidth : 0";
            assert_eq!(
                page.run(wider).await,
                json!(0),
                "{what} is wider than its window of {width}"
            );
            let found = violations(page).await;
            assert!(found.is_empty(), "{what}: {found:#?}");
        }
    }
    let (width, height) = SIZES[0];
    show_as(page, width, height, "light").await;
}

/// Makes the window of this size, in this colour scheme. Animations are off, so that a picture shows an end and not a way.
async fn show_as(page: &Page, width: u32, height: u32, scheme: &str) {
    let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
    page.devtools("Emulation.setDeviceMetricsOverride", size).await;
    let features = json!({ "features": [
        { "name": "prefers-color-scheme", "value": scheme },
        { "name": "prefers-reduced-motion", "value": "reduce" },
    ] });
    page.devtools("Emulation.setEmulatedMedia", features).await;
    let drawn = format!(
        "return innerWidth === {width} && matchMedia('(prefers-color-scheme: {scheme})').matches
            && await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
    );
    page.until("the size and scheme", crate::chromium::STEP, &drawn).await;
}

/// What axe-core finds, one line each.
async fn violations(page: &Page) -> Vec<String> {
    if page.run("return typeof axe === 'undefined'").await == json!(true) {
        page.devtools("Runtime.evaluate", json!({ "expression": format!("{}\n;0", axe()) }))
            .await;
    }
    let script = format!(
        "const {{ violations }} = await axe.run(document, {{ runOnly: {RULES} }});
         return violations.flatMap(({{ id, impact, nodes }}) => nodes.map(node => `${{impact}} ${{id}}: ${{node.html.slice(0, 200)}}`));"
    );
    let found = page.run(&script).await;
    found
        .as_array()
        .unwrap()
        .iter()
        .map(|line: &Value| line.as_str().unwrap().to_owned())
        .collect()
}
