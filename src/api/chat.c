/*
 * POST /v1/chat/completions: the request's table and rules, the answer's JSON
 * and frames.
 */

#include <stdio.h>
#include "chat.h"
#include "message.h"
#include "params.h"
#include "modalities.h"
#include "parts.h"
#include "pieces.h"
#include "transfer.h"
#include "plan.h"


#define VM_CHAT_NO_TOOL                                                       \
    "The tool specified in `tool_choice` does not match any of the "          \
    "specified `tools`"

static const vm_field_t  vm_chat_fields[] = {
    vm_param(messages, vm_messages_type, VM_F_REQUIRED|VM_F_NOTNULL, 0),
    vm_param(model, vm_str_type, 0, 0),
    vm_param(frequency_penalty, vm_float_type, 0, 0),
    vm_param(logit_bias, vm_bias_type, 0, 0),
    vm_param(logprobs, vm_bool_type, 0, 0),
    vm_param(top_logprobs, vm_int_type, 0, 0),
    vm_param(max_tokens, vm_int_type, 0, 0),
    vm_param(max_completion_tokens, vm_int_type, 0, 0),
    vm_param(n, vm_int_type, 0, 1),
    vm_param(presence_penalty, vm_float_type, 0, 0),
    vm_param(response_format, vm_response_format_type, 0, 0),
    vm_param(seed, vm_int64_type, 0, 0),
    vm_param(stop, vm_stop_type, 0, 0),
    vm_param(stream, vm_bool_type, 0, 0),
    vm_param(stream_options, vm_stream_options_type, 0, 0),
    VM_PARAMS_SAMPLING,
    vm_param(tools, vm_tools_type, 0, 0),
    vm_param(tool_choice, vm_tool_choice_type, 0, 0),
    vm_param(reasoning_effort, vm_effort_type, 0, 0),
    vm_param_rule(thinking_token_budget, vm_any_type, 0, 0, vm_rule_budget),
    vm_param(include_reasoning, vm_bool_type, VM_F_NOTNULL, 1),
    vm_param(parallel_tool_calls, vm_bool_type, 0, 1),
    vm_param(user, vm_str_type, 0, 0),
    VM_PARAMS_VLLM,
    vm_param(prompt_logprobs, vm_int_type, 0, 0),
    vm_param(logprob_token_ids, vm_int_list_type, 0, 0),
    vm_param(allowed_token_ids, vm_int_list_type, 0, 0),
    vm_param(bad_words, vm_str_list_type, VM_F_NOTNULL, 0),
    vm_param(echo, vm_bool_type, VM_F_NOTNULL, 0),
    vm_param(add_generation_prompt, vm_bool_type, VM_F_NOTNULL, 1),
    vm_param(continue_final_message, vm_bool_type, VM_F_NOTNULL, 0),
    vm_param(add_special_tokens, vm_bool_type, VM_F_NOTNULL, 0),
    vm_param(documents, vm_documents_type, 0, 0),
    vm_param(chat_template, vm_str_type, 0, 0),
    vm_param(chat_template_kwargs, vm_dict_type, 0, 0),
    vm_param(media_io_kwargs, vm_kwargs_type, 0, 0),
    vm_param(mm_processor_kwargs, vm_dict_type, 0, 0),
    vm_param_rule(structured_outputs, vm_structured_type, 0, 0,
                  vm_rule_structured),
    vm_param(priority, vm_int64_type, VM_F_NOTNULL, 0),
    vm_param(request_id, vm_str_type, VM_F_NOTNULL, 0),
    vm_param(session_id, vm_str_type, 0, 0),
    vm_param(return_tokens_as_token_ids, vm_bool_type, 0, 0),
    vm_param(return_token_ids, vm_bool_type, 0, 0),
    vm_param(routed_experts_prompt_start, vm_uint_type, VM_F_NOTNULL, 0),
    vm_param(return_token_offsets, vm_bool_type, 0, 0),
    vm_param(return_prompt_text, vm_bool_type, 0, 0),
    vm_param(mm_payload, vm_mm_payload_type, VM_F_NOTNULL, 0),
    vm_param(return_mm_kwargs, vm_bool_type, 0, 0),
    VM_PARAMS_TRANSFER,
    vm_param(modalities, vm_any_type, 0, 0),
    vm_param(size, vm_any_type, 0, 0),
    vm_param(stream_interval, vm_interval_type, 0, 0),
    vm_field_end
};

