/*
 * The engine's settings under vLLM's names: one table for the command line,
 * for vllm_mock_engine and for the replay tool.
 */

#ifndef VM_OPTIONS_H
#define VM_OPTIONS_H


#include "engine.h"
#include "../base/buf.h"


#define VM_OPTION_NAME  64


/* A name as the table has it, with "_" for "-"; it is cut to what has room. */
void vm_option_key(const char *name, char key[VM_OPTION_NAME]);

/*
 * "max-num-seqs" or "max_num_seqs".  VM_OK; VM_DECLINED for a name that is not
 * known; VM_ERROR with a message that names the value and what is allowed.
 */
int vm_option_set(vm_engine_conf_t *c, const char *name, const char *value,
    char *err, size_t errlen);

/* {"max_num_seqs":256,...}: each setting once, under its first name. */
void vm_options_json(const vm_engine_conf_t *c, vm_buf_t *out);

/* The names, NULL ends them. */
const char *const *vm_option_names(void);


#endif /* VM_OPTIONS_H */
