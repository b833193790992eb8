/*
 * Tools of a response, those of a host among them, by their classes.
 */

#ifndef VM_HOSTED_H
#define VM_HOSTED_H


#include "field.h"


extern const vm_type_t  vm_hosted_type, vm_hosted_list_type;

/*
 * A value of a union of classes, with all the fields of its class in their
 * order, and the rest.
 */
json_t *vm_hosted_full(const vm_type_t *t, const json_t *tool, vm_error_t *e,
    vm_pool_t *pool);


#endif /* VM_HOSTED_H */
