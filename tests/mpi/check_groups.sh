#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_groups.sh BINARY [SOURCE] - 50 steps of pretraining give the same weights in one process, by
# groups of 1 to 4 ranks, and across a kill and a resume by another group; and every rank of a
# group computed at least one shard, as the journal says.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_groups "$@"
config="$work/a folder/group.cfg"
cat >"$config" <<'END'
name = "group"; seed = 5;
source = { problem = "linear"; dims = 4; };
stages = ( { stage = "pretrain"; model = { layers = 3; heads = 4; width = 32; positions = 40; };
    points = 10; batch = 64; shards = 4; steps = 50; checkpoint_every = 8; log_every = 10;
    optimiser = { name = "adam"; lr = 2e-3; }; } );
END

weights() { find "$1/artifacts" -name '*.safetensors' -exec sha256sum {} + | cut -d ' ' -f 1; }

# expect_same DIR WHAT: digest, and the very bytes of the weights.
expect_same() {
    ((rc == 0)) || die "$2: code $rc"
    journal check "$1"
    [[ $(digest_of "$1") == "$wanted" ]] || fault "$2: other digest"
    [[ $(weights "$1") == "$wanted_weights" ]] || fault "$2: other weights"
}

# expect_shards DIR GROUP WHAT: ranks 0 .. GROUP - 1 of the group, one shard or more each, 4 in all.
expect_shards() {
    local told
    told=$(journal shards "$1")
    awk -v group="$2" '{
        for (i = 1; i <= NF; i++) { split($i, part, ":"); if (part[1] != i - 1 || part[2] < 1) exit 1; n += part[2] }
        ok = NF == group && n == 4
    } END { exit !(ok && NR == 1) }' <<<"$told" || fault "$3: the DONE line says of its shards: ${told:-nothing}"
}

one="$work/a folder/one"
launch 0 run "$config" -o "$one" --quiet --in-process
((rc == 0)) || die "in process: code $rc"
wanted=$(digest_of "$one")
wanted_weights=$(weights "$one")
[[ $(wc -w <<<"$wanted_weights") == 1 ]] || die "one artifact expected, found: $wanted_weights"

for group in 1 2 3 4; do
    folder="$work/a folder/by $group"
    launch "$group" run "$config" -s "pretrain.group=$group" -o "$folder" --quiet
    expect_same "$folder" "a group of $group"
    if ((group > 1)); then expect_shards "$folder" "$group" "a group of $group"; fi
done

# Killed after its second checkpoint by one group, finished by another.
for group in 2 3; do
    folder="$work/a folder/killed $group" next=$((group == 2 ? 3 : 1))
    TASKVEC_INJECT=kill-all@event:24 launch "$group" run "$config" -s "pretrain.group=$group" \
        -o "$folder" --quiet
    [[ $rc == 137 && $(journal ended "$folder") == killed ]] || die "no kill: code $rc"
    launch "$next" run "$config" -s "pretrain.group=$next" -o "$folder" --quiet
    expect_same "$folder" "a group of $group, killed and finished by $next"
    [[ $(journal resumes "$folder") == 1 ]] || fault "$folder: not resumed from its checkpoint"
    if ((next > 1)); then expect_shards "$folder" "$next" "resumed by $next"; fi
done

# The number of shards changes the bits; otherwise the comparisons above would show nothing.
launch 2 run "$config" -s pretrain.shards=2 -s pretrain.group=2 -o "$work/a folder/two" --quiet
[[ $rc == 0 && $(weights "$work/a folder/two") != "$wanted_weights" ]] ||
    fault "2 shards give the bits of 4 (code $rc): this test cannot tell"
conclude "the same weights after 50 steps in one process, by 1, 2, 3, 4 ranks, and across kills"
