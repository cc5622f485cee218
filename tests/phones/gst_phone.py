"""A stranger's phone made of GStreamer's webrtcbin: one leg of the current call, both ways or one.

It posts an offer to the daemon whose control address and token file it is given, sends a moving picture and a tone, and
prints one JSON object of what it received and sent after `--seconds` of media. It ends with its standard input; exit code
1 when the leg did not connect.
"""

import argparse
import json
import sys
import threading
import typing

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

import whip  # noqa: E402

SENT = """
webrtcbin name=phone
videotestsrc is-live=true pattern={pattern} ! video/x-raw,width=320,height=240,framerate=30/1 ! videoconvert
 ! {encoder} ! {caps} ! phone.
audiotestsrc is-live=true wave=sine ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2
 ! opusenc bitrate-type=cbr ! rtpopuspay name=audio-out pt=111 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! phone.
"""
AUDIO = "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2"


class Format(typing.NamedTuple):
    """How one video format is made, said and shown."""

    caps: str
    encoder: str
    decoder: str


FORMATS = {
    "VP8": Format(
        "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
        "vp8enc deadline=1 target-bitrate={bits} keyframe-max-dist=60 error-resilient=partitions"
        " ! rtpvp8pay name=video-out picture-id-mode=15-bit pt=96 mtu=1150",
        "rtpvp8depay ! vp8dec",
    ),
    "VP9": Format(
        "application/x-rtp,media=video,encoding-name=VP9,payload=98,clock-rate=90000",
        "vp9enc deadline=1 cpu-used=8 target-bitrate={bits} keyframe-max-dist=60"
        " ! rtpvp9pay name=video-out picture-id-mode=15-bit pt=98 mtu=1150",
        "rtpvp9depay ! vp9dec",
    ),
    # The parameter sets travel in the stream, since what the session description says of them reaches the daemon alone.
    "H264": Format(
        "application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000,packetization-mode=(string)1,profile-level-id=(string)42c00d",
        "openh264enc bitrate={bits} gop-size=60 complexity=low"
        " ! rtph264pay name=video-out pt=102 mtu=1150 config-interval=-1 aggregate-mode=zero-latency",
        "rtph264depay ! h264parse ! openh264dec",
    ),
}


class Phone:
    def __init__(self, args):
        self.args = args
        self.loop = GLib.MainLoop()
        self.got = {"video_frames": 0, "audio_frames": 0, "loudest": 0, "moved": 0, "spread": 0}
        self.sent = {"video": 0, "audio": 0}
        self.first = None
        self.leg = None
        sends = args.direction != "receive"
        self.format = FORMATS[args.format or "VP8"]
        # A ball cannot fill much, whatever the encoder is told; noise fills all.
        pattern = "ball" if args.kbit <= 600 else "snow"
        encoder = self.format.encoder.format(bits=args.kbit * 1000)
        sent = SENT.format(encoder=encoder, caps=self.format.caps, pattern=pattern)
        self.pipeline = Gst.parse_launch(sent) if sends else Gst.Pipeline()
        if not sends:
            self.pipeline.add(Gst.ElementFactory.make("webrtcbin", "phone"))
        self.phone = self.pipeline.get_by_name("phone")
        self.phone.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.phone.connect("on-negotiation-needed", self.negotiate)
        self.phone.connect("pad-added", self.receive)
        self.phone.connect("notify::connection-state", self.changed)
        if sends:
            for kind in self.sent:
                pad = self.pipeline.get_by_name(f"{kind}-out").get_static_pad("src")
                pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, self.count, kind)
        else:
            for caps in (self.format.caps, AUDIO):
                self.phone.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps))

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add_seconds(int(whip.patience(self.args)), self.loop.quit)
        self.loop.run()
        state = self.phone.get_property("connection-state").value_nick
        print(
            json.dumps({"state": state} | self.got | {f"{kind}_sent": sent for kind, sent in self.sent.items()}),
            flush=True,
        )
        whip.wait_for_the_end()
        if self.leg:
            whip.delete(self.args, self.leg)
        self.pipeline.set_state(Gst.State.NULL)
        return 0 if state == "connected" else 1

    def count(self, _pad, info, kind):
        whole = info.type & Gst.PadProbeType.BUFFER_LIST
        self.sent[kind] += info.get_buffer_list().length() if whole else 1
        return Gst.PadProbeReturn.OK

    def negotiate(self, _phone):
        if self.args.direction == "send":
            for at in range(2):
                transceiver = self.phone.emit("get-transceiver", at)
                transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        self.phone.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered, None))

    def offered(self, promise, _data):
        # The description lives inside the reply, and no longer.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        text = offer.sdp.as_text()
        self.phone.emit("set-local-description", offer, Gst.Promise.new())
        threading.Thread(target=self.exchange, args=(text,), daemon=True).start()

    def exchange(self, offer):
        answer, self.leg = whip.post(self.args, offer)
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.phone.emit("set-remote-description", description, Gst.Promise.new())

    def changed(self, phone, _property):
        state = phone.get_property("connection-state").value_nick
        print("state", state, file=sys.stderr)
        if state == "connected" and self.args.direction == "send":
            self.stop_later()
        if state == "failed":
            self.loop.quit()

    def stop_later(self):
        GLib.timeout_add(int(self.args.seconds * 1000), self.loop.quit)

    def receive(self, _phone, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        caps = pad.get_current_caps() or pad.query_caps(None)
        kind = caps.get_structure(0).get_string("media")
        chain = {
            "video": f"{self.format.decoder} ! videoconvert ! video/x-raw,format=GRAY8",
            "audio": "rtpopusdepay ! opusdec ! audioconvert ! audio/x-raw,format=S16LE",
        }[kind]
        chain = Gst.parse_bin_from_description(
            f"queue ! {chain} ! appsink name=sink emit-signals=true sync=false", True
        )
        chain.get_by_name("sink").connect("new-sample", self.look if kind == "video" else self.listen)
        self.pipeline.add(chain)
        chain.sync_state_with_parent()
        pad.link(chain.sinkpads[0])

    def look(self, sink):
        data = bytes_of(sink)
        self.got["video_frames"] += 1
        if self.got["video_frames"] == 1:
            self.stop_later()
        if self.got["video_frames"] % 10 == 1:
            sample = data[:: max(1, len(data) // 4000)]
            self.got["spread"] = max(self.got["spread"], max(sample) - min(sample))
            if self.first is None or len(self.first) != len(sample):
                self.first = sample
            moved = sum(abs(a - b) for a, b in zip(self.first, sample)) / len(sample)
            self.got["moved"] = max(self.got["moved"], round(moved, 1))
        return Gst.FlowReturn.OK

    def listen(self, sink):
        samples = memoryview(bytes_of(sink)).cast("h")
        self.got["audio_frames"] += 1
        self.got["loudest"] = max(self.got["loudest"], max(map(abs, samples), default=0))
        return Gst.FlowReturn.OK


def bytes_of(sink):
    buffer = sink.emit("pull-sample").get_buffer()
    return buffer.extract_dup(0, buffer.get_size())


def main():
    parser = argparse.ArgumentParser()
    whip.arguments(parser)
    Gst.init(None)
    sys.exit(Phone(parser.parse_args()).run())


main()
