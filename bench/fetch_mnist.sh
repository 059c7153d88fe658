#!/bin/sh
# Fetches MNIST into a folder from a public mirror and checks each file's sha256.
set -eu
folder=$1
mirrors="https://ossci-datasets.s3.amazonaws.com/mnist https://storage.googleapis.com/cvdf-datasets/mnist"
mkdir -p "$folder"
while read -r sum file; do
    right() { [ -f "$1" ] && echo "$sum  $1" | sha256sum -c --status; }
    right "$folder/$file" && continue
    for mirror in $mirrors; do
        curl -fsSL -o "$folder/$file.part" "$mirror/$file" && right "$folder/$file.part" || continue
        mv "$folder/$file.part" "$folder/$file"
        echo "$folder/$file"
        continue 2
    done
    echo "error: $file: no mirror gave the expected file" >&2
    exit 1
done <<'SUMS'
440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609 train-images-idx3-ubyte.gz
3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c train-labels-idx1-ubyte.gz
8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6 t10k-images-idx3-ubyte.gz
f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6 t10k-labels-idx1-ubyte.gz
SUMS
