#!/usr/bin/env bash
# Installs what building the page needs and is missing: the wasm target, wasm-bindgen, trunk. Quick when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

trunk_version=0.21.14
# The tool and the crate must be of the same version.
bindgen_version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/"/, ""); print $3 }' Cargo.lock)

# has TOOL VERSION
has() {
  command -v "$1" >/dev/null && [ "$("$1" --version | awk '{ print $2 }')" = "$2" ]
}

# The wasm target's libraries lie beside the compiler's own.
if [ ! -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
  echo "Installing Rust's wasm target"
  rustup target add wasm32-unknown-unknown
fi

# Neither tool is ever asked to fetch anything, so both go without TLS; and they work in an instant as they are, so little
# time is spent on making them faster.
install() {
  CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
    cargo install --quiet --force --no-default-features "$@"
}

if ! has wasm-bindgen "$bindgen_version"; then
  echo "Installing wasm-bindgen $bindgen_version (about a minute)"
  install wasm-bindgen-cli@"$bindgen_version"
fi

if ! has trunk "$trunk_version"; then
  echo "Installing trunk $trunk_version (about four minutes)"
  install --locked trunk@"$trunk_version"
fi
