//! Each type of router is what it is called: a probe of ours measures it.

use twocan_tests::lab::{Kind, inside, probe};

/// Builds a site of each of these types, two clients in each home, and measures it.
fn measured(name: &str, kinds: &'static [Kind]) {
    inside(name, async |mut lab| {
        let server = lab.server();
        for kind in kinds {
            let mut site = lab.site(*kind);
            let second = kind
                .promise()
                .and_then(|promise| promise.hairpin)
                .map(|_| site.add_client());
            let found = probe(&site, second.as_ref(), &server);
            assert_eq!(found, kind.promise(), "{kind}\n{}", lab.state());
        }
    });
}

#[test]
fn of_the_matrix() {
    measured("types::of_the_matrix", &Kind::MATRIX);
}

#[test]
fn beside_the_matrix() {
    measured("types::beside_the_matrix", &Kind::OTHERS);
}
