/*
 * Text for tokens that another server made.  Whole answers are decoded at
 * once; of a stream, each call has one chunk and what the client keeps of the
 * state before it.
 */

#include <stdio.h>
#include <stdlib.h>
#include "chat.h"
#include "derender.h"
#include "detok.h"
#include "params.h"
#include "parts.h"
#include "pieces.h"


#define VM_DERENDER_MANY    16384       /* VLLM_MAX_N_SEQUENCES */
#define VM_DERENDER_WINDOW  1024        /* tokens of a state */
#define VM_DERENDER_BEFORE  4           /* ids for log-probabilities */


typedef struct {
    const json_t  *model;
    vm_any_t       response;            /* generate_response(s), _chunk */
    vm_any_t       state;
    vm_any_t       prompt_ids;
    vm_any_t       prompt_counts;       /* of several prompts */
    vm_any_t       request;             /* the chat or completion, if told */
    vm_int_t       prompt_tokens;
} vm_derender_t;

#define vm_derender_row(name, type, flags, member)                            \
    { name, &type, flags, offsetof(vm_derender_t, member), 0, NULL }
#define vm_derender_check(name, type, flags)                                  \
    { name, &type, VM_F_CHECK|(flags), 0, 0, NULL }


/* ---- what /inference/v1/generate answers ---- */

static const vm_type_t  vm_derender_ids_type = {
    .kind = VM_T_LIST, .item = &vm_int_type, .refuse = vm_refuse_negative
};

static const vm_field_t  vm_derender_top_fields[] = {
    vm_derender_check("token_id", vm_int_type, VM_F_REQUIRED|VM_F_NOTNULL),
    vm_derender_check("logprob", vm_float_type, VM_F_REQUIRED|VM_F_NOTNULL),
    vm_derender_check("rank", vm_int_type, 0),
    vm_field_end
};

static const vm_type_t  vm_derender_top_type = {
    .kind = VM_T_MODEL, .fields = vm_derender_top_fields
};

static const vm_type_t  vm_derender_tops_type = {
    .kind = VM_T_LIST, .item = &vm_derender_top_type
};

