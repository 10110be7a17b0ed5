# Shared by the scripts here and by .ci/run; to be sourced, not run.
#
# What is installed is decided by looking for the thing itself, not by asking
# a package manager: a second run installs nothing and contacts no server, and
# what was installed by other means counts.
#
# Kept to bash 3.2, which is what macOS ships.
# shellcheck shell=bash

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The oldest FFmpeg that is supported, and the versions that its libraries have.
FFMPEG_OLDEST=5.1
LIBRARIES_OLDEST="
libavutil >= 57.28
libavcodec >= 59.37
libavformat >= 59.27
libavfilter >= 8.44
"

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $*"
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# --- looking -----------------------------------------------------------------

has_libraries() {
    local wanted
    has pkg-config || return 1
    while read -r wanted; do
        if [ -n "$wanted" ] && ! pkg-config --exists "$wanted"; then
            return 1
        fi
    done <<<"$LIBRARIES_OLDEST"
}

# bindgen, which writes the bindings to FFmpeg, loads libclang while building.
# Prints the folder that holds it; the variable may name the file itself.
libclang_folder() {
    local folder folders
    folders="${LIBCLANG_PATH:-}
$(if [ -f "${LIBCLANG_PATH:-}" ]; then dirname "$LIBCLANG_PATH"; fi)
$(if has llvm-config; then llvm-config --libdir; fi)
$(compgen -G '/usr/lib/llvm*/lib' || true)
$(compgen -G '/usr/lib/*-linux-gnu*' || true)
/usr/lib
/usr/lib64
/usr/local/lib
/Library/Developer/CommandLineTools/usr/lib
/Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib
/opt/homebrew/opt/llvm/lib
/usr/local/opt/llvm/lib"
    while read -r folder; do
        # libclang-cpp.so is another library.
        if [ -n "$folder" ] && { compgen -G "$folder/libclang.[sd]*" || compgen -G "$folder/libclang-[0-9]*"; } >/dev/null; then
            echo "$folder"
            return 0
        fi
    done <<<"$folders"
    return 1
}

# The folders of Homebrew are none of those that bindgen looks into by itself.
show_libclang() {
    local folder
    folder=$(libclang_folder)
    case $folder in
    */opt/llvm/lib) export LIBCLANG_PATH="$folder" ;;
    esac
}

# The C library's headers, which the bindings are made of, too.
has_c_toolchain() {
    has cc && echo '#include <stdlib.h>' | cc -E - >/dev/null 2>&1
}

# A browser that plays what tests have converted; tests/program/common/browser.rs looks at the same places.
has_browser() {
    local place
    for place in chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
        "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
        if has "$place"; then
            return 0
        fi
    done
    return 1
}

# Prints what is missing for `program`, `tests` or `memory`, a word a line.
missing() {
    has_c_toolchain || echo c-toolchain
    has pkg-config || echo pkg-config
    has_libraries || echo ffmpeg-libraries
    libclang_folder >/dev/null || echo libclang
    has ffmpeg || echo ffmpeg
    if [ "$1" = tests ]; then
        has gnuplot || echo gnuplot
        has python3 || echo python3
        has_browser || echo browser
    fi
    if [ "$1" = memory ]; then
        has valgrind || echo valgrind
    fi
}

# --- installing --------------------------------------------------------------

apt_packages() {
    case $1 in
    c-toolchain) echo gcc libc6-dev ;;
    pkg-config) echo pkg-config ;;
    ffmpeg-libraries) echo libavcodec-dev libavfilter-dev libavformat-dev libavutil-dev ;;
    # Not clang: the bindings' writer needs the library and its headers alone.
    libclang) echo libclang-dev ;;
    ffmpeg) echo ffmpeg ;;
    gnuplot) echo gnuplot-nox ;;
    python3) echo python3 ;;
    # Without the symbols of the C library, it refuses to start.
    valgrind) echo valgrind libc6-dbg ;;
    # Ubuntu's `chromium` is another program or none.
    browser) if grep -q '^ID=ubuntu$' /etc/os-release 2>/dev/null; then echo chromium-browser; else echo chromium; fi ;;
    esac
}

brew_packages() {
    case $1 in
    pkg-config) echo pkgconf ;;
    ffmpeg-libraries | ffmpeg) echo ffmpeg ;;
    libclang) echo llvm ;;
    gnuplot) echo gnuplot ;;
    python3) echo python ;;
    # A cask; Homebrew has given up the one named chromium.
    browser) echo google-chrome ;;
    esac
}

