/*
 * The parts of an answer: thoughts, content, tool calls in Hermes' form,
 *
 *     <tool_call>{"name": NAME, "arguments": {...}}</tool_call>
 */

#include <stdlib.h>
#include "anthropic.h"
#include "constraint.h"
#include "parts.h"
#include "../base/rand.h"


#define VM_CALL_OPEN   "<tool_call>"
#define VM_CALL_CLOSE  "</tool_call>"
#define VM_CALL_ARGS   "\"arguments\""


int
vm_parts_wanted(const vm_generation_t *g)
{
    return g->protocol->parts
           && (g->settings->tool_call_parser || g->settings->reasoning_parser);
}


int
vm_parts_calling(const vm_generation_t *g)
{
    const char  *choice;

    choice = json_string_value(g->params.tool_choice.json);

    return g->protocol->parts && g->settings->tool_call_parser
           && json_array_size(g->params.tools.json)
           && !(choice && strcmp(choice, "none") == 0);
}


int
vm_parts_parsed(const vm_generation_t *g)
{
    return vm_parts_calling(g)
           || (g->protocol == &vm_anthropic && g->settings->tool_call_parser
               && g->params.tool_choice.json == NULL);
}


int
vm_parts_demanded(const vm_generation_t *g)
{
    const char    *word;
    const json_t  *choice;

    choice = g->params.tool_choice.json;
    word = json_string_value(choice);

    return json_is_object(choice) || (word && strcmp(word, "required") == 0);
}


int
vm_parts_thinks(const vm_generation_t *g)
{
    const json_t  *effort, *kwargs;

    if (!g->protocol->parts || g->settings->reasoning_parser == NULL) {
        return 0;
    }

    effort = g->params.reasoning_effort;
    kwargs = g->params.chat_template_kwargs.json;

    if ((effort && strcmp(json_string_value(effort), "none") == 0)
        || json_is_false(json_object_get(kwargs, "enable_thinking")))
    {
        return 0;
    }

    /* as templates that leave thinking off until a request turns it on */

    return !g->call->output->thinks_asked || effort
           || json_is_true(json_object_get(kwargs, "enable_thinking"))
           || json_is_true(json_object_get(kwargs, "thinking"))
           || json_is_integer(g->params.thinking_token_budget.json);
}


static const json_t *
vm_parts_function(const json_t *tool)
{
    return json_object_get(tool, "function");
}


/*
 * Whether there is a call when none is named: always if it is required;
 * "auto" as often as vllm_mock_output says, but not right after a result.
 */

static int
vm_parts_calls_now(const vm_generation_t *g, const char *choice, uint64_t key)
{
    size_t         n;
    const char    *role;
    const json_t  *messages;

    if (choice && strcmp(choice, "required") == 0) {
        return 1;
    }

    messages = g->params.messages.json;
    n = json_array_size(messages);
    role = n ? json_string_value(json_object_get(
                   json_array_get(messages, n - 1), "role")) : NULL;

    return g->call->output->calls > 0 && !(role && strcmp(role, "tool") == 0)
           && g->constraint == NULL
           && vm_rand_unit(vm_rand_at(key, 4)) < g->call->output->calls;
}


const json_t *
vm_parts_tool(const vm_generation_t *g, uint64_t key)
{
    size_t         i;
    json_t        *tool;
    const char    *name, *want;
    const json_t  *choice, *tools;

    choice = g->params.tool_choice.json;
    tools = g->params.tools.json;

    if (!vm_parts_calling(g)) {
        return NULL;
    }

    if (choice == NULL || json_is_string(choice)) {
        return vm_parts_calls_now(g, json_string_value(choice), key)
               ? json_array_get(tools, vm_rand_at(key, 2)
                                       % json_array_size(tools))
               : NULL;
    }

    want = json_string_value(json_object_get(vm_parts_function(choice),
                                             "name"));

    json_array_foreach(tools, i, tool) {
        name = json_string_value(json_object_get(vm_parts_function(tool),
                                                 "name"));

        if (want && name && strcmp(want, name) == 0) {
            return tool;
        }
    }

    return NULL;
}


int
vm_parts_say(vm_generation_t *g, const json_t *tool, uint64_t key,
    vm_buf_t *out)
{
    int            rc;
    const json_t  *name, *schema;

    name = json_object_get(vm_parts_function(tool), "name");
    schema = json_object_get(vm_parts_function(tool), "parameters");

    vm_buf_lit(out, VM_CALL_OPEN "\n{\"name\": ");
    vm_buf_json(out, json_string_value(name), json_string_length(name));
    vm_buf_lit(out, ", " VM_CALL_ARGS ": ");

    if (json_object_size(schema)) {
        rc = vm_constraint_schema(schema, key, out, &g->late, g->pool);

    } else {
        vm_buf_lit(out, "{}");
        rc = VM_OK;
    }

    vm_buf_lit(out, "}\n" VM_CALL_CLOSE);

    return rc;
}


static const char *
vm_parts_search(const char *from, const char *end, const char *what)
{
    return from < end ? memmem(from, (size_t) (end - from), what,
                               strlen(what))
                      : NULL;
}


static void
vm_parts_span(vm_choice_t *c, vm_part_e kind, size_t from, size_t to,
    uint32_t call)
{
    vm_span_t  *p;

    if (to > from) {
        p = &c->parts[c->nparts++];
        p->kind = kind;
        p->from = from;
        p->to = to;
        p->call = call;
    }
}


/* One call, its JSON from `p` to `end`; 0 if it is none. */

