/*
 * The plan of a generation: which tokens each choice will say, and which of
 * them ends it.  Tokens are a function of a key and a position, so nothing is
 * scanned unless the request has a condition to look for.
 */

#include <math.h>
#include <stdlib.h>
#include "constraint.h"
#include "message.h"
#include "params.h"
#include "parts.h"
#include "plan.h"
#include "prompted.h"
#include "../base/rand.h"


#define VM_BIAS_WINS  50            /* a bias that no logit outweighs */


/* The tokens that a request allows, and those a bias forces. */

static int
vm_plan_allowed(vm_generation_t *g)
{
    double       best, bias;
    size_t       i;
    json_t      *item, *list;
    uint32_t    *ids;
    vm_int_t     id;
    const char  *key;

    list = g->params.allowed_token_ids.json;

    if (list) {
        g->nallowed = (uint32_t) json_array_size(list);

        ids = vm_pool_alloc(g->pool, (g->nallowed + 1) * sizeof(uint32_t));
        if (ids == NULL) {
            return vm_error_memory(&g->call->error);
        }

        json_array_foreach(list, i, item) {
            vm_field_int(item, &id);
            ids[i] = (uint32_t) id.v;
        }

        g->allowed = ids;
    }

    best = VM_BIAS_WINS;

    json_object_foreach(g->params.logit_bias.json, key, item) {

        if (vm_field_float(item, &bias) && bias >= best) {
            best = bias;

            ids = vm_pool_alloc(g->pool, sizeof(uint32_t));
            if (ids == NULL) {
                return vm_error_memory(&g->call->error);
            }

            *ids = (uint32_t) strtoll(key, NULL, 10);
            g->allowed = ids;
            g->nallowed = 1;
        }
    }

    return VM_OK;
}


static uint64_t
vm_plan_key(const vm_generation_t *g, const vm_choice_t *c, uint32_t index)
{
    uint64_t            key;
    const vm_prompt_t  *p;

    p = &g->prompts[c->prompt];
    key = g->settings->seed + index;

    if (g->greedy || g->params.seed.set) {
        key ^= vm_rand_bytes(p->ids, p->n * sizeof(uint32_t),
                             (uint64_t) g->params.seed.v);

    } else {
        key ^= vm_rand_mix(g->call->chance);
    }

    return vm_rand_mix(key);
}


/* How long an answer is that nothing else limits, EOS included. */

static uint32_t
vm_plan_length(const vm_output_t *o, uint64_t key)
{
    double  d;

    switch (o->length) {

    case VM_LENGTH_FIXED:
        d = o->a;
        break;

    case VM_LENGTH_UNIFORM:
        d = o->a + floor((o->b - o->a + 1)
                         * vm_rand_unit(vm_rand_at(key, 0)));
        break;

    case VM_LENGTH_NORMAL:
        d = o->a + o->b * vm_rand_normal(key, 0);
        break;

    case VM_LENGTH_LOGNORMAL:
        d = exp(o->a + o->b * vm_rand_normal(key, 0));
        break;

    default: /* VM_LENGTH_MAX */
        return VM_NEVER;
    }

    return d < 1 ? 1 : (d > 1e9 ? VM_NEVER : (uint32_t) llrint(d));
}


static int
vm_plan_encode(vm_generation_t *g, vm_choice_t *c, const char *text,
    size_t len, int fixed)
{
    uint32_t  *ids;
    vm_ids_t   l;

    if (len == 0) {
        return VM_OK;
    }

    vm_ids_init(&l);
    ids = NULL;

    if ((fixed ? vm_tokenizer_encode(g->settings->tokenizer, text, len, 0, &l)
               : vm_writer_lead(&c->writer, text, len, &l))
        == VM_OK && !l.failed)
    {
        ids = vm_pool_alloc(g->pool, (l.n + 1) * sizeof(uint32_t));
    }

    if (ids) {
        memcpy(ids, l.ids, l.n * sizeof(uint32_t));
        c->writer.lead = ids;
        c->writer.nlead = (uint32_t) l.n;
    }

    vm_ids_free(&l);

    return ids ? VM_OK : vm_error_memory(&g->call->error);
}


/* The whole text of a choice whose text is not free: *fixed. */

