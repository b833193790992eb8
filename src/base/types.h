/*
 * Types that every pure room shares.  Times are nanoseconds on the clock of
 * the caller (CLOCK_MONOTONIC under nginx, 0 at the start of a replay).
 */

#ifndef VM_TYPES_H
#define VM_TYPES_H


#include <stddef.h>
#include <stdint.h>
#include <string.h>


typedef int64_t  vm_time_t;

#define VM_NSEC       ((vm_time_t) 1000000000)
#define VM_MSEC       ((vm_time_t) 1000000)
#define VM_USEC       ((vm_time_t) 1000)
#define VM_TIME_NONE  INT64_MAX

#define VM_OK         0
#define VM_ERROR     -1             /* out of memory, or what a text explains */
#define VM_DECLINED  -2             /* refused by a limit: try again later */

#define VM_NEVER      UINT32_MAX


typedef struct {
    const char  *data;
    size_t       len;
} vm_str_t;

#define vm_str(s)       { s, sizeof(s) - 1 }
#define vm_nelts(a)     (sizeof(a) / sizeof((a)[0]))
#define vm_min(a, b)    ((a) < (b) ? (a) : (b))
#define vm_max(a, b)    ((a) > (b) ? (a) : (b))


#endif /* VM_TYPES_H */
