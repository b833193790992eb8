/*
 * The parsers that vLLM 0.32.0 has for calls and for thoughts.  Here they do
 * not differ; a name that vLLM does not know is refused as vLLM refuses it.
 */

#ifndef VM_PARSERS_H
#define VM_PARSERS_H


#include "settings.h"


/*
 * Whether the settings name parsers that exist, a plugin's aside; VM_ERROR
 * with a message.  Without --enable-auto-tool-choice there is no parser of
 * calls.
 */
int vm_parsers_check(vm_settings_t *s, char *err, size_t errlen);


#endif /* VM_PARSERS_H */