# What a person must install where this script cannot.
in_words() {
    case $1 in
    c-toolchain) echo "a C compiler named cc, with the C library's headers" ;;
    pkg-config) echo "pkg-config" ;;
    ffmpeg-libraries) echo "FFmpeg $FFMPEG_OLDEST or newer, as libraries with headers and pkg-config files (libavcodec, libavfilter, libavformat, libavutil)" ;;
    libclang) echo "libclang (if it is installed, set LIBCLANG_PATH to its folder)" ;;
    ffmpeg) echo "the ffmpeg program, $FFMPEG_OLDEST or newer, on the PATH" ;;
    gnuplot) echo "gnuplot" ;;
    python3) echo "Python 3, as python3 on the PATH" ;;
    valgrind) echo "valgrind, which runs on Linux alone" ;;
    browser) echo "Chromium or Chrome, on the PATH or in /Applications" ;;
    esac
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

may_be_root() { [ "$(id -u)" -eq 0 ] || has sudo; }

# No question is asked, and another package manager at work is waited for.
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}

install_by_apt() {
    # Stale lists may still do, and the installation says if not.
    apt_get update || say "apt-get update failed; trying with the lists that are there"
    # What these packages only recommend is a few hundred megabytes.
    apt_get install --no-install-recommends "$@"
}

install_by_brew() { brew install "$@" </dev/null >&2; }

# Prints the name of the function pair that installs here, or nothing.
installer() {
    if has apt-get && may_be_root; then
        echo apt
    elif [ "$(uname -s)" = Darwin ] && has brew; then
        echo brew
    fi
}

# Installs what is missing of the words given, where there is a way to.
install() {
    local how word packages=""
    how=$(installer)
    [ -n "$how" ] || return 0
    for word in "$@"; do
        packages="$packages $("${how}_packages" "$word")"
    done
    [ -n "${packages// /}" ] || return 0
    say "installing with $how:$packages"
    # Package names hold no spaces: splitting is what is wanted.
    # shellcheck disable=SC2086
    "install_by_$how" $packages || say "$how could not install all of it"
}

die_of_missing() {
    local word
    say "error: these are missing and could not be installed from here:"
    for word in "$@"; do
        say "  - $(in_words "$word")"
    done
    if has pkg-config && pkg-config --exists libavcodec && ! has_libraries; then
        say "the FFmpeg that is installed is too old: its libavcodec is $(pkg-config --modversion libavcodec); FFmpeg $FFMPEG_OLDEST, with libavcodec 59.37, is needed"
    fi
    if [ "$(uname -s)" = Darwin ]; then
        say "'xcode-select --install' gives the C compiler; https://brew.sh gives brew, which this script uses"
    elif has apt-get; then
        say "with root's rights, this script installs them by apt-get"
    fi
    exit 1
}

# Makes sure that everything to build and run is there: `need program`, `need tests` or
# `need memory`.
need() {
    local words
    words=$(missing "$1")
    if [ -n "$words" ]; then
        # shellcheck disable=SC2086
        install $words
        words=$(missing "$1")
        # shellcheck disable=SC2086
        [ -z "$words" ] || die_of_missing $words
    fi
    show_libclang
    need_rust
}

# --- Rust --------------------------------------------------------------------

HOW_TO_GET_RUST="get it from https://rustup.rs:
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c rustfmt,clippy"

# `rust-version` in Cargo.toml is the one place that says so.
rust_oldest() { sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$ROOT/Cargo.toml"; }

# Whether version $1 is at least $2, of the form major.minor[.patch].
at_least() {
    local major minor wanted_major wanted_minor
    IFS=. read -r major minor _ <<<"$1"
    IFS=. read -r wanted_major wanted_minor _ <<<"$2"
    [ "$major" -gt "$wanted_major" ] ||
        { [ "$major" -eq "$wanted_major" ] && [ "$minor" -ge "$wanted_minor" ]; }
}

need_rust() {
    local oldest version
    # rustup changes the PATH of new shells only.
    if ! has cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
    fi
    oldest=$(rust_oldest)
    has cargo || die "Rust $oldest or newer is missing; $HOW_TO_GET_RUST"
    version=$(cargo --version | cut -d ' ' -f 2) || die "cargo is there and does not run; $HOW_TO_GET_RUST"
    at_least "$version" "$oldest" ||
        die "cargo is $version, and $oldest or newer is needed; run 'rustup update stable', or $HOW_TO_GET_RUST"
}

# cargo in the project's folder, whatever the caller's.
in_project() { (cd "$ROOT" && "$@"); }

# Where cargo puts what it builds: a variable or a configuration file may say.
target_folder() {
    in_project cargo metadata --format-version 1 --no-deps --offline |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/'
}
