//! Which package may depend on which: the house's arrows, and a checker for them.
//!
//! A [`Graph`] is what `cargo metadata` says, reduced to names and edges, so that a made-up house can be checked too.
//! Features are unified over the workspace there, so an edge may stand in the graph that one package alone would not
//! have: the checker errs on the strict side only. Optional edges of our own packages count where the rule says so.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata};

/// Our packages, and for each the packages of ours that it may name.
const OURS: [(&str, &[&str]); 6] = [
    ("twocan-core", &[]),
    ("twocan-api", &[]),
    ("twocan-service", &["twocan-core", "twocan-api"]),
    ("twocan", &["twocan-service", "twocan-api"]),
    ("twocan-tray", &["twocan-api"]),
    (
        "twocan-tests",
        &["twocan-core", "twocan-api", "twocan-service", "twocan", "twocan-tray"],
    ),
];

/// Input and output in any form: what neither the core nor the bare API may reach, however far away.
const IO: [&str; 8] = ["tokio", "mio", "quinn", "quinn-udp", "rtc", "axum", "hyper", "socket2"];

/// What the tray, a client of the local API like any script, may not reach: the daemon, and toolkits that bring system
/// libraries with them.
const NOT_IN_TRAY: [&str; 13] = [
    "twocan-core",
    "twocan-service",
    "quinn",
    "rtc",
    "axum",
    "gtk",
    "gtk4",
    "gtk-sys",
    "gdk",
    "glib",
    "glib-sys",
    "libappindicator",
    "libdbus-sys",
];

/// Crates that one package alone may name; every other one of ours goes through it. Tests may name anything.
const BEHIND_SERVICE: [&str; 7] = [
    "quinn",
    "quinn-proto",
    "quinn-udp",
    "rtc",
    "mainline",
    "portmapper",
    "mdns-sd",
];

/// What a package names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// Part of the workspace.
    pub ours: bool,
    /// What every build of it needs.
    pub needs: BTreeSet<String>,
    /// What it needs with a feature only.
    pub with_feature: BTreeSet<String>,
    /// What its tests need.
    pub for_tests: BTreeSet<String>,
}

/// All packages by name. Two versions of one crate are one package here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph(BTreeMap<String, Package>);

impl Graph {
    /// The graph of a resolved workspace.
    ///
    /// # Panics
    /// If the metadata was read without its resolution.
    #[must_use]
    pub fn new(metadata: &Metadata) -> Self {
        let by_id: BTreeMap<_, _> = metadata.packages.iter().map(|package| (&package.id, package)).collect();
        let mut graph = Self::default();
        for node in &metadata.resolve.as_ref().expect("metadata with its resolution").nodes {
            let package = by_id[&node.id];
            let ours = metadata.workspace_members.contains(&node.id);
            graph.0.entry(package.name.to_string()).or_default().ours |= ours;
            for dep in &node.deps {
                let name = by_id[&dep.pkg].name.to_string();
                let kinds: Vec<_> = dep.dep_kinds.iter().map(|kind| kind.kind).collect();
                let optional = ours
                    && package.dependencies.iter().any(|declared| {
                        declared.name == name && declared.optional && declared.kind != DependencyKind::Development
                    });
                let tests_only = kinds.iter().all(|kind| *kind == DependencyKind::Development);
                graph.arrow(package.name.as_str(), &name, Edge::of(tests_only, optional));
            }
        }
        graph
    }

    /// Adds an arrow, and its two ends where they are new.
    pub fn arrow(&mut self, from: &str, to: &str, edge: Edge) {
        self.0.entry(to.to_owned()).or_default();
        let package = self.0.entry(from.to_owned()).or_default();
        let list = match edge {
            Edge::Always => &mut package.needs,
            Edge::WithFeature => &mut package.with_feature,
            Edge::ForTests => &mut package.for_tests,
        };
        list.insert(to.to_owned());
    }

    /// Adds a package of ours without arrows.
    pub fn ours(&mut self, name: &str) {
        self.0.entry(name.to_owned()).or_default().ours = true;
    }

    /// Everything that is wrong, one sentence each; empty when the house stands as designed.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, package) in self.0.iter().filter(|(_, package)| package.ours) {
            let Some((_, allowed)) = OURS.iter().find(|(ours, _)| ours == name) else {
                wrong.push(format!("{name} has no room in the house"));
                continue;
            };
            for to in self
                .named(package)
                .filter(|to| self.is_ours(to) && !allowed.contains(to))
            {
                wrong.push(format!("{name} names {to}"));
            }
            let exempt = ["twocan-service", "twocan-tests"].contains(&name.as_str());
            for to in self.named(package).filter(|to| BEHIND_SERVICE.contains(to) && !exempt) {
                wrong.push(format!("{name} names {to}, which stands behind twocan-service"));
            }
        }
        wrong.extend(self.reaches("twocan-core", &IO, true));
        wrong.extend(self.reaches("twocan-api", &IO, false));
        wrong.extend(self.reaches("twocan-tray", &NOT_IN_TRAY, true));
        wrong
    }

    fn is_ours(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|package| package.ours)
    }

    fn named<'a>(&self, package: &'a Package) -> impl Iterator<Item = &'a str> + use<'a> {
        let Package {
            ours: _,
            needs,
            with_feature,
            for_tests,
        } = package;
        needs.iter().chain(with_feature).chain(for_tests).map(String::as_str)
    }

    /// Everything that `from` reaches, through normal and build arrows, with all its features.
    #[must_use]
    pub fn reached(&self, from: &str) -> BTreeSet<String> {
        self.ways(from, true).into_keys().map(str::to_owned).collect()
    }

    /// The ways from `from` to any of `banned`, through normal and build arrows.
    fn reaches(&self, from: &str, banned: &[&str], features: bool) -> Vec<String> {
        let came_from = self.ways(from, features);
        let found = banned.iter().filter(|name| came_from.contains_key(**name));
        found
            .map(|name| format!("{from} reaches {name}: {}", way(&came_from, name)))
            .collect()
    }

    /// What is reached from `from`, and from where it was.
    fn ways<'a>(&'a self, from: &'a str, features: bool) -> BTreeMap<&'a str, Option<&'a str>> {
        let mut came_from = BTreeMap::from([(from, None)]);
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            let Some(package) = self.0.get(at) else { continue };
            let optional = package.with_feature.iter().filter(|_| features || at != from);
            for to in package.needs.iter().chain(optional) {
                came_from.entry(to).or_insert_with(|| {
                    open.push(to);
                    Some(at)
                });
            }
        }
        came_from
    }
}

/// When an arrow counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// In every build.
    Always,
    /// With a feature.
    WithFeature,
    /// In tests.
    ForTests,
}

impl Edge {
    const fn of(tests_only: bool, optional: bool) -> Self {
        match (tests_only, optional) {
            (true, _) => Self::ForTests,
            (false, true) => Self::WithFeature,
            (false, false) => Self::Always,
        }
    }
}

fn way(came_from: &BTreeMap<&str, Option<&str>>, to: &str) -> String {
    let mut steps = vec![to];
    while let Some(Some(before)) = steps.last().and_then(|at| came_from.get(at)) {
        steps.push(before);
    }
    steps.reverse();
    steps.join(" → ")
}
