/*
 * Which profile a device and a model's name lead to, by the text of
 * profiles/index.json.
 */

#ifndef VM_CATALOG_H
#define VM_CATALOG_H


#include "../base/types.h"


#define VM_CATALOG_PATH  256


/*
 * The file's name below profiles/, such as "h100/llama-3.1-8b-tp1.json".  `tp`
 * of 0 takes the smallest there is.  VM_ERROR: the message says what there is
 * for that device and for that model, or why there is nothing.
 */
int vm_catalog_find(const char *index, size_t len, const char *device,
    const char *model, uint32_t tp, char path[VM_CATALOG_PATH], char *err,
    size_t errlen);


#endif /* VM_CATALOG_H */