/* ---- rules on the raw body ---- */

static int
vm_chat_rule_messages(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    return vm_messages_normalize(json_object_get(body, "messages"), e, pool);
}


static int
vm_chat_rule_generate(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    (void) pool;

    if (vm_rule_true(body, "continue_final_message")
        && vm_rule_true(body, "add_generation_prompt"))
    {
        return vm_error_bad(e, "Cannot set both `continue_final_message` and "
                               "`add_generation_prompt` to True.");
    }

    return VM_OK;
}


/* v[key] as Python has it: it is not known yet that tools are objects */

static int
vm_chat_item(const json_t *v, const char *key, const json_t **out,
    vm_error_t *e, vm_pool_t *pool)
{
    switch (vm_value_type(v)) {

    case VM_PY_DICT:
        *out = json_object_get(v, key);
        return *out ? VM_OK
                    : vm_error_python(e, pool, 500,
                                      vm_pool_printf(pool, "'%s'", key));

    case VM_PY_STR:
        return vm_error_bad(e, "string indices must be integers, not 'str'");

    case VM_PY_LIST:
        return vm_error_bad(e, "list indices must be integers or slices, not "
                               "str");

    default:
        return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                               "'%s' object is not subscriptable",
                               vm_value_class(v));
    }
}


/* for tool in tools: of what is no list */

static int
vm_chat_no_list(const json_t *tools, vm_error_t *e, vm_pool_t *pool)
{
    switch (vm_value_type(tools)) {

    case VM_PY_STR:
    case VM_PY_DICT:
        return vm_value_true(tools)
               ? vm_error_bad(e, "string indices must be integers, not 'str'")
               : vm_error_param(e, pool, "tool_choice", VM_CHAT_NO_TOOL);

    default:
        return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                               "'%s' object is not iterable",
                               vm_value_class(tools));
    }
}


/* {function} of an object tool_choice; the name must be one of the tools' */

static int
vm_chat_rule_named(const json_t *choice, const json_t *tools, vm_error_t *e,
    vm_pool_t *pool)
{
    size_t         i;
    vm_buf_t       b;
    json_t        *tool;
    const char    *param;
    const json_t  *function, *name, *other;

#define VM_CORRECT_USAGE                                                      \
    "Correct usage: `{\"type\": \"function\", \"function\": "                 \
    "{\"name\": \"my_function\"}}`"

    function = json_object_get(choice, "function");
    name = json_object_get(function, "name");

    vm_buf_init(&b);
    param = NULL;

    if (!json_is_object(function)) {
        param = "tool_choice.function";
        vm_buf_lit(&b, "Invalid value for `function`: `");
        vm_value_str(&b, function);
        vm_buf_lit(&b, "` in `tool_choice`! " VM_CORRECT_USAGE);

    } else if (name == NULL) {
        param = "tool_choice.function.name";
        vm_buf_lit(&b, "Expected field `name` in `function` in "
                       "`tool_choice`! " VM_CORRECT_USAGE);

    } else if (vm_value_type(name) != VM_PY_STR
               || json_string_length(name) == 0)
    {
        param = "tool_choice.function.name";
        vm_buf_lit(&b, "Invalid `name` in `function`: `");
        vm_value_str(&b, name);
        vm_buf_lit(&b, "` in `tool_choice`! " VM_CORRECT_USAGE);
    }

    if (param) {
        vm_buf_char(&b, '\0');
        vm_error_param(e, pool, param, b.data);
        vm_buf_free(&b);
        return VM_ERROR;
    }

    if (!json_is_array(tools)) {
        return vm_chat_no_list(tools, e, pool);
    }

    json_array_foreach(tools, i, tool) {

        if (vm_chat_item(tool, "function", &function, e, pool) != VM_OK
            || vm_chat_item(function, "name", &other, e, pool) != VM_OK)
        {
            return VM_ERROR;
        }

        if (json_equal(other, name)) {
            return VM_OK;
        }
    }

    return vm_error_param(e, pool, "tool_choice", VM_CHAT_NO_TOOL);
}