static int
vm_plan_fixed(vm_generation_t *g, vm_choice_t *c, uint64_t key, int *fixed)
{
    int            rc;
    vm_buf_t       b;
    const json_t  *tool;

    *fixed = 1;
    tool = g->protocol->parts ? vm_parts_tool(g, key) : NULL;

    vm_buf_init(&b);

    if (tool) {
        rc = vm_parts_say(g, tool, key, &b);

    } else if (g->constraint) {
        rc = vm_constraint_text(g->constraint, g->prompted,
                                g->max_tokens[c->prompt], key, &b, fixed,
                                &g->late, g->pool);

    } else if (g->prompted) {
        rc = vm_constraint_schema(g->prompted, key, &b, &g->late, g->pool);

    } else {
        *fixed = 0;
        return VM_OK;
    }

    if (rc == VM_OK && b.failed) {
        rc = vm_error_memory(&g->call->error);
    }

    if (rc == VM_OK && b.len && vm_parts_calling(g)) {
        rc = vm_parts_find(g, c, b.data, b.len, key);
    }

    if (rc == VM_OK) {
        rc = vm_plan_encode(g, c, b.data ? b.data : "", b.len, 1);
    }

    vm_buf_free(&b);

    return rc;
}


/* What the user said last, in a chat; elsewhere the prompt. */

static int
vm_plan_echo(vm_generation_t *g, vm_choice_t *c)
{
    int                 rc;
    vm_buf_t            b;
    const vm_prompt_t  *p;

    p = &g->prompts[c->prompt];

    if (!json_is_array(p->said)) {
        c->writer.lead = p->ids;
        c->writer.nlead = p->n;
        return VM_OK;
    }

    vm_buf_init(&b);
    vm_message_text(vm_messages_last(p->said), &b);
    rc = b.failed ? vm_error_memory(&g->call->error)
                  : vm_plan_encode(g, c, b.data, b.len, 0);
    vm_buf_free(&b);

    return rc;
}


/* The text that an answer begins with, as tokens. */

static int
vm_plan_lead(vm_generation_t *g, vm_choice_t *c, uint64_t key)
{
    size_t              len;
    const char         *text;
    const vm_str_t     *line;
    const vm_output_t  *o;

    o = g->call->output;
    text = NULL;
    len = 0;

    if (g->allowed || g->lengths) {
        return VM_OK;
    }

    if (o->text == VM_TEXT_ECHO) {
        return vm_plan_echo(g, c);
    }

    if (o->text == VM_TEXT_FILE && o->nlines) {
        line = &o->lines[vm_rand_at(key, 1) % o->nlines];
        text = line->data;
        len = line->len;

    } else if (o->text == VM_TEXT_MESSAGE) {
        text = vm_pool_printf(g->pool, "This is a simulated message from "
                              "%.*s on pod %s.", (int) g->model.len,
                              g->model.data, o->pod);
        len = text ? strlen(text) : 0;
    }

    return vm_plan_encode(g, c, text, len, 0);
}


uint32_t
vm_generation_token(const vm_generation_t *g, const vm_choice_t *c,
    uint32_t pos)
{
    uint64_t     r;
    uint32_t     ends;
    vm_writer_t  w;

    if (c->stop == VM_STOP_EOS && pos >= c->stop_at) {
        return vm_tokenizer_eos(g->settings->tokenizer);
    }

    ends = c->thinks ? c->think_end : VM_NEVER;

    if (g->allowed) {

        /* the last of them plays the token that ends a thought */

        if (pos == ends) {
            return g->allowed[g->nallowed - 1];
        }

        r = vm_rand_at(c->writer.key, pos);
        return g->allowed[r % (g->nallowed - (ends != VM_NEVER))];
    }

    if (!c->thinks) {
        return vm_writer_token(&c->writer, pos);
    }

    if (pos == ends) {
        return vm_tokenizer_eos(g->settings->tokenizer);
    }

    if (pos > ends && ends != VM_NEVER) {
        return vm_writer_token(&c->writer, pos - ends - 1);
    }

    w = c->writer;                      /* a thought is words alone, others */
    w.nlead = 0;
    w.key = ~w.key;

    return vm_writer_token(&w, pos);
}


vm_str_t
vm_generation_bytes(const vm_generation_t *g, const vm_choice_t *c,
    uint32_t pos, uint32_t id)
{
    if (pos == 0
        || (c->thinks && c->think_end != VM_NEVER && pos == c->think_end + 1))
    {
        return vm_tokenizer_first(g->settings->tokenizer, id);
    }

    return vm_tokenizer_bytes(g->settings->tokenizer, id);
}


static void
vm_plan_stop(vm_choice_t *c, vm_stop_e stop, uint32_t at)
{
    if (c->stop == VM_STOP_NONE || at < c->stop_at) {
        c->stop = stop;
        c->stop_at = at;
    }
}


static int
vm_plan_in_list(const json_t *list, uint32_t id)
{
    size_t     i;
    json_t    *item;
    vm_int_t   n;

    json_array_foreach(list, i, item) {
        if (vm_field_int(item, &n) && n.v == (json_int_t) id) {
            return 1;
        }
    }

    return 0;
}


