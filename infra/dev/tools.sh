#!/usr/bin/env bash
# Makes sure that the programs named by a purpose are here: installs Debian's packages where it may, else says in one line what to install.
# Usage: tools.sh build|test|bench
set -euo pipefail

purpose=${1:?usage: tools.sh build|test|bench}
missing=()

# Remembers PACKAGE unless COMMAND (a name on the path, or a file) is here.
need() {
    local command=$1 package=$2
    if [[ $command == /* ]]; then
        [[ -e $command ]] || missing+=("$package")
    else
        command -v "$command" >/dev/null || missing+=("$package")
    fi
}

need cc build-essential
need node nodejs
need npm npm
if [[ $purpose == test || $purpose == bench ]]; then
    need ffmpeg ffmpeg
    need chromium chromium
    need chromedriver chromium-driver
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
    need python3 python3
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    need nginx nginx
    need /usr/lib/nginx/modules/ngx_rtmp_module.so libnginx-mod-rtmp
    # OBS draws in software on a screen that nobody sees.
    need obs obs-studio
    need Xvfb xvfb
    compgen -G '/usr/lib/*/dri/swrast_dri.so' >/dev/null || missing+=(libgl1-mesa-dri)
    need gst-launch-1.0 gstreamer1.0-tools
    for set in base good bad ugly; do
        dpkg -s "gstreamer1.0-plugins-$set" &>/dev/null || missing+=("gstreamer1.0-plugins-$set")
    done
fi

if ((${#missing[@]})); then
    install=(apt-get install -y --no-install-recommends "${missing[@]}")
    if ! command -v apt-get >/dev/null; then
        echo "missing: ${missing[*]} (named as in Debian); install them and try again" >&2
        exit 1
    elif ((EUID == 0)); then
        sudo=()
    elif sudo -n true 2>/dev/null; then
        sudo=(sudo)
    else
        echo "missing; please run: sudo ${install[*]}" >&2
        exit 1
    fi
    echo "installing ${missing[*]}"
    "${sudo[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" "${install[@]}" >/dev/null
fi

# Vite needs it; Debian 12's own Node.js is older.
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' || {
    echo "Node.js $(node --version) is too old; please install Node.js 20.19 or newer" >&2
    exit 1
}
if [[ $purpose == test ]] && ! command -v cargo-nextest >/dev/null; then
    echo "installing cargo-nextest"
    cargo install --locked cargo-nextest
fi
