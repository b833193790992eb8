/*
 * The engine's settings, by name.
 */

#include <stdio.h>
#include <stdlib.h>
#include "options.h"
#include "../base/near.h"


typedef enum {
    VM_OPT_UINT,
    VM_OPT_LENGTH,                  /* 0: auto */
    VM_OPT_BLOCK,
    VM_OPT_RATIO,                   /* 0 .. 1 */
    VM_OPT_POLICY,
    VM_OPT_PREFIX_CACHING,          /* flags: bits have no offset */
    VM_OPT_CHUNKED_PREFILL,
    VM_OPT_FULL_ISL,
    VM_OPT_ASYNC
} vm_opt_e;

typedef struct {
    const char  *name;
    vm_opt_e     kind;
    size_t       offset;
    uint64_t     min;
    uint64_t     max;
} vm_opt_t;

#define vm_opt_at(field)  offsetof(vm_engine_conf_t, field)

static const vm_opt_t  vm_opts[] = {
    { "max_num_seqs", VM_OPT_UINT, vm_opt_at(max_num_seqs), 1, 65536 },
    { "max_num_batched_tokens", VM_OPT_UINT,
      vm_opt_at(max_num_batched_tokens), 1, 16777216 },
    { "block_size", VM_OPT_BLOCK, vm_opt_at(block_size), 1, 256 },
    { "num_gpu_blocks", VM_OPT_UINT, vm_opt_at(num_gpu_blocks), 2,
      16777216 },
    { "num_gpu_blocks_override", VM_OPT_UINT, vm_opt_at(num_gpu_blocks), 2,
      16777216 },
    { "max_model_len", VM_OPT_LENGTH, vm_opt_at(max_model_len), 1, 10000000 },
    { "max_loras", VM_OPT_UINT, vm_opt_at(max_loras), 0, 64 },
    { "max_waiting", VM_OPT_UINT, vm_opt_at(max_waiting), 0, 16777216 },
    { "max_num_queued_reqs", VM_OPT_UINT, vm_opt_at(max_waiting), 0,
      16777216 },
    { "max_waiting_tokens", VM_OPT_UINT, vm_opt_at(max_waiting_tokens), 0,
      UINT32_MAX },
    { "max_num_queued_tokens", VM_OPT_UINT, vm_opt_at(max_waiting_tokens), 0,
      UINT32_MAX },
    { "max_live", VM_OPT_UINT, vm_opt_at(max_live), 1, 1048576 },
    { "long_prefill_token_threshold", VM_OPT_UINT,
      vm_opt_at(long_prefill_token_threshold), 0, 16777216 },
    { "watermark", VM_OPT_RATIO, vm_opt_at(watermark), 0, 0 },
    { "policy", VM_OPT_POLICY, 0, 0, 0 },
    { "scheduling_policy", VM_OPT_POLICY, 0, 0, 0 },
    { "prefix_caching", VM_OPT_PREFIX_CACHING, 0, 0, 0 },
    { "enable_prefix_caching", VM_OPT_PREFIX_CACHING, 0, 0, 0 },
    { "chunked_prefill", VM_OPT_CHUNKED_PREFILL, 0, 0, 0 },
    { "enable_chunked_prefill", VM_OPT_CHUNKED_PREFILL, 0, 0, 0 },
    { "reserve_full_isl", VM_OPT_FULL_ISL, 0, 0, 0 },
    { "scheduler_reserve_full_isl", VM_OPT_FULL_ISL, 0, 0, 0 },
    { "async_scheduling", VM_OPT_ASYNC, 0, 0, 0 }
};


const char *const *
vm_option_names(void)
{
    size_t              i;
    static const char  *names[vm_nelts(vm_opts) + 1];

    for (i = 0; i < vm_nelts(vm_opts); i++) {
        names[i] = vm_opts[i].name;
    }

    return names;
}


/* vLLM's human_readable_int: "2k", "1.5M", "4K". */

static int
vm_option_number(const char *text, uint64_t *out)
{
    char                 *end;
    double                d;
    const char           *unit;
    static const char     units[] = "kmgKMG";
    static const double   sizes[] = {
        1e3, 1e6, 1e9, 1024.0, 1048576.0, 1073741824.0
    };

    if (*text < '0' || *text > '9') {
        return VM_ERROR;
    }

    d = strtod(text, &end);
    unit = *end ? strchr(units, *end) : NULL;

    if (unit && end[1] == '\0') {
        d *= sizes[unit - units];

    } else if (*end) {
        return VM_ERROR;
    }

    if (d >= 0x1p53 || d != (double) (uint64_t) d) {
        return VM_ERROR;
    }

    *out = (uint64_t) d;

    return VM_OK;
}


/* A number of the engine, and those that have a rule of their own. */

static int
vm_option_set_uint(vm_engine_conf_t *c, const vm_opt_t *o, const char *value,
    char *err, size_t errlen)
{
    uint64_t     n;
    const char  *more;

    more = o->kind == VM_OPT_LENGTH ? " tokens, or auto (-1)"
           : o->kind == VM_OPT_BLOCK ? ", a power of two" : "";

    if (o->kind == VM_OPT_LENGTH
        && (strcmp(value, "auto") == 0 || strcmp(value, "-1") == 0))
    {
        n = 0;

    } else if (vm_option_number(value, &n) != VM_OK
               || n < o->min || n > o->max
               || (o->kind == VM_OPT_BLOCK && (n & (n - 1)) != 0))
    {
        snprintf(err, errlen, "invalid value \"%s\" of %s: %llu to %llu%s",
                 value, o->name, (unsigned long long) o->min,
                 (unsigned long long) o->max, more);
        return VM_ERROR;
    }

    *(uint32_t *) (void *) ((char *) c + o->offset) = (uint32_t) n;

    return VM_OK;
}