static int
vm_parts_call(vm_generation_t *g, vm_choice_t *c, const char *text,
    const char *p, const char *end, uint64_t key)
{
    char            *dump;
    json_t          *args, *o;
    const char      *from, *to;
    vm_tool_call_t  *call;

    o = json_loadb(p, (size_t) (end - p), JSON_ALLOW_NUL, NULL);
    args = json_object_get(o, "arguments");
    from = vm_parts_search(p, end, VM_CALL_ARGS);

    if (!json_is_string(json_object_get(o, "name")) || args == NULL
        || from == NULL)
    {
        json_decref(o);
        return 0;
    }

    /* the value: what lies between the colon and the object's own brace */

    for (from += sizeof(VM_CALL_ARGS) - 1; strchr(" \n\t\r:", *from); from++) {
        /* void */
    }

    for (to = end; to > from && to[-1] != '}'; to--) { /* void */ }
    to--;

    dump = json_dumps(args, JSON_ENCODE_ANY);
    call = &c->calls[c->ncalls];

    call->name = vm_pool_strdup(g->pool,
                                json_string_value(json_object_get(o, "name")),
                                json_string_length(json_object_get(o,
                                                                   "name")));
    call->arguments = dump ? vm_pool_strdup(g->pool, dump, strlen(dump))
                           : NULL;
    call->id = vm_pool_printf(g->pool, "chatcmpl-tool-%016llx",
                              (unsigned long long) vm_rand_mix(key
                                                  ^ (c->ncalls + 1)));
    free(dump);
    json_decref(o);

    if (call->name == NULL || call->arguments == NULL || call->id == NULL) {
        return 0;
    }

    vm_parts_span(c, VM_PART_NAME, (size_t) (p - text),
                  (size_t) (from - text), c->ncalls);
    vm_parts_span(c, VM_PART_ARGUMENTS, (size_t) (from - text),
                  (size_t) (to - text), c->ncalls);
    call->end = (size_t) (to - text);
    c->ncalls++;

    return 1;
}


int
vm_parts_find(vm_generation_t *g, vm_choice_t *c, const char *text,
    size_t len, uint64_t key)
{
    size_t       n;
    const char  *body, *close, *end, *open, *p;

    end = text + len;

    for (n = 0, p = text;
         (p = vm_parts_search(p, end, VM_CALL_OPEN)) != NULL;
         p++)
    {
        n++;
    }

    if (n == 0) {
        return VM_OK;
    }

    c->calls = vm_pool_calloc(g->pool, n, sizeof(vm_tool_call_t));
    c->parts = vm_pool_calloc(g->pool, 4 * n + 2, sizeof(vm_span_t));

    if (c->calls == NULL || c->parts == NULL) {
        return vm_error_memory(&g->call->error);
    }

    p = text;

    while ((open = vm_parts_search(p, end, VM_CALL_OPEN)) != NULL) {

        body = open + sizeof(VM_CALL_OPEN) - 1;
        close = vm_parts_search(body, end, VM_CALL_CLOSE);

        if (close == NULL) {
            break;
        }

        if (c->ncalls == 0) {
            vm_parts_span(c, VM_PART_CONTENT, 0, (size_t) (open - text), 0);
        }

        p = close + sizeof(VM_CALL_CLOSE) - 1;

        if (c->ncalls && !g->params.parallel_tool_calls) {
            continue;
        }

        vm_parts_span(c, VM_PART_WRAP,
                      c->nparts ? c->parts[c->nparts - 1].to : 0,
                      (size_t) (body - text), 0);
        (void) vm_parts_call(g, c, text, body, close, key);
    }

    vm_parts_span(c, VM_PART_WRAP, c->nparts ? c->parts[c->nparts - 1].to : 0,
                  SIZE_MAX, 0);

    return VM_OK;
}


size_t
vm_parts_thought(const vm_choice_t *c)
{
    if (!c->thinks) {
        return 0;
    }

    return c->made > c->think_end ? c->thought : SIZE_MAX;
}


vm_span_t
vm_parts_at(const vm_choice_t *c, size_t from, size_t end)
{
    size_t     start;
    uint32_t   i;
    vm_span_t  p;

    start = vm_parts_thought(c);
    memset(&p, 0, sizeof(vm_span_t));
    p.from = from;
    p.to = end;

    if (from < start) {
        p.kind = VM_PART_REASONING;
        p.to = vm_min(end, start);
        p.whole = 1;
        return p;
    }

    p.kind = VM_PART_CONTENT;
    p.whole = 1;

    for (i = 0; i < c->nparts; i++) {

        if (from - start < c->parts[i].to) {
            p.kind = c->parts[i].kind;
            p.call = c->parts[i].call;

            if (c->parts[i].to <= end - start) {
                p.to = start + c->parts[i].to;

            } else {
                p.whole = 0;            /* a name is told when it is whole */
            }

            break;
        }
    }

    return p;
}


uint32_t
vm_parts_calls(const vm_choice_t *c)
{
    size_t    start;
    uint32_t  n;

    start = vm_parts_thought(c);

    for (n = 0; n < c->ncalls; n++) {
        if (start == SIZE_MAX || c->text.len < start + c->calls[n].end) {
            break;
        }
    }

    return n;
}


uint64_t
vm_parts_thought_tokens(const vm_generation_t *g)
{
    uint32_t            i;
    uint64_t            n;
    const vm_choice_t  *c;

    for (n = 0, i = 0; i < g->nchoices; i++) {
        c = &g->choices[i];
        n += c->thinks ? vm_min(c->made, c->think_end) : 0;
    }

    return n;
}