static int
vm_chat_rule_tools(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    vm_buf_t       b;
    const char    *word;
    const json_t  *choice, *tools;

    tools = json_object_get(body, "tools");
    choice = json_object_get(body, "tool_choice");

    if (json_is_array(tools) && json_array_size(tools) == 0) {
        return vm_error_param(e, pool, "tools",
                              "`tools` must not be an empty array. Either "
                              "provide at least one tool or omit the field "
                              "entirely.");
    }

    if (choice == NULL && vm_rule_true(body, "tools")) {
        json_object_set_new((json_t *) body, "tool_choice",
                            json_string("auto"));
        return VM_OK;
    }

    word = json_string_value(choice);

    if (vm_value_type(choice) == VM_PY_NONE
        || (word && strcmp(word, "none") == 0))
    {
        return VM_OK;
    }

    if (vm_value_type(tools) == VM_PY_NONE) {
        return vm_error_param(e, pool, "tool_choice",
                              "When using `tool_choice`, `tools` must be "
                              "set.");
    }

    if (json_is_object(choice)) {
        return vm_chat_rule_named(choice, tools, e, pool);
    }

    if (word && (strcmp(word, "auto") == 0 || strcmp(word, "required") == 0))
    {
        return VM_OK;
    }

    vm_buf_init(&b);
    vm_buf_lit(&b, "Invalid value for `tool_choice`: ");
    vm_value_str(&b, choice);
    vm_buf_lit(&b, "! Only named tools, \"none\", \"auto\" or \"required\" "
                   "are supported.");
    vm_buf_char(&b, '\0');
    vm_error_param(e, pool, "tool_choice", b.failed ? "" : b.data);
    vm_buf_free(&b);

    return VM_ERROR;
}


static int
vm_chat_rule_structured(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    unsigned       n;
    const char    *word;
    const json_t  *choice, *o;

    o = vm_value_get(body, "structured_outputs");

    if (o == NULL) {
        return VM_OK;
    }

    if (!json_is_object(o)) {
        return vm_rule_no_get(o, e, pool);
    }

    n = (vm_value_get(o, "json") != NULL) + (vm_value_get(o, "regex") != NULL)
        + (vm_value_get(o, "choice") != NULL);

    if (n > 1) {
        return vm_error_bad(e, "You can only use one kind of constraints for "
                               "structured outputs ('json', 'regex' or "
                               "'choice').");
    }

    choice = json_object_get(body, "tool_choice");
    word = json_string_value(choice);

    if (n && choice
        && (word == NULL
            || (strcmp(word, "none") && strcmp(word, "auto")
                && strcmp(word, "required"))))
    {
        return vm_error_bad(e, "You can only either use constraints for "
                               "structured outputs or tools, not both.");
    }

    return VM_OK;
}


static int
vm_chat_rule_logprobs(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    const json_t  *top;

    if (vm_rule_true(body, "logprob_token_ids")) {

        if (vm_rule_true(body, "use_beam_search")) {
            return vm_error_param(e, pool, "logprob_token_ids",
                                  "`logprob_token_ids` is not supported with "
                                  "beam search.");
        }

        if (!vm_rule_true(body, "logprobs")) {
            return vm_error_param(e, pool, "logprob_token_ids",
                                  "when using `logprob_token_ids`, `logprobs` "
                                  "must be set to true.");
        }
    }

    if (vm_rule_logprobs(body, "prompt_logprobs", e, pool) != VM_OK
        || vm_rule_logprobs(body, "top_logprobs", e, pool) != VM_OK
        || vm_rule_logprobs_range(body, "prompt_logprobs", e, pool) != VM_OK
        || vm_rule_logprobs_range(body, "top_logprobs", e, pool) != VM_OK)
    {
        return VM_ERROR;
    }

    top = vm_value_get(body, "top_logprobs");

    if (top && (vm_value_float(top) == -1 || vm_value_float(top) > 0)
        && !vm_rule_true(body, "logprobs"))
    {
        return vm_error_param(e, pool, "top_logprobs",
                              "when using `top_logprobs`, `logprobs` must be "
                              "set to true.");
    }

    return VM_OK;
}


/* pydantic runs them from the last declared to the first */

