#!/usr/bin/env bash
# Starts an origin with its embedded relay and prints what a streamer and friends need. With --demo it publishes a moving test
# picture with sound, too. Everything else on the command line goes to the origin.
set -euo pipefail

bin=${STREAMCIRCLE_BIN:?the folder of the built programs}
demo=
if [[ ${1:-} == --demo ]]; then
    demo=1
    shift
fi

"$bin/streamcircle-origin" "$@" &
origin=$!
publisher=
stop() {
    trap - INT TERM EXIT
    [[ -z $publisher ]] || kill "$publisher" 2>/dev/null || true
    kill "$origin" 2>/dev/null || true
    wait "$origin"
}
trap stop INT TERM EXIT

# `welcome` answers as soon as the origin's listeners stand.
until welcome=$("$bin/streamcircle-origin" welcome "$@" 2>/dev/null); do
    kill -0 "$origin" 2>/dev/null || { wait "$origin"; exit $?; }
    sleep 0.2
done
printf '%s\n' "$welcome"

if [[ -n $demo ]]; then
    url=$("$bin/streamcircle-origin" welcome --publish-url "$@")
    ffmpeg -hide_banner -loglevel error -re \
        -f lavfi -i "testsrc2=size=1280x720:rate=30" -f lavfi -i "sine=frequency=330:beep_factor=4:sample_rate=48000" \
        -c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 60 -b:v 2500k -c:a aac -b:a 128k -f flv "$url" &
    publisher=$!
fi
wait "$origin"
