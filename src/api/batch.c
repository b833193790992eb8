/*
 * POST /v1/chat/completions/batch: several conversations in one request, one
 * choice for each.  vLLM checks the batch, then makes a chat of every
 * conversation and checks that; so do we.
 */

#include "batch.h"
#include "chat.h"
#include "message.h"
#include "params.h"
#include "pieces.h"


/* What each conversation has of its own, and its last chunk. */

typedef struct {
    const char  *role;
    vm_str_t     echoed;
    uint32_t     sent;
    size_t       shown;
} vm_batch_own_t;


/* ---- the request's table ---- */

static const vm_type_t  vm_batch_conversation_type = {
    .kind = VM_T_LIST, .item = &vm_message_type, .min_items = 1
};

static const vm_type_t  vm_batch_messages_type = {
    .kind = VM_T_LIST, .item = &vm_batch_conversation_type, .min_items = 1
};

static const char *const  vm_batch_choices[] = { "none", NULL };

static const vm_type_t  vm_batch_choice_type = {
    .kind = VM_T_LITERAL, .values = vm_batch_choices
};

static const vm_field_t  vm_batch_fields[] = {
    vm_param(messages, vm_batch_messages_type, VM_F_REQUIRED|VM_F_NOTNULL, 0),
    vm_param(model, vm_str_type, 0, 0),
    vm_param(frequency_penalty, vm_float_type, 0, 0),
    vm_param(logit_bias, vm_bias_type, 0, 0),
    vm_param(logprobs, vm_bool_type, 0, 0),
    vm_param(top_logprobs, vm_int_type, 0, 0),
    vm_param(logprob_token_ids, vm_int_list_type, 0, 0),
    vm_param(max_tokens, vm_int_type, 0, 0),
    vm_param(max_completion_tokens, vm_int_type, 0, 0),
    vm_param(n, vm_int_type, 0, 1),
    vm_param(presence_penalty, vm_float_type, 0, 0),
    { "response_format", &vm_any_type, VM_F_CHECK, 0, 0, NULL },
    vm_param(seed, vm_int64_type, 0, 0),
    vm_param(stop, vm_stop_type, 0, 0),
    vm_param(temperature, vm_float_type, 0, 1),
    vm_param(top_p, vm_float_type, 0, 1),
    vm_param(user, vm_str_type, 0, 0),
    vm_param(tool_choice, vm_batch_choice_type, 0, 0),
    vm_param(include_reasoning, vm_bool_type, VM_F_NOTNULL, 1),
    { "best_of", &vm_int_type, VM_F_CHECK, 0, 0, NULL },
    vm_param(use_beam_search, vm_bool_type, VM_F_NOTNULL, 0),
    vm_param(top_k, vm_int_type, 0, 0),
    vm_param(min_p, vm_float_type, 0, 0),
    vm_param(repetition_penalty, vm_float_type, 0, 1),
    vm_param(watermarking, vm_bool_type, 0, 0),
    vm_param(length_penalty, vm_float_type, 0, 1),
    { "early_stopping", &vm_bool_type, VM_F_CHECK|VM_F_NOTNULL, 0, 0, NULL },
    vm_param_rule(structured_outputs, vm_structured_type, 0, 0,
                  vm_rule_structured),
    vm_param(request_id, vm_str_type, 0, 0),
    vm_param(add_generation_prompt, vm_bool_type, VM_F_NOTNULL, 1),
    vm_param(continue_final_message, vm_bool_type, VM_F_NOTNULL, 0),
    vm_param(chat_template, vm_str_type, 0, 0),
    vm_param(chat_template_kwargs, vm_dict_type, 0, 0),
    vm_param(media_io_kwargs, vm_kwargs_type, 0, 0),
    vm_param(mm_processor_kwargs, vm_dict_type, 0, 0),
    vm_param(priority, vm_int64_type, VM_F_NOTNULL, 0),
    vm_param(cache_salt, vm_str_type, 0, 0),
    vm_param(include_stop_str_in_output, vm_bool_type, VM_F_NOTNULL, 0),
    { "guided_decoding_backend", &vm_str_type, VM_F_CHECK, 0, 0, NULL },
    vm_param(echo, vm_bool_type, VM_F_NOTNULL, 0),
    vm_param(return_tokens_as_token_ids, vm_bool_type, 0, 0),
    vm_param(return_token_ids, vm_bool_type, VM_F_NOTNULL, 0),
    vm_field_end
};