/* A stop token or an EOS among the tokens to come. */

static void
vm_plan_tokens(vm_generation_t *g, vm_choice_t *c, uint32_t limit)
{
    uint32_t       eos, i, id;
    const json_t  *stops;

    stops = g->params.stop_token_ids.json;
    eos = vm_tokenizer_eos(g->settings->tokenizer);

    if (json_array_size(stops) == 0 && g->allowed == NULL) {
        return;
    }

    for (i = (uint32_t) g->params.min_tokens.v; i < limit; i++) {
        id = vm_generation_token(g, c, i);

        if (id == eos && !g->params.ignore_eos) {
            vm_plan_stop(c, VM_STOP_EOS, i);
            return;
        }

        if (vm_plan_in_list(stops, id)) {
            vm_plan_stop(c, VM_STOP_TOKEN, i);
            c->stop_token = id;
            return;
        }
    }
}


/*
 * The same tokens so many times in a row: a pattern of 1 .. n tokens, seen
 * from its end, as vLLM looks for it after each token.
 */

static int
vm_plan_repeats(const vm_generation_t *g, const vm_choice_t *c, uint32_t pos,
    uint32_t size, uint32_t times)
{
    uint32_t  i;

    if ((uint64_t) size * times > (uint64_t) pos + 1) {
        return 0;
    }

    for (i = 0; i < size * (times - 1); i++) {
        if (vm_generation_token(g, c, pos - i)
            != vm_generation_token(g, c, pos - i - size))
        {
            return 0;
        }
    }

    return 1;
}


static void
vm_plan_repetition(vm_generation_t *g, vm_choice_t *c, uint32_t limit)
{
    uint32_t       count, i, least, most, size;
    vm_int_t       n[3] = { { 0 }, { 0 }, { 0 } };
    const json_t  *o;

    o = g->params.repetition_detection.json;

    if (o == NULL) {
        return;
    }

    vm_field_int(vm_value_get(o, "max_pattern_size"), &n[0]);
    vm_field_int(vm_value_get(o, "min_pattern_size"), &n[1]);
    vm_field_int(vm_value_get(o, "min_count"), &n[2]);

    most = (uint32_t) vm_min(n[0].v, g->settings->max_model_len);
    least = (uint32_t) vm_max(n[1].v, 1);
    count = (uint32_t) vm_min(n[2].v, g->settings->max_model_len);

    for (i = (uint32_t) vm_max(g->params.min_tokens.v - 1, 0); i < limit;
         i++)
    {
        for (size = least; size <= most; size++) {
            if (vm_plan_repeats(g, c, i, size, count)) {
                vm_plan_stop(c, VM_STOP_REPETITION, i);
                return;
            }
        }
    }
}


static void
vm_plan_string_at(vm_choice_t *c, const char *stop, size_t len,
    const vm_buf_t *text, size_t from, size_t *at, vm_str_t *found)
{
    const char  *p;

    (void) c;

    if (text->len < len || from > text->len - len) {
        return;
    }

    p = memmem(text->data + from, text->len - from, stop, len);

    if (p && *at == SIZE_MAX) {
        *at = (size_t) (p - text->data);
        found->data = stop;
        found->len = len;
    }
}


/*
 * Stop strings are looked for in the text after each token, the first of the
 * list wins; a string may cross tokens.
 */

static int
vm_plan_strings(vm_generation_t *g, vm_choice_t *c, uint32_t limit)
{
    size_t         at, before, i, longest;
    json_t        *item, *stop;
    uint32_t       pos;
    vm_buf_t       b;
    vm_str_t       found, piece;

    stop = g->params.stop.json;

    if (stop == NULL || (json_is_array(stop) && json_array_size(stop) == 0)) {
        return VM_OK;
    }

    longest = json_string_length(stop);

    json_array_foreach(stop, i, item) {
        longest = vm_max(longest, json_string_length(item));
    }

    vm_buf_init(&b);

    for (pos = 0; pos < limit; pos++) {
        piece = vm_generation_bytes(g, c, pos,
                                    vm_generation_token(g, c, pos));
        before = b.len;
        vm_buf_add(&b, piece.data, piece.len);

        if (pos < (uint32_t) g->params.min_tokens.v) {
            continue;
        }

        before = before >= longest ? before - longest + 1 : 0;
        at = SIZE_MAX;
        found.data = NULL;
        found.len = 0;

        if (json_is_string(stop)) {
            vm_plan_string_at(c, json_string_value(stop),
                              json_string_length(stop), &b, before, &at,
                              &found);
        }

        json_array_foreach(stop, i, item) {
            vm_plan_string_at(c, json_string_value(item),
                              json_string_length(item), &b, before, &at,
                              &found);
        }

        if (at != SIZE_MAX) {
            vm_plan_stop(c, VM_STOP_STRING, pos);

            if (c->stop_at == pos) {
                c->stop = VM_STOP_STRING;
                c->stop_string = found;
                c->text_end = at;

                if (g->params.include_stop_str_in_output) {
                    c->text_end += found.len;
                }
            }

            break;
        }
    }

    i = b.failed;
    vm_buf_free(&b);

    return i ? vm_error_memory(&g->call->error) : VM_OK;
}


