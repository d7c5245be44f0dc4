"""check_text_evaluate.py DIR MODEL: the scores of every evaluation of the run DIR against transformers, from the prompts that its
artifacts keep: each answer by teacher forcing, of ties any."""
import glob
import sys

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

run, folder = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
TIE = 1e-4


def near(a, b):
    return abs(a - b) < 1e-4 * max(1, abs(b))


def compare(got, prompt, answer):
    with torch.no_grad():
        out = model(torch.tensor([prompt + answer])).logits[0].double()
    logits = out[len(prompt) - 1:len(prompt) - 1 + len(answer)]
    own = logits.gather(1, torch.tensor(answer)[:, None])[:, 0]
    log_p, margin = own - logits.logsumexp(1), own - logits.max(1).values
    first, whole, tokens, first_right, right, rank, token, stripped = got
    assert near(first, log_p[0].item()) and near(whole, log_p.sum().item()) and tokens == len(answer), (got, log_p)
    assert first_right == (margin[0] == 0) or margin[0].abs() < TIE, got
    assert right == (margin == 0).all() or (margin > -TIE).all(), got
    assert 1 + (logits[0] > own[0] + TIE).sum() <= rank <= 1 + (logits[0] > own[0] - TIE).sum(), got
    assert logits[0, int(token)] > logits[0].max() - TIE, got
    own = "".join(chr(31 + t) if t else "\n" for t in logits.argmax(1).tolist())  # of the tokenizer of make_text_model.py
    wanted = "".join(chr(31 + t) if t else "\n" for t in answer)
    assert stripped == (own.strip() == wanted.strip()) or (margin > -TIE).all(), (got, own, wanted)
    return logits[0]


items = files = 0
for path in glob.glob(run + "/artifacts/*/*.safetensors"):
    with safe_open(path, "pt") as f:
        scores, ids, answers = (f.get_tensor(k) for k in ("scores", "prompt_ids", "answer_ids"))
        labels, log_prob = f.get_tensor("labels").long(), f.get_tensor("label_log_prob")
    assert labels.tolist() == sorted({int(a[0]) for a in answers}), path
    for row, prompt, answer, of_labels in zip(scores.tolist(), ids, answers, log_prob):
        logits = compare(row, [int(t) for t in prompt if t >= 0], [int(t) for t in answer if t >= 0])
        assert (logits[labels].log_softmax(0) - of_labels).abs().max() < 1e-4, path
        items += 1
    files += 1
assert files == 12 and items > 120, (files, items)
