"""check_text_capture.py DIR MODEL: every capture of the run DIR against transformers: the ids of each prompt, encoded by its tokenizer
from the pairs that the ids show, and the states and heads of its last token."""
import glob
import json
import sys

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

run, folder = sys.argv[1:]
tokenizer = PreTrainedTokenizerFast(tokenizer_file=folder + "/tokenizer.json")
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
heads = {}
for i, layer in enumerate(model.model.layers):
    layer.self_attn.o_proj.register_forward_pre_hook(lambda _, inputs, i=i: heads.__setitem__(i, inputs[0][0, -1]))
compared, worst = 0, 0.0
for path in glob.glob(run + "/artifacts/*/*.safetensors"):
    with safe_open(path, "pt") as f:
        if "prompt_ids" not in f.keys():
            continue
        ids, answers, z, hidden = (f.get_tensor(k) for k in ("prompt_ids", "answer_ids", "heads", "hidden"))
        questions = json.loads(f.metadata()["questions"])
    for i, (_, x, y) in enumerate(questions):
        prompt = [int(t) for t in ids[i] if t >= 0]
        text = "".join(tokenizer.convert_ids_to_tokens(prompt))
        assert text.endswith(f"Q: {x}\nA:") and tokenizer.encode(text) == prompt, text
        assert tokenizer.encode(text + " " + y) == prompt + [int(t) for t in answers[i] if t >= 0], (text, y)
        with torch.no_grad():
            out = model(torch.tensor([prompt]), output_hidden_states=True)
        for layer, state in enumerate(out.hidden_states[:-1]):  # the last one is after the final norm
            worst = max(worst, (hidden[i, layer] - state[0, -1]).abs().max().item())
        for layer, z_layer in heads.items():
            worst = max(worst, (z[i, layer].flatten() - z_layer).abs().max().item())
        compared += 1
assert compared == 96, compared
assert worst < 1e-4, worst
