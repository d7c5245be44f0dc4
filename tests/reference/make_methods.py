#!/usr/bin/env python3
"""Reference numbers for task-vector methods, by NumPy in float64, on a small random model.

    make_methods.py OUT.h5

Writes what `taskvec verify --require methods` compares; the groups are described in
src/run/verify/verify_methods.c. A reference implementation is a function of (model, xs, ys, T0) that returns the
datasets of a group; it is listed in CASES of a module method_twin_*.py. Needs numpy and h5py.
"""
import glob
import importlib
import os
import sys

import h5py
import numpy as np

from numpy_model import Model

PROMPTS, POINTS, T0 = 5, 8, 6


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    model, rng = Model(seed=1), np.random.default_rng(2)
    xs = rng.standard_normal((PROMPTS, POINTS, model.inputs)).astype(np.float32)
    ys = rng.standard_normal((PROMPTS, POINTS)).astype(np.float32)
    modules = sorted(glob.glob(os.path.join(here, "method_twin_*.py")))
    with h5py.File(sys.argv[1], "w") as f:
        f.attrs.update(model.attributes(), points=T0)
        f["methods/xs"], f["methods/ys"] = xs, ys
        for name, values in model.weights.items():
            f["weights/" + name] = values.astype(np.float32)
        for path in modules:
            for case in importlib.import_module(os.path.basename(path)[:-3]).CASES:
                numbers = case(model, xs.astype(np.float64), ys.astype(np.float64), T0)
                for what, values in numbers.items():
                    f[f"methods/{case.__name__}/{what}"] = np.asarray(values)


if __name__ == "__main__":
    main()
