/*
 * The content of a message when it is a list: the types that its parts may
 * be, and the text that vLLM takes out of them.
 */

#ifndef VM_CONTENT_H
#define VM_CONTENT_H


#include "message.h"


/* The content of a message of no role of OpenAI's: str | list of parts. */
extern const vm_type_t  vm_content_custom_type;

/* Whose parts they are: they are checked when the template reads them. */

typedef enum {
    VM_CONTENT_TEXT,                /* developers, systems, tools */
    VM_CONTENT_USER,
    VM_CONTENT_ASSISTANT,
    VM_CONTENT_FREE                 /* all were checked before */
} vm_content_e;

/* What is said of a part of that type, which no message can have. */
int vm_content_unsupported(const json_t *type, vm_error_t *e,
    vm_pool_t *pool);

/*
 * An image, a sound or the like, of what kind ("image"), how many tokens stand
 * for it and what tells it from others: 1; 0: it is none.
 */
typedef struct {
    const char  *modality;
    uint32_t     tokens;
    uint64_t     hash;
} vm_medium_t;

#define VM_MEDIA_MARK  8                /* tokens that tell contents apart */
#define VM_MEDIA_FILL  '\x1a'           /* the text of each of the others */

int vm_content_medium(const json_t *part, vm_medium_t *m);

int vm_content_render(const json_t *content, vm_content_e whose,
    const vm_template_t *t, vm_buf_t *out, vm_error_t *e, vm_pool_t *pool);


#endif /* VM_CONTENT_H */
