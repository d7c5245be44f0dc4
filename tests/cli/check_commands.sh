#!/usr/bin/env bash
# check_commands.sh BINARY [SOURCE] - the words of the command line: exit codes, messages, what a run,
# its status, table, digest and verify say of each other.
set -euo pipefail
(($#)) || { echo "usage: check_commands.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir -- "$work/a folder"
cd -- "$work/a folder"
unset TASKVEC_INJECT OPENBLAS_CORETYPE
faults=0 checks=0

# MPI unloads its plugins before leaks are looked for, so those have no name to suppress them by; all
# other commands look for leaks.
asan_options() { if [[ $1 == run ]]; then echo detect_leaks=0; fi; }

# expect CODE PATTERN ARGUMENTS: exit code, and a line of either output that matches.
expect() {
    local code=$1 pattern=$2 rc=0
    shift 2
    ASAN_OPTIONS=$(asan_options "${1:-}") timeout 120 "$program" "$@" >out 2>err || rc=$?
    checks=$((checks + 1))
    if [[ $rc != "$code" ]] || ! grep -qE -- "$pattern" out err; then
        echo "taskvec $*: code $rc, expected $code and: $pattern"
        sed 's/^/    > /' out err
        faults=$((faults + 1))
    fi
}

cat >tiny.cfg <<'END'
name = "tiny"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 1; heads = 2; width = 8; positions = 16; };
    points = 4; steps = 8; batch = 8; },
  { stage = "fit"; of = "pretrain"; method = ["ltv", "constant"]; points = 6; repeat = [0, 1];
    prompts = 40; batch = 16; epochs = 2; },
  { stage = "evaluate"; of = "fit"; also = ["plain", "zero"]; points = 8; functions = 8; }
);
END

# ---- words
expect 64 '^commands '
expect 0 'taskvec plan experiments' --help
expect 0 '^revision ' --version
expect 0 'BLAS|OpenBLAS' --version
expect 64 'rnu: unknown command \(did you mean run\?\)' rnu
expect 64 'xyzzy: unknown command; taskvec --help' xyzzy
expect 64 'unknown option --jsno \(did you mean --json\?\)' plan --jsno tiny.cfg
expect 64 'plan: expected CFG' plan
expect 64 'one argument too many' plan tiny.cfg other.cfg
expect 64 '-o needs a value' run tiny.cfg -o
expect 64 'time "soon"' run tiny.cfg --max-time soon
expect 64 'size "lots"' run tiny.cfg --memory lots
expect 64 '--only evalute: no stage' run tiny.cfg --only evalute
expect 64 'tables?|unknown; use text, csv, markdown, latex or json' table . --format pdf
expect 65 'no-such.cfg' plan no-such.cfg
expect 65 'config.cfg is missing' status .
expect 65 'config.cfg is missing' digest .
expect 74 'tiny.cfg/file: cannot create the folder' run tiny.cfg -o tiny.cfg/file/run
for command in plan run status table verify digest fsck explain examples doctor; do
    expect 0 "usage: taskvec $command" "$command" --help
done
expect 0 'taskvec help STAGE' run --help
expect 64 'a: unknown topic; taskvec help lists' help "$(head -c 10000 /dev/zero | tr '\0' a)"

