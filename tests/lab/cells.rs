//! Cells of the pair matrix, a day's worth: real daemons behind two routers become green and call each other.
//!
//! What is known not to work stands with its reason in the one table, `tests/src/lab/known.rs`: such a cell must fail
//! here, and one that works must not stand there. `./tests/run lab matrix` measures them all.

use twocan_tests::lab::{GREEN, KNOWN, Kind, Pair, Pairing, inside, known};

/// One cell: works, unless the table says why not.
fn cell(name: &str, pairing: Pairing) {
    inside(name, async |lab| {
        let pair = Pair::make(lab, pairing).await;
        let known = known(pairing);
        let outcome = pair.run(if known.is_some() { KNOWN } else { GREEN }).await;
        let [one, other] = pairing.words();
        let green = outcome.green;
        let technique = outcome.technique;
        eprintln!(
            "{one} × {other}: {technique:?}, green after {green:?}; {}",
            outcome.wrong
        );
        match known {
            Some(why) => assert!(
                !outcome.works(),
                "{one} × {other} works, and the table says why it does not ({why}): take it out of there"
            ),
            None => assert!(outcome.works(), "{one} × {other}: {}\n{}", outcome.wrong, pair.state()),
        }
    });
}

macro_rules! cells {
    ($($name:ident: $pairing:expr;)*) => {
        $(
            #[test]
            fn $name() {
                cell(concat!("cells::", stringify!($name)), $pairing);
            }
        )*
    };
}

use Kind::{
    AddrRestricted, CgUpnp, Cgnat, CgnatEim, Firewall6, FullCone, Hairpin, Linux, LinuxClash, Pcp, PortRestricted,
    Public, PublicFw, SymPcp, Symmetric, SymmetricSeq, UdpBlocked, Upnp,
};
use Pairing::{Apart, SameCarrier, SameHome};

cells! {
    public_public: Apart(Public, Public);
    public_linux: Apart(Public, Linux);
    public_symmetric: Apart(Public, Symmetric);
    public_cgnat: Apart(Public, Cgnat);
    public_udp_blocked: Apart(Public, UdpBlocked);
    public_fw_public_fw: Apart(PublicFw, PublicFw);
    public_fw_linux: Apart(PublicFw, Linux);
    full_cone_symmetric: Apart(FullCone, Symmetric);
    full_cone_cgnat: Apart(FullCone, Cgnat);
    addr_restricted_symmetric: Apart(AddrRestricted, Symmetric);
    addr_restricted_linux: Apart(AddrRestricted, Linux);
    port_restricted_port_restricted: Apart(PortRestricted, PortRestricted);
    port_restricted_symmetric: Apart(PortRestricted, Symmetric);
    linux_linux: Apart(Linux, Linux);
    linux_symmetric_seq: Apart(Linux, SymmetricSeq);
    linux_cgnat: Apart(Linux, Cgnat);
    linux_cgnat_eim: Apart(Linux, CgnatEim);
    linux_udp_blocked: Apart(Linux, UdpBlocked);
    symmetric_symmetric: Apart(Symmetric, Symmetric);
    symmetric_pcp: Apart(Symmetric, Pcp);
    symmetric_cgnat_eim: Apart(Symmetric, CgnatEim);
    cgnat_cgnat: Apart(Cgnat, Cgnat);
    cgnat_eim_cgnat_eim: Apart(CgnatEim, CgnatEim);
    pcp_sym_pcp: Apart(Pcp, SymPcp);
    cg_upnp_linux: Apart(CgUpnp, Linux);
    clash_linux: Apart(LinuxClash, Linux);
    clash_clash: Apart(LinuxClash, LinuxClash);
    udp_blocked_linux: Apart(UdpBlocked, Linux);
    cgnat_udp_blocked: Apart(Cgnat, UdpBlocked);
    udp_blocked_udp_blocked: Apart(UdpBlocked, UdpBlocked);
    firewall6_firewall6: Apart(Firewall6, Firewall6);
    upnp_symmetric: Apart(Upnp, Symmetric);
    one_home: SameHome(Linux);
    one_home_hairpin: SameHome(Hairpin);
    one_carrier: SameCarrier(CgnatEim);
}
