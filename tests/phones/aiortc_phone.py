"""A stranger's phone made of aiortc: one leg of the current call, both ways or one.

It posts an offer to the daemon whose control address and token file it is given, sends a moving picture and a tone, and
prints one JSON object of what it received and sent after `--seconds` of media. It ends with its standard input; exit code
1 when the leg did not connect.
"""

import argparse
import asyncio
import fractions
import json
import math
import sys
import time

import av
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import MediaStreamError

import whip

SAMPLES = 960
RATE = 48_000


class Tone(MediaStreamTrack):
    """440 Hz in packets of 20 ms."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self.given = 0
        self.began = None

    async def recv(self):
        self.began = self.began or time.monotonic()
        await asyncio.sleep(max(0, self.began + self.given * SAMPLES / RATE - time.monotonic()))
        at = numpy.arange(SAMPLES) + self.given * SAMPLES
        wave = (8000 * numpy.sin(2 * math.pi * 440 * at / RATE)).astype(numpy.int16)
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = self.given * SAMPLES
        frame.time_base = fractions.Fraction(1, RATE)
        self.given += 1
        return frame


class Stripes(VideoStreamTrack):
    """A bright stripe that wanders over a gradient."""

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        picture = numpy.tile(numpy.linspace(0, 160, 320, dtype=numpy.uint8), (240, 1))
        left = (pts // 3000 * 4) % 300
        picture[:, left : left + 20] = 255
        frame = av.VideoFrame.from_ndarray(numpy.stack([picture] * 3, axis=2), format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


class Received:
    """Counts what is decoded."""

    def __init__(self):
        self.video_frames = 0
        self.audio_frames = 0
        self.loudest = 0
        self.began = asyncio.Event()
        self.first = None
        self.moved = 0.0
        self.spread = 0

    async def follow(self, track):
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if track.kind == "audio":
                self.audio_frames += 1
                self.loudest = max(self.loudest, int(numpy.abs(frame.to_ndarray().astype(numpy.int32)).max()))
            else:
                self.look(frame)

    def look(self, frame):
        self.video_frames += 1
        self.began.set()
        if self.video_frames % 10 != 1:
            return
        grey = frame.to_ndarray(format="gray").astype(numpy.int32)
        self.spread = max(self.spread, int(grey.max() - grey.min()))
        if self.first is not None and self.first.shape == grey.shape:
            self.moved = max(self.moved, float(numpy.abs(grey - self.first).mean()))
        self.first = grey if self.first is None or self.first.shape != grey.shape else self.first


async def listen(args, received):
    if args.direction != "send":
        try:
            await asyncio.wait_for(received.began.wait(), whip.patience(args) - args.seconds)
        except asyncio.TimeoutError:
            return
    await asyncio.sleep(args.seconds)


async def talk(args):
    connection = RTCPeerConnection()
    received = Received()
    tasks = []
    connected = asyncio.get_running_loop().create_future()

    @connection.on("connectionstatechange")
    def changed():
        if connection.connectionState in ("connected", "failed", "closed") and not connected.done():
            connected.set_result(connection.connectionState)

    @connection.on("track")
    def heard(track):
        tasks.append(asyncio.ensure_future(received.follow(track)))

    direction = {"both": "sendrecv", "send": "sendonly", "receive": "recvonly"}[args.direction]
    for kind, track in (("audio", Tone), ("video", Stripes)):
        transceiver = connection.addTransceiver(kind if direction == "recvonly" else track(), direction=direction)
        if kind == "video" and args.format:
            known = RTCRtpSender.getCapabilities("video").codecs
            wanted = [codec for codec in known if codec.mimeType in (f"video/{args.format}", "video/rtx")]
            transceiver.setCodecPreferences(wanted)
    await connection.setLocalDescription(await connection.createOffer())
    answer, leg = await asyncio.to_thread(whip.post, args, connection.localDescription.sdp)
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    state = await asyncio.wait_for(connected, 15)
    if state == "connected":
        await listen(args, received)
    sent = {}
    for stat in (await connection.getStats()).values():
        if stat.type == "outbound-rtp":
            sent[stat.kind] = stat.packetsSent
    print(
        json.dumps(
            {
                "state": state,
                "video_frames": received.video_frames,
                "audio_frames": received.audio_frames,
                "loudest": received.loudest,
                "moved": round(received.moved, 1),
                "spread": received.spread,
                "video_sent": sent.get("video", 0),
                "audio_sent": sent.get("audio", 0),
            }
        ),
        flush=True,
    )
    await asyncio.to_thread(whip.wait_for_the_end)
    await asyncio.to_thread(whip.delete, args, leg)
    await connection.close()
    for task in tasks:
        task.cancel()
    return 0 if state == "connected" else 1


def main():
    parser = argparse.ArgumentParser()
    whip.arguments(parser)
    sys.exit(asyncio.run(talk(parser.parse_args())))


main()
