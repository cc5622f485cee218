//! `twocan doctor [WHO]`: what this device's network is like, and what that means for a path to somebody.

use twocan_api::client::Client;
use twocan_api::{
    AddressKind, ContactNetwork, FromOutside, Known, NatFiltering, NatMapping, Network, NetworkSource, SourceKind,
};

use crate::exit::Exit;
use crate::failure::Done;
use crate::print::Out;
use crate::who;

/// `twocan doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// A contact's name, its beginning, or its id: looks at both sides.
    who: Vec<String>,
}

/// Looks at the own network, or at both sides of a path.
pub(crate) async fn run(args: Doctor, out: Out) -> Done {
    let client = Client::find();
    if args.who.is_empty() {
        let contacts = client.contacts().await?.value.items;
        out.hint("Looking at your network takes some seconds.");
        let network = client.check_network().await?;
        let name = |id: &str| {
            let contact = contacts.iter().find(|contact| contact.id == id);
            contact.map_or_else(|| id.to_owned(), |contact| contact.name.clone())
        };
        out.result(&network.json, &lines(&network.value, name));
        return Ok(Exit::Done);
    }
    let contacts = client.contacts().await?.value.items;
    let contact = who::resolve(&contacts, &args.who.join(" "))?;
    let both = client.contact_network(&contact.id).await?;
    out.result(&both.json, &two_sided(&both.value));
    Ok(Exit::Done)
}

fn two_sided(both: &ContactNetwork) -> Vec<String> {
    let mut lines = vec![both.summary.text.clone()];
    lines.extend(both.path.as_ref().map(|path| {
        format!(
            "The path is {}, {:.0} ms.",
            crate::words::path_kind(path.kind),
            path.rtt_ms
        )
    }));
    lines.push(format!("One fix: {}", both.summary.fix));
    lines
}

fn lines(network: &Network, name: impl Fn(&str) -> String) -> Vec<String> {
    let mut lines = vec![
        network.summary.text.clone(),
        format!("One fix: {}", network.summary.fix),
    ];
    let mut say = |what: &str, how: &str| lines.push(format!("{what:<24}{how}"));
    say("reached from outside", from_outside(network.reachable));
    say("address translated", known(network.translated));
    say("mapping", mapping(network.mapping));
    say("filtering", filtering(network.filtering));
    say("hairpin", known(network.hairpin));
    say("port preservation", known(network.port_preservation));
    say("mapping lifetime", &lifetime(network));
    say("IPv6", known(network.ipv6));
    say("IPv6 filtering", filtering(network.ipv6_filtering));
    say("second NAT before it", known(network.double_nat));
    say("port mapper", &mapper(network));
    if network.disagreement {
        lines.push("The sources disagree; all of them are listed.".to_owned());
    }
    lines.push("Who says what:".to_owned());
    if network.sources.is_empty() {
        lines.push("  nobody has said anything".to_owned());
    }
    lines.extend(network.sources.iter().map(|source| told(source, &name)));
    lines.push("Addresses of this device, best first:".to_owned());
    let address = |address: &twocan_api::OwnAddress| format!("  {} ({})", address.address, kind(address.kind));
    lines.extend(network.addresses.iter().map(address));
    lines
}

fn lifetime(network: &Network) -> String {
    let known = match (network.lifetime_at_least_s, network.lifetime_at_most_s) {
        (None, None) => "unknown".to_owned(),
        (Some(least), None) => format!("at least {least} s"),
        (None, Some(most)) => format!("less than {most} s"),
        (Some(least), Some(most)) => format!("between {least} and {most} s"),
    };
    if network.measuring_lifetime {
        format!("{known}; it is being measured, which takes some minutes")
    } else {
        known
    }
}

fn told(source: &NetworkSource, name: &impl Fn(&str) -> String) -> String {
    let place = source.address.clone().unwrap_or_default();
    let who = match source.kind {
        SourceKind::Stun => format!("STUN server {place}"),
        SourceKind::Dht => format!("DHT node {place}"),
        SourceKind::Contact => source.contact.as_deref().map(name).unwrap_or_default(),
    };
    match &source.seen {
        Some(seen) => format!("  {who} sees {seen}"),
        None => format!("  {who} did not answer"),
    }
}

fn mapper(network: &Network) -> String {
    let mapping = &network.port_mapping;
    if !mapping.enabled {
        return "not asked".to_owned();
    }
    let protocols = [
        ("UPnP", mapping.upnp),
        ("NAT-PMP", mapping.nat_pmp),
        ("PCP", mapping.pcp),
    ];
    let answered: Vec<&str> = protocols
        .into_iter()
        .filter(|(_, is_there)| *is_there == Known::Yes)
        .map(|(name, _)| name)
        .collect();
    let who = if answered.is_empty() {
        "none answered".to_owned()
    } else {
        answered.join(", ")
    };
    match &mapping.external {
        Some(external) => format!("{who}; gave {external}"),
        None => who,
    }
}

