#include "cli/help_completion.h"

#include <string.h>

#include "bench/bench.h"
#include "cli/command.h"
#include "cli/help_registry.h"
#include "run/tables/table_format.h"
#include "stages/stage.h"

/* The script of both shells begins with the function _taskvec_words, which holds all words; then
 * follows how the shell asks for them. */

static void add_word(void *context, const char *word) { text_add(context, " %s", word); }

static void add_options(struct text *out, const struct command *c, bool with_value) {
    for (size_t i = 0; i < c->n_options; i++) {
        if (with_value && !c->options[i].value) continue;
        add_word(out, c->options[i].name);
        if (c->options[i].brief) add_word(out, c->options[i].brief);
    }
}

static void add_commands(struct text *out) {
    text_add(out, "    commands) echo \"");
    for (size_t i = 0; i < command_count(); i++) add_word(out, command_at(i)->name);
    text_add(out, " --help --version\" ;;\n    config_commands) echo \"");
    for (size_t i = 0; i < command_count(); i++)
        if (strncmp(command_at(i)->arguments, "CFG", 3) == 0) add_word(out, command_at(i)->name);
    text_add(out, " \" ;;\n");
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *c = command_at(i);
        text_add(out, "    options:%s) echo \"", c->name);
        add_options(out, c, false);
        text_add(out, " --help\" ;;\n    values:%s) echo \"", c->name);
        add_options(out, c, true);
        text_add(out, " \" ;;\n");
    }
}

static void add_keys(struct text *out, const struct stage_schemas *s) {
    text_add(out, "    keys) echo \"name= seed=");
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->schemas[i].n; j++)
            text_add(out, " %s.%s=", s->names[i], s->schemas[i].rows[j]->name);
    text_add(out, "\" ;;\n");
}

/* The values that a key of a stage may have, where they are words. */
static void add_values(struct text *out, const struct stage_schemas *s) {
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->schemas[i].n; j++) {
            const struct config_key *row = s->schemas[i].rows[j];
            const char *const *choice = row->choices;
            if (!choice) continue;
            text_add(out, "    choices:%s.%s) echo \"", s->names[i], row->name);
            for (; *choice; choice++) add_word(out, *choice);
            text_add(out, "\" ;;\n");
        }
    text_add(out, "    choices:--format) echo \"");
#define X(id, name) add_word(out, name);
    TABLE_FORMATS(X)
#undef X
    text_add(out, "\" ;;\n");
}

static void add_topics(struct text *out, const struct stage_schemas *s) {
    text_add(out, "    topics) echo \"");
    for (size_t i = 0; i < command_count(); i++) add_word(out, command_at(i)->name);
    for (size_t i = 0; i < s->n; i++) add_word(out, s->names[i]);
    help_registry_visit(add_word, out);
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->schemas[i].n; j++)
            text_add(out, " %s.%s", s->names[i], s->schemas[i].rows[j]->name);
    text_add(out, "\" ;;\n    benches) echo \"");
    for (size_t i = 0; i < bench_count(); i++) add_word(out, bench_at(i)->name);
    text_add(out, " dispatch scaling\" ;;\n"); /* not in the registry: they have no limit */
}

static void add_words(struct text *out, const struct stage_schemas *s) {
    text_add(out, "_taskvec_words() { # KIND: its words\n    case $1 in\n");
    add_commands(out);
    add_keys(out, s);
    add_values(out, s);
    add_topics(out, s);
    text_add(out,
             "    examples) taskvec examples 2>/dev/null | sed -n 's/^  \\([^ ]*\\) .*/\\1/p' ;;\n"
             "    esac\n}\n");
}