# ---- a run
expect 0 'pretrain\[0\].*PENDING' plan tiny.cfg
expect 0 '^11 jobs: pretrain 1, fit 4, evaluate 6' plan tiny.cfg
expect 0 '11 of 11 jobs done' run tiny.cfg
[[ -s results/tiny/results.h5 ]] || { echo "no results/tiny/results.h5"; faults=$((faults + 1)); }
expect 0 '11 of 11 jobs done; results' run tiny.cfg --quiet
expect 0 'pretrain\[0\].*DONE' plan tiny.cfg
expect 0 '11 DONE' status results/tiny
expect 0 '"done":11' status results/tiny --json --exit-code
expect 0 '^  plain +[0-9]' table results/tiny
expect 0 '^\| method' table results/tiny --format markdown
expect 0 '^.begin.tabular. *.l' table results/tiny --format latex
expect 0 '^.{"method":"ltv",.*"run":"results/tiny","stage":"evaluate".' table results/tiny --format json
expect 0 '^method,reading,fit_points,repeats,' table results/tiny --format csv
expect 0 '^plain,,,1,' table results/tiny --format csv
expect 0 '^% results/tiny, stage evaluate$' table results/tiny results/tiny --format latex
expect 0 '^method +reading +points' table results/tiny fit --wide
expect 65 'results/tiny/results.h5: a file in the folder of a run: give the folder, results/tiny' table results/tiny/results.h5
expect 65 'tiny/config.cfg: a file in the folder of a run' status results/tiny/config.cfg
expect 64 'no stage is called "fti"; there are: pretrain, fit, evaluate' table results/tiny fti
expect 0 '11 of 11 jobs recomputed: 11 the same, 0 different' verify results/tiny
expect 0 '2 of 11 jobs recomputed' verify results/tiny --sample 2
expect 64 '--sample 0' verify results/tiny --sample 0
expect 0 '^[0-9a-f]{64}$' digest results/tiny
digest=$(cat out)

# ---- resolved: opens again, prints the same, gives the same bits
"$program" plan tiny.cfg --resolved >resolved.cfg 2>/dev/null
"$program" plan resolved.cfg --resolved 2>/dev/null | cmp - resolved.cfg || faults=$((faults + 1))
expect 0 '11 of 11' run resolved.cfg -o again --in-process
expect 0 "^$digest\$" digest again

# ---- a changed config runs what is new
expect 0 '2 new, 11 unchanged, 0 no longer planned' run tiny.cfg -s 'fit.repeat=[0,1]' \
    -s 'evaluate.also=[plain,zero,window,oracle]'
expect 0 'note: results/tiny: the config changed: 0 new, 11 unchanged, 2 no longer planned, of which 2 are finished' \
    plan tiny.cfg
expect 0 '0 new, 11 unchanged, 2 no longer planned, of which 2 are finished: .* return with the config before, results/tiny/configs/' \
    run tiny.cfg
kept=$(sed -n 's/.* return with the config before, //p' err)
expect 0 "^$digest\$" digest results/tiny
expect 0 '2 new \(2 finished earlier\), 11 unchanged, 0 no longer planned$' run "$kept" -o results/tiny
expect 0 '13 of 13 jobs done; ' run "$kept" -o results/tiny # nothing ran again
expect 0 '2 no longer planned' run tiny.cfg
expect 0 "^$digest\$" digest results/tiny

# ---- a folder keeps its run: another config is refused, and says what it would cost
sed 's/name = "tiny"/name = "other"/' tiny.cfg >other.cfg
cp -r again owned
expect 65 'owned: holds the run "tiny", this config is "other": 0 jobs would be new, 11 unchanged, 0 no longer planned; .*--replace-config' \
    run other.cfg -o owned
expect 65 'owned: holds a run that shares no job with this config: 11 jobs would be new, 0 unchanged, 11 no longer planned \(11 finished\); .*--replace-config' \
    run tiny.cfg -o owned -s seed=2
expect 0 "^$digest\$" digest owned
expect 0 '11 of 11 jobs done' run other.cfg -o owned --replace-config
expect 0 '0 unchanged, 11 no longer planned' run other.cfg -o owned --replace-config -s seed=2
expect 0 "^$digest\$" digest results/tiny
expect 0 '11 new \(11 finished earlier\), 0 unchanged' run resolved.cfg -o owned --replace-config
expect 0 "^$digest\$" digest owned

# ---- part of it
expect 0 '1 of 11 jobs done.*10 left' run tiny.cfg -o part --only pretrain
expect 75 'PENDING' status part --exit-code
expect 75 '; 1 attempt$' status part --exit-code
expect 75 'not done' digest part