static const vm_rule_pt  vm_chat_rules[] = {
    vm_chat_rule_messages,
    vm_chat_rule_generate,
    vm_chat_rule_tools,
    vm_chat_rule_structured,
    vm_chat_rule_logprobs,
    vm_rule_stream_options,
    vm_rule_response_format,
    vm_rule_cache_salt,
    NULL
};


static int
vm_chat_before(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    return vm_rules_check(vm_chat_rules, v, e, pool);
}


const vm_type_t  vm_chat_type = {
    .kind = VM_T_MODEL, .fields = vm_chat_fields, .before = vm_chat_before
};


/* ---- the request ---- */

static int
vm_chat_one_tool(vm_generation_t *g)
{
    size_t         i, n;
    json_t        *tool;
    const json_t  *name;

    name = json_object_get(json_object_get(g->params.tool_choice.json,
                                           "function"), "name");
    n = 0;

    json_array_foreach(g->params.tools.json, i, tool) {
        n += json_equal(name, json_object_get(json_object_get(tool,
                                                  "function"), "name"));
    }

    return n > 1 ? vm_error_bad(&g->call->error, "Forced tool choice must "
                                "resolve to exactly one tool.") : VM_OK;
}


static int
vm_chat_tool_parser(vm_generation_t *g)
{
    const char           *name, *word;
    const json_t         *choice;
    const vm_settings_t  *s;

    s = g->settings;
    choice = g->params.tool_choice.json;

    if (choice == NULL) {
        return VM_OK;
    }

    if (json_is_object(choice) && s->tool_call_parser == NULL) {
        name = json_string_value(json_object_get(json_object_get(choice,
                                                     "function"), "name"));

        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "tool_choice=function \"%s\" requires "
                               "--tool-call-parser to be set",
                               name ? name : "");
    }

    word = json_string_value(choice);

    if (word == NULL) {
        return vm_chat_one_tool(g);
    }

    if (s->tool_call_parser) {
        return VM_OK;
    }

    if (strcmp(word, "required") == 0) {
        return vm_error_bad(&g->call->error, "tool_choice=\"required\" "
                            "requires --tool-call-parser to be set");
    }

    if (strcmp(word, "auto") == 0 && g->params.tools.json) {
        return vm_error_bad(&g->call->error, "\"auto\" tool choice requires "
                            "--enable-auto-tool-choice and --tool-call-parser "
                            "to be set");
    }

    return VM_OK;
}


static int
vm_chat_step_five(vm_generation_t *g)
{
    if (vm_generation_beam(g) != VM_OK || vm_chat_tool_parser(g) != VM_OK) {
        return VM_ERROR;
    }

    if (vm_generation_trusted(g->settings, g->params.chat_template,
                              g->params.chat_template_kwargs.json,
                              &g->call->error) != VM_OK)
    {
        return VM_ERROR;
    }

    return vm_generation_media(g);
}


int
vm_chat_role(vm_generation_t *g)
{
    char          *copy;
    json_t        *last;
    vm_buf_t       b;
    const char    *role;
    const json_t  *messages;

    g->role = g->settings->response_role;
    messages = g->params.messages.json;
    last = json_array_get(messages, json_array_size(messages) - 1);
    role = json_string_value(json_object_get(last, "role"));

    if (!g->params.add_generation_prompt && role) {
        g->role = role;
    }

    if (!g->params.echo || role == NULL || strcmp(role, g->role) != 0) {
        return VM_OK;
    }

    vm_buf_init(&b);
    vm_message_text(last, &b);
    copy = vm_pool_strdup(g->pool, b.data ? b.data : "", b.len);
    g->echoed.data = copy;
    g->echoed.len = b.len;
    vm_buf_free(&b);

    return copy ? VM_OK : vm_error_memory(&g->call->error);
}


