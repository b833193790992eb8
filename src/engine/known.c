/*
 * Known models: max_position_embeddings of the config.json that is published
 * with each, which is what vLLM derives max_model_len from.
 */

#include <ctype.h>
#include <fnmatch.h>
#include "known.h"


#define VM_KNOWN_NAME  128


/* The first pattern that fits the name's last part, in small letters, wins. */

static const struct {
    const char  *pattern;
    uint32_t     tokens;
}  vm_known[] = {
    { "llama2-*", 4096 }, { "llama-2-*", 4096 },
    { "codellama-*", 16384 },
    { "*llama-3.[123]-*", 131072 }, { "llama3.[123]-*", 131072 },
    { "*llama-3-*", 8192 }, { "llama3-*", 8192 },
    { "llama-4-maverick-*", 1048576 },
    { "tinyllama-*", 2048 },

    { "qwen-72b*", 32768 },
    { "qwen2.5-*-1m", 1010000 },
    { "qwen2.5-7b", 131072 }, { "qwen2.5-14b", 131072 },
    { "qwen2.5-32b", 131072 }, { "qwen2.5-72b", 131072 },
    { "qwen2.5-*", 32768 },
    { "qwen3-*-2507*", 262144 }, { "qwen3-coder-*", 262144 },
    { "qwen3-next-*", 262144 }, { "qwen3-*-base", 32768 },
    { "qwen3-*", 40960 },

    { "deepseek-r1-distill-*", 131072 },
    { "deepseek-r1-0528-qwen3-8b*", 131072 },
    { "deepseek-r1*", 163840 }, { "deepseek-v3*", 163840 },

    { "mistral-7b-*", 32768 },
    { "mixtral-8x7b-*", 32768 }, { "mixtral-8x22b-*", 65536 },

    { "gpt-oss-*", 131072 },

    { "gemma-2-*", 8192 },
    { "gemma-3-1b-*", 32768 }, { "gemma-3-*", 131072 },

    { "phi-2", 2048 }, { "phi-4", 16384 },
    { "phi-3-*-4k-*", 4096 }, { "phi-3*-128k-*", 131072 },
    { "phi-4-mini-*", 131072 },

    { "opt-*", 2048 }, { "pythia-*", 2048 },
    { "smollm2-*", 8192 }
};


uint32_t
vm_known_length(const char *model)
{
    char         name[VM_KNOWN_NAME];
    size_t       i;
    const char  *slash;

    slash = strrchr(model, '/');
    model = slash ? slash + 1 : model;

    for (i = 0; model[i] && i + 1 < sizeof(name); i++) {
        name[i] = (char) tolower((unsigned char) model[i]);
    }

    name[i] = '\0';

    for (i = 0; i < vm_nelts(vm_known); i++) {
        if (fnmatch(vm_known[i].pattern, name, 0) == 0) {
            return vm_known[i].tokens;
        }
    }

    return 0;
}
