#!/bin/sh
# Makes the built-in clip: three seconds of a moving test pattern and of a quiet chord, as real VP8 and real Opus.
# Needs ffmpeg with libvpx and libopus. The files are checked in; run this only to change them, then run the tests.
#
# VP8: 640x360, 30 frames a second, a key frame each second, no hidden frames (each file frame is one picture).
# Opus: mono, 48 kHz, 20 ms, constant rate. The tones have whole numbers of periods in the loop, so that it has no seam.
set -eu
cd "$(dirname "$0")"

ffmpeg -y -loglevel error -f lavfi -i 'testsrc2=size=640x360:rate=30' -t 3 \
    -pix_fmt yuv420p -c:v libvpx -deadline good -cpu-used 0 -threads 1 -b:v 600k -maxrate 700k -bufsize 350k \
    -g 30 -keyint_min 30 -auto-alt-ref 0 -lag-in-frames 0 -error-resilient 1 \
    -fflags +bitexact -flags:v +bitexact -f ivf clip.ivf

ffmpeg -y -loglevel error \
    -f lavfi -i 'aevalsrc=0.06*(sin(2*PI*220*t)+sin(2*PI*277*t)+sin(2*PI*330*t)*(1+sin(2*PI*2*t))/2):s=48000:d=3' \
    -ac 1 -c:a libopus -b:a 48k -vbr off -frame_duration 20 -application audio \
    -fflags +bitexact -flags:a +bitexact -map_metadata -1 -f ogg clip.opus

ls -l clip.ivf clip.opus
