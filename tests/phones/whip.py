"""The HTTP side of WHIP and WHEP (RFC 9725), as far as the test phones need it."""

import pathlib
import sys
import urllib.parse
import urllib.request


def arguments(parser):
    """What every phone is told."""
    parser.add_argument("--control", required=True, help="the daemon's control address: http://127.0.0.1:PORT")
    parser.add_argument("--token", required=True, type=pathlib.Path, help="the file that holds the token")
    parser.add_argument("--direction", choices=["both", "send", "receive"], default="both")
    parser.add_argument("--format", choices=["VP8", "VP9", "H264"], help="the only video format that it knows")
    parser.add_argument("--kbit", type=int, default=600, help="of its picture, whatever becomes of it, where it can be told")
    parser.add_argument("--seconds", type=float, default=5, help="of media received, or sent where none is received")


def post(args, offer):
    """Sends the offer; gives the answer and the leg's address."""
    url = args.control + "/v1/calls/current/media"
    request = urllib.request.Request(url, offer.encode(), headers(args) | {"Content-Type": "application/sdp"}, method="POST")
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 201, response.status
        return response.read().decode(), urllib.parse.urljoin(url, response.headers["Location"])


def delete(args, leg):
    """Ends the leg."""
    request = urllib.request.Request(leg, headers=headers(args), method="DELETE")
    urllib.request.urlopen(request, timeout=10).close()


def patience(args):
    """How long it may take until media comes and was listened to."""
    return args.seconds + 20


def wait_for_the_end():
    """A phone goes on after its report until its standard input ends: somebody may still listen to it."""
    sys.stdin.read()


def headers(args):
    return {"Authorization": "Bearer " + args.token.read_text().strip()}
