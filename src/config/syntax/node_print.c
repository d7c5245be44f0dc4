/* node_print.c - nodes as text: for messages, and as a config file again. */
#include <stdio.h>

#include "config/syntax/node.h"

static const char *const BRACKETS[] = {
    [NODE_GROUP] = "{}", [NODE_LIST] = "()", [NODE_ARRAY] = "[]"};

void node_show(char out[SHOW_TEXT], const struct node *n) {
    switch (n->kind) {
    case NODE_GROUP:
        (void)snprintf(out, SHOW_TEXT, "a group { }");
        break;
    case NODE_LIST:
        (void)snprintf(out, SHOW_TEXT, "a list ( ) of %zu", n->n);
        break;
    case NODE_ARRAY:
        (void)snprintf(out, SHOW_TEXT, "an array [ ] of %zu", n->n);
        break;
    case NODE_STRING:
        (void)snprintf(out, SHOW_TEXT, "\"%.60s\"", n->text);
        break;
    case NODE_BOOL:
    case NODE_NUMBER:
    case NODE_WORD:
        (void)snprintf(out, SHOW_TEXT, "%.60s", *n->text ? n->text : "nothing");
        break;
    }
}

void node_quote(struct text *out, const char *s) {
    text_bytes(out, "\"", 1);
    for (; *s; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            text_add(out, "\\%c", c);
        else if (c == '\n')
            text_add(out, "\\n");
        else if (c < 0x20 || c == 0x7f)
            text_add(out, "\\x%02x", c);
        else
            text_bytes(out, s, 1);
    }
    text_bytes(out, "\"", 1);
}

static void print_value(struct text *out, const struct node *n, int indent);

static void print_sequence(struct text *out, const struct node *n, int indent) {
    text_bytes(out, &BRACKETS[n->kind][0], 1);
    for (size_t i = 0; i < n->n; i++) {
        if (i > 0) text_add(out, ", ");
        print_value(out, n->items[i], indent);
    }
    text_bytes(out, &BRACKETS[n->kind][1], 1);
}

static void print_value(struct text *out, const struct node *n, int indent) {
    if (n->kind == NODE_GROUP) {
        text_add(out, "{\n");
        node_print(out, n, indent + 2);
        text_add(out, "%*s}", indent, "");
    } else if (!node_is_plain(n)) {
        print_sequence(out, n, indent);
    } else if (n->kind == NODE_STRING) {
        node_quote(out, n->text);
    } else {
        text_add(out, "%s", n->text);
    }
}

void node_print(struct text *out, const struct node *group, int indent) {
    for (size_t i = 0; i < group->n; i++) {
        text_add(out, "%*s%s = ", indent, "", group->items[i]->name);
        print_value(out, group->items[i], indent);
        text_add(out, ";\n");
    }
}