static const vm_type_t  vm_batch_type = {
    .kind = VM_T_MODEL, .fields = vm_batch_fields
};


/* ---- rules on the raw body ---- */

static int
vm_batch_rule_beam(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    if (vm_rule_true(body, "use_beam_search")) {
        return vm_error_param(e, pool, "use_beam_search",
                              "Batch chat completions do not support beam "
                              "search. Please set `use_beam_search` to "
                              "False.");
    }

    return VM_OK;
}


static int
vm_batch_rule_logprobs(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    if (vm_rule_true(body, "logprob_token_ids")
        && !vm_rule_true(body, "logprobs"))
    {
        return vm_error_param(e, pool, "logprob_token_ids",
                              "when using `logprob_token_ids`, `logprobs` "
                              "must be set to true.");
    }

    return VM_OK;
}


static int
vm_batch_rule_transfer(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    if (vm_value_get(json_object_get(body, "kv_transfer_params"),
                     "prompt_token_ids"))
    {
        return vm_error_param(e, pool, "kv_transfer_params.prompt_token_ids",
                              "Batch chat completions do not support "
                              "`kv_transfer_params['prompt_token_ids']`: one "
                              "pre-tokenized prompt cannot serve several "
                              "conversations.");
    }

    return VM_OK;
}


static int
vm_batch_rule_n(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    const json_t  *n;

    n = vm_value_get(body, "n");

    if (n == NULL || ((json_is_number(n) || json_is_boolean(n))
                      && vm_value_float(n) == 1))
    {
        return VM_OK;
    }

    return vm_error_value(e, pool, "n", n,
                          "Batch chat completions do not support `n > 1`. "
                          "Please set `n` to 1.");
}


static const vm_rule_pt  vm_batch_rules[] = {
    vm_batch_rule_beam,
    vm_batch_rule_logprobs,
    vm_batch_rule_transfer,
    vm_batch_rule_n,
    NULL
};


/* ---- the request ---- */

/*
 * The body of a conversation's chat: what the batch has, with its defaults
 * and without nulls.  Fields that only a chat knows go along.
 */

static json_t *
vm_batch_chat(const json_t *body, json_t *messages)
{
    json_t      *chat, *item;
    const char  *key;

    chat = json_object();

    json_object_foreach((json_t *) (uintptr_t) body, key, item) {
        if (!json_is_null(item)) {
            json_object_set(chat, key, item);
        }
    }

    json_object_set(chat, "messages", messages);

    if (json_object_get(body, "add_generation_prompt") == NULL) {
        json_object_set_new(chat, "add_generation_prompt", json_true());
    }

    if (json_object_get(body, "tool_choice") == NULL) {
        json_object_set_new(chat, "tool_choice", json_string("none"));
    }

    return chat;
}


static int
vm_batch_conversation(vm_generation_t *g, json_t *chat, uint32_t i)
{
    vm_batch_own_t   *own;
    vm_generation_t  *one;

    one = vm_generation_create(g->call, g->protocol);

    if (one == NULL) {
        return vm_error_memory(&g->call->error);
    }

    if (vm_chat_load(one, chat, "ChatCompletionRequest") != VM_OK
        || vm_chat_prompt(one) != VM_OK
        || vm_chat_role(one) != VM_OK)
    {
        return VM_ERROR;
    }

    own = g->own;
    own[i].role = one->role;
    own[i].echoed = one->echoed;

    g->prompts[i] = one->prompts[0];

    if (g->late.status == 0) {
        g->late = one->late;
    }

    if (i == 0) {
        g->params = one->params;
    }

    return VM_OK;
}


