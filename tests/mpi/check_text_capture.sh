#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_text_capture.sh BINARY [SOURCE] - capture and causal map of text prompts on a tiny language model: the same bits on 1, 2 and 3
# ranks and after a kill; a renamed task runs nothing again, another template does; prompts that are too long are
# counted before any computation; and one line for each model, task and key that does not suit.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_text_capture "$@"
. "$here/../cli/find_python.sh"
home="$work/a folder"
config="$home/text.cfg"
python3 "$here/make_text_model.py" "$home/model"
mv "$home/model/capital.task" "$home/capital.json"
mv "$home/model/number.task" "$home/number.json"
cat >"$config" <<'END'
name = "text"; seed = 5;
model = { checkpoint = "model"; };
source = { kind = "text"; task = ["capital.json", "number.json"]; };
stages = ( { stage = "capture"; points = [1, 5]; prompts = 24; chunk = 5; },
           { stage = "effects"; points = 5; prompts = 10; chunk = 4; measure = ["patching", "induction"]; repeated = 7; } );
END

one="$home/one"
expect_same_bits "$config" "$home" 9

# ---- what is in the artifacts
python3 - "$one" <<'END' || fault "artifacts"
import glob, json, struct, sys
files = glob.glob(sys.argv[1] + "/artifacts/*/*.safetensors")
assert len(files) == 7, files  # induction reads no task: one job for both
captures = 0
for path in files:
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + n])
    notes = header.pop("__metadata__")

    def rows(name):
        a, b = header[name]["data_offsets"]
        width = header[name]["shape"][-1]
        numbers = struct.unpack(f"<{(b - a) // 4}f", data[8 + n + a:8 + n + b])
        return [numbers[i:i + width] for i in range(0, len(numbers), width)]

    def text(row):
        return "".join("\n" if t == 0 else chr(31 + int(t)) for t in row if t >= 0)

    if "effects" in header:
        assert header["effects"]["shape"] == [3, 4, 10], header
        continue
    captures += 1
    assert header["heads"]["shape"] == [24, 3, 4, 4] and header["hidden"]["shape"] == [24, 4, 16], header
    questions = json.loads(notes["questions"])
    shots = 4 if text(rows("prompt_ids")[0]).count("Q: ") == 5 else 0
    assert [q[0] for q in questions] == list(range(24)) and notes["bos"] == "" and notes["prompts_left_out"] == "0"
    for (_, x, y), prompt, answer in zip(questions, rows("prompt_ids"), rows("answer_ids")):
        prompt = text(prompt)
        assert prompt.endswith(f"Q: {x}\nA:") and text(answer) == " " + y, (prompt, x, y)
        assert prompt.count("Q: ") == shots + 1 and f"Q: {x}\n" not in prompt[:-len(f"Q: {x}\nA:")], prompt
assert captures == 4, captures
END

# ---- the same prompts and states in transformers
if python=$(find_python "torch, transformers, safetensors"); then
    "$python" "$here/check_text_capture.py" "$one" "$home/model" 2>"$work/err" || die "transformers: code $?"
fi

# ---- what makes other jobs
finished() { # NUMBER WHAT ARGUMENT...: so many of the 7 jobs need not run again
    local number=$1 what=$2 found
    shift 2
    launch 0 plan "$config" -o "$one" "$@"
    ((rc == 0)) || die "$what: code $rc"
    found=$(grep -cE '^ *[0-9]* *(capture|effects).* DONE ' "$work/out") || true
    [[ $found == "$number" ]] || { fault "$what: $found jobs are done, not $number"; sed 's/^/    > /' "$work/out"; }
}
finished 7 'the same config'
tr '\n' ' ' <"$work/out" | grep -qE 'for each rank, and [0-9.]+ [KM]iB a node for the weights' || fault "plan does not say what the weights take"
mv "$home/capital.json" "$home/renamed.json"
sed -i 's/capital.json/renamed.json/' "$config"
finished 7 'a renamed task'
finished 1 'another template' -s 'source.template={x} -> {y}; '
finished 3 'shuffled labels' -s capture.source.labels=shuffled
finished 0 'another seed' -s seed=6
sed -i 's/"output": "\([A-Z]\)/"output": "\1\1/' "$home/renamed.json"
finished 4 'another task of the same name'

# ---- refusals: one line, exit 65, nothing computed
refuses() { expect_refusal "$config" "$@"; } # WORDS ARGUMENT...
refuses 'renamed.json: 61 of its 89 pairs are for training, and 40 shots need 80' -s capture.points=41
refuses 'of 24 prompts of renamed with 13 points are longer than the 160 tokens that the model computes' -s capture.points=13
refuses 'prompts of numbers, but the model reads token ids' -s source.kind=functions -s source.dims=3
launch 0 run "$config" -o "$home/none" --quiet --only effects -s effects.measure=gradient
[[ $rc == 1 ]] || fault "gradients of a model that has no answer: code $rc, not 1"
launch 0 status "$home/none"
grep -qF 'none of 10 answers is among the 5 most likely tokens' "$work/out" || fault "status: $(cat "$work/out")"
refuses 'gradients are those of head outputs' --only effects -s effects.measure=gradient -s effects.reading=reprojected
refuses 'set it to "true"' -s source.labels=shuffled --only effects
refuses 'no token' -s 'source.bos=<s>'
refuses '{x} must stand in it once' -s 'source.template=Q: {x}'
refuses 'none.json: cannot open' -s source.task=none.json
cp -r "$home/model" "$home/spoilt"
python3 - "$home/spoilt/model.safetensors" <<'END'
import struct, sys
with open(sys.argv[1], "r+b") as f:
    f.seek(8 + struct.unpack("<Q", f.read(8))[0])
    f.write(b"\xff" * 4)  # NaN in every type
END
refuses 'element 0 of tensor' -s "model.checkpoint=$home/spoilt"
launch 0 run "$config" -o "$home/dropped" --quiet --only capture -s capture.points=12 -s source.too_long=drop -s "source.task=$home/number.json"
((rc == 0)) || die "dropped: code $rc"
python3 - "$home/dropped" <<'END' || fault "prompts that were dropped"
import glob, json, struct, sys
path, = glob.glob(sys.argv[1] + "/artifacts/*/*.safetensors")
data = open(path, "rb").read()
header = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
left_out = int(header["__metadata__"]["prompts_left_out"])
assert 0 < left_out < 24 and header["hidden"]["shape"][0] == 24 - left_out == header["position"]["shape"][0], header
END
refuses 'has only 96 tokens' --only effects -s effects.measure=induction -s effects.repeated=96
refuses 'are a sequence of 162, but the model computes 160' --only effects -s effects.measure=induction -s effects.repeated=81
conclude "7 jobs on 0 to 3 ranks, a kill, and what their plan says"
