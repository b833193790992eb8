/*
 * The parsers that vLLM 0.32.0 has for calls and for thoughts.
 */

#include <stdio.h>
#include "parsers.h"
#include "../base/near.h"


static const char *const  vm_parsers_tool[] = {
    "apertus", "cohere_command3", "cohere_command4", "deepseek_v3",
    "deepseek_v31", "deepseek_v32", "deepseek_v4", "deepseek_v41", "dots",
    "ernie45", "functiongemma", "gemma4", "gigachat3", "glm45", "glm47",
    "granite", "granite-20b-fc", "granite4", "hermes", "hf", "hunyuan_a13b",
    "hy_v3", "hy_v4", "inkling", "internlm", "jamba", "k2_horizon",
    "kimi_k2", "kimi_k3", "lfm2", "ling3", "llama3_json", "llama4_json",
    "llama4_pythonic", "longcat", "mimo", "minicpm5", "minimax_m2",
    "minimax_m3", "mistral", "muse_glimmer", "olmo3", "openai",
    "phi4_mini_json", "plamo3", "poolside_v1", "pythonic", "qwen3_coder",
    "qwen3_json", "qwen3_xml", "seed_oss", "step3", "step3p5", "xlam"
};

static const char *const  vm_parsers_reasoning[] = {
    "cohere_command3", "cohere_command4", "deepseek_r1", "deepseek_v3",
    "deepseek_v4", "deepseek_v41", "ernie45", "gemma4", "glm45", "glm47",
    "granite", "granite_thinking_parser", "hf", "holo2", "hunyuan_a13b",
    "hy_v3", "hy_v4", "inkling", "k2_horizon", "kimi_k2", "kimi_k3", "ling3",
    "mimo", "minicpmv", "minimax_m2", "minimax_m2_append_think",
    "minimax_m3", "mistral", "muse_glimmer", "nemotron_v3", "olmo3",
    "openai_gptoss", "plamo3", "poolside_v1", "qwen3", "seed_oss", "step3",
    "step3p5"
};


static int
vm_parsers_known(const char *what, const char *name,
    const char *const *names, size_t n, char *err, size_t errlen)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (strcmp(name, names[i]) == 0) {
            return VM_OK;
        }
    }

    snprintf(err, errlen, "invalid %s parser: %s", what, name);
    vm_near_add(err, errlen, name, "", names, n, sizeof(char *));

    return VM_ERROR;
}


/* vLLM takes any name that it does not use. */

static void
vm_parsers_idle(const vm_settings_t *s, char *err, size_t errlen)
{
    size_t  len;

    if (s->tool_call_parser == NULL) {
        return;
    }

    len = (size_t) snprintf(err, errlen, "--tool-call-parser has no effect "
                            "without --enable-auto-tool-choice; ");

    if (len < errlen
        && (s->tool_parser_plugin
            || vm_parsers_known("tool call", s->tool_call_parser,
                                vm_parsers_tool, vm_nelts(vm_parsers_tool),
                                err + len, errlen - len)
               == VM_OK))
    {
        err[len - 2] = '\0';
    }
}


int
vm_parsers_check(vm_settings_t *s, char *err, size_t errlen)
{
    err[0] = '\0';

    if (!s->auto_tool_choice) {
        vm_parsers_idle(s, err, errlen);
        s->tool_call_parser = NULL;

    } else if (s->tool_call_parser == NULL) {
        snprintf(err, errlen, "--enable-auto-tool-choice requires "
                 "--tool-call-parser");
        return VM_ERROR;

    } else if (s->tool_parser_plugin == NULL
               && vm_parsers_known("tool call", s->tool_call_parser,
                                   vm_parsers_tool,
                                   vm_nelts(vm_parsers_tool), err, errlen)
                  != VM_OK)
    {
        return VM_ERROR;
    }

    if (s->reasoning_parser == NULL || s->reasoning_parser_plugin) {
        return VM_OK;
    }

    return vm_parsers_known("reasoning", s->reasoning_parser,
                            vm_parsers_reasoning,
                            vm_nelts(vm_parsers_reasoning), err, errlen);
}
