"""check_apply_vector.py BINARY SOURCE RUN - every evaluation of RUN repeated by analysis/apply_vector.py: its
predictions must be those of the program to 1e-5. Prints the methods that were compared."""
import contextlib
import io
import json
import subprocess
import sys

binary, source, run = sys.argv[1:]
sys.path.insert(0, f"{source}/analysis")
import numpy as np
import torch

import apply_vector


def taskvec(*arguments):
    return subprocess.run([binary, "artifact", run, *arguments], check=True, capture_output=True, text=True).stdout


def compare(model, path):
    tensors, _ = apply_vector.read_safetensors(path)
    names = ("x", "y", "query_x", "shown_y", "basis_x", "basis_y")
    prompts = {name: model.tensor(tensors[name]) for name in names if name in tensors}
    with torch.no_grad():
        edits, about = apply_vector.load_edits("edits.safetensors", model, prompts.pop("basis_x", None),
                                               prompts.pop("basis_y", None))
        got = apply_vector.predict(model, edits, **prompts, about=about).numpy()
        plain = apply_vector.predict(model, apply_vector.NO_EDITS, **prompts).numpy()
    worst = np.max(np.abs(got - tensors["predictions"]) / (1 + np.abs(got)))
    return worst, np.max(np.abs(got - plain)), about


torch.set_num_threads(1)
model, seen, bad = None, set(), 0
plan = json.load(open("plan.json", encoding="utf-8"))
for job in (j["job"] for j in plan["jobs"] if j["kind"] == "evaluate"):
    one = json.loads(taskvec(job, "--json"))
    about_job = json.loads(one["metadata"]["taskvec"])
    model = model or apply_vector.Model(about_job["model"]["file"])
    taskvec(job, "--edits", "edits.safetensors")
    worst, effect, about = compare(model, one["path"])
    name = about_job.get("control", about["method"])
    seen.add(name)
    if not worst <= 1e-5 or (effect > 1e-4) == (name in ("plain", "zero")):
        bad += 1
        print(f"{job} {name} {about['variant']} {about['vector']} {about['keys']}: predictions differ by {worst:.2g}, "
              f"from those of plain by {effect:.2g}")


def command(*arguments):
    """The exit code of the command line."""
    sys.argv = ["apply_vector.py", *arguments]
    with contextlib.redirect_stdout(io.StringIO()):
        return apply_vector.main()


# The command line: the comparison decides the exit code; a model is no file of edits.
shipped, prompts = about_job["model"]["file"], one["path"]
assert command(shipped, "edits.safetensors", prompts, "-o", "out.npy") == 0
assert np.load("out.npy").shape == (2, 4)
assert command(shipped, "edits.safetensors", prompts, "--tolerance", "1e-13") == 1
for arguments, words in (((shipped, shipped, prompts), "not written by taskvec artifact --edits"),
                         ((shipped.replace("linear_d5", "linear_d5_seed2"), "edits.safetensors", prompts), "with other content"),
                         ((shipped.replace("linear_d5", "relu_net_d3"), "edits.safetensors", prompts), "do not fit")):
    try:
        command(*arguments)
        raise SystemExit(f"{arguments} were accepted")
    except apply_vector.Refused as refused:
        assert words in str(refused), refused
print(" ".join(sorted(seen)))
sys.exit(bad > 0)