/* Bash splits words at '=', unless COMP_WORDBREAKS was changed. */
static const char BASH[] =
    "_taskvec() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local command=${COMP_WORDS[1]} key='' words=''\n"
    "    COMPREPLY=()\n"
    "    if ((COMP_CWORD == 1)); then\n"
    "        words=$(_taskvec_words commands)\n"
    "    elif [[ $cur == '=' ]]; then\n"
    "        key=$prev cur=''\n"
    "    elif [[ $prev == '=' ]]; then\n"
    "        key=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    elif [[ $prev == -s || $prev == --set ]]; then\n"
    "        words=$(_taskvec_words keys)\n"
    "        if [[ $words == *\" $cur\"* ]]; then compopt -o nospace 2>/dev/null; fi\n"
    "    elif [[ $prev == --format ]]; then\n"
    "        key=--format\n"
    "    elif [[ $(_taskvec_words \"values:$command\") == *\" $prev \"* ]]; then\n"
    "        words='' # a file or a folder, below\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        words=$(_taskvec_words \"options:$command\")\n"
    "    elif [[ $command == help ]]; then\n"
    "        words=$(_taskvec_words topics)\n"
    "    elif [[ $command == bench ]]; then\n"
    "        words=$(_taskvec_words benches)\n"
    "    elif [[ $command == examples ]] && ((COMP_CWORD == 2)); then\n"
    "        words=$(_taskvec_words examples)\n"
    "    elif [[ $(_taskvec_words config_commands) == *\" $command \"* ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -f -X '!*.cfg' -- \"$cur\"; compgen -d -- \"$cur\")\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        return\n"
    "    fi\n"
    "    if [[ -n $key ]]; then words=$(_taskvec_words \"choices:$key\"); fi\n"
    "    if [[ -n $words || -n $key ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
    "    else\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "        compopt -o filenames 2>/dev/null\n"
    "    fi\n"
    "}\n"
    "complete -F _taskvec taskvec\n";

static const char ZSH[] =
    "_taskvec() {\n"
    "    local cur=${words[CURRENT]} prev=${words[CURRENT-1]} command=${words[2]}\n"
    "    if ((CURRENT == 2)); then\n"
    "        compadd -- ${=$(_taskvec_words commands)}\n"
    "    elif [[ $prev == (-s|--set) && $cur == *=* ]]; then\n"
    "        compset -P '*='\n"
    "        compadd -- ${=$(_taskvec_words choices:${cur%%=*})}\n"
    "    elif [[ $prev == (-s|--set) ]]; then\n"
    "        compadd -S '' -- ${=$(_taskvec_words keys)}\n"
    "    elif [[ $prev == --format ]]; then\n"
    "        compadd -- ${=$(_taskvec_words choices:--format)}\n"
    "    elif [[ $(_taskvec_words values:$command) == *\" $prev \"* ]]; then\n"
    "        _files\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        compadd -- ${=$(_taskvec_words options:$command)}\n"
    "    elif [[ $command == help ]]; then\n"
    "        compadd -- ${=$(_taskvec_words topics)}\n"
    "    elif [[ $command == bench ]]; then\n"
    "        compadd -- ${=$(_taskvec_words benches)}\n"
    "    elif [[ $command == examples ]] && ((CURRENT == 3)); then\n"
    "        compadd -- ${=$(_taskvec_words examples)}\n"
    "    elif [[ $(_taskvec_words config_commands) == *\" $command \"* ]]; then\n"
    "        _files -g '*.cfg'\n"
    "    else\n"
    "        _files\n"
    "    fi\n"
    "}\n"
    "_taskvec \"$@\"\n";

enum err_code help_completion(struct text *out, const struct stage_schemas *s, const char *shell,
                              struct err *err) {
    const bool zsh = strcmp(shell, "zsh") == 0;
    if (!zsh && strcmp(shell, "bash") != 0)
        return ERR(err, ERR_USAGE, "help: --completion %s: expected bash or zsh", shell);
    text_add(out, "%s", zsh ? "#compdef taskvec\n" : "# bash completion of taskvec\n");
    add_words(out, s);
    text_add(out, "%s", zsh ? ZSH : BASH);
    return ERR_OK;
}
