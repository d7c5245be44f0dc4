"""check_planted.py BINARY FORWARD INVERSE BIJECTION: the runs of check_planted.sh against what the weights of the model were set for."""
import csv
import functools
import io
import json
import struct
import subprocess
import sys

LAYER, HEAD, HEADS = 1, 2, 4  # the planted head
binary, *runs = sys.argv[1:]


def call(*words):
    return subprocess.run([binary, *words], capture_output=True, text=True, check=True).stdout


@functools.cache
def rows(run, *table):
    return list(csv.DictReader(io.StringIO(call("table", run, *table, "--format", "csv"))))


def weights(run, job):
    path = json.loads(call("artifact", run, job, "--json"))["path"]
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))["weights"]
        size = header["shape"][0] * header["shape"][1]
        f.seek(header["data_offsets"][0], 1)
        return struct.unpack(f"<{size}f", f.read(4 * size))


def effects(run, measure):
    return {(int(r["layer"]), int(r["head"])): float(r["effect"]) for r in rows(run, "effects") if r["measure"] == measure}


def accuracy(run, method, k, shift, stage="evaluate"):
    found = [float(r["accuracy"]) for r in rows(run, stage) if (r["method"], int(r["k"]), r["shift"]) == (method, k, shift)]
    assert found, (run, method, k, shift)
    return sum(found) / len(found)


def check_one_direction(run):
    """Both maps and both methods of heads find the planted head; a vector restores the task where no shot tells it."""
    for measure, least in ("patching", 0.99), ("gradient", 5):
        effect = effects(run, measure)
        own = effect.pop((LAYER, HEAD))
        assert own > least and max(map(abs, effect.values())) < 0.1 * own, (run, measure, own, effect)
    for fit in rows(run, "fit"):
        if fit["method"] not in ("ltv", "site"):
            continue
        w = list(weights(run, fit["job"]))
        own = w.pop(LAYER * HEADS + HEAD)
        assert own > 1.5 * max(map(abs, w)), (run, fit["method"], own, w)
    assert accuracy(run, "plain", 8, "none") == 1
    assert accuracy(run, "plain", 0, "none") == accuracy(run, "plain", 8, "shuffled_labels") == 0
    assert accuracy(run, "random", 0, "none") < 0.4, accuracy(run, "random", 0, "none")
    for selection, is_planted in ("aie", True), ("gradient", True), ("bottom", False):
        for fit in rows(run, selection):
            w = weights(run, fit["job"])
            assert sum(w) == 1 and w[LAYER * HEADS + HEAD] == is_planted, (run, selection, w)
        found = accuracy(run, "fv", 0, "none", "test_" + selection)  # over both sites
        assert found == is_planted, (run, selection, found)
    for method in "ltv", "site", "learned_vector", "state_vector":
        for k, shift in (0, "none"), (8, "shuffled_labels"):
            assert accuracy(run, method, k, shift) > 0.9, (run, method, k, shift, accuracy(run, method, k, shift))


def check_bijection(run):
    """The shots tell the direction of each query; one vector for all queries cannot, but a map of rank one can, which reads them."""
    mean = effects(run, "patching")[LAYER, HEAD]
    assert mean < 0.5, mean
    assert accuracy(run, "plain", 8, "none") == 1 and accuracy(run, "plain", 0, "none") == 0
    for method in "ltv", "site", "learned_vector", "state_vector":
        assert accuracy(run, method, 0, "none") <= 0.5, (method, accuracy(run, method, 0, "none"))
    for selection in "aie", "gradient":
        assert accuracy(run, "fv", 0, "none", "test_" + selection) <= 0.5, selection
    assert accuracy(run, "loreft", 0, "none") > 0.7, accuracy(run, "loreft", 0, "none")


check_one_direction(runs[0])
check_one_direction(runs[1])
check_bijection(runs[2])
print("a planted head is found, and a planted bijection is out of reach of one vector")
