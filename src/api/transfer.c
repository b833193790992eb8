/*
 * kv_transfer_params (vLLM's NIXL connector) and disaggregated_params
 * (TensorRT-LLM).  SGLang's bootstrap_* fields are taken like any other field
 * that is not known: they change nothing in the answer.
 */

#include "transfer.h"
#include "../base/rand.h"


static int
vm_transfer_flag(const json_t *o, const char *name)
{
    uint8_t  yes;

    return vm_field_bool(vm_value_get(o, name), &yes) && yes;
}


void
vm_transfer_parse(vm_generation_t *g)
{
    const char    *type;
    const json_t  *o;

    /* without a connector vLLM takes the field and ignores it */

    o = g->settings->kv_transfer_config || g->settings->all_endpoints
        ? g->params.kv_transfer_params.json : NULL;

    g->remote_prefill = vm_transfer_flag(o, "do_remote_prefill") & 1;
    g->remote_decode = vm_transfer_flag(o, "do_remote_decode") & 1;

    if (!g->settings->all_endpoints) {
        return;
    }

    type = json_string_value(vm_value_get(g->params.disaggregated_params.json,
                                          "request_type"));

    if (type && strcmp(type, "context_only") == 0) {
        g->context_only = 1;
        g->token_ids = 1;               /* the prompt's go along */

    } else if (type && strcmp(type, "generation_only") == 0) {
        g->remote_prefill = 1;
    }
}


/* The blocks that hold the prompt: as many as there are, from anywhere. */

static void
vm_transfer_blocks(const vm_generation_t *g, vm_buf_t *out)
{
    uint32_t  first, i, n, size;

    size = g->settings->block_size ? g->settings->block_size : 16;
    n = (g->prompts[0].n + size - 1) / size;
    first = 1 + (uint32_t) (vm_rand_mix(g->call->random) % 1024);

    vm_buf_lit(out, "[[");

    for (i = 0; i < n; i++) {
        vm_buf_str(out, i ? "," : "");
        vm_buf_uint(out, first + i);
    }

    vm_buf_lit(out, "]]");
}


void
vm_transfer_params(const vm_generation_t *g, vm_buf_t *out)
{
    const char           *host;
    const vm_settings_t  *s;

    s = g->settings;

    if (!g->remote_decode) {
        vm_buf_lit(out, "null");
        return;
    }

    host = s->side_host ? s->side_host : "localhost";

    vm_buf_lit(out, "{\"do_remote_prefill\":true,\"do_remote_decode\":false,"
                    "\"remote_block_ids\":");
    vm_transfer_blocks(g, out);
    vm_buf_lit(out, ",\"remote_engine_id\":");
    vm_buf_json(out, s->engine_id, strlen(s->engine_id));
    vm_buf_lit(out, ",\"remote_request_id\":");
    vm_buf_json(out, g->id, strlen(g->id));
    vm_buf_lit(out, ",\"remote_host\":");
    vm_buf_json(out, host, strlen(host));
    vm_buf_printf(out, ",\"remote_port\":%u,\"tp_size\":%u,"
                  "\"remote_num_tokens\":%u}", s->side_port,
                  s->tensor_parallel ? s->tensor_parallel : 1,
                  g->prompts[0].n);
}


void
vm_transfer_choice(const vm_generation_t *g, const vm_choice_t *c,
    vm_buf_t *out)
{
    uint64_t  id;

    if (!g->context_only) {
        return;
    }

    id = vm_rand_mix(g->call->random) >> 11;        /* any JSON's number */

    vm_buf_lit(out, ",\"disaggregated_params\":{\"request_type\":"
                    "\"context_only\",\"first_gen_tokens\":[");

    if (c->made) {
        vm_buf_uint(out, vm_generation_token(g, c, 0));
    }

    /* the state means nothing here; a decoder hands it back unread */

    vm_buf_printf(out, "],\"ctx_request_id\":%llu,\"encoded_opaque_state\":"
                  "\"%016llx\",\"opaque_state\":\"%016llx\","
                  "\"draft_tokens\":null}", (unsigned long long) id,
                  (unsigned long long) id, (unsigned long long) id);
}
