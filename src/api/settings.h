/*
 * What the API answers depend on: vLLM's settings, as its command line and
 * environment give them.  Made once while the configuration is read, then
 * read-only.
 */

#ifndef VM_SETTINGS_H
#define VM_SETTINGS_H


#include "../base/pool.h"
#include "../text/tokenizer.h"


#define VM_VERSION  "0.32.0"
#define VM_ENGINES  16              /* of a server: data-parallel ranks */


typedef struct {
    size_t             n;
    const char       **list;
} vm_strings_t;

typedef enum {
    VM_RUNNER_GENERATE,
    VM_RUNNER_EMBED,
    VM_RUNNER_CLASSIFY
} vm_runner_e;

typedef struct {

    /* models */

    vm_strings_t       names;           /* served; the first is reported */
    const char        *root;            /* path of the model */
    const char        *tag;             /* the same, as the positional one */
    uint32_t           max_model_len;
    uint8_t            accept_any;      /* vllm_mock_unknown_models accept */
    vm_runner_e        runner;
    uint32_t           num_labels;      /* of a classifier */
    uint32_t           hidden_size;     /* numbers of an embedding */

    /* the front end */

    vm_strings_t       api_keys;
    const char        *root_path;
    vm_strings_t       allowed_origins;
    uint8_t            allow_credentials;
    uint8_t            request_id_headers;
    uint8_t            disable_docs;
    uint8_t            tokenizer_info;
    uint8_t            load_tracking;
    uint8_t            scale_out;
    uint8_t            disable_log_stats;
    uint8_t            all_endpoints;   /* vllm_mock_endpoints all */

    uint8_t            auto_tool_choice;
    const char        *tool_call_parser;
    const char        *tool_parser_plugin;
    const char        *reasoning_parser;
    const char        *reasoning_parser_plugin;
    uint8_t            prompt_tokens_details;
    uint8_t            force_usage;
    uint8_t            per_request_metrics;
    uint8_t            tokens_as_ids;
    uint8_t            trust_chat_template;
    uint8_t            trust_mm_kwargs;
    uint8_t            prompt_embeds;
    const char        *kv_transfer_config;  /* NULL: no connector */
    const char        *side_host;           /* of it; NULL: localhost */
    uint32_t           side_port;
    uint32_t           block_size;          /* of the engine's cache */
    char               engine_id[40];       /* of the connector */
    uint32_t           max_logprobs;
    uint32_t           stream_interval;
    const char        *response_role;

    /* LoRA */

    uint8_t            enable_lora;
    uint32_t           max_loras;
    uint32_t           max_lora_rank;
    vm_strings_t       lora_modules;    /* name=path, or JSON */

    /* VLLM_* of the environment */

    uint8_t            dev_mode;
    uint8_t            runtime_lora;
    uint8_t            responses_store;

    /* for vllm:cache_config_info */

    const char        *gpu_memory_utilization;

    /* nginx's own: only told */

    const char        *host;
    uint32_t           port;
    uint32_t           tensor_parallel;
    uint32_t           data_parallel;

    /* the mock's */

    uint64_t           seed;
    uint8_t            seeded;          /* a seed was given */
    const vm_tokenizer_t  *tokenizer;
    uint32_t           vocab;
    const vm_str_t    *tokenizer_config;    /* tokenizer_config.json, "{}" of
                                               other files; NULL: built in */

} vm_settings_t;


void vm_settings_defaults(vm_settings_t *s);

/* VLLM_* variables; `value` of one that is set. */
int vm_settings_env(vm_settings_t *s, const char *name, const char *value,
    vm_pool_t *pool);
const char *const *vm_settings_env_names(void);         /* NULL ends it */


typedef enum {
    VM_ARG_SET,                     /* done */
    VM_ARG_IGNORED,                 /* known, has no meaning here */
    VM_ARG_ENGINE,                  /* one for the engine: *value is its value */
    VM_ARG_FAILED                   /* `err` says why */
} vm_arg_e;

/*
 * One of vLLM's arguments: takes argv[*i] and its values, moves *i behind
 * them.  For VM_ARG_ENGINE, `name` is without dashes ("max-num-seqs",
 * "no-async-scheduling") and `value` its value or NULL.
 */
vm_arg_e vm_settings_arg(vm_settings_t *s, const char *const *argv, size_t n,
    size_t *i, vm_pool_t *pool, const char **name, const char **value,
    char *err, size_t errlen);

/* "2k", "1.5M", "25.6k" or plain digits, as vLLM's human_readable_int. */
int vm_settings_number(const char *text, uint64_t *out);


#endif /* VM_SETTINGS_H */
