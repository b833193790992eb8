/*
 * Grammars as constraints: rules as trees, read from GBNF (gbnf.c) or Lark
 * (lark.c), from which grammar.c writes texts.
 */

#ifndef VM_GRAMMAR_H
#define VM_GRAMMAR_H


#include "regex.h"
#include "value.h"


#define VM_GRAMMAR_NEST  200            /* groups in groups */
#define VM_GRAMMAR_OPEN  UINT32_MAX     /* no greatest number of times */


typedef enum {
    VM_GRAMMAR_TEXT,
    VM_GRAMMAR_PATTERN,
    VM_GRAMMAR_SCHEMA,
    VM_GRAMMAR_RULE,
    VM_GRAMMAR_SEQUENCE,
    VM_GRAMMAR_CHOICE,
    VM_GRAMMAR_REPEAT
} vm_grammar_e;

typedef struct vm_grammar_node_s  vm_grammar_node_t;

struct vm_grammar_node_s {
    vm_grammar_e         kind;
    const char          *text;          /* a text, a rule's name */
    size_t               len;
    const vm_regex_t    *pattern;
    const json_t        *schema;
    uint32_t             rule;          /* its number */
    uint32_t             min;
    uint32_t             max;
    uint32_t             n;             /* children */
    vm_grammar_node_t   *child;
    vm_grammar_node_t   *next;          /* of the same parent */
};

typedef struct {
    vm_grammar_node_t   *body;
    uint32_t             levels;        /* least rules in one another below it;
                                           VM_NEVER: it does not end */
} vm_grammar_rule_t;

typedef struct {
    const char          *text;
    const char          *p;
    const char          *end;
    unsigned             nest;
    json_t              *names;         /* numbers of the rules */
    vm_grammar_rule_t   *rules;
    uint32_t             nrules;
    vm_pool_t           *pool;
    const char          *error;         /* as vLLM says it */
} vm_grammar_t;


vm_grammar_node_t *vm_grammar_node(vm_grammar_t *g, vm_grammar_e kind);

/* Adds a child at the end of a list whose last link is *last. */
void vm_grammar_append(vm_grammar_node_t *parent, vm_grammar_node_t ***last,
    vm_grammar_node_t *child);

/* A class or pattern; NULL with the words of what is wrong in `why`. */
vm_grammar_node_t *vm_grammar_pattern(vm_grammar_t *g, const char *s,
    size_t len, vm_buf_t *why);

vm_grammar_node_t *vm_grammar_repeat(vm_grammar_t *g, vm_grammar_node_t *node,
    uint32_t min, uint32_t max);

/* The body of a rule of that name, if the name is new or given again. */
int vm_grammar_define(vm_grammar_t *g, const char *name, size_t len,
    vm_grammar_node_t *body);

/* Digits; VM_GRAMMAR_OPEN - 1 at most. */
uint32_t vm_grammar_number(vm_grammar_t *g);

/* Both read all rules; VM_ERROR with g->error. */
int vm_gbnf_parse(vm_grammar_t *g);
int vm_lark_parse(vm_grammar_t *g);

/* The words for a name that no rule has. */
const char *vm_lark_unknown(vm_grammar_t *g, const vm_grammar_node_t *node);


#endif /* VM_GRAMMAR_H */
