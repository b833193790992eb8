/*
 * A trace of requests: a CSV file with a header.
 */

#ifndef VM_WORKLOAD_H
#define VM_WORKLOAD_H


#include "../src/engine/engine.h"


typedef struct {
    vm_time_t    arrival;
    uint32_t     line;
    uint32_t     prompt;
    uint32_t     output;
    uint32_t     group;             /* of a shared prefix, from 1; 0: none */
    uint32_t     shared;
    uint32_t     lora;              /* from 1; 0: none */
    int64_t      priority;
    const char  *ids;               /* prompt token ids; NULL */
    uint64_t     ids_at;            /* number of the first */

    /* what became of it */

    vm_time_t    scheduled;         /* VM_TIME_NONE: not so far */
    vm_time_t    first_token;
    vm_time_t    last_token;
    uint32_t     made;
    uint32_t     cached;
    uint32_t     preemptions;
    vm_finish_e  finish;
} vm_wreq_t;

typedef struct {
    vm_wreq_t   *requests;
    uint32_t     n;
    char       **loras;             /* names, lora - 1 */
    uint32_t     nloras;
    uint32_t    *ids;               /* all prompt token ids */
    uint64_t     nids;
    char        *text;
} vm_workload_t;


/* Takes `text`, NUL at its end; a message begins with name and line. */
int vm_workload_read(vm_workload_t *w, const char *name, char *text,
    char *err, size_t errlen);
void vm_workload_free(vm_workload_t *w);


#endif /* VM_WORKLOAD_H */
