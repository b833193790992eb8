/*
 * GET /v1/models, and adapters: their requests and words.
 */

#ifndef VM_MODELS_H
#define VM_MODELS_H


#include "call.h"
#include "field.h"


/* Cards of the served names, then of the adapters. */
void vm_models_render(const vm_call_t *call, const vm_adapter_t *adapters,
    size_t n, vm_buf_t *out);


typedef struct {
    const json_t  *lora_name;
    const json_t  *lora_path;
    uint8_t        load_inplace;
} vm_lora_request_t;

/* Bodies of /v1/load_lora_adapter, /v1/unload_lora_adapter, /adapters. */
int vm_lora_load_parse(vm_call_t *call, const json_t *body,
    vm_lora_request_t *out);
int vm_lora_unload_parse(vm_call_t *call, const json_t *body,
    vm_lora_request_t *out);
int vm_lora_sagemaker_parse(vm_call_t *call, const json_t *body,
    vm_lora_request_t *out);

/* Refusals of what is well-formed; all answer VM_ERROR. */
int vm_lora_base_name(vm_call_t *call, const char *name);
int vm_lora_loaded(vm_call_t *call, const char *name);
int vm_lora_unknown(vm_call_t *call, const char *name);
int vm_lora_no_path(vm_call_t *call, const char *name, const char *path);
int vm_lora_engine(vm_call_t *call, const char *reason);

/*
 * The text of an adapter_config.json: VM_OK, or what the engine says of it.
 */
int vm_lora_config(vm_call_t *call, const char *text, size_t len);


#endif /* VM_MODELS_H */
