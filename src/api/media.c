/*
 * The common part of sound, pictures and films.
 */

#include "media.h"


/* Nothing but blanks is nothing. */

static int
vm_media_blank(const json_t *v)
{
    const char  *s;

    s = json_string_value(v);

    return s[strspn(s, " \t\r\n")] == '\0';
}


int
vm_media_begin(vm_generation_t *g, const json_t *model, const char *name,
    const json_t *prompt, const char *prefix)
{
    char        *value;
    size_t       chars;
    vm_error_t  *e;

    e = &g->call->error;

    if (vm_media_blank(prompt)) {
        return vm_error_param(e, g->pool, name,
                              vm_pool_printf(g->pool, "%s cannot be empty.",
                                             name));
    }

    chars = vm_value_chars(json_string_value(prompt),
                           json_string_length(prompt));

    if (chars > VM_MEDIA_PROMPT) {
        value = vm_pool_printf(g->pool, "%zu", chars);

        return vm_error_text(e, g->pool, name, value,
                             vm_pool_printf(g->pool, "%s must have at most %d "
                                            "characters, got %s.", name,
                                            VM_MEDIA_PROMPT, value));
    }

    if (vm_generation_model(g, model) != VM_OK) {
        return VM_ERROR;
    }

    g->id = vm_generation_id(g, prefix, NULL);
    g->prompts = vm_pool_calloc(g->pool, 1, sizeof(vm_prompt_t));

    if (g->id == NULL || g->prompts == NULL) {
        return vm_error_memory(e);
    }

    g->nprompts = 1;

    return vm_generation_prompt_text(g, g->prompts, json_string_value(prompt),
                                     json_string_length(prompt), 1);
}


int
vm_media_plan(vm_generation_t *g, uint32_t n, uint32_t tokens)
{
    uint32_t     *length;
    vm_params_t  *p;

    length = vm_pool_alloc(g->pool, sizeof(uint32_t));

    if (length == NULL) {
        return vm_error_memory(&g->call->error);
    }

    *length = vm_max(tokens, 1);
    g->lengths = length;

    /* as a request that says nothing of them */

    p = &g->params;
    p->n.v = n;
    p->temperature.v = 1;
    p->top_p.v = 1;
    p->repetition_penalty.v = 1;
    p->skip_special_tokens = 1;

    return vm_generation_sampling(g);
}


int
vm_media_range(vm_generation_t *g, const char *name, double v, double min,
    double max)
{
    vm_buf_t     b;
    const char  *text[3];
    unsigned     i;

    if (v >= min && v <= max) {
        return VM_OK;
    }

    for (i = 0; i < 3; i++) {
        vm_buf_init(&b);
        vm_buf_double(&b, i == 0 ? v : (i == 1 ? min : max));
        text[i] = b.failed ? NULL : vm_pool_strdup(g->pool, b.data, b.len);
        vm_buf_free(&b);

        if (text[i] == NULL) {
            return vm_error_memory(&g->call->error);
        }
    }

    return vm_error_text(&g->call->error, g->pool, name, text[0],
                         vm_pool_printf(g->pool, "%s must be in [%s, %s], got "
                                        "%s.", name, text[1], text[2],
                                        text[0]));
}


void
vm_media_usage(const vm_generation_t *g, vm_buf_t *out)
{
    unsigned long long  input, output;

    input = vm_generation_prompt_tokens(g);
    output = vm_generation_output_tokens(g);

    vm_buf_printf(out, "\"usage\":{\"input_tokens\":%llu,\"output_tokens\":"
                  "%llu,\"total_tokens\":%llu", input, output,
                  input + output);
}


void
vm_media_nothing(vm_generation_t *g, vm_buf_t *out)
{
    (void) g;
    (void) out;
}