static int
vm_chat_text(vm_generation_t *g)
{
    int            rc;
    char          *text;
    vm_buf_t       b;
    vm_template_t  t;

    memset(&t, 0, sizeof(vm_template_t));
    t.generate = g->params.add_generation_prompt;
    t.go_on = g->params.continue_final_message;
    t.tools = g->params.tools.json;
    t.model = g->settings->names.list[0];
    t.media = g->settings->all_endpoints != 0;

    vm_buf_init(&b);

    if (g->params.chat_template
        && strstr(json_string_value(g->params.chat_template), "{% for")
        && strstr(json_string_value(g->params.chat_template), "in %}"))
    {
        return vm_error_python(&g->call->error, g->pool, 400,
                               "Expected an expression, got 'end of statement "
                               "block'");
    }

    rc = vm_messages_render(g->params.messages.json, &t, &b,
                            &g->call->error, g->pool);
    text = NULL;

    if (rc == VM_OK) {
        text = vm_pool_strdup(g->pool, b.data ? b.data : "", b.len);
    }

    g->prompts = vm_pool_calloc(g->pool, 1, sizeof(vm_prompt_t));

    if (text && g->prompts) {
        g->nprompts = 1;
        g->prompts->said = g->params.messages.json;
        g->prompt_text = g->params.return_prompt_text ? text : NULL;
        rc = vm_generation_prompt_text(g, g->prompts, text, b.len,
                                       g->params.add_special_tokens);

    } else if (rc == VM_OK) {
        rc = vm_error_memory(&g->call->error);
    }

    vm_buf_free(&b);

    return rc;
}


void
vm_chat_logprobs(vm_generation_t *g)
{
    const vm_params_t  *p;

    p = &g->params;

    if (p->logprobs) {
        g->nlogprobs = (int) p->top_logprobs.v;

        if (g->nlogprobs < 0) {
            g->nlogprobs = (int) g->settings->vocab;
        }
    }

    if (p->prompt_logprobs.set && !g->stream) {
        g->nprompt_logprobs = (int) p->prompt_logprobs.v;

    } else if (p->echo && !g->stream) {
        g->nprompt_logprobs = (int) p->top_logprobs.v;
    }

    g->no_prefix_lookup = p->prompt_logprobs.set || p->echo;
}


int
vm_chat_load(vm_generation_t *g, const json_t *body, const char *root)
{
    vm_error_t  *e;

    e = &g->call->error;

    if (vm_model_load(&vm_chat_type, body, root, &g->params, e, g->pool)
        != VM_OK
        || vm_messages_calls(g->params.messages.json, root, e, g->pool)
           != VM_OK)
    {
        return VM_ERROR;
    }

    return vm_generation_model(g, g->params.model);
}


int
vm_chat_prompt(vm_generation_t *g)
{
    if (vm_chat_step_five(g) != VM_OK || vm_generation_limits(g) != VM_OK
        || vm_modalities_parse(g) != VM_OK)
    {
        return VM_ERROR;
    }

    return vm_chat_text(g);
}


int
vm_chat_ready(vm_generation_t *g)
{
    if (vm_chat_prompt(g) != VM_OK
        || vm_generation_sampling(g) != VM_OK
        || vm_chat_role(g) != VM_OK)
    {
        return VM_ERROR;
    }

    vm_generation_stream(g);
    vm_chat_logprobs(g);

    if (g->params.use_beam_search) {
        g->interval = UINT32_MAX;       /* beams are told when they end */
    }

    g->id = vm_generation_id(g, "chatcmpl-", g->params.request_id);

    return g->id ? VM_OK : vm_error_memory(&g->call->error);
}


static int
vm_chat_parse(vm_generation_t *g, const json_t *body)
{
    return vm_chat_load(g, body, "body") == VM_OK ? vm_chat_ready(g)
                                                  : VM_ERROR;
}


/* ---- frames ---- */

static void
vm_chat_open(vm_generation_t *g, uint32_t index, vm_buf_t *out)
{
    vm_buf_lit(out, "data: ");
    vm_piece_head(g, "chat.completion.chunk", out);
    vm_buf_lit(out, ",\"choices\":[{\"index\":");
    vm_buf_uint(out, index);
    vm_buf_lit(out, ",\"delta\":");
}


static void
vm_chat_continuous(vm_generation_t *g, uint64_t output, vm_buf_t *out)
{
    if (g->continuous_usage) {
        vm_buf_lit(out, ",\"usage\":");
        vm_piece_counts(vm_generation_prompt_tokens(g), output, out);
        vm_buf_lit(out, ",\"completion_tokens_details\":");

        if (g->settings->reasoning_parser) {
            vm_piece_thoughts(g, out);
            vm_buf_char(out, '}');

        } else {
            vm_buf_lit(out, "null}");
        }
    }
}