const fn known(known: Known) -> &'static str {
    match known {
        Known::Yes => "yes",
        Known::No => "no",
        Known::Unknown => "unknown",
    }
}

const fn from_outside(reachable: FromOutside) -> &'static str {
    match reachable {
        FromOutside::Yes => "yes",
        FromOutside::No => "no",
        FromOutside::Unknown => "unknown",
    }
}

const fn mapping(mapping: NatMapping) -> &'static str {
    match mapping {
        NatMapping::EndpointIndependent => "endpoint-independent",
        NatMapping::AddressDependent => "address-dependent",
        NatMapping::AddressAndPortDependent => "address-and-port-dependent",
        NatMapping::Dependent => "dependent on the destination",
        NatMapping::Unknown => "unknown",
    }
}

const fn filtering(filtering: NatFiltering) -> &'static str {
    match filtering {
        NatFiltering::EndpointIndependent => "endpoint-independent",
        NatFiltering::AddressDependent => "address-dependent",
        NatFiltering::AddressAndPortDependent => "address-and-port-dependent",
        NatFiltering::Unknown => "unknown",
    }
}

const fn kind(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Host => "this device's own",
        AddressKind::Mapped => "mapped by the router",
        AddressKind::Reflexive => "as others see it",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_source_and_the_one_fix_are_said() {
        let network: Network = serde_json::from_value(serde_json::json!({
            "checking": false, "checked_s_ago": 0, "kind": "hard",
            "summary": {"code": "hard", "text": "Your router is hard.", "fix": "Turn on UPnP."},
            "reachable": "no", "translated": "yes", "mapping": "dependent", "filtering": "unknown", "hairpin": "unknown",
            "port_preservation": "no", "lifetime_at_least_s": 20,
            "lifetime_at_most_s": null, "measuring_lifetime": true, "ipv6": "yes", "ipv6_filtering": "address_and_port_dependent", "double_nat": "unknown", "disagreement": true,
            "port_mapping": {"enabled": true, "upnp": "yes", "nat_pmp": "no", "pcp": "no", "external": "203.0.113.7:9"},
            "sources": [
                {"kind": "stun", "address": "198.51.100.1:3478", "contact": null, "seen": "203.0.113.7:5", "s_ago": 0},
                {"kind": "stun", "address": "198.51.100.2:3478", "contact": null, "seen": null, "s_ago": 0},
                {"kind": "contact", "address": null, "contact": "c1", "seen": "203.0.113.7:6", "s_ago": 3}
            ],
            "addresses": [{"address": "203.0.113.7:9", "kind": "mapped"}]
        }))
        .unwrap();
        let said = lines(&network, |_| "Bob".to_owned()).join("\n");
        for line in [
            "Your router is hard.\nOne fix: Turn on UPnP.",
            "mapping lifetime        at least 20 s; it is being measured",
            "IPv6                    yes\nIPv6 filtering          address-and-port-dependent",
            "port mapper             UPnP; gave 203.0.113.7:9",
            "The sources disagree",
            "  STUN server 198.51.100.1:3478 sees 203.0.113.7:5\n  STUN server 198.51.100.2:3478 did not answer\n  Bob sees 203.0.113.7:6",
            "  203.0.113.7:9 (mapped by the router)",
        ] {
            assert!(said.contains(line), "{line} is not in\n{said}");
        }
    }

    #[test]
    fn a_lifetime_is_said_as_closely_as_it_is_known() {
        for (least, most, said) in [
            (None, None, "unknown"),
            (Some(20), None, "at least 20 s"),
            (None, Some(10), "less than 10 s"),
            (Some(20), Some(30), "between 20 and 30 s"),
        ] {
            let network = serde_json::json!({
                "checking": false, "checked_s_ago": 0, "kind": "easy", "summary": {"code": "easy", "text": "", "fix": ""},
                "reachable": "no", "translated": "yes", "mapping": "unknown", "filtering": "unknown", "hairpin": "unknown",
                "port_preservation": "no", "lifetime_at_least_s": least, "lifetime_at_most_s": most, "measuring_lifetime": false,
                "ipv6": "no", "ipv6_filtering": "unknown", "double_nat": "unknown", "disagreement": false,
                "port_mapping": {"enabled": false, "upnp": "no", "nat_pmp": "no", "pcp": "no", "external": null},
                "sources": [], "addresses": []
            });
            assert_eq!(lifetime(&serde_json::from_value(network).unwrap()), said);
        }
    }
}