static const vm_field_t  vm_derender_entry_fields[] = {
    vm_derender_check("token_id", vm_int_type, VM_F_REQUIRED|VM_F_NOTNULL),
    vm_derender_check("logprob", vm_float_type, VM_F_REQUIRED|VM_F_NOTNULL),
    vm_derender_check("rank", vm_int_type, 0),
    vm_derender_check("top_logprobs", vm_derender_tops_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_type_t  vm_derender_entry_type = {
    .kind = VM_T_MODEL, .fields = vm_derender_entry_fields
};

static const vm_type_t  vm_derender_entries_type = {
    .kind = VM_T_LIST, .item = &vm_derender_entry_type
};

static const vm_field_t  vm_derender_logprobs_fields[] = {
    vm_derender_check("content", vm_derender_entries_type, 0),
    vm_field_end
};

static const vm_type_t  vm_derender_logprobs_type = {
    .kind = VM_T_MODEL, .fields = vm_derender_logprobs_fields
};

static const vm_type_t *const  vm_derender_stop_branches[] = {
    &vm_int_type, &vm_str_type, NULL
};

static const vm_type_t  vm_derender_stop_type = {
    .kind = VM_T_UNION, .branches = vm_derender_stop_branches
};

static const vm_type_t  vm_derender_mask_type = {
    .kind = VM_T_LIST, .item = &vm_int_list_type
};

#define VM_DERENDER_CHOICE(ids)                                               \
    vm_derender_check("index", vm_int_type, VM_F_REQUIRED|VM_F_NOTNULL),      \
    vm_derender_check("finish_reason", vm_str_type, 0),                       \
    vm_derender_check("stop_reason", vm_derender_stop_type, 0),               \
    vm_derender_check("token_ids", ids, 0),                                   \
    vm_derender_check("routed_experts", vm_str_type, 0),                      \
    vm_derender_check("sampling_mask", vm_derender_mask_type, 0),             \
    vm_derender_check("weight_versions", vm_list_type, 0),                    \
    vm_derender_check("logprobs", vm_derender_logprobs_type, 0),              \
    vm_field_end

static const vm_field_t  vm_derender_choice_fields[] = {
    VM_DERENDER_CHOICE(vm_derender_ids_type)
};

static const vm_field_t  vm_derender_piece_fields[] = {
    VM_DERENDER_CHOICE(vm_int_list_type)
};

static const vm_type_t  vm_derender_choice_types[] = {
    { .kind = VM_T_MODEL, .fields = vm_derender_choice_fields },
    { .kind = VM_T_MODEL, .fields = vm_derender_piece_fields }
};

static const vm_type_t  vm_derender_choices_type = {
    .kind = VM_T_LIST, .item = &vm_derender_choice_types[0]
};

static const vm_type_t  vm_derender_pieces_type = {
    .kind = VM_T_LIST, .item = &vm_derender_choice_types[1]
};

static const vm_field_t  vm_derender_usage_fields[] = {
    vm_derender_check("prompt_tokens", vm_int_type, VM_F_NOTNULL),
    vm_derender_check("total_tokens", vm_int_type, VM_F_NOTNULL),
    vm_derender_check("completion_tokens", vm_int_type, 0),
    vm_field_end
};

static const vm_type_t  vm_derender_usage_type = {
    .kind = VM_T_MODEL, .fields = vm_derender_usage_fields
};

static const char *const  vm_derender_times[] = {
    "time_to_first_token_ms", "generation_time_ms", "queue_time_ms",
    "mean_itl_ms", "tokens_per_second"
};

static const vm_field_t  vm_derender_metrics_fields[] = {
    vm_derender_check("time_to_first_token_ms", vm_float_type, 0),
    vm_derender_check("generation_time_ms", vm_float_type, 0),
    vm_derender_check("queue_time_ms", vm_float_type, 0),
    vm_derender_check("mean_itl_ms", vm_float_type, 0),
    vm_derender_check("tokens_per_second", vm_float_type, 0),
    vm_field_end
};

static const vm_type_t  vm_derender_metrics_type = {
    .kind = VM_T_MODEL, .fields = vm_derender_metrics_fields
};

static const char *const  vm_derender_modes[] = { "tokens", NULL };

static const vm_type_t  vm_derender_mode_type = {
    .kind = VM_T_LITERAL, .values = vm_derender_modes
};

static const vm_field_t  vm_derender_lp_fields[] = {
    vm_derender_check("logprob", vm_float_type, VM_F_REQUIRED|VM_F_NOTNULL),
    vm_derender_check("rank", vm_int_type, 0),
    vm_derender_check("decoded_token", vm_str_type, 0),
    vm_field_end
};

static const vm_type_t  vm_derender_lp_type = {
    .kind = VM_T_MODEL, .fields = vm_derender_lp_fields
};

static const vm_type_t  vm_derender_lps_type = {
    .kind = VM_T_DICT, .item = &vm_derender_lp_type, .int_keys = 1,
    .nullable = 1
};

static const vm_type_t  vm_derender_prompt_type = {
    .kind = VM_T_LIST, .item = &vm_derender_lps_type
};

static const vm_field_t  vm_derender_response_fields[] = {
    vm_derender_check("request_id", vm_str_type, VM_F_NOTNULL),
    vm_derender_check("model", vm_str_type, 0),
    vm_derender_check("created", vm_int_type, 0),
    vm_derender_check("usage", vm_derender_usage_type, 0),
    vm_derender_check("prompt_logprobs", vm_derender_prompt_type, 0),
    vm_derender_check("prompt_token_id_logprobs", vm_str_type, 0),
    vm_derender_check("prompt_token_ids", vm_id_list_type, 0),
    vm_derender_check("mm_placeholders", vm_dict_type, 0),
    vm_derender_check("metrics", vm_derender_metrics_type, 0),
    vm_derender_check("kv_transfer_params", vm_dict_type, 0),
    vm_derender_check("ec_transfer_params", vm_dict_type, 0),
    vm_derender_check("output_mode", vm_derender_mode_type, VM_F_NOTNULL),
    vm_derender_check("choices", vm_derender_choices_type,
                      VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_end
};

static const vm_type_t  vm_derender_response_type = {
    .kind = VM_T_MODEL, .fields = vm_derender_response_fields
};

static const vm_type_t  vm_derender_responses_type = {
    .kind = VM_T_LIST, .item = &vm_derender_response_type
};

static const vm_field_t  vm_derender_chunk_fields[] = {
    vm_derender_check("request_id", vm_str_type, VM_F_NOTNULL),
    vm_derender_check("usage", vm_derender_usage_type, 0),
    vm_derender_check("prompt_token_ids", vm_id_list_type, 0),
    vm_derender_check("mm_placeholders", vm_dict_type, 0),
    vm_derender_check("metrics", vm_derender_metrics_type, 0),
    vm_derender_check("output_mode", vm_derender_mode_type, VM_F_NOTNULL),
    vm_derender_check("choices", vm_derender_pieces_type,
                      VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_end
};

static const vm_type_t  vm_derender_chunk_type = {
    .kind = VM_T_MODEL, .fields = vm_derender_chunk_fields
};


/* ---- the state that a client carries ---- */

static const char *
vm_derender_window(const json_t *v, vm_pool_t *pool)
{
    size_t  n;

    n = json_array_size(v);

    return n > VM_DERENDER_WINDOW
           ? vm_pool_printf(pool, "prev_tokens length (%zu) exceeds maximum "
                            "(%d)", n, VM_DERENDER_WINDOW)
           : NULL;
}


static const vm_type_t  vm_derender_window_type = {
    .kind = VM_T_LIST, .item = &vm_str_type, .refuse = vm_derender_window
};

static const vm_type_t  vm_derender_context_type = {
    .kind = VM_T_LIST, .item = &vm_int_type, .max_items = VM_DERENDER_BEFORE
};

static const vm_type_t  vm_derender_positive_type = {
    .kind = VM_T_INT, .has_gt = 1, .gt = 0
};

static const vm_type_t  vm_derender_lens_type = {
    .kind = VM_T_LIST, .item = &vm_derender_positive_type
};

static const vm_field_t  vm_derender_state_fields[] = {
    vm_derender_check("prev_tokens", vm_derender_window_type, VM_F_NOTNULL),
    vm_derender_check("prefix_offset", vm_uint_type, VM_F_NOTNULL),
    vm_derender_check("read_offset", vm_uint_type, VM_F_NOTNULL),
    vm_derender_check("role_sent", vm_bool_type, VM_F_NOTNULL),
    vm_derender_check("logprob_context_token_ids", vm_derender_context_type,
                      VM_F_NOTNULL),
    vm_derender_check("logprob_text_offset", vm_uint_type, VM_F_NOTNULL),
    vm_derender_check("output_token_ids", vm_int_list_type, VM_F_NOTNULL),
    vm_derender_check("output_chunk_lens", vm_derender_lens_type,
                      VM_F_NOTNULL),
    vm_derender_check("tools_streamed", vm_bool_type, VM_F_NOTNULL),
    vm_derender_check("last_tool_call_ids", vm_str_list_type, VM_F_NOTNULL),
    vm_field_end
};


static const char *
vm_derender_lens(const json_t *v, vm_pool_t *pool)
{
    size_t       i, n;
    json_t      *item;
    vm_int_t     len;
    json_int_t   sum;

    n = json_array_size(json_object_get(v, "output_token_ids"));
    sum = 0;

    json_array_foreach(json_object_get(v, "output_chunk_lens"), i, item) {
        if (vm_field_int(item, &len)) {
            sum += vm_min(len.v, UINT32_MAX);
        }
    }

    return sum == (json_int_t) n
           ? NULL
           : vm_pool_printf(pool, "output_chunk_lens must sum to "
                            "len(output_token_ids) (got sum=%lld, "
                            "len(output_token_ids)=%zu)", sum, n);
}


static const vm_type_t  vm_derender_state_type = {
    .kind = VM_T_MODEL, .fields = vm_derender_state_fields,
    .refuse = vm_derender_lens
};


/* ---- the requests ---- */

static const vm_type_t  vm_derender_whole_type = {
    .kind = VM_T_TRUTH, .ge = 0
};

static const vm_type_t  vm_derender_stream_type = {
    .kind = VM_T_TRUTH, .ge = 1
};

static const vm_type_t  vm_derender_some_ids_type = {
    .kind = VM_T_LIST, .item = &vm_uint_type, .nullable = 1
};

static const vm_type_t  vm_derender_id_lists_type = {
    .kind = VM_T_LIST, .item = &vm_derender_some_ids_type
};

static const vm_field_t  vm_derender_chat_fields[] = {
    vm_derender_check("stream", vm_derender_whole_type, VM_F_NOTNULL),
    vm_derender_row("model", vm_str_type, 0, model),
    vm_derender_row("generate_response", vm_derender_response_type,
                    VM_F_REQUIRED|VM_F_NOTNULL, response),
    vm_derender_row("prompt_tokens", vm_int_type, 0, prompt_tokens),
    vm_derender_row("prompt_token_ids", vm_id_list_type, 0, prompt_ids),
    vm_derender_row("chat_request", vm_chat_type, 0, request),
    vm_field_end
};

static const vm_field_t  vm_derender_text_fields[] = {
    vm_derender_check("stream", vm_derender_whole_type, VM_F_NOTNULL),
    vm_derender_row("model", vm_str_type, 0, model),
    vm_derender_row("generate_responses", vm_derender_responses_type,
                    VM_F_REQUIRED|VM_F_NOTNULL, response),
    vm_derender_row("prompt_tokens", vm_int_list_type, 0, prompt_counts),
    vm_derender_row("prompt_token_ids", vm_derender_id_lists_type, 0,
                    prompt_ids),
    vm_derender_row("completion_request", vm_completion_type, 0, request),
    vm_field_end
};

#define VM_DERENDER_STREAM(name, type)                                        \
    vm_derender_check("stream", vm_derender_stream_type,                      \
                      VM_F_REQUIRED|VM_F_NOTNULL),                            \
    vm_derender_row("model", vm_str_type, 0, model),                          \
    vm_derender_row("generate_chunk", vm_derender_chunk_type,                 \
                    VM_F_REQUIRED|VM_F_NOTNULL, response),                    \
    vm_derender_row("stream_state", vm_derender_state_type, 0, state),        \
    vm_derender_row("prompt_tokens", vm_int_type, 0, prompt_tokens),          \
    vm_derender_row("prompt_token_ids", vm_id_list_type, 0, prompt_ids),      \
    vm_derender_row(name, type, 0, request),                                  \
    vm_field_end

static const vm_field_t  vm_derender_chat_stream_fields[] = {
    VM_DERENDER_STREAM("chat_request", vm_chat_type)
};

static const vm_field_t  vm_derender_text_stream_fields[] = {
    VM_DERENDER_STREAM("completion_request", vm_completion_type)
};


static const char *
vm_derender_lengths(const json_t *v, vm_pool_t *pool)
{
    size_t         i, n;
    const json_t  *list;

    static const char *const  names[] = {
        "prompt_tokens", "prompt_token_ids"
    };

    n = json_array_size(json_object_get(v, "generate_responses"));

    for (i = 0; i < vm_nelts(names); i++) {
        list = vm_value_get(v, names[i]);

        if (list && json_array_size(list) != n) {
            return vm_pool_printf(pool, "%s length (%zu) must equal "
                                  "generate_responses length (%zu)",
                                  names[i], json_array_size(list), n);
        }
    }

    return NULL;
}


/* A validator hides the name of the class from the places of its errors. */

static const vm_type_t  vm_derender_types[] = {
    { .kind = VM_T_MODEL, .name = "DerenderChatRequest",
      .fields = vm_derender_chat_fields },
    { .kind = VM_T_MODEL, .name = "DerenderChatStreamRequest",
      .fields = vm_derender_chat_stream_fields },
    { .kind = VM_T_MODEL, .fields = vm_derender_text_fields,
      .refuse = vm_derender_lengths },
    { .kind = VM_T_MODEL, .name = "DerenderCompletionStreamRequest",
      .fields = vm_derender_text_stream_fields }
};

static const vm_type_t *const  vm_derender_branches[][3] = {
    { &vm_derender_types[0], &vm_derender_types[1], NULL },
    { &vm_derender_types[2], &vm_derender_types[3], NULL }
};

static const vm_type_t  vm_derender_unions[] = {
    { .kind = VM_T_UNION, .branches = vm_derender_branches[0] },
    { .kind = VM_T_UNION, .branches = vm_derender_branches[1] }
};


/* ---- one answer on its way ---- */

typedef struct {
    vm_call_t        *call;
    vm_derender_t     q;
    vm_generation_t  *g;                /* of the chat or completion */
    unsigned          chat:1;
    unsigned          stream:1;
    unsigned          parser:1;         /* the server has one */
    unsigned          skip:1;           /* special tokens */
    vm_buf_t         *out;
} vm_derendering_t;


static int
vm_derender_bad(vm_derendering_t *d, char *message)
{
    return message ? vm_error_bad(&d->call->error, message)
                   : vm_error_memory(&d->call->error);
}


/* The request that led to the answer, for what it says about text. */

static int
vm_derender_original(vm_derendering_t *d)
{
    vm_error_t         *e;
    const vm_type_t    *type;

    e = &d->call->error;

    d->g = vm_generation_create(d->call, d->chat ? &vm_chat
                                                 : &vm_completion);
    if (d->g == NULL) {
        return vm_error_memory(e);
    }

    d->skip = 1;
    d->g->params.include_reasoning = 1;

    if (d->q.request.json) {
        type = d->chat ? &vm_chat_type : &vm_completion_type;

        if (vm_model_load(type, d->q.request.json, "body", &d->g->params, e,
                          d->call->pool)
            != VM_OK)
        {
            return VM_ERROR;
        }

        d->skip = d->g->params.skip_special_tokens;
    }

    if (vm_generation_model(d->g, d->q.model) != VM_OK) {
        return VM_ERROR;
    }

    if (d->q.model && json_string_length(d->q.model)) {
        d->g->model.data = json_string_value(d->q.model);
        d->g->model.len = json_string_length(d->q.model);
    }

    return VM_OK;
}


static int
vm_derender_load(vm_derendering_t *d, const json_t *body)
{
    int               rc;
    vm_error_t       *e;
    const vm_type_t  *type;

    e = &d->call->error;

    if (vm_model_load(&vm_derender_unions[!d->chat], body, "body", NULL, e,
                      d->call->pool)
        != VM_OK)
    {
        return VM_ERROR;
    }

    d->stream = json_is_true(json_object_get(body, "stream"));
    type = &vm_derender_types[2 * !d->chat + d->stream];

    rc = vm_model_load(type, body, "body", &d->q, e, d->call->pool);

    return rc == VM_OK ? vm_derender_original(d) : rc;
}


/* ---- how much may be asked ---- */

static int
vm_derender_choice_bounds(vm_derendering_t *d, const json_t *choice)
{
    size_t                i, n;
    json_t               *entry;
    uint32_t              max;
    vm_int_t              number;
    json_int_t            index;
    const json_t         *content;
    const vm_settings_t  *s;

    s = d->call->settings;
    max = s->max_model_len;
    vm_field_int(json_object_get(choice, "index"), &number);
    index = number.v;

    n = json_array_size(json_object_get(choice, "token_ids"));

    if (n > max) {
        return vm_derender_bad(d, vm_pool_printf(d->call->pool,
                   "token_ids length (%zu) in choice %lld exceeds "
                   "max_model_len (%u).", n, index, max));
    }

    content = json_object_get(json_object_get(choice, "logprobs"), "content");
    n = json_array_size(content);

    if (n > max) {
        return vm_derender_bad(d, vm_pool_printf(d->call->pool,
                   "logprobs.content length (%zu) in choice %lld exceeds "
                   "max_model_len (%u).", n, index, max));
    }

    json_array_foreach(content, i, entry) {
        n = json_array_size(json_object_get(entry, "top_logprobs"));

        if (n > s->max_logprobs && s->max_logprobs != VM_NEVER) {
            return vm_derender_bad(d, vm_pool_printf(d->call->pool,
                       "top_logprobs count (%zu) in choice %lld exceeds "
                       "max_logprobs (%u).", n, index, s->max_logprobs));
        }
    }

    return VM_OK;
}


static int
vm_derender_bounds(vm_derendering_t *d, const json_t *response)
{
    size_t         i, n;
    json_t        *choice;
    uint32_t       max;
    const char    *id;
    const json_t  *choices;

    max = d->call->settings->max_model_len;
    choices = json_object_get(response, "choices");
    id = json_string_value(json_object_get(response, "request_id"));
    n = json_array_size(choices);

    if (n > VM_DERENDER_MANY) {
        return vm_derender_bad(d, vm_pool_printf(d->call->pool,
                   "choices count (%zu) in response '%s' exceeds server "
                   "maximum (%d).", n, id ? id : "", VM_DERENDER_MANY));
    }

    json_array_foreach(choices, i, choice) {
        if (vm_derender_choice_bounds(d, choice) != VM_OK) {
            return VM_ERROR;
        }
    }

    n = json_array_size(json_object_get(response, "prompt_logprobs"));

    if (n > max) {
        return vm_derender_bad(d, vm_pool_printf(d->call->pool,
                   "prompt_logprobs length (%zu) in response '%s' exceeds "
                   "max_model_len (%u).", n, id ? id : "", max));
    }

    return VM_OK;
}


static int
vm_derender_prompt_bounds(vm_derendering_t *d, const json_t *ids)
{
    size_t  n;

    n = json_array_size(ids);

    if (n > d->call->settings->max_model_len) {
        return vm_derender_bad(d, vm_pool_printf(d->call->pool,
                   "prompt_token_ids length (%zu) exceeds max_model_len "
                   "(%u).", n, d->call->settings->max_model_len));
    }

    return VM_OK;
}


/* A parser's marks would stand in the content of a chat that is not known. */

static int
vm_derender_parser(vm_derendering_t *d)
{
    d->parser = d->chat && (d->call->settings->tool_call_parser
                            || d->call->settings->reasoning_parser);

    if (!d->parser) {
        return VM_OK;
    }

    d->skip = 0;

    if (d->q.request.json == NULL) {
        return vm_error_bad(&d->call->error, "chat_request is required when "
                            "a tool or reasoning parser is configured because "
                            "plain detokenization would leak raw parser "
                            "markup into content.");
    }

    if (d->stream && d->q.prompt_ids.json == NULL) {
        return vm_error_bad(&d->call->error, "prompt_token_ids is required "
                            "when a tool or reasoning parser is configured. "
                            "Without it parse_delta cannot tell whether the "
                            "prompt left reasoning open (e.g. a chat template "
                            "that pre-opens <think>) and would misclassify "
                            "reasoning content as plain content.");
    }

    return VM_OK;
}


/* ---- pieces ---- */

static void
vm_derender_id(vm_derendering_t *d, const json_t *response)
{
    const json_t  *id;

    id = json_object_get(response, "request_id");

    if (id) {
        vm_piece_json(id, d->out);

    } else {
        vm_buf_printf(d->out, "\"%016llx\"",
                      (unsigned long long) d->call->random);
    }
}


static void
vm_derender_head(vm_derendering_t *d, const json_t *response,
    const char *object)
{
    vm_buf_lit(d->out, "{\"id\":");
    vm_derender_id(d, response);
    vm_buf_printf(d->out, ",\"object\":\"%s\",\"created\":%lld,\"model\":",
                  object, (long long) d->call->now);
    vm_buf_json(d->out, d->g->model.data, d->g->model.len);
    vm_buf_lit(d->out, ",\"choices\":[");
}


static void
vm_derender_reasons(vm_derendering_t *d, const json_t *choice)
{
    const json_t  *reason;

    reason = json_object_get(choice, "finish_reason");

    vm_buf_lit(d->out, ",\"finish_reason\":");

    if (reason == NULL && !d->stream) {
        vm_buf_lit(d->out, "\"stop\"");

    } else {
        vm_piece_json(reason, d->out);
    }

    vm_buf_lit(d->out, ",\"stop_reason\":");
    vm_piece_json(json_object_get(choice, "stop_reason"), d->out);
}


static void
vm_derender_usage(vm_derendering_t *d, uint64_t prompt, uint64_t output)
{
    vm_piece_counts(prompt, output, d->out);
    vm_buf_lit(d->out, ",\"prompt_tokens_details\":null,"
                       "\"completion_tokens_details\":null}");
}


static void
vm_derender_metrics(vm_derendering_t *d, const json_t *response)
{
    size_t         i;
    double         v;
    const json_t  *m;

    m = vm_value_get(response, "metrics");

    if (m == NULL) {
        vm_buf_lit(d->out, "null");
        return;
    }

    for (i = 0; i < vm_nelts(vm_derender_times); i++) {
        vm_buf_printf(d->out, "%s\"%s\":", i ? "," : "{",
                      vm_derender_times[i]);

        if (vm_field_float(json_object_get(m, vm_derender_times[i]), &v)) {
            vm_buf_double(d->out, v);

        } else {
            vm_buf_lit(d->out, "null");
        }
    }

    vm_buf_lit(d->out, ",\"speculative_decoding\":");
    vm_piece_json(json_object_get(m, "speculative_decoding"), d->out);
    vm_buf_char(d->out, '}');
}


/* ---- log-probabilities: ids become text ---- */

static double
vm_derender_logprob(const json_t *entry)
{
    double  v;

    return vm_field_float(json_object_get(entry, "logprob"), &v) ? v : 0;
}


static void
vm_derender_token(vm_derendering_t *d, const json_t *entry,
    const json_t *context)
{
    int       known;
    size_t    i;
    vm_buf_t  b;

    vm_buf_init(&b);
    known = vm_detok_one(d->call->settings->tokenizer,
                         json_object_get(entry, "token_id"), context, &b);

    vm_buf_lit(d->out, "{\"token\":");
    vm_buf_json(d->out, b.data ? b.data : "", b.len);
    vm_buf_lit(d->out, ",\"logprob\":");
    vm_buf_double(d->out, vm_derender_logprob(entry));
    vm_buf_lit(d->out, ",\"bytes\":");

    if (known) {
        vm_buf_char(d->out, '[');

        for (i = 0; i < b.len; i++) {
            vm_buf_str(d->out, i ? "," : "");
            vm_buf_uint(d->out, (unsigned char) b.data[i]);
        }

        vm_buf_char(d->out, ']');

    } else {
        vm_buf_lit(d->out, "null");
    }

    vm_buf_free(&b);
}


static void
vm_derender_logprobs_chat(vm_derendering_t *d, const json_t *content,
    json_t *context)
{
    size_t   i, k;
    json_t  *entry, *top;

    vm_buf_lit(d->out, "{\"content\":");

    if (!json_is_array(content)) {
        vm_buf_lit(d->out, "null}");
        return;
    }

    vm_buf_char(d->out, '[');

    json_array_foreach(content, i, entry) {
        vm_buf_str(d->out, i ? "," : "");
        vm_derender_token(d, entry, context);
        vm_buf_lit(d->out, ",\"top_logprobs\":[");

        json_array_foreach(json_object_get(entry, "top_logprobs"), k, top) {
            vm_buf_str(d->out, k ? "," : "");
            vm_derender_token(d, top, context);
            vm_buf_char(d->out, '}');
        }

        vm_buf_lit(d->out, "]}");
        json_array_append(context, json_object_get(entry, "token_id"));
    }

    vm_buf_lit(d->out, "]}");
}


static void
vm_derender_logprobs_text(vm_derendering_t *d, const json_t *content,
    json_t *context, size_t offset)
{
    size_t    i, k;
    json_t   *entry, *seen, *top, *tops;
    vm_buf_t  dicts, offsets, probs, text, tokens;

    vm_buf_init(&dicts);
    vm_buf_init(&offsets);
    vm_buf_init(&probs);
    vm_buf_init(&text);
    vm_buf_init(&tokens);

    json_array_foreach(content, i, entry) {
        vm_buf_reset(&text);
        (void) vm_detok_one(d->call->settings->tokenizer,
                            json_object_get(entry, "token_id"), context,
                            &text);

        vm_buf_printf(&offsets, "%s%zu", i ? "," : "", offset);
        offset += vm_value_chars(text.data ? text.data : "", text.len);

        vm_buf_str(&tokens, i ? "," : "");
        vm_buf_json(&tokens, text.data ? text.data : "", text.len);
        vm_buf_str(&probs, i ? "," : "");
        vm_buf_double(&probs, vm_derender_logprob(entry));
        vm_buf_str(&dicts, i ? "," : "");

        tops = json_object_get(entry, "top_logprobs");

        if (json_array_size(tops) == 0) {
            vm_buf_lit(&dicts, "null");

        } else {
            seen = json_object();

            json_array_foreach(tops, k, top) {
                vm_buf_reset(&text);
                (void) vm_detok_one(d->call->settings->tokenizer,
                                    json_object_get(top, "token_id"),
                                    context, &text);
                vm_buf_char(&text, '\0');
                json_object_set_new_nocheck(seen, text.data,
                    json_real(vm_derender_logprob(top)));
            }

            vm_piece_json(seen, &dicts);
            json_decref(seen);
        }

        json_array_append(context, json_object_get(entry, "token_id"));
    }

    vm_buf_lit(d->out, "{\"text_offset\":[");
    vm_buf_add(d->out, offsets.data, offsets.len);
    vm_buf_lit(d->out, "],\"token_logprobs\":[");
    vm_buf_add(d->out, probs.data, probs.len);
    vm_buf_lit(d->out, "],\"tokens\":[");
    vm_buf_add(d->out, tokens.data, tokens.len);
    vm_buf_lit(d->out, "],\"top_logprobs\":[");
    vm_buf_add(d->out, dicts.data, dicts.len);
    vm_buf_lit(d->out, "]}");

    vm_buf_free(&dicts);
    vm_buf_free(&offsets);
    vm_buf_free(&probs);
    vm_buf_free(&text);
    vm_buf_free(&tokens);
}


/* `before`: ids of a stream's chunks before this one */

static void
vm_derender_logprobs(vm_derendering_t *d, const json_t *choice,
    const json_t *before, size_t offset)
{
    json_t        *content, *context;
    const json_t  *v;

    v = vm_value_get(choice, "logprobs");

    vm_buf_lit(d->out, ",\"logprobs\":");

    if (v == NULL) {
        vm_buf_lit(d->out, "null");
        return;
    }

    content = json_object_get(v, "content");
    context = before ? json_copy((json_t *) (uintptr_t) before)
                     : json_array();

    if (d->chat) {
        vm_derender_logprobs_chat(d, content, context);

    } else {
        vm_derender_logprobs_text(d, content, context, offset);
    }

    json_decref(context);
}


/* ---- the text of a chat, in its parts ---- */

/*
 * A choice that says `text`: its thought (up to </think>, for servers that
 * have a reasoning parser) and its calls are found in it.
 */

static int
vm_derender_say(vm_derendering_t *d, vm_choice_t *c, const vm_buf_t *text,
    uint64_t key)
{
    size_t       len;
    const char  *end, *s;

    static const char  open[] = "<think>", close[] = "</think>";

    memset(c, 0, sizeof(vm_choice_t));
    vm_buf_init(&c->text);

    s = text->data ? text->data : "";
    len = text->len;
    c->text_end = SIZE_MAX;
    c->finish = "stop";

    if (d->parser && vm_parts_thinks(d->g)) {
        c->thinks = 1;
        c->think_end = VM_NEVER;

        if (len >= sizeof(open) - 1 && memcmp(s, open, sizeof(open) - 1) == 0)
        {
            s += sizeof(open) - 1;
            len -= sizeof(open) - 1;
        }

        end = memmem(s, len, close, sizeof(close) - 1);

        if (end) {
            c->thought = (size_t) (end - s);
            vm_buf_add(&c->text, s, c->thought);
            c->think_end = 0;
            c->made = 1;
            len -= c->thought + sizeof(close) - 1;
            s = end + sizeof(close) - 1;
        }
    }

    vm_buf_add(&c->text, s, len);

    if (c->text.failed) {
        return vm_error_memory(&d->call->error);
    }

    if (d->parser && vm_parts_calling(d->g)
        && (!c->thinks || c->think_end == 0))
    {
        return vm_parts_find(d->g, c, c->text.data + c->thought,
                             c->text.len - c->thought, key);
    }

    return VM_OK;
}


/* ---- whole answers ---- */

/* Here the ids of calls are without what a chat puts before them. */

static void
vm_derender_plain_ids(vm_choice_t *c)
{
    uint32_t  i;

    static const char  prefix[] = "chatcmpl-tool-";

    for (i = 0; i < c->ncalls; i++) {
        if (strncmp(c->calls[i].id, prefix, sizeof(prefix) - 1) == 0) {
            c->calls[i].id += sizeof(prefix) - 1;
        }
    }
}


static int
vm_derender_choice(vm_derendering_t *d, const json_t *response,
    const json_t *choice, const json_t *seed, uint32_t index)
{
    int            rc;
    vm_buf_t       text;
    vm_int_t       number;
    vm_detok_t     k;
    vm_choice_t    c;
    const json_t  *ids;

    ids = json_object_get(choice, "token_ids");
    vm_field_int(json_object_get(choice, "index"), &number);

    if (json_array_size(ids) == 0) {
        return vm_derender_bad(d, d->chat
                   ? vm_pool_printf(d->call->pool, "choice %lld has empty or "
                                    "null token_ids", number.v)
                   : vm_pool_printf(d->call->pool, "choice %lld in response "
                                    "%s has empty or null token_ids",
                                    number.v,
                                    json_string_value(json_object_get(
                                        response, "request_id"))));
    }

    vm_buf_init(&text);
    vm_detok_init(&k, d->call->settings->tokenizer, (int) d->skip);
    vm_detok_seed(&k, seed ? seed : json_object_get(response,
                                                    "prompt_token_ids"));
    vm_detok_ids(&k, ids, &text);
    vm_detok_free(&k);

    rc = VM_OK;

    if (d->chat) {
        vm_buf_printf(d->out, "{\"index\":%lld,\"message\":", number.v);
        rc = vm_derender_say(d, &c, &text, d->call->random + index);

        if (rc == VM_OK) {
            vm_derender_plain_ids(&c);
            vm_chat_message(d->g, &c, d->out);
        }

        vm_buf_free(&c.text);

    } else {
        vm_buf_printf(d->out, "{\"index\":%u,\"text\":", index);
        vm_buf_json(d->out, text.data ? text.data : "", text.len);
    }

    vm_buf_free(&text);
    vm_derender_logprobs(d, choice, NULL, 0);
    vm_derender_reasons(d, choice);
    vm_buf_lit(d->out, ",\"token_ids\":");

    if (d->chat && d->g->params.return_token_ids
        && (!d->parser || d->g->params.include_reasoning))
    {
        vm_piece_json(ids, d->out);

    } else {
        vm_buf_lit(d->out, "null");
    }

    vm_buf_str(d->out, d->chat ? ",\"routed_experts\":null}"
                               : ",\"prompt_logprobs\":null,"
                                 "\"prompt_token_ids\":null,"
                                 "\"routed_experts\":null}");

    return rc;
}


static int
vm_derender_choices(vm_derendering_t *d, const json_t *response,
    const json_t *seed, uint32_t *index, uint64_t *tokens)
{
    size_t   i;
    json_t  *choice;

    json_array_foreach(json_object_get(response, "choices"), i, choice) {
        vm_buf_str(d->out, *index ? "," : "");

        if (vm_derender_choice(d, response, choice, seed, *index) != VM_OK) {
            return VM_ERROR;
        }

        *tokens += json_array_size(json_object_get(choice, "token_ids"));
        (*index)++;
    }

    return VM_OK;
}


static int
vm_derender_whole_chat(vm_derendering_t *d)
{
    uint32_t       index;
    uint64_t       tokens;
    const json_t  *response;

    response = d->q.response.json;

    if (vm_derender_bounds(d, response) != VM_OK
        || vm_derender_prompt_bounds(d, d->q.prompt_ids.json) != VM_OK
        || vm_derender_parser(d) != VM_OK)
    {
        return VM_ERROR;
    }

    index = 0;
    tokens = 0;

    vm_derender_head(d, response, "chat.completion");

    if (vm_derender_choices(d, response, d->q.prompt_ids.json, &index,
                            &tokens)
        != VM_OK)
    {
        return VM_ERROR;
    }

    vm_buf_lit(d->out, "],\"service_tier\":null,\"system_fingerprint\":null,"
                       "\"usage\":");
    vm_derender_usage(d, (uint64_t) d->q.prompt_tokens.v, tokens);
    vm_buf_lit(d->out, ",\"prompt_logprobs\":");
    vm_piece_json(json_object_get(response, "prompt_logprobs"), d->out);
    vm_buf_lit(d->out, ",\"prompt_token_ids\":null,\"prompt_text\":null,"
                       "\"kv_transfer_params\":");
    vm_piece_json(json_object_get(response, "kv_transfer_params"), d->out);
    vm_buf_lit(d->out, ",\"ec_transfer_params\":null,\"metrics\":");
    vm_derender_metrics(d, response);
    vm_buf_char(d->out, '}');

    return VM_OK;
}


static int
vm_derender_text_bounds(vm_derendering_t *d)
{
    size_t   i, n;
    json_t  *item;

    n = json_array_size(d->q.response.json);

    if (n == 0) {
        return vm_error_bad(&d->call->error,
                            "generate_responses must not be empty");
    }

    if (n > VM_DERENDER_MANY) {
        return vm_derender_bad(d, vm_pool_printf(d->call->pool,
                   "generate_responses count (%zu) exceeds server maximum "
                   "(%d). Set VLLM_MAX_N_SEQUENCES to increase this limit.",
                   n, VM_DERENDER_MANY));
    }

    json_array_foreach(d->q.response.json, i, item) {
        if (vm_derender_bounds(d, item) != VM_OK) {
            return VM_ERROR;
        }
    }

    json_array_foreach(d->q.prompt_ids.json, i, item) {
        if (vm_derender_prompt_bounds(d, item) != VM_OK) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


static int
vm_derender_whole_text(vm_derendering_t *d)
{
    int            same;
    size_t         i;
    json_t        *item, *kv, *other;
    uint32_t       index;
    uint64_t       prompt, tokens;
    vm_int_t       n;
    const json_t  *first, *seed;

    if (vm_derender_text_bounds(d) != VM_OK) {
        return VM_ERROR;
    }

    first = json_array_get(d->q.response.json, 0);
    kv = vm_value_get(first, "kv_transfer_params");

    index = 0;
    prompt = 0;
    tokens = 0;
    same = 1;

    vm_derender_head(d, first, "text_completion");

    json_array_foreach(d->q.response.json, i, item) {
        seed = json_array_get(d->q.prompt_ids.json, i);

        if (vm_derender_choices(d, item, json_is_null(seed) ? NULL : seed,
                                &index, &tokens)
            != VM_OK)
        {
            return VM_ERROR;
        }

        if (vm_field_int(json_array_get(d->q.prompt_counts.json, i), &n)) {
            prompt += (uint64_t) n.v;
        }

        other = vm_value_get(item, "kv_transfer_params");
        same = same && (kv == other || json_equal(kv, other));
    }

    vm_buf_lit(d->out, "],\"service_tier\":null,\"system_fingerprint\":null,"
                       "\"usage\":");
    vm_derender_usage(d, prompt, tokens);
    vm_buf_lit(d->out, ",\"kv_transfer_params\":");
    vm_piece_json(same ? kv : NULL, d->out);
    vm_buf_lit(d->out, ",\"ec_transfer_params\":null,\"metrics\":");

    if (i == 1) {
        vm_derender_metrics(d, first);

    } else {
        vm_buf_lit(d->out, "null");
    }

    vm_buf_char(d->out, '}');

    return VM_OK;
}


/* ---- chunks of a stream ---- */

typedef struct {
    vm_detok_t      k;
    json_t         *context;            /* ids for log-probabilities */
    json_t         *ids;                /* of a parser: all that came */
    json_t         *lens;               /* ... and in which pieces */
    json_t         *calls;              /* ids of tool calls */
    json_int_t      offset;             /* characters so far */
    uint8_t         role;               /* was sent */
    uint8_t         tools;              /* a call was sent */
} vm_derender_state_t;


static json_t *
vm_derender_list(const json_t *state, const char *name)
{
    json_t  *v;

    v = json_object_get(state, name);

    return json_is_array(v) ? json_copy(v) : json_array();
}


static void
vm_derender_open(vm_derendering_t *d, vm_derender_state_t *s)
{
    vm_int_t       n;
    const json_t  *seed, *state;

    state = d->q.state.json;
    memset(s, 0, sizeof(vm_derender_state_t));

    vm_detok_init(&s->k, d->call->settings->tokenizer, (int) d->skip);

    s->context = vm_derender_list(state, "logprob_context_token_ids");
    s->ids = vm_derender_list(state, "output_token_ids");
    s->lens = vm_derender_list(state, "output_chunk_lens");
    s->calls = vm_derender_list(state, "last_tool_call_ids");

    if (state == NULL) {
        seed = d->q.prompt_ids.json;

        if (!d->parser) {
            vm_detok_seed(&s->k, seed ? seed
                                      : json_object_get(d->q.response.json,
                                                        "prompt_token_ids"));
        }

        return;
    }

    json_decref(s->k.prev);
    s->k.prev = vm_derender_list(state, "prev_tokens");

    if (vm_field_int(json_object_get(state, "prefix_offset"), &n)) {
        s->k.prefix = n.v;
    }

    if (vm_field_int(json_object_get(state, "read_offset"), &n)) {
        s->k.read = n.v;
    }

    if (vm_field_int(json_object_get(state, "logprob_text_offset"), &n)) {
        s->offset = n.v;
    }

    (void) vm_field_bool(json_object_get(state, "role_sent"), &s->role);
    (void) vm_field_bool(json_object_get(state, "tools_streamed"),
                         &s->tools);
}


static void
vm_derender_close(vm_derender_state_t *s)
{
    vm_detok_free(&s->k);
    json_decref(s->context);
    json_decref(s->ids);
    json_decref(s->lens);
    json_decref(s->calls);
}


static void
vm_derender_state(vm_derendering_t *d, const vm_derender_state_t *s)
{
    vm_buf_lit(d->out, ",\"stream_state\":{\"prev_tokens\":");
    vm_piece_json(s->k.prev, d->out);
    vm_buf_printf(d->out, ",\"prefix_offset\":%lld,\"read_offset\":%lld,"
                  "\"role_sent\":%s,\"logprob_context_token_ids\":",
                  s->k.prefix, s->k.read, s->role ? "true" : "false");
    vm_piece_json(s->context, d->out);
    vm_buf_printf(d->out, ",\"logprob_text_offset\":%lld,"
                  "\"output_token_ids\":", s->offset);
    vm_piece_json(s->ids, d->out);
    vm_buf_lit(d->out, ",\"output_chunk_lens\":");
    vm_piece_json(s->lens, d->out);
    vm_buf_printf(d->out, ",\"tools_streamed\":%s,\"last_tool_call_ids\":",
                  s->tools ? "true" : "false");
    vm_piece_json(s->calls, d->out);
    vm_buf_lit(d->out, "}}");
}


/* The last ids that were sampled: these, behind those before. */

static void
vm_derender_context(vm_derender_state_t *s, const json_t *ids)
{
    json_array_extend(s->context, (json_t *) (uintptr_t) ids);

    while (json_array_size(s->context) > VM_DERENDER_BEFORE) {
        json_array_remove(s->context, 0);
    }
}


static void
vm_derender_delta_text(vm_derendering_t *d, vm_derender_state_t *s,
    const json_t *choice)
{
    size_t     chars;
    json_t    *ids;
    vm_buf_t   text;

    ids = json_object_get(choice, "token_ids");

    vm_buf_init(&text);
    vm_detok_ids(&s->k, ids, &text);
    chars = vm_value_chars(text.data ? text.data : "", text.len);

    if (d->chat) {
        vm_buf_printf(d->out, ",\"delta\":{\"role\":%s,\"content\":",
                      s->role ? "null" : "\"assistant\"");

        if (text.len) {
            vm_buf_json(d->out, text.data, text.len);

        } else {
            vm_buf_lit(d->out, "null");
        }

        vm_buf_lit(d->out, ",\"reasoning\":null}");
        s->role = 1;

    } else {
        vm_buf_lit(d->out, ",\"text\":");
        vm_buf_json(d->out, text.data ? text.data : "", text.len);
    }

    vm_derender_logprobs(d, choice, s->context, (size_t) s->offset);
    vm_derender_context(s, ids);

    if (!d->chat) {
        s->offset += (json_int_t) chars;
    }

    vm_buf_free(&text);
    vm_derender_reasons(d, choice);
}


/* The id of a call: the one that the client was told, or a new one. */

static const char *
vm_derender_call_id(vm_derender_state_t *s, const vm_choice_t *c,
    uint32_t call)
{
    if (call >= json_array_size(s->calls)) {
        json_array_append_new(s->calls, json_string(c->calls[call].id));
    }

    return json_string_value(json_array_get(s->calls, call));
}


/* What of a choice's text lies between two places, by its parts. */

static void
vm_derender_delta_parts(vm_derendering_t *d, vm_derender_state_t *s,
    const vm_choice_t *c, size_t from, size_t end)
{
    vm_buf_t     calls, content, thought;
    vm_span_t    p;
    const char  *id, *text;

    vm_buf_init(&calls);
    vm_buf_init(&content);
    vm_buf_init(&thought);

    while (from < end) {
        p = vm_parts_at(c, from, end);
        text = c->text.data + p.from;
        from = p.to;

        switch (p.kind) {

        case VM_PART_REASONING:
            vm_buf_add(&thought, text, p.to - p.from);
            break;

        case VM_PART_CONTENT:
            vm_buf_add(&content, text, p.to - p.from);
            break;

        case VM_PART_NAME:
            if (!p.whole) {
                break;
            }

            id = vm_derender_call_id(s, c, p.call);
            vm_buf_printf(&calls, "%s{\"id\":", calls.len ? "," : "");
            vm_buf_json(&calls, id, strlen(id));
            vm_buf_printf(&calls, ",\"type\":\"function\",\"index\":%u,"
                          "\"function\":{\"name\":", p.call);
            vm_buf_json(&calls, c->calls[p.call].name,
                        strlen(c->calls[p.call].name));
            vm_buf_lit(&calls, ",\"arguments\":null}}");
            break;

        case VM_PART_ARGUMENTS:
            vm_buf_printf(&calls, "%s{\"id\":null,\"type\":null,"
                          "\"index\":%u,\"function\":{\"name\":null,"
                          "\"arguments\":", calls.len ? "," : "", p.call);
            vm_buf_json(&calls, text, p.to - p.from);
            vm_buf_lit(&calls, "}}");
            break;

        default: /* VM_PART_WRAP */
            break;
        }
    }

    vm_buf_printf(d->out, ",\"delta\":{\"role\":%s,\"content\":",
                  s->role ? "null" : "\"assistant\"");
    s->role = 1;

    if (content.len) {
        vm_buf_json(d->out, content.data, content.len);

    } else {
        vm_buf_lit(d->out, "null");
    }

    vm_buf_lit(d->out, ",\"reasoning\":");

    if (thought.len && d->g->params.include_reasoning) {
        vm_buf_json(d->out, thought.data, thought.len);

    } else {
        vm_buf_lit(d->out, "null");
    }

    if (calls.len) {
        s->tools = 1;
        vm_buf_lit(d->out, ",\"tool_calls\":[");
        vm_buf_add(d->out, calls.data, calls.len);
        vm_buf_char(d->out, ']');
    }

    vm_buf_char(d->out, '}');

    vm_buf_free(&calls);
    vm_buf_free(&content);
    vm_buf_free(&thought);
}


/*
 * How much of a text may be shown: not what may become a mark, nor a call
 * that is not whole.
 */

static size_t
vm_derender_safe(vm_derendering_t *d, const vm_choice_t *c, int finished)
{
    size_t       held, len;
    const char  *end, *mark, *open, *s;

    static const char  think[] = "</think>", call[] = "<tool_call>",
                       over[] = "</tool_call>";

    s = c->text.data ? c->text.data : "";
    len = c->text.len;
    mark = NULL;

    if (c->thinks && c->think_end == VM_NEVER) {
        mark = think;

    } else if (vm_parts_calling(d->g)) {
        mark = call;

        for (end = s + c->thought;
             (open = memmem(end, (size_t) (s + len - end), call,
                            sizeof(call) - 1)) != NULL;
             end += sizeof(over) - 1)
        {
            end = memmem(open, (size_t) (s + len - open), over,
                         sizeof(over) - 1);

            if (end == NULL) {
                return (size_t) (open - s);
            }
        }
    }

    if (mark == NULL || finished) {
        return len;
    }

    for (held = vm_min(strlen(mark) - 1, len); held; held--) {
        if (memcmp(s + len - held, mark, held) == 0) {
            break;
        }
    }

    return len - held;
}


/*
 * With a parser all that was said is read anew: what its text grew by, and
 * what parts that is of.
 */

static int
vm_derender_delta_parsed(vm_derendering_t *d, vm_derender_state_t *s,
    const json_t *choice)
{
    int            rc;
    json_t        *ids;
    size_t         before, n;
    vm_buf_t       text;
    vm_detok_t     k;
    vm_choice_t    c, old;
    const json_t  *reason;

    ids = json_object_get(choice, "token_ids");
    n = json_array_size(ids);

    vm_buf_init(&text);
    vm_detok_init(&k, d->call->settings->tokenizer, 0);
    vm_detok_seed(&k, d->q.prompt_ids.json);
    vm_detok_ids(&k, s->ids, &text);

    reason = vm_value_get(choice, "finish_reason");

    rc = vm_derender_say(d, &old, &text, d->call->random);
    before = rc == VM_OK ? vm_derender_safe(d, &old, 0) : 0;
    vm_buf_free(&old.text);

    vm_detok_ids(&k, ids, &text);
    vm_detok_free(&k);

    if (rc == VM_OK) {
        rc = vm_derender_say(d, &c, &text, d->call->random);

        if (rc == VM_OK) {
            vm_derender_delta_parts(d, s, &c, before,
                                    vm_derender_safe(d, &c, reason != NULL));
        }

        vm_buf_free(&c.text);
    }

    vm_buf_free(&text);

    if (n) {
        json_array_extend(s->ids, ids);
        json_array_append_new(s->lens, json_integer((json_int_t) n));
    }

    vm_buf_lit(d->out, ",\"logprobs\":null");

    if (reason && s->tools && !json_is_object(d->g->params.tool_choice.json))
    {
        vm_buf_lit(d->out, ",\"finish_reason\":\"tool_calls\","
                           "\"stop_reason\":");
        vm_piece_json(json_object_get(choice, "stop_reason"), d->out);

    } else {
        vm_derender_reasons(d, choice);
    }

    return rc;
}


static int
vm_derender_chunk_choice(vm_derendering_t *d, vm_derender_state_t *s,
    const json_t *choice)
{
    int        rc;
    vm_int_t   number;

    vm_field_int(json_object_get(choice, "index"), &number);
    vm_buf_printf(d->out, "{\"index\":%lld", number.v);

    rc = VM_OK;

    if (d->parser) {
        rc = vm_derender_delta_parsed(d, s, choice);

    } else {
        vm_derender_delta_text(d, s, choice);
    }

    if (!d->chat) {
        vm_buf_lit(d->out, ",\"prompt_token_ids\":null");
    }

    vm_buf_lit(d->out, ",\"token_ids\":");

    if (d->chat && d->g->params.return_token_ids
        && (!d->parser || d->g->params.include_reasoning))
    {
        vm_piece_json(json_object_get(choice, "token_ids"), d->out);

    } else {
        vm_buf_lit(d->out, "null");
    }

    vm_buf_char(d->out, '}');

    return rc;
}


static void
vm_derender_chunk_usage(vm_derendering_t *d)
{
    vm_int_t       output, prompt;
    const json_t  *usage;

    usage = vm_value_get(d->q.response.json, "usage");

    vm_buf_lit(d->out, "],\"usage\":");

    if (usage == NULL) {
        vm_buf_lit(d->out, "null");
        return;
    }

    if (!vm_field_int(json_object_get(usage, "completion_tokens"), &output)) {
        output.v = 0;
    }

    prompt = d->q.prompt_tokens;

    if (!prompt.set
        && !vm_field_int(json_object_get(usage, "prompt_tokens"), &prompt))
    {
        prompt.v = 0;
    }

    vm_derender_usage(d, (uint64_t) prompt.v, (uint64_t) output.v);
}


static int
vm_derender_chunk_bounds(vm_derendering_t *d)
{
    size_t         delta, n, prior, prompt;
    uint32_t       max;
    const json_t  *choices;

    choices = json_object_get(d->q.response.json, "choices");
    n = json_array_size(choices);

    if (!d->chat) {

        if (vm_derender_prompt_bounds(d, d->q.prompt_ids.json) != VM_OK) {
            return VM_ERROR;
        }

        return n > 1 ? vm_error_bad(&d->call->error,
                                    "derender_completion_stream expects at "
                                    "most one choice per chunk")
                     : VM_OK;
    }

    if (vm_derender_parser(d) != VM_OK) {
        return VM_ERROR;
    }

    if (n > 1) {
        return vm_derender_bad(d, vm_pool_printf(d->call->pool,
                   "derender_chat_stream expects at most one choice per chunk "
                   "(got %zu).", n));
    }

    max = d->call->settings->max_model_len;
    prompt = json_array_size(d->q.prompt_ids.json);
    prior = json_array_size(json_object_get(d->q.state.json,
                                            "output_token_ids"));
    delta = json_array_size(json_object_get(json_array_get(choices, 0),
                                            "token_ids"));

    if (prompt + prior + delta > max) {
        return vm_derender_bad(d, vm_pool_printf(d->call->pool,
                   "prompt_token_ids length (%zu) plus output_token_ids "
                   "length (%zu) plus delta (%zu) exceeds max_model_len "
                   "(%u).", prompt, prior, delta, max));
    }

    return VM_OK;
}


static int
vm_derender_chunk(vm_derendering_t *d)
{
    int                   rc;
    const json_t         *choice;
    vm_derender_state_t   s;

    if (vm_derender_chunk_bounds(d) != VM_OK) {
        return VM_ERROR;
    }

    choice = json_array_get(json_object_get(d->q.response.json, "choices"),
                            0);

    vm_derender_open(d, &s);
    vm_buf_lit(d->out, "{\"chunk\":");
    vm_derender_head(d, d->q.response.json, d->chat ? "chat.completion.chunk"
                                                    : "text_completion");

    rc = choice ? vm_derender_chunk_choice(d, &s, choice) : VM_OK;

    vm_derender_chunk_usage(d);
    vm_buf_lit(d->out, ",\"system_fingerprint\":null");

    if (d->chat) {
        vm_buf_lit(d->out, ",\"prompt_token_ids\":null,\"prompt_text\":null");
    }

    vm_buf_lit(d->out, ",\"metrics\":");
    vm_derender_metrics(d, d->q.response.json);
    vm_buf_char(d->out, '}');
    vm_derender_state(d, &s);
    vm_derender_close(&s);

    return rc;
}


/* ---- the endpoints ---- */

static int
vm_derender(vm_call_t *call, const json_t *body, int chat, vm_buf_t *out)
{
    int               rc;
    vm_derendering_t  d;

    memset(&d, 0, sizeof(vm_derendering_t));
    d.call = call;
    d.chat = (unsigned) chat;
    d.out = out;

    rc = vm_derender_load(&d, body);

    if (rc == VM_OK) {
        rc = d.stream ? vm_derender_chunk(&d)
                      : (chat ? vm_derender_whole_chat(&d)
                              : vm_derender_whole_text(&d));
    }

    if (d.g) {
        vm_generation_free(d.g);
    }

    return rc;
}


int
vm_derender_chat(vm_call_t *call, const json_t *body, vm_buf_t *out)
{
    return vm_derender(call, body, 1, out);
}


int
vm_derender_text(vm_call_t *call, const json_t *body, vm_buf_t *out)
{
    return vm_derender(call, body, 0, out);
}
