#include "stages/stage_tensors.h"

#include <assert.h>
#include <string.h>

/* In the order of the stages. */
static const struct stage_tensor TENSORS[] = {
    {"pretrain", "*", "", "weights of the model, by the names of the published models"},
    {"fit", "weights", "of the method", "weights of the method, where it has any"},
    {"fit", "choice", "1",
     "index of the candidate, such as a layer, that was chosen on validation prompts; 0 where "
     "there is one"},
    {"fit", "choice_losses", "candidates", "validation loss of each candidate"},
    {"fit", "validation_losses", "epochs", "validation loss after each epoch, of learned methods"},
    {"fit", "basis_heads", "L x E",
     "with basis \"mean\": head outputs side by side at the query, mean over prompts"},
    {"fit", "basis_attention", "L x E",
     "the same of the attention outputs, after projection with bias"},
    {"fit", "basis_state", "L x E", "the same of the residual stream after each block"},
    {"fit", "basis_alone", "L x E", "the same for the query alone, without examples"},
    {"fit", "basis_anchors", "E x E",
     "row k: sum over anchors of coefficient k times the change that the examples make to the "
     "anchor's last state, mean over prompts"},
    {"fit", "basis_step", "(L + 1) x E",
     "state at the query's y minus that at its x: the embedding, blocks 0 to L - 2, the last block "
     "after the final norm; norm 1 over all; mean over prompts"},
    {"fit", "basis_recent", "L x E",
     "attention outputs averaged over the last x's, mean over prompts"},
    {"choose", "chosen", "1", "number of the chosen fit among the candidates, from 0"},
    {"choose", "candidate_losses", "candidates", "validation loss of each fit"},
    {"choose", "*", "", "all tensors of the chosen fit"},
    {"evaluate", "errors", "n x T", "error of each function after k = 0, 1, ... examples"},
    {"evaluate", "predictions", "n x T",
     "keep = [\"predictions\"]: predictions after k = 0, 1, ... examples"},
    {"evaluate", "targets", "n x T", "keep = [\"predictions\"]: the true answers"},
    {"evaluate", "x", "n x T x d", "keep = [\"prompts\"]: x of the test prompts"},
    {"evaluate", "y", "n x T", "keep = [\"prompts\"]: y of the test prompts"},
    {"evaluate", "query_x", "n x T x d",
     "keep = [\"prompts\"]: what is asked after k pairs, where a shift asks other x than those of "
     "the prompt"},
    {"evaluate", "shown_y", "n x T x T",
     "keep = [\"prompts\"]: row k has the labels of the k pairs, where they depend on k"},
    {"evaluate", "basis_x", "n x T0 x d",
     "keep = [\"prompts\"]: x of the basis prompts, of methods with a basis for each prompt"},
    {"evaluate", "basis_y", "n x T0", "keep = [\"prompts\"]: their y"},
    {"evaluate", "scores", "items x 8",
     "of text: log p of the first token of the answer; of the whole answer; its tokens; 1 if the "
     "first one is the most likely; 1 if all are; rank of the first, from 1; the most likely "
     "token; 1 if the most likely tokens read as the answer, blanks at its ends aside"},
    {"evaluate", "samples", "items", "of text: number of each test item, from 0"},
    {"evaluate", "labels", "labels",
     "of text: the first tokens of all true answers, each once, in ascending order"},
    {"evaluate", "label_log_prob", "items x labels",
     "log p of each label as the next token of each prompt, among the labels"},
    {"evaluate", "prompt_ids", "items x tokens",
     "of text, keep = [\"prompts\"]: the tokens of each prompt, then -1"},
    {"evaluate", "answer_ids", "items x tokens", "the same of its true answer"},
    {"estimate", "errors", "n x T", "error of each function after k = 0, 1, ... examples"},
    {"effects", "effects", "L x H x n",
     "indirect effect of each head on each prompt; of text also its "
     "attribution, or its induction score on each sequence"},
    {"effects", "basis_heads", "L x E", "mean head outputs, with which heads are patched"},
    {"effects", "basis_attention", "L x E",
     "the same of the attention outputs, with reading \"reprojected\""},
    {"capture", "heads", "n x L x E",
     "head outputs side by side at the query, before the output projection; of text n x L x H x D"},
    {"capture", "attention", "n x L x E", "output of each attention block at the query"},
    {"capture", "hidden", "n x (L + 1) x E",
     "residual stream at the query: the embedding, then after each block"},
    {"capture", "x", "n x T x d", "x of the prompts; the query is the last one"},
    {"capture", "y", "n x T", "y of the prompts; the last one is the answer"},
    {"capture", "prompt_ids", "n x longest", "of text: tokens of the prompts, then -1"},
    {"capture", "answer_ids", "n x longest", "of text: tokens of the true answers, then -1"},
    {"capture", "position", "n",
     "token of the query, from 0; with other `tokens` n x m, then -1: heads, attention and hidden "
     "then have m tokens of each prompt, with the heads of a layer side by side"},
    {"capture", "function", "n x parameters", "parameters of the function of each prompt"},
    {"head_weights", "weights", "L x H", "weight of each head"},
    {"head_weights", "initial", "L x H", "the weights that the fit began from"},
    {"compare", "leading", "sets x L x n",
     "entries of the leading left singular vector of the states after each block, times the square "
     "root of n; the note `sets` names the sets"},
    {"compare", "cosines", "k x references x L x axes",
     "cosines of the principal angles with the states of each reference; NaN: an axis without "
     "variance"},
    {"compare", "errors", "sets x n", "error of each function at its query"},
    {"compare", "states_plain", "(1 + k) x L x n x E",
     "keep = [\"states\"]: states of the plain model after `reference` and after k examples"},
    {"compare", "states_method", "k x L x n x E", "keep = [\"states\"]: the same under the method"},
    {"probe", "predicted", "test x parameters",
     "parameters of the test functions as predicted from all layers"},
    {"probe", "parameters", "n x parameters",
     "true parameters; the test functions are the last ones"},
    {"leave_one_out", "errors", "n", "error of each function with all heads"},
    {"leave_one_out", "changes", "L x H x n", "error without each head minus that with all"},
    {"universal", "effects", "L x H", "mean effect of each head over the tasks that are used"},
    {"probe", "features", "n x numbers", "keep = [\"features\"]: what is read, layer by layer"},
};
enum { TENSORS_N = sizeof TENSORS / sizeof *TENSORS };

size_t stage_tensor_count(void) { return TENSORS_N; }

const struct stage_tensor *stage_tensor_at(size_t i) {
    assert(i < TENSORS_N);
    return &TENSORS[i];
}

const struct stage_tensor *stage_tensor_find(const char *stage, const char *name) {
    for (size_t i = 0; i < TENSORS_N; i++) {
        const struct stage_tensor *t = &TENSORS[i];
        if (strcmp(t->stage, stage) != 0) continue;
        if (strcmp(t->name, name) == 0) return t;
        if (strcmp(t->name, "*") == 0)
            return strcmp(stage, "choose") == 0 ? stage_tensor_find("fit", name) : t;
    }
    return NULL;
}