static int
vm_option_flag(const char *text)
{
    size_t                    i;
    static const char *const  words[] = {
        "off", "false", "0", "no", "on", "true", "1", "yes"
    };

    for (i = 0; i < vm_nelts(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            return i >= vm_nelts(words) / 2;
        }
    }

    return -1;
}


static int
vm_option_set_flag(vm_engine_conf_t *c, const vm_opt_t *o, const char *value,
    char *err, size_t errlen)
{
    int       yes;
    unsigned  bit;

    yes = vm_option_flag(value);

    if (yes < 0) {
        snprintf(err, errlen, "invalid value \"%s\" of %s: on or off", value,
                 o->name);
        return VM_ERROR;
    }

    bit = yes != 0;

    switch (o->kind) {

    case VM_OPT_PREFIX_CACHING:
        c->prefix_caching = bit & 1;
        break;

    case VM_OPT_CHUNKED_PREFILL:
        c->chunked_prefill = bit & 1;
        break;

    case VM_OPT_FULL_ISL:
        c->reserve_full_isl = bit & 1;
        break;

    default: /* VM_OPT_ASYNC */
        c->async_scheduling = bit & 1;
        break;
    }

    return VM_OK;
}


void
vm_option_key(const char *name, char key[VM_OPTION_NAME])
{
    size_t  i;

    for (i = 0; i < VM_OPTION_NAME - 1 && name[i]; i++) {
        key[i] = name[i] == '-' ? '_' : name[i];
    }

    key[i] = '\0';
}


int
vm_option_set(vm_engine_conf_t *c, const char *name, const char *value,
    char *err, size_t errlen)
{
    char             key[VM_OPTION_NAME], *end;
    double           ratio;
    size_t           k;
    const vm_opt_t  *o;

    vm_option_key(name, key);
    o = NULL;

    for (k = 0; k < vm_nelts(vm_opts); k++) {
        if (strcmp(key, vm_opts[k].name) == 0) {
            o = &vm_opts[k];
        }
    }

    if (o == NULL) {
        snprintf(err, errlen, "unknown parameter \"%s\" of the engine", name);
        vm_near_add(err, errlen, key, "", &vm_opts[0].name, vm_nelts(vm_opts),
                    sizeof(vm_opt_t));
        return VM_DECLINED;
    }

    switch (o->kind) {

    case VM_OPT_UINT:
    case VM_OPT_LENGTH:
    case VM_OPT_BLOCK:
        return vm_option_set_uint(c, o, value, err, errlen);

    case VM_OPT_RATIO:
        ratio = strtod(value, &end);

        if (end == value || *end || !(ratio >= 0 && ratio < 1)) {
            snprintf(err, errlen, "invalid value \"%s\" of %s: 0 to less "
                     "than 1", value, o->name);
            return VM_ERROR;
        }

        c->watermark = ratio;
        return VM_OK;

    case VM_OPT_POLICY:
        if (strcmp(value, "fcfs") == 0) {
            c->policy = VM_POLICY_FCFS;
            return VM_OK;
        }

        if (strcmp(value, "priority") == 0) {
            c->policy = VM_POLICY_PRIORITY;
            return VM_OK;
        }

        snprintf(err, errlen, "invalid value \"%s\" of %s: fcfs or priority",
                 value, o->name);
        return VM_ERROR;

    default:
        return vm_option_set_flag(c, o, value, err, errlen);
    }
}


void
vm_options_json(const vm_engine_conf_t *c, vm_buf_t *out)
{
    int              on;
    size_t           i;
    const vm_opt_t  *o;

    vm_buf_char(out, '{');

    for (i = 0; i < vm_nelts(vm_opts); i++) {
        o = &vm_opts[i];

        if (i && o->kind == o[-1].kind && o->offset == o[-1].offset) {
            continue;                   /* another name of the last one */
        }

        vm_buf_printf(out, "%s\"%s\":", i ? "," : "", o->name);

        switch (o->kind) {

        case VM_OPT_UINT:
        case VM_OPT_LENGTH:
        case VM_OPT_BLOCK:
            vm_buf_uint(out, *(const uint32_t *) (const void *)
                             ((const char *) c + o->offset));
            continue;

        case VM_OPT_RATIO:
            vm_buf_double(out, c->watermark);
            continue;

        case VM_OPT_POLICY:
            vm_buf_str(out, c->policy == VM_POLICY_PRIORITY ? "\"priority\""
                                                            : "\"fcfs\"");
            continue;

        case VM_OPT_PREFIX_CACHING:
            on = c->prefix_caching;
            break;

        case VM_OPT_CHUNKED_PREFILL:
            on = c->chunked_prefill;
            break;

        case VM_OPT_FULL_ISL:
            on = c->reserve_full_isl;
            break;

        default: /* VM_OPT_ASYNC */
            on = c->async_scheduling;
            break;
        }

        vm_buf_str(out, on ? "true" : "false");
    }

    vm_buf_char(out, '}');
}