/*
 * A thought's length.  A model that was never trained does not stop to think,
 * and so it is where nothing limits answers, whatever the budget of a thought
 * is; where their lengths are drawn a thought is a third of the answer, or its
 * budget.
 */

static void
vm_plan_thought(vm_generation_t *g, vm_choice_t *c, uint32_t length,
    uint64_t key)
{
    json_int_t     most;
    const json_t  *budget;

    c->thinks = (unsigned) vm_parts_thinks(g);
    c->think_end = VM_NEVER;

    if (!c->thinks) {
        return;
    }

    if (g->nallowed >= 2) {
        c->think_end = 2 + (uint32_t) (vm_rand_at(key, 3) % 4);

    } else if (g->nallowed == 0 && length != VM_NEVER && length >= 3) {
        c->think_end = length / 3;      /* one token alone cannot end it */

        budget = g->params.thinking_token_budget.json;
        most = json_is_integer(budget) ? json_integer_value(budget) : -1;

        if (most >= 0 && most < (json_int_t) c->think_end) {
            c->think_end = (uint32_t) most;
        }
    }
}


static int
vm_plan_choice(vm_generation_t *g, vm_choice_t *c, uint32_t index)
{
    int       drawn, fixed;
    uint32_t  before, least, length, limit;
    uint64_t  key;

    key = vm_plan_key(g, c, index);

    c->text_end = SIZE_MAX;
    c->writer.tokenizer = g->settings->tokenizer;
    c->writer.key = key;

    if (vm_plan_fixed(g, c, key, &fixed) != VM_OK
        || (!fixed && vm_plan_lead(g, c, key) != VM_OK))
    {
        return VM_ERROR;
    }

    limit = g->max_tokens[c->prompt];
    least = (uint32_t) g->params.min_tokens.v;
    length = g->lengths ? g->lengths[c->prompt]
                        : vm_plan_length(g->call->output, key);

    /* the length that a request names is the answer's, unless it only caps */

    drawn = g->lengths || g->call->output->cap
            || (!g->params.max_tokens.set
                && !g->params.max_completion_tokens.set);

    vm_plan_thought(g, c, length, key);
    before = c->thinks && c->think_end != VM_NEVER ? c->think_end + 1 : 0;

    if (fixed) {

        /* nothing else may follow: the model's end of text */

        if (!c->thinks || before) {
            vm_plan_stop(c, VM_STOP_EOS,
                         vm_max(before + c->writer.nlead, least));
        }

    } else if (drawn && !g->params.ignore_eos && g->allowed == NULL
               && length <= limit)
    {
        vm_plan_stop(c, VM_STOP_EOS, vm_max(length - 1, least));
    }

    vm_plan_tokens(g, c, limit);
    vm_plan_repetition(g, c, limit);

    if (vm_plan_strings(g, c, limit) != VM_OK) {
        return VM_ERROR;
    }

    if (c->stop_at >= limit) {
        c->stop = VM_STOP_NONE;
    }

    return VM_OK;
}


int
vm_plan(vm_generation_t *g)
{
    size_t        work;
    uint32_t      i;
    vm_choice_t  *c;

    if (g->late.status) {
        return VM_OK;                   /* nothing will be generated */
    }

    if (vm_plan_allowed(g) != VM_OK) {
        return VM_ERROR;
    }

    g->nchoices = g->nprompts * g->n;
    g->live = g->nchoices;

    g->choices = vm_pool_calloc(g->pool, g->nchoices, sizeof(vm_choice_t));
    if (g->choices == NULL) {
        g->nchoices = 0;
        return vm_error_memory(&g->call->error);
    }

    work = VM_PROMPTED_WORK;

    for (i = 0; i < g->nchoices; i++) {
        c = &g->choices[i];
        c->prompt = i / g->n;

        if (!g->pooling && i % g->n == 0) {
            vm_prompted_find(g, &g->prompts[c->prompt], &work);
        }

        if (!g->pooling && vm_plan_choice(g, c, i) != VM_OK) {
            return g->late.status ? VM_OK : VM_ERROR;
        }
    }

    return VM_OK;
}
