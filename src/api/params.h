/*
 * Types of request fields and rules that chat and completions (and what is
 * built on them) have in common.
 */

#ifndef VM_PARAMS_H
#define VM_PARAMS_H


#include "generation.h"


#define VM_GREEDY  1e-5             /* a temperature below is none */


/* A row: the field of vm_params_t has the name of the JSON key. */

#define vm_param(name, type, flags, def)                                      \
    { #name, &type, flags, offsetof(vm_params_t, name), def, NULL }
#define vm_param_rule(name, type, flags, def, rule)                           \
    { #name, &type, flags, offsetof(vm_params_t, name), def, rule }


extern const vm_type_t  vm_stop_type, vm_stream_options_type,
                        vm_response_format_type, vm_structured_type,
                        vm_truncate_type, vm_side_type, vm_effort_type,
                        vm_mm_payload_type, vm_bias_type, vm_xargs_type,
                        vm_repetition_type, vm_interval_type, vm_tools_type,
                        vm_tool_choice_type, vm_documents_type,
                        vm_kwargs_type;

int vm_rule_budget(const json_t *v, vm_error_t *e, vm_pool_t *pool);
int vm_rule_structured(const json_t *v, vm_error_t *e, vm_pool_t *pool);
int vm_rule_repetition(const json_t *v, vm_error_t *e, vm_pool_t *pool);

/* What vLLM says of token ids among which is a negative one; NULL: none. */
const char *vm_refuse_negative(const json_t *v, vm_pool_t *pool);

/* The rows from `watermarking` on that both requests list alike. */

#define VM_PARAMS_SAMPLING                                                    \
    vm_param(temperature, vm_float_type, 0, 1),                               \
    vm_param(top_p, vm_float_type, 0, 1)

#define VM_PARAMS_VLLM                                                        \
    vm_param(use_beam_search, vm_bool_type, VM_F_NOTNULL, 0),                 \
    vm_param(top_k, vm_int_type, 0, 0),                                       \
    vm_param(min_p, vm_float_type, 0, 0),                                     \
    vm_param(repetition_penalty, vm_float_type, 0, 1),                        \
    vm_param(watermarking, vm_bool_type, 0, 0),                               \
    vm_param(length_penalty, vm_float_type, VM_F_NOTNULL, 1),                 \
    vm_param(stop_token_ids, vm_int_list_type, 0, 0),                         \
    vm_param(include_stop_str_in_output, vm_bool_type, VM_F_NOTNULL, 0),      \
    vm_param(ignore_eos, vm_bool_type, VM_F_NOTNULL, 0),                      \
    vm_param(min_tokens, vm_int_type, VM_F_NOTNULL, 0),                       \
    vm_param(skip_special_tokens, vm_bool_type, VM_F_NOTNULL, 1),             \
    vm_param(spaces_between_special_tokens, vm_bool_type, VM_F_NOTNULL, 1),   \
    vm_param(truncate_prompt_tokens, vm_truncate_type, 0, 0),                 \
    vm_param(truncation_side, vm_side_type, 0, 0)

#define VM_PARAMS_TRANSFER                                                    \
    vm_param(cache_salt, vm_str_type, 0, 0),                                  \
    vm_param(kv_transfer_params, vm_dict_type, 0, 0),                         \
    vm_param(ec_transfer_params, vm_dict_type, 0, 0),                         \
    vm_param(disaggregated_params, vm_any_type, 0, 0),                        \
    vm_param(vllm_xargs, vm_xargs_type, 0, 0),                                \
    vm_param_rule(repetition_detection, vm_repetition_type, 0, 0,             \
                  vm_rule_repetition)


/*
 * Rules on the raw body, before any field is looked at: each answers alone.
 * NULL ends a list.
 */
typedef int (*vm_rule_pt)(const json_t *body, vm_error_t *e, vm_pool_t *pool);

int vm_rules_check(const vm_rule_pt *rules, const json_t *body,
    vm_error_t *e, vm_pool_t *pool);

int vm_rule_stream_options(const json_t *body, vm_error_t *e,
    vm_pool_t *pool);
int vm_rule_response_format(const json_t *body, vm_error_t *e,
    vm_pool_t *pool);
int vm_rule_cache_salt(const json_t *body, vm_error_t *e, vm_pool_t *pool);

/* The two fields of log-probabilities that a request has. */
int vm_rule_logprobs(const json_t *body, const char *name, vm_error_t *e,
    vm_pool_t *pool);
int vm_rule_logprobs_range(const json_t *body, const char *name,
    vm_error_t *e, vm_pool_t *pool);

/* 500: a value that is no object where one is asked for a member */
int vm_rule_no_get(const json_t *v, vm_error_t *e, vm_pool_t *pool);

/* Python's truth of a member. */
int vm_rule_true(const json_t *body, const char *key);


#endif /* VM_PARAMS_H */