# ---- only repeats of one fit are averaged: stages that differ in another key stay apart,
# and a fit that two stages ask for counts once
sed -e '/stage = "fit"/,/epochs/d' tiny.cfg >two.cfg
sed -i -e 's/^stages = ($/&@/; s/of = "fit"/of = ["slow", "fast", "more"]/' two.cfg
fits='"pretrain"; method = "ltv"; points = 6; prompts = 40; batch = 16; epochs = 2; optimiser ='
sed -i -e "s|@|{ stage = \"fit\"; name = \"slow\"; repeat = [0, 1]; of = $fits { lr = 1e-4; }; },\
{ stage = \"fit\"; name = \"fast\"; repeat = [0, 1]; of = $fits { lr = 0.1; }; },\
{ stage = \"fit\"; name = \"more\"; repeat = [1, 2]; of = $fits { lr = 1e-4; }; },|" two.cfg
expect 0 '13 of 13 jobs done' run two.cfg -o two
expect 0 '^  ltv heads +6 +0\.0001 +3 ' table two --wide
expect 0 '^  ltv heads +6 +0\.1 +2 ' table two --wide

# ---- a fault costs its own job and what reads it
export TASKVEC_INJECT=segv@job:2
expect 1 '1 failed, 1 blocked' run tiny.cfg -o faulty
unset TASKVEC_INJECT
expect 1 'BLOCKED +evaluate\[1\] by fit\[1\]' status faulty --exit-code
expect 1 '1 failed, 1 blocked' run tiny.cfg -o faulty
expect 0 '11 of 11 jobs done, 2 of them now' run tiny.cfg -o faulty --retry-failed
expect 0 "^$digest\$" digest faulty

# ---- one changed bit is found
artifact=$(find again/artifacts -name '*.safetensors' | sort | head -n 1)
size=$(stat -c %s -- "$artifact")
printf 'x' | dd of="$artifact" bs=1 seek=$((size - 2)) conv=notrunc status=none
expect 1 'DIFFERS' verify again

# ---- other commands of this machine

timeout 60 "$program" doctor >out 2>err || (($? == 1)) || faults=$((faults + 1))
grep -q 'blas kernel' out || faults=$((faults + 1))
kernel=$(sed -n 's/^TROUBLE  blas kernel .* export OPENBLAS_CORETYPE=\([A-Za-z]*\).*/\1/p' out)
if [[ -n $kernel ]]; then # a CPU that OpenBLAS does not know: the named kernel is one it has
    OPENBLAS_CORETYPE=$kernel "$program" doctor >out || true
    grep -q "^ok  *blas kernel *core $kernel, pinned" out || faults=$((faults + 1))
fi
export OPENBLAS_CORETYPE=Nehalem
expect 1 'TROUBLE +blas kernel +OPENBLAS_CORETYPE=Nehalem pins a slower .* export OPENBLAS_CORETYPE=(Haswell|SkylakeX),' doctor
expect 0 'jobs done' run tiny.cfg -o nehalem --quiet
[[ $(grep -c 'OPENBLAS_CORETYPE=Nehalem pins a slower' err) == 1 ]] || faults=$((faults + 1))
rm -- "$(find faulty/artifacts -name '*.safetensors' | sort | head -n 1)" # its job is to run again
expect 65 'attempt 1 was computed by another build or core: .*is Nehalem.*--mix' run tiny.cfg -o faulty
expect 65 'attempt 1 was computed by another build or core: blas was .*; core was [A-Za-z]+, is Nehalem: .*--mix' \
    run tiny.cfg -s 'fit.repeat=[0,1,2]'
expect 0 'jobs done' run tiny.cfg -s 'fit.repeat=[0,1,2]' --mix
unset OPENBLAS_CORETYPE

# ---- a damaged or missing line of an attempt: what made its jobs is not known
for number in 1 2; do
    cp faulty/journal kept
    line=$(grep -an $'\tattempt\tnumber='"$number"$'\t' kept | cut -d: -f1)
    sed -i "${line}s/hosts=/hostt=/" faulty/journal
    expect 65 "the line of attempt $number is damaged, .*--mix" run tiny.cfg -o faulty
    cp kept faulty/journal
done
line=$(grep -an $'\tattempt\tnumber=1\t' kept | cut -d: -f1)
sed -i "${line}d" faulty/journal
expect 65 'the line of attempt 1 is damaged' run tiny.cfg -o faulty
expect 0 '11 of 11 jobs done, 1 of them now' run tiny.cfg -o faulty --mix
expect 0 "^$digest\$" digest faulty

((faults == 0)) || { echo "$faults of $checks checks failed"; exit 1; }
echo "$checks checks of the command line"