static int
vm_batch_conversations(vm_generation_t *g, const json_t *body,
    const json_t *messages)
{
    size_t   i, n;
    json_t  *chat;

    n = json_array_size(messages);

    g->own = vm_pool_calloc(g->pool, n, sizeof(vm_batch_own_t));
    g->prompts = vm_pool_calloc(g->pool, n, sizeof(vm_prompt_t));
    g->body = json_array();

    if (g->own == NULL || g->prompts == NULL || g->body == NULL) {
        return vm_error_memory(&g->call->error);
    }

    g->nprompts = (uint32_t) n;

    for (i = 0; i < n; i++) {
        chat = vm_batch_chat(body, json_array_get(messages, i));
        json_array_append_new(g->body, chat);

        if (vm_batch_conversation(g, chat, (uint32_t) i) != VM_OK) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


static int
vm_batch_parse(vm_generation_t *g, const json_t *body)
{
    vm_error_t    *e;
    vm_params_t   *p;

    e = &g->call->error;
    p = &g->params;

    if (json_is_object(body)
        && vm_rules_check(vm_batch_rules, body, e, g->pool) != VM_OK)
    {
        return VM_ERROR;
    }

    if (vm_model_load(&vm_batch_type, body, "body", p, e, g->pool) != VM_OK
        || vm_generation_model(g, p->model) != VM_OK
        || vm_batch_conversations(g, body, p->messages.json) != VM_OK
        || vm_generation_sampling(g) != VM_OK)
    {
        return VM_ERROR;
    }

    vm_generation_stream(g);

    /* vLLM streams inside, if it is asked to, and shows the last chunk only */

    g->deltas = g->stream;
    g->stream = 0;

    vm_chat_logprobs(g);

    g->id = vm_generation_id(g, "chatcmpl-", p->request_id);

    return g->id ? VM_OK : vm_error_memory(e);
}


/* ---- the answer ---- */

static void
vm_batch_begin(vm_generation_t *g, vm_buf_t *out)
{
    (void) g;
    (void) out;
}


static void
vm_batch_chunk(vm_generation_t *g, vm_choice_t *c, vm_str_t text,
    vm_buf_t *out)
{
    vm_batch_own_t  *own;

    (void) out;
    (void) text;

    own = (vm_batch_own_t *) g->own + c->prompt;
    own->sent = c->sent;
    own->shown = c->shown;
}


static void
vm_batch_end(vm_generation_t *g, vm_buf_t *out)
{
    uint32_t         i;
    uint64_t         output;
    vm_choice_t     *c;
    vm_batch_own_t  *own;

    vm_piece_head(g, "chat.completion", out);
    vm_buf_lit(out, ",\"choices\":[");

    for (output = 0, i = 0; i < g->nchoices; i++) {
        c = &g->choices[i];
        own = (vm_batch_own_t *) g->own + c->prompt;

        c->sent = own->sent;
        c->shown = own->shown;
        g->role = own->role;
        g->echoed = own->echoed;
        output += c->made - c->sent;

        if (i) {
            vm_buf_char(out, ',');
        }

        vm_chat_choice(g, c, out);
    }

    vm_buf_lit(out, "],\"service_tier\":null,");
    vm_piece_fingerprint(g, out);
    vm_buf_lit(out, ",\"usage\":");
    vm_piece_counts(vm_generation_prompt_tokens(g), output, out);
    vm_buf_lit(out, ",\"prompt_tokens_details\":null,"
                    "\"completion_tokens_details\":null},"
                    "\"prompt_logprobs\":null,\"prompt_token_ids\":null,"
                    "\"prompt_text\":null,\"kv_transfer_params\":null,"
                    "\"ec_transfer_params\":null,\"metrics\":null}");
}


const vm_protocol_t  vm_batch = {
    "batch", 1, vm_batch_parse, vm_batch_begin, vm_batch_chunk, vm_batch_end
};
