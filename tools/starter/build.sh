#!/bin/sh
# The whole recipe: corpus, tokenizer, the three models, their GGUFs. See README.md.
#   build.sh [WORKDIR]     MINUTES_MAIN, MINUTES_DRAFT, MINUTES_MOE set the time each model gets.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-/tmp/starter}
models=$here/../../models
python=${PYTHON:-/usr/bin/python3}
export OMP_NUM_THREADS=1
mkdir -p "$work" "$models"
cd "$here"

after() { date -u -d "+$1 minutes" +%H:%M; }
train() { nice -n 15 "$python" train.py --data "$work/corpus.npz" "$@"; }

[ -e tokenizer.json ] || "$python" tokenizer.py tokenizer.json 12000 4096
[ -e "$work/corpus.npz" ] || "$python" corpus.py "$work/corpus" 101 "${SAMPLES:-160000}"

train --preset main --out "$work/main.pt" --until "$(after "${MINUTES_MAIN:-70}")"
train --preset draft --out "$work/draft.pt" --until "$(after "${MINUTES_DRAFT:-10}")"
"$python" upcycle.py "$work/main.pt" "$work/moe-start.pt"
train --preset moe --init "$work/moe-start.pt" --lr 0.004 --embd-lr 0.004 --out "$work/moe.pt" --until "$(after "${MINUTES_MOE:-15}")"

"$python" export.py "$work/main.pt" "$models/starter.gguf" "Starling Starter"
"$python" export.py "$work/draft.pt" "$models/starter-draft.gguf" "Starling Starter Draft"
"$python" export.py "$work/moe.pt" "$models/starter-moe.gguf" "Starling Starter MoE"