static void
vm_chat_begin_choice(vm_generation_t *g, uint32_t index, vm_buf_t *out)
{
    vm_chat_open(g, index, out);
    vm_buf_lit(out, "{\"role\":");
    vm_buf_json(out, g->role, strlen(g->role));
    vm_buf_lit(out, ",\"content\":\"\"},\"logprobs\":null,"
                    "\"finish_reason\":null}]");
    vm_chat_continuous(g, 0, out);
    vm_buf_lit(out, ",\"prompt_token_ids\":");

    if (g->token_ids) {
        vm_piece_prompt_ids(&g->prompts[g->choices[index].prompt], out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"prompt_text\":");

    if (g->prompt_text) {
        vm_buf_json(out, g->prompt_text, strlen(g->prompt_text));

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, "}\n\n");
}


static void
vm_chat_begin(vm_generation_t *g, vm_buf_t *out)
{
    uint32_t  i;

    for (i = 0; i < g->nchoices; i++) {
        vm_chat_begin_choice(g, i, out);
    }

    for (i = 0; g->echoed.len && i < g->nchoices; i++) {
        vm_chat_open(g, i, out);
        vm_buf_lit(out, "{\"content\":");
        vm_buf_json(out, g->echoed.data, g->echoed.len);
        vm_buf_lit(out, "},\"logprobs\":null,\"finish_reason\":null}]");
        vm_chat_continuous(g, 0, out);
        vm_buf_lit(out, "}\n\n");
    }
}


/* Calls end an answer as "tool_calls", but for one that was asked by name. */

static void
vm_chat_finish(vm_generation_t *g, vm_choice_t *c, vm_buf_t *out)
{
    if (vm_parts_calls(c) && strcmp(c->finish, "stop") == 0
        && !json_is_object(g->params.tool_choice.json))
    {
        vm_buf_lit(out, "\"tool_calls\"");
        return;
    }

    vm_piece_finish_reason(c, out);
}


/* What stands behind a delta; `last`: of what this step of the engine gave. */

static void
vm_chat_close(vm_generation_t *g, vm_choice_t *c, int last, vm_buf_t *out)
{
    vm_buf_lit(out, ",\"logprobs\":");

    if (last && g->nlogprobs >= 0 && c->made > c->sent) {
        vm_piece_logprobs_chat(g, c, c->sent, c->made, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"finish_reason\":");

    if (last && c->finish) {
        vm_chat_finish(g, c, out);
        vm_buf_lit(out, ",\"stop_reason\":");
        vm_piece_stop_reason(c, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"token_ids\":");

    if (last && g->token_ids) {
        vm_piece_ids(g, c, c->sent, c->made, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, "}]");
    vm_chat_continuous(g, c->made, out);

    if (last && c->finish && !g->include_usage) {
        vm_buf_char(out, ',');
        vm_piece_fingerprint(g, out);
    }

    vm_buf_lit(out, "}\n\n");
}


/* A part as a delta; 0: it has none. */

static int
vm_chat_delta(vm_generation_t *g, vm_choice_t *c, const vm_span_t *p,
    vm_buf_t *out)
{
    size_t                 len;
    const char            *text;
    const vm_tool_call_t  *call;

    text = c->text.data + p->from;
    len = p->to - p->from;

    switch (p->kind) {

    case VM_PART_REASONING:
        if (!g->params.include_reasoning) {
            return 0;
        }

        vm_buf_lit(out, "{\"reasoning\":");
        vm_buf_json(out, text, len);
        vm_buf_char(out, '}');
        return 1;

    case VM_PART_CONTENT:
        vm_buf_lit(out, "{\"content\":");
        vm_buf_json(out, text, len);

        if (c->thinks && !g->params.include_reasoning) {
            vm_buf_lit(out, ",\"reasoning\":null");
        }

        vm_buf_char(out, '}');
        return 1;

    case VM_PART_NAME:
        if (!p->whole) {
            return 0;
        }

        call = &c->calls[p->call];
        vm_buf_lit(out, "{\"content\":null,\"tool_calls\":[{\"id\":");
        vm_buf_json(out, call->id, strlen(call->id));
        vm_buf_lit(out, ",\"type\":\"function\",\"index\":");
        vm_buf_uint(out, p->call);
        vm_buf_lit(out, ",\"function\":{\"name\":");
        vm_buf_json(out, call->name, strlen(call->name));
        vm_buf_lit(out, "}}]}");
        return 1;

    case VM_PART_ARGUMENTS:
        vm_buf_lit(out, "{\"content\":null,\"tool_calls\":[{\"index\":");
        vm_buf_uint(out, p->call);
        vm_buf_lit(out, ",\"function\":{\"arguments\":");
        vm_buf_json(out, text, len);
        vm_buf_lit(out, "}}]}");
        return 1;

    default: /* VM_PART_WRAP */
        return 0;
    }
}


/* With a parser a step gives a chunk for each part, or none. */

static void
vm_chat_parts(vm_generation_t *g, vm_choice_t *c, size_t from, size_t end,
    vm_buf_t *out)
{
    int        open;
    size_t     before;
    vm_span_t  p;
    uint32_t   index;

    index = (uint32_t) (c - g->choices);
    open = 0;

    while (from < end) {
        p = vm_parts_at(c, from, end);
        from = p.to;
        before = out->len;

        if (open) {
            vm_chat_close(g, c, 0, out);
        }

        vm_chat_open(g, index, out);

        if (vm_chat_delta(g, c, &p, out)) {
            open = 1;
            continue;
        }

        out->len = before;              /* no one sees this part */
    }

    if (!open && c->finish) {
        vm_chat_open(g, index, out);
        vm_buf_lit(out, "{}");
        open = 1;
    }

    if (open) {
        vm_chat_close(g, c, 1, out);
    }
}


static void
vm_chat_chunk(vm_generation_t *g, vm_choice_t *c, vm_str_t text,
    vm_buf_t *out)
{
    if (vm_parts_wanted(g)) {
        vm_chat_parts(g, c, c->shown, c->shown + text.len, out);
        return;
    }

    vm_chat_open(g, (uint32_t) (c - g->choices), out);
    vm_buf_lit(out, "{\"content\":");
    vm_buf_json(out, text.data, text.len);
    vm_buf_char(out, '}');
    vm_chat_close(g, c, 1, out);
}


static void
vm_chat_end_stream(vm_generation_t *g, vm_buf_t *out)
{
    if (g->include_usage) {
        vm_buf_lit(out, "data: ");
        vm_piece_head(g, "chat.completion.chunk", out);
        vm_buf_lit(out, ",\"choices\":[],\"usage\":");
        vm_piece_stream_usage(g, 1, out);
        vm_buf_char(out, ',');
        vm_piece_fingerprint(g, out);

        if (g->settings->per_request_metrics && g->nchoices == 1) {
            vm_buf_lit(out, ",\"metrics\":");
            vm_piece_metrics(g, 0, out);
        }

        vm_buf_lit(out, "}\n\n");
    }

    vm_buf_lit(out, "data: [DONE]\n\n");
}


/* ---- the whole answer ---- */

/*
 * The content of a whole answer: what is no thought and no call.  It is null
 * where nothing was said but thoughts, "" beside a call that was demanded.
 */

static void
vm_chat_content(vm_generation_t *g, vm_choice_t *c, vm_str_t text,
    vm_buf_t *out)
{
    char  *copy;

    if (vm_parts_calls(c)) {
        text.len = c->parts[0].kind == VM_PART_CONTENT ? c->parts[0].to : 0;
    }

    if (g->echoed.len) {
        copy = vm_pool_alloc(g->pool, g->echoed.len + text.len);

        if (copy) {
            memcpy(copy, g->echoed.data, g->echoed.len);
            memcpy(copy + g->echoed.len, text.data, text.len);
            vm_buf_json(out, copy, g->echoed.len + text.len);
            return;
        }
    }

    if (text.len == 0 && (c->thinks || c->ncalls)
        && !(vm_parts_demanded(g)))
    {
        vm_buf_lit(out, "null");
        return;
    }

    vm_buf_json(out, text.data, text.len);
}


static void
vm_chat_calls(const vm_choice_t *c, vm_buf_t *out)
{
    uint32_t               i;
    const vm_tool_call_t  *call;

    if (vm_parts_calls(c) == 0) {
        return;
    }

    vm_buf_lit(out, ",\"tool_calls\":[");

    for (i = 0; i < vm_parts_calls(c); i++) {
        call = &c->calls[i];
        vm_buf_str(out, i ? ",{\"id\":" : "{\"id\":");
        vm_buf_json(out, call->id, strlen(call->id));
        vm_buf_lit(out, ",\"type\":\"function\",\"function\":{\"name\":");
        vm_buf_json(out, call->name, strlen(call->name));
        vm_buf_lit(out, ",\"arguments\":");
        vm_buf_json(out, call->arguments, strlen(call->arguments));
        vm_buf_lit(out, "}}");
    }

    vm_buf_char(out, ']');
}


void
vm_chat_message(vm_generation_t *g, vm_choice_t *c, vm_buf_t *out)
{
    size_t    from, len, thought;
    vm_str_t  text;

    len = vm_min(c->text.len, c->text_end);
    from = vm_min(c->shown, len);
    thought = vm_max(vm_min(vm_parts_thought(c), len), from);

    text.data = c->text.data ? c->text.data + thought : "";
    text.len = len - thought;

    vm_buf_lit(out, "{\"role\":");
    vm_buf_json(out, g->role, strlen(g->role));
    vm_buf_lit(out, ",\"content\":");

    if (vm_modalities_any(g)) {
        vm_modalities_content(g, c, text, out);

    } else {
        vm_chat_content(g, c, text, out);
    }

    vm_buf_lit(out, ",\"refusal\":null,\"annotations\":null,\"audio\":");
    vm_modalities_audio(g, c, text, out);
    vm_buf_lit(out, ",\"function_call\":null");
    vm_chat_calls(c, out);
    vm_buf_lit(out, ",\"reasoning\":");

    if (c->thinks && thought > from && g->params.include_reasoning) {
        vm_buf_json(out, c->text.data + from, thought - from);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_char(out, '}');
}


void
vm_chat_choice(vm_generation_t *g, vm_choice_t *c, vm_buf_t *out)
{
    vm_buf_lit(out, "{\"index\":");
    vm_buf_uint(out, (uint64_t) (c - g->choices));
    vm_buf_lit(out, ",\"message\":");
    vm_chat_message(g, c, out);
    vm_buf_lit(out, ",\"logprobs\":");

    if (g->nlogprobs >= 0) {
        vm_piece_logprobs_chat(g, c, c->sent, c->made, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"finish_reason\":");
    vm_chat_finish(g, c, out);
    vm_buf_lit(out, ",\"stop_reason\":");
    vm_piece_stop_reason(c, out);
    vm_buf_lit(out, ",\"token_ids\":");

    if (g->token_ids) {
        vm_piece_ids(g, c, c->sent, c->made, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"routed_experts\":null");
    vm_transfer_choice(g, c, out);
    vm_buf_char(out, '}');
}


static void
vm_chat_end(vm_generation_t *g, vm_buf_t *out)
{
    uint32_t  i;

    if (g->stream) {
        vm_chat_end_stream(g, out);
        return;
    }

    vm_piece_head(g, "chat.completion", out);
    vm_buf_lit(out, ",\"choices\":[");

    for (i = 0; i < g->nchoices; i++) {
        if (i) {
            vm_buf_char(out, ',');
        }

        vm_chat_choice(g, &g->choices[i], out);
    }

    vm_buf_lit(out, "],\"service_tier\":null,");
    vm_piece_fingerprint(g, out);
    vm_buf_lit(out, ",\"usage\":");
    vm_piece_usage(g, 1, out);
    vm_buf_lit(out, ",\"prompt_logprobs\":");
    vm_piece_prompt_logprobs(g, g->prompts, out);
    vm_buf_lit(out, ",\"prompt_token_ids\":");

    if (g->token_ids) {
        vm_piece_prompt_ids(g->prompts, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"prompt_text\":");

    if (g->prompt_text) {
        vm_buf_json(out, g->prompt_text, strlen(g->prompt_text));

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"kv_transfer_params\":");
    vm_transfer_params(g, out);
    vm_buf_lit(out, ",\"ec_transfer_params\":null,\"metrics\":");
    vm_piece_metrics(g, 1, out);
    vm_buf_char(out, '}');
}


const vm_protocol_t  vm_chat = {
    "chat", 1, vm_chat_parse, vm_chat_begin, vm_chat_chunk, vm_chat_end
};
