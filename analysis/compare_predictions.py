#!/usr/bin/env python3
"""Compare the tokens that taskvec predicts on text with those of transformers on the same prompts.

    compare_predictions.py RUN MODEL [--ties 1e-3] [--batch 16]

RUN is the folder of a run with evaluations of the plain model that kept their prompts (`also = ["plain"]; keep = ["prompts"];`),
MODEL the Hugging Face folder that they were evaluated on. For each evaluation transformers computes, in float32, the logits at
the last token of each prompt. Printed are the items whose most likely token is the same, how many of the others are ties (the
two tokens differ by less than --ties in log probability), the accuracy of the first answer token by both, and the largest
difference in the log probability of the true one. Exit code 1 if a token differs that is no tie, or if the library tokenizers
encodes the text of a prompt otherwise.
"""
import argparse
import json
import struct
import sys
from pathlib import Path

import numpy as np
import tokenizers
import torch
import transformers

FIRST_LOG_PROB, FIRST_TOKEN = 0, 6  # columns of the tensor scores


def fail(message):
    sys.exit(f"compare_predictions.py: {message}")


def read_artifact(path):
    """(description of the job, {name: array of float32})."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    about = json.loads(header.pop("__metadata__", {}).get("taskvec", "{}"))
    arrays = {}
    for name, tensor in header.items():
        first, last = (8 + size + offset for offset in tensor["data_offsets"])
        arrays[name] = np.frombuffer(data[first:last], dtype="<f4").reshape(tensor["shape"])
    return about, arrays


class Evaluation:
    """One evaluation of the plain model: prompts as lists of ids, and what taskvec predicted after each."""

    def __init__(self, about, arrays):
        keys = dict(line.rstrip(";").split(" = ", 1) for line in about["config"].splitlines())
        self.task = Path(keys["source.task"].strip('"')).stem
        self.shots = int(keys["points"]) - 1
        self.shuffled = "shuffled" in keys["shift"] or "shuffled" in keys.get("source.labels", "")
        self.prompts = [[int(t) for t in row if t >= 0] for row in arrays["prompt_ids"]]
        self.answers = arrays["answer_ids"][:, 0].astype(int)
        self.predicted = arrays["scores"][:, FIRST_TOKEN].astype(int)
        self.log_prob = arrays["scores"][:, FIRST_LOG_PROB]

    def order(self):
        return self.task, -self.shots, self.shuffled

    def kind(self):
        return f"{self.shots}-shot{' shuffled' if self.shuffled and self.shots else ''}"


def read_evaluations(run):
    found = []
    for path in sorted(Path(run).glob("artifacts/*/*.safetensors")):
        about, arrays = read_artifact(path)
        if about.get("stage") == "evaluate" and about.get("control") == "plain" and "prompt_ids" in arrays:
            found.append(Evaluation(about, arrays))
    if not found:
        fail(f"{run}: no evaluation of the plain model with its prompts: also = [\"plain\"]; keep = [\"prompts\"];")
    return sorted(found, key=Evaluation.order)


def next_log_probs(model, prompts, batch):
    """Log probabilities [prompts, vocabulary] of the token after each prompt."""
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    out = [None] * len(prompts)
    for first in range(0, len(order), batch):
        rows = order[first:first + batch]
        longest = max(len(prompts[i]) for i in rows)
        ids = torch.tensor([prompts[i] + [0] * (longest - len(prompts[i])) for i in rows])
        mask = torch.tensor([[1] * len(prompts[i]) + [0] * (longest - len(prompts[i])) for i in rows])
        with torch.no_grad():
            states = model.base_model(ids, attention_mask=mask, use_cache=False).last_hidden_state
            last = torch.stack([states[r, len(prompts[i]) - 1] for r, i in enumerate(rows)])
            logits = model.get_output_embeddings()(last).double()
        for i, row in zip(rows, torch.log_softmax(logits, -1).numpy()):
            out[i] = row
    return np.stack(out)


def compare(evaluation, log_probs, tie):
    """A row of the report."""
    items = np.arange(len(evaluation.prompts))
    theirs = log_probs.argmax(1)
    same = theirs == evaluation.predicted
    gap = log_probs[items, theirs] - log_probs[items, evaluation.predicted]
    return {"task": evaluation.task, "prompts": evaluation.kind(), "items": len(items), "same": int(same.sum()),
            "ties": int((~same & (gap < tie)).sum()),
            "taskvec": float((evaluation.predicted == evaluation.answers).mean()),
            "transformers": float((theirs == evaluation.answers).mean()),
            "difference": float(np.abs(log_probs[items, evaluation.answers] - evaluation.log_prob).max())}


def encoded_otherwise(folder, evaluations):
    """How many prompts the library encodes as other ids. The first token may be one that taskvec added."""
    tokenizer = tokenizers.Tokenizer.from_file(f"{folder}/tokenizer.json")
    count = 0
    for evaluation in evaluations:
        for ids in evaluation.prompts:
            text = tokenizer.decode(ids, skip_special_tokens=False)
            again = tokenizer.encode(text, add_special_tokens=False).ids
            count += again not in (ids, ids[1:])
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("model")
    parser.add_argument("--ties", type=float, default=1e-3, help="difference in log probability below which tokens tie")
    parser.add_argument("--batch", type=int, default=16, help="prompts in a pass")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    evaluations = read_evaluations(args.run)
    model = transformers.AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).eval()
    other = encoded_otherwise(args.model, evaluations)
    print(f"{'task':26} {'prompts':17} {'items':>5} {'same':>5} {'ties':>5} {'taskvec':>8} {'transformers':>13} {'difference':>11}")
    wrong = 0
    for evaluation in evaluations:
        row = compare(evaluation, next_log_probs(model, evaluation.prompts, args.batch), args.ties)
        wrong += row["items"] - row["same"] - row["ties"]
        print(f"{row['task']:26} {row['prompts']:17} {row['items']:5} {row['same']:5} {row['ties']:5} {row['taskvec']:8.3f} "
              f"{row['transformers']:13.3f} {row['difference']:11.1e}")
    items = sum(len(e.prompts) for e in evaluations)
    print(f"{items} prompts: {wrong} predicted tokens differ that are no ties; {other} prompts are encoded otherwise; "
          f"transformers {transformers.__version__}, tokenizers {tokenizers.__version__}")
    sys.exit(1 if wrong or other else 0)


if __name__ == "__main__":
    main()
