/*
 * How often the tool parser looked at an answer, as vLLM 0.32.0 counts it: a
 * family of a server that has one.
 */

#include "families.h"


static const char *const  vm_parser_modes[VM_PARSER_MODES] = {
    [VM_PARSER_STREAMED] = "streaming",
    [VM_PARSER_WHOLE] = "non_streaming"
};

static const char *const  vm_parser_outcomes[VM_PARSER_OUTCOMES] = {
    [VM_PARSER_CALL] = "tool_call",
    [VM_PARSER_NO_CALL] = "no_tool_call"
};

static const char *const  vm_parser_kinds[VM_PARSER_KINDS] = {
    [VM_PARSER_CHAT] = "chat_completions",
    [VM_PARSER_RESPONSES] = "responses",
    [VM_PARSER_OTHER] = "other"
};


static void
vm_parser_label(vm_label_t *label, const char *value)
{
    label->value.data = value;
    label->value.len = strlen(value);
}


void
vm_parser_stats_render(vm_buf_t *out, const vm_scrape_t *s)
{
    uint32_t    created, i, kind, mode, outcome;
    vm_label_t  labels[5] = {
        { "mode", { NULL, 0 } },
        { "model_name", s->model_name },
        { "outcome", { NULL, 0 } },
        { "request_type", { NULL, 0 } },
        { NULL, { NULL, 0 } }
    };

    static const char  name[] = "vllm:tool_call_parser_invocations";
    static const char  help[] =
        "Total number of ToolParser invocations. Non-streaming increments "
        "once per choice; streaming increments once per delta.";

    for (created = 0; created < 2; created++) {

        if (created) {
            vm_expose_created(out, name, help);

        } else {
            vm_expose_family(out, name, "_total", help, "counter");
        }

        for (i = 0;
             i < VM_PARSER_MODES * VM_PARSER_OUTCOMES * VM_PARSER_KINDS;
             i++)
        {
            kind = i % VM_PARSER_KINDS;
            outcome = i / VM_PARSER_KINDS % VM_PARSER_OUTCOMES;
            mode = i / VM_PARSER_KINDS / VM_PARSER_OUTCOMES;

            vm_parser_label(&labels[0], vm_parser_modes[mode]);
            vm_parser_label(&labels[2], vm_parser_outcomes[outcome]);
            vm_parser_label(&labels[3], vm_parser_kinds[kind]);

            if (created) {
                vm_expose_created_sample(out, name, labels, s->created);

            } else {
                vm_expose_sample(out, name, "_total", labels,
                                 (double) s->parser->n[mode][outcome][kind]);
            }
        }
    }
}
