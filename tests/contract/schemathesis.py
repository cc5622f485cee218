"""How schemathesis writes bodies that are not JSON."""

import schemathesis

for kind in ("application/sdp", "application/trickle-ice-sdpfrag"):

    @schemathesis.serializer(kind)
    def plain(ctx, value):
        return value.encode("utf-8", "replace") if isinstance(value, str) else str(value).encode()
