#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_notes.sh BINARY [SOURCE] - slips in a valid config are told as notes by plan and run, once, with
# file and line; the shipped configs have none.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_notes "$@"
cd -- "$work/a folder"
cat >slips.cfg <<'END'
name = "slips"; seed = 1;
source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 1; heads = 2; width = 8; positions = 24; };
    points = 4; steps = 8; batch = 8; optimiser = { warmup = 9; }; },
  { stage = "fit"; of = "pretrain"; method = "ltv"; points = 6; prompts = 40; batch = 16; epochs = 2;
    repeat = 2;
    patience = 7; },
  { stage = "fit"; name = "derived"; of = "pretrain"; method = ["icv"]; points = 6; prompts = 40;
    epochs = 3;
    patience = 7;
    optimiser = { lr = 0.5; }; },
  { stage = "fit"; name = "flat"; of = "pretrain"; method = "constant"; points = 6; prompts = 40; epochs = 2;
    basis = "mean";
    repeat = [2]; },
  { stage = "evaluate"; of = ["fit", "flat"]; points = 8; functions = 8;
    also = ["plain"]; },
  { stage = "evaluate"; name = "short"; of = "fit"; points = 4; functions = 8;
    also = ["zero"]; },
  { stage = "evaluate"; name = "other"; of = "fit"; points = 8; functions = 8; also = ["plain", "oracle"];
    source = { problem = "quadratic"; }; }
);
END
cat >want <<'END'
slips.cfg:7: fit.repeat: 2 is the number of one repetition, not how many; for 2 of them write [0, 1], for this one [2]
slips.cfg:9: derived: no stage evaluates it: name "derived" in `of` of an evaluate stage
slips.cfg:9: derived.points: no method of this stage reads it (icv)
slips.cfg:10: derived.epochs: no method of this stage reads it (icv)
slips.cfg:12: derived.optimiser.lr: no method of this stage reads it (icv)
slips.cfg:14: flat.basis: no method of this stage reads it (constant)
slips.cfg:5: pretrain.optimiser.warmup: 9 steps of warm-up in 8 updates: the learning rate never reaches optimiser.lr
slips.cfg:21: other.source.problem: "quadratic", but the model was trained on "linear"
slips.cfg:17: evaluate.also: without "oracle" the main table lacks the column recovered
slips.cfg:19: short.also: without "plain" the main table lacks the column damage
END

notes_of() { sed -n 's/^taskvec: note: //p' "$work/err"; } # of the command before
same() { # WHAT FILE
    diff want "$2" >"$work/difference" || fault "notes of $1 (< wanted): $(cat "$work/difference")"
}

launch 0 plan slips.cfg
((rc == 0)) || die "plan: code $rc"
notes_of >got
same plan got
launch 0 plan slips.cfg --json
python3 -c 'import json, sys; print(*json.load(sys.stdin)["notes"], sep="\n")' <"$work/out" >got
same "plan --json" got
launch 2 run slips.cfg
((rc == 0)) || die "run: code $rc"
notes_of >got
same "a run on 2 ranks" got
launch 0 run slips.cfg --quiet
[[ -z $(notes_of) ]] || fault "run --quiet: $(cat "$work/err")"

# Two stages share a fit, and one of them is evaluated.
cat >shared.cfg <<'END'
name = "shared"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 1; heads = 2; width = 8; positions = 24; }; points = 4; steps = 8; batch = 8; },
  { stage = "fit"; of = "pretrain"; method = "ltv"; points = 6; prompts = 40; optimiser = { lr = [0.1, 0.2]; }; },
  { stage = "fit"; name = "more"; of = "pretrain"; method = "ltv"; points = 6; prompts = 40;
    optimiser = { lr = [0.2, 0.4]; }; },
  { stage = "evaluate"; of = "fit"; points = 4; functions = 8; also = ["plain", "zero"]; }
);
END
launch 0 plan shared.cfg
[[ $(notes_of) == 'shared.cfg:5: more: no stage evaluates 1 of its 2 jobs: name "more" in `of` of an evaluate stage' ]] ||
    fault "a shared fit: $(cat "$work/err")"

# A folder with another run, before `run` refuses it.
launch 0 plan slips.cfg -s seed=2
notes_of | grep -q '^results/slips: holds a run that shares no job with this config: 12 jobs would be new' ||
    fault "plan for the folder of another run: $(cat "$work/err")"

# A model that is a file: what its metadata tell.
launch 0 plan "$source_dir/experiments/quickstart.cfg" -s source.problem=linear
notes_of >got
grep -qx '\-s source.problem=linear: fit.source.problem: "linear", but the model was trained on "sparse_linear"' got ||
    fault "a file's problem: $(cat "$work/err")"
(($(wc -l <got) == 1)) || fault "more than one note: $(cat got)"

# Text: words that a vocabulary lacks, in the items or because of the template; inputs that come again. Each task once.
cat >words.cfg <<END
name = "words"; seed = 1;
model = { checkpoint = "$source_dir/experiments/text/word_model"; };
stages = (
  { stage = "fit"; method = "constant"; points = 1; prompts = 8;
    source = { kind = "text"; task = ["odd.json", "good.json"]; }; repeat = [0, 1]; },
  { stage = "evaluate"; of = "fit"; points = [1, 6]; also = ["plain"]; functions = 8;
    source = { kind = "text"; task = ["odd.json", "good.json"]; }; },
  { stage = "evaluate"; name = "joined"; points = 6; also = ["plain"]; functions = 8;
    source = { kind = "text"; task = "good.json"; template = "{x}->{y}\\n"; }; }
);
END
python3 - "$source_dir/experiments/text/tasks/uppercase.json" <<'END'
import json, sys
pairs = json.load(open(sys.argv[1]))[:60]
json.dump(pairs, open("good.json", "w"))
odd = [{"input": "zqx", "output": pairs[0]["output"]}, {"input": "vvv ww", "output": "kk"}]
json.dump(pairs[:50] + odd + pairs[:3], open("odd.json", "w"))
END
cat >want <<'END'
words.cfg:9: joined.source.template: up to 8 of 8 answers have other tokens alone, as in published code, than after their query, in 1 of 1 jobs
words.cfg:5: fit.source.task: 2 of 52 items of odd have words that the tokenizer does not know and replaces by <unk>, as EXAMPLE: remove them from the file, or take a model that has the words
words.cfg:5: fit.source.task: 3 items of odd are left out, since their input came before: of several with one input the first counts
words.cfg:9: joined.source.task: 60 of 60 items of good have words that the tokenizer does not know and replaces by <unk>, as EXAMPLE: remove them from the file, or take a model that has the words
END
launch 0 plan words.cfg
((rc == 0)) || fault "plan words.cfg: code $rc: $(cat "$work/err")"
grep -qE 'as "(zqx|vvv ww)" -> ' "$work/err" || fault "no example of the unknown items: $(cat "$work/err")"
notes_of | sed 's/, as "[^"]*" -> "[^"]*"/, as EXAMPLE/' >got
same "plan of unknown words" got

for config in "$source_dir"/experiments/quickstart.cfg "$source_dir"/experiments/{controls,small,estimators}/*.cfg; do
    launch 0 plan "$config" -o none
    ((rc == 0)) || fault "plan $config: code $rc"
    told=$(grep -v '/transfer\.cfg:.*source\.problem: "linear", but the model was trained on "sparse_linear"' "$work/err") || true # it means to
    [[ -z $told ]] || fault "plan $config: $told"
done
conclude "slips are told as notes, with file and line, once"
