//! The names of everything that must hold. A violation has one of these, and `proof` demands a mutant for each.

use crate::sim::listed::listed;

listed! {
    /// What must hold.
    Invariant {
        // Dots.
        /// A green dot rests on a proof that is fresh.
        Green,
        /// A green dot's device would ring.
        WillRing,
        /// What can be green becomes green, within bounds.
        GreenInTime,
        /// Whoever is added is green on both sides within seconds.
        FreshAdd,
        // Finding.
        /// Two of whom nobody knows a right address find each other all the same.
        Found,
        /// Two who both moved are introduced within seconds by somebody whom both named.
        Introduced,
        /// Nobody who is blocked or contested can read where somebody is.
        Hidden,
        // Contacts and invites.
        /// Nobody gets lost.
        ContactLost,
        /// A daemon that starts again is who it was.
        Identity,
        /// A contact's device does not show another root.
        OtherRoot,
        /// An invite makes one contact.
        OneRedeemer,
        /// Of two redeemers one is contested, one refused, and all three are told.
        ContestedTold,
        /// The contested do not ring before the user has decided.
        ContestedRings,
        /// A redemption is pending while the inviter is away, and comes to an end when it is there.
        Pending,
        /// Both sides hold each other in the end, or neither does.
        Half,
        /// A deleted contact that is invited again is green again.
        GivenAgain,
        /// One's own link makes no contact.
        OwnRefused,
        /// An expired link makes no contact.
        ExpiredRefused,
        /// A damaged link makes no contact.
        DamagedRefused,
        // Calls.
        /// Calling a green contact rings on both sides.
        Rings,
        /// An answered call is active on both sides.
        Answer,
        /// Two who call each other are in one call, and nobody has missed one.
        Glare,
        /// An active call survives a short silence and a change of addresses.
        Survives,
        /// After a change of one side's network media passes again soon, where the two sides alone can bring that about.
        Gap,
        /// A call in which nothing is heard says so.
        SaysSilence,
        /// Both sides are told the predicted reason for the end.
        Reasons,
        /// A call that is over on one side is over on the other.
        BothEnd,
        /// Nothing rings without a caller.
        RingLease,
        /// A device has one call, but for a second one that waits where the user wants that.
        OneCall,
        // Strangers.
        /// Nobody rings at a closed door, and nobody while somebody else does.
        Door,
        /// Strangers keep each other, both of them or neither.
        Kept,
        // Media.
        /// No gate opens before both accepted.
        GateBeforeAccept,
        /// A gate opens once, and never after its end.
        GateAfterEnd,
        /// The media of an ended call was ended, once.
        EndMedia,
        // Manners.
        /// Who rang three times in vain does not ring, and sees that.
        RingLimit,
        /// Nothing of a blocked contact is heard or answered, until it is unblocked.
        Blocked,
        /// The far side sees whose microphone and camera are off.
        Sends,
        /// A second call waits, where the user wants that, until the first is over or given up for it.
        SecondCall,
        /// Both sides show the same safety words, soon.
        Words,
        // Packets.
        /// Strangers get no packet.
        Silence,
        /// A knock that comes again is answered at two addresses at most.
        Replays,
        /// An address that has proven nothing gets no more, and no larger, packets than it sent.
        Amplification,
        /// An address that has proven nothing gets the few packets of a search.
        Unproven,
        /// An address that has proven nothing gets few bytes a minute.
        UnprovenBytes,
        /// Nothing goes to an address that can only do harm.
        Forbidden,
        // Routers.
        /// Whoever can be joined is, soon.
        Punched,
        /// Nobody is green to whom no packet can be made to pass.
        Impossible,
        /// Keep-alives hold the places that routers forget after half a minute.
        HoldsPlace,
        /// Staying green costs three keep-alives a tick.
        IdleAlive,
        /// Looking for who has been away for long costs the packets of a search an hour.
        IdleKnocks,
        /// A day has at most fifty puts of a device.
        IdlePuts,
        /// Who is away is looked up ever more rarely.
        IdleGets,
        // Relays.
        /// Packets are passed on between two only whom the relay's user has allowed it.
        RelayAllowed,
        /// What a relay passes on is bounded by its bucket.
        RelayBytes,
        /// Two who cannot hear each other are green through a friend who relays for both.
        Relayed,
        /// A pair with a relayed path takes a direct one when there is one.
        DirectAgain,
        /// Nothing goes straight to somebody from whom the user hides, and no address is named to him.
        HidesAddress,
        // Sessions.
        /// Each message is applied once and in order.
        SessionOrder,
        /// No message is missing unless an end forgot.
        SessionGap,
        // The local API.
        /// Each command gets one reply, in time.
        OneReply,
        /// Clients are told of every change.
        Events,
        /// A daemon does not wake up without end.
        Progress,
    }
}
