#!/usr/bin/env bash
# Installs what fewseg is timed beside and is missing: PyTorch in target/peers (some gigabytes), onnxruntime-web in
# benches/peers. Quick when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

# What is installed is written down beside it.
peers=target/peers
if ! cmp -s benches/peers/requirements.txt $peers/requirements.txt; then
  echo "Installing PyTorch"
  rm -rf $peers
  python3 -m venv $peers
  $peers/bin/pip install --quiet --disable-pip-version-check -r benches/peers/requirements.txt
  cp benches/peers/requirements.txt $peers/requirements.txt
fi

[ -d benches/peers/node_modules/onnxruntime-web ] || (cd benches/peers && npm ci --silent)

# What the timed pages load.
mkdir -p target/bench
ln -sfn ../../dist target/bench/fewseg
ln -sfn ../../benches/peers/node_modules/onnxruntime-web/dist target/bench/onnxruntime
